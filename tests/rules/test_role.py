"""ROLE rules: who speaks in which order, and the talks that nothing is wrong with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import ftprep as ft
from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.model import Chat, Chunk, Pair, Place, Row
from ftprep.rule import DatasetRule, RowRule, Rule, Sample
from ftprep.rules.role import RULES, NoAssistant, SystemVaries
from ftprep.setting import Setting
from ftprep.shapes.chat import ChatShape
from ftprep.surveys import Surveys

SETTING = Setting(shapes=frozenset({"chat"}))
ROW_RULES = tuple(r() for r in RULES if issubclass(r, RowRule))
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}


def rows_of(records: list[dict[str, Any]]) -> list[Row]:
    rows = [Row(n, n + 1, record) for n, record in enumerate(records)]
    assert all(ChatShape().read(row) for row in rows)
    return rows


def talk(words: str) -> dict[str, Any]:
    """A conversation in short: the first letter of each role, c for a call, 0 for a reply with the weight 0; `-` is
    empty, `_` blank."""
    roles = {
        "s": "system",
        "d": "developer",
        "u": "user",
        "a": "assistant",
        "t": "tool",
        "c": "assistant",
        "0": "assistant",
    }
    messages = []
    for word in words.split():
        content = {"": "Hi.", "-": "", "_": " \n"}[word[1:]]
        message: dict[str, Any] = {"role": roles[word[0]], "content": content}
        if word[0] == "c":
            message = {"role": "assistant", "tool_calls": [CALL]}
        elif word[0] == "t":
            message["tool_call_id"] = "call_1"
        elif word[0] == "0":
            message["weight"] = 0
        messages.append(message)
    return {"messages": messages}


def found_in(record: dict[str, Any]) -> list[tuple[str, str]]:
    (row,) = rows_of([record])
    return [(f.code[4:], f.pointer.removeprefix("/messages")) for r in ROW_RULES for f in r.check(row, SETTING)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("u a", []),
        ("s u a", []),
        ("d u a u a", []),
        ("s u c t a", []),
        ("u c t t a", []),
        ("s u c", []),
        ("u 0 u a", []),
        ("u c t- a", []),
        ("u", [("101", "")]),
        ("s u", [("101", "")]),
        ("s", [("101", ""), ("102", "")]),
        ("s a", [("102", "")]),
        ("a", [("102", "")]),
        ("u a u", [("103", "/2")]),
        ("u c t", [("103", "/2")]),
        ("a u a", [("104", "/0")]),
        ("s a u a", [("104", "/1")]),
        ("u u a", [("105", "/1")]),
        ("u a a a", [("105", "/2"), ("105", "/3")]),
        ("u s a", [("106", "/1")]),
        ("s u a d", [("103", "/3"), ("106", "/3"), ("107", "/3")]),
        ("s d u a", [("107", "/1")]),
        ("s s s u a", [("107", "/1")]),
        ("u a-", [("109", "/1/content")]),
        ("u a_", [("110", "/1/content")]),
        ("u_ a", [("110", "/0/content")]),
        ("u- a", [("111", "/0/content")]),
        ("s- u a", [("111", "/0/content")]),
        ("u 0- u a", [("111", "/1/content")]),
    ],
)
def test_what_is_found_in_a_talk(words: str, found: list[tuple[str, str]]) -> None:
    assert found_in(talk(words)) == found


def test_content_in_parts_is_empty_only_where_no_part_says_anything() -> None:
    text, picture = (
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    )
    reply = {"role": "assistant", "content": "A cat."}
    assert found_in({"messages": [{"role": "user", "content": [text, picture]}, reply]}) == []
    assert found_in({"messages": [{"role": "user", "content": [text]}, reply]}) == [("111", "/0/content")]
    assert found_in({"messages": [{"role": "user", "content": [{"type": "text", "text": " "}, picture]}, reply]}) == []


def test_a_refusal_or_a_call_is_an_answer() -> None:
    ask = {"role": "user", "content": "Hi."}
    assert found_in({"messages": [ask, {"role": "assistant", "refusal": "No."}]}) == []
    assert found_in({"messages": [ask, {"role": "assistant", "content": "", "tool_calls": [CALL]}]}) == []


def test_pairs_are_of_no_concern() -> None:
    row = Row(0, 1)
    row.example = Pair("", "")
    assert not [f for r in ROW_RULES for f in r.check(row, SETTING)]


def judge(records: list[dict[str, Any]]) -> list[str]:
    surveys = Surveys(SETTING)
    surveys.see(Chunk(0, 0, 1, b""), Batch(rows_of(records)), SETTING)
    dataset = Dataset(surveys, SETTING, lambda number: Place("talks.jsonl", number))
    return [j.message for j in SystemVaries().judge(dataset)]


def with_system(text: str) -> dict[str, Any]:
    record = talk("s u a")
    record["messages"][0]["content"] = text
    return record


def test_system_messages_that_vary_are_told() -> None:
    assert judge([]) == []
    assert judge([talk("u a")] * 3) == []
    assert judge([with_system("A")] * 3) == []
    assert judge([with_system("A")] * 2 + [with_system("B")]) == [
        "2 system messages in 3 conversations; the commonest stands in 2"
    ]
    assert judge([with_system("A"), talk("u a")]) == ["1 system message in 2 conversations; 1 have none"]
    (many,) = judge([with_system(str(n)) for n in range(2001)])
    assert many == "too many different system messages to count in 2,001 conversations"


def look(sample: Sample) -> Iterator[str]:
    assert isinstance(sample.text, str)
    records = [json.loads(line) for line in sample.text.splitlines()]
    for row in rows_of(records):
        yield from (f.code for r in ROW_RULES for f in r.check(row, SETTING))
    if judge(records):
        yield "ROLE108"


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.card.name)
def test_the_samples_of_a_card_show_its_fault(rule: type[Rule]) -> None:
    assert rule.card.code in set(look(rule.card.bad))
    assert {c for c in look(rule.card.good) if c != "ROLE108"} == set()
    if issubclass(rule, DatasetRule):
        assert not list(look(rule.card.good))


def test_codes_stand_once_and_the_cookbook_finds_its_name_again() -> None:
    codes = [r.card.code for r in RULES]
    assert codes == sorted(set(codes))
    assert len(codes) == 11
    assert NoAssistant.card.aliases == ("example_missing_assistant_message",)


def test_a_talk_survives_being_made_in_memory() -> None:
    row = Row(0, 1)
    row.example = msgspec.convert(talk("u a"), Chat)
    assert not [f for r in ROW_RULES for f in r.check(row, SETTING)]


def test_the_talk_of_a_preference_is_held_to_the_same_order(tmp_path: Path) -> None:
    ask, reply = {"role": "user", "content": "Capital of Mali?"}, {"role": "assistant", "content": "Bamako."}
    worse = [{"role": "assistant", "content": "Timbuktu."}]
    late = {"role": "system", "content": "Answer with one word."}
    row = {
        "input": {"messages": [reply, ask, late, ask]},
        "preferred_output": [reply],
        "non_preferred_output": worse,
    }
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    found = {(f.code, f.json_pointer, f.message.partition(":")[0]) for f in ft.check(path).findings}
    assert {
        ("ROLE104", "/input/messages/0", "input.messages[0]"),
        ("ROLE106", "/input/messages/2", "input.messages[2]"),
    } <= found
    assert not {code for code, _, _ in found} & {"ROLE101", "ROLE103", "ROLE105"}
