"""Which encoding a model uses, by its name; the table is data, in models.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from ftprep.errors import UsageError


@dataclass(frozen=True, slots=True)
class ModelEncoding:
    """A model's encoding, the table's name or prefix that matched, and where and when that was read."""

    model: str
    encoding: str
    matched: str
    date: date
    source: str


@dataclass(frozen=True, slots=True)
class _Entry:
    encoding: str
    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    as_of: date
    source: str


def encoding_for_model(model: str) -> ModelEncoding:
    """Return the encoding of `model`, fine-tuned models and checkpoints included; UsageError for an unknown one."""
    base = base_model(model)
    exact = [(name, entry) for entry in _entries() for name in entry.names if name == base]
    starts = [(prefix, entry) for entry in _entries() for prefix in entry.prefixes if base.startswith(prefix)]
    if not (found := exact or starts):
        raise _unknown(model, base)
    matched, entry = max(found, key=lambda pair: len(pair[0]))
    return ModelEncoding(model, entry.encoding, matched, entry.as_of, entry.source)


def base_model(model: str) -> str:
    """Return the name of the model that `model` was tuned from, in lower case; of a base model, its own name.

    Known spellings: `ft:BASE:org:suffix:id`, with `:ckpt-step-N` or without; the older `BASE:ft-org-date`; Azure's
    `BASE.ft-id`.
    """
    return model.strip().lower().removeprefix("ft:").split(":")[0].split(".ft-")[0]


@lru_cache(maxsize=1)
def _entries() -> tuple[_Entry, ...]:
    import tomllib

    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tuple(
        _Entry(row["encoding"], tuple(row["names"]), tuple(row["prefixes"]), row["as_of"], row["source"])
        for row in table["entries"]
    )


def _unknown(model: str, base: str) -> UsageError:
    from difflib import get_close_matches

    names = [name for entry in _entries() for name in entry.names]
    close = get_close_matches(base, names, n=1)
    guess = f"did you mean {close[0]}? if not, " if close else ""
    advice = "name the encoding itself: o200k_base is that of gpt-4o and later, cl100k_base of gpt-4 and gpt-3.5"
    return UsageError(f"no encoding is known for the model {model!r}", guess + advice)
