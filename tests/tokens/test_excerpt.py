"""A part of an encoding encodes what it was made for as the whole does, grows, and gives way to the whole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.tokens import ENCODING_NAMES, Counter, compact, encoding, excerpt
from ftprep.tokens.excerpt import MOST_BYTES, Excerpt

WORDS = ["the", " of", "ing", "\n\n", "    ", "你好", "é", "😀", "\ud800", "123"]
SAID = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.text("aehilnorst \n.,'", max_size=60),
        st.lists(st.sampled_from(["the", " of", "ing", "\n\n", "    ", "你好", "é", "😀", "\ud800", "123"])).map(
            "".join
        ),
    ),
    max_size=6,
)


@pytest.fixture(autouse=True)
def _nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a fresh process; an excerpt would leave the work to an encoding that is there already."""
    monkeypatch.setattr(excerpt, "LOADED", set())


def _ids(made: tiktoken.Encoding, texts: Sequence[str]) -> list[list[int]]:
    return [made.encode_ordinary(text) for text in texts]


@pytest.mark.parametrize("name", ENCODING_NAMES)
def test_it_encodes_as_the_whole_does(name: str, texts: list[str]) -> None:
    texts = [text for text in texts if len(text.encode("utf-8", "replace")) < MOST_BYTES // len(texts)]
    assert len(texts) > 20
    part = Excerpt(name).covering(texts)
    assert part is not encoding(name)
    assert _ids(part, texts) == _ids(encoding(name), texts)


@pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])
@settings(deadline=None, max_examples=30)
@given(first=SAID, second=SAID)
def test_it_encodes_any_text_as_the_whole_does(name: str, first: list[str], second: list[str]) -> None:
    grown = Excerpt(name)
    assert _ids(grown.covering(first), first) == _ids(encoding(name), first)
    assert _ids(grown.covering(second), [*first, *second]) == _ids(encoding(name), [*first, *second])


@pytest.mark.parametrize("vocabulary", compact.ORIGINALS)
def test_every_token_of_a_vocabulary_is_found_where_it_is_said(vocabulary: str) -> None:
    ranks = compact.load_ranks(vocabulary)
    blob = compact.read(vocabulary)
    for token in sorted(ranks)[::1999]:
        found = dict(excerpt._possible(blob, None, excerpt._runs_of([b"\0" + token + b"\0"])))
        assert found[token] == ranks[token]
        assert found.items() <= ranks.items()
        assert len(found) < 2000


def test_it_is_built_again_only_for_what_is_new() -> None:
    grown = Excerpt("r50k_base")
    first = grown.covering(["The cat sat on the mat."])
    assert grown.covering(["cat", "the mat", ""]) is first
    assert grown.covering(["system", "user", "assistant", "tool"]) is first
    second = grown.covering(["A dog did not."])
    assert second not in (first, encoding("r50k_base"))
    assert grown.covering(["The cat sat"]) is second


def test_the_whole_takes_over_where_there_is_much_to_count() -> None:
    whole = encoding("r50k_base")
    assert Excerpt("r50k_base").covering(["a" * (MOST_BYTES + 1)]) is whole
    assert Excerpt("r50k_base").covering(["é" * (MOST_BYTES // 2 + 1)]) is whole
    by_size, by_news = Excerpt("r50k_base"), Excerpt("r50k_base")
    assert [by_size.covering(["a" * 65_000]) is whole for _ in range(4)] == [False, False, False, True]
    assert [by_news.covering([word]) is whole for word in ("one", "two", "nine", "four")] == [False, False, False, True]


def test_the_whole_is_taken_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoding("r50k_base")
    monkeypatch.setattr(excerpt, "LOADED", {"r50k_base"})
    assert Excerpt("r50k_base").covering(["one"]) is whole


def test_threads_may_share_it() -> None:
    grown = Excerpt("r50k_base")
    texts = [f"{word} {i}" for i in range(40) for word in ("alpha", "beta", "gamma", "delta")]
    with ThreadPoolExecutor(4) as pool:
        counted = list(pool.map(lambda text: len(grown.covering([text]).encode_ordinary(text)), texts))
    assert counted == [len(ids) for ids in _ids(encoding("r50k_base"), texts)]


def test_a_counter_that_expects_little_loads_no_whole_encoding(tmp_path: Path) -> None:
    program = (
        "import json\nfrom ftprep.tokens import Counter\nfrom ftprep.tokens.encodings import LOADED\n"
        "few, many = Counter('o200k_base', expected=500), Counter('cl100k_base', expected=10**6)\n"
        "print(json.dumps([few.count(['hello world']), few.pieces('hello world'), many.count(['hello world']),"
        " sorted(LOADED)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert json.loads(done.stdout) == [[2], ["hello", " world"], [2], ["cl100k_base"]]


def test_counts_are_those_of_a_whole_encoding(texts: list[str]) -> None:
    assert Counter("o200k_base").count(texts) == [len(ids) for ids in _ids(encoding("o200k_base"), texts)]
