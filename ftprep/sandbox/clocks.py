"""What time it is in the sandbox, and how long the phases of a job take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Clock = Callable[[], float]
"""Seconds since 1970."""


class ManualClock:
    """A clock that stands still until it is told to go on; may be used from several threads."""

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> float:
        """Let `seconds` (0 or more) pass; the new time."""
        if not seconds >= 0:
            message = f"{seconds!r}: time goes forward only"
            raise ValueError(message)
        with self._lock:
            self._now += seconds
            return self._now


@dataclass(frozen=True)
class Pace:
    """How long a job stays in each phase, and a file until it is ready: in seconds, or in polls (requests for it).

    By polls a run is the same however slow the machine is: a job goes on by one with each request for that job.
    """

    validating: float = 1.0
    queued: float = 1.0
    running: float = 3.0
    file: float | None = None
    by: Literal["clock", "polls"] = "clock"

    @property
    def ends(self) -> tuple[float, float, float]:
        """The ages at which the phases end."""
        queued = self.validating + self.queued
        return self.validating, queued, queued + self.running
