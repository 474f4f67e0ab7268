"""Repairs of records: exact, once and for all, the very same object where there is nothing to do, never a crash."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Row
from ftprep.rule import RecordRule
from ftprep.rules import CATALOGUE
from ftprep.rules.fmt_messages import OTHER_ROLES, sure_role
from ftprep.rules.spots import edited
from ftprep.shapes.chat import ChatShape

RULES = {r.card.code: r for r in CATALOGUE if isinstance(r, RecordRule) and type(r).repair is not RecordRule.repair}
SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[3] / "shared")
REAL = SHARED / "data" / "mess" / "tools_drone_double_encoded.jsonl"
USER, SAY = {"role": "user", "content": "Capital of Mali?"}, {"role": "assistant", "content": "Bamako."}
ARGUMENTS = '{"country":"Mali"}'


def call(
    number: Any = None, name: str = "capital", kind: Any = "function", arguments: Any = ARGUMENTS
) -> dict[str, Any]:
    made = {"type": kind, "function": {"name": name, "arguments": arguments}}
    return {k: v for k, v in made.items() if v is not None} | ({} if number is None else {"id": number})


def calls(*made: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(made)}


def answer(number: Any = None, **more: Any) -> dict[str, Any]:
    return {"role": "tool", "content": "Bamako", **more} | ({} if number is None else {"tool_call_id": number})


def talk(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [USER, *messages], **more}


def test_these_rules_repair() -> None:
    assert set(RULES) == {"FMT107", "FMT116", "FMT134", "FMT136", "FMT148", "FMT153", "FMT156", "TOOL102"}
    assert all(rule.card.fix == "safe" for rule in RULES.values())


@pytest.mark.parametrize(
    ("code", "record", "mended"),
    [
        ("FMT107", talk({**SAY, "role": " Assistant"}), talk(SAY)),
        ("FMT107", talk({**SAY, "role": "gpt"}), talk(SAY)),
        ("FMT107", {"input": {"messages": [{**USER, "role": "Human"}]}}, {"input": {"messages": [USER]}}),
        ("FMT116", talk(calls(call("a", kind=None))), talk(calls(call("a")))),
        ("TOOL102", talk(calls(call("a", arguments={"country": "Mali"}))), talk(calls(call("a")))),
        (
            "TOOL102",
            talk({"role": "assistant", "function_call": {"name": "f", "arguments": {}}}),
            talk({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}),
        ),
        ("FMT134", {"messages": json.dumps([USER, SAY]), "tools": "[]"}, talk(SAY, tools=[])),
        ("FMT134", {"messages": json.dumps(json.dumps([USER, SAY]))}, talk(SAY)),
        ("FMT134", talk(calls(call("a", arguments=json.dumps(ARGUMENTS)))), talk(calls(call("a")))),
        ("FMT134", talk({"role": "assistant", "tool_calls": json.dumps([call("a")])}), talk(calls(call("a")))),
        (
            "FMT134",
            {"messages": json.dumps([USER, calls(call("a", arguments=json.dumps(ARGUMENTS)))])},
            talk(calls(call("a"))),
        ),
        ("FMT136", talk(calls(call())), talk(calls(call("call_1")))),
        ("FMT136", talk(calls(call()), answer(), SAY), talk(calls(call("call_1")), answer("call_1"), SAY)),
        (
            "FMT136",
            talk(calls(call(), call()), answer(), answer(), SAY),
            talk(calls(call("call_1"), call("call_2")), answer("call_1"), answer("call_2"), SAY),
        ),
        ("FMT136", talk(calls(call()), answer("x")), talk(calls(call("x")), answer("x"))),
        ("FMT136", talk(calls(call("x")), answer()), talk(calls(call("x")), answer("x"))),
        (
            "FMT136",
            talk(calls(call("call_1"), call()), answer(), answer("call_1")),
            talk(calls(call("call_1"), call("call_2")), answer("call_2"), answer("call_1")),
        ),
        (
            "FMT136",
            talk(calls(call()), answer(), calls(call()), answer()),
            talk(calls(call("call_1")), answer("call_1"), calls(call("call_2")), answer("call_2")),
        ),
        (
            "FMT136",
            {
                "input": {"messages": [USER]},
                "preferred_output": [calls(call())],
                "non_preferred_output": [calls(call())],
            },
            {
                "input": {"messages": [USER]},
                "preferred_output": [calls(call("call_1"))],
                "non_preferred_output": [calls(call("call_2"))],
            },
        ),
    ],
)
def test_a_repair_says_what_was_meant(code: str, record: dict[str, Any], mended: dict[str, Any]) -> None:
    before, rule = copy.deepcopy(record), RULES[code]
    assert [f.fixable for f in rule.check(record)] or "input" in record
    assert rule.repair(record) == mended
    assert record == before
    assert rule.repair(mended) is mended
    assert list(rule.check(mended)) == []


@pytest.mark.parametrize(
    ("code", "record"),
    [
        ("FMT107", talk({**SAY, "role": "asistant"})),
        ("FMT107", talk({**SAY, "role": "function_call"})),
        ("FMT107", talk({**SAY, "role": 5})),
        ("FMT136", talk(calls(call(), call()), answer(), SAY)),
        ("FMT136", talk(calls(call("a")), answer(name="other"), SAY)),
        ("FMT136", talk(answer(), SAY)),
        ("FMT136", talk(calls(call(5)), answer(), SAY)),
        ("TOOL102", talk(calls(call("a", arguments={1: 2})))),
        ("TOOL102", talk(calls(call("a", arguments={"a": float("nan")})))),
        ("TOOL102", talk(calls(call("a", arguments={"a": "\ud800"})))),
        ("FMT116", talk(calls({"id": "a", "function": 5}))),
    ],
)
def test_what_is_not_clear_is_named_and_left_alone(code: str, record: dict[str, Any]) -> None:
    faults = list(RULES[code].check(record))
    assert faults
    assert not any(f.fixable for f in faults)
    assert RULES[code].repair(record) is record


@pytest.mark.parametrize(
    "value",
    [
        '[{"role": "user", "role": "x"}]',
        "[1]",
        "{",
        '[{"a": NaN}]',
        '[{"a": 1.00000000000000000001}]',
        '"[]',
        5,
        None,
        "[" * 9999,
    ],
)
def test_what_would_not_say_the_same_is_not_decoded(value: Any) -> None:
    record = {"messages": value, "tools": value}
    assert RULES["FMT134"].repair(record) is record


def test_a_repaired_record_is_read() -> None:
    record = {"messages": json.dumps([{**USER, "role": "Human"}, calls(call(kind=None, arguments={})), answer(), SAY])}
    for code in ("FMT134", "FMT107", "FMT116", "FMT136", "TOOL102"):
        record = RULES[code].repair(record)
    assert ChatShape().read(Row(0, 1, record))


@pytest.mark.skipif(not REAL.is_file(), reason="the development data are not here")
def test_arguments_encoded_twice_in_a_real_file() -> None:
    records = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    faults = [[f.pointer for f in RULES["FMT134"].check(record)] for record in records]
    assert faults == [[], [], ["/messages/2/tool_calls/0/function/arguments"]]
    mended = RULES["FMT134"].repair(records[2])
    made = mended["messages"][2]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(made) == {"location": "current"}


@pytest.mark.parametrize("role", [*OTHER_ROLES, "USER", " tool\n", "Developer"])
def test_sure_roles(role: str) -> None:
    assert (sure_role(role) == "") == (role in ("function_call", "tool_call"))


def test_edits_copy_only_what_leads_to_them() -> None:
    record: dict[str, Any] = {"a": [{"b": 1}, {"c": 2}], "d": {}}
    made = edited(record, {("a", 0, "b"): 5})
    assert made == {"a": [{"b": 5}, {"c": 2}], "d": {}}
    assert made["a"][1] is record["a"][1]
    assert made["d"] is record["d"]
    assert record["a"][0] == {"b": 1}
    assert edited(record, {}) is record


KEYS = ["messages", "input", "output", "preferred_output", "tools", "role", "content", "tool_calls", "tool_call_id"]
KEYS += ["function_call", "function", "arguments", "name", "id", "type"]
WORDS = ["user", "Assistant", "tool", "function", "call_1", "{}", "[]", '"{}"', '[{"role": "user"}]', "\ud800"]
THINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        | st.tuples(inner)
        | st.dictionaries(st.integers(), inner, max_size=2)
    ),
    max_leaves=20,
)
CALLS = st.builds(call, THINGS, st.sampled_from(["capital", "other"]), st.none() | THINGS, THINGS)
MESSAGES = (
    THINGS
    | st.builds(lambda made: {"role": "assistant", "tool_calls": made}, st.lists(CALLS | THINGS, max_size=3))
    | st.builds(answer, st.none() | st.sampled_from(["call_1", "a"]))
)


@given(
    st.fixed_dictionaries(
        {"messages": st.lists(MESSAGES, max_size=5) | THINGS}, optional={"tools": THINGS, "input": THINGS}
    )
)
def test_no_record_crashes_a_repair_and_what_is_fixable_goes(record: dict[str, Any]) -> None:
    before = repr(record)
    for rule in RULES.values():
        faults = list(rule.check(record))
        for fault in faults:
            (fault.message + fault.pointer + fault.excerpt).encode()
        mended = rule.repair(record)
        assert repr(record) == before
        assert not any(f.fixable for f in rule.check(mended))
        if any(f.fixable for f in faults):
            assert mended is not record
        assert rule.repair(mended) is mended
