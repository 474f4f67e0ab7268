"""TOK106: every stretch that is long enough is found, wherever it stands, and no other."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.batch import Batch
from ftprep.model import Chat, Message, Pair, Row
from ftprep.rules.tok_runs import LONGEST, MANY, ONE, RepeatedRun, runs
from ftprep.setting import Setting

WORDS = " ".join(f"word {i} of a text that goes on" for i in range(400))
UNIT = st.text(alphabet="ab c.", min_size=1, max_size=LONGEST).filter(lambda u: (u + u).find(u, 1) == len(u))


@given(UNIT, st.integers(0, 2000), st.integers(0, 500), st.integers(1, 30))
def test_every_long_stretch_is_found(unit: str, before: int, after: int, more: int) -> None:
    least = ONE if len(unit) == 1 else MANY
    text = f"{WORDS[:before]}#{unit * (least + more)}#{WORDS[:after]}"
    (run,) = runs(text)
    assert run.times == least + more
    assert sorted(run.unit) == sorted(unit)
    assert text[run.start : run.start + run.times * len(unit)] == run.unit * run.times


@given(UNIT, st.integers(0, 2000))
def test_no_shorter_one_is(unit: str, before: int) -> None:
    least = ONE if len(unit) == 1 else MANY
    assert list(runs(f"{WORDS[:before]}#{unit * least}#{WORDS}")) == []


def test_a_text_may_have_several() -> None:
    text = "x" * 1500 + WORDS + "-=" * 250 + WORDS
    assert [(r.unit, r.times) for r in runs(text)] == [("x", 1500), ("-=", 250)]


def test_plain_text_has_none_and_rows_are_passed_over() -> None:
    rule = RepeatedRun()
    rows = [
        Row(0, 1, example=Pair("a ->", WORDS)),
        Row(1, 2, example=Pair("a ->", " " + "ha" * 300)),
        Row(2, 3, example=Chat([Message("user", "Hi"), Message("assistant", "!" * 1001)])),
        Row(3, 4, example=Chat([Message("user", WORDS), Message("assistant", "No.")])),
    ]
    suspects = rule.suspects(Batch(rows))
    assert [row.line for row in suspects] == [2, 3]
    (laugh,) = rule.check(rows[1], Setting())
    assert laugh.pointer == "/completion"
    assert laugh.message == "'ha' stands 300 times in a row, from character 2 on"
    (shout,) = rule.check(rows[2], Setting())
    assert shout.pointer == "/messages/1/content"
    assert "'!' stands 1,001 times" in shout.message
    assert rule.suspects(Batch(rows[:1])) == []


@pytest.mark.parametrize("unit", ["a", "ab", "\n", "0 ", "😀", "a" * 19 + "b"])
def test_a_million_characters_take_no_time(unit: str) -> None:
    start = time.process_time()
    (run,) = runs(unit * (1_000_000 // len(unit)))
    assert run.times * len(unit) > 999_900
    assert time.process_time() - start < 10
