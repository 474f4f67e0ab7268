"""`ftprep fix` and `check --fix`: what is mended, what is shown, and the diff."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import BROKEN, NO_SEPARATOR, NO_SPACE, Ran, animals

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    texts = {"good": animals(220), "bad": NO_SPACE, "worse": NO_SEPARATOR, "broken": NO_SPACE + BROKEN}
    for name, text in texts.items():
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("command", [("fix",), ("check", "--fix")])
def test_mends_and_tells(cli: Cli, folder: Path, command: tuple[str, ...]) -> None:
    ran = cli(*command, "bad.jsonl")
    assert ran.code == 0
    assert ran.out.startswith("Mended bad.jsonl: 60 lines\n  SEP105 leading-space-missing: 60 rows\n\n")
    assert '" fur"' in (folder / "bad.jsonl").read_text(encoding="utf-8")
    again = cli(*command, "bad.jsonl", "--exit-non-zero-on-fix")
    assert again.code == 0
    assert again.out.startswith("Nothing was mended.\n")


def test_exit_codes(cli: Cli) -> None:
    assert cli("fix", "broken.jsonl").code == 1
    assert cli("fix", "broken.jsonl", "--exit-zero").code == 0
    assert cli("fix", "bad.jsonl", "--exit-non-zero-on-fix").code == 1
    assert cli("fix", "-").code == 2
    assert cli("fix", "missing.jsonl").code == 2


def test_the_findings_stay_alone_on_stdout_in_other_formats(cli: Cli) -> None:
    ran = cli("fix", "broken.jsonl", "--output-format", "json")
    assert ran.json["summary"]["errors"] == 2
    assert ran.err.startswith("Mended broken.jsonl: 60 lines\n")


def test_unsafe_fixes_only_when_asked(cli: Cli, folder: Path) -> None:
    cli("fix", "worse.jsonl")
    assert len((folder / "worse.jsonl").read_text(encoding="utf-8").splitlines()) == 61
    ran = cli("fix", "worse.jsonl", "--unsafe-fixes", "-q")
    lines = (folder / "worse.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 60
    assert '->"' in lines[0]
    assert ran.err == ""


@pytest.mark.parametrize("command", [("fix", "--diff"), ("check", "--diff"), ("check", "--fix", "--diff")])
def test_a_diff_writes_nothing(cli: Cli, folder: Path, command: tuple[str, ...]) -> None:
    ran = cli(*command, "bad.jsonl", "good.jsonl", "--max-findings", "1")
    assert ran.code == 1
    assert ran.out.startswith("--- bad.jsonl\n+++ bad.jsonl\n@@ -1 +1 @@\n-{")
    assert ran.err == "60 lines in 1 file would change\n"
    assert (folder / "bad.jsonl").read_text(encoding="utf-8") == NO_SPACE
    clean = cli(*command, "good.jsonl")
    assert (clean.code, clean.out, clean.err) == (0, "", "nothing would change\n")


@pytest.mark.skipif(not shutil.which("patch"), reason="no patch program")
def test_a_diff_can_be_applied(cli: Cli, folder: Path) -> None:
    (folder / "worse.jsonl").write_text(NO_SEPARATOR.replace("otter", "水獺\\u001b[31m"), encoding="utf-8")
    shutil.copy("worse.jsonl", "copy.jsonl")
    assert cli("fix", "--diff", "--unsafe-fixes", "worse.jsonl", "-o", "changes.diff").out == ""
    subprocess.run(["patch", "-s", "copy.jsonl", "changes.diff"], check=True)
    cli("fix", "--unsafe-fixes", "worse.jsonl")
    assert (folder / "copy.jsonl").read_bytes() == (folder / "worse.jsonl").read_bytes()


def test_other_formats_are_refused(cli: Cli, folder: Path) -> None:
    (folder / "a.csv").write_text("prompt,completion\na,b\n", encoding="utf-8")
    ran = cli("fix", "a.csv")
    assert ran.code == 2
    assert "ftprep prepare a.csv" in ran.err


def test_what_was_is_kept_when_asked(cli: Cli, folder: Path) -> None:
    ran = cli("fix", "bad.jsonl", "good.jsonl", "--backup")
    assert ran.code == 0
    assert ran.out.startswith("Mended bad.jsonl: 60 lines; as it was: bad.jsonl.bak\n")
    assert (folder / "bad.jsonl.bak").read_text(encoding="utf-8") == NO_SPACE
    assert not (folder / "good.jsonl.bak").exists()
    refused = cli("check", "bad.jsonl", "--backup")
    assert (refused.code, refused.err.splitlines()[0]) == (
        2,
        "error: --backup says how to mend, but nothing is to be mended",
    )
