"""The rule on stretches that repeat themselves: found by looking at a few characters in some hundreds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from ftprep.batch import Batch
from ftprep.model import Fault, Pair, Row
from ftprep.rule import Card, RowRule, Sample
from ftprep.rules.talk import texts_of
from ftprep.setting import Setting
from ftprep.shapes.quoting import quote

ONE = 1_000
"""Times that one character may stand in a row: rules of a table and indentation have fewer."""

MANY = 200
"""Times that 2 to LONGEST characters may repeat themselves."""

LONGEST = 20

# The shortest stretch to be found has 2 * (MANY + 1) characters. Of windows that stand so far apart one lies in it
# whole, and what repeats itself in LONGEST characters or fewer says its first LONGEST again within the window.
_LEAST = 2 * (MANY + 1)
_WINDOW = 2 * LONGEST
_STEP = _LEAST - _WINDOW + 1


class Run(NamedTuple):
    """A stretch of text: where it begins, what it repeats and how often."""

    start: int
    unit: str
    times: int


def runs(text: str) -> Iterator[Run]:
    """The stretches of a text that repeat themselves too often, in order."""
    done = 0
    for at in range(0, len(text) - _WINDOW + 1, _STEP):
        if at < done:
            continue
        period = text.find(text[at : at + LONGEST], at + 1, at + _WINDOW) - at
        if period > 0:
            run = _around(text, at, text[at : at + period], done)
            if run.times > (ONE if period == 1 else MANY):
                done = run.start + run.times * period
                yield run


def _around(text: str, at: int, unit: str, floor: int) -> Run:
    """The whole stretch of a unit that stands at a place, back to `floor` at most; it may begin in the midst of one."""
    period = len(unit)
    ahead = _repeats(unit).match(text, at)
    behind = _repeats(unit[::-1]).match(text[floor:at][::-1])
    end, start = ahead.end() if ahead else at, at - (behind.end() if behind else 0)
    while end < len(text) and text[end] == text[end - period]:
        end += 1
    while start > floor and text[start - 1] == text[start - 1 + period]:
        start -= 1
    return Run(start, text[start : start + period], (end - start) // period)


def _repeats(unit: str) -> re.Pattern[str]:
    return re.compile(f"(?:{re.escape(unit)})*")


def _may_repeat(text: str) -> bool:
    """Whether one of the windows repeats its beginning; a bare loop, since it runs over all long texts."""
    for at in range(0, len(text) - _WINDOW + 1, _STEP):
        if text.find(text[at : at + LONGEST], at + 1, at + _WINDOW) > 0:
            return True
    return False


class RepeatedRun(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "reinforcement", "stepwise", "unpaired")
    card: ClassVar[Card] = Card(
        code="TOK106",
        name="repeated-run",
        severity="warning",
        finds=f"A text repeats one character more than {ONE:,} times, or 2 to {LONGEST} more than {MANY} times.",
        why="The model learns to loop, and tokenizers take very long over such stretches, or count them otherwise.",
        bad=Sample(text=json.dumps({"prompt": "Laugh ->", "completion": " " + "ha" * 300 + " END"}) + "\n"),
        good=Sample(text=json.dumps({"prompt": "Laugh ->", "completion": " " + "ha" * 20 + " END"}) + "\n"),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a long text that may repeat itself; all where some cannot be told from the others."""
        found = {text for part in batch.parts for text in part.of_size(_LEAST) if _may_repeat(text)}
        return [row for row in batch.of(self.shapes) if _says(row, found)] if found else []

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        for pointer, text in texts_of(row.example):
            run = max(runs(text), key=lambda r: r.times * len(r.unit), default=None)
            if run is not None:
                message = f"{quote(run.unit)} stands {run.times:,} times in a row, from character {run.start + 1:,} on"
                yield self.fault(message, pointer, text[run.start : run.start + 60])


def _says(row: Row, found: set[str]) -> bool:
    """Whether a row has one of these texts."""
    if isinstance(row.example, Pair):
        return row.example.prompt in found or row.example.completion in found
    return row.speech is None or not found.isdisjoint(row.speech.texts)


RULES = (RepeatedRun,)
