"""FMT rules: each sees its fault and names the place; whatever a record holds, it is read or something is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.model import Chat, Fault, Row
from ftprep.recipe import resolve
from ftprep.rule import RecordRule, Rule, Sample
from ftprep.rules import fmt, fmt_calls
from ftprep.rules.fmt_messages import OTHER_ROLES, ROLES, meant_role
from ftprep.rules.spots import Spot, talks_of
from ftprep.setting import Setting
from ftprep.shapes import detect
from ftprep.shapes.chat import CHAT_EXTRA, MESSAGE_EXTRA, ChatShape
from ftprep.shapes.convert import CannotConvert, to_pairs
from ftprep.shapes.sight import strange

SHAPE = ChatShape()
RULES = (*fmt.RULES, *fmt_calls.RULES)
CHAT_RULES = tuple(r() for r in RULES if issubclass(r, RecordRule) and "chat" in r.shapes)
ERRORS = {r.card.code for r in RULES if r.card.severity == "error"}
USER, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
NO_ID = {"type": "function", "function": {"name": "find", "arguments": "{}"}}
NO_TYPE = {"id": "call_1", "function": {"name": "find", "arguments": "{}"}}
OBJECT = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": {"country": "Mali"}}}


def faults_of(record: dict[str, Any]) -> list[Fault]:
    own = list(strange(record, SHAPE.dialect))
    if any(f.code in ("FMT101", "FMT117") for f in own):
        return own
    return own + [fault for rule in CHAT_RULES for fault in rule.check(record)]


def look(sample: Sample) -> set[str]:
    """The FMT codes that a sample gives, by the way a run takes."""
    recipe = resolve(sample.recipe)
    text = sample.text if isinstance(sample.text, str) else sample.text.decode()
    records = [json.loads(line) for line in text.splitlines()]
    found = detect(records, recipe)
    codes = {f.code for f in found.faults}
    for record in records if found.shape else ():
        row = Row(0, 1, record)
        assert found.shape is not None
        if not found.shape.read(row):
            faults = faults_of(record) if found.shape.name == "chat" else list(found.shape.faults(record))
            codes |= {f.code for f in faults}
        elif recipe.turns and isinstance(row.example, Chat):
            try:
                to_pairs(row.example, recipe.turns, row.example.extra)
            except CannotConvert:
                codes.add("FMT118")
    return codes


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.card.name)
def test_the_samples_of_a_card_show_its_fault_and_nothing_else(rule: type[Rule]) -> None:
    assert look(rule.card.bad) == {rule.card.code}
    assert look(rule.card.good) == set()


def test_codes_and_names_stand_once() -> None:
    cards = [r.card for r in RULES]
    assert len({c.code for c in cards}) == len(cards) == 25
    assert len({c.name for c in cards}) == len(cards)
    assert {a for c in cards for a in c.aliases} == {
        "missing_messages_list",
        "message_missing_key",
        "message_unrecognized_key",
        "unrecognized_role",
        "missing_content",
    }


def talk(*messages: Any, **keys: Any) -> dict[str, Any]:
    return {"messages": list(messages), **keys}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({}, [("FMT102", "")]),
        ({"messages": None}, [("FMT102", "/messages")]),
        ({"message": [USER, REPLY]}, [("FMT102", "")]),
        ({"prompt": "a", "completion": "b"}, [("FMT117", "")]),
        ({"conversations": [{"from": "human", "value": "Hi"}]}, [("FMT117", "")]),
        ({"messages": "Hi"}, [("FMT103", "/messages")]),
        ({"messages": USER}, [("FMT103", "/messages")]),
        ({"messages": 5, "id": 1}, [("FMT103", "/messages"), ("FMT110", "/id")]),
        (talk(), [("FMT104", "/messages")]),
        (talk(USER, "Hello."), [("FMT105", "/messages/1")]),
        (talk(USER, None, [REPLY]), [("FMT105", "/messages/1"), ("FMT105", "/messages/2")]),
        (talk(USER, {"content": "Hello."}), [("FMT106", "/messages/1")]),
        (talk({"role": None, "content": "Hi"}, REPLY), [("FMT106", "/messages/0")]),
        (talk(USER, {"role": "boss", "content": "Hi"}), [("FMT107", "/messages/1/role")]),
        (talk(USER, {"role": 1, "content": "Hi"}), [("FMT107", "/messages/1/role")]),
        (talk(USER, {"role": ["user"], "content": "Hi"}), [("FMT107", "/messages/1/role")]),
        (talk(USER, {"role": "assistant"}), [("FMT108", "/messages/1")]),
        (talk(USER, {"role": "assistant", "content": 5}), [("FMT109", "/messages/1/content")]),
        (talk(USER, {"role": "assistant", "content": None}), [("FMT109", "/messages/1/content")]),
        (talk(USER, {"role": "assistant", "content": []}), [("FMT109", "/messages/1/content")]),
        (talk(USER, {"role": "assistant", "content": {"text": "Hi"}}), [("FMT109", "/messages/1/content")]),
        (
            talk({"role": "user", "content": [{"type": "text"}, "Hi", {"type": "audio"}, {"text": "Hi"}]}, REPLY),
            [(("FMT109"), f"/messages/0/content/{i}") for i in range(4)],
        ),
        (talk(USER, REPLY, **{"a/b": 1}), [("FMT110", "/a~1b")]),
        (talk(USER, {**REPLY, "score": 1}), [("FMT111", "/messages/1/score")]),
        (talk({**USER, "name": "Ann Lee"}, REPLY), [("FMT112", "/messages/0/name")]),
        (talk({**USER, "name": "a" * 65}, REPLY), [("FMT112", "/messages/0/name")]),
        (talk({**USER, "name": 7}, REPLY), [("FMT112", "/messages/0/name")]),
        (talk(USER, {**REPLY, "weight": 2}), [("FMT113", "/messages/1/weight")]),
        (talk(USER, {**REPLY, "weight": "1"}), [("FMT113", "/messages/1/weight")]),
        (talk(USER, {**REPLY, "weight": True}), [("FMT113", "/messages/1/weight")]),
        (talk({**USER, "weight": 1}, REPLY), [("FMT114", "/messages/0/weight")]),
        (talk(USER, {**REPLY, "weight": 0}), [("FMT115", "/messages")]),
        (
            talk(USER, {"role": "assistant", "tool_calls": {}}),
            [("FMT108", "/messages/1"), ("FMT116", "/messages/1/tool_calls")],
        ),
        (talk(USER, {"role": "assistant", "tool_calls": [{"id": "a"}]}), [("FMT116", "/messages/1/tool_calls/0")]),
        (talk(USER, {"role": "assistant", "function_call": "find"}), [("FMT116", "/messages/1/function_call")]),
        (talk({**USER, "tool_calls": [CALL]}, REPLY), [("FMT116", "/messages/0/tool_calls")]),
        (talk(USER, {"role": "tool", "content": "4"}, REPLY), [("FMT136", "/messages/1/tool_call_id")]),
        (talk(USER, {"role": "assistant", "tool_calls": "no"}), [("FMT116", "/messages/1/tool_calls")]),
        (talk(USER, {"role": "assistant", "tool_calls": [NO_ID]}), [("FMT136", "/messages/1/tool_calls/0/id")]),
        (talk(USER, {"role": "assistant", "tool_calls": [NO_TYPE]}), [("FMT116", "/messages/1/tool_calls/0")]),
        (
            talk(USER, {"role": "assistant", "tool_calls": [OBJECT]}),
            [("TOOL102", "/messages/1/tool_calls/0/function/arguments")],
        ),
        (
            talk(USER, {"role": "assistant", "tool_calls": [{"function": OBJECT["function"]}]}),
            [
                ("FMT116", "/messages/1/tool_calls/0"),
                ("FMT136", "/messages/1/tool_calls/0/id"),
                ("TOOL102", "/messages/1/tool_calls/0/function/arguments"),
            ],
        ),
        (
            talk(USER, {"role": "assistant", "function_call": OBJECT["function"]}),
            [("TOOL102", "/messages/1/function_call/arguments")],
        ),
        (
            talk(USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "find", "arguments": []}}]}),
            [("FMT116", "/messages/1/tool_calls/0")],
        ),
        (talk(USER, {"role": "assistant", "tool_calls": json.dumps([CALL])}), [("FMT134", "/messages/1/tool_calls")]),
        ({"messages": json.dumps([USER, REPLY])}, [("FMT134", "/messages")]),
        ({"messages": json.dumps(json.dumps([USER, REPLY]))}, [("FMT134", "/messages")]),
        ({"messages": '[{"role": "user", "role": "user"}]'}, [("FMT103", "/messages")]),
        (talk(USER, REPLY, tools="[1]"), [("FMT119", "/tools")]),
        (talk(USER, {"role": "function", "content": "4"}, REPLY), [("FMT116", "/messages/1")]),
        (talk(USER, REPLY, tools="[]"), [("FMT134", "/tools")]),
        (talk(USER, REPLY, tools=[1]), [("FMT119", "/tools")]),
        (talk(USER, REPLY, parallel_tool_calls=0), [("FMT119", "/parallel_tool_calls")]),
        (talk(USER, {**REPLY, "refusal": 1}), [("FMT119", "/messages/1/refusal")]),
        (talk(USER, {**REPLY, "thinking": 1}), [("FMT119", "/messages/1/thinking")]),
        (talk(USER, {**REPLY, "content": [{"type": "refusal"}]}), [("FMT109", "/messages/1/content/0")]),
        (talk(USER, REPLY, **{CHAT_EXTRA: None}), [("FMT110", f"/{CHAT_EXTRA}")]),
        (talk(USER, {**REPLY, MESSAGE_EXTRA: None}), [("FMT111", f"/messages/1/{MESSAGE_EXTRA}")]),
    ],
)
def test_every_fault_is_named_with_its_place(record: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert not SHAPE.read(Row(0, 1, record))
    assert sorted((f.code, f.pointer) for f in faults_of(record)) == sorted(found)


def test_all_faults_of_a_row_are_named() -> None:
    record = talk({"role": "User", "content": "Hi"}, {"role": "assistant"}, "Hello.", topic="talk")
    assert [f.code for f in faults_of(record)] == ["FMT105", "FMT107", "FMT108", "FMT110"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((role, role) for role in ROLES),
        *OTHER_ROLES.items(),
        ("Assistant", "assistant"),
        (" USER ", "user"),
        ("assitant", "assistant"),
        ("systm", "system"),
        ("boss", ""),
        ("", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_the_role_that_is_meant(said: object, meant: str) -> None:
    assert meant_role(said) == meant


def test_a_fault_of_the_role_does_not_bring_others_after_it() -> None:
    record = talk(USER, {"role": "Assistant", "tool_calls": [CALL], "weight": 1})
    assert [f.code for f in faults_of(record)] == ["FMT107"]
    assert "write 'assistant'" in faults_of(record)[0].message


def test_only_what_can_be_mended_is_fixable() -> None:
    assert [f.fixable for f in faults_of(talk(USER, {**REPLY, "score": 1}, id=1))] == [True, True]
    assert not faults_of(talk())[0].fixable
    for rule in CHAT_RULES:
        mends = rule.mend(Setting()) is not None or type(rule).repair is not RecordRule.repair
        assert mends == (rule.card.fix is not None)


KEYS = st.sampled_from(
    ["role", "content", "name", "weight", "tool_calls", "tool_call_id", "refusal", "type", "text", "x"]
)
SCALARS = st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.text(max_size=3)
WORDS = st.sampled_from(["user", "assistant", "tool", "system", "Assistant", "text", "image_url"])
THINGS = st.recursive(
    SCALARS | WORDS | st.just(CALL),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)
MESSAGES = THINGS | st.fixed_dictionaries(
    {"role": WORDS, "content": THINGS | st.text(max_size=3)},
    optional=dict.fromkeys(("name", "weight", "tool_calls", "tool_call_id", "refusal", "function_call"), THINGS),
)
NEARLY = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "assistant"]), "content": st.text(max_size=3)},
    optional={
        "weight": st.sampled_from([None, None, None, 0, 1, True]),
        "name": st.sampled_from(["ann", "bob_2", None, None, "Ann Lee"]),
        "refusal": st.sampled_from([None, None, None, "No.", 1]),
        "tool_calls": st.sampled_from([None, None, None, [CALL], [CALL, {}]]),
        "tool_call_id": st.sampled_from([None, None, None, "call_1", 1]),
    },
)
TOP = st.sampled_from(["messages", "tools", "functions", "parallel_tool_calls", "prompt", "completion", "id", "chosen"])
RECORDS = st.dictionaries(TOP, THINGS, max_size=4) | st.fixed_dictionaries(
    {"messages": st.lists(MESSAGES, max_size=4)},
    optional={"tools": THINGS, "parallel_tool_calls": SCALARS, "id": THINGS},
)


@settings(max_examples=100, deadline=None)
@given(RECORDS | st.fixed_dictionaries({"messages": st.lists(NEARLY, min_size=1, max_size=3)}))
def test_a_record_is_read_or_something_is_said(record: dict[str, Any]) -> None:
    faults = faults_of(record)
    for fault in faults:
        (fault.message + fault.pointer + fault.excerpt).encode()
    if SHAPE.read(Row(0, 1, record)):
        assert not faults
        return
    loose = SHAPE.read_loosely(record)
    assert faults or (isinstance(loose, str) and loose)
    if not any(f.code in ERRORS for f in faults):
        assert isinstance(loose, Chat)


def test_what_is_no_json_at_all_does_not_crash_the_rules() -> None:
    circle = talk(USER, REPLY)
    circle["tools"] = [circle]
    odd: dict[Any, Any] = {1: 2, "messages": [{3: 4}]}
    for record in (odd, talk({"role": "user", "content": {1}}, object()), circle):
        faults_of(record)
        assert isinstance(SHAPE.read_loosely(record), (str, Chat))


@pytest.mark.parametrize(
    ("record", "spots"),
    [
        ({"messages": [USER, "x", REPLY]}, ["messages[0]", "messages[2]"]),
        ({"messages": [USER], "input": {"messages": [USER]}, "output": [REPLY]}, ["messages[0]"]),
        ({"messages": "x"}, []),
        (
            {"input": {"messages": [USER]}, "preferred_output": [REPLY], "messages": [USER]},
            ["input.messages[0]", "preferred_output[0]"],
        ),
        ({"input": 5, "non_preferred_output": [REPLY], "output": [REPLY]}, ["non_preferred_output[0]"]),
        ({"input": {"messages": (USER,)}, "output": [REPLY], "label": 1}, ["input.messages[0]", "output[0]"]),
        ({"input": {"messages": [USER]}}, ["input.messages[0]"]),
        ({"input": {"x": 1}, "output": [REPLY]}, []),
        ({"prompt": [USER]}, []),
    ],
)
def test_the_messages_of_a_record_of_any_shape(record: dict[str, Any], spots: list[str]) -> None:
    assert [str(spot) for spot, _ in talks_of(record)] == spots


def test_a_message_of_an_answer_is_pointed_at() -> None:
    spot = Spot(("input", "messages"), 2)
    assert (spot.pointer(), spot.pointer("content", 1)) == ("/input/messages/2", "/input/messages/2/content/1")
