"""The contract of a rule: one card that terminal, pages and tests all read, and a check, a judgement or both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.mends import Mend, Repair
from ftprep.model import Fault, Row, Safety, Severity
from ftprep.setting import Setting
from ftprep.targets import Fact, Target
from ftprep.textsurvey import Marks

CODE = re.compile(r"^[A-Z]{2,4}[0-9]{3}$")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A tiny dataset for a rule's page and its test: the file's text (or bytes), its suffix, and recipe settings."""

    text: str | bytes
    suffix: str = ".jsonl"
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a rule says about itself.

    `finds` and `why` are one or two plain sentences each. `bad` must give a finding of this rule, `good` must not; one
    test holds every rule to that. `fix` is None where no exact mending exists, and `mended` says in one line what it
    does. `status` is preview, stable, deprecated or removed; preview rules run only when selected by code or name.
    """

    code: str
    name: str
    severity: Severity
    finds: str
    why: str
    bad: Sample
    good: Sample
    fix: Safety | None = None
    mended: str = ""
    aliases: tuple[str, ...] = ()
    since: str = "0.1.0"
    status: str = "stable"

    @property
    def family(self) -> str:
        """The letters of the code."""
        return self.code.rstrip("0123456789")


@dataclass(frozen=True)
class Rule:
    """A frozen value whose fields are its options; base of the four kinds below.

    A bare Rule has a card only: its faults are raised by a reader or a shape, which know where and why.
    """

    card: ClassVar[Card]
    fact: ClassVar[str] = ""
    """Path of the target's fact that the rule holds examples to, where it needs one: it runs only where that is known,
    and finds warnings only where no source that was read says so."""
    about: ClassVar[tuple[str, ...]] = ()
    """The same for a rule that goes by several facts: beginnings of their paths."""

    def ready(self, setting: Setting) -> str:
        """Why the rule cannot run in this setting ("no limit is known"), "" when it can."""
        if not (self.fact or self.about) or self._facts(setting):
            return ""
        if setting.target is None:
            return "no target is named: --target says whose limits count"
        return f"nothing is known of {setting.target.name} that this could be held to"

    def refused_by(self, target: Target) -> Fact | None:
        """The fact for which the target refuses what the rule finds, where that is graver than the card says."""
        del target
        return None

    def severity(self, setting: Setting) -> Severity:
        """How grave its findings are in this setting."""
        fact = self.refused_by(setting.target) if setting.target else None
        if fact is not None:
            return "error" if fact.rejects else "warning"
        doubtful = any(not fact.rejects for fact in self._facts(setting))
        return "warning" if doubtful and self.card.severity == "error" else self.card.severity

    def _facts(self, setting: Setting) -> list[Fact]:
        if setting.target is None or not (self.fact or self.about):
            return []
        facts = setting.target.facts.items()
        return [f for path, f in facts if path == self.fact or (self.about and path.startswith(self.about))]

    def fault(self, message: str, pointer: str = "", excerpt: str = "", fixable: bool = True) -> Fault:
        """A fault of this rule; the fix is offered where the card has one and it covers this fault."""
        return Fault(self.card.code, message, pointer, excerpt, fixable=fixable and self.card.fix is not None)


@dataclass(frozen=True)
class RecordRule(Rule):
    """Looks at the record in the wire form of its shape, or, with `of_original`, as the file said it. Runs only on
    records that the strict reading of the shape refused."""

    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion")
    of_original: ClassVar[bool] = False

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The faults of one record; a record may have any shape at any depth."""
        raise NotImplementedError

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record without the faults of this rule that are fixable: a new one, or the very same object where there
        is nothing to do. Never raises, whatever the record holds."""
        return record

    def mend(self, setting: Setting) -> Mend | None:
        """What mends the rows it finds, where the card has a fix and reading does not mend them already."""
        del setting
        return Repair(self.card.code) if type(self).repair is not RecordRule.repair else None


@dataclass(frozen=True)
class RowRule(Rule):
    """Looks at one example at a time.

    `marks` are patterns without which the rule cannot fire: the engine looks for them once in all texts of a chunk, in
    C, and skips the rule for the chunk where none is there. A pattern is fast if it begins with a character that is
    rare in text, with what stands before that as a lookbehind.
    """

    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion")
    marks: ClassVar[tuple[re.Pattern[str], ...]] = ()

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        """The faults of one loaded row."""
        raise NotImplementedError

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows of a chunk that `check` need look at: all, unless a rule can tell faster that most are sound."""
        return batch.of(self.shapes)

    def mend(self, setting: Setting) -> Mend | None:
        """What mends the rows it finds, where the card has a fix."""
        del setting
        return None


@dataclass(frozen=True)
class Judgement:
    """What a dataset rule has to say: about the set as a whole, or about the rows of `marks` (one finding each).

    The detail of a mark is the finding's excerpt, or, where it `tells`, the end of its message.
    """

    message: str
    marks: Marks | None = None
    excerpt: str = ""
    tells: bool = False


@dataclass(frozen=True)
class Proposal:
    """A mending that a rule offers: what it does in one line, how many rows it touches, and the mends or drops."""

    code: str
    safety: Safety
    message: str
    count: int
    mends: tuple[Mend, ...] = ()
    drops: frozenset[int] = frozenset()


@dataclass(frozen=True)
class DatasetRule(Rule):
    """Judges the set as a whole from summaries that add up in any order and that the engine keeps for all rules.

    A rule that reads texts again says how many examples it wants a sample of.
    """

    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion")
    sample_size: ClassVar[int] = 0

    @property
    def whole_size(self) -> int:
        """Up to how many examples it compares with each other, which are kept whole for that; 0 for most rules."""
        return 0

    def idle(self, dataset: Dataset) -> str:
        """Why it could not judge this set, which shows only when all is read; "" when it could."""
        del dataset
        return ""

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        """The findings about the set."""
        raise NotImplementedError

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        """The mendings that follow from what `judge` finds; none by default."""
        del dataset
        yield from ()
