"""`ftprep check`: exit codes, formats, and where things are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import BROKEN, NO_SPACE, Ran, animals

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    texts = {"good": animals(220), "warned": NO_SPACE, "broken": BROKEN}
    for name, text in texts.items():
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("good.jsonl",), 0),
        (("warned.jsonl",), 0),
        (("warned.jsonl", "--fail-on", "warning"), 1),
        (("warned.jsonl", "--fail-on", "warning", "--exit-zero"), 0),
        (("warned.jsonl", "--fail-on", "warning", "--ignore", "SEP105"), 0),
        (("warned.jsonl", "--fail-on", "info", "--select", "DUP"), 0),
        (("broken.jsonl",), 1),
        (("broken.jsonl", "--fail-on", "never"), 0),
        (("good.jsonl", "broken.jsonl"), 1),
        ((".",), 1),
        (("b*.jsonl",), 1),
        (("missing.jsonl",), 2),
        (("good.jsonl", "missing.jsonl"), 2),
        (("good.jsonl", "--select", "NOPE"), 2),
        (("good.jsonl", "--workers", "0"), 2),
        (("good.jsonl", "--recipe", "nope"), 2),
        (("good.jsonl", "--model", "nope"), 2),
        (("good.jsonl", "--stdin-filename", "x"), 2),
        (("good.jsonl", "--unsafe-fixes"), 2),
    ],
)
def test_exit_codes(cli: Cli, arguments: tuple[str, ...], code: int) -> None:
    ran = cli("check", *arguments)
    assert ran.code == code, ran.err
    assert ran.err.startswith("error: ") == (code == 2)
    assert bool(ran.out) == (code != 2)


def test_nothing_is_written(cli: Cli, folder: Path) -> None:
    before = {p: p.read_bytes() for p in folder.iterdir()}
    cli("check", ".", "--output-format", "json")
    assert {p: p.read_bytes() for p in folder.iterdir()} == before


def test_formats(cli: Cli) -> None:
    assert cli("check", "broken.jsonl", "--output-format", "json").json["summary"]["errors"] == 2
    lines = cli("check", "broken.jsonl", "--output-format", "json-lines").out.splitlines()
    assert {json.loads(line)["filename"] for line in lines} == {"broken.jsonl"}
    assert "broken.jsonl:6:" in cli("check", "broken.jsonl", "--output-format", "concise").out
    assert "::error title=" in cli("check", "broken.jsonl", "--output-format", "github").out
    assert cli("check", "broken.jsonl").out.startswith("2 errors")


def test_the_format_may_come_from_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTPREP_OUTPUT_FORMAT", "json")
    assert cli("check", "broken.jsonl").json["ok"] is False
    assert cli("check", "broken.jsonl", "--output-format", "full").out.startswith("2 errors")
    assert "json" not in cli("prepare", "good.jsonl", "-o", "out", "-q").err


def test_a_file_for_the_report(cli: Cli, folder: Path) -> None:
    ran = cli("check", "broken.jsonl", "--output-format", "json", "-o", "new/report.json")
    assert (ran.code, ran.out, ran.err) == (1, "", "wrote new/report.json\n")
    assert json.loads((folder / "new" / "report.json").read_text(encoding="utf-8"))["ok"] is False
    assert cli("check", "broken.jsonl", "-o", "new/report.json", "-q", "--color", "always").err == ""
    assert "\x1b" not in (folder / "new" / "report.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["broken.jsonl", "."])
def test_a_report_never_replaces_an_input(cli: Cli, folder: Path, path: str) -> None:
    ran = cli("check", path, "-o", "broken.jsonl")
    assert (ran.code, ran.out) == (2, "")
    assert "broken.jsonl is an input" in ran.err
    assert (folder / "broken.jsonl").read_text(encoding="utf-8") == BROKEN


def test_statistics_and_bounds(cli: Cli) -> None:
    assert "60  SEP105  leading-space-missing" in cli("check", "warned.jsonl", "--statistics").out
    report = cli("check", "warned.jsonl", "--max-findings", "2", "--output-format", "json").json
    count = next(r for r in report["rules"] if r["code"] == "SEP105")
    assert (count["count"], count["shown"]) == (60, 2)
    assert sum(f["code"] == "SEP105" for f in report["findings"]) == 2


def test_quiet_and_verbose(cli: Cli, folder: Path) -> None:
    assert cli("check", "good.jsonl", "-q", "--ignore", "SET").out == ""
    assert cli("check", "broken.jsonl", "-q").out == cli("check", "broken.jsonl", "--output-format", "concise").out
    (folder / "ftprep.toml").write_text('task = "generation"\n', encoding="utf-8")
    told = cli("check", "good.jsonl", "-v").err
    assert str(folder / "ftprep.toml") in told
    assert "took " in told


def test_options_reach_the_library(cli: Cli, folder: Path) -> None:
    (folder / "t.csv").write_bytes("text;label\n猫;a\n狗;b\n".encode("gb18030"))
    ran = cli(
        *("check", "t.csv", "--encoding", "gb18030", "--delimiter", ";", "--prompt-column", "text"),
        *("--completion-column", "label", "--token-encoding", "cl100k_base", "--output-format", "json"),
    )
    report = ran.json
    assert report["dataset"]["examples"] == 2
    assert report["inputs"][0]["encoding"] == "gb18030"
    assert report["tokens"]["encoding"] == "cl100k_base"


def test_workers_change_nothing_of_the_report(cli: Cli) -> None:
    one = cli("check", "good.jsonl", "broken.jsonl", "--output-format", "json")
    assert cli("check", "good.jsonl", "broken.jsonl", "--output-format", "json", "--workers", "2") == one
