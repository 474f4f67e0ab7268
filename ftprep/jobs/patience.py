"""How long is waited for whom: pauses between tries, and between looks for what may have happened."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from ftprep.jobs.model import Told
from ftprep.jobs.trouble import PASSING, ProviderError, Throttled

T = TypeVar("T")

LOOKS: Sequence[float] = (0, 2, 5, 15, 60)
"""Seconds between looks for a job whose request had no clear answer."""


def patiently(call: Callable[[], T], sleep: Callable[[float], None], told: Told, tries: int = 5) -> T:
    """The answer to a request that changes nothing, asked up to `tries` times. Raises ProviderError."""
    for tried in range(tries):
        try:
            return call()
        except PASSING as error:
            if tried == tries - 1:
                raise
            told(error.message)
            sleep(pause_of(error, tried))
    raise AssertionError("the last try raises")


def pause_of(error: ProviderError, tried: int) -> float:
    """Seconds until the next try: as asked for, else longer each time, and not at the same moment as others."""
    asked = error.wait if isinstance(error, Throttled) else None
    if asked is not None:
        return asked
    return float(min(2**tried, 60)) * random.uniform(0.5, 1.0)  # noqa: S311


def looks_within(seconds: float) -> tuple[float, ...]:
    """The pauses before each look for a job that together are no longer than so many seconds."""
    found, left = [0.0], seconds
    for pause in LOOKS[1:]:
        if left <= 0:
            break
        found.append(min(pause, left))
        left -= found[-1]
    return tuple(found)
