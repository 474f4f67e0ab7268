"""The pages of the rules, made from their cards: what terminal, documentation and programs show of a rule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ftprep.rule import Rule, Sample
from ftprep.rules import CATALOGUE, find

FAMILIES = {
    "IO": "Reading",
    "FMT": "Form of the records",
    "ROLE": "Turns of a conversation",
    "TOOL": "Calls of tools",
    "IMG": "Pictures",
    "SEP": "Prompts and completions",
    "TOK": "Tokens",
    "SET": "The set as a whole",
    "LBL": "Classes",
    "DUP": "Repetition",
    "SPL": "Training and validation side by side",
    "TXT": "Text",
    "PII": "Personal data",
    "SEC": "Secrets",
}
"""What the letters of a code stand for."""

LONGEST_SAMPLE = 1200
"""Characters of a sample that a page shows."""


@dataclass(frozen=True)
class OptionPage:
    """One option of a rule as a recipe writes it."""

    name: str
    type: str
    default: Any


@dataclass(frozen=True)
class SamplePage:
    """A tiny file as text (bytes that are no text as escapes; "" for a workbook or archive) and its settings."""

    text: str
    suffix: str
    recipe: dict[str, Any]


@dataclass(frozen=True)
class RulePage:
    """All that a rule says about itself; `fix` is safe, unsafe or None."""

    code: str
    name: str
    family: str
    severity: str
    finds: str
    why: str
    fix: str | None
    mended: str
    options: tuple[OptionPage, ...]
    bad: SamplePage
    good: SamplePage
    aliases: tuple[str, ...]
    since: str
    status: str

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON values."""
        return dataclasses.asdict(self)


def pages_of(selector: str = "") -> tuple[RulePage, ...]:
    """The pages of the rules that a code, family, name or alias names, of all where "" is given; in order of codes.

    Raises UsageError with the nearest name.
    """
    return tuple(page_of(rule) for rule in (find(selector) if selector else CATALOGUE))


def page_of(rule: Rule) -> RulePage:
    """The page of one rule."""
    card = rule.card
    return RulePage(
        code=card.code,
        name=card.name,
        family=FAMILIES.get(card.family, card.family),
        severity=card.severity,
        finds=card.finds,
        why=card.why,
        fix=card.fix,
        mended=card.mended,
        options=tuple(_option(rule, field) for field in dataclasses.fields(rule)),
        bad=_sample(card.bad),
        good=_sample(card.good),
        aliases=card.aliases,
        since=card.since,
        status=card.status,
    )


def _option(rule: Rule, field: dataclasses.Field[Any]) -> OptionPage:
    default = getattr(rule, field.name)
    return OptionPage(field.name.replace("_", "-"), type(default).__name__, default)


def _sample(sample: Sample) -> SamplePage:
    text = sample.text
    if isinstance(text, bytes):
        binary = sample.suffix.endswith((".xlsx", ".gz"))
        text = "" if binary else text.decode("utf-8", "backslashreplace")
    return SamplePage(text[:LONGEST_SAMPLE], sample.suffix, dict(sample.recipe))
