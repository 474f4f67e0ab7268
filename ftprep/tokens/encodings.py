"""OpenAI's encodings by name, built from the vocabularies shipped with the package; the network is never used."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from ftprep.errors import UsageError

if TYPE_CHECKING:
    import tiktoken

_END: Final = "<|endoftext|>"
_R50K_PATTERN: Final = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
_CL100K_PATTERN: Final = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
    r"|\s+(?!\S)|\s"
)
_O200K_PATTERN: Final = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_FIM: Final = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
_HARMONY: Final = {
    "<|startoftext|>": 199998,
    _END: 199999,
    "<|return|>": 200002,
    "<|constrain|>": 200003,
    "<|channel|>": 200005,
    "<|start|>": 200006,
    "<|end|>": 200007,
    "<|message|>": 200008,
    "<|call|>": 200012,
}


@dataclass(frozen=True, slots=True)
class Spec:
    """What makes an encoding: a vocabulary (its first `ranks` tokens, or all), a splitting pattern, special tokens."""

    vocabulary: str
    pattern: str
    special: dict[str, int] = field(repr=False)
    ranks: int | None = None


def _harmony() -> dict[str, int]:
    """Every id from 200000 to 201087 that has no name of its own is reserved; 200018 has two names."""
    named = set(_HARMONY.values())
    reserved = {f"<|reserved_{i}|>": i for i in range(200000, 201088) if i not in named}
    return {"<|endofprompt|>": 200018, **_HARMONY, **reserved}


# Patterns and special tokens are those of tiktoken_ext/openai_public.py (0.14.0); a test holds them equal.
_GPT2: Final = Spec("p50k", _R50K_PATTERN, {_END: 50256}, ranks=50256)
SPECS: Final[dict[str, Spec]] = {
    "gpt2": _GPT2,
    "r50k_base": _GPT2,
    "p50k_base": Spec("p50k", _R50K_PATTERN, {_END: 50256}),
    "p50k_edit": Spec("p50k", _R50K_PATTERN, {_END: 50256, **dict(zip(_FIM, range(50281, 50284), strict=True))}),
    "cl100k_base": Spec(
        "cl100k",
        _CL100K_PATTERN,
        {_END: 100257, **dict(zip(_FIM, range(100258, 100261), strict=True)), "<|endofprompt|>": 100276},
    ),
    "o200k_base": Spec("o200k", _O200K_PATTERN, {_END: 199999, "<|endofprompt|>": 200018}),
    "o200k_harmony": Spec("o200k", _O200K_PATTERN, _harmony()),
}
ENCODING_NAMES: Final = tuple(SPECS)


def find_spec(name: str) -> Spec:
    """Return the spec of the encoding `name`; UsageError for an unknown name, with the known ones."""
    if name in SPECS:
        return SPECS[name]
    from difflib import get_close_matches

    close = get_close_matches(name, SPECS, n=1)
    message = f"there is no encoding named {name!r}"
    raise UsageError(message, f"{f'did you mean {close[0]}? ' if close else ''}known: {', '.join(SPECS)}")


LOADED: Final[set[str]] = set()
"""The encodings that this process has whole."""


@cache
def encoding(name: str) -> tiktoken.Encoding:
    """Return the encoding `name` (see ENCODING_NAMES), built once per process; UsageError for an unknown name."""
    from ftprep.tokens import compact

    spec = find_spec(name)
    built = build(name, compact.load_ranks(spec.vocabulary, spec.ranks))
    LOADED.add(name)
    return built


def build(name: str, ranks: dict[bytes, int]) -> tiktoken.Encoding:
    """Return the encoding `name` with these tokens alone; takes them out of `ranks`."""
    import tiktoken

    spec = find_spec(name)
    built = tiktoken.Encoding(name, pat_str=spec.pattern, mergeable_ranks=ranks, special_tokens=spec.special)
    # tiktoken counts with a copy made in Rust, and would keep this one for pickling alone: 25 MB for o200k.
    ranks.clear()
    return built
