"""Where the records of a delimited file begin and end: decided on bytes, alike however the file is cut into blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

_WINDOW = 4 << 20
_ORDINARY_COLUMNS = 8
"""Wider tables are read by csv.reader alone, which is faster where cells are short."""

Kind = Literal["plain", "torn", "long"]


class Stretch(NamedTuple):
    """Neighbouring bytes of one kind: `plain` whole records as RFC 4180 has them; `torn` one record with a misplaced
    quote, up to the next line that is a whole record; `long` one line beyond the bound of a record. `reach` is how far
    behind its end was looked to tell where a torn one ends."""

    start: int
    end: int
    kind: Kind
    reach: int = 0


class Trouble(NamedTuple):
    """What is wrong with a torn record: the cell (from 1), the byte where it starts, and whether its quote is open."""

    cell: int
    at: int
    is_open: bool


class Cutter:
    """Finds the records of a file with one delimiter, one number of columns and line feeds as line ends.

    A quote opens a cell only at its start, as in RFC 4180; elsewhere it is text. A carriage return alone is text.
    Where a stretch ends depends on nothing before it, so a file may be cut behind any stretch that none before reaches
    beyond.
    """

    def __init__(self, delimiter: str, width: int, longest: int) -> None:
        self.longest = longest
        self._mark = mark = delimiter.encode()
        self._width = width
        here = re.escape(mark)
        # Possessive only where the body cannot backtrack: Python before 3.11.5 gets the others wrong (gh-106052).
        quoted = rb'"[^"]*+(?:""[^"]*+)*+"'
        if len(mark) == 1:
            first, more, calm = (rb"[^" + not_in + here + rb"\n]" for not_in in (rb'"', rb"", rb'"'))
        else:
            first, more, calm = (rb"(?:(?!" + here + rb")[^" + not_in + rb"\n])" for not_in in (rb'"', rb"", rb'"'))
        bare = rb"(?:" + first + more + rb"*+)?"
        # Text with an even number of quotes: what a line inside a torn record must be to pass for a whole record.
        even = rb"(?:" + first + calm + rb'*+(?:"' + calm + rb'*+"' + calm + rb"*+)*)?"
        last = rb"(?:" + quoted + rb"\r?|" + bare + rb")"
        cell = rb"(?:" + quoted + rb"|" + bare + rb")"
        cells = rb"(?:" + cell + here + rb")*"
        sound = rb"(?:(?:%b|%b)%b){%d}(?:%b\r?|%b)" % (quoted, even, here, width - 1, quoted, even)
        self.record = re.compile(cells + last + rb"\n")
        self._tail = re.compile(cells + last + rb"\Z")
        self._begun = re.compile(cells + rb"(?:" + quoted + rb'\r?|"[^"]*+(?:""[^"]*+)*+|' + bare + rb")\Z")
        self._sound = re.compile(sound + rb"(?:\n|\Z)")
        self._cell = re.compile(cell + here)
        self._quoted = re.compile(quoted)
        # Pairs of quotes, each next to a delimiter, a line end or a quote (or at an end of what is looked at).
        edge = rb'\n"' + (here if len(mark) == 1 else b"")
        self._edges = {b"\n", b'"', mark}
        self._pairs = re.compile(rb'(?:[^"]*+(?<![^%b])"[^"]*+"(?![^\r%b]|\r(?!\n)))*+' % (edge, edge))
        self.ordinary = _ordinary(here, width) if len(mark) == 1 and 1 < width <= _ORDINARY_COLUMNS else None

    def stretches(self, data: bytes, final: bool) -> Iterator[Stretch]:
        """The stretches from the start of `data`, which is the start of a record, as far as they are decided;
        `final` says that nothing follows."""
        at, trusting = 0, True
        while at < len(data):
            end = self._trusted(data, at) if trusting else -1
            trusting = end >= 0
            if end <= at:
                end = self._checked(data, at)
            if end > at:
                yield Stretch(at, end, "plain")
                at = end
                continue
            stretch = self._odd(data, at, final)
            if stretch is None:
                return
            yield stretch
            at = stretch.end

    def first(self, data: bytes, at: int, most: int) -> Stretch:
        """The stretch at `at`, of at most so many records where it is plain; nothing follows `data`."""
        end = at
        for _ in range(most):
            found = self.record.match(data, end, end + self.longest)
            if not found:
                break
            end = found.end()
        stretch = Stretch(at, end, "plain") if end > at else self._odd(data, at, final=True)
        assert stretch, "at the end everything is decided"
        return stretch

    def trouble(self, data: bytes) -> Trouble:
        """What is wrong with the torn record at the start of `data`."""
        number, at = 1, 0
        while found := self._cell.match(data, at):
            number, at = number + 1, found.end()
        return Trouble(number, at, not self._quoted.match(data, at))

    def is_whole(self, line: bytes) -> bool:
        """Whether a line (without its end) is a whole record of this table, with all its quotes in place."""
        found = self._sound.match(line)
        return found is not None and found.end() == len(line)

    def _trusted(self, data: bytes, at: int) -> int:
        """The end of the last whole record when each quote stands next to a delimiter, a line end or a quote, else -1
        (which says nothing): at C speed, for nearly all files."""
        bound = min(len(data), at + min(self.longest, _WINDOW))
        pairs = self._pairs.match(data, at, bound)
        begin = pairs.end() if pairs else at
        end = data.find(b'"', begin, bound)
        if end < 0:
            end = bound
        elif data.find(b'"', end + 1, bound) >= 0 or (end > at and data[end - 1 : end] not in self._edges):
            return -1
        while True:  # from the last text outside quotes to the first
            found = data.rfind(b"\n", begin, end)
            if found >= 0:
                return found + 1
            if begin <= at:
                return at
            end = data.rfind(b'"', at, begin - 1)
            begin = data.rfind(b'"', at, end) + 1 or at

    def _checked(self, data: bytes, at: int) -> int:
        """The end of the last whole record in a row, record by record."""
        while found := self.record.match(data, at, at + self.longest):
            at = found.end()
        return at

    def _odd(self, data: bytes, at: int, final: bool) -> Stretch | None:
        """The stretch at a place where no plain record ends, or None while more bytes are needed to say."""
        fits = len(data) - at <= self.longest
        if fits and final and self._tail.match(data, at):
            return Stretch(at, len(data), "plain")
        if fits and not final and self._begun.match(data, at):
            return None
        line_end = data.find(b"\n", at, at + self.longest) + 1
        if line_end and data.count(b'"', at, line_end) % 2 == 0:
            return Stretch(at, line_end, "torn")  # whatever is wrong with its quotes, the line has all of them
        if line_end:
            return self._torn(data, at, line_end, final)
        if fits:
            return Stretch(at, len(data), "torn") if final else None
        line_end = data.find(b"\n", at) + 1
        if line_end or final:
            return Stretch(at, line_end or len(data), "long")
        return None

    def _torn(self, data: bytes, start: int, at: int, final: bool) -> Stretch | None:
        """The torn record that starts at `start`, up to the first line from `at` on that is a whole record, or that
        would be one but for its own quotes."""
        reach = 0
        while at < len(data):
            bound = at + self.longest
            if at - start > self.longest:
                return Stretch(start, at, "torn", reach)
            found = self._sound.match(data, at, bound)
            if found and (final or data[found.end() - 1 : found.end()] == b"\n"):
                return Stretch(start, at, "torn", reach)
            if not final and len(data) <= bound and self._begun.match(data, at):
                return None
            line_end = data.find(b"\n", at, bound) + 1
            as_many = data.count(self._mark, at, line_end) == self._width - 1
            if line_end and as_many:
                whole = self.record.match(data, at, bound)
                if not whole:
                    return Stretch(start, at, "torn", reach)
                reach = max(reach, whole.end())
            if not line_end:
                if len(data) > bound:
                    return Stretch(start, at, "torn", reach)  # what follows is a line that is too long
                break
            at = line_end
        return Stretch(start, len(data), "torn") if final else None


def _ordinary(here: bytes, width: int) -> re.Pattern[bytes]:
    """One record as nearly all are, its cells in groups without their quotes; an empty match elsewhere.

    A cell that has no quotes around it has no two in a row either: so two in a group are one that was doubled.
    """
    quoted = rb'(?<=")[^"]*+(?:""[^"]*+)*+'
    text = rb'[^"\r\n%b]*+' % here
    bare = rb'(?<!")%b(?:(?!""|\r\n)["\r]%b)*+(?!")' % (text, text)
    cell = rb'"?+(%b|%b)"?+' % (quoted, bare)
    return re.compile(rb"(?:%b)\r?\n|" % here.join([cell] * width))


@lru_cache(maxsize=64)
def cutter(delimiter: str, width: int, longest: int) -> Cutter:
    """The cutter for a delimiter, a number of columns, and the bytes that a record may have."""
    return Cutter(delimiter, width, longest)


class Pieces:
    """Gathers blocks that are cut anywhere into runs of whole stretches.

    A line that is too long is shortened to one byte beyond the bound, so that it is known as such and never held.
    """

    def __init__(self, cut: Cutter) -> None:
        self._cut = cut
        self._held = b""
        self._passing = False
        self._enough = 0

    def take(self, block: bytes) -> bytes:
        """The stretches that the block makes whole, b"" where there are none."""
        if self._passing:
            line_end = block.find(b"\n")
            if line_end < 0:
                return b""
            block = block[line_end:]
            self._passing = False
        held = self._held + block
        if len(held) < self._enough:
            self._held = held
            return b""
        end = reach = 0
        for stretch in self._cut.stretches(held, final=False):
            reach = max(reach, stretch.reach)
            end = stretch.end if stretch.end >= reach else end
        piece, held = held[:end], held[end:]
        if len(held) > self._cut.longest and b"\n" not in held[: self._cut.longest + 1]:
            held = held[: self._cut.longest + 1]
            self._passing = True
        # A record over many blocks is looked at again only when twice as much of it is there.
        self._enough = 0 if end else min(2 * len(held), self._cut.longest + 1)
        self._held = held
        return piece

    def rest(self) -> bytes:
        """What is left at the end of the file."""
        held, self._held = self._held, b""
        return held
