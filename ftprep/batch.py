"""The examples of one chunk as rules and surveys want them: by shape, by who speaks, and all their texts at once."""

from __future__ import annotations

import re
from functools import cached_property
from operator import attrgetter
from typing import Any

from ftprep.bulk import joined
from ftprep.model import Chat, Pair, Row


class Batch:
    """The rows of a chunk that have an example, in order; conversations have their speech.

    What is looked for in texts is looked for in all of them together: one call in C for a chunk costs less than one for
    each text.
    """

    def __init__(self, rows: list[Row]) -> None:
        self.rows = [row for row in rows if row.example is not None]
        for row in self.rows:
            if row.speech is None and row.example is not None and not isinstance(row.example, Pair):
                row.speech = row.example.speech()

    @cached_property
    def pairs(self) -> list[tuple[Row, Pair]]:
        """Prompt/completion rows with their examples."""
        return [(row, row.example) for row in self.rows if isinstance(row.example, Pair)]

    @cached_property
    def prompts(self) -> list[str]:
        """The prompts of `pairs`."""
        return [pair.prompt for _, pair in self.pairs]

    @cached_property
    def completions(self) -> list[str]:
        """The completions of `pairs`."""
        return [pair.completion for _, pair in self.pairs]

    @cached_property
    def chats(self) -> list[Row]:
        """Rows in which somebody speaks: of all shapes but pairs."""
        return [row for row in self.rows if row.speech is not None]

    @cached_property
    def shapes(self) -> frozenset[str]:
        """The shapes there are; nearly always one, since a chunk is of one table."""
        kinds: set[Any] = set(map(type, map(_example, self.rows)))
        return frozenset(kind.shape for kind in kinds)

    def of(self, shapes: tuple[str, ...]) -> list[Row]:
        """The rows of some shapes."""
        if self.shapes <= set(shapes):
            return self.rows
        if self.shapes.isdisjoint(shapes):
            return []
        return [row for row in self.rows if row.example is not None and row.example.shape in shapes]

    @cached_property
    def texts(self) -> list[str]:
        """All texts in order: prompt and completion of a pair, names, words and calls of a conversation."""
        texts: list[str] = []
        for row in self.rows:
            if row.speech is not None:
                texts += row.speech.texts
            elif isinstance(row.example, Pair):
                texts += (row.example.prompt, row.example.completion)
        return texts

    @cached_property
    def whole(self) -> tuple[str, str]:
        """All texts one behind the other with a character between that stands in none: those of ASCII, the others."""
        return joined(self.texts, list(map(str.isascii, self.texts)))

    def holds(self, patterns: tuple[re.Pattern[str], ...]) -> bool:
        """Whether one of the patterns occurs in any text."""
        return any(pattern.search(part) for part in self.whole for pattern in patterns)

    @cached_property
    def has_nul(self) -> bool:
        """Whether a NUL stands in any text."""
        return any("\0" in part for part in self.whole)

    @cached_property
    def casts(self) -> list[list[Row]]:
        """Conversations with the same sequence of roles together."""
        groups: dict[int, list[Row]] = {}
        for row in self.chats:
            if row.speech is not None:
                groups.setdefault(id(row.speech.cast), []).append(row)
        return list(groups.values())

    @cached_property
    def hollow(self) -> list[Row]:
        """Conversations with a message that says nothing or only white space, or has parts."""
        if "" in self.texts or any(map(str.isspace, self.texts)):
            return [row for row in self.chats if _is_hollow(row)]
        return [row for row in self.chats if row.speech is not None and not row.speech.is_plain and _is_hollow(row)]


_example = attrgetter("example")


def _is_hollow(row: Row) -> bool:
    messages = row.example.messages if isinstance(row.example, Chat) else []
    return not all(isinstance(m.content, str) and m.content and not m.content.isspace() for m in messages)
