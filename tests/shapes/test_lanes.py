"""The fast lane reads what the ordinary way reads, and nothing else: same examples, same faults, same keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftprep import keys, plan
from ftprep.bulk import count_quotes
from ftprep.engine import Look
from ftprep.finish import finish
from ftprep.model import Chat, Row, Turn
from ftprep.pipeline import Run, run_plan
from ftprep.plan import make_plan
from ftprep.recipe import Recipe
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.completion import PairShape
from ftprep.shapes.lanes import lane_of
from ftprep.shapes.template import Template

TEXT = st.sampled_from(
    ["", " ", "Lima", 'a "quoted" word', "back\\slash", '\\"', "é\u2028", "<|im_end|>", "\0", "a  b"]
)
ROLE = st.sampled_from(["system", "developer", "user", "assistant", "tool", "Assistant"])
MESSAGE = st.fixed_dictionaries(
    {"role": ROLE, "content": st.one_of(TEXT, TEXT, st.none())},
    optional={"name": st.sampled_from(["Ann", "no good", None]), "weight": st.sampled_from([0, 1, None])},
)
PLAIN = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT})
CHAT = st.one_of(st.lists(PLAIN, max_size=4), st.lists(MESSAGE, max_size=4)).map(lambda m: {"messages": m})
PAIR = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT}, optional={"id": st.integers(0, 3)})
RAW = st.sampled_from(
    [
        b"",
        b"  ",
        b"{",
        b'\xef\xbb\xbf{"messages": [{"role": "user", "content": "x"}]}',
        b'{"messages": [{"role": "user", "role": "user", "content": "x"}]}',
        b'{"messages": [{"role": "user", "content": "\\u0022"}], "messages": []}',
        b'{"messages": [{"role": "assistant", "content": "\\u0022 \\ud83d\\ude00"}]}',
        b'{"messages": [{"role": "assistant", "content": "\\ud800"}]}',
        b'{"messages": [{"role": "assistant", "content": "x"}]} trailing',
        b'{"messages": [{"role": "assistant", "content": "\xff"}]}',
        b' {"completion": "b", "prompt": "a"} ',
        b'{"prompt": "a", "prompt": "b", "completion": "c"}',
        b'{"prompt": "a", "completion": "c"}\r',
    ]
)


def lines_of(records: st.SearchStrategy[Any]) -> st.SearchStrategy[list[bytes]]:
    written = st.builds(lambda r, a: json.dumps(r, ensure_ascii=a).encode(), records, st.booleans())
    return st.lists(st.one_of(written, written, RAW), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.one_of(lines_of(CHAT), lines_of(PAIR)))
def test_the_lane_changes_nothing_but_the_time(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    fast = finish(run_plan(ready := make_plan(path, Recipe()), Run()), ready).report.to_json()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "lane_of", lambda _: None)
        slow = finish(run_plan(ready := make_plan(path, Recipe()), Run()), ready).report.to_json()
    assert fast == slow


def rows_of(tmp_path: Path, text: str) -> list[Row]:
    path = tmp_path / "set.jsonl"
    path.write_text(text, encoding="utf-8")
    ready = make_plan(path, Recipe())
    return [row for chunk in ready.chunks() for row in Look(ready).examples(chunk)]


def test_sound_lines_take_the_lane_and_no_others(tmp_path: Path) -> None:
    plain = '{"messages": [{"role": "user", "content": "a \\"b\\""}, {"role": "assistant", "content": "c"}]}\n'
    named = plain.replace('"user",', '"user", "name": "Ann",')
    rows = rows_of(tmp_path, plain + named + plain)
    chats = [row.example for row in rows if isinstance(row.example, Chat)]
    assert [isinstance(chat.messages[0], Turn) for chat in chats] == [True, False, True]
    assert [row.record is None for row in rows] == [True, False, True]


def test_a_key_twice_sends_the_chunk_the_ordinary_way(tmp_path: Path) -> None:
    good = '{"prompt": "a ->", "completion": " b"}\n'
    rows = rows_of(tmp_path, good + '{"prompt": "x", "prompt": "y", "completion": "z"}\n' + good)
    assert [f.code for f in rows[1].faults] == ["IO105"]
    assert [row.example is None for row in rows] == [False, True, False]


@given(turns=st.lists(PLAIN, min_size=1, max_size=5))
def test_turns_and_messages_say_the_same(turns: list[dict[str, str]]) -> None:
    lane = lane_of(ChatShape())
    assert lane
    fast, slow = Row(0, 1), Row(0, 1, {"messages": turns})
    assert lane.enter([fast], [lane.decode(line := json.dumps({"messages": turns}).encode())]) == count_quotes(line)
    assert ChatShape().read(slow)
    assert isinstance(fast.example, Chat)
    assert isinstance(slow.example, Chat)
    assert fast.speech == slow.example.speech() == fast.example.speech()
    for key in (keys.ask, keys.answer, keys.exact):
        assert key(fast.example) == key(slow.example)
    assert fast.example.answer == slow.example.answer
    assert [(m.text, m.is_trained, list(m.spoken())) for m in fast.example.messages] == [
        (m.text, m.is_trained, list(m.spoken())) for m in slow.example.messages
    ]
    assert ChatShape().write(fast.example) == ChatShape().write(slow.example)


def test_what_has_no_lane() -> None:
    assert lane_of(None) is None
    assert lane_of(PairShape(prompt=Template(()))) is None
