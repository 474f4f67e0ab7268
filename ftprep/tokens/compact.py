"""Vocabularies in a compact form: three small files that serve every OpenAI encoding, so that nothing is downloaded.

A file has one block for each length of a token, so that many tokens are looked at in one step. First the number of
lengths L, then the number of tokens of 1 to L bytes, then for each length the ranks of its tokens, ascending, and their
bytes in the same order. Numbers have 4 bytes, little-endian. A rank that no token has is left out; there is one: 50256
of p50k, which is the id of <|endoftext|>.
`python -m ftprep.tokens.compact SRC_DIR` builds the files again from the original .tiktoken files.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from binascii import b2a_base64
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from struct import iter_unpack
from typing import Final

DATA: Final = Path(__file__).with_name("data")

# vocabulary -> the file it is made from and that file's sha256, as pinned in tiktoken_ext/openai_public.py (0.14.0)
ORIGINALS: Final = {
    "p50k": ("p50k_base.tiktoken", "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069"),
    "cl100k": ("cl100k_base.tiktoken", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
    "o200k": ("o200k_base.tiktoken", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
}

LONGEST: Final = 255
"""Bytes of the longest token that a file may hold."""


def load_ranks(vocabulary: str, stop: int | None = None) -> dict[bytes, int]:
    """Return token -> rank of a shipped vocabulary ("p50k", "cl100k" or "o200k"), only ranks below `stop` if given."""
    return unpack(read(vocabulary), stop)


def read(vocabulary: str) -> bytes:
    """Return the compact form of a shipped vocabulary."""
    return (DATA / f"{vocabulary}.bin").read_bytes()


def pack(tokens: Sequence[bytes]) -> bytes:
    """Return the compact form of `tokens`, which stand in rank order; b"" marks a rank that no token has.

    Raises ValueError for a token of more than 255 bytes.
    """
    longest = max(map(len, tokens), default=0)
    if longest > LONGEST:
        message = f"a token has {longest} bytes, more than {LONGEST}"
        raise ValueError(message)
    ranks = [[rank for rank, token in enumerate(tokens) if len(token) == n] for n in range(1, longest + 1)]
    blocks = [_packed(found) + b"".join([tokens[rank] for rank in found]) for found in ranks]
    return _packed([longest, *map(len, ranks)]) + b"".join(blocks)


def unpack(blob: bytes, stop: int | None = None) -> dict[bytes, int]:
    """Return token -> rank from the compact form, only ranks below `stop` if given; ordered by length, then rank."""
    ranks: dict[bytes, int] = {}
    for length, numbers, tokens in blocks(blob, stop):
        ranks.update(zip(chain.from_iterable(iter_unpack(f"{length}s", tokens)), numbers, strict=True))
    return ranks


def blocks(blob: bytes, stop: int | None = None) -> Iterator[tuple[int, Sequence[int], bytes]]:
    """Yield the blocks of the compact form, only ranks below `stop` if given: bytes of a token, ranks, all tokens."""
    (longest,) = _unpacked(blob[:4])
    at = 4 + 4 * longest
    for length, many in enumerate(_unpacked(blob[4:at]), 1):
        ranks = _unpacked(blob[at : at + 4 * many])
        used = many if stop is None else bisect_left(ranks, stop)
        at += 4 * many
        yield length, ranks[:used], blob[at : at + used * length]
        at += many * length


def _packed(numbers: Sequence[int]) -> bytes:
    return b"".join([number.to_bytes(4, "little") for number in numbers])


def _unpacked(data: bytes) -> array[int]:
    numbers = array("I", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def to_tiktoken(ranks: dict[bytes, int]) -> bytes:
    """Return the text of the .tiktoken file with these ranks: a line `base64(token) rank` each, in rank order."""
    tokens = [b""] * (max(ranks.values(), default=-1) + 1)  # sorting pairs would take 15 MB, which workers inherit
    for token, rank in ranks.items():
        tokens[rank] = token
    return b"".join([b"%s %d\n" % (b2a_base64(t, newline=False), rank) for rank, t in enumerate(tokens) if t])


@contextmanager
def tiktoken_file(vocabulary: str, stop: int | None = None) -> Iterator[str]:
    """The path of a .tiktoken file of a shipped vocabulary, only ranks below `stop` if given, for as long as needed."""
    from ftprep.scratch import scratch

    with scratch() as folder:
        path = folder / "vocabulary.tiktoken"
        path.write_bytes(to_tiktoken(load_ranks(vocabulary, stop)))
        yield str(path)


def from_tiktoken(text: bytes) -> list[bytes]:
    """Return the tokens of a .tiktoken file in rank order, b"" where a rank is not used."""
    ranked = {int(rank): b64decode(token) for token, rank in (line.split() for line in text.splitlines() if line)}
    return [ranked.get(rank, b"") for rank in range(max(ranked) + 1)]


def build(source: Path, target: Path = DATA) -> list[Path]:
    """Write the compact files to `target` from the .tiktoken files in `source`, and return their paths.

    Raises ValueError, and writes nothing more, if a source file is not the one tiktoken pins.
    """
    from hashlib import sha256

    written = []
    for vocabulary, (name, pin) in ORIGINALS.items():
        text = (source / name).read_bytes()
        if (found := sha256(text).hexdigest()) != pin:
            message = f"{source / name}: sha256 is {found}, tiktoken pins {pin}"
            raise ValueError(message)
        path = target / f"{vocabulary}.bin"
        path.write_bytes(pack(from_tiktoken(text)))
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m ftprep.tokens.compact SRC_DIR")
    for built in build(Path(sys.argv[1])):
        sys.stdout.write(f"{built} {built.stat().st_size}\n")
