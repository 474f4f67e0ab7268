"""Summaries of a set: right by a slow count, and the same however the set is cut and merged."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_sets import dataset_of

import ftprep as ft
from ftprep import keys
from ftprep.batch import Batch
from ftprep.model import Chat, Chunk, Message, Pair, Row
from ftprep.setting import Setting
from ftprep.surveys import (
    LONGEST_LABEL,
    MOST_LABELS,
    AnswerSurvey,
    LengthSurvey,
    Surveys,
    TextSample,
    ordinal,
)


@given(st.lists(st.sampled_from(["a", " b", "", " ", "x" * LONGEST_LABEL, "x" * (LONGEST_LABEL + 1)]), max_size=12))
def test_answers_are_counted_as_long_as_they_can_be_labels(answers: list[str]) -> None:
    found, other = AnswerSurvey(), AnswerSurvey()
    found.see(answers[::2])
    other.see(answers[1::2])
    found.merge(other)
    filled = [a for a in answers if a.strip()]
    assert found.labels == Counter(a for a in filled if len(a) <= LONGEST_LABEL)
    assert (found.answers, found.long) == (len(filled), sum(len(a) > LONGEST_LABEL for a in filled))


@pytest.mark.parametrize("count", [MOST_LABELS, MOST_LABELS + 1])
def test_too_many_different_answers_are_no_labels(count: int) -> None:
    answers = [f"a{i}" for i in range(count)]
    at_once, in_parts = AnswerSurvey(), AnswerSurvey()
    at_once.see(answers)
    for i in range(0, count, 700):
        part = AnswerSurvey()
        part.see(answers[i : i + 700])
        in_parts.merge(part)
    assert at_once.labels == in_parts.labels
    assert (at_once.labels is None) is (count > MOST_LABELS)


@given(lengths=st.lists(st.integers(0, 50), max_size=20), share=st.floats(0.01, 1))
def test_percentiles(lengths: list[int], share: float) -> None:
    found = LengthSurvey()
    found.lengths.update(lengths)
    assert found.total == sum(lengths)
    wanted = next((v for v in sorted(lengths) if sum(x <= v for x in lengths) >= share * len(lengths)), 0)
    assert found.percentile(share) == wanted


@given(
    items=st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.integers(0, 99)), max_size=20, unique=True),
    size=st.integers(0, 6),
    data=st.data(),
)
def test_a_sample_is_the_same_in_any_order(items: list[tuple[bytes, int]], size: int, data: st.DataObject) -> None:
    entries = [(mark, number, f"p{number}", "c") for mark, number in items]
    one, other = TextSample(size), TextSample(size)
    one.see(entries)
    for entry in data.draw(st.permutations(entries)):
        part = TextSample(size)
        part.see([entry])
        other.merge(part)
    assert one.items == other.items == sorted(entries)[:size]


@given(chunk=st.integers(0, 1 << 20), index=st.integers(0, 0xFFFFF), line=st.integers(0, 1 << 25))
def test_an_ordinal_sorts_by_chunk_and_index_whatever_the_line(chunk: int, index: int, line: int) -> None:
    row = Row(index, 7 + line, index=index)
    number = ordinal(Chunk(chunk, 0, 7, b""), row)
    assert (number >> 32, number & 0xFFFFFFFF) == (chunk, index)


@pytest.mark.parametrize("line", [8, 7 + 0xFFFFF, 7 + (3 << 20)])
def test_keys_carry_the_same_ordinal(line: int) -> None:
    chunk, row = Chunk(3, 0, 7, b""), Row(5, line, example=Pair("a", "b"), index=5)
    found = Surveys(Setting())
    found.see(chunk, Batch([row]), Setting())
    entry = b"".join(found.keys._blocks)
    assert int.from_bytes(entry[24:]) == ordinal(chunk, row)


def test_a_long_shared_instruction_is_seen() -> None:
    long = "Answer in one word and be exact. " * 60
    found = dataset_of([(f"{long}{word} ->", " x END") for word in ("Peru", "Chad", "Mali")])
    assert found.surveys.prompts.starts.common == long
    (finding,) = [
        f
        for f in ft.check([{"prompt": f"{long}{w} ->", "completion": f" {w} END"} for w in ("Peru", "Chad")]).findings
        if f.code == "SEP109"
    ]
    assert f"({len(long):,} characters)" in finding.message
    assert len(finding.message) < 300


EXTRA = st.one_of(st.none(), st.dictionaries(st.sampled_from(["id", "note"]), st.integers(0, 3), max_size=2))


@given(said=st.lists(st.tuples(st.sampled_from(["a ->", "B", "", " a"]), st.text(max_size=4), EXTRA), max_size=8))
def test_each_row_has_its_keys_and_columns(said: list[tuple[str, str, dict[str, int] | None]]) -> None:
    setting = Setting(prompt_endings=(" ->",), sample_size=3)
    talk = Chat([Message("user", "a"), Message("assistant", "b")], extra={"id": 1})
    examples: list[Pair | Chat] = [*(Pair(p, c, e) for p, c, e in said), talk]
    found = Surveys(setting)
    chunk = Chunk(2, 0, 1, b"")
    found.see(chunk, Batch([Row(i, i, example=e, index=i) for i, e in enumerate(examples)]), setting)
    wanted = {
        ordinal(chunk, Row(i, i, index=i)): keys.ask(e, keys.folded((" ->",))) + keys.answer(e) + keys.exact(e)
        for i, e in enumerate(examples)
    }
    assert found.keys.said(wanted) == wanted
    assert len(found.keys) == len(examples)
    assert found.columns == Counter(name for e in examples for name in e.extra or ())
    sampled = sorted(
        (keys.exact(e), 2 << 32 | i, e.prompt, e.completion) for i, e in enumerate(examples[:-1]) if isinstance(e, Pair)
    )
    assert found.sample.items == sampled[:3]
