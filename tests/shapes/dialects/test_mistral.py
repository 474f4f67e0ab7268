"""Mistral: both kinds of names are read, ids are made right, and what is written is as mistral-finetune reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Chat, Function, Message, Row, ToolCall
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.dialect import locate
from ftprep.shapes.dialects.mistral import MistralDialect
from ftprep.shapes.dialects.mistral_ids import choose_ids

MISTRAL = MistralDialect()
USER, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
CALL = {"id": "TX92Jm8Zi", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}
TOOL = {"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}
THOUGHT = {"type": "thinking", "thinking": "Hm."}
CANONICAL: dict[str, dict[str, Any]] = {
    "plain": {"messages": [{"role": "system", "content": "Be brief."}, USER, REPLY]},
    "weights": {"messages": [USER, {**REPLY, "weight": 0}, USER, {**REPLY, "weight": 1}]},
    "tools": {
        "messages": [
            USER,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": "4", "tool_call_id": "TX92Jm8Zi"},
            REPLY,
        ],
        "tools": [TOOL],
    },
    "thinking": {"messages": [USER, {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "Yes."}]}]},
    "thinking alone": {"messages": [USER, {"role": "assistant", "content": [THOUGHT]}]},
    "prefix": {"messages": [USER, {**REPLY, "prefix": True}]},
}


@pytest.mark.parametrize("record", CANONICAL.values(), ids=list(CANONICAL))
def test_records_of_the_provider_come_back_as_they_were(record: dict[str, Any]) -> None:
    chat = ChatShape().read_loosely(MISTRAL.parse(record).record)
    assert isinstance(chat, Chat), chat
    written = MISTRAL.write(chat)
    assert (written.record, written.losses) == (record, ())


def test_the_other_names_say_the_same() -> None:
    record = {
        "system_prompt": "Be brief.",
        "interactions": [{"role": "user", "text": "Hi"}, {"role": "assistant", "text": "Hello."}],
        "available_tools": [{"function": TOOL["function"]}],
    }
    assert MISTRAL.fits(record)
    parsed = MISTRAL.parse(record)
    assert parsed.record == CANONICAL["plain"] | {"tools": [TOOL]}
    assert ChatShape().read(Row(0, 1, parsed.record))
    assert locate(parsed.paths, "/messages/0/content") == "/system_prompt"
    assert locate(parsed.paths, "/messages/2/content") == "/interactions/1/text"
    assert locate(parsed.paths, "/messages/2/weight") == "/interactions/1/weight"
    assert locate(parsed.paths, "/tools/0/function/name") == "/available_tools/0/function/name"
    assert MISTRAL.write(Chat([Message("system", "Be brief.")])).record == {
        "messages": CANONICAL["plain"]["messages"][:1]
    }


def test_only_last_means_that_no_other_reply_is_learnt() -> None:
    record = {"messages": [USER, {**REPLY, "weight": 1}, USER, REPLY, USER, REPLY], "only_last": True}
    parsed = MISTRAL.parse(record)
    assert [m.get("weight") for m in parsed.record["messages"]] == [None, 0, None, 0, None, None]
    assert "only_last" not in parsed.record
    assert locate(parsed.paths, "/messages/3/weight") == "/only_last"
    assert record["messages"][1]["weight"] == 1  # type: ignore[index]
    assert "only_last" not in MISTRAL.parse({"messages": [REPLY], "only_last": False}).record
    assert MISTRAL.parse({"messages": [REPLY], "only_last": "yes"}).record["only_last"] == "yes"


ODD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"interactions": [USER], "messages": [REPLY]}, {"interactions": [USER], "messages": [REPLY]}),
    ({"messages": [{**USER, "text": "Ho"}]}, {"messages": [{**USER, "text": "Ho"}]}),
    ({"messages": [USER], "tools": [], "available_tools": [TOOL]},
     {"messages": [USER], "tools": [], "available_tools": [TOOL]}),
    ({"messages": 3, "system_prompt": "s"}, {"messages": 3, "system_prompt": "s"}),
    ({"messages": [USER], "system_prompt": None}, {"messages": [USER]}),
    ({"messages": [USER], "system_prompt": 3}, {"messages": [USER], "system_prompt": 3}),
    (
        {"messages": [{"role": "assistant", "content": [{**THOUGHT, "closed": False}]}]},
        {"messages": [{"role": "assistant", "content": [{**THOUGHT, "closed": False}]}]},
    ),
    (
        {"messages": [{"role": "developer", "content": "s"}]},
        {"messages": [{"role": "developer (Mistral data writes system or user or assistant or tool)", "content": "s"}]},
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "https://e.org/a.png"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]}]},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "read"), ODD, ids=repr)
def test_what_is_wrong_or_odd_stays_so(record: dict[str, Any], read: dict[str, Any]) -> None:
    assert MISTRAL.parse(record).record == read


def test_chunks_with_a_signature_are_not_mistrals() -> None:
    assert MISTRAL.fits(CANONICAL["thinking"])
    signed = {"role": "assistant", "content": [{**THOUGHT, "signature": "x"}]}
    assert not MISTRAL.fits({"messages": [USER, signed]})
    assert not MISTRAL.fits({"messages": [USER, REPLY]})
    assert MISTRAL.fits({"messages": [{"role": "user", "text": "Hi"}]})


def calls(*ids: str) -> Message:
    return Message("assistant", tool_calls=[ToolCall(i, "function", Function("find", "{}")) for i in ids])


LOST: list[tuple[Chat, tuple[str, ...]]] = [
    (Chat([Message("user", "Hi", name="ann"), Message("developer", "s")]), (
        "the name of messages[0]", "the role of messages[1] ('developer' becomes 'system')")),
    (Chat([Message("assistant", "a", reasoning="Hm.")]), (
        "the reasoning of messages[0] (it becomes reasoning_content)",)),
    (Chat([Message("function", "4", name="f"), Message("assistant", "a")]), ("messages[0] (function)",)),
    (Chat([Message("assistant", "a")], [{"type": "function", "function": {"name": "f"}}], parallel_tool_calls=True), (
        "that tools[0].function has no description", "that tools[0].function has no parameters",
        "the key 'parallel_tool_calls'")),
]  # fmt: skip


@pytest.mark.parametrize(("chat", "losses"), LOST, ids=lambda v: str(v)[:40])
def test_losses_are_said_in_words(chat: Chat, losses: tuple[str, ...]) -> None:
    assert sorted(MISTRAL.write(chat).losses) == sorted(losses)


def test_ids_are_made_right_and_said() -> None:
    chat = Chat(
        [
            calls("call_1", "abcdefghi", "call_2"),
            Message("tool", "1", tool_call_id="call_1"),
            Message("tool", "2", tool_call_id="abcdefghi"),
            Message("tool", "3", tool_call_id="call_9"),
        ]
    )
    written = MISTRAL.write(chat)
    called, *answers = written.record["messages"]
    made = [c["id"] for c in called["tool_calls"]]
    assert made[1] == "abcdefghi"
    assert answers[0]["tool_call_id"] == made[0]
    assert answers[2]["tool_call_id"] not in made
    assert written == MISTRAL.write(chat)
    assert len(written.losses) == 1
    assert written.losses[0].startswith("the ids of calls ('call_1' becomes '")
    assert written.losses[0].endswith("', and 2 more)")


@given(st.lists(st.one_of(st.text(max_size=10), st.text("ab1", min_size=9, max_size=9)), max_size=6))
def test_no_two_ids_become_one(ids: list[str]) -> None:
    chosen = choose_ids([calls(*ids)])
    assert set(chosen) == set(ids)
    assert len(set(chosen.values())) == len(chosen)
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", new) for new in chosen.values())
    assert all(chosen[old] == old for old in ids if re.fullmatch("[a-zA-Z0-9]{9}", old))


def test_an_id_that_another_already_is_is_passed_over() -> None:
    derived = choose_ids([calls("call_1")])["call_1"]
    chosen = choose_ids([calls("call_1", derived)])
    assert chosen[derived] == derived
    assert chosen["call_1"] != derived
