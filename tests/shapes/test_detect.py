"""Detection: which shape a table has, by which columns, and what is said where that cannot be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ftprep.errors import RecipeError
from ftprep.model import Pair, Row
from ftprep.recipe import Recipe, resolve
from ftprep.shapes import Detected, detect, wire_of
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.completion import PairShape

USER, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
CHAT = {"messages": [USER, REPLY]}


def of_columns(*columns: str, recipe: dict[str, Any] | None = None) -> Detected:
    return detect([dict.fromkeys(columns, "x")], resolve(recipe or {}), columns)


@pytest.mark.parametrize(
    ("columns", "prompt", "completion"),
    [
        (("prompt", "completion"), "prompt", "completion"),
        (("completion", "prompt"), "prompt", "completion"),
        ((" Prompt", "COMPLETION "), " Prompt", "COMPLETION "),
        (("\ufeffprompt", "completion"), "\ufeffprompt", "completion"),
        (("Prompt", "prompt", "completion"), "prompt", "completion"),
        (("question", "answer"), "question", "answer"),
        (("q", "a"), "q", "a"),
        (("question", "answer", "prompt", "completion"), "prompt", "completion"),
        (("text", "category"), "text", "category"),
        (("tweet", "sentiment"), "tweet", "sentiment"),
        (("sentence", "label", "id"), "sentence", "label"),
        (("utterance", "intent"), "utterance", "intent"),
        (("title", "department"), "title", "department"),
        (("department", "title", "ask", "answer"), "ask", "answer"),
        (("source", "target"), "source", "target"),
        (("input", "output"), "input", "output"),
        (("context", "question", "answer"), "question", "answer"),
        (("task_id", "prompt", "canonical_solution", "entry_point", "test"), "prompt", "canonical_solution"),
        (("问题", "答案"), "问题", "答案"),
        (("输入", "输出"), "输入", "输出"),
        (("标题", "分类"), "标题", "分类"),
        (("文本", "标签"), "文本", "标签"),
    ],
)
def test_columns_are_taken_by_their_names(columns: tuple[str, ...], prompt: str, completion: str) -> None:
    found = of_columns(*columns)
    assert isinstance(found.shape, PairShape)
    assert (found.shape.prompt.column, found.shape.completion.column) == (prompt, completion)
    assert f"prompt from column {prompt!r}, completion from column {completion!r}" in found.reason
    assert found.extra == tuple(c for c in columns if c not in (prompt, completion))
    assert all(repr(c) in found.reason for c in columns)


@pytest.mark.parametrize("answer", ["output", "response", "completion"])
def test_an_instruction_is_joined_with_its_input(answer: str) -> None:
    found = of_columns("instruction", "input", answer)
    assert isinstance(found.shape, PairShape)
    for value, prompt in (("b", "a\n\nb"), ("", "a"), ("  ", "a"), (None, "a")):
        row = Row(0, 1, {"instruction": "a", "input": value, answer: "c"})
        assert found.shape.read(row)
        assert row.example == Pair(prompt, "c")
    assert "'instruction' and 'input'" in found.reason


@pytest.mark.parametrize(
    ("columns", "text", "extra"),
    [
        (("text",), "text", ()),
        (("content",), "content", ()),
        (("completion",), "completion", ()),
        (("id", "text", "url"), "text", ("id", "url")),
    ],
)
def test_a_text_alone_is_open_ended(columns: tuple[str, ...], text: str, extra: tuple[str, ...]) -> None:
    found = of_columns(*columns)
    row = Row(0, 1, dict.fromkeys(columns, "x"))
    assert found.shape is not None
    assert found.shape.read(row)
    assert isinstance(row.example, Pair)
    assert (row.example.prompt, row.example.completion, found.extra) == ("", "x", extra)
    assert "open-ended" in found.reason


def test_open_ended_takes_the_text_beside_anything_where_the_recipe_says_so() -> None:
    assert of_columns("text", "stars").shape is None
    found = of_columns("text", "stars", recipe={"task": "open-ended"})
    assert isinstance(found.shape, PairShape)
    assert (found.shape.prompt.columns, found.shape.completion.column) == ((), "text")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("foo", "bar baz"), "--prompt-column foo --completion-column 'bar baz'"),
        (("text", "foo"), "prompt from column 'text', but no column is known as completion"),
        (("text", "foo"), "--completion-column foo"),
        (("foo", "label"), "completion from column 'label', but no column is known as prompt"),
        (("a1", "a2", "a3"), "(columns: 'a1', 'a2', 'a3'); say which: --prompt-column PROMPT"),
        (("prompt",), "--completion-column COMPLETION"),
        (("title", "foo"), "no column is known as prompt and completion"),
    ],
)
def test_nothing_is_guessed(columns: tuple[str, ...], said: str) -> None:
    found = of_columns(*columns)
    assert found.shape is None
    assert said in found.reason
    assert [f.code for f in found.faults] == ["FMT101"]


def test_a_hundred_thousand_columns_are_refused_in_one_line() -> None:
    found = of_columns(*(f"c{i}" for i in range(100_000)))
    assert found.shape is None
    assert len(found.reason) < 500


def test_columns_of_the_recipe_are_used() -> None:
    found = of_columns("foo", "bar", "prompt", recipe={"columns": {"prompt": "Foo", "completion": "bar"}})
    assert isinstance(found.shape, PairShape)
    assert (found.shape.prompt.column, found.shape.completion.column) == ("foo", "bar")
    one_of_two = of_columns("foo", "bar", recipe={"columns": {"completion": "foo"}})
    assert isinstance(one_of_two.shape, PairShape)
    assert one_of_two.shape.prompt.column == "bar"
    assert "the only other one" in one_of_two.reason


def test_templates_of_the_recipe_are_used_with_the_names_as_the_columns_spell_them() -> None:
    columns = {"prompt-template": "Item={Item}, Color={color}->", "completion": "Ad"}
    found = of_columns("item", "Color", "Ad", recipe={"columns": columns})
    row = Row(0, 1, {"item": "bag", "Color": "green", "Ad": "Nice."})
    assert found.shape is not None
    assert found.shape.read(row)
    assert row.example == Pair("Item=bag, Color=green->", "Nice.")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"prompt": "qestion"}, "no column is called 'qestion'"),
        ({"completion-template": "{answer} {note}"}, "no column is called 'note'"),
        ({"prompt": "question", "prompt-template": "{question}"}, "both prompt and prompt-template"),
        ({"prompt-template": "{question"}, "names no column"),
    ],
)
def test_a_recipe_that_does_not_fit_stops_the_run(columns: dict[str, str], said: str) -> None:
    with pytest.raises(RecipeError, match=said) as caught:
        of_columns("question", "answer", recipe={"columns": columns})
    assert caught.value.hint


@pytest.mark.parametrize(
    ("record", "dialect"),
    [
        ({"input": CHAT, "preferred_output": [REPLY], "non_preferred_output": [REPLY]}, "openai-preference"),
        ({"conversations": [{"from": "human", "value": "Hi"}]}, "sharegpt"),
        ({"messages": [{"from": "human", "value": "Hi"}]}, "sharegpt"),
        (
            {"conversations": [{"from": "human", "value": "Hi"}], "chosen": {"from": "gpt"}, "rejected": {}},
            "llama-factory-dpo",
        ),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "trl-preference"),
        ({**CHAT, "label": True}, "llama-factory-kto"),
        ({"prompt": "a", "completion": "b", "label": False}, "trl-unpaired"),
        ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": []}]}, "gemini"),
        ({"interactions": [USER, REPLY]}, "mistral"),
        ({"schemaVersion": "bedrock-conversation-2024", **CHAT}, "converse"),
        ({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}, "converse"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "value": "Hi"}]}]}, "llama-factory-parts"),
        ({"system": "Be brief.", **CHAT}, "anthropic"),
        ({"conversation": [USER, REPLY]}, "renamed-chat"),
        ({"messages": json.dumps([USER, REPLY])}, "encoded-chat"),
        ({**CHAT, "images": ["a.png"]}, "llama-factory-images"),
        ({"prompt": "a", "completions": ["b"], "labels": [True]}, "trl-stepwise"),
        ({"prompt": [USER], "completion": [REPLY]}, "trl-prompt-completion"),
        ({"instruction": "a", "output": "b", "history": [["c", "d"]]}, "alpaca"),
    ],
)
def test_every_dialect_is_known_by_sight(record: dict[str, Any], dialect: str) -> None:
    found = detect([record] * 3, Recipe())
    assert found.shape is not None
    assert found.shape.dialect == dialect
    assert not found.faults


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"messages": [{"message": "Hi"}]}, "messages without roles"),
        ({"instruction": "a", "instances": [{"input": "", "output": "b"}]}, "seed tasks"),
        ({"input_ids": [1, 2], "labels": [1, 2]}, "tokenised"),
    ],
)
def test_what_is_not_read_is_called_by_name(record: dict[str, Any], said: str) -> None:
    found = detect([record] * 3, Recipe())
    assert found.shape is None
    assert said in found.reason
    assert "no examples that can be read" in found.reason
    assert [(f.code, f.message) for f in found.faults] == [("FMT101", found.reason)]


def test_conversations_are_known_by_their_messages() -> None:
    found = detect([CHAT, {"messages": [{"content": "no role"}, REPLY]}], Recipe())
    assert isinstance(found.shape, ChatShape)
    assert found.reason == "conversations (messages with roles)"


def test_few_conversations_without_an_answer_are_still_conversations() -> None:
    found = detect([{"messages": [USER]}] * 2, Recipe())
    assert isinstance(found.shape, ChatShape)
    assert "no answer to learn from" in found.reason


@pytest.mark.parametrize("records", [[{"messages": [USER]}] * 5, [{"messages": [USER], "reference_answer": "4"}] * 2])
def test_conversations_that_all_wait_for_an_answer_are_reinforcement_data(records: list[dict[str, Any]]) -> None:
    found = detect(records, Recipe())
    assert found.shape is not None
    assert found.shape.name == "reinforcement"
    assert "wait" in found.reason or "reference_answer" in found.reason
    assert isinstance(detect(records, Recipe(shape="chat")).shape, ChatShape)
    assert detect(records[:1], Recipe(method="reinforcement")).shape == wire_of("reinforcement")


def test_a_method_settles_the_shape() -> None:
    assert detect([CHAT], Recipe(method="dpo")).shape == wire_of("preference")
    assert isinstance(detect([CHAT], Recipe(method="supervised")).shape, ChatShape)


def test_the_majority_settles_a_mixture() -> None:
    pair = {"prompt": "a", "completion": "b"}
    chats = detect([CHAT, CHAT, pair], Recipe())
    assert isinstance(chats.shape, ChatShape)
    assert "not: 1 prompt/completion" in chats.reason
    assert isinstance(detect([CHAT, pair, pair], Recipe()).shape, PairShape)
    assert isinstance(detect([CHAT, {"foo": 1}, {"foo": 2}], Recipe()).shape, ChatShape)


def test_a_rare_key_does_not_settle_the_columns() -> None:
    found = detect([{"question": "a", "answer": "b"}] * 9 + [{"prompt": "a", "completion": "b"}], Recipe())
    assert isinstance(found.shape, PairShape)
    assert found.shape.columns == ("question", "answer")


def test_the_recipe_forces_a_shape() -> None:
    assert isinstance(detect([{"prompt": "a", "completion": "b"}], Recipe(shape="chat")).shape, ChatShape)
    both = {**CHAT, "prompt": "a", "completion": "b"}
    assert isinstance(detect([both], Recipe()).shape, ChatShape)
    assert isinstance(detect([both], Recipe(shape="completion")).shape, PairShape)


def test_without_records_the_header_or_the_recipe_tells() -> None:
    assert isinstance(detect([], Recipe(), ("prompt", "completion")).shape, PairShape)
    assert detect([], Recipe()).shape is None
    named = resolve({"columns": {"prompt": "x", "completion": "y"}})
    assert isinstance(detect([], named).shape, PairShape)


def test_the_text_before_a_conversation_needs_columns_that_are_there() -> None:
    record = {**CHAT, "summary": "s"}
    assert detect([record], resolve({"turns": {"before": "Summary: {Summary}\n"}})).shape is not None
    with pytest.raises(RecipeError, match="no column is called 'sumary'"):
        detect([record], resolve({"turns": {"before": "Summary: {sumary}\n"}}))
