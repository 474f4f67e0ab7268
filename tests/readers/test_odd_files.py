"""Odd things under a path: each ends at once, in one line, with exit code 2; odd names are only names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ftprep as ft
from ftprep.errors import ReadError
from ftprep.readers import sources

LINES = b'{"prompt": "say it ->", "completion": " yes"}\n' * 5


def run(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ftprep", "check", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, **environment}, check=False)


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "device", "unreadable", "loop", "dangling", "gone"])
def test_what_is_no_file_is_one_line(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jsonl"
    server = socket.socket(socket.AF_UNIX)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)
        server.bind("x.jsonl")
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "unreadable":
        path.write_bytes(LINES)
        path.chmod(0)
        if os.access(path, os.R_OK):
            server.close()
            pytest.skip("root may read everything")
    elif kind in ("loop", "dangling"):
        path.symlink_to(path if kind == "loop" else tmp_path / "nothing")
    done = run(str(path))
    server.close()
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") <= 2  # what, and what to do


NAMES = [
    b"a b.jsonl",
    b"a\nb.jsonl",
    b"a\x1b[31mb.jsonl",
    b"a\xffb.jsonl",
    b"a\xe2\x80\xaeb.jsonl",
    b"--help.jsonl",
    b"'$(x).jsonl",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["C"])
def test_a_name_is_only_a_name(tmp_path: Path, name: bytes, language: str) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(LINES + b"{\n")
    for form in ("full", "json"):
        done = run(path, "--output-format", form, LC_ALL=language)
        assert done.returncode == 1, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"\xe2\x80\xae" not in done.stdout or form == "json"
        done.stdout.decode("utf-8")


@pytest.mark.parametrize("name", ["-x.jsonl", "--.jsonl"])
def test_a_leading_dash_is_a_name_behind_two_dashes(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(LINES)
    assert run("--", name).returncode in (0, 1)
    assert run(f"./{name}").returncode in (0, 1)


@pytest.mark.parametrize("change", ["grows", "shrinks", "another", "gone"])
def test_an_input_that_changes_while_it_is_read_is_told(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(LINES * 1000)

    def changing(stream: object, name: str, read: object = sources.read_blocks) -> object:
        for number, block in enumerate(read(stream, name)):  # type: ignore[operator]
            if number == 0:
                if change == "gone":
                    path.unlink(missing_ok=True)
                elif change == "another":
                    other = tmp_path / "other"
                    other.write_bytes(LINES * 1000)
                    other.replace(path)
                else:
                    os.truncate(path, len(LINES) * (900 if change == "shrinks" else 1100))
            yield block

    monkeypatch.setattr(sources, "read_blocks", changing)
    if change == "gone":
        with pytest.raises(ReadError, match="no such file"):
            ft.check(path, workers=1)
        return
    assert "IO118" in {finding.code for finding in ft.check(path, workers=1).findings}
