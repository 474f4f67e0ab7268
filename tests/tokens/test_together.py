"""Texts that are encoded as one count as they do alone, whatever stands at their ends."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.bulk import Joined, Texts
from ftprep.tokens import encoding, engines, fast
from ftprep.tokens.together import Together

# What patterns treat in a way of its own, at the ends of texts above all: there each is counted as if it were alone.
ENDS = [
    *" \t\n\r\v\f\x1c\x85\xa0\u3000\u2028'’/.,907",
    "'s",
    "'LL",
    "é",
    "\u0301",
    "答",
    "Ab",
    "a",
    "😀",
    "\1",
    "\v907",
]
TEXTS = st.lists(st.lists(st.sampled_from(ENDS), max_size=6).map("".join), max_size=8)
KINDS = [
    pytest.param(engine, name, marks=pytest.mark.skipif(not engines.is_installed(engine), reason="not installed"))
    for engine in ("fastokens", "gigatoken")
    for name in ("cl100k_base", "o200k_base", "r50k_base")
]


@cache
def _made(engine: str, name: str) -> engines.Encoder:
    engines._loaded.pop(name, None)
    return engines.load(name, engine)


def _alone(name: str, texts: list[str]) -> list[int]:
    return [len(encoding(name).encode_ordinary(text)) for text in texts]


@pytest.mark.parametrize(("engine", "name"), KINDS)
@settings(deadline=None, max_examples=300)
@given(texts=TEXTS)
def test_texts_count_as_they_do_alone(engine: str, name: str, texts: list[str]) -> None:
    assert _made(engine, name).count(texts) == (_alone(name, texts), 0)


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
@given(texts=TEXTS)
def test_tiktoken_parts_them_as_well(name: str, texts: list[str]) -> None:
    """So it is a law of the patterns, and not of an engine."""
    plain = encoding(name)

    def encode(text: str) -> Any:
        return np.array(plain.encode_ordinary(text))

    together = Together(plain.name.removesuffix("_base"), encode)
    counted = together.count(
        Texts(texts), lambda part, between: encode(between.join(part.texts)), lambda some: _alone(name, some)
    )
    assert counted == _alone(name, texts)


@pytest.mark.parametrize("vocabulary", ["cl100k", "o200k"])
def test_ordinary_texts_are_not_counted_one_by_one(vocabulary: str) -> None:
    plain = encoding(f"{vocabulary}_base")
    texts = [*(text for text in ENDS if "\v" not in text), "Some words.\n\n", "  ", "", "42", "\n", "答案。", "\1"]
    together = Together(vocabulary, lambda text: np.array(plain.encode_ordinary(text)))
    asked = list[str]()

    def encode(part: Joined, between: str) -> Any:
        asked.append(between.join(part.texts))
        return np.array(plain.encode_ordinary(asked[-1]))

    def refuse(texts: list[str]) -> list[int]:
        raise AssertionError(texts)

    assert together.count(Texts(texts), encode, refuse) == _alone(plain.name, texts)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "texts",
    [[], ["a"], ["a" * 16_000, "b" * 16_000], ["ab " * 100] * 500, ["", "c" * 15_999, "", "", "d" * 12_000, "e"]],
    ids=lambda texts: str(len(texts)),
)
def test_what_is_encoded_as_one_stays_below_the_size_that_is_spread_over_threads(texts: list[str]) -> None:
    parts = list(fast._documents("\v907".join(texts), "\v907"))
    assert "".join(parts) == "\v907".join(texts)
    assert max(map(len, parts)) <= fast.SAFE + 4 <= (1 << 16) // 4
    assert all(part.endswith("\v907") for part in parts[:-1])
