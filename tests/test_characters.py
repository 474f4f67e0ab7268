"""Sets of characters: whatever a pattern of a set finds is told, and what no text has costs no search."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep import characters
from ftprep.characters import ALL, MISREAD, NEW, ODD, SETS, TAME, WHITE, WILD, kinds_in

PATTERNS = {kind: re.compile(f"[{found}]") for kind, found in SETS.items()} | {WILD: re.compile(f"[^{TAME}]")}


def test_there_is_a_pattern_for_each() -> None:
    assert sum(PATTERNS) == ALL


@pytest.mark.parametrize("kind", PATTERNS)
def test_each_character_of_a_set_is_told(kind: int) -> None:
    every = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    missed = [hex(ord(c)) for c in PATTERNS[kind].findall(every) if not kinds_in(np, c) & kind]
    assert missed == []


def test_characters_of_no_set_are_not_told() -> None:
    """Exactly so up to U+FFFF; beyond, a character may be taken for its neighbours."""
    for code in (*range(0xD800), *range(0xE000, 0x10000)):
        assert kinds_in(np, chr(code)) == sum(kind for kind, pattern in PATTERNS.items() if pattern.match(chr(code)))
    assert {kinds_in(np, c) for c in ("", "a", "\n", "答案，。「」", "“quoted” — 50 €", "😀🎉🥸", "한국어", "𠀀")} == {
        0
    }


@given(st.text(max_size=8))
def test_texts_have_the_sets_of_their_characters(text: str) -> None:
    wanted = sum(kind for kind, pattern in PATTERNS.items() if pattern.search(text))
    assert wanted & kinds_in(np, text) == wanted


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800", "😀\ud83d"])
def test_surrogates_that_are_no_pair_are_told(text: str) -> None:
    assert kinds_in(np, text) & NEW


def test_white_space_is_what_str_knows() -> None:
    beyond = [chr(code) for code in range(0x80, sys.maxunicode + 1) if chr(code).isspace()]
    assert re.findall(f"[{SETS[WHITE]}]", "".join(map(chr, range(sys.maxunicode + 1)))) == beyond
    assert all(kinds_in(np, c) & WHITE and kinds_in(np, c) & WILD for c in beyond)
    assert characters.kinds_in(np, "Ã") & MISREAD
    assert characters.kinds_in(np, "\u200b") & ODD
