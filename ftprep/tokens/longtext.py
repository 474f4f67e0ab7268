"""Long texts, cut so that they stay fast, bounded in memory and free of crashes, with the same tokens.

tiktoken cannot take a run of about a million blanks: its regex engine overflows and panics, on stderr, with an
exception that `except Exception` does not catch (tiktoken 0.14.0: from a million on, give or take some hundred). And a
word of n bytes costs it memory in proportion to n. Two ways out, both exact: cut where every pattern starts a new piece
anyway, and where there is no such place, split with the `regex` module (which tiktoken requires) and merge each piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ftprep.later import later
from ftprep.tokens.encodings import SPECS

if TYPE_CHECKING:
    import tiktoken

LONG: Final = 500_000  # characters; only longer texts are looked at here, half of what makes tiktoken panic
SEGMENT: Final = 100_000  # characters; about the size of the parts of a longer text
PIECE: Final = 2_000_000  # characters; a longer single piece is estimated. So many "a" take 0.6 s and 50 MiB

# After a letter, none of these continues a piece: every pattern's word ends here, whatever follows. Places between
# blanks, and before apostrophes (contractions), marks and digits, are not so sure.
_CUT: Final = later(r"[A-Za-z\u0430-\u044f\u4e00-\u9fff\uac00-\ud7a3](?=[ \n.,:;!?()\u3001\u3002\uff0c])")


def segments(text: str, size: int = SEGMENT) -> Iterator[str]:
    """Yield `text` in parts of `size` characters or a few more, whose tokens are those of the whole text.

    A part is longer where the text offers no place to cut; joined, the parts are the text.
    """
    start = 0
    while len(text) - start > size and (cut := _CUT.search(text, start + size - 1)):
        yield text[start : cut.end()]
        start = cut.end()
    if start < len(text) or not text:
        yield text[start:]


def repaired(text: str) -> str:
    """Return `text` with surrogate pairs joined and lone surrogates replaced by U+FFFD, as tiktoken does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def encode_long(encoding: tiktoken.Encoding, text: str) -> Iterator[tuple[list[int], bool]]:
    """Yield the token ids of `text` part by part, each part with whether it is exact."""
    for segment in segments(repaired(text)):
        if len(segment) < LONG:
            yield encoding.encode_ordinary(segment), True
        else:
            yield from encode_pieces(encoding, segment)


def encode_pieces(encoding: tiktoken.Encoding, text: str) -> Iterator[tuple[list[int], bool]]:
    """Yield the token ids of `text` piece by piece, each with whether it is exact.

    Slower than tiktoken, but no run of blanks overflows. A piece of more than PIECE characters is merged in parts;
    that may give a token or two more for each cut. `text` holds no surrogates.
    """
    merge = encoding._encode_single_piece  # noqa: SLF001 - the one way to merge without tiktoken's own splitting
    for match in _splitter(SPECS[encoding.name].pattern).finditer(text):
        piece = match.group()
        for start in range(0, len(piece), PIECE):
            yield merge(piece[start : start + PIECE]), len(piece) <= PIECE


@lru_cache(maxsize=8)
def _splitter(pattern: str) -> Any:
    import regex  # type: ignore[import-untyped]

    return regex.compile(pattern)
