"""gigatoken gives tiktoken's counts, keeps its caches bounded, and is safe in forked workers."""

from __future__ import annotations

import multiprocessing
import random
import string
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep import memory
from ftprep.bulk import Joined
from ftprep.tokens import ENCODING_NAMES, encoding, engines, giga

pytestmark = pytest.mark.skipif(not engines.is_installed("gigatoken"), reason="gigatoken is not installed")

NAMES = sorted(engines.PAYS_AFTER["gigatoken"])
PATTERNS = ["cl100k_base", "o200k_base", "r50k_base"]


def _plain(name: str, texts: list[str]) -> list[int]:
    return [len(encoding(name).encode_ordinary(text)) for text in texts]


@pytest.fixture(scope="module")
def made() -> dict[str, giga.Giga]:
    return {name: giga.Giga(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_tiktokens(name: str, texts: list[str], made: dict[str, giga.Giga]) -> None:
    assert made[name].count(texts) == (_plain(name, texts), 0)


@pytest.mark.parametrize("name", PATTERNS)
@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=5))
def test_counts_of_any_text_are_tiktokens(name: str, made: dict[str, giga.Giga], texts: list[str]) -> None:
    assert made[name].count(texts) == (_plain(name, texts), 0)


@pytest.mark.parametrize("name", PATTERNS)
def test_counts_of_every_character_are_tiktokens(name: str, made: dict[str, giga.Giga]) -> None:
    """All planes with characters in them; those of Unicode 17 among them, each in a text of its own."""
    codes = [*range(0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE0200)]
    texts = [f"a{c}B {c}1{c}.\n{c}  {c}'{c}" for c in map(chr, codes)]
    for start in range(0, len(texts), 20_000):
        some = texts[start : start + 20_000]
        counts = made[name].count(some)[0]
        wrong = [hex(ord(text[1])) for text, a, b in zip(some, counts, _plain(name, some), strict=True) if a != b]
        assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "The cat sat on the mat, and it did not mind. " * 2000,
        "天地玄黄，宇宙洪荒。" * 4000,
        "0123456789 " * 4000,
        "a" * 40_000,
        "word\ud800 " * 4000,
        "new \U00010940 " * 4000,
        "The cat sat on the mat, and it did not mind. " * 20_000,
    ],
    ids=["english", "chinese", "digits", "one word", "surrogates", "new characters", "very long"],
)
@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_long_texts_count_the_same(name: str, text: str, made: dict[str, giga.Giga]) -> None:
    texts = ["short", text, "", "new \U00010940", "short", "same"]
    assert made[name].count(texts) == (_plain(name, texts), 0)


@pytest.mark.parametrize("text", ["a", " ", "\n", "1", "中", "😀", "x-.", "\u0301", "\u00a0"])
def test_runs_of_one_character_take_no_more_than_a_moment(text: str, made: dict[str, giga.Giga]) -> None:
    started = time.process_time()
    made["o200k_base"].count([text * (1_000_000 // len(text))])
    assert time.process_time() - started < 10


def test_each_odd_character_is_found() -> None:
    """4,699 new ones, and surrogates."""
    odd = [c for c in map(chr, range(0x34000)) if giga._ODD.match(c)]
    assert len(odd) == 4699 + 2048
    assert [c for c in odd if not giga._is_odd(Joined(["plain", f"é{c}"], b"\1\1"))] == []


@pytest.mark.parametrize("name", sorted(set(ENCODING_NAMES) - set(NAMES)))
def test_an_encoding_with_a_hole_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match="ranks must be dense"):
        giga.Giga(name)


def test_what_the_caches_hold_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that never repeat fill them: 40 MB of text would take 200 MB."""
    monkeypatch.setattr(giga, "MOST_CACHE", 32 << 20)
    rng = random.Random(1)
    counter = giga.Giga("r50k_base")
    counter.count(["some"])
    most, loaded = 0, counter._start
    loads = list[int]()

    def load() -> None:
        loads.append(1)
        giga.Giga._load(counter)

    monkeypatch.setattr(counter, "_load", load)
    for _ in range(40):
        text = "".join(rng.choices(string.ascii_lowercase + " " * 2, k=1_000_000))
        texts = [text[i : i + 1000] for i in range(0, len(text), 1000)]
        counts = counter.count(texts)[0]
        most = max(most, memory.held())
    assert counts == _plain("r50k_base", texts)
    assert loads
    assert most - loaded < 128 << 20


def _count_in_child(name: str, texts: list[str], answer: str) -> None:
    Path(answer).write_text(str(engines.load(name, "gigatoken").count(texts)[0]), encoding="utf-8")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_worker_counts_too(tmp_path: Path) -> None:
    name = "cl100k_base"
    texts = ["short", *["in a batch"] * 1500, "The cat sat on the mat, and it did not mind. " * 120_000]
    engines.load(name, "gigatoken")
    answer = tmp_path / "answer"
    child = multiprocessing.get_context("fork").Process(target=_count_in_child, args=(name, texts, str(answer)))
    child.start()
    child.join(20)
    if child.is_alive():
        child.kill()
        child.join()
    assert child.exitcode == 0
    assert answer.read_text(encoding="utf-8") == str(_plain(name, texts))


def test_loading_imports_what_counting_needs_and_starts_no_thread() -> None:
    """Else nothing could be forked after it, or each worker would import it for itself."""
    program = (
        "import os, sys; from ftprep.tokens import Counter\n"
        "counter = Counter('r50k_base', 'gigatoken'); counter.load('Some words.')\n"
        "before = set(sys.modules); counter.count(['Some words.'])\n"
        "print(counter.used, len(set(sys.modules) - before), len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["gigatoken", "0", "1"]
