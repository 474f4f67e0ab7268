"""Decoding: probabilities of answers and of tokens agree, and what a request asks for is kept."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.sandbox.decoding import Token, Wish, write

TOKENS = st.lists(st.sampled_from([b"a", b"b", b" c", b"\xe2\x82", b"\xac", b" END"]), max_size=5).map(tuple)
ANSWERS = st.lists(st.tuples(TOKENS, st.floats(0.01, 1.0)), min_size=1, max_size=6, unique_by=lambda each: each[0])


def sure(*tokens: bytes) -> list[tuple[tuple[bytes, ...], float]]:
    return [(tokens, 1.0)]


@given(answers=ANSWERS, seed=st.integers(0, 99))
def test_the_tokens_of_an_answer_multiply_to_its_probability(
    answers: list[tuple[tuple[bytes, ...], float]], seed: int
) -> None:
    total = sum(p for _, p in answers)
    said = write(answers, Wish(), random.Random(seed))
    tokens = tuple(each.data for each in said.tokens)
    assert said.whole
    assert tokens in [each for each, _ in answers]
    # Ending is a choice too, so the tokens alone are at least as likely as the answer.
    begun = sum(p for each, p in answers if each[: len(tokens)] == tokens) / total
    assert math.exp(sum(each.logprob for each in said.tokens)) == pytest.approx(begun, rel=1e-6)


@given(answers=ANSWERS, most=st.integers(1, 4))
def test_never_more_tokens_than_asked_for(answers: list[tuple[tuple[bytes, ...], float]], most: int) -> None:
    said = write(answers, Wish(max_tokens=most, temperature=0), random.Random(0))
    assert len(said.tokens) <= most
    assert said.finish == ("stop" if said.whole else "length")


@given(answers=ANSWERS)
def test_at_temperature_0_the_answer_is_always_the_same(answers: list[tuple[tuple[bytes, ...], float]]) -> None:
    said = {write(answers, Wish(temperature=0), random.Random(seed)).text for seed in range(5)}
    assert len(said) == 1


@given(answers=ANSWERS, top=st.integers(1, 5))
def test_the_likeliest_tokens_come_first_and_are_probabilities(
    answers: list[tuple[tuple[bytes, ...], float]], top: int
) -> None:
    for token in write(answers, Wish(temperature=0, top=top), random.Random(0)).tokens:
        logs = [log for _, log in token.top]
        assert logs == sorted(logs, reverse=True)
        assert len(logs) <= top
        assert sum(map(math.exp, logs)) <= 1 + 1e-9
        assert token.logprob <= 0


@pytest.mark.parametrize(
    ("stop", "text", "count"),
    [((" END",), "yes", 1), (("s",), "ye", 0), (("nowhere",), "yes END of", 3), (("of", "END"), "yes ", 1)],
)
def test_nothing_is_left_of_a_stop_sequence_or_what_follows(stop: tuple[str, ...], text: str, count: int) -> None:
    said = write(sure(b"yes", b" END", b" of"), Wish(stop=stop, temperature=0), random.Random(0))
    assert (said.text, len(said.tokens), said.finish) == (text, count, "stop")


def test_an_answer_that_fits_exactly_is_whole() -> None:
    said = write(sure(b"a", b"b"), Wish(max_tokens=2), random.Random(0))
    assert (said.text, said.finish, said.whole) == ("ab", "stop", True)


def test_a_bias_turns_the_choice_round() -> None:
    answers = [((b"yes",), 0.9), ((b"no",), 0.1)]
    assert write(answers, Wish(temperature=0), random.Random(0)).text == "yes"
    assert write(answers, Wish(temperature=0, bias={b"yes": -100.0}), random.Random(0)).text == "no"


def test_drawing_follows_the_probabilities() -> None:
    answers, rng = [((b"yes",), 0.8), ((b"no",), 0.2)], random.Random(3)
    said = [write(answers, Wish(), rng).text for _ in range(2000)]
    assert said.count("yes") / 2000 == pytest.approx(0.8, abs=0.04)
    assert {write(answers, Wish(top_p=0.5), rng).text for _ in range(50)} == {"yes"}


def test_half_a_character_shows_as_one_that_cannot_be_read() -> None:
    said = write(sure(b"\xe2\x82", b"\xac"), Wish(max_tokens=1), random.Random(0))
    assert said.text == "\ufffd"
    assert said.tokens == (Token(b"\xe2\x82", 0.0),)
