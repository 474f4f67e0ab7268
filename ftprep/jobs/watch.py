"""Following a job to its end: from the ledger alone, through breaks of the network, and telling nothing twice."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ftprep.disk import told
from ftprep.jobs.ledger import Entry, Ledger
from ftprep.jobs.model import Event, Job, Provider
from ftprep.jobs.trouble import PASSING, ProviderError, Throttled
from ftprep.redaction import without_keys

FIRST, LONGEST = 5.0, 60.0
"""Seconds between two looks at a job: at first, and at most."""

PAGES = 50
"""Pages of events that one look goes back."""


@dataclass(frozen=True)
class News:
    """Something to tell: a new status, an event, trouble with the network, or that it goes on."""

    kind: Literal["status", "event", "network"]
    job: Job | None = None
    event: Event | None = None
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The news as JSON values."""
        said: dict[str, Any] = {"type": self.kind}
        said |= {"job": self.job.to_dict()} if self.kind == "status" and self.job else {}
        said |= self.event.to_dict() if self.event else {}
        return said | ({"message": self.message} if self.message else {})


class Seen:
    """The events that were told, each on disk just before it is. Those that say the same of one second are one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.events: list[Event] = []
        self._known: set[str] = set()
        if path is not None:
            with suppress(OSError):
                self._take(path.read_bytes())

    def _take(self, data: bytes) -> None:
        for line in data.split(b"\n"):
            with suppress(ValueError, TypeError, KeyError):  # the last line of a run that was killed
                said = json.loads(line)
                event = Event(said["created"], said["level"], said["message"], said["data"])
                self.events.append(event)
                self._known.add(event.content())

    def new_of(self, pages: Iterator[list[Event]]) -> list[Event]:
        """Those of the pages (newest first) that were not told, oldest first."""
        found: dict[str, Event] = {}
        for number, page in enumerate(pages):
            fresh = {key: event for event in page if (key := event.content()) not in self._known and key not in found}
            found |= fresh
            if not fresh or number >= PAGES:
                break
        # The order of pages is not sure; turned round first, so that those of one second keep theirs.
        told = list(found.values())
        told.reverse()
        told.sort(key=lambda event: event.created)
        return told

    def telling(self, events: list[Event]) -> Iterator[Event]:
        """The events, each noted when it is taken: who is interrupted among them is told the others later."""
        for number, event in enumerate(events, 1):
            self._note(event, last=number == len(events))
            self._known.add(event.content())
            self.events.append(event)
            yield event

    def _note(self, event: Event, last: bool) -> None:
        if self._path is not None:
            line = json.dumps(event.to_dict()) + "\n"
            with told(self._path):
                fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
                with os.fdopen(fd, "ab") as file:
                    if file.tell() and not _ends_in_newline(self._path):
                        line = "\n" + line
                    file.write(line.encode())
                    file.flush()
                    if last:  # what a kill leaves is safe at once; for what a power cut leaves, once is enough
                        os.fsync(file.fileno())


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


@dataclass(frozen=True)
class Watching:
    """How to watch. Times are in seconds; `timeout` None watches to the end."""

    first: float = FIRST
    longest: float = LONGEST
    timeout: float | None = None
    sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds)  # noqa: PLW0108 - found when it is called


def follow(
    job_id: str, provider: Provider, ledger: Ledger, entry: Entry | None, ways: Watching | None = None
) -> Iterator[News]:
    """The news of a job until it is over or the time is up; what was told before is not told again.

    Network trouble is news, and it goes on. Raises ProviderError where the provider refuses to tell.
    """
    ways = ways or Watching()
    seen = Seen(ledger.beside(entry, "events.jsonl") if entry else None)
    deadline = None if ways.timeout is None else time.monotonic() + ways.timeout
    pause, before, lost = ways.first, "", 0
    while True:
        try:
            job = provider.get(job_id)
            new = seen.new_of(_tidy(provider.events(job_id))) if provider.can.events else []
        except PASSING as error:
            lost += 1
            yield News("network", message=f"{error.message}; the job goes on, asking again")
            pause = min(ways.longest, max(ways.first, _asked(error), ways.first * 2 ** min(lost, 10)))
        else:
            if lost:
                yield News("network", message=f"{provider.host} answers again")
            pause = ways.first if lost or new or job.raw_status != before else min(ways.longest, pause * 1.5)
            lost = 0
            if entry is not None:
                known = ledger.load(entry.base, entry.attempt) or entry  # others write it, too
                entry = known.seen(job)
                if entry != known:
                    ledger.save(entry)
                job = replace(job, key=entry.key, ledger=str(ledger.folder), connection=provider)
            for event in seen.telling(new):
                yield News("event", job, event)
            if job.raw_status != before:
                before = job.raw_status
                yield News("status", job)
            if job.done:
                return
        if deadline is not None and time.monotonic() + pause > deadline:
            return
        ways.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311


def _tidy(pages: Iterator[list[Event]]) -> Iterator[list[Event]]:
    for page in pages:
        yield [replace(event, message=without_keys(event.message)) for event in page]


def _asked(error: ProviderError) -> float:
    return (error.wait or 0.0) if isinstance(error, Throttled) else 0.0


def points(events: list[Event]) -> list[dict[str, float]]:
    """The figures of each step that events tell of, in order of the steps."""
    steps: dict[float, dict[str, float]] = {}
    for event in events:
        step = event.data.get("step")
        if isinstance(step, int | float) and not isinstance(step, bool):
            row = steps.setdefault(float(step), {"step": step})
            row |= {k: v for k, v in event.data.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return [steps[step] for step in sorted(steps)]
