"""Conversion: the guide's support chatbot, what cannot be carried over, and that there and back changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.model import Chat, Function, ImagePart, ImageUrl, Message, Pair, TextPart, ToolCall
from ftprep.recipe import Turns
from ftprep.shapes.convert import CannotConvert, to_chat, to_pairs

BARE = Turns(user="", assistant="", between="")
SUPPORT = Turns(
    user="Customer: ",
    assistant="Agent: ",
    before="Summary: {summary}\n\nSpecific information: {information}\n\n###\n\n",
)
TALK = [
    Message("user", "My parcel is late."),
    Message("assistant", "I am sorry. Which number?"),
    Message("user", "AB-12"),
    Message("assistant", "It arrives today."),
]
CALL = ToolCall("call_1", "function", Function("find", "{}"))


def test_one_conversation_becomes_an_example_for_each_reply() -> None:
    columns = {"summary": "late parcel", "information": "AB-12 is in town"}
    before = "Summary: late parcel\n\nSpecific information: AB-12 is in town\n\n###\n\n"
    first = before + "Customer: My parcel is late.\nAgent:"
    second = before + ("Customer: My parcel is late.\nAgent: I am sorry. Which number?\nCustomer: AB-12\nAgent:")
    assert to_pairs(Chat(TALK, extra=columns), SUPPORT, columns) == [
        Pair(first, "I am sorry. Which number?", columns),
        Pair(second, "It arrives today.", columns),
    ]


def test_a_system_message_has_its_own_prefix() -> None:
    chat = Chat([Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello.")])
    assert to_pairs(chat, Turns(system="Rules: "), None) == [Pair("Rules: Be brief.\nUser: Hi\nAssistant:", "Hello.")]
    assert to_pairs(chat, Turns(), None)[0].prompt == "Be brief.\nUser: Hi\nAssistant:"


def test_replies_that_are_not_trained_are_context_only() -> None:
    chat = Chat([TALK[0], Message("assistant", "Hm.", weight=0), TALK[2], TALK[3]])
    assert [p.completion for p in to_pairs(chat, Turns(), None)] == ["It arrives today."]
    assert "Assistant: Hm." in to_pairs(chat, Turns(), None)[0].prompt


def test_text_parts_are_text() -> None:
    chat = Chat([Message("user", [TextPart("a"), TextPart("b")]), Message("assistant", "c")])
    assert to_pairs(chat, Turns(), None) == [Pair("User: a\nb\nAssistant:", "c")]


def test_columns_of_the_text_before_are_matched_and_numbers_written_out() -> None:
    chat = Chat(TALK[:2])
    (pair,) = to_pairs(chat, Turns(before="Order {order_id}\n"), {"Order ID": 12})
    assert pair.prompt.startswith("Order 12\n")


@pytest.mark.parametrize(
    ("chat", "said"),
    [
        (Chat(TALK, tools=[{"type": "function"}]), "tools"),
        (Chat(TALK, functions=[{"name": "find"}]), "tools"),
        (Chat([TALK[0], Message("assistant", tool_calls=[CALL])]), "calls"),
        (Chat([TALK[0], Message("assistant", function_call=CALL.function)]), "calls"),
        (Chat([Message("tool", "4", tool_call_id="call_1"), TALK[1]]), "the role tool"),
        (Chat([Message("user", [ImagePart(ImageUrl("https://example.com/a.png"))]), TALK[1]]), "pictures"),
        (Chat([Message("user", "Hi", name="ann"), TALK[1]]), "the name 'ann'"),
        (Chat([TALK[0], Message("assistant", refusal="No.")]), "a refusal"),
        (Chat(TALK[:1]), "no reply"),
        (Chat([TALK[0], Message("assistant", "")]), "no reply"),
    ],
)
def test_what_a_text_cannot_carry_is_told(chat: Chat, said: str) -> None:
    with pytest.raises(CannotConvert, match=said) as caught:
        to_pairs(chat, Turns(), None)
    assert str(caught.value) == caught.value.reason


@pytest.mark.parametrize("columns", [None, {}, {"summary": "s"}, {"summary": "s", "information": None}])
def test_a_column_that_is_missing_is_told(columns: dict[str, Any] | None) -> None:
    with pytest.raises(CannotConvert, match="'information'"):
        to_pairs(Chat(TALK), SUPPORT, columns)


def test_a_pair_becomes_a_conversation() -> None:
    pair = Pair("Capital of Peru?\n\n###\n\n", " Lima END", {"id": 1})
    assert to_chat(pair, "Be brief.", "\n\n###\n\n", " END") == Chat(
        [Message("system", "Be brief."), Message("user", "Capital of Peru?"), Message("assistant", "Lima")],
        extra={"id": 1},
    )
    assert to_chat(Pair("", "Once upon a time.")) == Chat([Message("assistant", "Once upon a time.")])
    assert to_chat(Pair(" ->", " Lima"), separator=" ->") == Chat([Message("assistant", "Lima")])


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS.filter(lambda t: not t.startswith(" ")), st.sampled_from(["", " ->", "\n\n###\n\n"]))
def test_there_and_back_gives_the_texts_again(prompt: str, completion: str, separator: str) -> None:
    stop = "" if not separator else " END"
    pair = Pair(prompt + separator, " " + completion + stop)
    assert to_pairs(to_chat(pair, "", separator, stop), BARE, None) == [Pair(prompt, completion)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_every_reply_is_one_example_and_nothing_of_the_talk_is_lost(turns: list[tuple[str, str]]) -> None:
    chat = Chat([m for asked, said in turns for m in (Message("user", asked), Message("assistant", said))])
    pairs = to_pairs(chat, Turns(), None)
    assert [p.completion for p in pairs] == [said for _, said in turns]
    told = "\n".join(f"User: {asked}\nAssistant: {said}" for asked, said in turns)
    assert pairs[-1].prompt + " " + pairs[-1].completion == told
