"""What a user asked for, as the library takes it: only what was given is handed on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli.kinds import Option
from ftprep.cli.terminal import Terminal
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.readers.base import Options
    from ftprep.recipe import Recipe

STDIN = "-"

RUNNING = ("workers", "executor", "address")
"""Options that are handed on under their own names."""


@dataclass(frozen=True)
class Request:
    """One command's arguments: `overrides` are keys of a recipe, `reading` what is said of the inputs, `running` of
    who does the work."""

    paths: list[str]
    recipe: str | None
    overrides: dict[str, Any]
    reading: dict[str, Any]
    running: dict[str, Any]
    stdin_name: str
    terminal: Terminal
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, context: click.Context) -> Request:
        """The request in a context's parameters; raises UsageError for options that do not go together."""
        given = context.params
        overrides: dict[str, Any] = {}
        reading: dict[str, Any] = {}
        for option in context.command.params:
            value = given.get(option.name or "")
            if value is None or not isinstance(option, Option):
                continue
            if option.key:
                *tables, key = option.key.split(".")
                place = overrides
                for table in tables:
                    place = place.setdefault(table, {})
                place[key] = value
            elif option.reads:
                reading[option.reads] = value
        paths, name = list(given.get("paths", ())), given.get("stdin_filename") or ""
        if name and STDIN not in paths:
            message = "--stdin-filename names standard input, which is not read"
            raise UsageError(message, "give - as a PATH to read it")
        running: dict[str, Any] = {key: given[key] for key in RUNNING if key in given}
        return cls(paths, given.get("recipe"), overrides, reading, running, name, Terminal.of(given))

    @property
    def options(self) -> Options:
        """What is said of the inputs."""
        from ftprep.readers.base import Options

        return Options(**self.reading, stdin_name=self.stdin_name)

    def settings(self) -> Recipe:
        """The recipe that holds."""
        from ftprep.pipeline import settings

        return settings(self.recipe, **self.overrides)

    def log(self) -> None:
        """Tell, where that is asked for, which settings held and how long it took."""
        from ftprep.recipe import project_settings
        from ftprep.views.plain import safe

        if self.terminal.verbose:
            _, origin = project_settings(Path.cwd())
            self.terminal.log(f"settings: {safe(origin) or 'no ftprep.toml, no [tool.ftprep] in a pyproject.toml'}")
            self.terminal.log(f"recipe: {safe(self.recipe or 'none named')}")
            self.terminal.log(f"took {time.monotonic() - self.started:.2f} s")
