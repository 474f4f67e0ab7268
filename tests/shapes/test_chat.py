"""Chat: sound conversations are read as they are, unknown keys are kept, and what is written comes back."""

from __future__ import annotations

import json
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.model import Chat, Message, Pair, Row
from ftprep.shapes.chat import CHAT_EXTRA, CHAT_KEYS, MESSAGE_EXTRA, MESSAGE_KEYS, ChatShape, DropKeys

SHAPE = ChatShape()
USER, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {}}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}

SOUND: list[dict[str, Any]] = [
    {"messages": [USER, REPLY]},
    {"messages": [{"role": "system", "content": ""}, USER, REPLY]},
    {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {**USER, "name": "ann_1"},
            {**REPLY, "weight": 0},
            REPLY,
        ]
    },
    {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL], "parallel_tool_calls": False},
    {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, REPLY]},
    {
        "messages": [
            USER,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": "4", "tool_call_id": "call_1"},
        ]
    },
    {"messages": [USER, {"role": "assistant", "function_call": CALL["function"]}], "functions": [{"name": "find"}]},
    {"messages": [USER, {"role": "assistant", "refusal": "No."}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Who?"}, PICTURE]}, REPLY]},
    {"messages": [USER]},
]


def read(record: Any) -> Chat | None:
    row = Row(0, 1, record)
    if not SHAPE.read(row):
        assert row.example is None
        return None
    assert isinstance(row.example, Chat)
    return row.example


@pytest.mark.parametrize("record", SOUND)
def test_sound_conversations_are_read_and_written_back(record: dict[str, Any]) -> None:
    chat = read(record)
    assert chat is not None
    assert chat.extra is None
    assert read(json.loads(SHAPE.write(chat))) == chat
    assert SHAPE.read_loosely(record) == chat


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"messages": []},
        {"messages": "[]"},
        {"messages": [USER, "Hello."]},
        {"messages": [USER, {"role": "assistant"}]},
        {"messages": [USER, {"role": "assistant", "content": None}]},
        {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": []}]},
        {"messages": [USER, {"role": "assistant", "content": []}]},
        {"messages": [USER, {**REPLY, "weight": 0}]},
        {"messages": [USER, {**REPLY, "weight": True}]},
        {"messages": [USER, {**REPLY, "weight": 1.0}]},
        {"messages": [{**USER, "weight": 1}, REPLY]},
        {"messages": [{**USER, "name": "Ann Lee"}, REPLY]},
        {"messages": [{**USER, "name": "ann\n"}, REPLY]},
        {"messages": [{**USER, "name": ""}, REPLY]},
        {"messages": [{**USER, "tool_calls": [CALL]}, REPLY]},
        {"messages": [{"role": "tool", "content": "4"}, REPLY]},
        {"messages": [{"role": "function", "content": "4"}, REPLY]},
        {"messages": [USER, REPLY], "id": 1},
        {"messages": [USER, {**REPLY, "score": 1}]},
        {"messages": [USER, REPLY], CHAT_EXTRA: None},
        {"messages": [USER, {**REPLY, MESSAGE_EXTRA: None}]},
    ],
)
def test_what_has_a_fault_is_refused(record: dict[str, Any]) -> None:
    assert read(record) is None


def test_unknown_keys_are_kept_and_put_back() -> None:
    record = {"messages": [USER, {**REPLY, "score": 5}], "topic": "talk", "id": {"n": 1}}
    chat = SHAPE.read_loosely(record)
    assert isinstance(chat, Chat)
    assert chat.extra == {"topic": "talk", "id": {"n": 1}}
    assert [m.extra for m in chat.messages] == [None, {"score": 5}]
    assert json.loads(SHAPE.write(chat)) == record
    assert list(json.loads(SHAPE.write(chat))) == ["messages", "topic", "id"]
    assert json.loads(ChatShape(keep_extra=False).write(chat)) == {"messages": [USER, REPLY]}
    assert CHAT_EXTRA not in SHAPE.write(chat).decode()


def test_even_the_name_of_our_own_field_is_only_an_unknown_key() -> None:
    record = {"messages": [USER, {**REPLY, MESSAGE_EXTRA: 1}], CHAT_EXTRA: [2]}
    chat = SHAPE.read_loosely(record)
    assert isinstance(chat, Chat)
    assert json.loads(SHAPE.write(chat)) == record


def test_extra_keys_never_overwrite_the_conversation() -> None:
    chat = Chat([Message("user", "Hi")], extra={"messages": "gone", "id": 1})
    assert json.loads(SHAPE.write(chat)) == {"messages": [USER], "id": 1}


def test_unknown_keys_can_be_dropped() -> None:
    chat = SHAPE.read_loosely({"messages": [USER, {**REPLY, "score": 5}], "topic": "talk"})
    assert isinstance(chat, Chat)
    bare = DropKeys("messages").apply(DropKeys("record").apply(chat))
    assert json.loads(SHAPE.write(bare)) == {"messages": [USER, REPLY]}
    assert DropKeys("record").apply(bare) is bare
    assert DropKeys("messages").apply(bare) is bare
    pair = Pair("a", "b", {"id": 1})
    assert DropKeys("record").apply(pair) is pair


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "there is no list of messages"),
        ({"messages": {"role": "user"}}, "messages is not a list"),
        ({"messages": []}, "there is no list of messages"),
        ({"messages": [USER], "tools": "x"}, "tools: expected array or null, got str"),
        ({"messages": [{"role": "boss", "content": "Hi"}]}, "messages[0].role: invalid enum value 'boss'"),
    ],
)
def test_what_cannot_be_read_loosely_is_told_in_a_sentence(record: dict[str, Any], said: str) -> None:
    assert SHAPE.read_loosely(record) == said


def test_lines_are_compact_and_in_the_order_of_the_api() -> None:
    chat = read({"tools": [TOOL], "messages": [{"content": "日/本\u2028", "role": "user"}, REPLY]})
    assert chat is not None
    line = SHAPE.write(chat).decode()
    assert line.startswith('{"messages":[{"role":"user","content":"日/本\u2028"},')
    assert line.index('"messages"') < line.index('"tools"')


ROLES = st.sampled_from(["system", "user", "assistant", "tool", "boss"])
SCALARS = st.none() | st.booleans() | st.integers(-1, 2) | st.text(max_size=3)
MESSAGES = st.fixed_dictionaries(
    {"role": ROLES, "content": st.text(max_size=3) | SCALARS},
    optional={
        "weight": SCALARS,
        "name": SCALARS,
        "tool_calls": st.just([CALL]) | SCALARS,
        "tool_call_id": SCALARS,
        "refusal": SCALARS,
        "score": SCALARS,
    },
)


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries({"messages": st.lists(MESSAGES, max_size=3)}, optional={"id": SCALARS, "tools": SCALARS}))
def test_whatever_is_read_comes_back_from_what_is_written(record: dict[str, Any]) -> None:
    chat = read(record) or SHAPE.read_loosely(record)
    if isinstance(chat, Chat):
        assert SHAPE.read_loosely(json.loads(SHAPE.write(chat))) == chat
        assert set(json.loads(SHAPE.write(chat))) >= set(record) - {k for k in CHAT_KEYS if record.get(k) is None}


def test_the_known_keys_are_the_fields_of_the_model() -> None:
    assert {"messages", "tools", "parallel_tool_calls", "functions"} == CHAT_KEYS
    assert {
        "role",
        "content",
        "name",
        "weight",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "refusal",
        "reasoning",
        "reasoning_content",
        "thinking",
    } == MESSAGE_KEYS
    assert len(msgspec.structs.fields(Message)) == len(MESSAGE_KEYS) + 1


def test_a_pair_is_not_written_as_a_conversation() -> None:
    with pytest.raises(TypeError, match="converted"):
        SHAPE.write(Pair("a", "b"))


def test_the_shape_says_nothing_of_its_own_and_travels_between_processes() -> None:
    assert list(SHAPE.faults({})) == []
    assert pickle.loads(pickle.dumps(SHAPE)) == SHAPE
