"""What a shape is: the way from a record to an example and back. One file a family."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ftprep.model import Example, Fault, Row, ShapeName
from ftprep.shapes.dialect import Parsed


class Shape(Protocol):
    """One form of examples, settled for one table (which columns, which keys); small, frozen and picklable."""

    @property
    def name(self) -> ShapeName:
        """Which of the shapes its examples have."""

    @property
    def dialect(self) -> str:
        """The name of the dialect that its records are written in: `openai-chat`."""

    def parse(self, record: dict[str, Any]) -> Parsed:
        """The record in the wire form of the shape, which the rules look at, with the way back for pointers."""

    def read(self, row: Row) -> bool:
        """Set `row.example` from `row.record` if the record is sound in every respect that the FMT rules of this shape
        look at; False, with the row untouched, otherwise. Fast: called for each row."""

    def example_of(self, record: dict[str, Any]) -> Example | None:
        """The example of a record in the wire form, None where it is not sound."""

    def faults(self, record: dict[str, Any]) -> Iterator[Fault]:
        """What the shape alone can say of a record that `read` refused, since only it knows which columns it needs;
        their cards are bare FMT rules. The FMT rules that look at the record themselves come on top."""

    def read_loosely(self, record: dict[str, Any]) -> Example | str:
        """The example of a record that `read` refused but in which no rule found an error (an unknown extra key, a
        number for a text, say); a sentence that says what is wrong where there is none after all."""

    def write(self, example: Example) -> bytes:
        """The example as one JSON line without its line end: compact, UTF-8, `/` not escaped. Raises CannotConvert
        where the example says what the dialect has no place for."""


@dataclass(frozen=True)
class Detected:
    """What was made of the head of a table: the shape or None, and why, in words for a person.

    `faults` are about the table as a whole (columns taken by another name, say); `extra` are columns not used.
    """

    shape: Shape | None
    reason: str
    faults: tuple[Fault, ...] = ()
    extra: tuple[str, ...] = ()
