"""Rules on labels, steps and grader fields: single records, and what the set as a whole shows, however it is cut."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest
from answered import read
from hypothesis import given
from hypothesis import strategies as st
from test_preference import faults_of, target

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.model import Chunk, Place, Row
from ftprep.rule import DatasetRule, RecordRule, Rule
from ftprep.rules import rewards
from ftprep.setting import Setting
from ftprep.surveys import MOST_FORMS, FieldSurvey, Surveys

ASK, YES = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
UNPAIRED = {"input": {"messages": [ASK]}, "output": [YES], "label": True}
STEPS = {"prompt": "2*3+1?", "completions": ["6", "7"], "labels": [True, True]}


@pytest.mark.parametrize(
    ("shape", "record", "found"),
    [
        ("unpaired", UNPAIRED, []),
        (
            "unpaired",
            UNPAIRED | {"label": False, "id": 1, "messages": "x"},
            [("FMT110", "/id", True), ("FMT110", "/messages", True)],
        ),
        ("unpaired", UNPAIRED | {"label": None}, [("FMT153", "/label", False)]),
        ("unpaired", UNPAIRED | {"label": 0}, [("FMT153", "/label", True)]),
        ("unpaired", UNPAIRED | {"label": 2}, [("FMT153", "/label", False)]),
        ("unpaired", UNPAIRED | {"label": "True"}, [("FMT153", "/label", True)]),
        ("unpaired", UNPAIRED | {"label": "good"}, [("FMT153", "/label", False)]),
        ("unpaired", {"input": {"messages": [ASK]}, "output": [YES]}, [("FMT153", "", False)]),
        (
            "unpaired",
            {"input": {"messages": [ASK]}, "label": [1]},
            [("FMT141", "", False), ("FMT153", "/label", False)],
        ),
        ("unpaired", UNPAIRED | {"input": None}, [("FMT140", "/input", False)]),
        ("unpaired", UNPAIRED | {"output": "Hi"}, [("FMT148", "/output", True)]),
        ("unpaired", UNPAIRED | {"output": []}, [("FMT145", "/output", False)]),
        ("unpaired", UNPAIRED | {"output": [{"content": "x"}]}, [("FMT106", "/output/0", False)]),
        ("unpaired", UNPAIRED | {"input": {"messages": [YES]}}, [("FMT144", "/input/messages/0", False)]),
        ("stepwise", STEPS, []),
        ("stepwise", STEPS | {"labels": [True]}, [("FMT154", "/labels", False)]),
        ("stepwise", STEPS | {"labels": [], "completions": []}, [("FMT154", "/completions", False)]),
        ("stepwise", STEPS | {"labels": [True, 1]}, [("FMT156", "/labels/1", True)]),
        ("stepwise", STEPS | {"labels": [True, "no"]}, [("FMT156", "/labels/1", False)]),
        ("stepwise", STEPS | {"completions": "6"}, [("FMT156", "/completions", False)]),
        ("stepwise", STEPS | {"completions": ["6", None]}, [("FMT156", "/completions/1", False)]),
        ("stepwise", STEPS | {"prompt": [ASK]}, [("FMT156", "/prompt", False)]),
        ("stepwise", {}, [("FMT156", "", False)] * 3),
        ("reinforcement", {"messages": [ASK], "x": 1}, []),
        ("reinforcement", {"messages": [ASK, YES]}, [("FMT150", "/messages/1", False)]),
        ("reinforcement", {"messages": [{"role": "developer", "content": "x"}]}, [("FMT150", "/messages/0", False)]),
        ("reinforcement", {"messages": []}, [("FMT104", "/messages", False)]),
        ("reinforcement", {"x": 1}, [("FMT102", "", False)]),
        ("reinforcement", {"messages": "Hi"}, [("FMT103", "/messages", False)]),
        ("reinforcement", {"messages": [ASK], "tools": "x"}, [("FMT119", "/tools", False)]),
    ],
)
def test_every_fault_is_named_with_its_place(shape: str, record: dict[str, Any], found: list[Any]) -> None:
    assert [(f.code, f.pointer, f.fixable) for f in faults_of(record, shape)] == found


def test_a_target_may_want_the_last_message_of_one_role() -> None:
    record = {"messages": [ASK, {"role": "tool", "content": "4", "tool_call_id": "a"}]}
    assert faults_of(record, "reinforcement") == []
    found = faults_of(record, "reinforcement", target(reinforcement__last_role="user"))
    assert [f.code for f in found] == ["FMT150"]


@pytest.mark.parametrize(
    ("rule", "record", "repaired"),
    [
        *(
            (rewards.LabelNotBoolean(), {"label": said, "x": 1}, {"label": meant, "x": 1})
            for said, meant in ((0, False), (1, True), (1.0, True), ("true", True), (" False", False), ("1", True))
        ),
        *((rewards.LabelNotBoolean(), {"label": said}, None) for said in (True, False, None, 2, "yes", [], [1])),
        (rewards.LabelNotBoolean(), {}, None),
        (rewards.StepwiseForm(), STEPS | {"labels": [1, "false"]}, STEPS | {"labels": [True, False]}),
        (rewards.StepwiseForm(), STEPS | {"labels": [1, None]}, None),
        (rewards.StepwiseForm(), STEPS, None),
        (rewards.StepwiseForm(), {"labels": 1}, None),
    ],
)
def test_labels_are_put_right(rule: RecordRule, record: dict[str, Any], repaired: dict[str, Any] | None) -> None:
    before = copy.deepcopy(record)
    once = rule.repair(record)
    assert record == before
    assert (once is record) if repaired is None else (once == repaired and repr(once) == repr(repaired))
    assert rule.repair(once) is once


def seen(shape: str, records: list[dict[str, Any]], cut: int | None = None, kept: int = 10) -> Dataset:
    """The set as the dataset rules see it, from one part or two."""
    setting = Setting(shapes=frozenset({shape}), kept=kept)
    total = Surveys(setting)
    cut = len(records) if cut is None else cut
    for number, part in enumerate((records[cut:], records[:cut])):  # the later rows first
        rows = [Row(i, i + 1, r, example=read(r, shape), index=i) for i, r in enumerate(part)]
        survey = Surveys(setting)
        survey.see(Chunk(1 - number, 0, 1, b""), Batch(rows), setting)
        total.merge(survey)
    return Dataset(total, setting, lambda number: Place("a", number))


def graded(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"messages": [ASK], **extra} for extra in fields]


def judged(rule: DatasetRule, dataset: Dataset) -> list[tuple[str, list[int]]]:
    """Each judgement with the ordinals of its rows."""
    return [(j.message, [n for n, _ in j.marks.items] if j.marks else []) for j in rule.judge(dataset)]


def test_a_field_that_most_have_is_missed_where_it_is_not() -> None:
    data = graded({"a": "x", "b": 1}, {"a": None}, {"a": "x"}, {}, {"a": "x"})
    told = judged(rewards.GraderFieldMissing(), seen("reinforcement", data))
    assert told == [("the field 'a', which 3 of 5 examples have, is missing or null", [1, 3])]


def test_a_field_of_another_type_is_told_with_its_rows() -> None:
    data = graded({"a": "x"}, {"a": 4}, {"a": "x"}, {"a": True}, {"a": None}, {"a": 4.5}, {"a": ""})
    dataset = seen("reinforcement", data)
    assert judged(rewards.GraderFieldType(), dataset) == [
        ("the field 'a' is a number; in 3 of 7 examples it is text", [1, 5]),
        ("the field 'a' is true or false; in 3 of 7 examples it is text", [3]),
    ]


@pytest.mark.parametrize("rule", [rewards.GraderFieldMissing(), rewards.GraderFieldType()])
@pytest.mark.parametrize(
    "data", [[], graded({}), graded({}, {}), graded({"a": 1}, {"a": 2.5}), graded({"a": 1}, {"b": 1})]
)
def test_fields_that_are_alike_give_nothing(rule: DatasetRule, data: list[dict[str, Any]]) -> None:
    assert judged(rule, seen("reinforcement", data)) == []


def test_sets_whose_fields_all_differ_are_told_once() -> None:
    data = graded(*({f"k{i}": 1} for i in range(MOST_FORMS + 1)))
    ((message, rows),) = judged(rewards.GraderFieldMissing(), seen("reinforcement", data, 7))
    assert "differ in more than 500 ways" in message
    assert rows == []
    assert judged(rewards.GraderFieldType(), seen("reinforcement", data)) == []


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([True, True], ["all 2 answers have the label true"]),
        ([False] * 3, ["all 3 answers have the label false"]),
        ([True, False], []),
        ([True], []),
        ([], []),
    ],
)
def test_labels_of_one_kind(labels: list[bool], told: list[str]) -> None:
    dataset = seen("unpaired", [UNPAIRED | {"label": label} for label in labels], len(labels) // 2)
    assert [message for message, _ in judged(rewards.OneSidedLabels(), dataset)] == told


VALUES = st.sampled_from(["x", 1, 1.5, None, True, [], {}, object()])


@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES)), st.integers(0, 5), st.integers(1, 3))
def test_fields_are_counted_the_same_however_they_are_cut(rows: list[dict[str, Any]], cut: int, kept: int) -> None:
    numbered = list(enumerate(rows))
    whole, left, right = FieldSurvey(kept), FieldSurvey(kept), FieldSurvey(kept)
    whole.see(numbered)  # type: ignore[arg-type]
    left.see(numbered[cut:])  # type: ignore[arg-type]
    right.see(numbered[:cut])  # type: ignore[arg-type]
    left.merge(right)
    assert (left.rows, left.forms) == (whole.rows, whole.forms)
    counts = Counter(tuple(sorted(row)) for row in rows)
    assert whole.forms is not None
    assert sum(m.count for m in whole.forms.values()) == whole.rows == counts.total()


@pytest.mark.parametrize("rule", rewards.RULES, ids=lambda r: r.card.name)
def test_the_samples_of_a_card_show_its_fault(rule: type[Rule]) -> None:
    shape = next(iter(rule.shapes))  # type: ignore[attr-defined]
    for sample, wanted in ((rule.card.bad, {rule.card.code}), (rule.card.good, set())):
        assert isinstance(sample.text, str)
        records = [json.loads(line) for line in sample.text.splitlines()]
        found = {f.code for record in records for f in faults_of(record, shape)}
        if not found:
            dataset = seen(shape, records)
            found = {k.card.code for k in rewards.RULES if issubclass(k, DatasetRule) and any(k().judge(dataset))}
        assert found == wanted
