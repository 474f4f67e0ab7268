"""What `tokens` shows: counts and lengths of each file as a table, a histogram, and what training may cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ftprep.views.plain import Paint, columns, finish, pad, safe, wrap
from ftprep.views.wording import counted, share

if TYPE_CHECKING:
    from ftprep.costs import Estimate

BINS = 12
BAR = 40
"""Columns of the longest bar."""

_NAME = 40
_HEADER = ("file", "examples", "tokens", "trained on", "min", "median", "95 %", "max")
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass
class Lengths:
    """Counts of one file, or of several together; `unread` is rows that could not be read."""

    name: str
    lengths: Counter[int] = field(default_factory=Counter)
    trainable: int = 0
    unread: int = 0
    exact: bool = True
    overhead: str = ""

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return sum(self.lengths.values())

    @property
    def total(self) -> int:
        """Tokens of all examples."""
        return sum(length * count for length, count in self.lengths.items())

    def percentile(self, part: float) -> int:
        """The length that this part of the examples does not exceed; 0 without examples."""
        left = part * self.examples
        for length in sorted(self.lengths):
            left -= self.lengths[length]
            if left <= 0:
                return length
        return max(self.lengths, default=0)

    def add(self, other: Lengths) -> None:
        """Take in another file."""
        self.lengths.update(other.lengths)
        self.trainable += other.trainable
        self.unread += other.unread
        self.exact = self.exact and other.exact
        self.overhead = self.overhead or other.overhead

    def to_dict(self) -> dict[str, Any]:
        """The counts as JSON values; `lengths` has how many examples have each length."""
        return {
            "examples": self.examples,
            "total": self.total,
            "trainable": self.trainable,
            "min": min(self.lengths, default=0),
            "p50": self.percentile(0.5),
            "p95": self.percentile(0.95),
            "max": max(self.lengths, default=0),
            "exact": self.exact,
            "unread_rows": self.unread,
            "lengths": {str(length): self.lengths[length] for length in sorted(self.lengths)},
        }


@dataclass(frozen=True)
class LengthsPage:
    """All that is shown: the files, all together, how they were counted, and the cost where it is asked for."""

    files: list[Lengths]
    together: Lengths
    encoding: str
    reason: str
    cost: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON values."""
        return {
            "encoding": self.encoding,
            "encoding_reason": self.reason,
            "overhead": self.together.overhead,
            "files": [{"path": f.name} | f.to_dict() for f in self.files],
            "total": self.together.to_dict(),
            "cost": self.cost.to_dict() if self.cost else None,
        }

    def text(self, *, color: bool, width: int, blocks: bool) -> str:
        """The page for people; `blocks` says whether block characters can be shown."""
        return finish(self._lines(Paint(color), width, blocks))

    def _lines(self, paint: Paint, width: int, blocks: bool) -> Iterator[str]:
        yield from self._table(paint)
        if self.together.examples:
            yield from ("", paint("Tokens of one example", "bold"), *self._histogram(paint, width, blocks))
        yield from ("", *self._how(width))
        if self.cost:
            yield from ("", *(line for told in self._price(self.cost) for line in wrap(safe(told), width)))

    def _table(self, paint: Paint) -> Iterator[str]:
        rows = [_cells(f) for f in self.files]
        if len(rows) > 1:
            rows.append(_cells(self.together))
        sizes = [max(map(columns, column)) for column in zip(_HEADER, *rows, strict=True)]
        yield paint(_line(_HEADER, sizes), "bold")
        for number, row in enumerate(rows):
            yield paint(_line(row, sizes), "bold" if number == len(self.files) else "")

    def _histogram(self, paint: Paint, width: int, blocks: bool) -> Iterator[str]:
        bins = bins_of(self.together.lengths)
        heads = [f"{low:,}" if low == high else f"{low:,}-{high:,}" for low, high, _ in bins]
        size, most = max(map(len, heads)), max(count for _, _, count in bins)
        digits = len(f"{most:,}")
        room = max(10, min(BAR, width - size - digits - 14))
        for head, (_, _, count) in zip(heads, bins, strict=True):
            bar = _bar(count / most * room, blocks) if count else ""
            numbers = f"{count:>{digits},}  {share(count, self.together.examples) if count else '':>5}"
            yield f"  {head:>{size}}  {numbers}  {paint(bar, 'cyan')}".rstrip()

    def _how(self, width: int) -> Iterator[str]:
        exact = "Counted exactly" if self.together.exact else "Estimated"
        why = f" ({safe(self.reason)})" if self.reason else ""
        yield from wrap(f"{exact} with {safe(self.encoding)}{why}.", width)
        if self.together.overhead:
            rule = safe(self.together.overhead)
            told = f"What messages add beside their text is estimated by the public rule {rule}; no provider tells it."
            yield from wrap(told, width)
        if self.together.unread:
            rows = counted(self.together.unread, "row")
            yield from wrap(f"{rows} could not be read and are not counted: `ftprep check` names them.", width)

    @staticmethod
    def _price(cost: Estimate) -> Iterator[str]:
        yield f"{cost.told()}."
        if cost.epochs_why != "as asked for":
            yield f"{counted(cost.epochs, 'epoch')}: {cost.epochs_why}."
        for note in cost.notes:
            yield f"{note[:1].upper()}{note[1:]}."


def bins_of(lengths: Counter[int]) -> list[tuple[int, int, int]]:
    """(lowest, highest, examples) of at most about BINS intervals of one round width that hold all lengths."""
    least, most = min(lengths), max(lengths)
    step = _round_up((most - least + 1) / BINS)
    first = least // step
    counts = [0] * (most // step - first + 1)
    for length, count in lengths.items():
        counts[length // step - first] += count
    return [((first + i) * step, (first + i + 1) * step - 1, count) for i, count in enumerate(counts)]


def _round_up(number: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    unit = 1
    while True:
        for digit in (1, 2, 5):
            if digit * unit >= number:
                return digit * unit
        unit *= 10


def _cells(one: Lengths) -> tuple[str, ...]:
    numbers = (
        one.examples,
        one.total,
        one.trainable,
        min(one.lengths, default=0),
        one.percentile(0.5),
        one.percentile(0.95),
        max(one.lengths, default=0),
    )
    # The end of a path tells files apart.
    name = one.name if len(one.name) <= _NAME else f"…{one.name[1 - _NAME :]}"
    return (safe(name), *(f"{n:,}" for n in numbers))


def _line(cells: tuple[str, ...], sizes: list[int]) -> str:
    name, *numbers = cells
    return "  ".join([pad(name, sizes[0]), *(f"{n:>{size}}" for n, size in zip(numbers, sizes[1:], strict=True))])


def _bar(size: float, blocks: bool) -> str:
    if not blocks:
        return "#" * max(1, round(size))
    whole, eighth = divmod(max(1, round(size * 8)), 8)
    return ("█" * whole + _EIGHTHS[eighth]).rstrip()
