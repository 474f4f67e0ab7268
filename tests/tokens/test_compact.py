"""The compact vocabularies are OpenAI's, byte for byte, and the form itself loses nothing."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.tokens import compact
from ftprep.tokens.encodings import SPECS

DATA_README = compact.DATA / "README.md"


@given(st.lists(st.binary(max_size=255), unique=True, max_size=50), st.integers(0, 50))
def test_unpacking_gives_back_what_was_packed(tokens: list[bytes], stop: int) -> None:
    blob = compact.pack(tokens)
    assert compact.unpack(blob) == {token: rank for rank, token in enumerate(tokens) if token}
    assert compact.unpack(blob, stop) == {token: rank for rank, token in enumerate(tokens[:stop]) if token}


@given(st.dictionaries(st.integers(0, 99), st.binary(min_size=1, max_size=9), min_size=1))
def test_the_text_form_gives_back_what_was_written(by_rank: dict[int, bytes]) -> None:
    ranks = {token: rank for rank, token in sorted(by_rank.items())}
    tokens = compact.from_tiktoken(compact.to_tiktoken(ranks))
    assert {token: rank for rank, token in enumerate(tokens) if token} == ranks


def test_a_token_too_long_for_its_length_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        compact.pack([b"x" * 256])


@pytest.mark.parametrize("vocabulary", compact.ORIGINALS)
def test_the_original_can_be_rebuilt(vocabulary: str) -> None:
    text = compact.to_tiktoken(compact.load_ranks(vocabulary))
    assert sha256(text).hexdigest() == compact.ORIGINALS[vocabulary][1]


@pytest.mark.parametrize("vocabulary", compact.ORIGINALS)
def test_the_readme_names_the_files_as_they_are(vocabulary: str) -> None:
    name, pin = compact.ORIGINALS[vocabulary]
    row = next(line for line in DATA_README.read_text("utf-8").splitlines() if line.startswith(f"| {vocabulary}.bin"))
    shipped = sha256((compact.DATA / f"{vocabulary}.bin").read_bytes()).hexdigest()
    assert re.findall(r"[0-9a-f]{64}", row) == [pin, shipped]
    assert name in row


def test_p50k_has_one_hole_where_its_end_of_text_stands() -> None:
    ranks = compact.load_ranks("p50k")
    assert sorted(set(range(50281)) - set(ranks.values())) == [50256]
    assert SPECS["p50k_base"].special["<|endoftext|>"] == 50256


def test_building_again_gives_the_shipped_files(tmp_path: Path) -> None:
    for vocabulary, (name, _) in compact.ORIGINALS.items():
        (tmp_path / name).write_bytes(compact.to_tiktoken(compact.load_ranks(vocabulary)))
    for built in compact.build(tmp_path, tmp_path):
        assert built.read_bytes() == (compact.DATA / built.name).read_bytes()


def test_building_refuses_a_file_that_is_not_the_pinned_one(tmp_path: Path) -> None:
    (tmp_path / "p50k_base.tiktoken").write_bytes(b"IQ== 0\n")
    with pytest.raises(ValueError, match=r"p50k_base\.tiktoken: sha256 is .*, tiktoken pins 94b5"):
        compact.build(tmp_path, tmp_path)
    assert not list(tmp_path.glob("*.bin"))


def _printable() -> dict[int, str]:
    """GPT-2's way to write a byte as a printable character: itself if it is one, else the next from U+0100 on."""
    plain = [byte for byte in range(256) if chr(byte).isprintable() and chr(byte) != " "]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _parents(token: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """The two tokens that are merged into `token`."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        pairs = [(ranks.get(a + b, len(ranks)), i) for i, (a, b) in enumerate(pairwise(parts))]
        _, i = min(pairs)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts


def test_gpt2s_own_two_files_can_be_rebuilt_from_r50k() -> None:
    """tiktoken makes gpt2 from vocab.bpe and encoder.json; the pins are those of tiktoken_ext/openai_public.py."""
    loaded = compact.load_ranks("p50k", SPECS["gpt2"].ranks)
    ranks = dict(sorted(loaded.items(), key=lambda item: item[1]))
    shown = _printable()
    names = {token: "".join(shown[byte] for byte in token) for token in ranks}
    merges = [" ".join(names[part] for part in _parents(token, ranks)) for token in ranks if len(token) > 1]
    vocab_bpe = "\n".join(["#version: 0.2", *merges, ""])
    encoder_json = json.dumps({names[token]: rank for token, rank in ranks.items()} | {"<|endoftext|>": 50256})
    assert sha256(vocab_bpe.encode()).hexdigest() == "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
    assert sha256(encoder_json.encode()).hexdigest() == (
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"
    )
