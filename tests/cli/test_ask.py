"""The questions that `prepare` asks on a terminal: each answer, a wrong one, the end of answers, an interruption."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from cli_runs import NO_SEPARATOR, environment

pexpect = pytest.importorskip("pexpect")
if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

QUESTION = r"Make this change\? \[y/n/all/none/quit\] "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set.jsonl").write_text(NO_SEPARATOR, encoding="utf-8")
    return tmp_path


def spawn(folder: Path, *arguments: str, **env: str) -> Any:
    return pexpect.spawn(
        sys.executable,
        ["-m", "ftprep", "prepare", "set.jsonl", *arguments],
        cwd=str(folder),
        env=environment(**env),
        encoding="utf-8",
        timeout=30,
        dimensions=(50, 100),
    )


def end(child: Any) -> tuple[int, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before.replace("\r\n", "\n")


def mended(told: str) -> str:
    """The codes under "What was mended", and of the duplicates that are set aside."""
    return "".join(code[0] for code in ("DUP101", "SEP101") if f"  {code} " in told.partition("left as it is")[0])


@pytest.mark.parametrize(
    ("answers", "made"),
    [
        (("y", "n"), "D"),
        (("n", "y"), "S"),
        (("no", "Yes"), "S"),
        (("all",), "DS"),
        (("n", " ALL "), "S"),
        (("none",), ""),
        (("y", "none"), "D"),
        (("", "maybe", "y", "n"), "D"),
    ],
)
def test_answers(folder: Path, answers: tuple[str, ...], made: str) -> None:
    child = spawn(folder)
    for answer in answers:
        child.expect(QUESTION)
        child.sendline(answer)
    code, told = end(child)
    assert code == 0
    assert mended(told) == made
    assert (folder / "set_prepared_train.jsonl").is_file()


def test_a_wrong_answer_is_explained_and_asked_again(folder: Path) -> None:
    child = spawn(folder)
    child.expect("DUP101 exact-duplicate, 1 row")
    child.expect(QUESTION)
    child.sendline("maybe")
    child.expect("stop here; nothing is written")
    child.expect(QUESTION)
    child.sendline("q")
    code, told = end(child)
    assert (code, told.strip().splitlines()[-1]) == (2, "stopped: nothing was written")
    assert [p.name for p in folder.iterdir()] == ["set.jsonl"]


def test_the_end_of_answers_means_none(folder: Path) -> None:
    child = spawn(folder)
    child.expect(QUESTION)
    child.sendeof()
    code, told = end(child)
    assert code == 0
    assert "no more answers" in told
    assert mended(told) == ""


def test_an_interruption_writes_nothing(folder: Path) -> None:
    child = spawn(folder)
    child.expect(QUESTION)
    child.sendintr()
    code, told = end(child)
    assert code == 130
    assert told.endswith("\ninterrupted; nothing was written\n")
    assert "Traceback" not in told
    assert [p.name for p in folder.iterdir()] == ["set.jsonl"]


@pytest.mark.parametrize("option", ["-y", "--unsafe-fixes"])
def test_nothing_is_asked_when_the_answer_is_given(folder: Path, option: str) -> None:
    code, told = end(spawn(folder, option))
    assert code == 0
    assert "Make this change" not in told
    assert mended(told) == ("" if option == "-y" else "DS")


@pytest.mark.parametrize(("env", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_on_a_terminal(folder: Path, env: dict[str, str], colored: bool) -> None:
    child = spawn(folder, **env)
    child.expect(QUESTION)
    asked = child.before
    child.sendline("none")
    assert ("\x1b[" in end(child)[1]) == ("\x1b[1m" in asked) == colored
