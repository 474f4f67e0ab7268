"""fastokens gives tiktoken's counts, leaves nothing behind, and is safe in forked workers."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.tokens import ENCODING_NAMES, encoding, engines, fast

pytestmark = pytest.mark.skipif(not engines.is_installed("fastokens"), reason="fastokens is not installed")

NAMES = sorted(engines.PAYS_AFTER["fastokens"])


_made = cache(fast.FastEncoder)


def _plain(name: str, texts: list[str]) -> list[int]:
    return [len(encoding(name).encode_ordinary(text)) for text in texts]


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_tiktokens(name: str, texts: list[str]) -> None:
    assert _made(name).count(texts) == (_plain(name, texts), 0)


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base", "r50k_base"])
@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=5))
def test_counts_of_any_text_are_tiktokens(name: str, texts: list[str]) -> None:
    assert _made(name).count(texts) == (_plain(name, texts), 0)


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_counts_of_every_character_are_tiktokens(name: str) -> None:
    texts = [f"a{c}B {c}1{c}.\n{c}  {c}'{c}" for c in map(chr, range(0x3400)) if not 0xD800 <= ord(c) < 0xE000]
    assert _made(name).count(texts) == (_plain(name, texts), 0)


@pytest.mark.parametrize(
    "text",
    [
        "The cat sat on the mat, and it did not mind. " * 2000,
        "天地玄黄，宇宙洪荒。" * 4000,
        "0123456789 " * 4000,  # no place to cut
        "a" * 40_000,
        "word\ud800 " * 4000,
    ],
    ids=["english", "chinese", "digits", "one word", "surrogates"],
)
@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_long_texts_count_the_same(name: str, text: str) -> None:
    texts = ["short", text, ""]
    assert _made(name).count(texts) == (_plain(name, texts), 0)


def test_no_text_reaches_the_size_that_is_spread_over_threads() -> None:
    assert len("😀".encode() * fast.SAFE) < 1 << 16


def test_lone_surrogates_count_as_tiktoken_counts_them() -> None:
    texts = ["fine", "a\ud800b", "\ud83d\ude00", "\udfff"]
    assert _made("cl100k_base").count(texts) == (_plain("cl100k_base", texts), 0)


@pytest.mark.parametrize("name", sorted(set(ENCODING_NAMES) - set(NAMES)))
def test_an_encoding_with_a_hole_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="50256"):
        fast.FastEncoder(name)


def test_loading_and_counting_leave_no_file_and_no_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("FASTOKENS_BPE_THREADS", "7")
    fast._load("r50k_base")
    assert list(tmp_path.iterdir()) == []
    assert os.environ["FASTOKENS_BPE_THREADS"] == "7"
    monkeypatch.delenv("FASTOKENS_BPE_THREADS")
    fast._load("r50k_base")
    fast.FastEncoder("r50k_base").count(["Some words."])
    assert "FASTOKENS_BPE_THREADS" not in os.environ


def _count_in_child(name: str, texts: list[str], answer: str) -> None:
    Path(answer).write_text(str(_made(name).count(texts)[0]), encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_worker_counts_too(tmp_path: Path) -> None:
    """fastokens' own threads would not survive the fork, and a long text would then wait for them for ever."""
    name = "cl100k_base"
    texts = ["short", "The cat sat on the mat, and it did not mind. " * 10_000]
    _made(name).count(texts)
    answer = tmp_path / "answer"
    child = multiprocessing.get_context("fork").Process(target=_count_in_child, args=(name, texts, str(answer)))
    child.start()
    child.join(20)
    if child.is_alive():
        child.kill()
        child.join()
    assert child.exitcode == 0
    assert answer.read_text(encoding="utf-8") == str(_plain(name, texts))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_threads_are_started(texts: list[str]) -> None:
    import subprocess

    program = (
        "import os; from ftprep.tokens import fast\n"
        "fast.FastEncoder('r50k_base').count(['Some words, and more of them. ' * n for n in range(1, 3000, 50)])\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
