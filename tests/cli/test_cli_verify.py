"""`ftprep verify`: exit codes, text, JSON, and what only --quiet leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import BROKEN, Ran, animals, compare

from ftprep.version import __version__

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]
MANIFEST = "out/set_prepared.manifest.json"


@pytest.fixture(autouse=True)
def _files(cli: Cli, folder: Path) -> None:
    (folder / "set.jsonl").write_text(animals(220) + BROKEN, encoding="utf-8")
    (folder / "few.jsonl").write_text(animals(20), encoding="utf-8")
    cli("prepare", "set.jsonl", "-o", "out")
    cli("prepare", "few.jsonl", "-o", "out")


def test_whole(cli: Cli) -> None:
    ran = cli("verify", MANIFEST, "out/few_prepared.manifest.json")
    assert (ran.code, ran.err) == (0, "")
    compare("verify_whole.txt", ran.out.replace(__version__, "VERSION"))
    assert cli("verify", MANIFEST, "-q") == Ran(0, "", "")
    assert cli("verify", MANIFEST, "--output-format", "json").json["whole"] is True


def harmed(folder: Path) -> None:
    (folder / "out/set_prepared_train.jsonl").write_bytes(b"{}\n")
    (folder / "out/set_prepared_valid.jsonl").unlink()
    (folder / "set.jsonl").write_text(animals(5), encoding="utf-8")


def test_not_whole(cli: Cli, folder: Path) -> None:
    harmed(folder)
    ran = cli("verify", "out/few_prepared.manifest.json", MANIFEST)
    assert (ran.code, ran.err) == (1, "")
    compare("verify_not_whole.txt", ran.out.replace(__version__, "VERSION"))
    assert cli("verify", MANIFEST, "-q").out.splitlines() == [
        f"{MANIFEST}: set_prepared_train.jsonl: 3 bytes, the manifest says 10,495",
        f"{MANIFEST}: set_prepared_valid.jsonl: missing",
    ]
    assert "\x1b[31mnot whole\x1b[0m" in cli("verify", MANIFEST, "--color", "always").out


def test_json(cli: Cli, folder: Path) -> None:
    harmed(folder)
    ran = cli("verify", MANIFEST, "--output-format", "json")
    assert ran.code == 1
    compare("verify_not_whole.json", ran.out.replace(__version__, "VERSION"))


def test_one_that_cannot_be_read_does_not_hide_the_others(cli: Cli, folder: Path) -> None:
    (folder / "x.json").write_text("{", encoding="utf-8")
    ran = cli("verify", "x.json", MANIFEST, "none.json")
    assert ran.code == 2
    assert ran.out.startswith(f"{MANIFEST}: whole")
    assert [line for line in ran.err.splitlines() if line.startswith("error: ")] == [
        "error: x.json is no manifest of ftprep",
        "error: cannot read none.json: No such file or directory",
    ]
    assert cli("verify").code == 2


def test_names_do_not_drive_a_terminal(cli: Cli, folder: Path) -> None:
    path = folder / MANIFEST
    text = path.read_text(encoding="utf-8").replace("set_prepared_valid", "\\u001b[31m\\u202e")
    path.write_text(text, encoding="utf-8")
    ran = cli("verify", MANIFEST)
    assert ran.code == 1
    assert "  \\x1b[31m\\u202e.jsonl  " in ran.out
    assert "\x1b" not in ran.out
