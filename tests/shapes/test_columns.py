"""Matching of columns: spelling, preference, and what is asked where nothing is known."""

from __future__ import annotations

import pytest

from ftprep.errors import RecipeError
from ftprep.shapes.columns import (
    COMPLETIONS,
    LABELS,
    METADATA,
    PROMPTS,
    TEXTS,
    TITLES,
    find_known,
    find_named,
    normalise,
)


@pytest.mark.parametrize("name", ["prompt", "Prompt", " PROMPT ", "\ufeffprompt", "pro_mpt", "pro-mpt", "\tprompt"])
def test_spelling_does_not_matter(name: str) -> None:
    assert find_known([name], PROMPTS) == (name,)


def test_the_preferred_name_comes_first_and_the_exact_spelling_before_others() -> None:
    assert find_known(["query", "Prompt", "prompt", "question"], PROMPTS) == ("prompt", "Prompt", "question", "query")
    assert find_known(["answer", " Completion "], COMPLETIONS) == (" Completion ", "answer")
    assert find_known(["id", "when"], PROMPTS) == ()


def test_no_name_means_two_things() -> None:
    prompts, completions = {normalise(n) for n in PROMPTS}, {normalise(n) for n in COMPLETIONS}
    assert not prompts & completions
    assert completions >= LABELS
    assert not {normalise(n) for n in TITLES} & completions
    assert not METADATA & {normalise(n) for n in TEXTS}
    assert len(prompts) == len(PROMPTS)
    assert len(completions) == len(COMPLETIONS)


@pytest.mark.parametrize(
    ("asked", "found"), [("Question", "Question"), ("question", "Question"), ("an swer", "an_swer")]
)
def test_a_named_column_is_found(asked: str, found: str) -> None:
    assert find_named(["Question", "an_swer"], asked) == found


def test_a_named_column_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="no column is called 'qestion'") as caught:
        find_named(["question", "answer"], "qestion")
    assert caught.value.hint == "did you mean 'question'?"
    with pytest.raises(RecipeError) as caught:
        find_named(["question", "answer"], "xyz")
    assert caught.value.hint == "columns there are: 'question', 'answer'"
    with pytest.raises(RecipeError, match="more than one column is called 'A b'"):
        find_named(["a_b", "a-b"], "A b")


def test_a_name_is_taken_as_it_is_where_no_column_is_known_yet() -> None:
    assert find_named([], "anything") == "anything"
