"""Which examples say nearly the same: candidates by the rarest runs of three words, each then compared word by word."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, repeat
from typing import Final, NamedTuple

from xxhash import xxh3_64_intdigest

from ftprep.saidsurvey import Said

PART: Final = 0.8
"""The share of words that system message, question and answer must each have in common: a label must be the same."""

_TRIED: Final = 8
"""Earlier examples that one is compared with at most: those that share most of its rare runs of words."""

_LONGEST: Final = 8000
"""Words between what two texts begin and end with alike, beyond which they are not compared (0.1 s)."""

PAYS_AFTER: Final = 50_000
"""Words from which importing numpy (0.1 s) pays."""

# Characters of scripts that put no blanks between words count as a word each.
_CLOSE: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_WORD: Final = re.compile(f"[{_CLOSE}]|[^\\W{_CLOSE}]+(?:['’][^\\W{_CLOSE}]+)*")
_PLAIN_WORD: Final = re.compile(r"[a-z0-9_]+(?:'[a-z0-9_]+)*")
_FIGURE: Final = re.compile(r"\d+|-(?=\d)|[<>=+*/%&|^~×÷−]")
_TELLING: Final = frozenset(
    [
        "not",
        "no",
        "never",
        "none",
        "nor",
        "without",
        "cannot",
        "cant",
        "dont",
        "isnt",
        "true",
        "false",
        "yes",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "twenty",
        "thirty",
        "hundred",
        "thousand",
        "million",
        "first",
        "second",
        "third",
        "half",
        "twice",
        "不",
        "没",
        "無",
        "无",
        "非",
        "未",
        "否",
        "二",
        "三",
        "四",
        "五",
        "六",
        "七",
        "八",
        "九",
        "十",
        "百",
        "千",
        "万",
        "两",
    ]
)
"""Words that make another thing of an example when they alone differ: numbers, and what turns a sentence round."""


class Near(NamedTuple):
    """A later example, the earlier one that it repeats (ordinals), and the share of words that both have."""

    number: int
    first: int
    share: float


class _Told(NamedTuple):
    """One example for comparison: the words of system message, question and answer, and question and answer without the
    words that very many examples share."""

    parts: tuple[list[str], list[str], list[str]]
    rest: tuple[list[str], list[str]]


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without marks."""
    small = text.casefold()
    return _PLAIN_WORD.findall(small) if small.isascii() else _WORD.findall(small.replace("’", "'"))


def find_near(rows: Iterable[Said], least: float) -> list[Near]:
    """Each example that shares at least `least` of its words, in their order, with an earlier one which is not itself
    such a repetition; in the order of rows, and whatever order they come in."""
    ordered = sorted(rows)
    runs = _Runs(ordered, least)
    firsts: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    told: dict[int, _Told] = {}
    found: list[Near] = []
    for place, keys in sorted(runs.rarest().items()):
        row = ordered[place]
        mark = _telling(row)
        shared = Counter(chain.from_iterable(firsts.get((key, mark), ()) for key in keys))
        nearest = sorted(shared, key=lambda p: (-shared[p], p))[:_TRIED]
        if nearest:
            told[place] = runs.told(place)
        for first in sorted(nearest):
            if first not in told:
                told[first] = runs.told(first)
            share = _share(told[first], told[place], least)
            # One question asked twice is no matter where only questions count: it may have several pairs of answers.
            if share >= least and (share < 1 or row.answer):
                found.append(Near(row.number, ordered[first].number, share))
                told.pop(place)
                break
        else:
            for key in keys:
                firsts[key, mark].append(place)
    return found


def _telling(row: Said) -> bytes:
    """What must be the same in both: numbers and signs, words that turn a sentence round, what is beside the words."""
    text = f"{row.system}\n{row.question}\0{row.answer}"
    words = [w for w in words_of(text) if w in _TELLING or w.endswith("n't")]
    return repr((_FIGURE.findall(text), words, row.beside)).encode("utf-8", "surrogatepass")


def _share(one: _Told, other: _Told, least: float) -> float:
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
    if share in (0.0, 1.0) or share < least:
        return share if share >= least else 0.0
    own = _over([in_common(a, b) for a, b in zip(one.rest, other.rest, strict=True)], one.rest, other.rest)
    return share if own >= least else 0.0


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


_FACTORS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
_BITS: Final = (1 << 64) - 1
_EDGE, _MIDDLE, _LAST = range(3)


class _Runs:
    """Runs of three words as numbers, and in how many places each occurs."""

    def __init__(self, rows: list[Said], least: float) -> None:
        self.rows, self.least = rows, least
        known: defaultdict[str, int] = defaultdict(count(3).__next__)
        self.words = array("I")
        self.bounds = [0]
        for row in rows:
            question = map(known.__getitem__, words_of(row.question))
            answer = map(known.__getitem__, words_of(row.answer))
            self.words.extend(chain((_EDGE,), question, (_MIDDLE,), answer, (_LAST,)))
            self.bounds.append(len(self.words))
        self.known = dict(known)
        # What more examples share than this is a template: instructions, examples within the prompt.
        size = len(rows)
        self.limit = max(3, min(size // 5, max(10, size // 50)))
        self.common: set[int] = set()

    def _wanted(self, place: int) -> int:
        """How many of an example's rarest runs are looked at: of two that are near enough, one of these is in both,
        since a word that differs breaks three."""
        return 3 * int((1 - self.least) * (self.bounds[place + 1] - self.bounds[place]) + 1) + 1

    def rarest(self) -> dict[int, list[int]]:
        """For each example (by its place) that may have a near one, the rarest of its runs that occur elsewhere."""
        large = len(self.words) >= PAYS_AFTER
        found = self._rarest_of_many() if large else self._rarest_of_few()
        whole = [
            xxh3_64_intdigest(self.words[start:end].tobytes())
            for start, end in zip(self.bounds, self.bounds[1:], strict=False)
        ]
        times = Counter(whole)
        for place, key in enumerate(whole):
            if times[key] > 1:
                found.setdefault(place, []).append(key)
        return found

    def _rarest_of_few(self) -> dict[int, list[int]]:
        runs = [self._of(place) for place in range(len(self.rows))]
        times = Counter(chain.from_iterable(runs))
        self.common = {run for run, number in times.items() if number > self.limit}
        found: dict[int, list[int]] = {}
        for place, own in enumerate(runs):
            first = sorted((times[run], run) for run in set(own))[: self._wanted(place)]
            if keys := [run for number, run in first if 1 < number <= self.limit]:
                found[place] = keys
        return found

    def _of(self, place: int) -> list[int]:
        """The runs of one example, in order."""
        words = self.words[self.bounds[place] : self.bounds[place + 1]]
        a, b, c = _FACTORS
        return [(x * a + y * b + z * c) & _BITS for x, y, z in zip(words, words[1:], words[2:], strict=False)]

    def _rarest_of_many(self) -> dict[int, list[int]]:
        """The same as `_rarest_of_few`, in arrays."""
        import numpy as np

        words = np.frombuffer(self.words, np.uint32).astype(np.uint64)
        bounds = np.array(self.bounds)
        a, b, c = (np.uint64(f) for f in _FACTORS)
        places = np.repeat(np.arange(len(self.rows)), np.diff(bounds))[:-2]
        inside = places == np.repeat(np.arange(len(self.rows)), np.diff(bounds))[2:]
        runs = (words[:-2] * a + words[1:-1] * b + words[2:] * c)[inside]
        places = places[inside]
        del words, inside
        ordered = np.sort(runs)
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        times = np.diff(np.append(starts, len(ordered)))
        values = ordered[starts]
        again = times > 1  # few: nearly all runs of three words occur once
        values, times = values[again], times[again]
        self.common = set(values[times > self.limit].tolist())
        at = np.minimum(np.searchsorted(values, runs), max(0, len(values) - 1))
        shared = values[at] == runs if len(values) else np.zeros(len(runs), bool)
        wanted = np.array([self._wanted(place) for place in range(len(self.rows))])
        left = wanted - np.bincount(places[~shared], minlength=len(self.rows))
        shared &= (left > 0)[places]
        found: dict[int, list[int]] = {}
        rows, numbers, keys = places[shared], times[at[shared]], runs[shared]
        for place, group in _grouped(rows.tolist(), zip(numbers.tolist(), keys.tolist(), strict=True)):
            first = sorted(set(group))[: int(left[place])]
            if own := [run for number, run in first if number <= self.limit]:
                found[place] = own
        return found

    def told(self, place: int) -> _Told:
        """The words of one example, and those that are its own."""
        row = self.rows[place]
        question, answer = words_of(row.question), words_of(row.answer)
        held = bytearray(repeat(1, len(question) + len(answer) + 3))
        for i, run in enumerate(self._of(place)):
            if run in self.common:
                held[i : i + 3] = b"\0\0\0"
        asked = held[1 : 1 + len(question)]
        replied = held[2 + len(question) : -1]
        rest = [w for w, own in zip(question, asked, strict=True) if own]
        other = [w for w, own in zip(answer, replied, strict=True) if own]
        return _Told((words_of(row.system), question, answer), (rest, other))


def _grouped(places: list[int], items: Iterable[tuple[int, int]]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Items by place; those of one place stand together."""
    group: list[tuple[int, int]] = []
    last = -1
    for place, item in zip(places, items, strict=True):
        if place != last and group:
            yield last, group
            group = []
        last = place
        group.append(item)
    if group:
        yield last, group
