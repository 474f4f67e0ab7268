"""The optional fast engines: which are there, which suits a text, and the one that is loaded for an encoding."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final, Protocol

from ftprep.later import later

# Characters after which loading has paid for itself: seconds to load, times the characters tiktoken counts in a second
# (about 20 million). Not here: p50k_base and p50k_edit, whose hole in the ranks both engines refuse.
PAYS_AFTER: Final = {
    "gigatoken": {
        "gpt2": 3_000_000,
        "r50k_base": 3_000_000,
        "cl100k_base": 4_000_000,
        "o200k_base": 7_000_000,
        "o200k_harmony": 7_000_000,
    },
    "fastokens": {
        "gpt2": 5_000_000,
        "r50k_base": 5_000_000,
        "cl100k_base": 7_000_000,
        "o200k_base": 28_000_000,
        "o200k_harmony": 28_000_000,
    },
}

# Letters of scripts without blanks between words (Thai to Khmer, Chinese, Japanese), as such or as escapes of JSON:
# there few words come twice, and fastokens, which keeps fewer of them, counts three times as fast as gigatoken: it is
# the faster one from a tenth of such letters on.
_UNSPACED: Final = later(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|\\u(?:0e|10|17|2[ef]|[3-9][0-9a-f]|f[9a])[0-9a-f]{2}",
    re.IGNORECASE,
)
_FEW: Final = 0.1
_SAMPLE: Final = 100_000


class Encoder(Protocol):
    """A fast engine, loaded for one encoding."""

    @property
    def engine(self) -> str:
        """Its name."""

    def count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        """Return the number of tokens of each text, and how many of the texts were estimated."""


@cache
def is_installed(engine: str) -> bool:
    """Return whether an engine can be imported, without importing it; gigatoken where its memory can be watched."""
    return (engine != "gigatoken" or sys.platform == "linux") and importlib.util.find_spec(engine) is not None


_loaded: dict[str, Encoder] = {}


def paying(encoding: str, size: int, texts: Sequence[str], fresh: bool = False) -> str | None:
    """The engine to count `size` characters with, of which `texts` are some; "" where none is installed, None where
    none pays. One that is loaded is used again, whatever the texts, unless `fresh`: it may come from a fork."""
    if size < min(pays.get(encoding, size + 1) for pays in PAYS_AFTER.values()):
        return None
    if not fresh and encoding in _loaded:
        return _loaded[encoding].engine
    there = [engine for engine in PAYS_AFTER if is_installed(engine)]
    if not there:
        return ""
    engine = there[-1] if is_unspaced("".join(texts[:_SAMPLE])[:_SAMPLE]) else there[0]
    return engine if size >= PAYS_AFTER[engine][encoding] else None


def is_unspaced(sample: str) -> bool:
    """Whether a good part of a text is in scripts that put no blanks between words."""
    others, letters = _UNSPACED.subn("", sample)
    return letters > _FEW * (len(others) + letters)


def load(encoding: str, engine: str) -> Encoder:
    """The engine, loaded for an encoding; only one is kept for each. Raises whatever the engine raises."""
    made = _loaded.pop(encoding, None)
    if made is None or made.engine != engine:
        made = None  # before there is another one
        if engine == "gigatoken":
            from ftprep.tokens.giga import Giga

            made = Giga(encoding)
        else:
            from ftprep.tokens.fast import FastEncoder

            made = FastEncoder(encoding)
    _loaded[encoding] = made
    return made
