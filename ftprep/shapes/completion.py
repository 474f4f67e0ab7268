"""Prompt/completion examples: read from two columns or templates, written as OpenAI's JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import msgspec

from ftprep.model import Example, Fault, Pair, Row, ShapeName
from ftprep.shapes.columns import normalise
from ftprep.shapes.dialect import Parsed
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind, quote
from ftprep.shapes.sight import strange
from ftprep.shapes.template import Piece, Template, exact_text, from_column, literal_text

_ENCODER = msgspec.json.Encoder()
_PROMPT, _COMPLETION = from_column("prompt"), from_column("completion")


@dataclass(frozen=True)
class PairShape:
    """Prompts and completions, each made of the columns that its template names."""

    prompt: Template = _PROMPT
    completion: Template = _COMPLETION
    name: ClassVar[ShapeName] = "completion"
    dialect: ClassVar[str] = "openai-completion"

    def parse(self, record: dict[str, Any]) -> Parsed:
        """The record itself."""
        return Parsed(record)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that an example is made of, each once."""
        return tuple(dict.fromkeys(self.prompt.columns + self.completion.columns))

    @cached_property
    def _plain(self) -> tuple[str, str]:
        return self.prompt.column, self.completion.column

    @cached_property
    def _whole(self) -> int:
        """How many keys a record has that holds the columns and no other; -1 where a template may do without some."""
        return len(self.columns) if all(self._plain) else -1

    def read(self, row: Row) -> bool:
        """Set the example if every value that is needed is text."""
        pair = self.example_of(row.record)
        if pair is None:
            return False
        row.example = pair
        return True

    def example_of(self, record: dict[str, Any]) -> Pair | None:
        """The pair that a record says, None where a value that is needed is missing or no text."""
        prompt_column, completion_column = self._plain
        prompt = record.get(prompt_column) if prompt_column else self.prompt.fill(record, exact_text)
        completion = record.get(completion_column) if completion_column else self.completion.fill(record, exact_text)
        if not isinstance(prompt, str) or not isinstance(completion, str):
            return None
        return Pair(prompt, completion, None if len(record) == self._whole else self._extra(record))

    def read_loosely(self, record: dict[str, Any]) -> Example | str:
        """The example with numbers and booleans as JSON writes them, or what is missing."""
        prompt = self.prompt.fill(record, literal_text)
        completion = self.completion.fill(record, literal_text)
        if prompt is None or completion is None:
            return "; ".join(f.message for f in self.faults(record)) or "no prompt and completion can be made of it"
        return Pair(prompt, completion, self._extra(record))

    def write(self, example: Example) -> bytes:
        """The prompt and the completion as one JSON line; other columns are left out."""
        if not isinstance(example, Pair):
            raise TypeError("a conversation has to be converted before it is written as prompt and completion")
        return _ENCODER.encode({"prompt": example.prompt, "completion": example.completion})

    def faults(self, record: dict[str, Any]) -> Iterator[Fault]:
        """What keeps the record from being read as it is (FMT101, FMT117, FMT120 to FMT122)."""
        needed = {p.column for t in (self.prompt, self.completion) for p in t.pieces if not p.optional}
        if needed and not any(c in record for c in needed):
            other = list(strange(record, self.dialect))
            if other:
                yield from other
                return
        for piece in self._pieces():
            yield from self._fault_of(record, piece)

    def _pieces(self) -> Iterator[Piece]:
        seen: set[str] = set()
        for piece in self.prompt.pieces + self.completion.pieces:
            if piece.column not in seen:
                seen.add(piece.column)
                yield piece

    def _fault_of(self, record: dict[str, Any], piece: Piece) -> Iterator[Fault]:
        column, pointer = piece.column, make_pointer(piece.column)
        value = record.get(column)
        what = f"{self._use_of(column)} {quote(column)}"
        if value is None or value != value:  # NaN is how tables in memory say that a cell is empty
            if piece.optional and value is None:
                return
            if column in record:
                yield Fault("FMT120", f"{what} is {'null' if value is None else 'NaN, an empty cell'}", pointer)
                return
            near = next((quote(k) for k in record if normalise(k) == normalise(column)), "")
            yield Fault("FMT120", f"{what} is missing" + (f"; there is {near}" if near else ""))
        elif isinstance(value, str):
            return
        elif literal_text(value) is not None:
            message = f"{what} is {make_excerpt(value)}, not text; it is read as the text {quote(literal_text(value))}"
            yield Fault("FMT121", message, pointer, make_excerpt(value), fixable=True)
        else:
            yield Fault("FMT122", f"{what} is {name_kind(value)}, not text", pointer, make_excerpt(value))

    def _use_of(self, column: str) -> str:
        if column in self.prompt.columns:
            return "prompt column" if self.prompt.column else "prompt template's column"
        return "completion column" if self.completion.column else "completion template's column"

    def _extra(self, record: dict[str, Any]) -> dict[str, Any] | None:
        extra = dict(record)
        for column in self.columns:
            extra.pop(column, None)
        return extra or None
