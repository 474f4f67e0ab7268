"""Rules on how prompts and completions are delimited: separator, leading space, stop sequence, shared words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ftprep.dataset import Dataset
from ftprep.endings import Settled, propose
from ftprep.mends import AddEnding, CutPrefix, Field, LeadingSpace, Lower, has_two_spaces
from ftprep.model import Fault, Pair, Row
from ftprep.rule import Card, DatasetRule, Judgement, Proposal, RowRule, Sample
from ftprep.setting import Setting
from ftprep.surveys import START, TextSurvey


def shown(text: str) -> str:
    """A separator or label as a person reads it: quoted, line ends as \\n."""
    return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"') + '"'


def _pairs(*rows: tuple[str, str]) -> str:
    import json

    return "".join(json.dumps({"prompt": p, "completion": c}, ensure_ascii=False) + "\n" for p, c in rows)


_CAPITALS = ("Lima", "Oslo", "Rome", "Cairo", "Quito", "Hanoi")
_COUNTRIES = ("Peru", "Norway", "Italy", "Egypt", "Ecuador", "Vietnam")
_BARE = _pairs(*(("Capital of " + a, " " + b + " END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))
_SOUND = _pairs(*((a + " ->", " " + b + " END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))


class _PairRule(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)

    @staticmethod
    def asks_something(dataset: Dataset) -> bool:
        """Whether there are prompts to delimit at all."""
        return dataset.surveys.prompts.texts > 0

    @staticmethod
    def generates(dataset: Dataset) -> bool:
        """Whether completions are texts, which need an end, rather than classes."""
        return dataset.task.name == "generation"


class SeparatorMissing(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP101",
        name="separator-missing",
        severity="warning",
        finds="Prompts have no common ending.",
        why="A fixed separator at the end of every prompt tells the model where the prompt ends and the completion "
        "begins; without it the model may go on writing the prompt.",
        bad=Sample(text=_BARE),
        good=Sample(text=_SOUND),
        fix="unsafe",
        mended="Adds the recipe's separator, or the first usual one that occurs in no prompt, to the end of each "
        "prompt (safe where the recipe names it).",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        if not self.asks_something(dataset) or separator.standing != "none" or separator.weak_mark:
            return
        if separator.named:
            yield Judgement(f"prompts do not end with {shown(separator.ending)}, the separator that the recipe names")
        else:
            proposal = shown(propose(dataset.surveys.prompts, "prompt"))
            yield Judgement(f"prompts have no common ending; {proposal} occurs in none of them and could be added")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        if next(self.judge(dataset), None) is None:
            return
        separator = dataset.separator
        ending = separator.ending or propose(dataset.surveys.prompts, "prompt")
        yield Proposal(
            self.card.code,
            "safe" if separator.named else "unsafe",
            f"add the separator {shown(ending)} to the end of all prompts",
            dataset.surveys.prompts.texts,
            (AddEnding("prompt", ending),),
        )


class SeparatorPartial(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP102",
        name="separator-partial",
        severity="warning",
        finds="Most prompts end with the separator, these do not.",
        why="A prompt without the separator teaches the model that the separator means nothing.",
        bad=Sample(text=_SOUND + _pairs(("Chad", " Ndjamena END"))),
        good=Sample(text=_SOUND),
        fix="safe",
        mended="Adds the separator that the other prompts have.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        if separator.standing == "most" and separator.state:
            yield Judgement(
                f"prompt does not end with the separator {shown(separator.ending)}", separator.state.lacking
            )

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for found in self.judge(dataset):
            ending, count = dataset.separator.ending, found.marks.count if found.marks else 0
            what = f"add the separator {shown(ending)} to the prompts that lack it"
            yield Proposal(self.card.code, "safe", what, count, (AddEnding("prompt", ending),))


class SeparatorInside(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP103",
        name="separator-inside",
        severity="warning",
        finds="The separator stands earlier in a prompt as well as at its end.",
        why="The model cannot tell which of the two ends the prompt.",
        bad=Sample(text=_SOUND + _pairs(("a -> b ->", " c END"))),
        good=Sample(text=_SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        # A last line such as "\nAgent:" recurs in a conversation by design; only the last one is the cue.
        if separator.ending and separator.standing != "none" and separator.state and separator.state.inside.count:
            if _is_cue(separator.ending):
                return
            message = f"the separator {shown(separator.ending)} also stands inside the prompt"
            yield Judgement(message, separator.state.inside)


class SeparatorWeak(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP104",
        name="separator-weak",
        severity="warning",
        finds="All prompts end the same way, but with mere punctuation or a word, which is no separator.",
        why="A question mark ends many sentences; it does not tell the model that the prompt is over.",
        bad=Sample(
            text=_pairs(*((f"Where is {a}?", f" near {b} END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))
        ),
        good=Sample(text=_SOUND),
        fix="unsafe",
        mended="Adds the first usual separator that occurs in no prompt.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        if separator.standing == "none" and separator.weak_mark and not separator.named:
            proposal = shown(propose(dataset.surveys.prompts, "prompt"))
            yield Judgement(
                f"all prompts end with {shown(separator.weak_mark)}, which is no separator; "
                f"{proposal} occurs in none of them and could be added"
            )

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for _ in self.judge(dataset):
            ending = propose(dataset.surveys.prompts, "prompt")
            what = f"add the separator {shown(ending)} to the end of all prompts"
            mends = (AddEnding("prompt", ending),)
            yield Proposal(self.card.code, "unsafe", what, dataset.surveys.prompts.texts, mends)


class LeadingSpaceMissing(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)
    card: ClassVar[Card] = Card(
        code="SEP105",
        name="leading-space-missing",
        severity="warning",
        finds="A completion does not start with one white space (or starts with two spaces).",
        why='Tokenizers keep the space with the word: " yes" and "yes" are different tokens, and the first is the one '
        "the model knows from running text.",
        bad=Sample(text=_SOUND + _pairs(("Chad ->", "Ndjamena END"))),
        good=Sample(text=_SOUND),
        fix="safe",
        mended="Puts one space at the start.",
    )

    def suspects(self, rows: list[Row]) -> list[Row]:
        texts = [r.example.completion if isinstance(r.example, Pair) else "" for r in rows]
        return [r for r, t in zip(rows, texts, strict=True) if t[:1] != " " or t[1:2] == " "]

    def ready(self, setting: Setting) -> str:
        return "" if setting.recipe.format.leading_space else "the recipe asks for no leading space"

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        text = row.example.completion if isinstance(row.example, Pair) else ""
        if not text or text.isspace():
            return
        if not text[0].isspace():
            yield self.fault("completion does not start with a space", "/completion", text[:40])
        elif has_two_spaces(text):
            yield self.fault("completion starts with two spaces", "/completion", text[:40])

    def mend(self, setting: Setting) -> LeadingSpace:
        del setting
        return LeadingSpace()


class StopMissing(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP106",
        name="stop-missing",
        severity="warning",
        finds="Completions have no common ending, although they are texts of different lengths.",
        why="Without a fixed stop sequence the model does not learn to end, and there is nothing to pass as `stop` "
        "when it is used.",
        bad=Sample(text=_pairs(*((a + " ->", " " + b) for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))),
        good=Sample(text=_SOUND),
        fix="unsafe",
        mended="Adds the recipe's stop sequence, or the first usual one that occurs in no completion (safe where the "
        "recipe names it).",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        stop = dataset.stop
        if not dataset.pairs or stop.standing != "none":
            return
        if stop.named:
            yield Judgement(
                f"completions do not end with {shown(stop.ending)}, the stop sequence that the recipe names"
            )
        elif self.generates(dataset):
            proposal = shown(propose(dataset.surveys.completions, "completion"))
            yield Judgement(f"completions have no common ending; {proposal} occurs in none of them and could be added")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        if next(self.judge(dataset), None) is None:
            return
        ending = dataset.stop.ending or propose(dataset.surveys.completions, "completion")
        yield Proposal(
            self.card.code,
            "safe" if dataset.stop.named else "unsafe",
            f"add the stop sequence {shown(ending)} to the end of all completions",
            dataset.surveys.completions.texts,
            (AddEnding("completion", ending),),
        )


class StopPartial(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP107",
        name="stop-partial",
        severity="warning",
        finds="Most completions end with the stop sequence, these do not.",
        why="Each completion without the stop sequence teaches the model to run on.",
        bad=Sample(text=_SOUND + _pairs(("Chad ->", " Ndjamena"))),
        good=Sample(text=_SOUND),
        fix="safe",
        mended="Adds the stop sequence that the other completions have.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        stop = dataset.stop
        if stop.standing == "most" and stop.state and (self.generates(dataset) or stop.named):
            yield Judgement(f"completion does not end with the stop sequence {shown(stop.ending)}", stop.state.lacking)

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for found in self.judge(dataset):
            ending, count = dataset.stop.ending, found.marks.count if found.marks else 0
            what = f"add the stop sequence {shown(ending)} to the completions that lack it"
            yield Proposal(self.card.code, "safe", what, count, (AddEnding("completion", ending),))


class StopInside(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP108",
        name="stop-inside",
        severity="warning",
        finds="The stop sequence stands inside a completion, or cuts the name of a class.",
        why="Generation stops at the first stop sequence, so what follows in the completion can never be produced.",
        bad=Sample(text=_SOUND + _pairs(("Chad ->", " the END of Ndjamena END"))),
        good=Sample(text=_SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        stop = dataset.stop
        if not stop.ending or stop.standing == "none" or stop.state is None:
            return
        cut = [label for label in dataset.task.classes if stop.ending.strip() and stop.ending.strip() in label]
        if cut:
            yield Judgement(f"the stop sequence {shown(stop.ending)} cuts the class {shown(cut[0])}")
        elif stop.state.inside.count:
            yield Judgement(
                f"the stop sequence {shown(stop.ending)} also stands inside the completion", stop.state.inside
            )


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
        shared = re.sub(r"\S+\s*$", "", shared)  # a text that is nothing but the prefix keeps its last word
    elif not _ends_a_word(shared, following):
        shared = re.sub(r"\S+$", "", shared)
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


@dataclass(frozen=True)
class CommonPromptPrefix(_PairRule):
    longest: int = 12

    card: ClassVar[Card] = Card(
        code="SEP109",
        name="common-prompt-prefix",
        severity="info",
        finds="All prompts begin with the same words.",
        why="A tuned model needs no instruction that never changes: it costs tokens in training and in every request. "
        "It does no harm either, so this is advice.",
        bad=Sample(
            text=_pairs(
                *((f"Translate into French: {a} ->", f" {b} END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True))
            )
        ),
        good=Sample(text=_SOUND),
        fix="unsafe",
        mended="Cuts the shared words from all prompts, at a word's end and never to nothing.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        prefix = shared_words(dataset.surveys.prompts, dataset.separator.ending)
        if len(prefix) > self.longest:
            yield Judgement(f"all prompts start with {_told(prefix)}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for _ in self.judge(dataset):
            prefix = shared_words(dataset.surveys.prompts, dataset.separator.ending)
            what = f"cut {_told(prefix)} from the start of all prompts"
            yield Proposal(
                self.card.code, "unsafe", what, dataset.surveys.prompts.texts, (CutPrefix("prompt", prefix),)
            )


@dataclass(frozen=True)
class CommonCompletionPrefix(_PairRule):
    longest: int = 4

    card: ClassVar[Card] = Card(
        code="SEP110",
        name="common-completion-prefix",
        severity="info",
        finds="All completions begin with the same words.",
        why="The model spends tokens on words that say nothing; they can be put before its answer afterwards.",
        bad=Sample(
            text=_pairs(*((a + " ->", f" The answer is {b} END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))
        ),
        good=Sample(text=_SOUND),
        fix="unsafe",
        mended="Cuts the shared words from all completions, at a word's end and never to nothing; the leading space "
        "stays.",
    )

    def _prefix(self, dataset: Dataset) -> str:
        prefix = shared_words(dataset.surveys.completions, dataset.stop.ending)
        return prefix if len(prefix.strip()) > self.longest and not dataset.is_classification else ""

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        prefix = self._prefix(dataset)
        if prefix:
            yield Judgement(f"all completions start with {_told(prefix)}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        prefix = self._prefix(dataset)
        if prefix:
            what = f"cut {_told(prefix)} from the start of all completions"
            mends = (CutPrefix("completion", prefix),)
            yield Proposal(self.card.code, "unsafe", what, dataset.surveys.completions.texts, mends)


class _UpperCase(_PairRule):
    field: ClassVar[Field]

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.prompts if self.field == "prompt" else dataset.surveys.completions
        settled = dataset.separator if self.field == "prompt" else dataset.stop
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
            survey = dataset.surveys.prompts if self.field == "prompt" else dataset.surveys.completions
            settled: Settled = dataset.separator if self.field == "prompt" else dataset.stop
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
        bad=Sample(
            text=_pairs(*((a.upper() + " ->", f" {b} END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))
        ),
        good=Sample(text=_SOUND),
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
            text=_pairs(*((a + " ->", f" {b.upper()} IS IT END") for a, b in zip(_COUNTRIES, _CAPITALS, strict=True)))
        ),
        good=Sample(text=_SOUND),
        fix="unsafe",
        mended="Lower-cases completions, except stop sequences, links, paths, identifiers and code in back-ticks.",
    )


class IdenticalPrompts(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP113",
        name="identical-prompts",
        severity="error",
        finds="All prompts are the same text.",
        why="There is nothing to tell one answer from another by. For open-ended generation leave the prompts empty.",
        bad=Sample(text=_pairs(*(("Say something ->", f" {b} END") for b in _CAPITALS))),
        good=Sample(text=_SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.prompts
        if survey.texts > 1 and not survey.blank.count and dataset.asks == 1:
            yield Judgement(f"all {survey.texts:,} prompts are the same", excerpt=survey.starts.common[:80])


class IdenticalCompletions(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP114",
        name="identical-completions",
        severity="error",
        finds="All completions are the same text.",
        why="The model will answer this whatever it is asked.",
        bad=Sample(text=_pairs(*((a + " ->", " It depends on what you mean by that. END") for a in _COUNTRIES))),
        good=Sample(text=_SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.completions
        if survey.texts > 1 and dataset.answers == 1 and not dataset.is_classification:
            yield Judgement(f"all {survey.texts:,} completions are the same", excerpt=survey.starts.common[:80])


class EmptyPrompt(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP115",
        name="empty-prompt",
        severity="warning",
        finds="A prompt is empty or blank although others are not.",
        why="An empty prompt teaches the model to answer nothing in particular. All prompts empty is open-ended "
        "generation, and sound.",
        bad=Sample(text=_SOUND + _pairs(("", " Ndjamena END"))),
        good=Sample(text=_SOUND),
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
        bad=Sample(text=_SOUND + _pairs(("Chad ->", " "))),
        good=Sample(text=_SOUND),
    )

    def suspects(self, rows: list[Row]) -> list[Row]:
        texts = [r.example.completion if isinstance(r.example, Pair) else "x" for r in rows]
        return [r for r, t in zip(rows, texts, strict=True) if not t or t.isspace()]

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        if isinstance(row.example, Pair) and not row.example.completion.strip():
            what = "blank" if row.example.completion else "empty"
            yield self.fault(f"completion is {what}", "/completion")


class ExtraColumns(_PairRule):
    card: ClassVar[Card] = Card(
        code="SEP117",
        name="extra-columns",
        severity="info",
        finds="There are columns or keys beside prompt and completion.",
        why="They are not trained on, and providers refuse keys that they do not know; `prepare` leaves them out of "
        "what it writes.",
        bad=Sample(text="id,prompt,completion\n1,Peru ->, Lima END\n2,Chad ->, Ndjamena END\n", suffix=".csv"),
        good=Sample(text="prompt,completion\nPeru ->, Lima END\nChad ->, Ndjamena END\n", suffix=".csv"),
        fix="safe",
        mended="Leaves the columns out of the written file.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        if dataset.surveys.columns and dataset.pairs:
            names = ", ".join(shown(str(n)) for n in sorted(dataset.surveys.columns)[:8])
            more = len(dataset.surveys.columns) - 8
            yield Judgement(f"not trained on and not written: {names}" + (f" and {more} more" if more > 0 else ""))


def _is_cue(ending: str) -> bool:
    return bool(re.fullmatch(r"\n+\S[^\n]*[:：]\s?", ending))


RULES = (
    SeparatorMissing,
    SeparatorPartial,
    SeparatorInside,
    SeparatorWeak,
    LeadingSpaceMissing,
    StopMissing,
    StopPartial,
    StopInside,
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
