"""Where the parts of a JSON document begin and end, told by its brackets and quotes alone: so that records are decoded
one by one, each with its line, and a broken one does not take the others with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ftprep.model import Fault

# Possessive repeats only over what cannot backtrack: Python before 3.11.5 gets the others wrong (gh-106052).
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING = re.compile(_TEXT, re.DOTALL)
# A container without containers in it, then single tokens; a quote alone opens a string that never closes.
_FLAT = rb'[{\[][^"{}\[\]]*+(?:' + _TEXT + rb'[^"{}\[\]]*+)*+[}\]]'
_TOKEN = re.compile(rb"(?P<flat>" + _FLAT + rb")|" + _TEXT + rb'|[{\[]|[}\]]|"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,:\[\]{}"]+')
_COMMENT = re.compile(rb"(?://|#)[^\n]*|/\*(?s:.*?)(?:\*/|\Z)")
_BLANK = re.compile(rb"[ \t\r\n]*")


class Element(msgspec.Struct, frozen=True):
    """One value of a document with the line and column on which it starts."""

    line: int
    column: int
    value: Any


class Trouble(msgspec.Struct, frozen=True):
    """Something between the values that should not be there, or the place from which nothing can be read."""

    line: int
    fault: Fault


class Member(msgspec.Struct, frozen=True):
    """A key of an object, and where its value stands; `end` is -1 where the value never ends."""

    key: str
    start: int
    end: int


class _Ruler:
    """Line and column of positions that only grow."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.line = 1
        self.column = 1

    def to(self, at: int) -> None:
        """Moves on to a position."""
        passed = self.data[self.at : at]
        if lines := passed.count(b"\n"):
            self.line += lines
            self.column = 1
            passed = passed[passed.rfind(b"\n") + 1 :]
        self.column += len(passed.decode("utf-8", "replace"))
        self.at = at


def after_blank(data: bytes, at: int) -> int:
    """The first position from `at` on that is not white space."""
    match = _BLANK.match(data, at)
    return match.end() if match else at


def end_of(data: bytes, at: int) -> int:
    """The position after the value that starts at `at`; -1 where it never ends, 0 where no value starts."""
    if data[at : at + 1] == b'"':
        string = _STRING.match(data, at)
        return string.end() if string else -1
    if data[at : at + 1] not in (b"{", b"["):
        scalar = _SCALAR.match(data, at)
        return scalar.end() if scalar else 0
    depth = 0
    for token in _TOKEN.finditer(data, at):
        first = token[0][0] if token.lastgroup is None else 0
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
        elif first == 0x22 and len(token[0]) == 1:
            return -1
        if depth == 0:
            return token.end()
    return -1


def elements(data: bytes, start: int, longest: int, alone: bool = False) -> Iterator[Element | Trouble]:
    """The elements of the array that starts at `start`, each cut one byte past `longest`; `alone` where nothing may
    follow it."""
    ruler = _Ruler(data)
    ruler.to(start)
    opened, at = ruler.line, start + 1
    due = True  # an element may stand here
    first = True
    while True:
        at = after_blank(data, at)
        ruler.to(at)
        char = data[at : at + 1]
        if not char:
            message = f"the file ends inside the array that starts on line {opened}"
            yield Trouble(ruler.line, Fault("IO116", message, column=ruler.column))
            return
        if char == b"]":
            if due and not first:
                yield _trouble(ruler, "trailing comma after the last element")
            break
        if char == b",":
            if due:
                yield _trouble(ruler, "a comma where an element should stand")
            due, first, at = True, False, at + 1
            continue
        if comment := _COMMENT.match(data, at):
            yield _trouble(ruler, "a comment; JSON has none")
            at = comment.end()
            continue
        if not due:
            yield _trouble(ruler, "no comma between two elements")
        end = end_of(data, at)
        yield from _element(data, at, end, ruler, longest)
        if end <= 0:
            return
        due, first, at = False, False, end
    at = after_blank(data, at + 1)
    if alone and at < len(data):
        ruler.to(at)
        yield _trouble(ruler, "something stands after the end of the array, and was not read")


def values(data: bytes, longest: int) -> Iterator[Element | Trouble]:
    """Values that stand one after the other, with white space between them."""
    ruler = _Ruler(data)
    at = after_blank(data, 0)
    while at < len(data):
        ruler.to(at)
        if data[at : at + 1] == b",":
            yield _trouble(ruler, "a comma between values; an array of records stands in [ ]")
            at = after_blank(data, at + 1)
            continue
        if comment := _COMMENT.match(data, at):
            yield _trouble(ruler, "a comment; JSON has none")
            at = after_blank(data, comment.end())
            continue
        end = end_of(data, at)
        yield from _element(data, at, end, ruler, longest)
        if end <= 0:
            return
        at = after_blank(data, end)


def _element(data: bytes, at: int, end: int, ruler: _Ruler, longest: int) -> Iterator[Element | Trouble]:
    """One element, and the trouble that nothing after it can be read where it has no end."""
    line, column = ruler.line, ruler.column
    # One byte past the bound is enough to know that a record is too long.
    stop = min(end, at + longest + 1) if end > 0 else min(len(data), at + longest)
    yield Element(line, column, data[at:stop])
    if end > 0:
        return
    why = "the file ends inside a record, or a quote or bracket is never closed" if end < 0 else "no value starts here"
    message = f"{why}; the rest of the document, from line {line} on, cannot be read"
    yield Trouble(line, Fault("IO116" if end < 0 else "IO104", message, column=column))


def _trouble(ruler: _Ruler, message: str) -> Trouble:
    return Trouble(ruler.line, Fault("IO104", message, column=ruler.column))


def members(data: bytes, start: int) -> tuple[list[Member], int]:
    """The members of the object that starts at `start`, as far as they can be told, and the position after it (-1
    where its end cannot be told)."""
    found: list[Member] = []
    at = after_blank(data, start + 1)
    if data[at : at + 1] == b"}":
        return found, at + 1
    while key := _STRING.match(data, at):
        colon = after_blank(data, key.end())
        value = after_blank(data, colon + 1)
        end = end_of(data, value) if data[colon : colon + 1] == b":" else 0
        if end == 0:
            return found, -1
        try:
            found.append(Member(json.loads(key[0]), value, end))
        except ValueError:
            return found, -1
        at = after_blank(data, end) if end > 0 else len(data)
        if data[at : at + 1] != b",":
            return found, at + 1 if data[at : at + 1] == b"}" else -1
        at = after_blank(data, at + 1)
    return found, -1


def cells(data: bytes, start: int) -> Iterator[Element]:
    """The values of the members of an object, each with its line."""
    ruler = _Ruler(data)
    for member in members(data, start)[0]:
        ruler.to(member.start)
        yield Element(ruler.line, ruler.column, data[member.start : member.end])
