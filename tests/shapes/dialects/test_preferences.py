"""Dialects of preferences: what each reads and writes, from small records and from real files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answered import REPLY, SHARED, USER, WORSE, chat, read
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Message, Preference
from ftprep.shapes.dialect import Dialect, locate
from ftprep.shapes.dialects.preferences import PREFERENCES

BY_NAME = {d.name: d for d in PREFERENCES}
ASK, YES, NO = (
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "assistant", "content": "Go away."},
)
SYSTEM = {"role": "system", "content": "Be kind."}
TOOL = {"type": "function", "function": {"name": "find"}}
WIRE = {"input": {"messages": [ASK]}, "preferred_output": [YES], "non_preferred_output": [NO]}
HUMAN, GPT, BAD = (
    {"from": "human", "value": "Hi"},
    {"from": "gpt", "value": "Hello."},
    {"from": "gpt", "value": "Go away."},
)
PARTS = {"role": "user", "parts": [{"text": "Hi"}]}


def first(record: dict[str, Any]) -> Dialect:
    return next(d for d in PREFERENCES if d.fits(record))


READ: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("openai-preference", WIRE, WIRE),
    ("openai-preference", {"input": {}, "non_preferred_output": 5}, {"input": {}, "non_preferred_output": 5}),
    (
        "openai-preference",
        {"input": {"messages": [ASK]}, "preferred_completion": [YES], "non_preferred_completion": [NO]},
        WIRE,
    ),
    ("trl-preference", {"prompt": "Hi", "chosen": "Hello.", "rejected": "Go away."}, WIRE),
    ("trl-preference", {"prompt": [ASK], "chosen": [YES], "rejected": [NO]}, WIRE),
    ("trl-preference", {"chosen": [ASK, YES], "rejected": [ASK, NO]}, WIRE),
    ("trl-preference", {"chosen": "Hello.", "rejected": "Go away."}, WIRE | {"input": {"messages": []}}),
    (
        "trl-preference",
        {"chosen": "\n\nHuman: Hi\n\nAssistant: Hello.", "rejected": "\n\nHuman: Hi\n\nAssistant: Go away."},
        WIRE,
    ),
    (
        "trl-preference",
        {"prompt": "Hi", "chosen": [ASK, YES], "rejected": [ASK, NO], "score_chosen": 9.0, "messages": [ASK, YES]},
        WIRE | {"score_chosen": 9.0, "messages": [ASK, YES]},
    ),
    (
        "trl-preference",
        {"prompt": [ASK], "chosen": [SYSTEM, ASK, YES], "rejected": [SYSTEM, ASK, NO]},
        WIRE | {"input": {"messages": [SYSTEM, ASK]}},
    ),
    (
        "trl-preference",
        {"prompt": [ASK], "chosen": [YES], "rejected": [NO], "tools": json.dumps([TOOL]), "input": "a column"},
        WIRE | {"input": {"messages": [ASK], "tools": [TOOL]}, "input_": "a column"},
    ),
    (  # equal answers: the last message of each is the answer, as in TRL
        "trl-preference",
        {"chosen": [ASK, YES], "rejected": [ASK, YES]},
        WIRE | {"non_preferred_output": [YES]},
    ),
    (
        "trl-preference",
        {"prompt": None, "chosen": None, "rejected": 5},
        {"input": {"messages": None}, "preferred_output": None, "non_preferred_output": 5},
    ),
    ("llama-factory-dpo", {"conversations": [HUMAN], "chosen": GPT, "rejected": BAD}, WIRE),
    (
        "llama-factory-dpo",
        {"prompt": [ASK], "chosen": YES, "rejected": NO, "system": "Be kind.", "tools": '[{"name": "find"}]'},
        WIRE | {"input": {"messages": [SYSTEM, ASK], "tools": [TOOL]}},
    ),
    (
        "llama-factory-dpo",
        {
            "conversations": [
                HUMAN,
                {"from": "function_call", "value": '{"name": "find", "arguments": {"a": 1}}'},
                {"from": "observation", "value": "4"},
                {"from": "boss", "value": 5, "id": 7},
                {"value": "x"},
            ],
            "chosen": GPT,
            "rejected": BAD,
        },
        WIRE
        | {
            "input": {
                "messages": [
                    ASK,
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {
                                "id": "call_1",
                                "type": "function",
                                "function": {"name": "find", "arguments": '{"a": 1}'},
                            }
                        ],
                    },
                    {"role": "tool", "content": "4", "tool_call_id": "call_1"},
                    {"role": "boss", "content": 5, "id": 7},
                    {"content": "x"},
                ]
            }
        },
    ),
    ("alpaca-dpo", {"instruction": "Hi", "input": "", "chosen": "Hello.", "rejected": "Go away."}, WIRE),
    (
        "alpaca-dpo",
        {
            "instruction": "Say",
            "input": "Hi",
            "system": "Be kind.",
            "history": [["Hi", "Hello."], "odd"],
            "chosen": "Hello.",
            "rejected": "Go away.",
        },
        WIRE | {"input": {"messages": [SYSTEM, ASK, YES, "odd", {"role": "user", "content": "Say\nHi"}]}},
    ),
    ("swift-preference", {"messages": [ASK, YES], "rejected_response": "Go away."}, WIRE),
    (
        "swift-preference",
        {"messages": [ASK, YES], "rejected_messages": [ASK, NO], "rejected_response": None},
        WIRE,
    ),
    (
        "swift-preference",
        {"messages": [ASK], "rejected_response": "Go away."},
        {"input": {"messages": [ASK]}, "non_preferred_output": [NO]},
    ),
    (
        "gemini-preference",
        {
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "contents": [PARTS],
            "completions": [
                {"score": 0, "completion": {"role": "model", "parts": [{"text": "Go away."}]}},
                {"score": 1, "completion": {"role": "model", "parts": [{"text": "Hello."}]}},
            ],
        },
        WIRE | {"input": {"messages": [SYSTEM, ASK]}},
    ),
    (  # no score tells them apart: neither is preferred
        "gemini-preference",
        {"contents": [PARTS], "completions": [{"score": 1, "completion": PARTS}, {"score": 1, "completion": PARTS}]},
        {"input": {"messages": [ASK]}, "non_preferred_output": [ASK, ASK]},
    ),
    (
        "nova-preference",
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "Be kind."}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"text": "Hi"},
                        {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/a.png"}}}},
                    ],
                },
                {
                    "role": "assistant",
                    "candidates": [
                        {"content": [{"text": "Go away."}], "preferenceLabel": "non-preferred"},
                        {"content": [{"text": "Hello."}], "preferenceLabel": "preferred"},
                    ],
                },
            ],
        },
        WIRE
        | {
            "input": {
                "messages": [
                    SYSTEM,
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "Hi"},
                            {"type": "image_url", "image_url": {"url": "s3://b/a.png"}},
                        ],
                    },
                ]
            }
        },
    ),
]


@pytest.mark.parametrize(("name", "record", "wire"), READ, ids=[f"{i}-{case[0]}" for i, case in enumerate(READ)])
def test_a_record_is_recognised_and_read(name: str, record: dict[str, Any], wire: dict[str, Any]) -> None:
    assert first(record).name == name
    assert first(record).parse(record).record == wire


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"messages": [ASK, YES]},
        {"messages": [ASK, YES], "label": True},
        {"prompt": "Hi", "completion": "Hello."},
        {"chosen": "Hello."},
        {"instruction": "Hi", "output": "Hello."},
        {"conversations": [HUMAN, GPT]},
        {"contents": [PARTS]},
    ],
)
def test_other_records_are_no_preferences(record: dict[str, Any]) -> None:
    assert not [d.name for d in PREFERENCES if d.fits(record)]


@pytest.mark.parametrize(
    ("record", "inner", "outer"),
    [
        ({"preferred_completion": [YES]}, "/preferred_output/0/role", "/preferred_completion/0/role"),
        ({"prompt": "Hi", "chosen": "a", "rejected": 5}, "/input/messages/0/content", "/prompt"),
        ({"prompt": "Hi", "chosen": "a", "rejected": 5}, "/preferred_output/0/content", "/chosen"),
        ({"prompt": "Hi", "chosen": "a", "rejected": 5}, "/non_preferred_output", "/rejected"),
        ({"chosen": [ASK, YES], "rejected": [ASK, {}]}, "/non_preferred_output/0", "/rejected/1"),
        ({"chosen": [ASK, YES], "rejected": [ASK, NO], "input": 1}, "/input_", "/input"),
        ({"conversations": [HUMAN], "chosen": GPT, "rejected": BAD}, "/input/messages/0/role", "/conversations/0/from"),
        ({"conversations": [HUMAN], "chosen": GPT, "rejected": BAD}, "/preferred_output/0/content", "/chosen/value"),
        ({"messages": [ASK, YES], "rejected_response": "x"}, "/preferred_output/0/content", "/messages/1/content"),
        ({"messages": [ASK, YES], "rejected_response": "x"}, "/non_preferred_output/0/content", "/rejected_response"),
        (
            {"contents": [PARTS], "completions": [{"score": 1, "completion": PARTS}, {"score": 0, "completion": {}}]},
            "/non_preferred_output/0",
            "/completions/1/completion",
        ),
        ({"contents": [PARTS], "completions": []}, "/input/messages/0/content", "/contents/0/parts/0/text"),
        (
            {"messages": [ASK, {"role": "assistant", "candidates": [{"preferenceLabel": "preferred"}]}]},
            "/preferred_output/0",
            "/messages/1/candidates/0",
        ),
        (
            {"instruction": "a", "history": [[1, 2]], "chosen": "b", "rejected": "c"},
            "/input/messages/1/content",
            "/history/0/1",
        ),
    ],
)
def test_pointers_lead_to_where_the_record_says_it(record: dict[str, Any], inner: str, outer: str) -> None:
    assert locate(first(record).parse(record).paths, inner) == outer


SOUND = Preference(chat(Message("system", "Be kind."), USER), [REPLY], [WORSE], {"id": 7})
BARE = Preference(chat(), [REPLY], [WORSE])
RICH = Preference(
    chat(Message("developer", "Be kind.", name="ann"), Message("assistant", "Hm?"), tools=[TOOL], functions=[]),
    [REPLY, USER],
    [WORSE],
    {"chosen": 1, "prompt": 2},
)


@pytest.mark.parametrize(
    ("example", "name", "losses"),
    [
        *((SOUND, name, ()) for name in BY_NAME if name != "trl-preference-text"),
        (SOUND, "trl-preference-text", ("input.messages[0]",)),
        (BARE, "trl-preference", ()),
        (BARE, "trl-preference-text", ()),
        (BARE, "llama-factory-dpo", ()),
        (BARE, "swift-preference", ()),
        (BARE, "gemini-preference", ()),
        (BARE, "nova-preference", ()),
        (BARE, "alpaca-dpo", ("what exactly input.messages says",)),
        (RICH, "openai-preference", ()),
        (RICH, "trl-preference", ("input.functions", "the column 'chosen'", "the column 'prompt'")),
        (
            RICH,
            "llama-factory-dpo",
            (
                *("input.functions", "the role developer of input.messages[0]", "the name of input.messages[0]"),
                *("preferred_output[1]", "the column 'chosen'"),
            ),
        ),
        (
            RICH,
            "gemini-preference",
            (
                *("input.tools", "input.functions", "the role developer of input.messages[0]"),
                *("the name of input.messages[0]", "preferred_output[1]"),
            ),
        ),
        (
            RICH,
            "alpaca-dpo",
            (
                *("input.tools", "input.functions", "the name of input.messages[0]"),
                *("the role developer of input.messages[0]", "input.messages[1]", "preferred_output[1]"),
                "the column 'chosen'",
            ),
        ),
    ],
)
def test_what_has_no_place_is_named(example: Preference, name: str, losses: tuple[str, ...]) -> None:
    assert BY_NAME[name].write(example).losses == losses


def test_what_is_written() -> None:
    told = {name: d.write(SOUND).record for name, d in BY_NAME.items()}
    assert told["trl-preference"] == {"prompt": [SYSTEM, ASK], "chosen": [YES], "rejected": [NO], "id": 7}
    assert told["trl-preference-text"] == {"prompt": "Hi", "chosen": "Hello.", "rejected": "Go away.", "id": 7}
    assert told["llama-factory-dpo"] == {
        "conversations": [{"from": "system", "value": "Be kind."}, HUMAN],
        "chosen": GPT,
        "rejected": BAD,
        "id": 7,
    }
    assert told["swift-preference"] == {"messages": [SYSTEM, ASK, YES], "rejected_response": "Go away.", "id": 7}
    assert told["alpaca-dpo"] == {
        "instruction": "Hi",
        "system": "Be kind.",
        "chosen": "Hello.",
        "rejected": "Go away.",
        "id": 7,
    }
    assert told["gemini-preference"]["completions"][0] == {
        "score": 1,
        "completion": {"role": "model", "parts": [{"text": "Hello."}]},
    }
    assert told["nova-preference"]["messages"][-1]["candidates"][1] == {
        "content": [{"text": "Go away."}],
        "preferenceLabel": "non-preferred",
    }
    assert "prompt" not in BY_NAME["trl-preference"].write(BARE).record


@given(
    st.lists(st.sampled_from([USER, REPLY, Message("system", "Be kind.")]), max_size=3),
    st.text(max_size=5),
    st.text(max_size=5),
)
def test_preferences_go_round_from_one_dialect_to_the_next(asked: list[Message], better: str, worse: str) -> None:
    example = Preference(chat(*asked), [Message("assistant", better)], [Message("assistant", worse)], {"id": 1})
    for name in ("openai-preference", "trl-preference", "llama-factory-dpo", "openai-preference"):
        written = BY_NAME[name].write(example)
        assert not written.losses
        assert first(written.record).name == name
        assert read(BY_NAME[name].parse(written.record).record, "preference") == example


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not there")
@pytest.mark.parametrize(
    ("file", "name", "rows"),
    [
        ("preference_openai_orca_1-80.jsonl", "openai-preference", 80),
        ("dpo_sharegpt_en.json", "llama-factory-dpo", 299),
    ],
)
def test_real_files_are_read_and_written_without_loss(file: str, name: str, rows: int) -> None:
    text = (SHARED / file).read_text(encoding="utf-8")
    records = json.loads(text) if file.endswith(".json") else [json.loads(line) for line in text.splitlines()]
    assert len(records) == rows
    for record in records:
        assert first(record).name == name
        example = read(first(record).parse(record).record, "preference")
        assert {n for n, d in BY_NAME.items() if d.write(example).losses} <= {"trl-preference-text"}
