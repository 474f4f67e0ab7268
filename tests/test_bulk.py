"""Work on many texts at once gives what work on each would, with numpy and without."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftprep import bulk
from ftprep.bulk import (
    Joined,
    Texts,
    apart,
    count_controls,
    count_letters,
    count_lines,
    count_quotes,
    find,
    holds,
    long_words,
    plain_of,
    squeeze,
)


@pytest.fixture(params=[0, 1 << 60], ids=["numpy", "plain"], scope="module", autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways of counting and squeezing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "PAYS_AFTER", request.param)
        patch.setattr(bulk, "_seen", 0)
        yield


@given(st.lists(st.sampled_from([b" ", b"  ", b"a", b"\0", b"\n", b"\xe7\xad\x94"]), max_size=30).map(b"".join))
@example(b"")
@example(b" ")
@example(b"    ")
def test_runs_of_blanks_become_one(data: bytes) -> None:
    wanted = data
    while b"  " in wanted:
        wanted = wanted.replace(b"  ", b" ")
    assert squeeze(data) == wanted


@given(st.text(max_size=60))
@example("@AZ[`az{")
def test_letters_are_counted(text: str) -> None:
    plain = [c for c in text if c.isascii()]
    wanted = sum(map(str.isupper, plain)), sum(map(str.islower, plain))
    assert count_letters(text.encode("utf-8", "surrogatepass")) == wanted


@given(
    text=st.text(alphabet="#\n ->aé答", max_size=60),
    needle=st.text(alphabet="#\n ->aé答\u2028", min_size=1, max_size=7),
)
@example("-> ->", "->")
@example("> ->", " ->")
def test_a_needle_is_found_where_it_stands(text: str, needle: str) -> None:
    assert holds(text, needle) is (needle in text)
    assert holds(text * 40 + needle, needle)


@pytest.mark.parametrize("needle", ["\n\n###\n\n", " ->", "###", "##", "\n", " END", "答案"])
@pytest.mark.parametrize("between", ["#", "-", ">", "x", "\n# ", "->", "#\n\n##\n\n", "E N D", "答", "案"])
def test_a_needle_is_found_among_many_that_are_nearly_it(needle: str, between: str) -> None:
    text = (between + "x") * 5000
    assert holds(text, needle) is (needle in text)
    assert holds(text + needle, needle)


@given(st.lists(st.text(alphabet="aé答", max_size=5), max_size=8))
def test_texts_are_joined_by_their_width(texts: list[str]) -> None:
    plain, other = (part.text for part in apart(texts, plain_of(texts)))
    assert plain == "\1".join(t for t in texts if t.isascii())
    assert other == "\1".join(t for t in texts if not t.isascii())


@pytest.mark.parametrize("some", [["a", "b"], ["a", "é"], ["é"], []], ids=str)
def test_texts_are_let_go_of_without_a_search_for_circles(some: list[str]) -> None:
    texts = Texts(some)
    parts = texts.parts
    assert [part.said for part in parts] == ["\1".join(part.texts).encode() for part in parts]
    there = weakref.ref(parts[0])
    gc.disable()
    try:
        del texts, parts
        assert there() is None
    finally:
        gc.enable()


def test_numpy_waits_until_there_is_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PAYS_AFTER", 10)
    monkeypatch.setattr(bulk, "_seen", 0)
    assert [bulk.numpy_for(4) is None for _ in range(5)] == [True, True, True, False, False]


@given(st.lists(st.sampled_from([b'"', b"\\", b"a", b"\n", b'\\"', b"\\\\"]), max_size=30).map(b"".join))
def test_quotation_marks_of_texts_are_counted(data: bytes) -> None:
    wanted, is_escaped = 0, False
    for byte in data:
        wanted += byte == 34 and not is_escaped
        is_escaped = byte == 92 and not is_escaped
    assert count_quotes(data) == wanted


@given(st.text(alphabet="\n\r a答", max_size=40))
def test_line_feeds_are_counted(text: str) -> None:
    assert count_lines(text.encode()) == text.count("\n")


@given(st.text(alphabet="\0\1\t\n\r\x1f\x7f \x80éa答", max_size=40))
def test_control_characters_are_counted(text: str) -> None:
    assert count_controls(text.encode()) == sum((ord(c) < 32 and c not in "\t\n\r") or c == "\x7f" for c in text)


WORDY = st.lists(
    st.sampled_from(["a", "Z9", "_", "-" * 5, "b" * 11, "c" * 20, " ", "/", "é", "答" * 9, "\1"]), max_size=40
)


@given(WORDY.map("".join))
@example("a" * 20)
@example(" " * 7 + "a" * 20)
@example("a" * 19)
def test_long_words_are_found(text: str) -> None:
    data = text.encode()
    places = list(long_words(data))
    for word in re.finditer(rb"[A-Za-z0-9_-]{20,}", data):
        assert any(word.start() <= place < word.end() for place in places)
    # Characters between "9" and "a" that are no letters pass for some.
    assert all(re.match(rb"[0-9A-Za-z_:-@\[-`{-\x7f-]", data[place : place + 1]) for place in places)


def _which(texts: list[str], place: int) -> int:
    """In which of the texts, joined by one byte, a byte stands."""
    for which, text in enumerate(texts):
        if place <= len(text.encode()):
            return which
        place -= len(text.encode()) + 1
    raise AssertionError(place)


PIECE = st.sampled_from(["", "a", "ab", "é", "a\1b", "答案", "x@y", "@", "0", "@a@a", " ", "\n ", " a", "\u3000"])


@given(st.lists(st.tuples(PIECE, st.booleans()), max_size=12))
def test_texts_together_tell_which_of_them_has_a_mark(pieces: list[tuple[str, bool]]) -> None:
    texts, chosen = [text for text, _ in pieces], [is_chosen for _, is_chosen in pieces]
    whole = Joined(texts, bytes(chosen))
    for pattern in (re.compile("@(?<=a@)a"), re.compile("[a答]"), re.compile("é"), re.compile("@|x")):
        wanted = {n for n, (text, is_chosen) in enumerate(pieces) if is_chosen and pattern.search(text)}
        assert whole.matching(pattern) == wanted
        assert (find(pattern, whole.text) >= 0) == bool(wanted)
    among = [text for text, is_chosen in pieces if is_chosen]
    assert whole.has_blank is any(not text or text.isspace() for text in among)
    assert sorted(whole.of_size(2)) == sorted(text for text in among if len(text) >= 2)
    said = whole.said
    places = [place for place, byte in enumerate(said) if byte not in b"\1"]
    for some in (places, places[:1], places[-1:], places[::-3], []):
        wanted = {whole.numbers[_which(whole.texts, place)] for place in some}
        assert whole.at_bytes(some) == wanted
    assert whole.holding(b"0") == {n for n, (text, is_chosen) in enumerate(pieces) if is_chosen and "0" in text}
    assert whole.holding("答".encode()) == {
        n for n, (text, is_chosen) in enumerate(pieces) if is_chosen and "答" in text
    }


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [("a", "a"), ("a(?:b|c)", "a"), (r"\|(?<=<\|)", "|"), (r"a[|)]", "a"), (r"a\|b", "a"), ("a((b|c)|d)", "a")]
    + [(p, "") for p in ("a|b", "a?b", "a*", "a{0,2}", r"\d", "[a]b", "(a)", r"\n", "", "^a", "(?i:a)", ".")],
)
def test_what_a_pattern_begins_with(pattern: str, begins: str) -> None:
    assert bulk._first(re.compile(pattern)) == begins
    assert bulk._first(re.compile(pattern, re.IGNORECASE)) == ""
