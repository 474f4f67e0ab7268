"""What a split never parts: units, each with the examples that it holds, in the order of a keyed hash of themselves."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from typing import Any, Final

from ftprep.bulk import begins

MANY: Final = 100_000
"""Examples from which numpy counts units: a dictionary takes 150 bytes for each, and 350 while it is put in order."""


_WIDTH: Final = 8

_Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What a unit holds, (class, examples) by class name; one object serves all units that hold the same."""

    size: int
    parts: _Parts


class Units:
    """Units by their places in the order of their hashes: 12 bytes for each where there are many."""

    def __init__(self, keys: Sequence[bytes], codes: array[int], kinds: list[Kind]) -> None:
        self._keys = keys
        self.codes = codes
        """The kind of each, by its number among `kinds`."""
        self.kinds = kinds

    def __len__(self) -> int:
        return len(self.codes)

    def key(self, place: int) -> bytes:
        """The key of the unit at a place."""
        return self._keys[place]

    def kind(self, place: int) -> Kind:
        """What the unit at a place holds."""
        return self.kinds[self.codes[place]]


def gather(entries: Iterable[tuple[bytes, str]], seed: int) -> Units:
    """The units of examples that are given as (unit key, class name or ""); another seed gives another order, in which
    neither the order nor the number of the entries has a say. Many keys take little room where each has 8 bytes."""
    key = blake2b(str(seed).encode(), digest_size=32, person=b"ftprep split").digest()
    left = iter(entries)
    first = list(islice(left, MANY))
    is_many = len(first) == MANY and all(len(unit) == _WIDTH for unit, _ in first)
    return _many(chain(first, left), key) if is_many else _few([*first, *left], key)


def _hash(unit: bytes, key: bytes) -> bytes:
    return blake2b(unit, digest_size=8, key=key).digest()


def _few(entries: list[tuple[bytes, str]], key: bytes) -> Units:
    held: dict[bytes, dict[str, int]] = {}
    for unit, name in entries:
        counts = held.setdefault(unit, {})
        counts[name] = counts.get(name, 0) + 1
    # The unit itself settles the (very rare) equal hashes.
    order = sorted(held, key=lambda unit: _hash(unit, key) + unit)
    numbers: dict[_Parts, int] = {}
    codes = array("I", [numbers.setdefault(tuple(sorted(held[unit].items())), len(numbers)) for unit in order])
    return Units(order, codes, [_kind(parts) for parts in numbers])


def _kind(parts: _Parts) -> Kind:
    return Kind(sum(count for _, count in parts), parts)


def _many(entries: Iterable[tuple[bytes, str]], key: bytes) -> Units:
    import numpy as np

    data, classes, names = bytearray(), array("I"), dict[str, int]()
    for unit, name in entries:
        data += unit
        classes.append(names.setdefault(name, len(names)))
    if len(data) != _WIDTH * len(classes):
        message = f"some keys have {_WIDTH} bytes and some have not"
        raise ValueError(message)
    every = np.frombuffer(data, ">u8").astype(np.uint64)
    del data
    units, held, many = _runs(np, every, np.frombuffer(classes, np.uint32) if len(names) > 1 else None)
    del every, classes
    numbers, codes = _numbered(np, units, held, many, list(names))
    units = units[begins(np, units)]
    said = units.astype(">u8").tobytes()
    hashes = bytearray()  # a list of them would take five times as much
    for at in range(0, len(said), _WIDTH):
        hashes += _hash(said[at : at + _WIDTH], key)
    order = np.lexsort((units, np.frombuffer(hashes, ">u8").astype(np.uint64)))
    ordered = array("I", codes[order].tobytes())
    return Units(_Eights(units[order].astype(">u8").tobytes()), ordered, [_kind(parts) for parts in numbers])


class _Eights(Sequence[bytes]):
    """Keys of 8 bytes, one behind the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // _WIDTH

    def __getitem__(self, place: Any) -> Any:
        return self._data[_WIDTH * place : _WIDTH * place + _WIDTH]


def _runs(np: Any, units: Any, classes: Any) -> tuple[Any, Any, Any]:
    """The different pairs of unit and class, sorted, and how often each stands there. `classes` is None where there is
    one; `units` is put in order."""
    if classes is None:
        units.sort()
        starts = np.flatnonzero(begins(np, units))
        held = np.zeros(len(starts), np.uint32)
    else:
        order = np.lexsort((classes, units))
        units, classes = units[order], classes[order]
        starts = np.flatnonzero(begins(np, units, classes))
        held = classes[starts]
    return units[starts], held, np.diff(starts, append=len(units)).astype(np.uint32)


def _numbered(np: Any, units: Any, classes: Any, many: Any, names: list[str]) -> tuple[dict[_Parts, int], Any]:
    """The kinds that there are, numbered, and for each unit the number of its own."""
    starts = np.flatnonzero(begins(np, units))
    pairs = classes[starts].astype(np.uint64) << 32 | many[starts]
    different = np.unique(pairs)
    codes = np.searchsorted(different, pairs).astype(np.uint32)
    del pairs
    numbers: dict[_Parts, int] = {
        ((names[pair >> 32], pair & 0xFFFFFFFF),): number for number, pair in enumerate(different.tolist())
    }
    spans = np.diff(starts, append=len(units))
    for place in np.flatnonzero(spans > 1).tolist():  # units of several classes, of which there are few
        those = slice(starts[place], starts[place] + spans[place])
        held = zip((names[code] for code in classes[those].tolist()), many[those].tolist(), strict=True)
        codes[place] = numbers.setdefault(tuple(sorted(held)), len(numbers))
    return numbers, codes
