"""Which side an example falls on: exact sizes, classes on both sides, and a choice that hardly moves when rows do.

Examples come in units that are never parted (the same prompt, the same group). Each class gets a quota in proportion to
its size, filled with units in the order of a keyed hash of themselves: the order of the rows has no say, and a row more
or less moves only units at the edge. Where large units miss the number, a subset sum finds the nearest there is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ftprep.errors import UsageError
from ftprep.units import Units, gather

NAMED_IN_NOTES = 5  # a set with a thousand one-example classes gets one sentence for the rest, not a thousand


class Joined:
    """Units that must stay together although their keys differ (groups that share a prompt), found as they come."""

    def __init__(self) -> None:
        self._above: dict[bytes, bytes] = {}

    def of(self, unit: bytes) -> bytes:
        """The key that all units joined to this one have: the smallest of them, whatever the order of joining."""
        root = unit
        while (above := self._above.get(root, root)) != root:
            root = above
        while unit != root:
            self._above[unit], unit = root, self._above[unit]
        return root

    def join(self, unit: bytes, other: bytes) -> None:
        """Keep the two together."""
        one, two = sorted((self.of(unit), self.of(other)))
        if one != two:
            self._above[two] = one


@dataclass(frozen=True)
class Split:
    """The outcome: `train` and `valid` count examples; `per_class` is {class: (train, valid)}, {} without classes."""

    valid_units: frozenset[bytes]
    train: int
    valid: int
    per_class: dict[str, tuple[int, int]]
    notes: tuple[str, ...]

    def is_valid(self, unit: bytes) -> bool:
        """Return whether `unit` is on the validation side; a unit that was never seen is on the training side."""
        return unit in self.valid_units


@dataclass(slots=True)
class _Class:
    """A class in numbers: examples, units, and how many of its examples the unit with the fewest has."""

    examples: int = 0
    units: int = 0
    smallest: int = 0


_Counts = Mapping[str, int]


def assign(units: Iterable[tuple[bytes, str]], *, valid: float | int | None, seed: int = 0) -> Split:
    """Split examples, each given as (unit key, class name or ""; see `units.gather`), into training and validation.

    `valid`: a share of the examples in (0, 1), rounded half up, at least 1; a whole number of examples; None for no
    split. Met exactly when every unit is one example; with larger units the nearest number that whole units add up to
    (the lower of two as near) as long as no class loses a side by it. Classes get quotas by largest remainder; one of
    two or more units is on both sides where there are places enough, one of a single unit is on the training side; a
    unit of several classes counts for each. Raises UsageError for a `valid` that cannot be.
    """
    table = gather(units, seed)
    classes = _count_classes(table)
    if valid is None:
        return _outcome(table, classes, set(), 0)
    goal = _goal(valid, sum(each.examples for each in classes.values()), len(table))
    return _outcome(table, classes, _choose(table, classes, goal), goal)


def _goal(valid: float | int, total: int, units: int) -> int:
    """Return the number of validation examples wanted, from 1 to total - 1."""
    whole = isinstance(valid, int) and not isinstance(valid, bool)
    if not (valid >= 1 if whole else isinstance(valid, float) and 0 < valid < 1):
        hint = "give a share between 0 and 1 such as 0.1, a whole number such as 200, or none"
        raise UsageError(f"the validation size {valid!r} is neither a share nor a number of examples", hint)
    if units < 2:
        hint = "each side needs one: add examples, or do not split"
        raise UsageError(f"nothing to split (examples: {total}, different prompts or groups: {units})", hint)
    if whole and valid >= total:
        raise UsageError(f"{valid} validation examples of {total} leave none to train on", "ask for fewer")
    # str() of a float is the number the user wrote: 0.29 of 50 is 14.5, where binary arithmetic says 14.499999999999998
    share = int((Decimal(str(valid)) * total).quantize(Decimal(1), ROUND_HALF_UP))
    return int(valid) if whole else min(max(share, 1), total - 1)


def _count_classes(table: Units) -> dict[str, _Class]:
    classes: defaultdict[str, _Class] = defaultdict(_Class)
    for code, many in Counter(table.codes).items():
        for name, count in table.kinds[code].parts:
            each = classes[name]
            each.smallest = min(each.smallest, count) if each.units else count
            each.examples += count * many
            each.units += many
    return dict(sorted(classes.items()))


def _held(table: Units, places: Iterable[int]) -> Counter[str]:
    held = Counter[str]()
    for code, many in Counter(map(table.codes.__getitem__, places)).items():
        for name, count in table.kinds[code].parts:
            held[name] += count * many
    return held


def _outcome(table: Units, classes: Mapping[str, _Class], chosen: set[int], goal: int) -> Split:
    held = _held(table, chosen)
    sides = {name: (each.examples - held[name], held[name]) for name, each in classes.items()}
    train, valid = sum(count for count, _ in sides.values()), held.total()
    notes = tuple(_notes(classes, sides, goal, valid)) if goal else ()
    return Split(frozenset(map(table.key, chosen)), train, valid, sides if any(classes) else {}, notes)


def _notes(classes: Mapping[str, _Class], sides: Mapping[str, tuple[int, int]], goal: int, valid: int) -> Iterator[str]:
    if valid != goal:
        yield f"validation has {valid} examples, not {goal}: examples that share a prompt or group are never parted"
    named = defaultdict[str, list[str]](list)
    for name, (in_train, in_valid) in sides.items():
        if name and not in_valid and classes[name].units == 1:
            named["has one example (or all its examples share one prompt): it is on the training side only"] += [name]
        elif name and not (in_train and in_valid):
            side, other = ("training", "validation") if in_train else ("validation", "training")
            named[f"is on the {side} side only: {other} has no place for it"] += [name]
    for why, names in named.items():
        yield from (f"class {name if len(name) <= 60 else name[:59] + '…'!r} {why}" for name in names[:NAMED_IN_NOTES])
        if len(names) > NAMED_IN_NOTES:
            yield f"{len(names) - NAMED_IN_NOTES} more classes likewise: each {why}"


def _choose(table: Units, classes: dict[str, _Class], goal: int) -> set[int]:
    """Return the places of the validation units: by quota or, where sizes or classes do not come out, the nearest."""
    weights = {name: each.examples for name, each in classes.items()}
    low = _seats(goal, {name: each for name, each in classes.items() if each.units > 1})
    kept = _seats(sum(weights.values()) - goal, classes)
    high = {name: weight - kept.get(name, 0) for name, weight in weights.items()}

    def covers(places: set[int]) -> bool:
        held = _held(table, places)
        return all(held[name] for name in low) and all(held[name] < weights[name] for name in kept)

    taken = _take(table, _apportion(goal, weights, low, high))
    if _held(table, taken).total() == goal and covers(taken):
        return taken
    every = range(len(table))
    nearest = _settle(table, every, taken, goal)
    if nearest and covers(nearest):
        return nearest
    return _settle(table, every, taken, goal, *_seat_units(table, low, kept)) or nearest or taken


def _seats(places: int, classes: Mapping[str, _Class]) -> dict[str, int]:
    """Return the places that the smallest unit of each class needs on a side, for as many classes as there is room."""
    seats = {}  # small units first, since they leave room for most classes; then the larger class, then by name
    for name, each in sorted(classes.items(), key=lambda item: (item[1].smallest, -item[1].examples, item[0])):
        if each.smallest <= places:
            seats[name] = each.smallest
            places -= each.smallest
    return seats


def _apportion(total: int, weights: _Counts, low: _Counts, high: _Counts) -> dict[str, int]:
    """Share `total` out in proportion to `weights` by largest remainder, each between its `low` (or 0) and `high`."""
    # Shares out of bounds are set to the bound and the rest is shared out again, first on the side that is off by more,
    # as CSS flexible boxes do (https://www.w3.org/TR/css-flexbox-1/ 9.7, 2018). Needs sum(low) <= total <= sum(high).
    fixed: dict[str, int] = {}
    while True:
        names = [name for name in weights if name not in fixed]
        rest = total - sum(fixed.values())
        weight = sum(weights[name] for name in names)
        under = {name: low[name] for name in names if rest * weights[name] < low.get(name, 0) * weight}
        over = {name: high[name] for name in names if rest * weights[name] > high[name] * weight}
        if not under and not over:
            break
        strain = sum(bound * weight - rest * weights[name] for name, bound in (under | over).items())
        fixed |= (under if strain >= 0 else {}) | (over if strain <= 0 else {})
    quotas = fixed | {name: rest * weights[name] // weight for name in names}
    by_remainder = sorted(names, key=lambda name: (-(rest * weights[name] % weight), name))
    return quotas | {name: quotas[name] + 1 for name in by_remainder[: total - sum(quotas.values())]}


def _take(table: Units, quotas: _Counts) -> set[int]:
    """Return units that fill the quotas: in hash order those that still fit, then each class settled by itself."""
    room, left, taken = dict(quotas), sum(quotas.values()), set[int]()
    for place, code in enumerate(table.codes):
        if not left:
            return taken
        kind = table.kinds[code]
        if all(count <= room[name] for name, count in kind.parts):
            taken.add(place)
            left -= kind.size
            for name, count in kind.parts:
                room[name] -= count
    short: dict[str, list[int]] = {name: [] for name, places in room.items() if places}
    for place, code in enumerate(table.codes):
        parts = table.kinds[code].parts
        if len(parts) == 1 and parts[0][0] in short:
            short[parts[0][0]].append(place)
    for name, own in short.items():
        mine = {place for place in own if place in taken}
        taken -= mine
        taken |= _settle(table, own, mine, _held(table, mine).total() + room[name]) or mine
    return taken


def _seat_units(table: Units, low: _Counts, kept: _Counts) -> tuple[set[int], set[int]]:
    """Return units that put the classes of `low` into validation and those of `kept` into training, rarest first."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(table)), key=lambda place: table.kind(place).size):  # stable: by hash among equals
        for name, _ in table.kind(place).parts:
            members[name].append(place)
    valid, train = set[int](), set[int]()
    for name in sorted(members, key=lambda name: (len(members[name]), name)):
        for side, other, wanted in ((valid, train, low), (train, valid, kept)):
            if name in wanted and side.isdisjoint(members[name]):
                side.update([place for place in members[name] if place not in other][:1])
    return valid, train


def _settle(
    table: Units,
    places: Iterable[int],
    taken: set[int],
    goal: int,
    valid: Set[int] = frozenset(),
    train: Set[int] = frozenset(),
) -> set[int] | None:
    """Return units among those at `places` that add up as near to `goal` as can be, a unit on either side; None where
    the seats forbid it.

    `valid` and `train` are seats that stay. The units of `taken` that come last are let go first, as few as will do.
    """
    free = [place for place in places if place not in valid and place not in train]
    size = [kind.size for kind in table.kinds]
    sizes = Counter(size[table.codes[place]] for place in free)
    most = _held(table, free).total() - (0 if train else 1)
    wanted = _nearest(sizes, max(goal - _held(table, valid).total(), 0), 0 if valid else 1, most)
    if wanted is None:
        return None
    kept = [place for place in free if place in taken]
    let_go, need = 0, None
    while need is None:  # ends: with all let go, `wanted` can be made
        keep = set(kept[: len(kept) - let_go])
        left = sizes - Counter(size[table.codes[place]] for place in keep)
        need = _combination(left, wanted - _held(table, keep).total())
        let_go = min(max(1, 2 * let_go), len(kept))
    for place in free:
        if place not in keep and need[size[table.codes[place]]]:
            keep.add(place)
            need[size[table.codes[place]]] -= 1
    return keep | valid


def _reach(sizes: Mapping[int, int], limit: int) -> tuple[int, list[tuple[int, int, int]]]:
    """Return the sums up to `limit` that {size: how many} can make, as the bits of an integer, and each stage of it."""
    bits, stages = 1, []
    for size in sorted(sizes, reverse=True):
        many = min(sizes[size], limit // size)
        stages.append((size, many, bits))
        step = 1
        while many > 0:
            bits |= bits << min(step, many) * size
            many, step = many - step, step * 2
        bits &= (2 << limit) - 1
    return bits, stages


def _nearest(sizes: Mapping[int, int], goal: int, least: int, most: int) -> int | None:
    """Return the sum of `sizes` from `least` to `most` that is nearest to `goal`, the lower of two as near."""
    limit = min(most, max(2 * goal, min(sizes, default=0)))
    sums = _reach(sizes, limit)[0] >> least << least if limit >= 0 else 0
    below, above = sums & ((2 << goal) - 1), sums >> goal
    found = [below.bit_length() - 1] * (below > 0) + [goal + (above & -above).bit_length() - 1] * (above > 0)
    return min(found, key=lambda value: (abs(value - goal), value), default=None)


def _combination(sizes: Mapping[int, int], goal: int) -> Counter[int] | None:
    """Return how many units of each size add up to `goal`, as many small ones as can be; None where none do."""
    bits, stages = _reach(sizes, max(goal, 0))
    if goal < 0 or not bits >> goal & 1:
        return None
    need = Counter[int]()
    for size, many, before in reversed(stages):
        need[size] = next(n for n in range(min(many, goal // size), -1, -1) if before >> (goal - n * size) & 1)
        goal -= need[size] * size
    return need
