"""Which examples say nearly the same: candidates by the rarest runs of three words, each then compared word by word."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from ftprep.saidsurvey import Said
from ftprep.wordruns import Runs, Told, words_of

PART: Final = 0.8
"""The share of words that system message, question and answer must each have in common: a label must be the same."""

OTHER: Final = 0.3
"""The share of words that may differ where sentences differ."""

_SENTENCE: Final = re.compile(r"(?<=[.!?:])\s+|(?<=[。！？])|\n+")

_TRIED: Final = 8
"""Earlier examples that one is compared with at most: those that share most of its rare runs of words."""

_LONGEST: Final = 8000
"""Words between what two texts begin and end with alike, beyond which they are not compared (0.1 s)."""


class Near(NamedTuple):
    """A later example, the earlier one that it repeats (ordinals), and the share of words that both have."""

    number: int
    first: int
    share: float


def find_near(rows: Iterable[Said], least: float, few: int = 20) -> list[Near]:
    """Each example that shares at least `least` of its words, in their order, with an earlier one which is not itself
    such a repetition; where there are fewer than `few` words, all of them. In the order of rows, whatever order they
    come in."""
    ordered = sorted(rows)
    runs = Runs(ordered, least)
    rarest = runs.rarest()
    marks = {place: runs.telling(place) for place in sorted(rarest)}
    alike = Counter(marks.values())
    firsts: dict[bytes, defaultdict[int, list[int]]] = {m: defaultdict(list) for m, n in alike.items() if n > 1}
    told: dict[int, Told] = {}
    found: list[Near] = []
    for place, mark in marks.items():
        if mark not in firsts:
            continue  # there is no other with these numbers
        row, others = ordered[place], firsts[mark]
        nearest = _nearest(rarest[place], others)
        if nearest:
            told[place] = runs.told(place)
        for first in nearest:
            if first not in told:
                told[first] = runs.told(first)
            share = _share(told[first], told[place], least, few)
            # One question asked twice is no matter where only questions count: it may have several pairs of answers.
            if share and (share < 1 or row.answer) and _no_other(ordered[first], row):
                found.append(Near(row.number, ordered[first].number, share))
                del told[place]
                break
        else:
            for key in rarest[place]:
                others[key].append(place)
    return found


def _nearest(keys: list[int], firsts: dict[int, list[int]]) -> list[int]:
    """The earlier examples that share most of an example's rarest runs, in order."""
    shared = Counter(chain.from_iterable(firsts[key] for key in keys if key in firsts))
    return sorted(sorted(shared, key=lambda place: (-shared[place], place))[:_TRIED])


def _share(one: Told, other: Told, least: float, few: int) -> float:
    """The share of words of question and answer that both have, 0.0 where that is not enough in a part or in what is
    their own."""
    common: list[int] = []
    for ours, theirs in zip(one.parts, other.parts, strict=True):
        most = max(len(ours), len(theirs))
        if min(len(ours), len(theirs)) < PART * most:
            return 0.0
        common.append(in_common(ours, theirs))
        if common[-1] < PART * most:
            return 0.0
    share = _over(common[1:], one.parts[1:], other.parts[1:])
    if share == 1.0:
        return share
    words = min(sum(map(len, one.parts[1:])), sum(map(len, other.parts[1:])))
    if share < least or words < few:
        return 0.0
    own = _over([in_common(a, b) for a, b in zip(one.rest, other.rest, strict=True)], one.rest, other.rest)
    return share if own >= least else 0.0


def _no_other(one: Said, other: Said) -> bool:
    """Whether what stands in sentences that only one has is mostly in the other too, or is added: a question on the
    same long text is another example, however much of the words that text makes up."""
    for ours, theirs in ((one.question, other.question), (one.answer, other.answer)):
        said, told = _sentences(ours), _sentences(theirs)
        left = [w for s in said if s not in told for w in s]
        right = [w for s in told if s not in said for w in s]
        least = min(len(left), len(right))
        if least - in_common(left, right) > max(1, OTHER * least):
            return False
    return True


def _sentences(text: str) -> dict[tuple[str, ...], None]:
    return dict.fromkeys(tuple(words_of(sentence)) for sentence in _SENTENCE.split(text))


def _over(common: Sequence[int], ours: Sequence[list[str]], theirs: Sequence[list[str]]) -> float:
    whole = sum(max(len(a), len(b)) for a, b in zip(ours, theirs, strict=True))
    return sum(common) / whole if whole else 0.0


def in_common(ours: list[str], theirs: list[str]) -> int:
    """The length of the longest common subsequence, by Hyyrö's bit-parallel method; of texts that differ over more than
    _LONGEST words only what they begin and end with alike."""
    least, start = min(len(ours), len(theirs)), 0
    while start < least and ours[start] == theirs[start]:
        start += 1
    end = 0
    while end < least - start and ours[-1 - end] == theirs[-1 - end]:
        end += 1
    ours, theirs = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    if not ours or not theirs or max(len(ours), len(theirs)) > _LONGEST:
        return start + end
    places: dict[str, int] = {}
    for i, word in enumerate(ours):
        places[word] = places.get(word, 0) | 1 << i
    full = (1 << len(ours)) - 1
    left = full
    for word in theirs:
        met = left & places.get(word, 0)
        left = (left + met | left - met) & full
    return start + end + len(ours) - left.bit_count()
