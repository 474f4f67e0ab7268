"""One field over the whole set: right by a slow count, and the same however the set is cut and merged."""

from __future__ import annotations

import random
from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.textsurvey import CASED, END, START, Edge, Ending, Marks, TextSurvey, count_cases

ENDINGS = (" ->", "\n", " END", "\n\n###\n\n")
TEXT = st.text(alphabet="aB é答\n->END# ", max_size=24)
TEXTS = st.lists(TEXT, max_size=24)


def survey(texts: list[str], first: int = 0, kept: int = 100) -> TextSurvey:
    seen = TextSurvey(ENDINGS, ("###", " ->"), kept)
    seen.see(list(range(first, first + len(texts))), texts)
    return seen


def shared(texts: list[str]) -> str:
    """The beginning that all texts share, letter by letter."""
    return "".join(same[0] for same in takewhile(lambda c: len(set(c)) == 1, zip(*texts, strict=False)))


def state(one: TextSurvey) -> object:
    """All that a survey says, comparable."""
    endings = {e: (s.count, s.lacking, s.inside) for e, s in one.endings.items()}
    edges = (one.starts.common, one.ends.common)
    return one.texts, one.blank, one.has_newline, one.upper, one.lower, edges, endings, one.occurring


@given(texts=TEXTS)
def test_counts_are_those_of_a_slow_count(texts: list[str]) -> None:
    found = survey(texts)
    filled = [(i, t) for i, t in enumerate(texts) if t.strip()]
    assert found.texts == len(filled)
    assert [i for i, _ in found.blank.items] == [i for i, t in enumerate(texts) if not t.strip()]
    assert found.has_newline is any("\n" in t for _, t in filled)
    assert found.starts.common == shared([t[:START] for _, t in filled])
    assert found.ends.common == shared([t[::-1][:END] for _, t in filled])
    assert found.upper == sum(sum(map(str.isupper, t[:CASED])) for _, t in filled)
    assert found.lower == sum(sum(map(str.islower, t[:CASED])) for _, t in filled)
    assert found.occurring == {e: any(e in t for _, t in filled) for e in ("###", " ->")}
    for ending, seen in found.endings.items():
        assert seen.count == sum(t.endswith(ending) for _, t in filled)
        assert [i for i, _ in seen.lacking.items] == [i for i, t in filled if not t.endswith(ending)]
        assert [i for i, _ in seen.inside.items] == [i for i, t in filled if stands_inside(t, ending)]


def stands_inside(text: str, ending: str) -> bool:
    """Whether an ending stands in a text elsewhere than at its end; line ends at the end count as the end."""
    if ending.isspace() and text.endswith(ending):
        return ending in text.rstrip()
    return ending in (text.removesuffix(ending) + "\0" if not text.endswith(ending) else text[:-1])


@given(
    texts=TEXTS,
    cuts=st.lists(st.integers(0, 24), max_size=5),
    order=st.randoms(use_true_random=False),
    kept=st.integers(0, 4),
)
def test_a_survey_is_the_same_however_it_is_cut_and_merged(
    texts: list[str], cuts: list[int], order: random.Random, kept: int
) -> None:
    bounds = [0, *sorted(min(c, len(texts)) for c in cuts), len(texts)]
    parts = [survey(texts[a:b], a, kept) for a, b in pairwise(bounds)]
    order.shuffle(parts)
    total = survey([], 0, kept)
    for part in parts:
        total.merge(part)
    assert state(total) == state(survey(texts, 0, kept))


@given(st.lists(st.text(max_size=12), max_size=10))
def test_an_edge_is_what_all_texts_share(texts: list[str]) -> None:
    edge = Edge()
    for text in texts:
        edge.see([text])
    assert edge.common == shared(texts)


@given(numbers=st.lists(st.integers(0, 99), unique=True, max_size=30), kept=st.integers(0, 5), data=st.data())
def test_marks_keep_the_first_and_count_all(numbers: list[int], kept: int, data: st.DataObject) -> None:
    where = [data.draw(st.integers(0, 3)) for _ in numbers]
    parts = [Marks(kept) for _ in range(4)]
    for number, part in sorted(zip(numbers, where, strict=True)):
        parts[part].add(number, str(number))
    total = Marks(kept)
    for marks in data.draw(st.permutations(parts)):
        total.merge(marks)
    assert total.count == len(numbers)
    assert total.items == [(n, str(n)) for n in sorted(numbers)[:kept]]


@given(st.lists(st.text(max_size=20), max_size=6))
def test_cases_of_all_scripts_are_counted(texts: list[str]) -> None:
    """Letters outside the scripts that have two cases (mathematical capitals, say) are none that one lower-cases."""
    upper, lower = count_cases(texts)
    letters = [c for text in texts for c in text]
    assert upper <= sum(map(str.isupper, letters))
    assert lower <= sum(map(str.islower, letters))
    changed = sum(c.lower() != c for c in letters if c.isupper() and ord(c) < 0x10000)
    assert upper >= changed - sum(ord(c) in range(0x2100, 0x2500) for c in letters)


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        ("Ab", (1, 1)),
        ("ÉÀé", (2, 1)),
        ("ЖЗж", (2, 1)),
        ("Ωω", (1, 1)),
        ("答案 12", (0, 0)),
        ("Ａａ", (1, 1)),
        ("", (0, 0)),
    ],
)
def test_cases(text: str, cases: tuple[int, int]) -> None:
    assert count_cases([text]) == cases


@given(texts=st.lists(st.text(alphabet="#\n a->", max_size=14), max_size=10), kept=st.integers(0, 12))
def test_endings_are_noted_as_one_by_one(texts: list[str], kept: int) -> None:
    """Endings that overlap themselves or touch blanks among them, with what is shown of each row."""
    endings = ("##", "#\n#", "\n\n", "\n", " ->", "\n\n###\n\n", "a a")
    found = TextSurvey(endings, (), kept)
    found.see(list(range(len(texts))), texts)
    filled = [(i, t) for i, t in enumerate(texts) if t.strip()]
    for ending in endings:
        wanted = one_by_one(ending, filled, kept)
        assert found.endings[ending] == wanted, ending


def one_by_one(ending: str, filled: list[tuple[int, str]], kept: int) -> Ending:
    """An ending's counts by the definition: a text has it at its end, and may hold it earlier on."""
    lacking, inside = Marks(kept), Marks(kept)
    for number, text in filled:
        at = text.find(ending)
        if not text.endswith(ending):
            lacking.add(number, text[-40:])
        elif at == len(text) - len(ending) or (ending.isspace() and not text[at:].strip()):
            continue
        if at >= 0:
            inside.add(number, text[max(0, at - 15) : at + len(ending) + 15])
    return Ending(lacking, inside, len(filled) - lacking.count)


@given(texts=st.lists(st.sampled_from(["Peru ->", "Peru", "?", "x ->", "a\n\n###\n\n", "END", "###"]), max_size=12))
def test_texts_that_end_in_a_known_ending_are_counted(texts: list[str]) -> None:
    known = (" ->", "\n\n###\n\n", "###")
    found = TextSurvey((), (), 10, known)
    found.see(list(range(len(texts))), texts)
    assert found.ended == sum(text.endswith(known) for text in texts)
