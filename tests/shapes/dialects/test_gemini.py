"""Gemini: the provider's own examples there and back, what is lost in words, and the SDK reads what is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Chat, Function, ImagePart, ImageUrl, Message, TextPart, ToolCall
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.dialect import locate
from ftprep.shapes.dialects.gemini import GeminiDialect

GEMINI = GeminiDialect()
SYSTEM = {"role": "system", "parts": [{"text": "You help people find products."}]}
CALL = {"functionCall": {"name": "get_product_sku", "args": {"product_name": "Pixel 8 Pro 128GB"}}}
ANSWER = {"functionResponse": {"name": "get_product_sku", "response": {"sku": "GA04834-US", "in_stock": "yes"}}}
DECLARATION = {
    "name": "get_product_sku",
    "description": "Get the available inventory for a product",
    "parameters": {
        "type": "OBJECT",
        "properties": {
            "product_name": {"type": "STRING", "enum": ["Pixel 8 Pro 128GB"]},
            "type": {"type": "ARRAY", "items": {"type": "INTEGER", "nullable": True}},
        },
    },
}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": p} if isinstance(p, str) else p for p in parts]}


def model(*parts: Any) -> dict[str, Any]:
    return {**user(*parts), "role": "model"}


def file(uri: str, mime: str) -> dict[str, Any]:
    return {"fileData": {"mimeType": mime, "fileUri": uri}}


CANONICAL: dict[str, dict[str, Any]] = {
    "text": {"contents": [user("Hi"), model("Hello.")]},
    "system": {"systemInstruction": SYSTEM, "contents": [user("Hi"), model("Hello."), user("Bye"), model("Bye.")]},
    "parts": {"contents": [user("One", "two"), model("Three", "four")]},
    "same role twice": {"contents": [user("One"), user("Two"), model("Three")]},
    "pictures": {
        "contents": [
            user(file("gs://bucket/a.jpg", "image/jpeg"), "What?", file("https://e.org/a.png?x=1", "image/png")),
            model("A cat."),
        ]
    },
    "picture without an ending": {"contents": [user(file("gs://bucket/a", "image/webp"), "What?"), model("A cat.")]},
    "picture with a wrong ending": {"contents": [user("What?", file("gs://b/a.png", "image/jpeg")), model("A cat.")]},
    "inline": {"contents": [user({"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}}), model("A cat.")]},
    "call": {
        "systemInstruction": SYSTEM,
        "contents": [user("Is it in stock?"), model(CALL), user(ANSWER), model("Yes.")],
        "tools": [{"functionDeclarations": [DECLARATION]}],
    },
    "two calls at once": {"contents": [user("Hi"), model("I look.", CALL, CALL), user(ANSWER, ANSWER), model("Yes.")]},
    "call with ids out of order": {
        "contents": [
            user("Hi"),
            model(*({"functionCall": {"id": i, "name": "f", "args": {}}} for i in "ab")),
            user(*({"functionResponse": {"id": i, "name": "f", "response": {"output": i}}} for i in "ba")),
            model("Done."),
        ]
    },
    "search": {"contents": [user("Hi"), model("Hello.")], "tools": [{"googleSearch": {}}]},
    "references": {"contents": [user("2 + 2?")], "references": {"answer": "4"}},
}


@pytest.mark.parametrize("record", CANONICAL.values(), ids=list(CANONICAL))
def test_records_of_the_provider_come_back_as_they_were(record: dict[str, Any]) -> None:
    assert GEMINI.fits(record)
    chat = ChatShape().read_loosely(GEMINI.parse(record).record)
    assert isinstance(chat, Chat), chat
    written = GEMINI.write(chat)
    assert written.record == record
    assert written.losses == ()


@pytest.mark.parametrize("name", ["text", "system", "parts", "pictures", "inline", "call", "two calls at once"])
def test_sound_records_are_sound_conversations(name: str) -> None:
    from ftprep.model import Row

    row = Row(0, 1, GEMINI.parse(CANONICAL[name]).record)
    assert ChatShape().read(row)


def test_a_call_reads_like_one_of_openai() -> None:
    parsed = GEMINI.parse(CANONICAL["call"])
    _, _, called, answered, _ = parsed.record["messages"]
    arguments = '{"product_name": "Pixel 8 Pro 128GB"}'
    function = {"name": "get_product_sku", "arguments": arguments}
    assert called == {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    content = '{"sku": "GA04834-US", "in_stock": "yes"}'
    assert answered == {"role": "tool", "tool_call_id": "call_1", "content": content}
    (tool,) = parsed.record["tools"]
    schema = tool["function"]["parameters"]
    assert schema["type"] == "object"
    assert schema["properties"]["type"] == {"type": "array", "items": {"type": "integer", "nullable": True}}
    where = locate(parsed.paths, "/messages/2/tool_calls/0/function/arguments")
    assert where == "/contents/1/parts/0/functionCall/args"
    assert locate(parsed.paths, "/messages/3/content") == "/contents/2/parts/0/functionResponse/response"
    assert locate(parsed.paths, "/tools/0/function/name") == "/tools/0/functionDeclarations/0/name"


def first(*contents: Any, **keys: Any) -> Any:
    return GEMINI.parse({"contents": list(contents), **keys}).record["messages"][0]


VIDEO = file("gs://b/a.mp4", "video/mp4")
READ: list[tuple[Any, Any]] = [
    ({"parts": [{"text": "Hi"}]}, {"content": "Hi"}),
    ({"role": "user"}, {"role": "user"}),
    ({"role": "user", "parts": []}, {"role": "user"}),
    ({"role": "user", "parts": "Hi"}, {"role": "user", "content": "Hi"}),
    ("Hi", "Hi"),
    (user(VIDEO), {"role": "user", "content": [VIDEO]}),
    (user({"text": "a", "x": 1}), {"role": "user", "content": [{"text": "a", "x": 1}]}),
    ({**user("a"), "label": 3}, {"role": "user", "content": "a", "label": 3}),
    ({**user("a"), "content": "b"}, {"role": "user", "content": "a", "content of Gemini data": "b"}),
    (
        {**user("a"), "role": "assistant"},
        {"role": "assistant (Gemini data writes user or model)", "content": "a"},
    ),
    (
        model({"text": "Hm.", "thought": True}, "Yes."),
        {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."},
    ),
    (user(ANSWER), {"role": "tool", "name": "get_product_sku", "content": '{"sku": "GA04834-US", "in_stock": "yes"}'}),
    (
        user({"file_data": {"mime_type": "image/png", "file_uri": "gs://b/a.png"}}),
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "gs://b/a.png"}}]},
    ),
]


@pytest.mark.parametrize(("content", "message"), READ, ids=repr)
def test_what_is_wrong_or_odd_stays_so(content: Any, message: Any) -> None:
    assert first(content) == message


def test_the_system_instruction_may_be_spelt_in_other_ways() -> None:
    said = {"role": "system", "content": "Be brief."}
    assert first(user("Hi"), system_instruction={"role": "user", "parts": [{"text": "Be brief."}]}) == said
    assert first(user("Hi"), systemInstruction="Be brief.") == said
    assert first(user("Hi"), systemInstruction=None) == {"role": "user", "content": "Hi"}
    both = GEMINI.parse({"systemInstruction": "a", "system_instruction": "b", "contents": []}).record
    assert both["system_instruction"] == "b"


def test_preferences_are_another_form() -> None:
    completions = [{"score": 1, "completion": model("a")}, {"score": 0, "completion": model("b")}]
    assert not GEMINI.fits({"contents": [user("Hi")], "completions": completions})
    assert not GEMINI.fits({"contents": [user("Hi")], "messages": []})
    assert not GEMINI.fits({"contents": ["Hi"]})


def tool_call(name: str = "find", arguments: str = "{}", call_id: str = "call_1") -> ToolCall:
    return ToolCall(call_id, "function", Function(name, arguments))


REPLY = Message("assistant", "Hello.")
PICTURE = ImagePart(ImageUrl("https://example.com/picture", "low"))
LOST: list[tuple[Chat, tuple[str, ...]]] = [
    (Chat([Message("user", "Hi", weight=None, name="ann"), REPLY]), ("the name of messages[0]",)),
    (Chat([Message("user", "Hi"), Message("assistant", "a", weight=0)]), ("the weight of messages[1]",)),
    (Chat([Message("user", "Hi"), Message("system", "s"), REPLY]), ("messages[1] (system)",)),
    (Chat([Message("developer", "s"), REPLY]), ("the role of messages[0] ('developer' becomes 'system')",)),
    (Chat([Message("user", [TextPart("Hi")]), REPLY]), ("that the content of messages[0] is a list",)),
    (Chat([Message("user", "Hi"), Message("assistant", None, refusal="No.")]), ("the refusal of messages[1]",)),
    (Chat([Message("assistant", "a", reasoning="Hm.")]), ("the reasoning of messages[0]",)),
    (
        Chat([Message("assistant", tool_calls=[tool_call(arguments='{"a":1}')])]),
        ("the spelling of the arguments of messages[0].tool_calls[0].function",),
    ),
    (
        Chat([Message("assistant", tool_calls=[tool_call(arguments="{bad")])]),
        ("the arguments of messages[0].tool_calls[0].function",),
    ),
    (
        Chat(
            [
                Message("assistant", "", tool_calls=[tool_call(call_id="x1")]),
                Message("tool", "4", tool_call_id="x1"),
            ]
        ),
        ("the empty content of messages[0]", "the ids of calls ('x1' becomes 'call_1')"),
    ),
    (
        Chat(
            [REPLY], tools=[{"type": "function", "function": {"name": "f", "strict": True}}], parallel_tool_calls=False
        ),
        ("the strict of tools[0].function", "the key 'parallel_tool_calls'"),
    ),
    (Chat([REPLY], extra={"contents": 3}), ("the key 'contents'",)),
]


@pytest.mark.parametrize(("chat", "losses"), LOST, ids=lambda v: str(v)[:40])
def test_losses_are_said_in_words(chat: Chat, losses: tuple[str, ...]) -> None:
    assert GEMINI.write(chat).losses == losses


def test_a_picture_of_an_unknown_kind_is_said() -> None:
    written = GEMINI.write(Chat([Message("user", [TextPart("What?"), PICTURE]), REPLY]))
    assert written.record["contents"][0]["parts"][1] == {"fileData": {"fileUri": "https://example.com/picture"}}
    assert written.losses == ("messages[0].content[1]",) or "messages[0].content[1]" in written.losses[0]


names = st.text(alphabet="abc_", min_size=1, max_size=3)
values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=5,
)
texts = st.builds(lambda t: {"text": t}, st.text(max_size=8))
pictures = st.builds(
    file,
    st.sampled_from(["gs://b/a.png", "gs://b/a", "https://e.org/x.jpeg"]),
    st.sampled_from(["image/png", "image/jpeg"]),
)
arguments = st.dictionaries(names, values, max_size=3)
outputs = st.one_of(
    st.builds(lambda t: {"output": t}, st.text(max_size=5)), arguments.filter(lambda a: "output" not in a)
)


@st.composite
def rounds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What a user asks, perhaps what functions are called and answer, and a reply."""
    said = [{"role": "user", "parts": draw(st.lists(st.one_of(texts, pictures), min_size=1, max_size=3))}]
    if draw(st.booleans()):
        called = draw(st.lists(names, min_size=1, max_size=3))
        before = draw(st.lists(st.text(min_size=1, max_size=4).map(lambda t: {"text": t}), max_size=1))
        calls = [{"functionCall": {"name": n, "args": draw(arguments)}} for n in called]
        said.append({"role": "model", "parts": [*before, *calls]})
        answers = [{"functionResponse": {"name": n, "response": draw(outputs)}} for n in called]
        said.append({"role": "user", "parts": answers})
    return [*said, {"role": "model", "parts": draw(st.lists(texts, min_size=1, max_size=2))}]


@given(st.lists(rounds(), min_size=1, max_size=3), st.booleans())
def test_any_sound_record_comes_back_as_it_was(talk: list[list[dict[str, Any]]], has_system: bool) -> None:
    record: dict[str, Any] = {"contents": [c for part in talk for c in part]}
    if has_system:
        record["systemInstruction"] = SYSTEM
    chat = ChatShape().read_loosely(GEMINI.parse(record).record)
    assert isinstance(chat, Chat), chat
    written = GEMINI.write(chat)
    assert (written.record, written.losses) == (record, ())
