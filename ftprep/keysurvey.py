"""What all rows say, as 32 bytes of digests a row, in memory or on disk; rows that ask the same are found."""

from __future__ import annotations

import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, Final

from ftprep.bulk import numpy_for

SIZE: Final = 32
"""Bytes of an entry: digests of what is asked, of what is answered, of everything, and the row's ordinal, 8 each."""

MOST_IN_MEMORY: Final = 1 << 30
"""Bytes of entries (33 million rows) beyond which they are put on disk, in the folder for temporary files."""

_PARTS: Final = 256
_AT_ONCE: Final = 1_000_000
"""Questions whose entries are sorted together."""


class KeySurvey:
    """The entries of all rows, in any order; those of rows that ask the same thing fall into the same one of 256 parts,
    by the first byte of their digest, and only one part is looked through at a time."""

    def __init__(self) -> None:
        # As they came: one buffer that grows would be copied again and again, and leave holes of its size.
        self._blocks: list[bytes] = []
        self._held = 0
        self._file: IO[bytes] | None = None
        self._runs: list[list[int]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker's part of the set is never so large as to be on disk.
        return _made, (b"".join(self._blocks),)

    def see(self, entries: Iterable[bytes]) -> None:
        """Take in one chunk's entries, in parts cut anywhere."""
        self._take(b"".join(entries))

    def merge(self, other: KeySurvey) -> None:
        """Add the other's rows."""
        for block in other._pieces():
            self._take(block)
            if self._held > MOST_IN_MEMORY:
                self._put_down()

    def _take(self, block: bytes) -> None:
        if block:
            self._blocks.append(block)
            self._held += len(block)

    def __len__(self) -> int:
        return sum(run[-1] - run[0] for run in self._runs) // SIZE + self._held // SIZE

    def clear(self) -> None:
        """Let go of all entries."""
        self._blocks.clear()
        self._held = 0
        self._runs.clear()
        if self._file:
            self._file.close()
        self._file = None

    def repeated(self) -> Iterator[bytes]:
        """The entries of rows that ask what another asks too, sorted: those of one question stand together, then those
        that answer the same, then the same, the first in the data first."""
        data = b"".join(self._blocks)
        places = _by_part(data)
        for number in range(_PARTS):
            if not self._runs:
                yield from sorted(_sharing(data, places[number]))
                continue
            held = [data[SIZE * p : SIZE * p + SIZE] for p in places[number]]
            part = b"".join([*self._on_disk(number), *held])
            yield from sorted(_sharing(part, range(len(part) // SIZE)))

    def repeated_numbers(self) -> Iterator[Any] | None:
        """`repeated` in a fifth of the time, as arrays of numpy that end where a question does: a row of four numbers
        for each entry. None where there are few entries, or they are on disk."""
        np = None if self._runs or not self._held else numpy_for(self._held)
        return None if np is None else _sharing_by_numpy(np, self._blocks)

    def said(self, ordinals: Iterable[int]) -> dict[int, bytes]:
        """The three digests of the rows with these ordinals."""
        wanted = {int.from_bytes(ordinal.to_bytes(8), sys.byteorder): ordinal for ordinal in ordinals}
        found: dict[int, bytes] = {}
        for data in self._pieces():
            with memoryview(data) as view, view.cast("Q") as numbers:
                for place, number in enumerate(numbers[3::4]):
                    if number in wanted:
                        found[wanted[number]] = bytes(view[SIZE * place : SIZE * place + 24])
        return found

    def different(self, start: int) -> int:
        """How many different digests stand at a byte of the entries (0 and 1 are exact, more is 2)."""
        first = b""
        for data in self._pieces():
            first = first or data[start : start + 8]
            if any(data[i : i + 8] != first for i in range(start, len(data), SIZE)):
                return 2
        return 1 if first else 0

    def _pieces(self) -> Iterator[bytes]:
        """All entries, some megabytes at a time."""
        for number in range(_PARTS if self._runs else 0):
            yield from self._on_disk(number)
        yield from self._blocks

    def _on_disk(self, number: int) -> Iterator[bytes]:
        for run in self._runs:
            if self._file and run[number + 1] > run[number]:
                self._file.seek(run[number])
                yield self._file.read(run[number + 1] - run[number])

    def _put_down(self) -> None:
        """Move what is in memory to disk, part by part."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="ftprep-")  # noqa: SIM115 - closed by clear()
        at = self._file.seek(0, 2)
        run, data = [at], b"".join(self._blocks)
        self._blocks.clear()
        self._held = 0
        for places in _by_part(data):
            at += self._file.write(b"".join(data[SIZE * p : SIZE * p + SIZE] for p in places))
            run.append(at)
        self._runs.append(run)


def _by_part(data: bytes) -> list[array[int]]:
    """The places of the entries of each part."""
    places = [array("I") for _ in range(_PARTS)]
    for place, first in enumerate(bytes(data[::SIZE])):
        places[first].append(place)
    return places


def _sharing(data: bytes, places: Sequence[int]) -> list[bytes]:
    """The entries at these places whose question stands in another one too."""
    with memoryview(data) as view, view.cast("Q") as numbers:
        questions = [numbers[4 * place] for place in places]
        times = Counter(questions)
        if len(times) == len(questions):
            return []
        shared = [p for p, question in zip(places, questions, strict=True) if times[question] > 1]
        return [bytes(view[SIZE * p : SIZE * p + SIZE]) for p in shared]


def _made(block: bytes) -> KeySurvey:
    """The survey of these entries."""
    survey = KeySurvey()
    survey.see([block])
    return survey


def _sharing_by_numpy(np: Any, blocks: list[bytes]) -> Iterator[Any]:
    """The entries whose question stands in another one too, sorted."""
    entries = [np.frombuffer(block, ">u8").reshape(-1, SIZE // 8) for block in blocks]
    asked = np.sort(np.concatenate([block[:, 0] for block in entries]).astype(np.uint64))
    shared = np.unique(asked[1:][asked[1:] == asked[:-1]])
    del asked
    for start in range(0, len(shared), _AT_ONCE):  # all may be very many
        few = np.concatenate([_asking(np, block, shared[start : start + _AT_ONCE]) for block in entries])
        yield few[np.lexsort(few.T[::-1])].astype(np.uint64)


def _asking(np: Any, entries: Any, shared: Any) -> Any:
    """The entries whose question is one of these, which are sorted."""
    asked = entries[:, 0].astype(np.uint64)
    places = np.minimum(np.searchsorted(shared, asked), len(shared) - 1)
    return entries[shared[places] == asked]
