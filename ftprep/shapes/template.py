"""A text made of columns: one column, a template over several, or an instruction with its optional input."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ftprep.errors import RecipeError

_TOKEN = re.compile(r"(\{\{)|(\}\})|\{([^{}]*)\}|([{}])")


@dataclass(frozen=True)
class Piece:
    """One column of a template with the literal text before it; an optional blank one is left out, text and all."""

    column: str
    before: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Template:
    """Columns with literal text between and after them; without pieces it is the text `after` (the empty prompt)."""

    pieces: tuple[Piece, ...] = ()
    after: str = ""

    @cached_property
    def column(self) -> str:
        """The column whose value is the whole text, "" where it takes more than that."""
        if len(self.pieces) != 1 or self.after or self.pieces[0].before or self.pieces[0].optional:
            return ""
        return self.pieces[0].column

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns used, each once, in order."""
        return tuple(dict.fromkeys(p.column for p in self.pieces))

    def fill(self, record: Mapping[str, Any], as_text: Callable[[Any], str | None]) -> str | None:
        """The text for one record; None where `as_text` gives none for a value that is needed."""
        parts: list[str] = []
        for piece in self.pieces:
            value = record.get(piece.column)
            if piece.optional and value is None:
                continue
            text = as_text(value)
            if text is None:
                return None
            if not piece.optional or text.strip():
                parts += (piece.before, text)
        return "".join(parts) + self.after


def from_column(column: str) -> Template:
    """The template that is one column and nothing else."""
    return Template((Piece(column),))


def exact_text(value: Any) -> str | None:
    """The value if it is text, None otherwise."""
    return value if isinstance(value, str) else None


def literal_text(value: Any) -> str | None:
    """Text as it is, a finite number or a boolean as JSON writes it, None for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        if isinstance(value, int):
            return int.__repr__(value)
        if isinstance(value, float) and value - value == 0:
            return float.__repr__(value)
    except ValueError:  # more digits than Python writes out
        return None
    return None


def parse_template(text: str) -> Template:
    """The template that a text like "Item={Item}, Color={Color}->" describes; {{ and }} are braces.

    Raises RecipeError for a single brace, an empty name, or a template that names no column.
    """
    pieces: list[Piece] = []
    before, end = "", 0
    for match in _TOKEN.finditer(text):
        before += text[end : match.start()]
        end = match.end()
        opening, _, column, brace = match.groups()
        if brace or column == "":
            where = f"template {text!r}: {match[0]!r} at character {match.start() + 1}"
            raise RecipeError(f"{where} names no column", "write {column}; a brace that is meant as such is {{ or }}")
        if column is None:
            before += "{" if opening else "}"
            continue
        pieces.append(Piece(column, before))
        before = ""
    if not pieces:
        raise RecipeError(f"template {text!r} names no column", 'put columns in braces: "Item={Item} ->"')
    return Template(tuple(pieces), before + text[end:])
