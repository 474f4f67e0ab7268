"""Rules on dialects: each sees its fault in the record as the file has it, and none says anything of other records."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.model import Fault
from ftprep.rule import CODE, RecordRule, Sample
from ftprep.rules import fmt_dialects

RULES: list[RecordRule] = [rule() for rule in fmt_dialects.RULES if issubclass(rule, RecordRule)]
TURNS = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]
MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]


def faults_of(record: dict[Any, Any]) -> list[Fault]:
    """What all these rules say of a record."""
    return [fault for rule in RULES for fault in rule.check(record)]


def codes_of(sample: Sample) -> set[str]:
    """The codes that a sample of a card gives."""
    text = sample.text if isinstance(sample.text, str) else sample.text.decode()
    return {fault.code for line in text.splitlines() for fault in faults_of(json.loads(line))}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.card.name)
def test_the_samples_of_a_card_show_its_fault_and_nothing_else(rule: RecordRule) -> None:
    assert codes_of(rule.card.bad) == {rule.card.code}
    assert codes_of(rule.card.good) == set()
    assert rule.of_original
    assert CODE.match(rule.card.code)
    assert rule.card.finds.endswith(".")
    assert rule.card.why.endswith(".")
    assert pickle.loads(pickle.dumps(rule)) == rule


@pytest.mark.parametrize(
    ("record", "code", "pointer", "said"),
    [
        (
            {"conversations": [*TURNS, {"from": "function_call", "value": '{"name": "f"}'}]},
            "FMT160",
            "/conversations/2/value",
            "conversations[2]: the function_call has no arguments",
        ),
        (
            {"dialog": [{"from": "function_call"}, *TURNS]},
            "FMT160",
            "/dialog/0",
            "dialog[0]: the function_call is null, not an object with name and arguments",
        ),
        (
            {"messages": [*MESSAGES, {"role": "tool_call", "content": '[{"name": "f", "arguments": {}}, 5]'}]},
            "FMT160",
            "/messages/2/content",
            "messages[2]: the tool_call is a number, not an object with name and arguments",
        ),
        (
            {"conversations": [{"from": "function_call", "value": "[]"}]},
            "FMT160",
            "/conversations/0/value",
            "conversations[0]: the function_call is an empty list",
        ),
        ({"query": "Hi", "history": 5}, "FMT161", "/history", "history is a number, not a list of pairs"),
        ({"instruction": "Hi", "history": "none"}, "FMT161", "/history", "history is text, not a list of pairs"),
        (
            {"instruction": "Hi", "history": [["a", "b"], ["a", None]]},
            "FMT161",
            "/history/1",
            "history[1] is not a pair of texts",
        ),
        ({"instruction": "Hi", "history": '[["a"]]'}, "FMT161", "/history", "history[0] is not a pair of texts"),
        (
            {"conversations": [{"from": "human", "value": "<image><image>"}, TURNS[1]], "image": "a.png"},
            "FMT162",
            "/image",
            "1 in image, but 2 times <image> in the texts",
        ),
        ({"messages": MESSAGES, "images": ["a.png"]}, "FMT162", "/images", "1 in images, but 0 times <image>"),
        ({"messages": MESSAGES, "images": [{"bytes": 1}]}, "FMT162", "/images", "images holds something else"),
        (
            {"instruction": "<image>?", "input": "", "output": "Ann.", "history": [], "images": []},
            "FMT162",
            "/images",
            "0 in images, but 1 times <image>",
        ),
        ({"conversations": str(TURNS)}, "FMT163", "/conversations", "'conversations' is text that Python printed"),
        (
            {"conversations": [*TURNS, {"from": "observation", "value": "4"}, TURNS[0], TURNS[1]]},
            "FMT164",
            "/conversations/3",
            "conversations[3]: human directly after observation",
        ),
    ],
)
def test_a_fault_is_named_where_it_is(record: dict[str, Any], code: str, pointer: str, said: str) -> None:
    (fault,) = faults_of(record)
    assert (fault.code, fault.pointer) == (code, pointer)
    assert fault.message.startswith(said)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"messages": MESSAGES, "images": None, "history": "old"},
        {"messages": MESSAGES, "system": "Hi", "tools": "[]"},
        {"conversations": TURNS, "id": 1, "images": []},
        {"prompt": "[1] See below.", "completion": "[done]"},
        {"instruction": "Hi", "output": "Hello.", "history": None, "images": ["a.png"], "rejected_response": "x"},
        {"instruction": "Hi", "output": "Hello.", "history": '[["a", "b"]]'},
        {"input": {"messages": MESSAGES}, "preferred_output": [], "non_preferred_output": [], "images": 5},
        {"prompt": "Hi", "completion": "[{'a': 1}]\n"},
    ],
)
def test_nothing_is_said_of_other_records(record: dict[str, Any]) -> None:
    assert faults_of(record) == []


KEYS = st.sampled_from(
    ["messages", "conversations", "from", "value", "role", "content", "history", "instruction", "images", "image"]
)
WORDS = st.sampled_from(["function_call", "tool_call", "human", "observation", "<image>", "[", "[[1]]", "[{'a': 1}]"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | WORDS | st.text(max_size=3),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS | st.integers(), VALUES, max_size=5))
def test_whatever_a_record_holds_no_rule_fails(record: dict[Any, Any]) -> None:
    for fault in faults_of(record):
        json.dumps(fault.message)
        assert fault.code.startswith("FMT16")
