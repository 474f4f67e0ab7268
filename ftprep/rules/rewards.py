"""Rules on labels, steps and what graders read: unpaired, stepwise and reinforcement data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.model import Fault, Reinforcement, Row, Stepwise
from ftprep.rule import Card, DatasetRule, Judgement, RecordRule, RowRule, Rule, Sample
from ftprep.setting import Setting
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind, quote
from ftprep.surveys import MOST_FORMS, FieldSurvey
from ftprep.textsurvey import Marks

MOST_FIELDS = 20
"""Fields of one set that are told about."""


def _graded(*fields: str) -> str:
    asked = '{"messages": [{"role": "user", "content": "Capital of Peru?"}]'
    return "".join(f"{asked}{', ' if text else ''}{text}}}\n" for text in fields)


_GRADED = _graded('"answer": "Lima"', '"answer": "Lima"', '"answer": "Lima."')


class LastNotUser(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("reinforcement",)
    card: ClassVar[Card] = Card(
        code="FMT150",
        name="last-not-user",
        severity="error",
        finds="A conversation for reinforcement does not end with the user's message, or a tool's.",
        why="The model is to answer its last message, and the grader judges that; providers refuse the file.",
        bad=Sample(
            text=_GRADED + '{"messages": [{"role": "user", "content": "Capital of Mali?"}, '
            '{"role": "assistant", "content": "Bamako."}], "answer": "Bamako"}\n'
        ),
        good=Sample(text=_GRADED),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows of this shape."""
        return [row for row in batch.rows if isinstance(row.example, Reinforcement)]

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        messages = row.example.messages if isinstance(row.example, Reinforcement) else []
        wanted = setting.target.value("reinforcement.last_role") if setting.target else None
        if messages and messages[-1].role not in ((wanted,) if wanted else ("user", "tool", "function")):
            what = f"the conversation ends with a message of role {messages[-1].role}, not with the user's"
            yield self.fault(what, make_pointer("messages", len(messages) - 1))


class _FieldRule(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("reinforcement",)


def _kinds_of(survey: FieldSurvey) -> dict[str, Counter[str]]:
    """How many rows have a field in which kind, null aside; the commonest field first."""
    kinds: dict[str, Counter[str]] = {}
    for form, marks in (survey.forms or {}).items():
        for name, kind in form:
            if kind != "null":
                kinds.setdefault(name, Counter())[kind] += marks.count
    return dict(sorted(kinds.items(), key=lambda item: (-item[1].total(), item[0])))


def _rows_of(survey: FieldSurvey, name: str, kinds: tuple[str, ...]) -> Marks:
    """The rows that have a field in one of these kinds; "" stands for not at all."""
    found = Marks(survey.kept)
    for form, marks in (survey.forms or {}).items():
        if dict(form).get(name, "") in kinds:
            found.merge(marks)
    return found


class GraderFieldMissing(_FieldRule):
    card: ClassVar[Card] = Card(
        code="FMT151",
        name="grader-field-missing",
        severity="warning",
        finds="A field that most examples have for the grader is missing or null in some.",
        why="A grader that reads `{{item.answer}}` fails on such an example, or judges against nothing.",
        bad=Sample(text=_GRADED + _graded('"answer": null')),
        good=Sample(text=_GRADED),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.fields
        if survey.forms is None:
            yield Judgement(f"the fields of the examples differ in more than {MOST_FORMS:,} ways: not compared")
        told = 0
        for name, kinds in _kinds_of(survey).items():
            count = kinds.total()
            if 2 * count > survey.rows > count and told < MOST_FIELDS:
                told += 1
                what = f"the field {quote(name)}, which {count:,} of {survey.rows:,} examples have, is missing or null"
                yield Judgement(what, _rows_of(survey, name, ("", "null")))


class GraderFieldType(_FieldRule):
    card: ClassVar[Card] = Card(
        code="FMT152",
        name="grader-field-type",
        severity="warning",
        finds="A field for the grader is of another type in some examples: a number here, a text there.",
        why="A grader compares 4 with '4' and finds them different, or fails.",
        bad=Sample(text=_GRADED + _graded('"answer": 4')),
        good=Sample(text=_GRADED),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.fields
        mixed = [(name, kinds) for name, kinds in _kinds_of(survey).items() if len(kinds) > 1]
        for name, kinds in mixed[:MOST_FIELDS]:
            usual, *others = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
            for kind in others:
                what = (
                    f"the field {quote(name)} is {kind}; in {kinds[usual]:,} of {survey.rows:,} examples it is {usual}"
                )
                yield Judgement(what, _rows_of(survey, name, (kind,)))


def _labelled(*labels: str) -> str:
    start = '{"input": {"messages": [{"role": "user", "content": "Capital of Peru?"}]}, "output": '
    texts = ("Lima.", "Cusco.", "Callao.")
    replies = (f'[{{"role": "assistant", "content": "{text}"}}]' for text in texts)
    return "".join(f'{start}{reply}, "label": {label}}}\n' for reply, label in zip(replies, labels, strict=False))


class LabelNotBoolean(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("unpaired",)
    card: ClassVar[Card] = Card(
        code="FMT153",
        name="label-not-boolean",
        severity="error",
        finds="The label of an answer is not true or false: 0, 1, a text, null, or none at all.",
        why="Trainers stop at a text such as 'true', and would take 'false' for true, since it is not empty.",
        bad=Sample(text=_labelled("true", "false", '"false"')),
        good=Sample(text=_labelled("true", "false", "false")),
        fix="safe",
        mended="Writes 0, 1, 'true' and 'false' as true or false.",
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        label = record.get("label")
        if "label" not in record:
            yield Fault(self.card.code, "no label", "", make_excerpt(record))
        elif not isinstance(label, bool):
            what = f"the label is {name_kind(label)}, not true or false"
            fixable = _meant(label) is not None
            yield Fault(self.card.code, what, make_pointer("label"), make_excerpt(label), fixable=fixable)

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what the rule finds put right where that is exact, else the very same object."""
        label = record.get("label")
        meant = None if isinstance(label, bool) else _meant(label)
        return record if meant is None else {**record, "label": meant}


def _meant(label: object) -> bool | None:
    """What a label stands for, None where that is not sure."""
    if isinstance(label, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(label.strip().casefold())
    return bool(label) if isinstance(label, (int, float)) and label in (0, 1) else None


_STEPS = '{"prompt": "What is 2 * 3 + 1?", "completions": ["2 * 3 = 6", "6 + 1 = 7"], "labels": [true, true]}\n'


class StepsLabelsUnlike(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("stepwise",)
    card: ClassVar[Card] = Card(
        code="FMT154",
        name="steps-labels-unlike",
        severity="error",
        finds="A solution has more steps than labels or fewer, or no step at all.",
        why="Then nobody can tell which label judges which step.",
        bad=Sample(text=_STEPS + '{"prompt": "2 * 2?", "completions": ["2 + 2", "4"], "labels": [true]}\n'),
        good=Sample(text=_STEPS),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows of this shape."""
        return [row for row in batch.rows if isinstance(row.example, Stepwise)]

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        if not isinstance(row.example, Stepwise):
            return
        steps, labels = len(row.example.completions), len(row.example.labels)
        if steps != labels:
            yield self.fault(f"{steps} step{'s' * (steps != 1)} and {labels} label{'s' * (labels != 1)}", "/labels")
        elif not steps:
            yield self.fault("there is no step", "/completions", "[]")


class StepwiseForm(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("stepwise",)
    card: ClassVar[Card] = Card(
        code="FMT156",
        name="stepwise-form",
        severity="error",
        finds="The prompt is no text, the steps are no list of texts, or the labels no list of true and false.",
        why="Trainers stop at such a record without saying where it stands.",
        bad=Sample(text=_STEPS + '{"prompt": "2 * 2?", "completions": ["2 + 2", "4"], "labels": [true, 1]}\n'),
        good=Sample(text=_STEPS),
        fix="safe",
        mended="Writes the labels 0, 1, 'true' and 'false' as true or false.",
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        yield from self._look(record, "prompt", "text")
        yield from self._look_into(record, "completions", str, "text")
        yield from self._look_into(record, "labels", bool, "true or false")

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what the rule finds put right where that is exact, else the very same object."""
        labels = record.get("labels")
        if not isinstance(labels, (list, tuple)) or all(isinstance(v, bool) for v in labels):
            return record
        meant = [_meant(v) for v in labels]
        return record if None in meant else {**record, "labels": meant}

    def _look(self, record: dict[str, Any], key: str, wanted: str) -> Iterator[Fault]:
        value = record.get(key)
        if key not in record:
            yield self._fault(f"no {key}", "", record)
        elif not isinstance(value, str if wanted == "text" else (list, tuple)):
            yield self._fault(f"{key} is {name_kind(value)}, not {wanted}", make_pointer(key), value)

    def _look_into(self, record: dict[str, Any], key: str, kind: type, wanted: str) -> Iterator[Fault]:
        yield from self._look(record, key, "a list")
        values = record.get(key)
        for place, value in enumerate(values if isinstance(values, (list, tuple)) else ()):
            if not isinstance(value, kind):
                what = f"{key}[{place}] is {name_kind(value)}, not {wanted}"
                yield self._fault(what, make_pointer(key, place), value, kind is bool and _meant(value) is not None)

    def _fault(self, message: str, pointer: str, value: object, fixable: bool = False) -> Fault:
        return Fault(self.card.code, message, pointer, make_excerpt(value), fixable=fixable)


class OneSidedLabels(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("unpaired",)
    card: ClassVar[Card] = Card(
        code="FMT155",
        name="one-sided-labels",
        severity="warning",
        finds="All answers of an unpaired set have the same label.",
        why="KTO learns from the contrast of good and bad answers; one kind alone teaches little or leads astray.",
        bad=Sample(text=_labelled("true", "true", "true")),
        good=Sample(text=_labelled("true", "true", "false")),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        counts = dataset.surveys.labels
        if counts.total() > 1 and len(+counts) == 1:
            label = "true" if counts[True] else "false"
            yield Judgement(f"all {counts.total():,} answers have the label {label}")


RULES: tuple[type[Rule], ...] = (
    LastNotUser,
    GraderFieldMissing,
    GraderFieldType,
    LabelNotBoolean,
    StepsLabelsUnlike,
    OneSidedLabels,
    StepwiseForm,
)
