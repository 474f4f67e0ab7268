"""How runs end: each kind of trouble has its exit code and one or two lines, never a traceback unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import Ran, animals

from ftprep.errors import ReadError

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _file(folder: Path) -> None:
    (folder / "a.jsonl").write_text(animals(), encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("chek",), "ftprep has no command 'chek'", "did you mean check?"),
        (("config", "shwo"), "ftprep config has no command 'shwo'", "did you mean show?"),
        (("xyz",), "ftprep has no command 'xyz'", "`ftprep --help`"),
        (("--fix",), "ftprep has no option --fix", "`ftprep --help`"),
        (("check", "a.jsonl", "--statistic"), "ftprep check has no option --statistic", "did you mean --statistics?"),
        (("check",), "ftprep check needs PATH...", "`ftprep check --help`"),
        (("check", "a.jsonl", "--task", "x"), "--task: 'x' is not one of", "`ftprep check --help`"),
        (("check", "a.jsonl", "--token-limit", "0"), "--token-limit: 0 is not in the range", "`ftprep check --help`"),
        (("check", "b.jsonl"), "no such file: b.jsonl", "did you mean a.jsonl?"),
        (("rule", "seperator-missing"), "no rule is called 'seperator-missing'", "did you mean separator-missing?"),
        (("rule", "SEP105", "--all"), "ftprep rule takes a name or --all", "one of them"),
    ],
)
def test_wrong_use(cli: Cli, arguments: tuple[str, ...], message: str, hint: str) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert first.startswith(f"error: {message}")
    assert second.startswith("  ")
    assert hint in second


def test_without_a_command_there_is_help(cli: Cli) -> None:
    for arguments in ((), ("config",)):
        ran = cli(*arguments)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("Usage: ftprep")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ReadError("no such file: x", "look again"), 2, "error: no such file: x\n  look again\n"),
        (ReadError("odd \x1b[31m name"), 2, "error: odd \\x1b[31m name\n"),
        (MemoryError(), 2, "error: there is not enough memory for this\n  try fewer --workers, or the set in parts\n"),
        (
            PermissionError(13, "Permission denied", "x"),
            2,
            "error: x: Permission denied\n  run again with --debug for the traceback\n",
        ),
        (
            ValueError("odd\nvalue"),
            3,
            "error: this is a bug in ftprep: ValueError: odd value\n  run again with --debug for the traceback\n",
        ),
        (KeyboardInterrupt(), 130, "\ninterrupted; nothing was written\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_what_can_happen(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, told: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("ftprep.pipeline.check", fail)
    ran = cli("check", "a.jsonl")
    assert (ran.code, ran.out, ran.err) == (code, "", told)


@pytest.mark.parametrize("arguments", [("--debug", "check", "a.jsonl"), ("check", "a.jsonl", "--debug")])
def test_debug_shows_the_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("odd \x1b value")

    monkeypatch.setattr("ftprep.pipeline.check", fail)
    ran = cli(*arguments)
    assert ran.code == 3
    assert ran.err.startswith("Traceback (most recent call last):\n")
    assert "in fail" in ran.err
    assert "\x1b" not in ran.err


def test_an_interruption_after_writing_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ftprep.views.prepared.summary", interrupt)
    ran = cli("prepare", "a.jsonl", "-o", "out")
    assert (ran.code, ran.err) == (130, "\ninterrupted; the files had been written\n")
    assert (folder / "out" / "a_prepared_train.jsonl").is_file()


def test_the_version(cli: Cli) -> None:
    from ftprep import __version__

    for arguments in (("--version",), ("--debug", "--version")):
        assert cli(*arguments) == Ran(0, f"ftprep {__version__}\n", "")
