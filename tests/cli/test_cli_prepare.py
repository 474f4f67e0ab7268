"""`ftprep prepare`, `split` and `convert`: files, account, exit codes, and no waiting without a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import BROKEN, NO_SEPARATOR, NO_SPACE, Ran, animals, environment, jsonl

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    texts = {"good": animals(220), "bad": NO_SPACE, "worse": NO_SEPARATOR, "broken": BROKEN}
    for name, text in texts.items():
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def made(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_prepare_tells_all(cli: Cli, folder: Path) -> None:
    ran = cli("prepare", "worse.jsonl", "-o", "out")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("Wrote 55 training and 6 validation examples.")
    assert "  read 61 = written 61 + rejected 0 + skipped 0" in lines
    for text in ("SEP105 leading-space-missing  61 rows", "SEP101 separator-missing  61 rows", "--unsafe-fixes"):
        assert text in ran.out
    assert made(folder / "out") == [
        "worse_prepared.manifest.json",
        "worse_prepared_train.jsonl",
        "worse_prepared_valid.jsonl",
    ]


def test_unsafe_fixes_and_a_recipe_that_accepts(cli: Cli, folder: Path) -> None:
    (folder / "mine.toml").write_text('[fix]\naccept = ["SEP101"]\n', encoding="utf-8")
    assert cli("prepare", "worse.jsonl", "-o", "a", "--unsafe-fixes", "--output-format", "json").json["rows"] == {
        "read": 61,
        "written": 60,
        "rejected": 1,
        "skipped": 0,
        "examples": 60,
    }
    accepted = cli("prepare", "worse.jsonl", "-o", "b", "-y", "-r", "mine.toml", "--output-format", "json").json
    assert [m["code"] for m in accepted["mended"]] == ["SEP101", "SEP105"]
    assert [m["code"] for m in accepted["declined"]] == ["DUP101"]


def test_json_is_one_object(cli: Cli) -> None:
    told = cli("prepare", "broken.jsonl", "good.jsonl", "-o", "out", "--valid", "20", "--output-format", "json").json
    assert told["ok"] is True
    assert told["before"]["ok"] is False
    assert told["after"]["ok"] is True
    assert told["files"]["train"] == str(Path("out", "broken_prepared_train.jsonl"))
    assert told["split"]["train"] + told["split"]["valid"] == told["rows"]["examples"]
    assert sum(c["valid"] for c in told["split"]["classes"].values()) == told["split"]["valid"] == 20
    assert set(told) >= {"before", "after", "files", "rows", "mended", "split", "notes", "advice"}


def test_exit_codes(cli: Cli, folder: Path) -> None:
    assert cli("prepare", "bad.jsonl").code == 0
    again = cli("prepare", "bad.jsonl")
    assert again.code == 2
    assert "--force" in again.err
    assert cli("prepare", "bad.jsonl", "--force", "--fail-on", "warning").code == 0
    assert cli("prepare", "bad.jsonl", "--force", "--fail-on", "info").code == 1
    (folder / "empty.jsonl").write_text(jsonl({"prompt": "a ->"}), encoding="utf-8")
    nothing = cli("prepare", "empty.jsonl")
    assert nothing.code == 1
    assert nothing.out.startswith("Nothing to train on: 1 of 1 rows were set aside.")


def test_split_options(cli: Cli, folder: Path) -> None:
    def sizes(*arguments: str) -> list[int]:
        assert cli("prepare", "good.jsonl", "-o", "out", "--force", *arguments).code == 0
        return [len(p.read_text(encoding="utf-8").splitlines()) for p in sorted((folder / "out").glob("*.jsonl"))]

    assert sizes() == [198, 22]
    assert sizes("--valid", "25%") == [165, 55]
    assert sizes("--valid", "7") == [213, 7]
    assert sizes("--valid", "none") == [220]
    first = sizes("--seed", "1"), (folder / "out" / "good_prepared_valid.jsonl").read_bytes()
    second = sizes("--seed", "2"), (folder / "out" / "good_prepared_valid.jsonl").read_bytes()
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_names(cli: Cli, folder: Path) -> None:
    assert cli("prepare", "good.jsonl", "--name", "animals", "--valid", "none").code == 0
    assert (folder / "animals_prepared.jsonl").is_file()
    for name in ("../x", "a/b", ""):
        assert cli("prepare", "good.jsonl", "--name", name).code == 2


def test_quiet_tells_the_verdict_alone(cli: Cli) -> None:
    ran = cli("prepare", "good.jsonl", "-q", "--ignore", "SET,TOK")
    assert (ran.out, ran.err) == ("Wrote 198 training and 22 validation examples. Ready to train on.\n", "")


def test_without_a_terminal_it_never_waits(folder: Path) -> None:
    command = [sys.executable, "-m", "ftprep", "prepare", "worse.jsonl", "-o", "out"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.wait(60) == 0  # though stdin stays open


def test_split_keeps_lines_as_they_are(cli: Cli, folder: Path) -> None:
    assert cli("split", "bad.jsonl", "-o", "out", "--valid", "10").code == 0
    sides = [(folder / "out" / f"bad_{side}.jsonl").read_text(encoding="utf-8") for side in ("train", "valid")]
    assert [side.count("\n") for side in sides] == [50, 10]
    assert sorted("".join(sides).splitlines()) == sorted(NO_SPACE.splitlines())


def test_convert_there_and_back(cli: Cli, folder: Path) -> None:
    ran = cli("convert", "good.jsonl", "--to", "chat", "-o", "chat.jsonl", "--system", "Fur or not?")
    assert ran.code == 0
    first = json.loads((folder / "chat.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [m["content"] for m in first["messages"]] == ["Fur or not?", "otter no. 0", "fur"]
    assert cli("convert", "chat.jsonl", "--to", "completion", "-o", "back.jsonl").code == 0
    assert set(json.loads((folder / "back.jsonl").read_text(encoding="utf-8").splitlines()[0])) == {
        "prompt",
        "completion",
    }
    assert cli("convert", "chat.jsonl", "--to", "completion", "-o", "back.jsonl").code == 2
    assert cli("convert", "chat.jsonl", "--to", "dpo", "-o", "x.jsonl").code == 2
    assert cli("convert", "chat.jsonl", "-o", "same.jsonl").code == 0
    assert (folder / "same.jsonl").read_bytes() == (folder / "chat.jsonl").read_bytes()
    ran = cli("convert", "chat.jsonl", "-o", "x.parquet", "--system", "Fur or not?")
    assert (ran.code, ran.err.splitlines()[0]) == (2, "error: a system message has its place in conversations only")


@pytest.mark.parametrize("option", ["--nope", "--val", "--unsafe"])
def test_an_unknown_option_names_the_nearest(cli: Cli, option: str) -> None:
    ran = cli("prepare", "good.jsonl", option)
    assert ran.code == 2
    assert ran.err.startswith(f"error: ftprep prepare has no option {option}\n  ")
