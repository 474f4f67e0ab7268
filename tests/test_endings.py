"""Separators and stop sequences: which are deliberate, which a set uses, which are proposed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.endings import KNOWN, PROPOSED, Settled, derived, is_deliberate, propose, settle, trimmed, watched
from ftprep.mends import Field
from ftprep.textsurvey import TextSurvey

FIELDS: tuple[Field, ...] = ("prompt", "completion")
BODY = st.text(alphabet="abcde fgXY 答案.", min_size=1, max_size=20).map(lambda t: t + "z")
BODIES = st.lists(BODY, min_size=2, max_size=12, unique=True)


def survey(field: Field, texts: list[str], wanted: str | None = None) -> TextSurvey:
    """The survey of texts, watching what their head suggests."""
    seen = TextSurvey(watched(field, wanted, texts), PROPOSED[field], 100)
    seen.see(list(range(len(texts))), texts)
    return seen


def settled(field: Field, texts: list[str], wanted: str | None = None) -> Settled:
    return settle(survey(field, texts, wanted), field, wanted)


@pytest.mark.parametrize(
    ("tail", "field", "ending"),
    [
        (" prime ->", "prompt", " ->"),
        ("!\nSupported:", "prompt", "\nSupported:"),
        ("\nAgent:", "prompt", "\nAgent:"),
        ("\n\n###\n\n", "prompt", "\n\n###\n\n"),
        ("xx###", "prompt", "###"),
        ("is it? =>", "prompt", " =>"),
        ("Sentiment:", "prompt", "Sentiment:"),
        ("?", "prompt", ""),
        ("he said.", "prompt", ""),
        (" Lima", "prompt", ""),
        ('"}', "prompt", ""),
        (" END", "completion", " END"),
        ("ing END", "completion", " END"),
        ("a\n", "completion", "\n"),
        ("</s>", "completion", "</s>"),
        ("tive", "completion", ""),
        (" spam", "completion", ""),
        (".", "completion", ""),
        ("!!", "completion", ""),
        ("']", "completion", ""),
        ('"}', "completion", ""),
        ("\n}", "completion", ""),
        ("\n```", "completion", ""),
        ("</p>", "completion", ""),
        ("\n  }\n);", "completion", ""),
        ("", "prompt", ""),
    ],
)
def test_trimming_leaves_the_deliberate_part(tail: str, field: Field, ending: str) -> None:
    assert trimmed(tail, field) == ending


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_known_or_proposed_is_deliberate(field: Field) -> None:
    assert set(PROPOSED[field]) <= set(KNOWN[field])
    assert all(is_deliberate(ending, field) for ending in KNOWN[field])


@pytest.mark.parametrize(
    ("texts", "field", "ending"),
    [
        (["a ->", "b ->", "c"], "prompt", " ->"),
        (["a ->", "b", "c"], "prompt", ""),
        (["a ->"], "prompt", ""),
        (["a ->", "a ->", "a ->"], "prompt", ""),
        ([" C++"] * 9 + [" Go"], "completion", ""),
        ([" C++ END", " Go END"], "completion", " END"),
        (["", "  "], "completion", ""),
        ([" positive", " negative"], "completion", ""),
    ],
)
def test_deriving_counts_each_text_once(texts: list[str], field: Field, ending: str) -> None:
    assert derived(texts, field) == ending


@given(bodies=BODIES, field=st.sampled_from(FIELDS), data=st.data())
def test_a_known_ending_of_all_texts_is_found(bodies: list[str], field: Field, data: st.DataObject) -> None:
    ending = data.draw(st.sampled_from(KNOWN[field]))
    found = settled(field, [body + ending for body in bodies])
    assert found.standing == "all"
    assert found.ending.strip() == ending.strip()
    assert found.state is not None
    assert found.state.count == len(bodies)
    assert all((body + ending).endswith(found.ending) for body in bodies)


@given(bodies=BODIES, field=st.sampled_from(FIELDS), wanted=st.sampled_from(["|~|", " §", "\n!!\n"]), data=st.data())
def test_the_recipe_s_ending_is_counted_exactly(
    bodies: list[str], field: Field, wanted: str, data: st.DataObject
) -> None:
    marked = data.draw(st.lists(st.booleans(), min_size=len(bodies), max_size=len(bodies)))
    texts = [body + wanted * mark for body, mark in zip(bodies, marked, strict=True)]
    found = settled(field, texts, wanted)
    count = sum(marked)
    assert (found.ending, found.named) == (wanted, True)
    assert found.state is not None
    assert found.state.count == count
    assert [number for number, _ in found.state.lacking.items] == [i for i, mark in enumerate(marked) if not mark]
    assert found.standing == ("all" if count == len(texts) else "most" if 2 * count >= len(texts) else "none")


@pytest.mark.parametrize(
    ("texts", "field", "ending", "standing"),
    [
        (["a ->", "b ->", "c ->"], "prompt", " ->", "all"),
        (["a ->", "b ->", "c"], "prompt", " ->", "most"),
        (["a ->", "b", "c"], "prompt", "", "none"),
        (["a ->"], "prompt", " ->", "all"),
        (["a"], "prompt", "", "none"),
        ([" a\n", " b\n"], "completion", "\n", "all"),
        ([" a\n", " b"], "completion", "", "none"),
        ([" a\nb\n", " c\nd\n"], "completion", "", "none"),
        (["a\nb\n", "c\n"], "prompt", "", "none"),
        (["a\n\n\n", "c\n\n\n"], "prompt", "\n\n", "all"),
        ([" a.", " b."], "completion", "", "none"),
    ],
)
def test_what_a_set_uses(texts: list[str], field: Field, ending: str, standing: str) -> None:
    found = settled(field, texts)
    assert (found.standing, found.ending.strip("\n") or "\n" * bool(found.ending)) == (
        standing,
        ending.strip("\n") or "\n" * bool(ending),
    )


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["Is it far?", "Where is it?"], "?"),
        (["say Lima", "write Lima"], " Lima"),
        (["a1", "b2"], ""),
        (["singing", "ringing"], ""),
        (["a prime!", "the prime!"], " prime!"),
        (["say it so.", "say it no."], "."),
    ],
)
def test_a_shared_tail_that_is_no_separator_is_weak(texts: list[str], mark: str) -> None:
    found = settled("prompt", texts)
    assert found.standing == "none"
    assert found.weak_mark == mark


@given(texts=st.lists(st.text(alphabet="a b->#=\n*+&.END", max_size=30), max_size=8), field=st.sampled_from(FIELDS))
def test_a_proposal_occurs_in_no_text_unless_all_do(texts: list[str], field: Field) -> None:
    filled = [t for t in texts if t.strip()]
    proposal = propose(survey(field, texts), field)
    assert proposal in PROPOSED[field]
    if proposal != PROPOSED[field][-1]:
        assert not any(proposal in text for text in filled)
    for passed_over in PROPOSED[field][: PROPOSED[field].index(proposal)]:
        with_lines = passed_over == " ->" and any("\n" in text for text in filled)
        assert with_lines or any(passed_over in text for text in filled)


def test_few_texts_with_an_ending_are_not_watched() -> None:
    texts = [f"text {i}" for i in range(9)] + ["text ###"]
    assert watched("prompt", None, texts) == ()
    assert watched("prompt", "|||", texts) == ("|||",)
    assert "###" in watched("prompt", None, [*texts, *(f"{i} ###" for i in range(3))])
