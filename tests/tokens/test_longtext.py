"""Cutting long texts changes no token, and what tiktoken cannot take is counted all the same."""

from __future__ import annotations

from itertools import accumulate, chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.tokens import encoding, longtext
from ftprep.tokens.encodings import SPECS

NAMES = ["r50k_base", "cl100k_base", "o200k_base"]  # the three patterns

# Letters of all cases and scripts, contractions, digits, marks, blanks and what may be glued to a word or a line end.
CHARACTERS = "abstZЯя中文한ªʰǅ’ \n\r\t.,:;!?()、。，/-_1²\u0301\u00a0\u3000\x1c<|>😀"
PARTS = [*CHARACTERS, "'s", "'ll", "'T", " don't", "  ", "\n\n"]
ODD = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)
ANY = st.text(max_size=60) | ODD


def _ids(parts: list[list[int]]) -> list[int]:
    return list(chain.from_iterable(parts))


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(text=ODD, size=st.integers(1, 9))
def test_segments_have_the_tokens_of_the_whole(name: str, text: str, size: int) -> None:
    made = encoding(name)
    segments = list(longtext.segments(text, size))
    assert "".join(segments) == text
    assert _ids([made.encode_ordinary(segment) for segment in segments]) == made.encode_ordinary(text)
    ends = {match.end() for match in longtext._splitter(SPECS[name].pattern).finditer(text)}
    assert set(accumulate(map(len, segments))) <= ends | {len(text)}  # not inside a piece, even where no token crosses


def test_segments_are_about_as_long_as_asked() -> None:
    text = "The cat sat on the mat. " * 500
    lengths = [len(segment) for segment in longtext.segments(text, 100)]
    assert max(lengths) < 110
    assert min(lengths[:-1]) >= 100


def test_a_text_without_a_place_to_cut_stays_whole() -> None:
    assert list(longtext.segments("1 " * 500, 10)) == ["1 " * 500]
    assert list(longtext.segments("", 10)) == [""]


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(text=ANY)
def test_piece_by_piece_gives_tiktokens_tokens(name: str, text: str) -> None:
    made = encoding(name)
    parts = list(longtext.encode_pieces(made, text))
    assert _ids([ids for ids, _ in parts]) == made.encode_ordinary(text)
    assert all(exact for _, exact in parts)


@pytest.mark.parametrize("name", NAMES)
def test_piece_by_piece_knows_every_character_as_tiktoken_does(name: str) -> None:
    """The `regex` module has its own tables of letters and blanks; on the first 65,536 characters they agree."""
    made = encoding(name)
    for start in range(0, 0x10000, 64):
        block = [chr(code) for code in range(start, start + 64) if not 0xD800 <= code < 0xE000]
        text = "".join(f"a{c}B{c} {c}1{c}.\n{c}\n{c}  {c}'{c} '{c}a|" for c in block)
        assert _ids([ids for ids, _ in longtext.encode_pieces(made, text)]) == made.encode_ordinary(text), hex(start)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_tiktoken_panics_at_is_exact(name: str) -> None:
    """In a run of 2**20 + 1 blanks before a word, all but the last are one piece, made of the longest blank token."""
    made = encoding(name)
    run = 1 << 20
    parts = list(longtext.encode_long(made, " " * (run + 1) + "x"))
    assert all(exact for _, exact in parts)
    ids = _ids([ids for ids, _ in parts])
    longest = next(size for size in (128, 64, 32, 16, 8, 4, 2, 1) if len(made.encode_ordinary(" " * size)) == 1)
    assert ids == made.encode_ordinary(" " * longest) * (run // longest) + made.encode_ordinary(" x")


@pytest.mark.parametrize("text", ["a" * 5000, "\u4e00" * 2000, " " * 5000 + "x", "=" * 5000])
def test_a_piece_too_long_to_merge_is_estimated_and_marked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = encoding("o200k_base")
    monkeypatch.setattr(longtext, "PIECE", 1001)
    parts = list(longtext.encode_pieces(made, text))
    assert not all(exact for _, exact in parts)
    whole = made.encode_ordinary(text)
    assert len(whole) <= sum(len(ids) for ids, _ in parts) <= len(whole) + 8 * len(parts)
    assert made.decode_bytes(_ids([ids for ids, _ in parts])) == text.encode()


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec=None) | st.sampled_from("\ud83d\ude00\udfff"), max_size=20))
def test_surrogates_are_repaired_as_tiktoken_does(text: str) -> None:
    made = encoding("r50k_base")
    assert made.decode(made.encode_ordinary(text)) == longtext.repaired(text)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [("plain é😀", "plain é😀"), ("a\ud800b", "a\ufffdb"), ("\ud83d\ude00", "😀"), ("\ude00\ud83d", "\ufffd\ufffd")],
)
def test_what_repairing_does(text: str, repaired: str) -> None:
    assert longtext.repaired(text) == repaired
