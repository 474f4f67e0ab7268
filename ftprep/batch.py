"""The examples of one chunk as rules and surveys want them: by shape, by who speaks, and all their texts at once."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any, cast

from ftprep.bulk import Joined, Texts, count_controls, find
from ftprep.characters import ODD, SETS
from ftprep.model import Chat, Pair, Row, Speech, Talk

_ODD = re.compile(f"[{SETS[ODD]}]")


class Batch:
    """The rows of a chunk that have an example, in order; conversations have their speech.

    What is looked for in texts is looked for in all of them together: one call in C for a chunk costs less than one for
    each text.
    """

    def __init__(self, rows: list[Row]) -> None:
        self.rows = [row for row in rows if row.example is not None]
        self._ends: list[int] = []  # behind each row's texts among all of them
        for row in self.rows:
            if row.speech is None and row.example is not None and not isinstance(row.example, Pair):
                row.speech = row.example.speech()

    @cached_property
    def pairs(self) -> list[tuple[Row, Pair]]:
        """Prompt/completion rows with their examples."""
        if "completion" not in self.shapes:
            return []
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
    def speeches(self) -> list[Speech]:
        """What is said in `chats`."""
        return [row.speech for row in self.chats if row.speech is not None]

    @cached_property
    def talks(self) -> list[Talk]:
        """The examples of `chats`."""
        return [cast("Talk", row.example) for row in self.chats]

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
    def texts(self) -> Texts:
        """All texts in order: prompt and completion of a pair, names, words and calls of a conversation."""
        texts, self._ends = Texts(), []
        for row in self.rows:
            if row.speech is not None:
                texts += row.speech.texts
            elif isinstance(row.example, Pair):
                texts += (row.example.prompt, row.example.completion)
            self._ends.append(len(texts))
        return texts

    @property
    def parts(self) -> tuple[Joined, Joined]:
        """All texts one behind the other: those of ASCII, in which a search is faster, and the others."""
        return self.texts.parts

    def holds(self, patterns: tuple[re.Pattern[str], ...]) -> bool:
        """Whether one of the patterns occurs in any text."""
        return any(find(pattern, part.text) >= 0 for part in self.parts for pattern in patterns)

    def matching(self, patterns: Iterable[re.Pattern[str]]) -> set[int]:
        """The numbers of the texts in which one of the patterns is found."""
        return set[int]().union(*(part.matching(pattern) for part in self.parts for pattern in patterns))

    def holding(self, needles: Iterable[bytes]) -> set[int]:
        """The numbers of the texts that hold one of the needles when each digit is 0."""
        return set[int]().union(*(part.holding(needle) for needle in needles for part in self.parts))

    def saying(self, numbers: Iterable[int]) -> list[Row]:
        """The rows of the texts with these numbers."""
        wanted = sorted(numbers)
        if not wanted:
            return []
        return [self.rows[place] for place in dict.fromkeys(bisect_right(self._ends, number) for number in wanted)]

    @cached_property
    def odd(self) -> frozenset[str]:
        """The odd characters that there are: not seen, or a sign that something went wrong."""
        return frozenset(_ODD.findall(self.parts[1].text) if self.texts.kinds & ODD else ())

    @cached_property
    def has_controls(self) -> bool:
        """Whether a control character stands in any text: below 32 but tab and line ends, or 127."""
        between = sum(max(0, len(part.texts) - 1) for part in self.parts)
        return sum(count_controls(part.said) for part in self.parts) > between

    @cached_property
    def has_nul(self) -> bool:
        """Whether a NUL stands in any text."""
        return self.has_controls and any("\0" in part.text for part in self.parts)

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
        if any(part.has_blank for part in self.parts):
            return [row for row in self.chats if _is_hollow(row)]
        return [row for row in self.chats if row.speech is not None and not row.speech.is_plain and _is_hollow(row)]


_example = attrgetter("example")


def _is_hollow(row: Row) -> bool:
    messages = row.example.messages if isinstance(row.example, Chat) else []
    return not all(isinstance(m.content, str) and m.content and not m.content.isspace() for m in messages)
