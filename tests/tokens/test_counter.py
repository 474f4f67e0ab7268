"""Counter: exact by either engine, honest where it is not, and never stopped by a text."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.errors import MissingExtra, UsageError
from ftprep.tokens import ENCODING_NAMES, Counter, Engine, counter, encoding, engines, longtext

FAST: list[Any] = [
    pytest.param(name, marks=pytest.mark.skipif(not engines.is_installed(name), reason=f"{name} is not installed"))
    for name in engines.PAYS_AFTER
]
ENGINES: list[Any] = ["tiktoken", *FAST]


@pytest.fixture
def only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One fast engine, as if there were no other."""
    monkeypatch.setattr(engines, "is_installed", lambda name: name == request.param)
    monkeypatch.setattr(engines, "_loaded", {})
    return str(request.param)


each_alone = pytest.mark.parametrize("only", FAST, indirect=True)


def _plain(name: str, texts: Sequence[str]) -> list[int]:
    return [len(encoding(name).encode_ordinary(text)) for text in texts]


@pytest.mark.parametrize("name", ENCODING_NAMES)
def test_counts_are_tiktokens(name: str, texts: list[str]) -> None:
    assert Counter(name).count(texts) == _plain(name, texts)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])
@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=5))
def test_counts_of_any_text_are_tiktokens(name: str, engine: Engine, texts: list[str]) -> None:
    counts = Counter(name, engine)
    assert counts.count(texts) == _plain(name, texts)
    assert (counts.used, counts.inexact, counts.note) == (engine, 0, "")


@pytest.mark.parametrize("engine", ENGINES)
def test_special_token_text_is_ordinary_text(engine: Engine) -> None:
    assert Counter("o200k_base", engine).count(["<|endoftext|>"]) == [7]


@pytest.mark.parametrize("engine", ENGINES)
def test_lone_surrogates_count_as_their_replacement(engine: Engine) -> None:
    counts = Counter("cl100k_base", engine)
    assert counts.count(["a\ud800b", "\ud83d\ude00"]) == _plain("cl100k_base", ["a\ufffdb", "😀"])
    assert counts.inexact == 0


def test_it_pickles_as_its_arguments() -> None:
    counts = Counter("r50k_base", "tiktoken", expected=5)
    counts.count(["something"])
    copy = pickle.loads(pickle.dumps(counts))
    assert (copy.encoding, copy.engine, copy.expected) == ("r50k_base", "tiktoken", 5)
    assert copy.count(["something else"]) == counts.count(["something else"])
    assert len(pickle.dumps(counts)) < 200


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("o300k_base",), "no encoding named 'o300k_base'", "did you mean o200k_base?"),
        (("o200k_base", "rust"), "no token engine named 'rust'", "known: auto, tiktoken, fastokens, gigatoken"),
    ],
)
def test_wrong_arguments_are_told(arguments: Any, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Counter(*arguments)
    assert hint in caught.value.hint


@pytest.mark.parametrize("engine", engines.PAYS_AFTER)
def test_asking_for_an_engine_that_is_not_there(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda _: False)
    with pytest.raises(MissingExtra, match=f"counting with {engine}"):
        Counter("o200k_base", engine)


# --- which engine counts


@each_alone
def test_auto_changes_engine_once_it_pays(only: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.PAYS_AFTER[only], "r50k_base", 1000)
    counts = Counter("r50k_base")
    used = []
    for _ in range(4):
        assert counts.count(["four hundred!"] * 30) == _plain("r50k_base", ["four hundred!"] * 30)
        used.append(counts.used)
    assert used == ["tiktoken", "tiktoken", "tiktoken", only]


@each_alone
@pytest.mark.parametrize("sample", ["", "Some words of English. ", "天地玄黄，宇宙洪荒。"])
def test_auto_need_not_wait_when_it_knows_what_is_to_come(only: str, sample: str) -> None:
    counts = Counter("r50k_base", expected=engines.PAYS_AFTER[only]["r50k_base"])
    counts.load(sample * 100)
    assert counts.used == only
    assert counts.count(["word"]) == [1]


def test_auto_stays_with_tiktoken_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda _: False)
    monkeypatch.setattr(engines, "_loaded", {})
    counts = Counter("r50k_base", expected=10**9)
    assert counts.count(["one two"]) == [2]
    assert (counts.used, counts.note) == ("tiktoken", "")


def test_auto_never_tries_an_encoding_the_fast_engine_refuses() -> None:
    counts = Counter("p50k_base", expected=10**9)
    assert counts.count(["one two"]) == [2]
    assert (counts.used, counts.note) == ("tiktoken", "")


@pytest.mark.parametrize("engine", FAST)
def test_a_fast_engine_that_cannot_be_loaded_is_noted(engine: Any) -> None:
    counts = Counter("p50k_base", engine)
    assert counts.count(["one two"]) == [2]
    assert counts.used == "tiktoken"
    assert f"{engine} could not be loaded for p50k_base" in counts.note


# --- the fast engine is held against tiktoken


class Wrong:
    """A fast engine that counts one too many for texts that hold `marker`, or fails at them."""

    engine = "fastokens"

    def __init__(self, marker: str, error: BaseException | None = None) -> None:
        self.marker = marker
        self.error = error

    def count(self, texts: Sequence[str], thrifty: bool = False) -> tuple[list[int], int]:
        del thrifty
        if self.error and any(self.marker in text for text in texts):
            raise self.error
        return [n + (self.marker in text) for n, text in zip(_plain("r50k_base", texts), texts, strict=True)], 0


def _with(engine: Wrong, monkeypatch: pytest.MonkeyPatch) -> Counter:
    monkeypatch.setattr(engines, "is_installed", lambda _: True)
    monkeypatch.setattr(engines, "load", lambda *_: engine)
    return Counter("r50k_base", "fastokens")


def test_a_difference_at_the_start_is_found_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _with(Wrong("odd"), monkeypatch)
    texts = ["even"] * 150 + ["odd"]
    assert counts.count(texts) == _plain("r50k_base", texts)
    assert (counts.used, counts.inexact) == ("tiktoken", 0)
    assert "fastokens counted 2 tokens where tiktoken counts 1" in counts.note


def test_a_difference_later_on_is_found_by_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _with(Wrong("odd"), monkeypatch)
    counts.count(["even"] * 1000)
    assert (counts.used, counts.inexact, counts.note) == ("fastokens", 0, "")
    texts = ["odd"] * 1000
    assert counts.count(texts) == _plain("r50k_base", texts)
    assert (counts.used, counts.inexact) == ("tiktoken", 1000)
    assert "1000 texts counted before may be off" in counts.note
    assert counts.count(texts) == _plain("r50k_base", texts)
    assert counts.inexact == 1000


@settings(deadline=None)
@given(st.lists(st.integers(0, 1500), min_size=1, max_size=8))
def test_the_sample_does_not_depend_on_how_texts_come(sizes: list[int]) -> None:
    """Whatever the chunks, the first texts and then every 997th are looked at."""
    counts = Counter("r50k_base")
    looked = set()
    for size in sizes:
        looked |= {counts._fast_texts + i for i in counts._sample(["x"] * size)}
        counts._fast_texts += size
    total = sum(sizes)
    assert looked == set(range(min(total, 200))) | set(range(0, total, 997))


def test_the_first_sample_is_bounded_by_characters_too() -> None:
    counts = Counter("r50k_base")
    assert list(counts._sample(["x" * 90_000] * 100)) == [0, 1, 2, 0]


class PanicException(BaseException):
    """What a panic in Rust looks like from here."""


@pytest.mark.parametrize("error", [RuntimeError("no more"), PanicException("no more")])
def test_a_fast_engine_that_fails_is_replaced(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _with(Wrong("odd", error), monkeypatch)
    assert counts.count(["even"]) == [1]
    assert counts.count(["odd"]) == [1]
    assert (counts.used, counts.inexact) == ("tiktoken", 0)
    assert "fastokens failed (no more)" in counts.note


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_a_request_to_stop_stops(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _with(Wrong("odd", error), monkeypatch)
    with pytest.raises(type(error)):
        counts.count(["odd"])


# --- texts that are hard on a tokenizer

MILLION = 1_000_000
TRAPS = {
    "blanks": (" " * (1 << 20), 8192),
    "blanks and a line end": (" " * (1 << 20) + "\n", 8193),
    "hard blanks": ("\u00a0" * MILLION + "x", 125_003),
    "line ends and blanks": ("." + "\n" * 600_000 + " " * 600_000 + "x", 42_191),
    "blanks and more": ("\n" * 3 + " " * 1_100_000 + "\t\n\n  y", 8599),
    "one word": ("a" * MILLION, 125_000),
    "dots": ("." * MILLION, 15_625),
    "one long Chinese word": ("\u4e2d" * MILLION, MILLION),
    "words": ("word " * 250_000, 250_001),
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("engine", ENGINES)
def test_traps_are_counted_exactly(engine: Engine, trap: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Each goes through in a second or so, without a panic on stderr; the numbers are from fastokens, uncut."""
    text, tokens = TRAPS[trap]
    counts = Counter("o200k_base", engine)
    assert counts.count([text]) == [tokens]
    assert (counts.inexact, counts.note, counts.used) == (0, "", engine)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("engine", ENGINES)
def test_one_word_too_long_is_estimated_and_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(longtext, "PIECE", 100_000)
    counts = Counter("o200k_base", engine)
    [short, long] = counts.count(["short", "a" * 600_000])
    assert short == 1
    assert abs(long - 75_000) < 10
    assert counts.inexact == 1


def test_a_panic_is_caught_and_the_count_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """tiktoken panics at this text when nothing looks at its length first."""
    text = " " * (1 << 20) + "x"
    expected = Counter("o200k_base").count([text])
    monkeypatch.setattr(counter, "LONG", 10 * MILLION)
    counts = Counter("o200k_base", "tiktoken")
    assert counts.count(["before", text, "after"]) == [1, *expected, 1]
    assert counts.inexact == 0
    with pytest.raises(BaseException, match="StackOverflow") as caught:
        encoding("o200k_base").encode_ordinary(text)
    assert not isinstance(caught.value, Exception)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TypeError("not a text")])
def test_other_trouble_is_not_swallowed(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def encode_ordinary(self, _: str) -> list[int]:
            raise error

    monkeypatch.setattr(Counter, "_plain", lambda *_: Broken())
    with pytest.raises(type(error)):
        Counter("o200k_base", "tiktoken").count(["x"])
    with pytest.raises(type(error)):
        Counter("o200k_base", "tiktoken").first_token("x")


# --- tokens to show


@settings(deadline=None)
@given(st.text(max_size=80))
def test_split_gives_the_bytes_back(text: str) -> None:
    counts = Counter("o200k_base")
    tokens = counts.split(text)
    assert b"".join(tokens) == text.encode()
    assert [len(tokens)] == counts.count([text])
    assert counts.first_token(text) == (tokens[0] if tokens else b"")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("positive", ["positive"]),
        (" Hello world", [" Hello", " world"]),
        ("<|endoftext|>", ["<", "|", "end", "of", "text", "|", ">"]),
        ("🦩", ["\\xf0\\x9f", "\\xa6", "\\xa9"]),
    ],
)
def test_pieces_can_be_shown(text: str, pieces: list[str]) -> None:
    assert Counter("o200k_base").pieces(text) == pieces


def test_showing_a_trap_is_safe_too() -> None:
    assert Counter("o200k_base").first_token(" " * (1 << 20)) == b" " * 128
