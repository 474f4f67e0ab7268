"""Every encoding is the one tiktoken would download, and none is ever downloaded."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from typing import Any

import pytest
import tiktoken
from tiktoken_ext import openai_public  # type: ignore[import-untyped]

from ftprep.errors import UsageError
from ftprep.tokens import ENCODING_NAMES, compact, encoding
from ftprep.tokens.encodings import SPECS


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Turn tiktoken's loaders into recorders of the sha256 they would check, so that nothing is loaded."""
    asked: list[str] = []

    def load_tiktoken_bpe(_: str, expected_hash: str) -> dict[bytes, int]:
        asked.append(expected_hash)
        return {}

    def data_gym_to_mergeable_bpe_ranks(**hashes: str) -> dict[bytes, int]:
        asked.append(hashes["vocab_bpe_hash"])
        return {}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", load_tiktoken_bpe)
    monkeypatch.setattr(openai_public, "data_gym_to_mergeable_bpe_ranks", data_gym_to_mergeable_bpe_ranks)
    return asked


def _official(name: str) -> dict[str, Any]:
    made: dict[str, Any] = openai_public.ENCODING_CONSTRUCTORS[name]()
    return made


def test_all_of_tiktokens_encodings_are_known() -> None:
    assert set(ENCODING_NAMES) == set(openai_public.ENCODING_CONSTRUCTORS)


@pytest.mark.parametrize("name", ENCODING_NAMES)
def test_pattern_and_special_tokens_are_tiktokens(name: str, pins: list[str]) -> None:
    official = _official(name)
    assert pins
    assert SPECS[name].pattern == official["pat_str"]
    assert SPECS[name].special == official["special_tokens"]


@pytest.mark.parametrize("name", ENCODING_NAMES)
def test_ranks_are_those_tiktoken_pins(name: str, pins: list[str]) -> None:
    _official("r50k_base" if name == "gpt2" else name)  # gpt2's own files are rebuilt in test_compact.py
    ranks = compact.load_ranks(SPECS[name].vocabulary, SPECS[name].ranks)
    assert [sha256(compact.to_tiktoken(ranks)).hexdigest()] == pins


@pytest.mark.parametrize("name", ENCODING_NAMES)
def test_the_size_is_what_tiktoken_expects(name: str, pins: list[str]) -> None:
    made = encoding(name)
    assert made.name == name
    expected = _official(name).get("explicit_n_vocab", made.n_vocab)
    assert made.n_vocab == expected


@pytest.mark.parametrize("name", ENCODING_NAMES)
def test_decoding_gives_the_text_back(name: str, texts: list[str]) -> None:
    made = encoding(name)
    assert [made.decode(made.encode_ordinary(text)) for text in texts] == texts


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        # the examples of tiktoken's README and tests
        ("gpt2", "hello world", [31373, 995]),
        ("r50k_base", "hello world", [31373, 995]),
        ("p50k_base", "hello world", [31373, 995]),
        ("cl100k_base", "hello world", [15339, 1917]),
        ("o200k_base", "hello world", [24912, 2375]),
    ],
)
def test_known_token_ids(name: str, text: str, tokens: list[int]) -> None:
    assert encoding(name).encode_ordinary(text) == tokens


def test_an_encoding_is_built_once() -> None:
    assert encoding("r50k_base") is encoding("r50k_base")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("o200k", "did you mean o200k_"), ("cl100_base", "did you mean cl100k_base?"), ("", "known: gpt2")],
)
def test_an_unknown_name_is_told_with_the_known_ones(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no encoding named '{name}'") as caught:
        encoding(name)
    assert hint in caught.value.hint
    assert all(known in caught.value.hint for known in ENCODING_NAMES)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ["tiktoken", "fastokens", "regex", "tomllib", "numpy", "requests"]
    program = f"import sys, ftprep.tokens; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_tiktokens_own_class() -> None:
    assert isinstance(encoding("r50k_base"), tiktoken.Encoding)
