"""Streams as they are in the world: pipes that close, full disks, code pages, standard input, colours."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import BROKEN, Ran, animals, environment, jsonl, run_alone

from ftprep.cli.terminal import to_json, wants_color

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]
CHINESE = jsonl(*({"prompt": f"问题{i}：✓ →", "completion": "答案 " * i} for i in range(1, 4)))


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp936", "cp437", "utf-8"])
@pytest.mark.parametrize(
    "command", [("check", "--output-format", "concise"), ("check",), ("tokens",), ("prepare", "-o", "x")]
)
def test_no_code_page_ends_a_run(tmp_path: Path, encoding: str, command: tuple[str, ...]) -> None:
    (tmp_path / "数据.jsonl").write_text(CHINESE, encoding="utf-8")
    ran = run_alone(command[0], "数据.jsonl", *command[1:], cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert ran.code == 0
    assert (ran.err, "Traceback" in ran.out) == ("", False)
    if encoding in ("ascii", "cp1252"):
        assert "\\u6570\\u636e" in ran.out


def test_bars_are_drawn_with_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(animals(), encoding="utf-8")
    assert "█" in run_alone("tokens", "a.jsonl", cwd=tmp_path).out
    plain = run_alone("tokens", "a.jsonl", cwd=tmp_path, PYTHONIOENCODING="ascii").out
    assert "####" in plain
    assert plain.isascii()


@pytest.mark.skipif(sys.platform == "win32", reason="no head")
@pytest.mark.parametrize(
    "arguments", [("check", "a.jsonl", "--output-format", "json"), ("rule", "--all"), ("--help",), ("--version",)]
)
def test_a_closed_pipe_is_quiet(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "a.jsonl").write_text(BROKEN * 300, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "ftprep", *arguments]
    with os.fdopen(writer, "wb") as closed:
        run = subprocess.run(
            command, cwd=tmp_path, stdout=closed, stderr=subprocess.PIPE, env=environment(), check=False, timeout=60
        )
    assert run.stderr == b""
    assert run.returncode == {"check": 1, "rule": 0}.get(arguments[0], 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [("check", "a.jsonl"), ("rule", "SEP105"), ("--help",), ("--version",)])
def test_a_full_disk_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "a.jsonl").write_text(animals(), encoding="utf-8")
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [sys.executable, "-m", "ftprep", *arguments],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=60,
        )
    first = run.stderr.decode().splitlines()[0]
    assert run.returncode == 2
    assert first.startswith("error: ")
    assert first.endswith("No space left on device")
    assert b"Traceback" not in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_what_was_written_before_stdout_failed_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(animals(), encoding="utf-8")
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "ftprep", "prepare", "a.jsonl", "-o", "out"]
        run = subprocess.run(
            command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, env=environment(), check=False, timeout=60
        )
    assert run.returncode == 2
    assert run.stderr.decode().splitlines() == [
        "error: cannot write to standard output: No space left on device",
        "  free some space, or send the output elsewhere",
        "  the files had been written",
    ]
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's way to close streams")
@pytest.mark.parametrize(("closed", "code"), [("<&-", 1), (">&-", 1), ("2>&-", 1), ("<&- >&- 2>&-", 1)])
def test_streams_that_are_closed(tmp_path: Path, closed: str, code: int) -> None:
    (tmp_path / "a.jsonl").write_text(BROKEN, encoding="utf-8")
    line = f'"{sys.executable}" -m ftprep check a.jsonl {closed}'
    run = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, env=environment(), check=False)
    assert run.returncode == code
    assert b"Traceback" not in run.stderr


def test_standard_input(tmp_path: Path) -> None:
    ran = run_alone("check", "-", "--output-format", "concise", cwd=tmp_path, stdin=BROKEN.encode())
    assert ran.code == 1
    assert "\n-:6:" in ran.out
    named = run_alone(
        *("check", "-", "--stdin-filename", "in/a.jsonl", "--output-format", "json"),
        cwd=tmp_path,
        stdin=BROKEN.encode(),
    )
    assert (
        {f["filename"] for f in named.json["findings"]} == {i["path"] for i in named.json["inputs"]} == {"in/a.jsonl"}
    )


def test_prepare_from_standard_input(tmp_path: Path) -> None:
    data = animals().encode()
    assert run_alone("prepare", "-", "--valid", "none", cwd=tmp_path, stdin=data).code == 0
    assert (
        run_alone(
            "prepare", "-", "--valid", "none", "--stdin-filename", "in/a.b.jsonl.gz", cwd=tmp_path, stdin=data
        ).code
        == 0
    )
    assert {p.name for p in tmp_path.glob("*.jsonl")} == {"stdin_prepared.jsonl", "a.b_prepared.jsonl"}


def test_no_colour_and_no_progress_in_pipes(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(BROKEN, encoding="utf-8")
    plain = run_alone("check", "a.jsonl", cwd=tmp_path)
    assert "\x1b" not in plain.out + plain.err
    assert plain.err == ""
    assert "\x1b[" in run_alone("check", "a.jsonl", "--color", "always", cwd=tmp_path).out
    assert "\x1b[" in run_alone("check", "a.jsonl", cwd=tmp_path, FORCE_COLOR="1").out
    assert "\x1b" not in run_alone("check", "a.jsonl", "--color", "never", cwd=tmp_path, FORCE_COLOR="1").out


@pytest.mark.parametrize(
    ("choice", "env", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_when_there_are_colours(
    monkeypatch: pytest.MonkeyPatch, choice: str, env: dict[str, str], terminal: bool, expected: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert wants_color(choice, Screen() if terminal else io.StringIO()) is expected


def test_a_stream_that_is_closed_or_missing_has_no_colours() -> None:
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()  # asking it whether it is a terminal raises ValueError
    assert not wants_color("auto", None)
    assert not wants_color("auto", closed)


def test_json_drives_no_terminal() -> None:
    assert to_json({"a": "\x1b[31m\u202e##[group]\n"}) == '{\n  "a": "\\u001b[31m\\u202e#\\u0023[group]\\n"\n}\n'
