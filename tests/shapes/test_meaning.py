"""What is the same but for its spelling, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from ftprep.model import Chat, Function, Message, Preference, TextPart, ToolCall
from ftprep.shapes.meaning import is_same


def call(id_: str = "call_1", arguments: str = '{"a": 1}') -> Message:
    return Message("assistant", None, tool_calls=[ToolCall(id_, "function", Function("f", arguments))])


def chat(*messages: Message, **keys: Any) -> Chat:
    return Chat([Message("user", "Hi"), *messages], **keys)


SAME = [
    (chat(Message("assistant", [TextPart("Hello.")])), chat(Message("assistant", "Hello."))),
    (chat(Message("assistant", "Hello.", weight=1)), chat(Message("assistant", "Hello."))),
    (
        chat(call(), Message("tool", "x", tool_call_id="call_1")),
        chat(call("abc"), Message("tool", "x", tool_call_id="abc")),
    ),
    (chat(call(arguments='{"a":1}')), chat(call())),
]
OTHER = [
    (chat(Message("assistant", "Hello.", weight=0)), chat(Message("assistant", "Hello."))),
    (chat(call(arguments='{"a": 2}')), chat(call())),
    (chat(call(arguments="{a}")), chat(call())),
    (chat(call(), Message("tool", "x", tool_call_id="call_1")), chat(call(), Message("tool", "x", tool_call_id="no"))),
    (chat(Message("assistant", "Hello.", name="ann")), chat(Message("assistant", "Hello."))),
    (chat(extra={"id": 1}), chat()),
    (chat(tools=[{"a": 1}]), chat()),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_is_no_difference(one: Chat, other: Chat) -> None:
    assert one != other
    assert is_same(one, other)
    assert is_same(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_all_else_is(one: Chat, other: Chat) -> None:
    assert not is_same(one, other)
    assert is_same(one, one)


def test_preferences_are_compared_in_all_their_parts() -> None:
    yes, no = [Message("assistant", "Yes.")], [Message("assistant", "No.")]
    one = Preference(Chat([Message("user", "Hi")]), yes, no)
    assert is_same(one, Preference(Chat([Message("user", [TextPart("Hi")])]), yes, no))
    assert not is_same(one, Preference(one.input, no, yes))
    assert not is_same(one, chat())
