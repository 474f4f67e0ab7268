"""What examples say, whole, as long as there are few enough of them to be compared with each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ftprep.model import Example, Pair, Preference, Reinforcement, Row, Stepwise, Unpaired

A_ROW: Final = 4000
"""Characters an example may have on average; texts of more than that in all are not kept."""


class Said(NamedTuple):
    """What one example says: its row's ordinal, how the conversation is set up, the question and the answer ("" where
    only questions count: preferences, what waits for an answer), and what it has beside words."""

    number: int
    system: str
    question: str
    answer: str
    beside: str


class SaidSurvey:
    """The texts of all examples; none at all (`over`) past `most` examples or A_ROW times as many characters, which
    depends on the whole set alone and not on the order in which its parts are added."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.rows: list[Said] = []
        self.size = 0
        self.over = not most

    def see(self, rows: Iterable[Said]) -> None:
        """Take in one chunk's examples."""
        if not self.over:
            self._add(list(rows))

    def merge(self, other: SaidSurvey) -> None:
        """Add the other's examples."""
        if other.over or self.over:
            self.give_up()
        else:
            self._add(other.rows)

    def _add(self, rows: list[Said]) -> None:
        self.rows += rows
        self.size += sum(len(r.system) + len(r.question) + len(r.answer) for r in rows)
        if self.exceeds(len(self.rows), self.size):
            self.give_up()

    def exceeds(self, rows: int, size: int) -> bool:
        """Whether so many examples with so many characters are more than are kept."""
        return rows > self.most or size > self.most * A_ROW

    def give_up(self) -> None:
        """Keep nothing from here on."""
        self.over = True
        self.rows = []


def said_by(number: int, row: Row) -> Said | None:
    """What a loaded row says."""
    example, speech = row.example, row.speech
    if isinstance(example, Pair):
        return Said(number, "", example.prompt, example.completion, "")
    if example is None or speech is None:
        return None
    texts, asked = speech.texts, speech.asked
    system = texts[0] if asked and speech.cast.roles[:1] in (("system",), ("developer",)) and not speech.names else ""
    question = "\n".join(texts[bool(system) : asked])
    answer = "" if isinstance(example, (Preference, Reinforcement)) else "\n".join(texts[asked:])
    return Said(number, system, question, answer, speech.beside + _marked(example))


def _marked(example: Example) -> str:
    """What is said of answers: good or bad, right or wrong."""
    if isinstance(example, Unpaired):
        return str(example.label)
    return str(example.labels) if isinstance(example, Stepwise) else ""
