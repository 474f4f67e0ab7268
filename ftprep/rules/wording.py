"""Rules on what prompts and completions say alike, leave empty, or shout; and on columns beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.mends import CutPrefix, Field, Lower
from ftprep.model import Fault, Pair, Row
from ftprep.rule import Card, Judgement, Proposal, RowRule, Sample
from ftprep.rules.sep import CAPITALS, COUNTRIES, SOUND, PairRule, pairs, shown
from ftprep.setting import Setting
from ftprep.textsurvey import START, TextSurvey


def shared_words(survey: TextSurvey, ending: str) -> str:
    """The words with which all texts begin, cut at a word's end; "" where that would leave a text empty."""
    if survey.texts < 2:
        return ""
    shared = survey.starts.common
    least, greatest = survey.starts.least or "", survey.starts.greatest
    following = least[len(shared) : len(shared) + 1] + greatest[len(shared) : len(shared) + 1]
    if len(shared) >= START or least == greatest:
        return ""  # longer than is known, or all the same
    if shared in (least, greatest):
        # A text that is nothing but the prefix keeps its last word.
        last = (shared.split() or [""])[-1]
        shared = shared[: len(shared.rstrip()) - len(last)]
    elif not _ends_a_word(shared, following):
        # Back to white space or, in scripts that have none between words, to the last mark that ends a phrase.
        shared = re.sub(r"[^\s：；，、。！？）】」』]+$", "", shared)
    # Brackets and quotes that open here close after the prefix, so they belong to what follows.
    shared = re.sub(r"[\s\"'“‘(\[{<]*$", lambda m: m[0] if m[0].isspace() else "", _closed(shared))
    return "" if not shared.strip() or (ending and ending in shared) else shared


def _ends_a_word(shared: str, following: str) -> bool:
    """Whether a beginning may be cut off before these characters: after white space, or a mark that ends a phrase."""
    if not shared or shared[-1].isspace() or not following.strip():
        return True
    inside_a_number = shared[-2:-1].isdigit() and any(c.isdigit() for c in following)
    return shared[-1] in ":：;；,，、。!！?？)）]】" and not inside_a_number


def _told(prefix: str) -> str:
    """A prefix as a person reads it, the middle of a long one left out."""
    if len(prefix) <= 100:
        return shown(prefix)
    return f"{shown(prefix[:60])} … {shown(prefix[-30:])} ({len(prefix):,} characters)"


def _closed(text: str) -> str:
    """The text up to the first bracket, double quote or code fence that it opens and does not close."""
    opened: list[tuple[int, str]] = []
    for found in re.finditer(r'```|["\[\](){}“”「」『』【】（）]', text):
        mark = found[0]
        if opened and opened[-1][1] == mark:
            opened.pop()
        elif mark in _CLOSES:
            opened.append((found.start(), _CLOSES[mark]))
    return text[: opened[0][0]] if opened else text


_CLOSES = dict(zip(("```", *'"[({“「『【（'), ("```", *'"])}”」』】）'), strict=True))


class _CommonPrefix(PairRule):
    field: ClassVar[Field]

    def prefix(self, dataset: Dataset) -> str:
        """The words to speak of, "" for none."""
        raise NotImplementedError

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        prefix = self.prefix(dataset)
        if prefix:
            yield Judgement(f"all {self.field}s start with {_told(prefix)}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        prefix = self.prefix(dataset)
        if prefix:
            what = f"cut {_told(prefix)} from the start of all {self.field}s"
            count = dataset.survey_of(self.field).texts
            yield Proposal(self.card.code, "unsafe", what, count, (CutPrefix(self.field, prefix),))


@dataclass(frozen=True)
class CommonPromptPrefix(_CommonPrefix):
    longest: int = 12
    field: ClassVar[Field] = "prompt"

    card: ClassVar[Card] = Card(
        code="SEP109",
        name="common-prompt-prefix",
        severity="info",
        finds="All prompts begin with the same words.",
        why="A tuned model needs no instruction that never changes: it costs tokens in training and in every request. "
        "It does no harm either, so this is advice.",
        bad=Sample(
            text=pairs(
                *((f"Translate into French: {a} ->", f" {b} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True))
            )
        ),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Cuts the shared words from all prompts, at a word's end and never to nothing.",
    )

    def prefix(self, dataset: Dataset) -> str:
        prefix = shared_words(dataset.surveys.prompts, dataset.separator.ending)
        return prefix if len(prefix) > self.longest else ""


@dataclass(frozen=True)
class CommonCompletionPrefix(_CommonPrefix):
    longest: int = 4
    field: ClassVar[Field] = "completion"

    card: ClassVar[Card] = Card(
        code="SEP110",
        name="common-completion-prefix",
        severity="info",
        finds="All completions begin with the same words.",
        why="The model spends tokens on words that say nothing; they can be put before its answer afterwards.",
        bad=Sample(
            text=pairs(*((a + " ->", f" The answer is {b} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)))
        ),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Cuts the shared words from all completions, at a word's end and never to nothing; the leading space "
        "stays.",
    )

    def prefix(self, dataset: Dataset) -> str:
        prefix = shared_words(dataset.surveys.completions, dataset.stop.ending)
        return prefix if len(prefix.strip()) > self.longest and not dataset.is_classification else ""


class _UpperCase(PairRule):
    field: ClassVar[Field]

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey, settled = dataset.survey_of(self.field), dataset.ending_of(self.field)
        ended = settled.state.count if settled.state else 0
        upper = survey.upper - ended * sum(map(str.isupper, settled.ending))
        lower = survey.lower - ended * sum(map(str.islower, settled.ending))
        few = upper + lower < 4 * survey.texts  # a few Latin letters in text of another script say nothing
        labels = self.field == "completion" and dataset.is_classification
        if few or labels or 3 * upper <= upper + lower:
            return
        share = round(100 * upper / (upper + lower))
        yield Judgement(f"{share} % of the letters in {self.field}s are capitals")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for _ in self.judge(dataset):
            survey, settled = dataset.survey_of(self.field), dataset.ending_of(self.field)
            what = f"lower-case all {self.field}s, except separators, links and code"
            mends = (Lower(self.field, (settled.ending,) if settled.ending else ()),)
            yield Proposal(self.card.code, "unsafe", what, survey.texts, mends)


class UpperCasePrompts(_UpperCase):
    field: ClassVar[Field] = "prompt"
    card: ClassVar[Card] = Card(
        code="SEP111",
        name="upper-case-prompts",
        severity="info",
        finds="More than a third of the letters in prompts are capitals.",
        why="Models know words in lower case best, and capitals cost more tokens.",
        bad=Sample(text=pairs(*((a.upper() + " ->", f" {b} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)))),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Lower-cases prompts, except separators, links, paths, identifiers and code in back-ticks.",
    )


class UpperCaseCompletions(_UpperCase):
    field: ClassVar[Field] = "completion"
    card: ClassVar[Card] = Card(
        code="SEP112",
        name="upper-case-completions",
        severity="info",
        finds="More than a third of the letters in completions are capitals (class names are left alone).",
        why="The model will answer in capitals; lower case is usually what is wanted, and costs fewer tokens.",
        bad=Sample(
            text=pairs(*((a + " ->", f" {b.upper()} IS IT END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)))
        ),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Lower-cases completions, except stop sequences, links, paths, identifiers and code in back-ticks.",
    )


class IdenticalPrompts(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP113",
        name="identical-prompts",
        severity="error",
        finds="All prompts are the same text.",
        why="There is nothing to tell one answer from another by. For open-ended generation leave the prompts empty.",
        bad=Sample(text=pairs(*(("Say something ->", f" {b} END") for b in CAPITALS))),
        good=Sample(text=SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.prompts
        if survey.texts > 1 and not survey.blank.count and dataset.asks == 1:
            yield Judgement(f"all {survey.texts:,} prompts are the same", excerpt=survey.starts.common[:80])


class IdenticalCompletions(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP114",
        name="identical-completions",
        severity="error",
        finds="All completions are the same text.",
        why="The model will answer this whatever it is asked.",
        bad=Sample(text=pairs(*((a + " ->", " It depends on what you mean by that. END") for a in COUNTRIES))),
        good=Sample(text=SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.completions
        if survey.texts > 1 and dataset.answers == 1 and not dataset.is_classification:
            yield Judgement(f"all {survey.texts:,} completions are the same", excerpt=survey.starts.common[:80])


class EmptyPrompt(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP115",
        name="empty-prompt",
        severity="warning",
        finds="A prompt is empty or blank although others are not.",
        why="An empty prompt teaches the model to answer nothing in particular. All prompts empty is open-ended "
        "generation, and sound.",
        bad=Sample(text=SOUND + pairs(("", " Ndjamena END"))),
        good=Sample(text=SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.prompts
        if survey.texts and survey.blank.count:
            yield Judgement("prompt is empty", survey.blank)


class EmptyCompletion(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)
    card: ClassVar[Card] = Card(
        code="SEP116",
        name="empty-completion",
        severity="error",
        finds="A completion is empty or blank.",
        why="There is nothing to learn from it, and providers refuse the row.",
        bad=Sample(text=SOUND + pairs(("Chad ->", " "))),
        good=Sample(text=SOUND),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        return [r for r, p in batch.pairs if not p.completion or p.completion.isspace()]

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        if isinstance(row.example, Pair) and not row.example.completion.strip():
            what = "blank" if row.example.completion else "empty"
            yield self.fault(f"completion is {what}", "/completion")


class ExtraColumns(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP117",
        name="extra-columns",
        severity="info",
        finds="There are columns or keys beside prompt and completion.",
        why="They are not trained on, and providers refuse keys that they do not know; `prepare` leaves them out of "
        "what it writes.",
        bad=Sample(text="id,prompt,completion\n1,Peru ->, Lima END\n2,Chad ->, Ndjamena END\n", suffix=".csv"),
        good=Sample(text="prompt,completion\nPeru ->, Lima END\nChad ->, Ndjamena END\n", suffix=".csv"),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        if dataset.surveys.columns and dataset.pairs:
            names = ", ".join(shown(str(n)) for n in sorted(dataset.surveys.columns)[:8])
            more = len(dataset.surveys.columns) - 8
            yield Judgement(f"not trained on and not written: {names}" + (f" and {more} more" if more > 0 else ""))


RULES = (
    CommonPromptPrefix,
    CommonCompletionPrefix,
    UpperCasePrompts,
    UpperCaseCompletions,
    IdenticalPrompts,
    IdenticalCompletions,
    EmptyPrompt,
    EmptyCompletion,
    ExtraColumns,
)
