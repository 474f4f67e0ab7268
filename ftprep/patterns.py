"""How long a regular expression may take: a bound from its text alone, so that no pattern in the data hangs a run."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from ftprep.later import later

MOST_WAYS = 1_000_000
"""Ways in which a pattern may try a text: about a tenth of a second. A pattern that may take more is not applied."""

LONGEST = 2_000
"""Characters of a pattern; a longer one is not tried."""

MOST_REPEATS = 100_000
"""What the counts of a pattern multiply to at most: `(a{100}){100}` has 10,000."""

_OPENING = later(r"\((?:\?(?:P?<\w+>|<?[=!]|[:>]|[a-zA-Z-]+[:)]|#[^)]*\)))?")
_CLASS = later(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
_COUNT = later(r"(?:[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\})")


@lru_cache(maxsize=4096)
def ways(pattern: str, length: int) -> float:
    """An upper bound of the ways in which a search tries a text of so many characters; infinite where what is repeated
    without end can itself match in several ways, as in `(a+)+`, and for what cannot be understood."""
    try:
        total = _Walk(pattern, length).total()
    except (ValueError, OverflowError):
        return math.inf
    anchored = pattern.startswith("^") and "|" not in pattern
    return total if anchored else total * (length + 1)


class _Walk:
    """A walk through a pattern. Of the sequence that is open: its ways so far, those of the alternatives before it, and
    what its counts multiply to; those of the groups around it are on the stack."""

    def __init__(self, pattern: str, length: int) -> None:
        self.pattern = pattern
        self.length = length
        self.at = 0
        self.now, self.before, self.size = 1.0, 0.0, 1
        self.around: list[tuple[float, float, int]] = []

    def total(self) -> float:
        """The ways of the whole pattern; raises ValueError for what cannot be understood."""
        if len(self.pattern) > LONGEST:
            raise ValueError
        while self.at < len(self.pattern):
            self._step(self.pattern[self.at])
            if self.size > MOST_REPEATS:
                raise ValueError
        if self.around:
            raise ValueError
        return self.now + self.before

    def _step(self, char: str) -> None:
        if char == "(":
            self._open()
        elif char == ")":
            inner, size = self.now + self.before, self.size
            if not self.around:
                raise ValueError
            self.now, self.before, self.size = self.around.pop()
            self.at += 1
            self._repeat(inner, size)
        elif char == "|":
            self.at += 1
            self.before += self.now
            self.now = 1.0
        elif char == "[":
            self.at = _end(_CLASS.match(self.pattern, self.at))
            self._repeat(1.0, 1)
        else:
            self.at += 2 if char == "\\" else 1
            self._repeat(1.0, 1)

    def _open(self) -> None:
        end = _end(_OPENING.match(self.pattern, self.at))
        if self.pattern[end - 1] != ")":  # flags and remarks are closed at once
            self.around.append((self.now, self.before, self.size))
            self.now, self.before, self.size = 1.0, 0.0, 1
        self.at = end

    def _repeat(self, inner: float, size: int) -> None:
        """Take in what has so many ways, with the count behind it."""
        count = _COUNT.match(self.pattern, self.at)
        least, most = 1, 1
        if count is not None:
            self.at = count.end()
            if self.pattern[self.at : self.at + 1] in ("?", "+"):  # lazy, possessive
                self.at += 1
            least, endless, most = _bounds(count[0])
            if endless and inner > 1:
                raise ValueError
            size *= max(least, most)
            most = least + self.length if endless else most
        self.size = max(self.size, size)
        if inner > 1 and most > 64:
            raise ValueError
        self.now *= (most - least + 1) * inner**most if inner > 1 else most - least + 1
        if self.now > 1e100:
            raise ValueError


def _end(found: re.Match[str] | None) -> int:
    if found is None:
        raise ValueError
    return found.end()


def _bounds(count: str) -> tuple[int, bool, int]:
    """The fewest repeats, whether there is no end to them, and the most where there is."""
    if count in "*+?":
        return int(count == "+"), count != "?", 1
    least, comma, most = count[1:-1].partition(",")
    if len(least) > 9 or len(most) > 9:
        raise ValueError
    fewest = int(least or 0)
    return fewest, bool(comma) and not most, max(fewest, int(most or 0)) if comma else fewest
