"""The commands that docs/jobs.md and docs/sandbox.md give can be given: commands and options exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ftprep.cli.commands import cli as program

DOCS = Path(__file__).resolve().parents[2] / "docs"


def commands() -> Iterator[str]:
    for page in ("jobs.md", "sandbox.md"):
        for block in re.findall(r"```(?:console|yaml)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                if found := re.match(r"\s*(?:\$ )?ftprep (.*?)(?:\s#.*|\s&)?$", line):
                    yield found[1]


def arguments(line: str) -> Iterator[list[str]]:
    """The words of a command; `get | events JOB` stands for one of each."""
    head, *others = line.split(" | ")
    words = shlex.split(head.replace("[JOB]", "JOB"))
    yield list(words)
    for other in others:
        yield [*words[:-1], *shlex.split(other.replace("[JOB]", "JOB"))]


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_a_command_of_the_documents_exists(line: str) -> None:
    for words in arguments(line):
        command: click.Command = program
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        with click.Context(command) as context:
            command.make_parser(context).parse_args(words)


def test_there_are_some() -> None:
    assert len(set(commands())) > 12
