"""What a dialect is: one provider's or trainer's way to write the records of a shape, read into OpenAI's form and back.

A record of a dialect is turned into what the same example looks like in the wire form of its shape, key by key and
without judging it; then the one set of rules looks at that, whatever the dialect was. `paths` leads their pointers back
to where the record says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from ftprep.later import later
from ftprep.model import Example, Fault, ShapeName

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Parsed:
    """A record in the wire form of its shape.

    `record` has keys of that form for what the dialect knows, and the record's other keys as they are. What is wrong in
    the original is wrong in the same way here: a turn without a text becomes a message without a content.
    `paths` says of JSON pointers into `record` where that stands in the original; of a pointer that is not there, its
    longest beginning counts, and what follows that is kept.
    """

    record: dict[str, Any]
    paths: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A record of a dialect made of an example, and what of the example the dialect has no place for, in words: `the
    weight of messages[2]`. Nothing is lost where `losses` is empty: reading the record gives the same example."""

    record: dict[str, Any]
    losses: tuple[str, ...] = ()


class Dialect(Protocol):
    """One form of records; a frozen value without state."""

    @property
    def name(self) -> str:
        """What users call it, in kebab-case: `sharegpt`."""

    @property
    def shape(self) -> ShapeName:
        """The shape its records have."""

    @property
    def title(self) -> str:
        """What it is, in a few words: `ShareGPT data (turns with from and value)`."""

    def fits(self, record: Record) -> bool:
        """Whether a record is of this form, by its keys and the kinds of their values; a record with mistakes in its
        contents still is. Two dialects may fit a record only where both read the same from it."""

    def parse(self, record: Record) -> Parsed:
        """The record in the wire form of the shape. Never raises, whatever the record holds."""

    def write(self, example: Example) -> Written:
        """An example of this shape as a record."""


def locate(paths: Mapping[str, str], pointer: str) -> str:
    """Where in the original record a pointer into the parsed one leads."""
    at = pointer
    while at:
        if at in paths:
            return paths[at] + pointer[len(at) :]
        at = at.rpartition("/")[0]
    return paths.get("", "") + pointer


_LEADS = later(r"([a-z_.]+(?:\[\d+\])?)(?=:)")


def located(fault: Fault, paths: Mapping[str, str]) -> Fault:
    """A fault of the parsed record as one of the original: the pointer, and the place that its message begins with."""
    if not paths:
        return fault
    message = _LEADS.sub(lambda m: _in_words(locate(paths, _pointer_of(m[1]))), fault.message, count=1)
    if not fault.message.startswith(tuple(_LISTS)):
        message = fault.message
    return msgspec.structs.replace(fault, message=message, pointer=locate(paths, fault.pointer))


_LISTS = ("messages[", "input.messages[", "preferred_output[", "non_preferred_output[", "output[")


def _pointer_of(words: str) -> str:
    return "/" + words.replace(".", "/").replace("[", "/").replace("]", "")


def _in_words(pointer: str) -> str:
    """`/conversations/2` as `conversations[2]`, as the messages of rules say it."""
    words = ""
    for part in pointer.split("/")[1:]:
        words += f"[{part}]" if part.isdecimal() else f".{part}" if words else part
    return words
