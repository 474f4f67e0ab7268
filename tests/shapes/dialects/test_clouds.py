"""Laws of the dialects of hosted providers: nothing is lost in silence, nothing raises, every pointer leads home."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftprep.model import (
    Chat,
    Function,
    ImagePart,
    ImageUrl,
    Message,
    Pair,
    Preference,
    RefusalPart,
    TextPart,
    ToolCall,
    Turn,
)
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.dialect import Dialect, locate
from ftprep.shapes.dialects.clouds import CLOUDS

CHATS = [d for d in CLOUDS if d.shape == "chat"]
BY_NAME = pytest.mark.parametrize("dialect", CHATS, ids=lambda d: d.name)

words = st.one_of(st.text(max_size=6), st.sampled_from(["", "{}", '{"a": 1}', '{"a":1}', "[1, 2]", '{"output": "x"}']))
objects = st.sampled_from(
    [
        "{}",
        '{"city": "Bamako"}',
        '{"city":"Bamako"}',
        '{"n": [1, 2.5, null, {"a": "é"}]}',
        "{bad",
        "[]",
        "",
        '{"a": NaN}',
    ]
)
ids = st.sampled_from(["call_1", "call_2", "call_9", "abcdefghi", "AAAAAAAA1", "", "\ud800"])
names = st.sampled_from(["find", "find_all", "a.b"])
urls = st.sampled_from(
    [
        "gs://b/a.png",
        "gs://b/a",
        "https://example.com/a.JPG?x=1",
        "s3://bucket/a.jpeg",
        "s3://bucket/a",
        "data:image/png;base64,AAAA",
        "data:image/jpg;base64,",
        "data:text/plain,x",
        "",
    ]
)
details = st.sampled_from([None, "low"])
parts = st.one_of(
    st.builds(TextPart, words),
    st.builds(ImagePart, st.builds(ImageUrl, urls, details)),
    st.builds(RefusalPart, words),
)
media = st.sampled_from([{"0": {"mimeType": "image/png"}}, {"0": {"bucketOwner": "1"}, "1": 3}, 7])
other_keys = st.dictionaries(
    st.sampled_from(["status", "parts", "prefix", "text", "media", "signature", "contents", "x"]),
    st.one_of(words, media, st.none()),
    min_size=1,
    max_size=2,
)
calls = st.builds(ToolCall, ids, st.just("function"), st.builds(Function, names, objects))
messages = st.builds(
    Message,
    role=st.sampled_from(["system", "developer", "user", "user", "assistant", "assistant", "tool", "tool", "function"]),
    content=st.one_of(st.none(), words, words, st.lists(parts, max_size=3)),
    name=st.sampled_from([None, None, "find", "ann"]),
    weight=st.sampled_from([None, None, 0, 1]),
    tool_calls=st.one_of(st.none(), st.none(), st.lists(calls, max_size=3)),
    tool_call_id=st.one_of(st.none(), ids),
    function_call=st.sampled_from([None, None, None, Function("f", "{}")]),
    refusal=st.sampled_from([None, None, None, "No."]),
    reasoning_content=st.sampled_from([None, None, "", "Hm."]),
    reasoning=st.sampled_from([None, None, None, "So."]),
    thinking=st.sampled_from([None, None, None, "So."]),
    extra=st.one_of(st.none(), st.none(), other_keys),
)
turns = st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), words)
schemas = st.recursive(
    st.sampled_from(
        [{"type": "string"}, {"type": "STRING"}, {"type": ["string", "null"]}, {}, True, {"enum": ["type"]}]
    ),
    lambda s: st.one_of(
        st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(names, s, max_size=2)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": s}),
        st.fixed_dictionaries({"anyOf": st.lists(s, max_size=2)}),
    ),
    max_leaves=4,
)
functions = st.fixed_dictionaries(
    {"name": names}, optional={"description": words, "parameters": schemas, "strict": st.booleans()}
)
tools = st.one_of(
    st.fixed_dictionaries({"type": st.just("function"), "function": functions}),
    st.sampled_from([{"googleSearch": {}}, {"type": "web_search"}, {"cachePoint": {"type": "default"}}, {}]),
)
record_keys: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(
        [
            "references",
            "weight",
            "contents",
            "systemInstruction",
            "system",
            "system_prompt",
            "schemaVersion",
            "toolConfig",
            "only_last",
            "interactions",
            "available_tools",
        ]
    ),
    st.sampled_from([None, "x", True, [], {}, {"toolChoice": {"auto": {}}}, {"tools": []}, [{"text": "x"}]]),
    min_size=1,
    max_size=2,
)
chats = st.builds(
    Chat,
    st.lists(st.one_of(messages, turns), max_size=5),
    tools=st.one_of(st.none(), st.lists(tools, max_size=3)),
    parallel_tool_calls=st.sampled_from([None, None, False]),
    functions=st.sampled_from([None, None, None, [{"name": "f"}]]),
    extra=st.one_of(st.none(), record_keys),
)


def as_messages(chat: Chat) -> Chat:
    """The same conversation with a Message for each bare Turn."""
    whole = [Message(m.role, m.content) if isinstance(m, Turn) else m for m in chat.messages]
    return Chat(whole, chat.tools, chat.parallel_tool_calls, chat.functions, chat.extra)


def read(dialect: Dialect, record: dict[str, Any]) -> Any:
    parsed = dialect.parse(record)
    return ChatShape().read_loosely(parsed.record) if parsed.record["messages"] else Chat([])


@BY_NAME
@settings(max_examples=400)
@given(chats)
@example(Chat([Message("user", [TextPart("a")]), Message("assistant", "")]))
def test_what_is_written_without_a_loss_is_read_as_it_was(dialect: Dialect, chat: Chat) -> None:
    written = dialect.write(chat)
    if not written.losses and chat.messages:
        assert read(dialect, written.record) == as_messages(chat)
    assert len(set(written.losses)) == len(written.losses)


@BY_NAME
@settings(max_examples=300)
@given(chats)
def test_what_was_written_is_written_again_the_same(dialect: Dialect, chat: Chat) -> None:
    first = dialect.write(chat).record
    again = read(dialect, first)
    if isinstance(again, Chat) and again.messages:
        second = dialect.write(again)
        third = read(dialect, second.record)
        assert second.record == dialect.write(third).record


KEYS = [
    *("contents", "parts", "role", "text", "functionCall", "functionResponse", "args", "name", "response", "fileData"),
    *("mimeType", "fileUri", "file_data", "file_uri", "inlineData", "data", "systemInstruction", "tools", "thought"),
    *("functionDeclarations", "parameters", "type", "properties", "messages", "content", "system", "toolUse", "id"),
    *("toolUseId", "input", "toolResult", "json", "image", "format", "source", "bytes", "s3Location", "uri", "output"),
    *("reasoningContent", "reasoningText", "toolConfig", "toolSpec", "inputSchema", "schemaVersion", "status"),
    *("interactions", "available_tools", "system_prompt", "only_last", "tool_calls", "function", "weight", "thinking"),
    *("closed", "image_url", "url", "media", "prompt", "completion", "bucketOwner", "signature", "reasoning_content"),
]
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["user", "model", "assistant", "tool", "system", "function", "thinking", "image/png", "gs://b/x"]),
    st.text(max_size=3),
    st.just({1, 2}),
)
anything = st.recursive(
    values,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=2), st.integers(0, 2)), inner, max_size=4),
    ),
    max_leaves=12,
)
turn_like = st.dictionaries(st.sampled_from(KEYS), anything, max_size=3)
records = st.dictionaries(st.sampled_from(KEYS), st.one_of(anything, st.lists(turn_like, max_size=3)), max_size=5)


def resolve(record: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        record = record[int(key)] if isinstance(record, (list, tuple)) else record[key]
    return record


def check_paths(dialect: Dialect, record: dict[str, Any]) -> dict[str, str]:
    before = copy.deepcopy(record)
    parsed = dialect.parse(record)
    assert parsed.record is not record
    for inside, origin in parsed.paths.items():
        resolve(record, origin)
        resolve(parsed.record, inside.rpartition("/")[0])
    assert repr(record) == repr(before), "reading changes nothing of what was read"
    return parsed.paths


ODD: list[dict[Any, Any]] = [
    {},
    {"contents": None},
    {"contents": {"role": "user", "parts": [{"text": "a"}]}},
    {"contents": [None, 3, [], {}, {"parts": None}, {"parts": {}}, {"role": [], "parts": [None, {}, {1: 2}]}]},
    {"contents": [{"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": {1, 2}}}}]}]},
    {"contents": [{"role": "user", "content": "x", "tool_calls": 3, "parts": [{"text": "a"}]}]},
    {"contents": [], "messages": []},
    {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [None, {}]}}]}]},
    {
        "messages": [{"role": "user", "content": [{"text": "x"}]}],
        "toolConfig": {"tools": [{"toolSpec": {}}, 7]},
        "system": 5,
    },
    {"interactions": [{"role": "user", "text": "a"}], "messages": 3},
    {"interactions": [{"role": "assistant", "text": [{"type": "thinking", "thinking": "a"}]}], "system_prompt": "s"},
    {"messages": [{"role": "assistant", "weight": {}}, {}], "only_last": True},
    {"messages": [{"content": []}], "system": []},
    {"text": None},
    {1: 2, None: 3},
]


@pytest.mark.parametrize("dialect", CLOUDS, ids=lambda d: d.name)
@pytest.mark.parametrize("record", ODD, ids=repr)
def test_odd_records_are_read_without_a_complaint(dialect: Dialect, record: dict[str, Any]) -> None:
    check_paths(dialect, record)
    assert dialect.fits(record) in (True, False)


@pytest.mark.parametrize("dialect", CLOUDS, ids=lambda d: d.name)
@settings(max_examples=400)
@given(records)
def test_nothing_raises_and_every_pointer_leads_home(dialect: Dialect, record: dict[str, Any]) -> None:
    check_paths(dialect, record)
    dialect.fits(record)


@BY_NAME
@settings(max_examples=200)
@given(chats)
def test_pointers_of_written_records_lead_home(dialect: Dialect, chat: Chat) -> None:
    check_paths(dialect, dialect.write(chat).record)


@pytest.mark.parametrize("dialect", CLOUDS, ids=lambda d: d.name)
def test_deep_nesting_is_no_trouble(dialect: Dialect) -> None:
    deep: Any = {}
    for _ in range(3000):
        deep = {"properties": {"a": deep}}
    part = {"functionCall": {"name": "f", "args": deep}}
    tool = {"functionDeclarations": [{"name": "f", "parameters": deep}]}
    dialect.parse({"contents": [{"role": "model", "parts": [part]}], "tools": [tool], "systemInstruction": deep})
    use = {"toolUse": {"toolUseId": "1", "name": "f", "input": deep}}
    dialect.parse({"messages": [{"role": "assistant", "content": [use]}], "toolConfig": deep, "system": [deep]})


@pytest.mark.parametrize("dialect", CLOUDS, ids=lambda d: d.name)
def test_another_shape_cannot_be_written(dialect: Dialect) -> None:
    wrong = Chat([Message("user", "a")]) if dialect.shape == "completion" else Pair("a", "b")
    preference = Preference(Chat([Message("user", "a")]), [], [])
    for one in (wrong, preference):
        with pytest.raises(TypeError, match="only"):
            dialect.write(one)


def test_names_and_titles_are_for_people() -> None:
    assert len({d.name for d in CLOUDS}) == len(CLOUDS)
    assert all(d.title and d.name == d.name.lower() for d in CLOUDS)


PLAIN: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    {"messages": [{"role": "user", "content": "Hi"}], "system": "Be brief."},
    {"prompt": "a", "completion": "b"},
    {"conversations": [{"from": "human", "value": "a"}]},
    {"text": "a", "label": "b"},
    {},
]


@pytest.mark.parametrize("record", PLAIN, ids=repr)
def test_records_of_other_forms_fit_none(record: dict[str, Any]) -> None:
    assert [d.name for d in CLOUDS if d.fits(record)] == []


def test_what_is_not_there_is_looked_for_where_it_should_be() -> None:
    contents = [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}]
    paths = CLOUDS[0].parse({"systemInstruction": {"parts": [{"text": "s"}]}, "contents": contents}).paths
    assert locate(paths, "/messages/0/content") == "/systemInstruction/parts/0/text"
    assert locate(paths, "/messages/2/content") == "/contents/1/parts/0/text"
    assert locate(paths, "/messages/2/role") == "/contents/1/role"
    assert locate(paths, "/messages/2/score") == "/contents/1/score"
