"""Following a job on the terminal: a line that moves while it runs, its news above it, and the curve at the end."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Literal, cast

import click

from ftprep.cli.outcomes import CLEAN, FAILED, FOUND, INTERRUPTED
from ftprep.cli.terminal import Terminal
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.jobs.api import Found
    from ftprep.jobs.model import Event, Job
    from ftprep.jobs.watch import News


class Line:
    """One line on stderr that is drawn anew, only on a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal, self._drawn = terminal, False

    def draw(self, text: str) -> None:
        """Show the text in the place of what was there."""
        if self._terminal.bar:
            from ftprep.views.plain import cut

            click.echo(f"\r\x1b[2K{cut(text, self._terminal.width - 1)}", file=sys.stderr, nl=False)
            self._drawn = True

    def clear(self) -> None:
        """Take it away."""
        if self._drawn:
            click.echo("\r\x1b[2K", file=sys.stderr, nl=False)
            self._drawn = False


class Screen:
    """What is shown of the news."""

    def __init__(self, terminal: Terminal, as_lines: bool) -> None:
        self._terminal, self._as_lines, self._line = terminal, as_lines, Line(terminal)
        self.job: Job | None = None
        self.events: list[Event] = []

    def show(self, news: News) -> None:
        """Show one piece."""
        from ftprep.jobs.telling import line_of

        if news.kind == "status":
            self.job = news.job
        if news.event:
            self.events.append(news.event)
        self._line.clear()
        if self._as_lines:
            self._terminal.out(json.dumps(news.to_dict(), ensure_ascii=True) + "\n")
        elif news.kind == "network":
            self._terminal.note(line_of(news))
        elif not (self._terminal.bar and news.event and news.event.data.get("step")):
            self._terminal.out(line_of(news) + "\n")
        self._line.draw(self._now())

    def _now(self) -> str:
        from ftprep.jobs.plot import spark
        from ftprep.jobs.telling import figures
        from ftprep.jobs.watch import points

        rows = points(self.events)
        if not rows or self.job is None:
            return self.job.status if self.job else ""
        last = rows[-1]
        total = last.get("total_steps")
        steps = f"step {last['step']:g}" + (f" of {total:g}" if total else "")
        done = f"{_bar(last['step'] / total, self._terminal.blocks)} " if total else ""
        curve = spark([row["train_loss"] for row in rows if "train_loss" in row], 24, self._terminal.blocks)
        return f"{self.job.status} {done}{steps}, {figures(last)} {curve}"

    def end(self) -> None:
        """Take the line away."""
        self._line.clear()


def _bar(share: float, blocks: bool, width: int = 16) -> str:
    full = max(0, min(width, round(share * width)))
    return ("█" if blocks else "#") * full + ("░" if blocks else ".") * (width - full)


def watch_on(
    found: Found, terminal: Terminal, as_lines: bool = False, timeout: float | None = None, every: float = 5.0
) -> int:
    """Follow a job to its end; the exit code."""
    from ftprep.jobs.api import news
    from ftprep.jobs.watch import Watching

    screen = Screen(terminal, as_lines)
    try:
        for each in news(found, Watching(first=every, longest=max(60.0, every), timeout=timeout)):
            screen.show(each)
    except KeyboardInterrupt:
        screen.end()
        click.echo(f"\nthe job goes on; `{again(found)}` follows it again", err=True)
        return INTERRUPTED
    finally:
        screen.end()
    job = screen.job
    if job is None or not job.done:
        terminal.note(f"the time is up, the job goes on; `{again(found)}` follows it again")
        return FAILED
    if not as_lines:
        _ending(found, job, terminal)
    return CLEAN if job.status == "succeeded" else FOUND


def again(found: Found) -> str:
    """The command that goes on with a job."""
    provider = "" if found.entry else f" --provider {found.provider.can.name}"
    return f"ftprep jobs watch {found.id}{provider}"


def _ending(found: Found, job: Job, terminal: Terminal) -> None:
    from ftprep.cli.job_views import curve_lines
    from ftprep.jobs.watch import Seen, points

    if found.entry is not None:
        rows = points(Seen(found.ledger.beside(found.entry, "events.jsonl")).events)
        for line in curve_lines(rows, terminal.blocks):
            terminal.out(line + "\n")
    if job.status == "succeeded":
        terminal.note(f"`ftprep jobs results {job.id}` fetches the figures; a new model may need minutes to load")


def all_events(found: Found) -> list[Event]:
    """All events of a job, oldest first."""
    from ftprep.jobs.patience import patiently
    from ftprep.jobs.submit import Ways

    if not found.provider.can.events:
        message = f"{found.provider.can.title} tells no events"
        raise UsageError(message, "`ftprep jobs get` tells how far a job is")
    pages = patiently(lambda: list(found.provider.events(found.id)), Ways().sleep, lambda _line: None)
    return [event for page in reversed(pages) for event in reversed(page)]


def change(found: Found, what: str) -> Job:
    """Cancel, pause or resume: asked once, and looked at after an unclear answer."""
    from ftprep.jobs.api import get
    from ftprep.jobs.trouble import Unclear

    can = found.provider.can
    able = {"cancel": True, "pause": can.pause, "resume": can.pause or can.resume}[what]
    if not able:
        message = f"{can.title} cannot {what} a job"
        raise UsageError(message, "it can cancel one")
    try:
        job = found.provider.change(found.id, cast("Literal['cancel', 'pause', 'resume']", what))
    except Unclear:
        return get(found)
    if found.entry is not None:
        found.ledger.save(found.entry.seen(job).noted(what))
    return job
