"""Findings on their way to the report: counted exactly, the first of each rule kept, mergeable in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import merge as merged

from ftprep.model import Fault

Item = tuple[int, int, Fault, str]
"""Ordinal of the row, position among the row's faults, the fault, the finding's fingerprint."""


@dataclass
class Kept:
    """The findings of one rule."""

    count: int = 0
    items: list[Item] = field(default_factory=list)


@dataclass
class Tally:
    """Findings by rule code; at most `kept` of each are remembered, the first by place; those of rules that are `full`
    are counted alone."""

    kept: int
    rules: dict[str, Kept] = field(default_factory=dict)
    full: frozenset[str] = frozenset()

    def add(self, ordinal: int, position: int, fault: Fault, fingerprint: str) -> None:
        """Count one finding; findings of one chunk come in the order of its rows."""
        rule = self.rules.setdefault(fault.code, Kept())
        rule.count += 1
        if len(rule.items) < self.kept and fault.code not in self.full:
            rule.items.append((ordinal, position, fault, fingerprint))

    def wants(self, code: str) -> bool:
        """Whether one more finding of this rule would be kept (if not, its fingerprint need not be worked out)."""
        rule = self.rules.get(code)
        return code not in self.full and (rule is None or len(rule.items) < self.kept)

    def merge(self, other: Tally) -> None:
        """Add the other's findings; the order of merging does not matter."""
        for code, theirs in other.rules.items():
            ours = self.rules.setdefault(code, Kept())
            ours.count += theirs.count
            if theirs.items and not (len(ours.items) >= self.kept and ours.items[-1][:2] < theirs.items[0][:2]):
                ours.items = list(merged(ours.items, theirs.items, key=lambda i: i[:2]))[: self.kept]


class Told:
    """What one process has told already: where it has found enough of a rule in earlier chunks, none of a later chunk
    can be among the first. Chunks come to a process in order, but for one that is tried again."""

    def __init__(self) -> None:
        self._last = -1
        self._counts: Counter[str] = Counter()
        self._kept: set[int] = set()
        self.whole = (0, 0)  # examples that were kept whole so far, and their characters

    def full(self, chunk: int, kept: int) -> frozenset[str]:
        """The rules of which no more need be remembered in this chunk."""
        if chunk <= self._last:
            return frozenset()
        return frozenset(code for code, count in self._counts.items() if count >= kept)

    def keep(self, chunk: int, rows: int, size: int) -> None:
        """Take in how much of a chunk was kept whole."""
        if chunk not in self._kept:
            self._kept.add(chunk)
            self.whole = (self.whole[0] + rows, self.whole[1] + size)

    def remember(self, chunk: int, tally: Tally) -> None:
        """Take in what a chunk has told."""
        if chunk > self._last:
            self._last = chunk
            for code, rule in tally.rules.items():
                self._counts[code] += rule.count
