"""Separators and stop sequences: which endings are watched for, which one a set uses, which one to propose."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from ftprep.mends import Field
from ftprep.textsurvey import Ending, TextSurvey

PROPOSED: dict[Field, tuple[str, ...]] = {
    "prompt": (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n", "\n\n### =>\n\n"),
    "completion": ("\n", " END", "###", "***", "+++", "&&&", "$$$", "@@@", "%%%", " [END]"),
}
"""In order of preference: those that the guide names first, then ones as unlikely in a text."""

KNOWN: dict[Field, tuple[str, ...]] = {
    "prompt": (*PROPOSED["prompt"], "->", "=>", " =>", "###", "\n###\n", "\n###", "\n\n"),
    "completion": (*PROPOSED["completion"], " ###", "\n###", "[END]", "<|endoftext|>", "</s>", "\n\n"),
}
"""Endings that are recognised as deliberate whatever the text before them."""

_TAIL = 40
_CLOSING: dict[Field, str] = {"prompt": "}`", "completion": "}`>"}
_SENTENCE = ".?!,;。？！…，；、'\"’”)）]】"
_PUNCTUATED = re.compile(r"\s*[^\w\s]{2,}\s*$")
_TAG = re.compile(r"\s*</?\w+>\s?$")
_CUED = re.compile(r"\s?\w*[:：=>|]\s?$")
_LAST_LINE = re.compile(r"\n+[^\n]*\n*$")


def is_deliberate(ending: str, field: Field) -> bool:
    """Whether an ending tells the model something: it holds a line end or marks no sentence would end with."""
    if ending in KNOWN[field]:
        return True
    # What closes something that the text opened (`"}`, a code fence) belongs to the text: a stop would cut it off.
    if ending.strip() and all(c in _SENTENCE + _CLOSING[field] or c.isspace() for c in ending):
        return False
    if "\n" in ending:
        return True
    marks = _PUNCTUATED.search(ending)
    if marks and any(c not in _SENTENCE for c in marks[0].strip()):
        return True
    return field == "prompt" and bool(_TAG.search(ending) or _CUED.search(ending))


def trimmed(tail: str, field: Field) -> str:
    """The separator or stop in what many texts end with, without letters that they share by chance; "" where none.

    ` prime ->` gives ` ->`, `!\\nSupported:` gives `\\nSupported:`, `?` gives nothing.
    """
    for known in sorted(KNOWN[field], key=len, reverse=True):
        if tail.endswith(known) and (known.strip() or tail == known):
            return known
    for pattern in (_LAST_LINE, _TAG, _PUNCTUATED, _CUED):
        found = pattern.search(tail)
        if found and is_deliberate(found[0], field):
            return found[0]
    return ""


def derived(texts: list[str], field: Field) -> str:
    """The deliberate ending that most (60 %) of the different texts share, "" where there is none.

    Each text counts once: nine rows of the class "C++" and one "Go" do not make "++" an ending.
    """
    tails = [t[-_TAIL:] for t in dict.fromkeys(texts) if t.strip()]
    best = ""
    for size in range(1, _TAIL + 1):
        counted = Counter(t[-size:] for t in tails if len(t) >= size).most_common(1)
        if len(tails) < 2 or not counted or counted[0][1] < 0.6 * len(tails):
            break
        best = counted[0][0]
    return trimmed(best, field)


HEAD_SHARE = 0.2
"""A known ending is watched for if it ends at least this share of the texts in the head of the data."""


def watched(field: Field, wanted: str | None, sample: list[str]) -> tuple[str, ...]:
    """The endings that a run counts: the recipe's, and those that the head of the data shows in use."""
    texts = [t for t in sample if t.strip()]
    seen = [e for e in KNOWN[field] if sum(t.endswith(e) for t in texts) >= max(1.0, HEAD_SHARE * len(texts))]
    return tuple(dict.fromkeys(e for e in (wanted, derived(texts, field), *seen) if e))


def is_missed(survey: TextSurvey) -> bool:
    """Whether many texts end in a known ending, and most of these in one that was not counted."""
    counted = max((state.count for state in survey.endings.values()), default=0)
    return survey.ended >= max(2.0, HEAD_SHARE * survey.texts) and 2 * counted < survey.ended


@dataclass(frozen=True)
class Settled:
    """The ending a field uses: `state` counts it, `standing` says how many texts have it, `weak` is a shared tail
    that is no separator (a question mark, a word)."""

    field: Field
    ending: str
    state: Ending | None
    standing: Literal["all", "most", "none"]
    weak: str = ""
    named: bool = False

    @property
    def weak_mark(self) -> str:
        """The shared punctuation or last word, without letters that texts share by chance at its start."""
        whole = re.sub(r"^\w+", "", self.weak)
        word = re.search(r"(\s\w+)?[^\w\s]+\s*$|\s\w+\s*$", whole)
        return word[0] if word else ""


def settle(survey: TextSurvey, field: Field, wanted: str | None) -> Settled:
    """Which ending the set uses: the recipe's if it names one, else the commonest deliberate one."""
    if wanted:
        state = survey.endings[wanted]
        standing: Literal["all", "most", "none"] = (
            "all" if state.count == survey.texts else "most" if 2 * state.count >= survey.texts else "none"
        )
        return Settled(field, wanted, state, standing, named=True)
    counted = [(s.count, len(e), e) for e, s in survey.endings.items() if s.count and _may_be(e, s, survey, field)]
    if counted:
        count, _, ending = max(counted)
        if count == survey.texts:
            return Settled(field, ending, survey.endings[ending], "all")
        if 2 * count >= survey.texts and count > 1:
            return Settled(field, ending, survey.endings[ending], "most")
    shared = survey.ends.common[::-1]
    return Settled(field, "", None, "none", weak=shared if survey.texts > 1 and shared.strip() else "")


def _may_be(ending: str, state: Ending, survey: TextSurvey, field: Field) -> bool:
    # A line end that also stands inside texts ends nothing: none may in prompts, few (a tenth) in completions.
    if not ending.strip():
        inside = state.inside.count
        return state.count == survey.texts and (inside == 0 if field == "prompt" else 10 * inside <= survey.texts)
    return is_deliberate(ending, field)


def propose(survey: TextSurvey, field: Field) -> str:
    """The first ending of the preferred ones that occurs in no text, "" where each does.

    ` ->` is for prompts without line ends only.
    """
    for ending in PROPOSED[field]:
        if not survey.occurring.get(ending, True) and not (ending == " ->" and survey.has_newline):
            return ending
    return ""
