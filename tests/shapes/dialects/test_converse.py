"""Converse: records as AWS shows them there and back, and what Bedrock's own service model says of what is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Chat, Function, ImagePart, ImageUrl, Message, Row, TextPart, ToolCall
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.dialect import locate
from ftprep.shapes.dialects.converse import VERSION, ConverseDialect

CONVERSE = ConverseDialect()
SYSTEM = [{"text": "You are a digital assistant with a friendly personality"}]
USE = {"toolUse": {"toolUseId": "tooluse_1", "name": "top_song", "input": {"sign": "WZPZ"}}}
JSON_RESULT = {"toolResult": {"toolUseId": "tooluse_1", "content": [{"json": {"song": "Elemental Hotel"}}]}}
TEXT_RESULT = {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "no such station"}], "status": "error"}}
SPEC = {
    "name": "top_song",
    "description": "Get the most popular song played on a radio station.",
    "inputSchema": {"json": {"type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]}},
}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": b} if isinstance(b, str) else b for b in blocks]}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {**user(*blocks), "role": "assistant"}


def record(*messages: Any, **keys: Any) -> dict[str, Any]:
    return {"schemaVersion": VERSION, "messages": list(messages), **keys}


def stored(kind: str, uri: str, **keys: Any) -> dict[str, Any]:
    return {"image": {"format": kind, "source": {"s3Location": {"uri": uri, **keys}}}}


PICTURE = stored("png", "s3://bucket/a.png")
CANONICAL: dict[str, dict[str, Any]] = {
    "text": record(user("What country is right next to Australia?"), assistant("The closest is New Zealand")),
    "system": record(user("Hi"), assistant("Hello."), system=SYSTEM),
    "two system blocks": record(user("Hi"), assistant("Hello."), system=[*SYSTEM, {"text": "Be brief."}]),
    "blocks": record(user("One", "two"), assistant("Three.")),
    "picture": record(user("What is it?", PICTURE), assistant("A cat.")),
    "picture of an owner": record(user("What?", stored("png", "s3://b/a", bucketOwner="123456789012")), assistant("?")),
    "bytes": record(user({"image": {"format": "jpeg", "source": {"bytes": "iVBORw0="}}}), assistant("A cat.")),
    "reasoning": record(
        user("Hi"), assistant({"reasoningContent": {"reasoningText": {"text": "Hm."}}}, "Hello.")
    ),
    "signed reasoning": record(
        user("Hi"), assistant({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}, "Hello.")
    ),
    "tools": record(
        user("Top song?"), assistant("I look.", USE), user(JSON_RESULT), assistant("It is Elemental Hotel."),
        toolConfig={"tools": [{"toolSpec": SPEC}]},
    ),
    "tool choice": record(
        user("Hi"), assistant("Hello."), toolConfig={"tools": [{"toolSpec": SPEC}], "toolChoice": {"auto": {}}}
    ),
    "result and question": record(user("Top?"), assistant(USE), user(TEXT_RESULT, "Is that so?"), assistant("Yes.")),
    "other version": {**record(user("Hi"), assistant("Hello.")), "schemaVersion": "my-own"},
    "cache point": record(user("Hi"), assistant("a"), toolConfig={"tools": [{"cachePoint": {"type": "default"}}]}),
}  # fmt: skip


@pytest.mark.parametrize("data", CANONICAL.values(), ids=list(CANONICAL))
def test_records_of_the_provider_come_back_as_they_were(data: dict[str, Any]) -> None:
    assert CONVERSE.fits(data)
    chat = ChatShape().read_loosely(CONVERSE.parse(data).record)
    assert isinstance(chat, Chat), chat
    assert CONVERSE.write(chat) == type(CONVERSE.write(chat))(data, ())


@pytest.mark.parametrize("name", ["text", "system", "two system blocks", "blocks", "picture", "reasoning", "tools"])
def test_sound_records_are_sound_conversations(name: str) -> None:
    assert ChatShape().read(Row(0, 1, CONVERSE.parse(CANONICAL[name]).record))


def test_a_call_reads_like_one_of_openai() -> None:
    parsed = CONVERSE.parse(CANONICAL["tools"])
    _, called, answered, _ = parsed.record["messages"]
    function = {"name": "top_song", "arguments": '{"sign": "WZPZ"}'}
    assert called["tool_calls"] == [{"id": "tooluse_1", "type": "function", "function": function}]
    assert answered == {"role": "tool", "tool_call_id": "tooluse_1", "content": '{"song": "Elemental Hotel"}'}
    assert set(parsed.record) == {"messages", "tools"}
    assert parsed.record["tools"][0]["function"]["parameters"] == SPEC["inputSchema"]["json"]  # type: ignore[index]
    inside = "/messages/1/tool_calls/0/function/arguments"
    assert locate(parsed.paths, inside) == "/messages/1/content/1/toolUse/input"
    assert locate(parsed.paths, "/messages/2/content") == "/messages/2/content/0/toolResult/content/0/json"
    schema = "/tools/0/function/parameters/properties/sign"
    assert locate(parsed.paths, schema) == "/toolConfig/tools/0/toolSpec/inputSchema/json/properties/sign"


VIDEO = {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/a.mp4"}}}}
DOCUMENT = {"document": {"format": "pdf", "name": "a", "source": {"bytes": "AAAA"}}}
ODD: list[tuple[Any, Any]] = [
    (user(VIDEO, "What?"), {"role": "user", "content": [VIDEO, {"type": "text", "text": "What?"}]}),
    (user(DOCUMENT), {"role": "user", "content": [DOCUMENT]}),
    ({"role": "user", "content": "Hi"}, {"role": "user", "content": {"text": "Hi"}}),
    ({"role": "user", "content": None}, {"role": "user", "content": None}),
    ({"role": "user"}, {"role": "user"}),
    ({"content": [{"text": "Hi"}]}, {"content": "Hi"}),
    (user({"toolUse": {"toolUseId": "1", "name": "f", "input": {}}}), {"role": "user", "content": [
        {"toolUse": {"toolUseId": "1", "name": "f", "input": {}}}]}),
    (assistant({"toolUse": {"toolUseId": "1"}}), {"role": "assistant", "content": [{"toolUse": {"toolUseId": "1"}}]}),
    ({**user("Hi"), "role": "tool"}, {"role": "tool (Converse writes user or assistant or system)", "content": "Hi"}),
    (user({"text": "a", "type": "text"}), {"role": "user", "content": [
        {"part of Converse": {"type": "text", "text": "a"}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("message", "read"), ODD, ids=repr)
def test_what_has_no_place_stays_as_it_is(message: Any, read: Any) -> None:
    (found,) = CONVERSE.parse(record(message)).record["messages"]
    assert found == read


def test_other_forms_are_not_taken_for_it() -> None:
    candidates = [{"content": [{"text": "a"}], "preferenceLabel": "preferred"}]
    assert not CONVERSE.fits(record(user("Hi"), {"role": "assistant", "candidates": candidates}))
    blocks = [{"type": "text", "text": "Hi"}]
    assert not CONVERSE.fits({"messages": [{"role": "user", "content": blocks}], "system": "s"})
    assert CONVERSE.fits({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})


def tool_call(arguments: str = "{}") -> ToolCall:
    return ToolCall("call_1", "function", Function("find", arguments))


REPLY = Message("assistant", "Hello.")
LOST: list[tuple[Chat, tuple[str, ...]]] = [
    (Chat([Message("user", "Hi", name="ann"), Message("assistant", "a", weight=0)]), (
        "the name of messages[0]", "the weight of messages[1]")),
    (Chat([Message("system", "a"), Message("system", "b"), REPLY]), ("messages[1] (system)",)),
    (Chat([Message("user", [TextPart("What?"), ImagePart(ImageUrl("https://e.org/a.png"))])]), (
        "messages[0].content[1]",)),
    (Chat([Message("assistant", "a", thinking="Hm.")]), (
        "the thinking of messages[0] (it becomes reasoning_content)",)),
    (Chat([Message("assistant", tool_calls=[tool_call("[1]")])]), (
        "the arguments of messages[0].tool_calls[0].function",)),
    (Chat([REPLY], tools=[{"type": "function", "function": {"name": "f"}}]), (
        "that tools[0].function has no parameters",)),
    (Chat([REPLY], extra={"system": "x"}), ("the key 'system'",)),
]  # fmt: skip


@pytest.mark.parametrize(("chat", "losses"), LOST, ids=lambda v: str(v)[:40])
def test_losses_are_said_in_words(chat: Chat, losses: tuple[str, ...]) -> None:
    assert CONVERSE.write(chat).losses == losses


def test_answers_of_tools_and_what_the_user_says_next_are_one_message() -> None:
    calls = [ToolCall(i, "function", Function("f", "{}")) for i in ("a", "b")]
    answers = [Message("tool", i, tool_call_id=i) for i in ("a", "b")]
    chat = Chat(
        [Message("user", "Hi"), Message("assistant", tool_calls=calls), *answers, Message("user", "Go on."), REPLY]
    )
    written = CONVERSE.write(chat)
    assert [m["role"] for m in written.record["messages"]] == ["user", "assistant", "user", "assistant"]
    assert written.losses == ()


texts = st.text(max_size=6)
inputs = st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers(), texts, st.lists(texts)), max_size=3)
plain = st.text(max_size=6).filter(lambda t: not t.startswith(("{", "[")))
results = st.one_of(st.builds(lambda t: {"text": t}, plain), st.builds(lambda v: {"json": v}, inputs))
blocks = st.lists(st.one_of(texts, st.just(PICTURE)), min_size=1, max_size=3)


@st.composite
def rounds(draw: st.DrawFn) -> list[dict[str, Any]]:
    said = [user(*draw(blocks))]
    thought = draw(st.lists(st.text(min_size=1, max_size=4), max_size=1))
    reasoning = [{"reasoningContent": {"reasoningText": {"text": t}}} for t in thought]
    if draw(st.booleans()):
        ids = draw(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=3, unique=True))
        calls = [{"toolUse": {"toolUseId": i, "name": "f", "input": draw(inputs)}} for i in ids]
        said.append(assistant(*reasoning, *calls))
        content = st.lists(results, min_size=1, max_size=2)
        answers = [{"toolResult": {"toolUseId": i, "content": draw(content)}} for i in ids]
        said.append(user(*answers, *draw(st.lists(texts, max_size=1))))
    return [*said, assistant(*reasoning, draw(texts))]


@given(st.lists(rounds(), min_size=1, max_size=3), st.booleans())
def test_any_sound_record_comes_back_as_it_was(talk: list[list[dict[str, Any]]], has_system: bool) -> None:
    data = record(*(m for part in talk for m in part), **({"system": SYSTEM} if has_system else {}))
    chat = ChatShape().read_loosely(CONVERSE.parse(data).record)
    assert isinstance(chat, Chat), chat
    written = CONVERSE.write(chat)
    assert (written.record, written.losses) == (data, ())
