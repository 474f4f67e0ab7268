"""Rules on answered questions: each finds its fault at its place, and what the types refuse is always named."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest
from answered import PREFERENCES, REINFORCEMENT, STEPWISE, UNPAIRED, read
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.batch import Batch
from ftprep.model import Fault, Message, Preference, Row
from ftprep.rule import RecordRule, RowRule, Rule, Sample
from ftprep.rules import CATALOGUE, preference, rewards
from ftprep.rules.preference_form import OutputNotAList, pair
from ftprep.setting import Setting
from ftprep.targets import Fact, Target

ASK, YES, NO = (
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "assistant", "content": "Go away."},
)
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
CALLS = {"role": "assistant", "tool_calls": [TOOL_CALL]}
ANSWER = {"role": "tool", "content": "4", "tool_call_id": "call_1"}
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c.png"}}]}
RECORD_RULES = [r for r in CATALOGUE if isinstance(r, RecordRule)]
ROW_RULES = [kind() for kind in (*preference.RULES, *rewards.RULES) if issubclass(kind, RowRule)]


def target(**facts: Any) -> Setting:
    """A setting with a target of which these facts are known."""
    told = {path.replace("__", "."): Fact(value) for path, value in facts.items()}
    return Setting(target=Target("acme", "Acme", "dpo", facts=told))


def faults_of(record: dict[str, Any], shape: str = "preference", setting: Setting | None = None) -> list[Fault]:
    """What the rules find, by the way that a run takes: on the record, then, where it can be read, on the example."""
    found = [f for rule in RECORD_RULES if shape in rule.shapes for f in rule.check(record)]
    try:
        example = read(record, shape)
    except msgspec.ValidationError:
        return found
    row = Row(0, 1, record, example=example)
    setting = setting or Setting()
    for rule in ROW_RULES:
        if shape in rule.shapes and not rule.ready(setting):
            seen = list(rule.check(row, setting))
            assert not seen or row in rule.suspects(Batch([row]))
            found += seen
    return found


def say(asked: Any = None, better: Any = None, worse: Any = None, **beside: Any) -> dict[str, Any]:
    """A preference with these parts; what is not named is sound."""
    record = {"input": {"messages": [ASK]}, "preferred_output": [YES], "non_preferred_output": [NO]}
    named = {"input": asked, "preferred_output": better, "non_preferred_output": worse}
    return record | {k: v for k, v in named.items() if v is not None} | beside


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in say().items() if k != key}


FOUND: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (say(), []),
    (
        say(id=7, margin=0.5, messages=[{"from": "x"}], tools="x"),
        [("FMT110", f"/{key}") for key in ("id", "margin", "messages", "tools")],
    ),
    (say(asked={"messages": []}), []),
    (say(asked={"messages": [PICTURE]}), []),
    (say(better=[YES | {"weight": 0}]), []),
    (without("input"), [("FMT140", "")]),
    (say(input=None), [("FMT140", "/input")]),
    (say(asked=[ASK]), [("FMT140", "/input")]),
    (say(asked="Hi"), [("FMT140", "/input")]),
    (say(asked={}), [("FMT140", "/input")]),
    (say(asked={"messages": None}), [("FMT140", "/input/messages")]),
    (say(asked={"messages": "Hi"}), [("FMT140", "/input/messages")]),
    (without("preferred_output"), [("FMT141", "")]),
    (without("non_preferred_output"), [("FMT141", "")]),
    (say(non_preferred_output=None), [("FMT141", "/non_preferred_output")]),
    (say(better="Hello."), [("FMT148", "/preferred_output")]),
    (say(better=YES, worse=5), [("FMT148", "/preferred_output"), ("FMT148", "/non_preferred_output")]),
    (say(better=[ASK, YES]), [("FMT142", "/preferred_output"), ("FMT142", "/preferred_output/0/role")]),
    (say(worse=[{"role": "user", "content": "x"}]), [("FMT142", "/non_preferred_output/0/role")]),
    (say(worse=[YES]), [("FMT143", "/non_preferred_output")]),
    (say(worse=[{"role": "assistant", "content": " Hello.\n"}]), [("FMT143", "/non_preferred_output")]),
    (say(worse=[YES | {"weight": 1}]), [("FMT143", "/non_preferred_output")]),
    (
        say(better=[CALLS], worse=[{"role": "assistant", "tool_calls": [TOOL_CALL | {"id": "x"}]}]),
        [("FMT143", "/non_preferred_output")],
    ),
    (say(better=[{"role": "assistant", "content": "a b"}], worse=[{"role": "assistant", "content": "ab"}]), []),
    (say(better=[PICTURE | {"role": "assistant"}], worse=[NO]), []),
    (say(asked={"messages": [ASK, YES]}), [("FMT144", "/input/messages/1")]),
    (say(better=[]), [("FMT145", "/preferred_output")]),
    (say(better=[{"role": "assistant", "content": " \n"}]), [("FMT145", "/preferred_output/0/content")]),
    (
        say(better=[{"role": "assistant", "content": ""}], worse=[{"role": "assistant", "content": ""}]),
        [("FMT145", "/preferred_output/0/content"), ("FMT145", "/non_preferred_output/0/content")],
    ),
    (say(better=[{"role": "assistant", "content": None, "refusal": "No."}]), []),
    (say(better=["Hello."]), [("FMT105", "/preferred_output/0")]),
    (say(asked={"messages": [None]}), [("FMT105", "/input/messages/0")]),
    (say(asked={"messages": [ASK, {"content": "x"}]}), [("FMT106", "/input/messages/1")]),
    (say(better=[{"role": "gpt", "content": "x"}]), [("FMT107", "/preferred_output/0/role")]),
    (
        say(better=[{"role": "assistant"}]),
        [("FMT108", "/preferred_output/0"), ("FMT145", "/preferred_output/0/content")],
    ),
    (say(worse=[{"role": "assistant", "content": 5}]), [("FMT109", "/non_preferred_output/0/content")]),
    (say(better=[YES | {"score": 1}]), [("FMT111", "/preferred_output/0/score")]),
    (say(asked={"messages": [ASK | {"name": "Ann Lee"}]}), [("FMT112", "/input/messages/0/name")]),
    (say(better=[YES | {"weight": 2}]), [("FMT113", "/preferred_output/0/weight")]),
    (say(asked={"messages": [ASK | {"weight": 1}]}), [("FMT114", "/input/messages/0/weight")]),
    (
        say(better=[CALLS | {"tool_calls": [{}]}]),
        [("FMT116", "/preferred_output/0/tool_calls/0"), ("FMT136", "/preferred_output/0/tool_calls/0/id")],
    ),
    (say(asked={"messages": [ASK], "tools": "[]"}), [("FMT134", "/input/tools")]),
    (say(asked={"messages": [ASK], "tools": "["}), [("FMT119", "/input/tools")]),
    (say(asked={"messages": [ASK], "parallel_tool_calls": 0}), [("FMT119", "/input/parallel_tool_calls")]),
    (say(better=[YES | {"reasoning": 5}]), [("FMT119", "/preferred_output/0/reasoning")]),
]


@pytest.mark.parametrize(("record", "found"), FOUND, ids=[str(i) for i in range(len(FOUND))])
def test_every_fault_is_named_with_its_place(record: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert sorted((f.code, f.pointer) for f in faults_of(record)) == sorted(found)


def test_all_faults_of_a_row_are_named_in_the_words_of_the_wire_form() -> None:
    record = say(asked={"messages": [{"role": "User", "content": 5}], "tools": {}}, better=YES, worse=None)
    del record["non_preferred_output"]
    assert [f.code for f in faults_of(record)] == ["FMT107", "FMT109", "FMT119", "FMT141", "FMT148"]
    assert faults_of(record)[0].message == "input.messages[0]: unknown role 'User'; write 'user'"
    assert "preferred_output[0]: " in faults_of(say(better=[{"role": "assistant"}]))[0].message


@pytest.mark.parametrize(
    ("record", "facts", "found"),
    [
        (say(better=[CALLS, ANSWER, YES]), {}, ["FMT142", "FMT142"]),
        (say(better=[CALLS, ANSWER, YES]), {"preference__output_roles": ["assistant", "tool"]}, []),
        (say(better=[ANSWER]), {"preference__output_roles": ["assistant", "tool"]}, ["FMT142"]),
        (say(better=[ASK, YES]), {"preference__output_roles": ["assistant", "tool"]}, ["FMT142"]),
        (say(better=[YES, NO]), {"preference__output_messages": 2}, []),
        (say(better=[YES, NO, YES]), {"preference__output_messages": 2}, ["FMT142"]),
        (say(asked={"messages": []}), {"record__required": ("input",)}, ["FMT146"]),
        (say(asked={"messages": []}), {"record__required": ("chosen",)}, []),
        (say(asked={"messages": [PICTURE]}), {"preference__text_only": True}, ["FMT147"]),
        (say(asked={"messages": [PICTURE]}), {"preference__text_only": False}, []),
        (say(), {"preference__text_only": True, "record__required": ("input",)}, []),
    ],
)
def test_what_a_target_takes(record: dict[str, Any], facts: dict[str, Any], found: list[str]) -> None:
    assert [f.code for f in faults_of(record, setting=target(**facts))] == found


def test_rules_of_targets_say_why_they_do_not_run() -> None:
    for rule in (preference.InputEmpty(), preference.NotText()):
        assert "no target is named" in rule.ready(Setting())
        assert "nothing is known" in rule.ready(target())
        unsure = Setting(target=Target("acme", "Acme", "dpo", facts={rule.fact: Fact(("input",), "third party")}))
        assert rule.severity(unsure) == "warning"


def look(sample: Sample, shape: str) -> set[str]:
    """The codes that a sample gives; its target is one that knows all that these rules ask for."""
    setting = target(record__required=("input",), preference__text_only=True) if sample.recipe else None
    assert isinstance(sample.text, str)
    return {f.code for line in sample.text.splitlines() for f in faults_of(json.loads(line), shape, setting)}


@pytest.mark.parametrize("rule", preference.RULES, ids=lambda r: r.card.name)
def test_the_samples_of_a_card_show_its_fault(rule: type[Rule]) -> None:
    assert rule.card.code in look(rule.card.bad, "preference")
    assert look(rule.card.bad, "preference") == {rule.card.code}
    assert look(rule.card.good, "preference") == set()
    assert pair() == rule.card.good.text


@pytest.mark.parametrize(
    ("record", "repaired"),
    [
        (say(better="Hello."), say()),
        (say(better=YES, worse=NO), say()),
        ({"input": {}, "label": 1, "output": "Hi"}, {"input": {}, "label": 1, "output": [YES | {"content": "Hi"}]}),
        (say(), None),
        (say(better=5), None),
        (without("preferred_output"), None),
        ({}, None),
    ],
)
def test_a_single_answer_becomes_a_list(record: dict[str, Any], repaired: dict[str, Any] | None) -> None:
    rule = OutputNotAList()
    before = copy.deepcopy(record)
    once = rule.repair(record)
    assert record == before
    assert (once is record) if repaired is None else (once == repaired)
    assert rule.repair(once) is once
    fixable = [f.fixable for f in rule.check(record)]
    assert any(fixable) == (repaired is not None)


def test_a_rule_without_a_repair_gives_the_record_back() -> None:
    record = say()
    assert all(rule.repair(record) is record for rule in RECORD_RULES)


SCALARS = st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.text(max_size=3)
ROLES = st.sampled_from(["user", "assistant", "tool", "boss"])
THINGS = st.recursive(
    SCALARS | ROLES | st.just(ASK) | st.just(YES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "messages", "type", "text", "tool_calls", "function", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@st.composite
def mutated(draw: st.DrawFn, records: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A sound record in which up to three things, at any depth, are gone or something else."""
    record = copy.deepcopy(draw(records))
    for _ in range(draw(st.integers(0, 3))):
        here: Any = record
        while True:
            places = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            inner = here[place]
            if isinstance(inner, (dict, list)) and inner and draw(st.integers(0, 2)):
                here = inner
                continue
            if draw(st.integers(0, 3)):
                here[place] = copy.deepcopy(draw(THINGS))
            else:
                del here[place]
            break
    return record


ERRORS = {r.card.code for r in RECORD_RULES if r.card.severity == "error"}


@pytest.mark.parametrize(
    ("shape", "records"),
    [
        ("preference", PREFERENCES),
        ("unpaired", UNPAIRED),
        ("stepwise", STEPWISE),
        ("reinforcement", REINFORCEMENT),
    ],
    ids=["preference", "unpaired", "stepwise", "reinforcement"],
)
@settings(max_examples=80)
@given(data=st.data())
def test_what_the_types_refuse_a_rule_names(shape: str, records: Any, data: Any) -> None:
    record = data.draw(mutated(records))
    found = [f for rule in RECORD_RULES if shape in rule.shapes for f in rule.check(record)]
    for fault in found:
        (fault.message + fault.pointer + fault.excerpt).encode()
    if any(f.code in ERRORS for f in found):
        return
    example = read(record, shape)
    row = Row(0, 1, record, example=example)
    for rule in ROW_RULES:
        for fault in rule.check(row, Setting()):
            (fault.message + fault.pointer + fault.excerpt).encode()


def test_rows_of_other_shapes_are_no_suspects() -> None:
    rows = [Row(0, 1, {}, example=Preference(read(say(), "preference").input, [Message("assistant", "a")], []))]
    for rule in ROW_RULES:
        assert rule.suspects(Batch(rows)) == (rows if "preference" in rule.shapes else [])
