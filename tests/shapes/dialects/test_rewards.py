"""Dialects of unpaired, stepwise and reinforcement data: what each reads and writes, small records and real files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answered import REPLY, SHARED, USER, chat, read

from ftprep.model import Message, Reinforcement, Stepwise, Unpaired
from ftprep.shapes.dialect import Dialect, locate
from ftprep.shapes.dialects.rewards import REWARDS

BY_NAME = {d.name: d for d in REWARDS}
ASK, YES = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
SYSTEM = {"role": "system", "content": "Be kind."}
TOOL = {"type": "function", "function": {"name": "find"}}
WIRE = {"input": {"messages": [ASK]}, "output": [YES], "label": True}
STEPS = {"prompt": "2*3+1?", "completions": ["6", "7"], "labels": [True, True]}
CONTENTS = [{"role": "user", "parts": [{"text": "Hi"}]}]


def first(record: dict[str, Any]) -> Dialect:
    return next(d for d in REWARDS if d.fits(record))


READ: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("unpaired", WIRE, WIRE),
    ("unpaired", {"input": {}, "output": "x", "label": "y"}, {"input": {}, "output": "x", "label": "y"}),
    ("trl-unpaired", {"prompt": "Hi", "completion": "Hello.", "label": True}, WIRE),
    ("trl-unpaired", {"prompt": [ASK], "completion": [YES], "label": True, "id": 1}, WIRE | {"id": 1}),
    ("trl-unpaired", {"prompt": "Hi", "completion": "Hello.", "label": "false"}, WIRE | {"label": "false"}),
    ("trl-unpaired", {"prompt": "Hi", "completion": "Hello.", "label": 1}, WIRE | {"label": 1}),
    ("llama-factory-kto", {"messages": [ASK, YES], "label": True}, WIRE),
    ("llama-factory-kto", {"messages": [ASK], "label": True}, {"input": {"messages": [ASK]}, "label": True}),
    (
        "llama-factory-kto",
        {
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}],
            "kto_tag": True,
            "system": "Be kind.",
        },
        WIRE | {"input": {"messages": [SYSTEM, ASK]}},
    ),
    ("llama-factory-kto", {"instruction": "Hi", "input": "", "output": "Hello.", "kto_tag": True}, WIRE),
    ("llama-factory-kto", {"messages": [ASK, YES], "kto_tag": None}, WIRE | {"label": None}),
    ("trl-stepwise", STEPS, STEPS),
    ("openai-reinforcement", {"messages": [ASK]}, {"messages": [ASK]}),
    (
        "openai-reinforcement",
        {"messages": [ASK, YES, ASK], "tools": [TOOL], "answer": 5},
        {"messages": [ASK, YES, ASK], "tools": [TOOL], "answer": 5},
    ),
    (
        "trl-prompt",
        {"prompt": [ASK], "solution": "4", "messages_": 1},
        {"messages": [ASK], "solution": "4", "messages_": 1},
    ),
    ("trl-prompt", {"prompt": "Hi"}, {"messages": [ASK]}),
    ("trl-prompt", {"prompt": "Hi", "id": 7}, {"messages": [ASK], "id": 7}),
    (
        "gemini-reinforcement",
        {"systemInstruction": "Be kind.", "contents": CONTENTS, "references": {"a": "b"}},
        {"messages": [SYSTEM, ASK], "references": {"a": "b"}},
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
        {"messages": [ASK, YES, ASK]},
        {"messages": [ASK, YES, ASK], "id": 7},
        {"messages": [ASK, YES], "label": "sports"},
        {"messages": [ASK, YES], "label": 1, "topic": "sports"},
        {"messages": []},
        {"messages": ["Hi"]},
        {"messages": [{"role": "system", "content": "x"}]},
        {"prompt": "Hi", "completion": "Hello."},
        {"prompt": "Hi", "completion": "Hello.", "label": "sports"},
        {"prompt": "Hi", "completion": "Hello.", "label": 1, "topic": "sports"},
        {"prompt": "Hi", "answer": "Hello."},
        {"prompt": "Hi", "what he said": "Hello."},
        {"prompt": [ASK, YES]},
        {"prompt": "Hi", "chosen": "a", "rejected": "b"},
        {"input": "Hi", "output": "Hello.", "label": True},
        {"instruction": "Hi", "output": "Hello."},
        {"text": "Hi", "label": True},
        {"contents": [*CONTENTS, {"role": "model", "parts": []}]},
        {"messages": [ASK], "label": True, "chosen": "a", "rejected": "b"},
    ],
)
def test_other_records_are_left_to_others(record: dict[str, Any]) -> None:
    assert not [d.name for d in REWARDS if d.fits(record)]


@pytest.mark.parametrize(
    ("record", "inner", "outer"),
    [
        ({"prompt": "Hi", "completion": "a", "label": True}, "/output/0/content", "/completion"),
        ({"messages": [ASK, YES], "kto_tag": 1}, "/label", "/kto_tag"),
        ({"messages": [ASK, YES], "kto_tag": 1}, "/output/0", "/messages/1"),
        ({"instruction": "a", "output": 5, "kto_tag": 1}, "/output", "/output"),
        ({"prompt": [ASK], "x": 1}, "/messages/0/role", "/prompt/0/role"),
        ({"prompt": [ASK], "x": 1}, "/x", "/x"),
        ({"contents": CONTENTS, "references": {}}, "/messages/0/content", "/contents/0/parts/0/text"),
    ],
)
def test_pointers_lead_to_where_the_record_says_it(record: dict[str, Any], inner: str, outer: str) -> None:
    assert locate(first(record).parse(record).paths, inner) == outer


SOUND = Unpaired(chat(USER), [REPLY], False, {"id": 7})
TWO = Unpaired(chat(USER, functions=[]), [REPLY, REPLY], True, {"label": 7, "prompt": 1})
ASKED = Reinforcement(
    [Message("developer", "Be kind."), USER], tools=[TOOL], extra={"answer": "4", "reference_answer": {"a": 1}}
)


@pytest.mark.parametrize(
    ("example", "name", "losses"),
    [
        *((SOUND, name, ()) for name in ("unpaired", "trl-unpaired", "llama-factory-kto")),
        (TWO, "unpaired", ()),
        (TWO, "trl-unpaired", ("input.functions", "the column 'label'", "the column 'prompt'")),
        (Unpaired(chat(USER), [REPLY, REPLY], True), "llama-factory-kto", ("what exactly input.messages says",)),
        (Stepwise("a", ["b"], [True, False], {"id": 1}), "trl-stepwise", ()),
        (ASKED, "openai-reinforcement", ()),
        (ASKED, "bedrock-reinforcement", ("the role developer of messages[0]",)),
        (ASKED, "trl-prompt", ()),
        (ASKED, "gemini-reinforcement", ("tools", "the role developer of messages[0]")),
    ],
)
def test_what_has_no_place_is_named(example: Any, name: str, losses: tuple[str, ...]) -> None:
    assert BY_NAME[name].write(example).losses == losses


def test_what_is_written() -> None:
    assert BY_NAME["trl-unpaired"].write(SOUND).record == {
        "prompt": [ASK],
        "completion": [YES],
        "label": False,
        "id": 7,
    }
    assert BY_NAME["llama-factory-kto"].write(SOUND).record == {"messages": [ASK, YES], "label": False, "id": 7}
    told = BY_NAME["bedrock-reinforcement"].write(ASKED).record
    assert told["messages"] == [SYSTEM, ASK]
    assert told["reference_answer"] == {"a": 1}
    assert list(BY_NAME["trl-prompt"].write(ASKED).record) == ["prompt", "tools", "answer", "reference_answer"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not there")
@pytest.mark.parametrize(
    ("file", "name", "rows", "lossy"),
    [
        ("kto_messages_en.json", "llama-factory-kto", 300, set()),
        ("rft_medmcq_head500.jsonl", "openai-reinforcement", 500, set()),
        (
            "rft_tools_developer_role.jsonl",
            "openai-reinforcement",
            10,
            {"bedrock-reinforcement", "gemini-reinforcement"},
        ),
    ],
)
def test_real_files_are_read_and_written(file: str, name: str, rows: int, lossy: set[str]) -> None:
    text = (SHARED / file).read_text(encoding="utf-8")
    records = json.loads(text) if file.endswith(".json") else [json.loads(line) for line in text.splitlines()]
    assert len(records) == rows
    for record in records:
        dialect = first(record)
        assert dialect.name == name
        example = read(dialect.parse(record).record, dialect.shape)
        alike = [d for d in REWARDS if d.shape == dialect.shape]
        assert {d.name for d in alike if d.write(example).losses} == lossy


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not there")
@pytest.mark.parametrize(
    "file",
    [
        "chat_gsm8k_train.jsonl",
        "classify_binary_prompt_completion.jsonl",
        "tools_openai_stock.jsonl",
        "qa_gsm8k_test.jsonl",
    ],
)
def test_real_files_of_other_shapes_are_left_to_others(file: str) -> None:
    records = [json.loads(line) for line in (SHARED / file).read_text(encoding="utf-8").splitlines()]
    assert not {d.name for record in records for d in REWARDS if d.fits(record)}
