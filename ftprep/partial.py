"""What was seen of part of the set, and how parts add up: accounts, findings, surveys, places, lines to write."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field, replace

import msgspec

from ftprep.model import Fault, Place
from ftprep.plan import Plan
from ftprep.surveys import Surveys
from ftprep.tally import Tally


@dataclass(frozen=True)
class ChunkInfo:
    """Where a chunk's rows stand: its source, first physical line and number of records.

    `offsets` gives the record of each example where records become several examples, `steps` how many physical lines
    each begins behind the one before, where records are not one a line.
    """

    source: int
    first_line: int
    records: int
    offsets: array[int] | None = None
    steps: array[int] | None = None


@dataclass
class Account:
    """Records of one source: read = loaded + rejected + skipped; `written` and `aside` split the loaded ones."""

    read: int = 0
    loaded: int = 0
    rejected: int = 0
    skipped: int = 0

    def merge(self, other: Account) -> None:
        """Add the other's records."""
        self.read += other.read
        self.loaded += other.loaded
        self.rejected += other.rejected
        self.skipped += other.skipped


class Aside(msgspec.Struct):
    """A record set aside: its chunk and where it stands in it, why, and what it was."""

    chunk: int
    offset: int
    line: int
    faults: list[Fault]
    record: bytes


@dataclass
class Output:
    """What one chunk gives to be written: `data`, which is `count` lines, and where a split is made, for each the unit
    that it never parts (8 bytes), and where it is by class the class.

    Where units are groups, `asks` has what each line asks, so that groups that share a prompt stay together too.

    When files are mended in place, `changed` has the physical lines that change, None where a line goes. Lines that
    their worker has written itself are in the file `part`, of `size` bytes.
    """

    data: bytes = b""
    count: int = 0
    units: bytearray = field(default_factory=bytearray)
    classes: list[str] = field(default_factory=list)
    asks: list[bytes] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)
    changed: list[tuple[int, bytes | None]] = field(default_factory=list)
    records: int = 0
    part: str = ""
    size: int = 0

    def extend(self, other: Output) -> None:
        """Add what the next chunk gives."""
        self.data += other.data
        self.count += other.count
        self.units += other.units
        self.classes += other.classes
        self.asks += other.asks
        self.aside += other.aside
        self.changed += other.changed
        self.records += other.records


class Partial:
    """What was seen of part of the set; `lines` counts the physical lines of a part that was read as a range."""

    def __init__(self, plan: Plan) -> None:
        self.chunks: dict[int, ChunkInfo] = {}
        self.accounts: dict[int, Account] = {}
        self.tally = Tally(plan.setting.kept)
        self.source_faults: list[tuple[int, int, Fault]] = []
        self.surveys = Surveys(plan.setting)
        self.inexact = 0
        self.output: Output | None = None
        self.lines = 0

    def merge(self, other: Partial) -> None:
        """Add another part; associative and commutative. `output` is taken by the caller as it comes."""
        self.chunks.update(other.chunks)
        for source, account in other.accounts.items():
            self.accounts.setdefault(source, Account()).merge(account)
        self.tally.merge(other.tally)
        self.source_faults.extend(other.source_faults)
        self.surveys.merge(other.surveys)
        self.inexact += other.inexact

    def extend(self, other: Partial) -> None:
        """Add what was seen of the next chunk, its output too."""
        self.merge(other)
        if self.output and other.output:
            self.output.extend(other.output)
        else:
            self.output = self.output or other.output

    def shift(self, lines: int) -> None:
        """Move everything down by so many physical lines: for part of a file whose lines were counted from 1."""
        self.chunks = {n: replace(info, first_line=info.first_line + lines) for n, info in self.chunks.items()}
        self.source_faults = [(source, line + lines, fault) for source, line, fault in self.source_faults]
        if self.output:
            for aside in self.output.aside:
                aside.line += lines
            self.output.changed = [(line + lines, new) for line, new in self.output.changed]


class Places:
    """From a row's ordinal to its place, once all chunks are known."""

    def __init__(self, plan: Plan, chunks: dict[int, ChunkInfo]) -> None:
        self._plan = plan
        self._chunks = chunks
        self._before: dict[int, int] = {}
        seen: Counter[int] = Counter()
        for number in sorted(chunks):
            info = chunks[number]
            self._before[number] = seen[info.source]
            seen[info.source] += info.records

    def of(self, number: int) -> Place:
        """The place of the row with this ordinal."""
        chunk, index = number >> 32, number & 0xFFFFFFFF
        info = self._chunks[chunk]
        table = self._plan.tables[info.source]
        offset = index if info.offsets is None else info.offsets[index]
        line = info.first_line + (offset if info.steps is None else sum(info.steps[: index + 1]))
        record = self._before[chunk] + offset + 1
        return Place(table.name, line, record, table.sheet)

    def record(self, chunk: int, offset: int) -> int:
        """The 1-based number of a record among those of its source."""
        return self._before[chunk] + offset + 1

    def source(self, number: int) -> int:
        """The index of the row's table."""
        return self._chunks[number >> 32].source
