"""TOOL rules: each sees its fault in every shape, sound talks have none, and no schema hangs or crashes a run."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep
from ftprep.batch import Batch
from ftprep.model import Chat, Fault, Message, Pair, Preference, Row, Unpaired
from ftprep.patterns import MOST_WAYS, ways
from ftprep.rule import RowRule
from ftprep.rules import legacy, tool, tool_declared
from ftprep.rules.legacy import ToTools
from ftprep.rules.talk import acting_rows, texts_of, walk
from ftprep.rules.tool_samples import TOOL, call
from ftprep.rules.tool_schemas import broken, declared
from ftprep.setting import Setting
from ftprep.targets import Fact, Target

KINDS = (*tool.RULES, *tool_declared.RULES, *legacy.RULES)
ROW_RULES: tuple[RowRule, ...] = tuple(kind() for kind in KINDS if issubclass(kind, RowRule))
USER: dict[str, Any] = {"role": "user", "content": "Capital of Mali?"}
MALI = call({"country": "Mali"})
PERU = call({"country": "Peru"}, number="call_2")


def calls(*made: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(made)}


def answer(number: str = "call_1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": number, "content": "Bamako"}


SAY: dict[str, Any] = {"role": "assistant", "content": "Bamako."}


def chat(*messages: dict[str, Any], tools: Any = (TOOL,), **more: Any) -> Chat:
    record = {"messages": [USER, *messages], **more}
    return msgspec.convert(record | ({"tools": list(tools)} if tools is not None else {}), Chat)


def target(**facts: Any) -> Setting:
    known = {path.replace("__", "."): Fact(value) for path, value in facts.items()}
    return Setting(target=Target("test", "Test", "supervised", facts=known))


def found(example: Any, setting: Setting | None = None) -> list[Fault]:
    row = Row(0, 1, example=example)
    (suspect,) = acting_rows(Batch([row])) or [row]
    return [f for rule in ROW_RULES for f in rule.check(suspect, setting or Setting())]


def told(example: Any, setting: Setting | None = None) -> list[tuple[str, str]]:
    return [(f.code, f.pointer) for f in found(example, setting)]


@pytest.mark.parametrize(
    "messages",
    [
        [calls(MALI)],
        [calls(MALI), answer(), SAY],
        [calls(MALI, PERU), answer("call_2"), answer(), SAY],
        [calls(MALI), answer(), calls(MALI), answer(), SAY],
        [calls(MALI), answer(), calls(PERU)],
        [calls(MALI, PERU), answer()],
        [SAY],
    ],
)
def test_sound_talks_have_no_fault(messages: list[dict[str, Any]]) -> None:
    assert told(chat(*messages)) == []


AT = "/messages/1/tool_calls/0"


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([calls(call("{'country': 1}"))], [("TOOL101", f"{AT}/function/arguments")]),
        ([calls(call(""))], [("TOOL101", f"{AT}/function/arguments")]),
        ([calls(call("[]"))], [("TOOL101", f"{AT}/function/arguments")]),
        ([calls(call(json.dumps('{"country": "Mali"}')))], [("TOOL101", f"{AT}/function/arguments")]),
        ([calls(MALI), answer("call_9"), SAY], [("TOOL103", "/messages/2/tool_call_id")]),
        ([answer(), SAY], [("TOOL103", "/messages/1/tool_call_id")]),
        ([calls(MALI, MALI), answer(), SAY], [("TOOL104", "/messages/1/tool_calls/1/id")]),
        ([calls(MALI), SAY, calls(MALI), answer(), SAY], [("TOOL104", "/messages/3/tool_calls/0/id"), ("TOOL105", AT)]),
        ([calls(MALI), SAY], [("TOOL105", AT)]),
        ([calls(MALI, PERU), answer(), SAY], [("TOOL105", "/messages/1/tool_calls/1")]),
        ([calls(MALI), USER, SAY], [("TOOL105", AT)]),
        ([calls(call({}, "Capital"))], [("TOOL106", f"{AT}/function/name")]),
        ([calls(call({"country": 5}))], [("TOOL108", f"{AT}/function/arguments")]),
        ([calls(call({}, "ca pital"))], [("TOOL106", f"{AT}/function/name"), ("TOOL109", f"{AT}/function/name")]),
    ],
)
def test_each_fault_is_found_once_with_its_place(
    messages: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    assert told(chat(*messages)) == expected


def test_calls_without_tools() -> None:
    assert told(chat(calls(MALI), answer(), SAY, tools=None)) == [("TOOL107", AT)]
    assert told(chat(calls(MALI), answer(), SAY, tools=[])) == [("TOOL107", AT)]


def test_arguments_that_are_no_json_name_the_column() -> None:
    (fault,) = found(chat(calls(call('{"country": Mali}'))))
    assert "column 13" in fault.message
    (fault,) = found(chat(calls(call('{"country":\n "Mali",}'))))
    assert "line 2, column" in fault.message


def test_a_near_name_is_told() -> None:
    assert "there is 'capital'" in found(chat(calls(call({}, "Capital"))))[0].message


def test_the_question_and_the_answers_of_a_preference_are_one_talk_each() -> None:
    question = Chat([Message("user", "Capital of Mali?")], tools=[TOOL])
    good = msgspec.convert([calls(MALI), answer(), SAY], list[Message])
    bad = msgspec.convert([calls(call({"country": 5}, number="call_3")), answer("call_1"), SAY], list[Message])
    pair = Preference(question, good, bad)
    assert told(pair) == [
        ("TOOL103", "/non_preferred_output/1/tool_call_id"),
        ("TOOL108", "/non_preferred_output/0/tool_calls/0/function/arguments"),
    ]
    assert told(Unpaired(question, good, True)) == []
    asked = Chat(msgspec.convert([USER, calls(MALI), SAY], list[Message]), tools=[TOOL])
    both = Preference(asked, [Message("assistant", "A")], [Message("assistant", "B")])
    assert told(both) == [("TOOL105", "/input/messages/1/tool_calls/0")]  # once, though both talks begin with it


def test_targets_say_what_ids_and_names_and_numbers_are_right() -> None:
    nine = target(tools__id_pattern="^[a-zA-Z0-9]{9}$")
    assert told(chat(calls(MALI)), nine) == [("TOOL111", f"{AT}/id")]
    assert told(chat(calls(call({"country": "Mali"}, number="aB3456789"))), nine) == []
    assert told(chat(calls(call({"country": "Mali"}, number="aB3456789\n"))), nine) == [("TOOL111", f"{AT}/id")]
    short = target(tools__name_pattern="^[a-z]{1,3}$")
    assert told(chat(SAY), short) == [("TOOL109", "/tools/0/function/name")]
    other = {"type": "function", "function": {"name": "other"}}
    assert told(chat(SAY, tools=[TOOL, other]), target(tools__max=1)) == [("TOOL113", "/tools")]
    assert told(chat(SAY, tools=[TOOL, other]), target(tools__max=2)) == []


def test_an_unanswered_call_is_an_error_where_the_target_says_so() -> None:
    rule = tool.CallUnanswered()
    assert rule.severity(Setting()) == "warning"
    assert rule.severity(target(tools__results_match_calls=True)) == "error"


def parameters(schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "capital", "parameters": schema}}


PARAMETERS = "/tools/0/function/parameters"


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([{"function": {"name": "capital"}}], "/tools/0"),
        ([{"type": "web_search", "function": {"name": "capital"}}], "/tools/0/type"),
        ([{"type": "function"}], "/tools/0"),
        ([{"type": "function", "name": "capital", "parameters": {}}], "/tools/0"),
        ([{"type": "function", "function": "capital"}], "/tools/0/function"),
        ([{"type": "function", "function": {}}], "/tools/0/function"),
        ([{"type": "function", "function": {"name": 5}}], "/tools/0/function/name"),
        ([{"type": "function", "function": {"name": "capital", "description": 5}}], "/tools/0/function/description"),
        ([{"type": "function", "function": {"name": "capital", "strict": "yes"}}], "/tools/0/function/strict"),
        ([TOOL, TOOL], "/tools/1/function/name"),
        ([parameters('{"type": "object"}')], PARAMETERS),
        ([parameters([])], PARAMETERS),
        ([parameters({"type": "string"})], f"{PARAMETERS}/type"),
        ([parameters({"type": "dict"})], f"{PARAMETERS}/type"),
        (
            [parameters({"type": "object", "properties": {"a/b": {"type": "float"}}})],
            f"{PARAMETERS}/properties/a~1b/type",
        ),
        ([parameters({"type": "object", "required": "a"})], f"{PARAMETERS}/required"),
        ([parameters({"properties": {"a": {"$ref": "#/$defs/a"}}})], f"{PARAMETERS}/properties/a/$ref"),
        ([parameters({"properties": {"a": {"$ref": "https://example.com/a"}}})], f"{PARAMETERS}/properties/a/$ref"),
    ],
)
def test_wrong_declarations_are_named_with_their_place(tools: list[Any], expected: str) -> None:
    assert told(chat(SAY, tools=tools)) == [("TOOL110", expected)]


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        {"type": "object", "properties": {"$ref": {"type": "string"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "definitions": {"a": {}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}},
        {"type": ["object", "null"]},
        {"$schema": "https://example.com/unknown", "type": "object"},
        {"type": "object", "properties": {"a": {"enum": [{"$ref": "#/nowhere"}]}}},
    ],
)
def test_sound_declarations_have_no_fault(schema: Any) -> None:
    assert told(chat(SAY, tools=[parameters(schema)])) == []


def breaks(schema: Any, arguments: Any) -> list[tuple[str, str]]:
    return broken(json.dumps(schema).encode(), json.dumps(arguments), arguments)


def test_all_breaches_of_a_call_are_told_up_to_five() -> None:
    schema = {"type": "object", "properties": {f"a{i}": {"type": "string"} for i in range(9)}}
    assert [where for where, _ in breaks(schema, {f"a{i}": i for i in range(3)})] == ["/a0", "/a1", "/a2"]
    assert len(breaks(schema, {f"a{i}": i for i in range(9)})) == 5


def test_a_schema_chooses_its_draft() -> None:
    schema = {"type": "object", "properties": {"a": {"items": [{"type": "string"}]}}}
    drafts = "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"
    old, new = ({**schema, "$schema": draft} for draft in drafts)
    assert breaks(old, {"a": [5]}) == [("/a/0", "5 is not of type 'string'")]
    assert breaks(new, {"a": [5]}) == []  # there, a list of schemas is called prefixItems


def endless() -> dict[str, Any]:
    """References that fork 60 times."""
    fork = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(60)}
    return {"$defs": {**fork, "d60": {}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        (endless(), {}),
        ({"$ref": "#"}, {}),
        ({"properties": {"a": {"$ref": "#"}}}, {"a": {"a": {"a": {}}}}),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 40 + "!"}),
        ({"properties": {"a": {"pattern": "(a|a)*$"}}}, {"a": "a" * 40 + "!"}),
        ({"properties": {"a": {"pattern": "a?" * 40 + "a" * 40}}}, {"a": "a" * 40}),
        ({"properties": {"a": {"pattern": ".*.*.*.*.*=.*"}}}, {"a": "a" * 5000}),
        ({"properties": {"a": {"pattern": "(?:){100000}{100000}"}}}, {"a": "a"}),
        ({"properties": {"a": {"pattern": "("}}}, {"a": "a"}),
        ({"properties": {"a": {"pattern": r"^\p{L}+$"}}}, {"a": "a"}),
        ({"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}, {"a" * 40 + "!": 1}),
        ({"properties": {"a": {"$ref": "https://example.com/schema"}}}, {"a": 1}),
        ({"properties": {"a": {"multipleOf": 1e-300}}}, {"a": 1e300}),
    ],
)
def test_no_schema_hangs_fetches_or_crashes(schema: Any, arguments: Any) -> None:
    start = time.perf_counter()
    breaks(schema, arguments)
    told(chat(calls(call(arguments)), tools=[parameters(schema)]))
    assert time.perf_counter() - start < 20


def test_a_pattern_that_is_quick_is_applied() -> None:
    for pattern in (r"^\d{4}-\d{2}-\d{2}$", r"^[^@]+@[^@]+\.[a-z]{2,}$", "^(low|high)$", "^#[0-9a-f]{6}$", r"^v?\d+$"):
        assert ways(pattern, 30) <= MOST_WAYS
        assert breaks({"properties": {"a": {"pattern": pattern}}}, {"a": "?"}), pattern


@given(st.text(alphabet="ab|()[]*+?{}2,\\^$.", max_size=14))
def test_what_passes_the_bound_is_quick(pattern: str) -> None:
    start = time.process_time()
    breaks({"properties": {"a": {"pattern": pattern}}}, {"a": "ab" * 20})
    assert time.process_time() - start < 20


SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "string", "#", "#/a", "^a+$"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "$ref", "items", "anyOf", "pattern", "$defs", "not", "enum", "a"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(SCHEMAS, SCHEMAS)
def test_any_declaration_and_any_arguments_are_looked_at(schema: Any, arguments: Any) -> None:
    example = chat(calls(call(arguments), call({"a": arguments})), tools=[parameters(schema)])
    for fault in found(example):
        (fault.message + fault.pointer + fault.excerpt).encode()


def test_tools_that_are_no_json_are_told_of() -> None:
    assert declared([{"type": {1, 2}, "a": object()}]).faults == (("", "the tools cannot be written as JSON"),)


LEGACY: dict[str, Any] = {"role": "assistant", "function_call": MALI["function"]}
FUNCTION: dict[str, Any] = {"role": "function", "name": "capital", "content": "Bamako"}


def test_calls_of_the_old_form_become_tools() -> None:
    old = chat(LEGACY, FUNCTION, LEGACY, FUNCTION, SAY, tools=None, functions=[TOOL["function"]])
    (fault,) = found(old)
    assert (fault.code, fault.pointer, fault.fixable) == ("FMT133", "/functions", True)
    new = ToTools().apply(old)
    assert isinstance(new, Chat)
    assert found(new) == []
    again = call({"country": "Mali"}, number="call_2")
    assert new == chat(calls(MALI), answer(), calls(again), answer("call_2"), SAY)
    assert ToTools().apply(new) is new


@pytest.mark.parametrize(
    "messages",
    [
        [FUNCTION, SAY],
        [LEGACY, {**FUNCTION, "name": "other"}, SAY],
        [LEGACY, FUNCTION, FUNCTION, SAY],
        [LEGACY, USER, FUNCTION, SAY],
        [{**LEGACY, "tool_calls": [MALI]}, FUNCTION, SAY],
    ],
)
def test_what_cannot_be_turned_exactly_is_left_alone(messages: list[dict[str, Any]]) -> None:
    old = chat(*messages, tools=None, functions=[TOOL["function"]])
    assert ToTools().apply(old) is old
    assert [f.fixable for f in found(old) if f.code == "FMT133"] == [False]


def test_the_ids_of_a_preference_are_told_apart() -> None:
    turns: list[dict[str, Any]] = [LEGACY, FUNCTION, SAY]
    reply = msgspec.convert(turns, list[Message])
    old = Preference(Chat([Message("user", "Mali?")], functions=[TOOL["function"]]), reply, reply)
    new = ToTools().apply(old)
    assert isinstance(new, Preference)
    assert [m.tool_call_id for _, m in walk(new) if m.role == "tool"] == ["call_1", "call_2"]
    assert new.input.tools == [TOOL]
    assert found(new) == []


def test_a_pair_and_plain_turns_cost_nothing() -> None:
    rows = [Row(0, 1, example=Pair("a", "b")), Row(1, 2, example=chat(SAY, tools=None))]
    assert acting_rows(Batch(rows)) == []
    assert ToTools().apply(Pair("a", "b")) == Pair("a", "b")


def test_every_text_has_a_pointer() -> None:
    example = chat({**calls(MALI), "content": "Hm.", "refusal": "No.", "reasoning_content": "So."})
    assert [pointer for pointer, _ in texts_of(example)] == [
        "/messages/0/content",
        "/messages/1/content",
        "/messages/1/refusal",
        "/messages/1/reasoning_content",
        "/messages/1/tool_calls/0/function/arguments",
    ]


def records(*messages: dict[str, Any], tools: Any = (TOOL,), count: int = 12) -> list[dict[str, Any]]:
    return [
        {"messages": [{"role": "user", "content": f"Capital of Mali? ({i})"}, *messages], "tools": list(tools)}
        for i in range(count)
    ]


def test_tools_that_are_never_called() -> None:
    def unused(rows: list[dict[str, Any]]) -> list[str]:
        return [f.message for f in ftprep.check(rows).findings if f.code == "TOOL112"]

    assert unused(records(SAY)) == ["12 conversations declare tools, and none of them call one"]
    assert unused(records(SAY, count=9)) == []
    assert unused(records(calls(MALI))) == []
    other = {"type": "function", "function": {"name": "other"}}
    (words,) = unused(records(calls(MALI), tools=[TOOL, other]))
    assert words == "declared in all 12 conversations with tools, called in none: 'other'"
