"""Nearly the same by a slow comparison of all with all, and the same however a set is cut, counted and merged."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep import wordruns
from ftprep.model import Chat, Message, Preference, Row, Stepwise, Unpaired
from ftprep.nearness import find_near, in_common
from ftprep.saidsurvey import A_ROW, Said, SaidSurvey, said_by
from ftprep.wordruns import Runs, words_of

WORDS = [f"w{c}{d}" for c in "abcdefghijklmnopqrst" for d in "abcdefghijklmnopqrst"]


def said(*texts: str) -> list[Said]:
    """Examples without an answer that says anything of its own."""
    return [Said(i, "", text, "so", "") for i, text in enumerate(texts)]


def mixed(seed: int, count: int) -> list[Said]:
    """Texts of 25 words, a third of them an earlier one with one or two words changed, left out or added."""
    rng, texts = random.Random(seed), list[list[str]]()
    for i in range(count):
        words = rng.choices(WORDS, k=25)
        if i % 3 == 2:  # each of these is repeated once, so that no group is taken for a template
            words = list(texts[i - rng.randrange(1, 3)])
            for _ in range(rng.randrange(3)):
                at = rng.randrange(len(words))
                words[at : at + rng.randrange(2)] = [rng.choice(WORDS)] * rng.randrange(2)
        texts.append(words)
    return said(*(" ".join(t) for t in texts))


def slow(ours: list[str], theirs: list[str]) -> int:
    row = [0] * (len(theirs) + 1)
    for a in ours:
        last = row[:]
        for j, b in enumerate(theirs):
            row[j + 1] = last[j] + 1 if a == b else max(row[j], last[j + 1])
    return row[-1]


LETTERS = st.lists(st.sampled_from("abcd"), max_size=20)


@given(ours=LETTERS, theirs=LETTERS)
def test_words_in_common_are_the_longest_common_subsequence(ours: list[str], theirs: list[str]) -> None:
    assert in_common(ours, theirs) == slow(ours, theirs)


def test_texts_that_differ_over_too_much_are_compared_at_their_ends_alone() -> None:
    assert in_common(["a", *"bc" * 5000, "d"], ["a", *"cb" * 5000, "d"]) == 2


@pytest.mark.parametrize("seed", range(6))
def test_what_is_found_is_what_comparing_all_with_all_finds(seed: int) -> None:
    rows = mixed(seed, 150)
    firsts: list[Said] = []
    wanted: dict[int, set[int]] = {}
    for row in rows:
        words = [*words_of(row.question), "so"]
        near = {
            first.number
            for first in firsts
            if slow([*words_of(first.question), "so"], words) / max(len(words), len(first.question.split()) + 1) >= 0.9
        }
        if near:
            wanted[row.number] = near
        else:
            firsts.append(row)
    found = {n.number: n.first for n in find_near(rows, 0.9)}
    assert len(wanted) > 20
    assert found.keys() == wanted.keys()
    assert all(first in wanted[number] for number, first in found.items())


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), data=st.data())
def test_neither_order_nor_the_way_of_counting_matters(seed: int, data: st.DataObject) -> None:
    rows = mixed(seed, 60)
    found = find_near(rows, 0.9)
    assert find_near(data.draw(st.permutations(rows)), 0.9) == found
    few, many = Runs(rows, 0.9).rarest(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wordruns, "PAYS_AFTER", 0)
        many = Runs(rows, 0.9).rarest()
        assert find_near(rows, 0.9) == found
    assert {p: sorted(r) for p, r in few.items()} == {p: sorted(r) for p, r in many.items()}


@pytest.mark.parametrize("after", [0, 10**9])
@pytest.mark.parametrize("rows", [[], said(""), said("", ""), said("a"), said("\udc80 \0", "\udc80 \0")])
def test_next_to_nothing_crashes_nothing(rows: list[Said], after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordruns, "PAYS_AFTER", after)
    assert all(near.share == 1 for near in find_near(rows, 0.9))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t stop, he said: NOW!", ["don't", "stop", "he", "said", "now"]),
        ("naïve don't", ["naïve", "don't"]),
        ("中文，好。 ok", ["中", "文", "好", "ok"]),
        ("की का", ["की", "का"]),
        ("good 😀", ["good", "😀"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


SAID = st.builds(Said, st.integers(0, 9**9), st.text(max_size=3), st.text(max_size=9), st.text(max_size=9), st.just(""))


@given(parts=st.lists(st.lists(SAID, max_size=3), max_size=5), most=st.integers(0, 6), rng=st.randoms())
def test_texts_are_kept_whole_or_not_at_all_in_any_order(
    parts: list[list[Said]], most: int, rng: random.Random
) -> None:
    rows = [row for part in parts for row in part]
    at_once, total = SaidSurvey(most), SaidSurvey(most)
    at_once.see(rows)
    surveys = []
    for part in parts:
        surveys.append(SaidSurvey(most))
        surveys[-1].see(part)
    rng.shuffle(surveys)
    for survey in surveys:
        total.merge(survey)
    assert total.over is at_once.over is (not most or len(rows) > most)
    assert sorted(total.rows) == sorted(at_once.rows) == ([] if total.over else sorted(rows))


@pytest.mark.parametrize("size", [A_ROW * 2, A_ROW * 2 + 1])
def test_long_texts_are_too_much_however_few(size: int) -> None:
    survey = SaidSurvey(2)
    survey.see([Said(0, "", "x" * (size - 1), "y", "")])
    assert survey.over is (size > A_ROW * 2)


def talk(*texts: str) -> list[Message]:
    return [Message(role, text) for role, text in zip(("system", "user", "assistant"), texts, strict=False)]  # type: ignore[arg-type]


def test_what_examples_say() -> None:
    asked, good, bad = Chat(talk("s", "q")), [Message("assistant", "a")], [Message("assistant", "b")]

    def of(example: Chat | Preference | Unpaired | Stepwise) -> tuple[str, ...]:
        found = said_by(7, Row(0, 1, example=example, speech=example.speech()))
        assert found is not None
        assert found.number == 7
        return found[1:]

    assert of(Chat(talk("s", "q", "a"))) == ("s", "q", "a", "")
    assert of(Preference(asked, good, bad)) == ("s", "q", "", "")
    assert of(Unpaired(asked, good, True)) != of(Unpaired(asked, good, False))
    assert of(Stepwise("q", ["a"], [True])) != of(Stepwise("q", ["a"], [False]))
    assert of(Chat(talk("s", "q", "a"), tools=[{"type": "function"}]))[:3] == ("s", "q", "a")
    assert said_by(1, Row(0, 1)) is None


def shares(rows: Iterable[Said], few: int = 20) -> list[tuple[int, int, float]]:
    return [(n.number, n.first, round(n.share, 2)) for n in find_near(rows, 0.9, few)]


def test_members_are_held_to_the_first_and_do_not_drift() -> None:
    words = [f"w{chr(97 + i)}" for i in range(20)]
    steps = [" ".join(f"{w}x" if i < k else w for i, w in enumerate(words)) for k in range(5)]
    others = [row._replace(number=row.number + 100) for row in mixed(1, 60) if row.number % 3 != 2]
    rows = [Said(i, "", text, "so", "") for i, text in enumerate(steps)]
    assert shares([*rows, *others]) == [(1, 0, 0.95), (2, 0, 0.9), (4, 3, 0.95)]
