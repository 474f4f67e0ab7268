"""The words of examples and their runs of three: which of an example's rarest runs occur in another one too."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from itertools import chain, count, repeat
from typing import Any, Final, NamedTuple

from xxhash import xxh3_64_intdigest

from ftprep.later import later
from ftprep.saidsurvey import Said

PAYS_AFTER: Final = 50_000
"""Words from which importing numpy (0.1 s) pays."""

# Characters of scripts that put no blanks between words count as a word each.
_CLOSE: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
# All else but blanks and punctuation is part of a word: vowel signs, pictures.
_NONE: Final = (
    r"\s!-/:-@\[-^`{-~\x7f-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\u2000-\u206f\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40"
    r"\uff5b-\uff65\ufe30-\ufe4f\u060c\u061b\u061f\u06d4\u0964\u0965\ufffd\ufe0f"
)
_WORD: Final = later(f"[{_CLOSE}]|[^{_NONE}{_CLOSE}]+(?:'[^{_NONE}{_CLOSE}]+)*")
_PLAIN_WORD: Final = re.compile(r"[a-z0-9_]+(?:'[a-z0-9_]+)*")
_FIGURE: Final = re.compile(r"\d+|-(?=\d)|[<>=+*/%&|^~×÷−#$€£]")
_TELLING: Final = frozenset(
    re.findall(
        r"\w+",
        "not no never none nor without cannot cant dont isnt false wrong she woman female "
        "two three four five six seven eight nine ten eleven twelve twenty thirty hundred thousand million "
        "second third last half twice double after below down left less least min minimum smallest lowest low lower "
        "decrease decreasing descending odd subtract old close stop sell "
        "monday tuesday wednesday thursday friday saturday sunday",
    )
) | frozenset("不没無无非未否二三四五六七八九十百千万两小女左下后低")
"""Words that make another thing of an example when they alone differ: numbers, what turns a sentence round, and of two
opposites the rarer one, since where one is put for the other that one differs too."""


class Told(NamedTuple):
    """One example for comparison: the words of system message, question and answer, and question and answer without the
    words that very many examples share."""

    parts: tuple[list[str], list[str], list[str]]
    rest: tuple[list[str], list[str]]


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without marks."""
    small = text.casefold()
    return _PLAIN_WORD.findall(small) if small.isascii() else _WORD.findall(small.replace("’", "'"))


_FACTORS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
_BITS: Final = (1 << 64) - 1
_EDGE, _MIDDLE, _LAST = range(3)


class Runs:
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
        self.turning = frozenset(n for word, n in known.items() if word in _TELLING or word.endswith("n't"))
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
        places: list[int] = []
        rarest: list[int] = []
        for place, own in enumerate(runs):
            # A run that occurs twice in one example and nowhere else counts as two, in both ways of counting.
            alone = list(map(times.__getitem__, own)).count(1)
            again = sorted((times[run], run) for run in set(own) if times[run] > 1)
            keys = [run for number, run in again[: max(0, self._wanted(place) - alone)] if number <= self.limit]
            places += [place] * len(keys)
            rarest += keys
        return _grouped(places, rarest)

    def _of(self, place: int) -> list[int]:
        """The runs of one example, in order."""
        words = self.words[self.bounds[place] : self.bounds[place + 1]]
        a, b, c = _FACTORS
        return [(x * a + y * b + z * c) & _BITS for x, y, z in zip(words, words[1:], words[2:], strict=False)]

    def _rarest_of_many(self) -> dict[int, list[int]]:
        """The same as `_rarest_of_few`, in arrays."""
        import numpy as np

        size = len(self.rows)
        words, bounds = np.frombuffer(self.words, np.uint32).astype(np.uint64), np.array(self.bounds)
        places = np.repeat(np.arange(size, dtype=np.uint32), np.diff(bounds))
        inside = places[:-2] == places[2:]
        a, b, c = (np.uint64(f) for f in _FACTORS)
        runs = (words[:-2] * a + words[1:-1] * b + words[2:] * c)[inside]
        places = places[:-2][inside]
        times = _times(np, runs)
        self.common = set(np.unique(runs[times > self.limit]).tolist())
        alone = np.bincount(places[times == 1], minlength=size)
        left = np.array([self._wanted(place) for place in range(size)]) - alone
        shared = (times > 1) & (left > 0)[places]
        runs, times, places = runs[shared], times[shared], places[shared]
        order = np.lexsort((runs, times, places))
        runs, times, places = runs[order], times[order], places[order]
        # Each run of an example once, then as many as are wanted of each.
        fresh = np.append(True, (runs[1:] != runs[:-1]) | (places[1:] != places[:-1]))[: len(runs)]
        runs, times, places = runs[fresh], times[fresh], places[fresh]
        rank = np.arange(len(runs)) - np.searchsorted(places, places)
        chosen = (rank < left[places]) & (times <= self.limit)
        runs, places = runs[chosen], places[chosen]
        again = _times(np, runs) > 1
        return _grouped(places[again].tolist(), runs[again].tolist())

    def telling(self, place: int) -> bytes:
        """What must be the same in both: numbers and signs, words that turn a sentence round, what is beside words."""
        row = self.rows[place]
        figures = _FIGURE.findall(f"{row.system}\n{row.question}\0{row.answer}")
        words = [w for w in self.words[self.bounds[place] : self.bounds[place + 1]] if w in self.turning]
        return repr((figures, words, row.beside)).encode("utf-8", "surrogatepass")

    def told(self, place: int) -> Told:
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
        return Told((words_of(row.system), question, answer), (rest, other))


def _times(np: Any, values: Any) -> Any:
    """Of each number of an array, how often it stands in it."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    lengths = np.diff(np.append(starts, len(ordered))).astype(np.uint32)
    times = np.empty(len(values), np.uint32)
    times[order] = np.repeat(lengths, lengths)
    return times


def _grouped(places: list[int], runs: list[int]) -> dict[int, list[int]]:
    """The runs of each place that another place has too."""
    times = Counter(runs)
    found: dict[int, list[int]] = {}
    for place, run in zip(places, runs, strict=True):
        if times[run] > 1:
            found.setdefault(place, []).append(run)
    return found
