"""What is done to the texts of a chunk all at once, since that costs a fraction of doing it to each."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate, compress
from typing import Any, Final

from ftprep.characters import ALL, WHITE, kinds_in

PAYS_AFTER: Final = 16_000_000
"""Bytes after which importing numpy (0.1 s) has paid for itself: it saves about 6 ns a byte."""

_seen = 0


def numpy_for(size: int) -> Any:
    """numpy to handle so many bytes, None as long as there was not enough to do for it."""
    global _seen  # noqa: PLW0603 - how much there is to do is known to nobody, so it is counted
    if _seen < PAYS_AFTER:
        _seen += size
        return None
    import numpy as np

    return np


def expect_numpy() -> None:
    """Import numpy now, so that forked workers share it, and count on it from here on."""
    global _seen  # noqa: PLW0603 - as above
    import numpy as np

    del np
    _seen = max(_seen, PAYS_AFTER)


def begins(np: Any, *columns: Any) -> Any:
    """Where something stands in sorted columns that does not stand before."""
    there = np.ones(len(columns[0]), np.bool_)
    there[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return there


_RUNS = re.compile(b"  +")


def squeeze(data: bytes) -> bytes:
    """The data with one blank for each run of blanks."""
    np = numpy_for(len(data))
    if np is None:
        return _RUNS.sub(b" ", data)
    blank = np.frombuffer(data, np.uint8) == 32
    spare = np.flatnonzero(blank[1:] & blank[:-1])  # blanks that another follows
    if not len(spare):
        return data
    leaps = np.flatnonzero(np.diff(spare) > 1)
    starts = [0, *(spare[leaps] + 1).tolist(), int(spare[-1]) + 1]
    ends = [int(spare[0]), *spare[leaps + 1].tolist(), len(data)]
    return b"".join([data[start:end] for start, end in zip(starts, ends, strict=True)])


_CAPITALS, _SMALL = bytes(range(65, 91)), bytes(range(97, 123))


def count_letters(data: bytes) -> tuple[int, int]:
    """Capital and small letters of ASCII in UTF-8, in which no other character has such a byte."""
    np = numpy_for(len(data))
    if np is None:
        rest = data.translate(None, _SMALL)
        return len(rest) - len(rest.translate(None, _CAPITALS)), len(data) - len(rest)
    codes = np.frombuffer(data, np.uint8)
    return int(np.count_nonzero(codes - 65 < 26)), int(np.count_nonzero(codes - 97 < 26))


def count_quotes(data: bytes) -> int:
    """The quotation marks in JSON that begin or end a text: those with no backslash before them, or an even number."""
    np = numpy_for(len(data))
    if np is not None:
        codes = np.frombuffer(data, np.uint8)
        slashes = np.flatnonzero(codes == 92)
        escaping = slashes[codes[np.minimum(slashes + 1, len(codes) - 1)] == 34]
        if not (codes[escaping - 1] == 92).any():
            return int(np.count_nonzero(codes == 34)) - len(escaping)
    return data.count(b'"') - data.replace(b"\\\\", b"").count(b'\\"')


def count_lines(data: bytes) -> int:
    """The line feeds in it."""
    np = numpy_for(0)  # too little to import it for
    return data.count(b"\n") if np is None else int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))


_CONTROLS: Final = bytes({*range(32), 127} - {9, 10, 13})
_NO_CONTROLS: Final = bytes(sorted(set(range(256)) - set(_CONTROLS)))


def count_controls(data: bytes) -> int:
    """Control characters in UTF-8: those below 32 but tab and line ends, and 127."""
    np = numpy_for(len(data))
    if np is None:
        return len(data.translate(None, _NO_CONTROLS))
    codes = np.frombuffer(data, np.uint8)
    white = np.count_nonzero(codes - 9 < 2) + np.count_nonzero(codes == 13)
    return int(np.count_nonzero(codes < 32) + np.count_nonzero(codes == 127) - white)


LONG_WORD: Final = 20
"""Characters of a word that is found by `long_words`."""

_LONG_WORD = re.compile(rb"[A-Za-z0-9_-]{%d}" % LONG_WORD)


def long_words(data: bytes) -> Sequence[int]:
    """Where, in UTF-8, LONG_WORD letters of ASCII, digits, hyphens and underscores in a row may be: at least one place
    in each such stretch, in no order; a list, or an array of numpy."""
    np = numpy_for(len(data))
    if np is None:
        return [found.start() for found in _LONG_WORD.finditer(data)]
    codes = np.frombuffer(data, np.int8)  # what is not ASCII is negative, and ends a word like all below "0"
    marks = codes.view(np.uint8) - 58 < 7  # those between "9" and "A"
    ends = np.packbits((codes < 48) ^ (codes == 45) | marks)  # a bit for each character
    whole = ends == 0
    # Of twenty in a row sixteen fill two bytes, or eight fill one, and then four are next to it on either side.
    two = np.flatnonzero(whole[:-1] & whole[1:])
    one = np.flatnonzero(whole[1:-1] & ((ends[:-2] & 15 | ends[2:] & 240) == 0)) + 1
    return 8 * np.concatenate((two, one))  # type: ignore[no-any-return]


_FORM: Final = bytes.maketrans(b"0123456789", b"0" * 10)


class Joined:
    """Those of some texts that are chosen (a byte for each, 1 or 0), as one with U+0001 between them."""

    def __init__(self, texts: list[str], chosen: bytes) -> None:
        self.texts = texts = list(compress(texts, chosen)) if 0 in chosen else texts
        self._chosen = chosen
        self.text = "\1".join(texts)
        self._holding: dict[bytes, set[int]] = {}

    @cached_property
    def numbers(self) -> Sequence[int]:
        """The numbers of the chosen among all texts."""
        every = range(len(self._chosen))
        return every if len(self.texts) == len(every) else list(compress(every, self._chosen))

    @cached_property
    def said(self) -> bytes:
        """Its UTF-8."""
        return self.text.encode("utf-8", "surrogatepass")

    @cached_property
    def kinds(self) -> int:
        """The sets of characters of which one may stand in the texts (see `characters`)."""
        if self.text.isascii():
            return 0
        np = numpy_for(len(self.text))
        return ALL if np is None else kinds_in(np, self.text)

    @cached_property
    def form(self) -> bytes:
        """Its UTF-8 with each digit as 0."""
        return self.said.translate(_FORM)

    def at_bytes(self, places: Sequence[int]) -> set[int]:
        """The numbers of the texts in which these places of its UTF-8 are."""
        ends = self._said_ends
        if isinstance(ends, list):
            which = {bisect_left(ends, place) for place in places}
        else:
            which = set(ends.searchsorted(places).tolist())
        return {self.numbers[i] for i in which}

    def of_size(self, least: int) -> list[str]:
        """The texts of so many characters or more."""
        ends = self._said_ends
        if not isinstance(ends, list):
            import numpy as np

            long = np.flatnonzero(np.diff(ends, prepend=-1) > least).tolist()  # bytes, and one for what is between
            return [self.texts[i] for i in long if len(self.texts[i]) >= least]
        return [text for text in self.texts if len(text) >= least]

    @cached_property
    def has_blank(self) -> bool:
        """Whether a text is empty or only white space."""
        ends = self._said_ends
        if not isinstance(ends, list) and not self.kinds & WHITE:
            import numpy as np

            firsts = np.frombuffer(self.said + b"\1", np.uint8)[np.append(0, ends[:-1] + 1)]
            maybe = np.flatnonzero(firsts <= 32).tolist()  # few begin with white space, or with what is between them
            return any(not text or text.isspace() for text in (self.texts[i] for i in maybe))
        return "" in self.texts or any(map(str.isspace, self.texts))

    def holding(self, needle: bytes) -> set[int]:
        """The numbers of the texts whose form holds a needle."""
        if needle not in self._holding:
            found, at = set[int](), self.form.find(needle)
            while at >= 0:
                which = bisect_left(self._said_ends, at)
                found.add(self.numbers[which])
                at = self.form.find(needle, self._said_ends[which] + 1)
            self._holding[needle] = found
        return self._holding[needle]

    def matching(self, pattern: re.Pattern[str]) -> set[int]:
        """The numbers of the texts in which a pattern is found; one that is never found over the bounds of a text."""
        found, at = set[int](), find(pattern, self.text)
        while at >= 0:
            which = bisect_left(self._text_ends, at)
            found.add(self.numbers[which])
            at = find(pattern, self.text, self._text_ends[which] + 1)
        return found

    @cached_property
    def _text_ends(self) -> Sequence[int]:
        """Where each of the texts ends."""
        return self._said_ends if len(self.said) == len(self.text) else _ends(map(len, self.texts))

    @cached_property
    def _said_ends(self) -> Any:
        """Where each of the texts ends in its UTF-8: a list, or an array of numpy."""
        np = numpy_for(len(self.said))
        if np is not None:
            between = np.flatnonzero(np.frombuffer(self.said, np.uint8) == 1)
            if len(between) == len(self.texts) - 1:  # no text holds U+0001
                return np.append(between, len(self.said))
        return _ends(len(text.encode("utf-8", "surrogatepass")) for text in self.texts)


def _ends(lengths: Iterable[int]) -> list[int]:
    """Where texts of these lengths end, with one character between them."""
    return [number + end for number, end in enumerate(accumulate(lengths))]


_SWAP: Final = bytes([1, 0, *range(2, 256)])


def apart(texts: list[str], plain: bytes) -> tuple[Joined, Joined]:
    """Those of the texts that are ASCII (1 in `plain`), and the others: a search in one byte a character is faster."""
    return Joined(texts, plain), Joined(texts, plain.translate(_SWAP))


def plain_of(texts: Iterable[str]) -> bytes:
    """Which texts are ASCII: 1 for one that is."""
    return bytes(list(map(str.isascii, texts)))


class Texts(list[str]):
    """Some texts in order, and what they are one behind the other."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """The texts as these, as they are if they are some already."""
        return texts if isinstance(texts, cls) else cls(texts)

    @cached_property
    def plain(self) -> bytes:
        """Which of them are ASCII: 1 for one that is."""
        return plain_of(self)

    @cached_property
    def parts(self) -> tuple[Joined, Joined]:
        """Those of ASCII, and the others."""
        # A list of their own, lest they hold each other: nothing looks for circles while there is work.
        return apart(list(self), self.plain)

    @property
    def kinds(self) -> int:
        """The sets of characters of which one may stand in them (see `characters`)."""
        return self.parts[1].kinds


def find(pattern: re.Pattern[str], text: str, at: int = 0) -> int:
    """Where a pattern is found first from a place on, -1 if nowhere: from one to the next of the character that it
    begins with, if that is one and rare, since `str` looks for one character five times as fast as `re`, and 20
    times as fast as for several."""
    if first := _first(pattern):
        for _ in range(_HOPS + (len(text) - at) // _GAP):
            at = text.find(first, at)
            if at < 0:
                return -1
            if pattern.match(text, at):
                return at
            at += 1
    found = pattern.search(text, at)
    return found.start() if found else -1


_HOPS, _GAP = 16, 1000  # a character is rare that stands no more often than once in a thousand


@lru_cache(maxsize=1000)
def _first(pattern: re.Pattern[str]) -> str:
    """The character that all that a pattern finds begins with, "" if that cannot be told at once."""
    first, rest = _FIRST.match(pattern.pattern), pattern.pattern
    while (outer := _NESTED.sub("", rest)) != rest:
        rest = outer
    return (first[1] or first[2]) if first and "|" not in rest and not pattern.flags & re.IGNORECASE else ""


# One character of its own, escaped or not, that nothing repeats.
_FIRST: Final = re.compile(r"(?:\\([^A-Za-z0-9])|([^\\.^$*+?{}\[\]()|]))(?![*?{])")
# What is escaped, sets of characters, and groups with no group in them.
_NESTED: Final = re.compile(r"(?s:\\.)|\[\^?\]?(?:\\.|[^\]\\])*\]|\([^()]*\)")


def holds(text: str, needle: str) -> bool:
    """Whether `needle` stands in a long text: `in`, but by its rarest character."""
    return find(_pattern(needle), text) >= 0


# From the rarer to the commoner, as in 12 million characters of instructions in English and code; all others are rarer.
_COMMON = "^\t~@QX&Z\\`|KVUG%Y!ONLBR][FJD9}EP{7_M\"C/8AS:H;*W+-$6#T)(zj34q'5?><x21I=,\nk.0vbwygfpmuldchsironate "


@lru_cache(maxsize=1000)
def _pattern(needle: str) -> re.Pattern[str]:
    """What finds a text by its rarest character."""
    shift = min(range(len(needle)), key=lambda i: _COMMON.find(needle[i]))
    before, rare, behind = map(re.escape, (needle[: shift + 1], needle[shift], needle[shift + 1 :]))
    return re.compile(f"{rare}(?<={before})(?={behind})")
