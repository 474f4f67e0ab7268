"""Where output goes: results to stdout, all else to stderr; colour, width and progress are settled here, once."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from ftprep.cli.outcomes import OutputError, is_closed_pipe, silence

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WIDEST = 120
"""Columns; longer lines are hard to read."""

PIPE_WIDTH = 100
"""Columns where the output is no terminal and COLUMNS does not say otherwise."""

BAR_AFTER = 0.5
"""Seconds before a progress bar shows: most runs are over by then, and need not load what draws it."""

DRAWN_EVERY = 0.1
"""Seconds between two drawings of it."""


def wants_color(choice: str, stream: IO[str] | None) -> bool:
    """Whether to write colours: as said, else by NO_COLOR, FORCE_COLOR and TERM, else on a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR", "")
    if forced:
        return forced != "0"
    return os.environ.get("TERM") != "dumb" and is_terminal(stream)


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal; a closed one is not."""
    with suppress(ValueError):
        return stream is not None and stream.isatty()
    return False


def to_json(value: Any) -> str:
    """A value as indented JSON in which nothing drives a terminal or a CI, and which reads back as the same."""
    from ftprep.views.plain import HIDDEN

    text = json.dumps(value, ensure_ascii=False, indent=2)
    shown = HIDDEN.sub(lambda m: m[0] if m[0] == "\n" else json.dumps(m[0])[1:-1], text)
    return shown.replace("##[", "#\\u0023[") + "\n"


@dataclass(frozen=True)
class Terminal:
    """How one run shows itself. `color` and `width` are those of stdout, `color_aside` is for stderr."""

    quiet: bool = False
    verbose: bool = False
    color: bool = False
    color_aside: bool = False
    bar: bool = False

    @classmethod
    def of(cls, given: dict[str, Any]) -> Terminal:
        """The terminal that the options and the surroundings make."""
        quiet = bool(given.get("quiet"))
        shows = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        choice = given.get("color", "auto")
        return cls(
            quiet=quiet,
            verbose=bool(given.get("verbose")) and not quiet,
            color=wants_color(choice, sys.stdout),
            color_aside=wants_color(choice, sys.stderr),
            bar=shows and not quiet and not given.get("no_progress"),
        )

    @property
    def width(self) -> int:
        """Columns to write in."""
        return min(shutil.get_terminal_size((PIPE_WIDTH, 24)).columns, WIDEST)

    @property
    def blocks(self) -> bool:
        """Whether stdout can show block characters."""
        return (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "").startswith("utf")

    def out(self, text: str) -> None:
        """Write a result. A reader that has gone is no trouble; a full disk is: OutputError."""
        try:
            click.echo(text, file=sys.stdout, nl=False, color=self.color)
        except OSError as error:
            silence(sys.stdout)
            if not is_closed_pipe(error):
                message = f"cannot write to standard output: {error.strerror or error}"
                raise OutputError(message) from None

    def note(self, line: str) -> None:
        """Say something beside the result, unless quiet; `line` is safe already."""
        if not self.quiet:
            from ftprep.views.plain import finish

            with suppress(OSError, ValueError):
                click.echo(finish([line]), file=sys.stderr, nl=False)

    def log(self, line: str) -> None:
        """Say something that only --verbose asks for; `line` is safe already."""
        if self.verbose:
            self.note(line)

    @contextmanager
    def progress(self, what: str) -> Iterator[Bar | None]:
        """A progress bar for the time of a run, None where none is wanted."""
        if not self.bar:
            yield None
            return
        bar = Bar(what, self.color_aside)
        try:
            yield bar
        finally:
            bar.hide()


class Bar:
    """A progress bar on stderr in bytes; called with what is done and what there is, as the library calls it."""

    def __init__(self, what: str, color: bool) -> None:
        self._what = what
        self._color = color
        self._since = time.monotonic()
        self._drawn = 0.0
        self._shown: tuple[Progress, TaskID] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show how far it is; a total of 0 is not known."""
        if self._shown is None:
            if time.monotonic() - self._since < BAR_AFTER:
                return
            self._shown = self._start()
        progress, task = self._shown
        # Compressed files and workbooks give more than their size.
        progress.update(task, completed=done, total=total if done <= total else None)
        if time.monotonic() - self._drawn > DRAWN_EVERY:
            self._drawn = time.monotonic()
            progress.refresh()

    def hide(self) -> None:
        """Take the bar away, so that something else can be said; it comes back by itself."""
        if self._shown is not None:
            self._shown[0].stop()
            self._shown = None

    def _start(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(file=sys.stderr, no_color=not self._color)
        words = TextColumn("{task.description}", markup=False)
        columns = (words, BarColumn(), DownloadColumn(), TimeElapsedColumn())
        # Drawn as results come in, not by a thread of its own: workers can be forked from a process of one thread only.
        progress = Progress(*columns, console=console, transient=True, auto_refresh=False)
        progress.start()
        return progress, progress.add_task(self._what, total=None)
