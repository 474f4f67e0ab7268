"""The bounds of reading as a user sets them: `record=64MiB`, `depth=100` on the command line or in a recipe."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from msgspec.structs import asdict, replace

from ftprep.errors import UsageError
from ftprep.readers.base import Limits, Options

_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "k": 1 << 10, "mib": 1 << 20, "m": 1 << 20, "gib": 1 << 30, "g": 1 << 30}
_VALUE = re.compile(r"(\d{1,15})\s*([a-z]*)")

MOST = {
    "record": 1 << 30,
    "depth": 500,
    "columns": 1_000_000,
    "cells": 1 << 34,
    "document": 1 << 40,
    "expansion": 1_000_000,
    "seconds": 86_400,
}
"""How far each bound can be moved: beyond it, readers or writers could not keep what they promise."""

_BYTES = ("record", "document")


def limits_of(words: Sequence[str]) -> Limits:
    """The limits that `NAME=VALUE` words set, the last one of a name; raises UsageError for any other word."""
    values: dict[str, int] = {}
    for word in words:
        name, _, value = word.partition("=")
        name = name.strip().lower()
        if name not in MOST:
            near = difflib.get_close_matches(name, MOST, n=1)
            message = f"--limit {word}: there is no bound called {name!r}"
            raise UsageError(message, f"did you mean {near[0]}?" if near else f"there are: {', '.join(MOST)}")
        try:
            values[name] = bound_of(name, value)
        except ValueError as error:
            what, hint = error.args
            raise UsageError(f"--limit {word}: {what}", hint) from None
    return Limits(**values)


def with_limits(options: Options, said: Mapping[str, int | None]) -> Options:
    """The options with the bounds of a recipe where they set none themselves."""
    own = {name: value for name, value in asdict(options.limits).items() if value}
    return replace(options, limits=Limits(**{name: value for name, value in said.items() if value} | own))


def bound_of(name: str, value: str) -> int:
    """The number that a bound's value says; raises ValueError (what is wrong, what to do) beyond what is possible."""
    found = _VALUE.fullmatch(value.strip().lower())
    unit = _UNITS.get(found[2], 0) if found else 0
    if not found or not unit or (unit > 1 and name not in _BYTES):
        hint = "for example 64MiB" if name in _BYTES else "for example 100"
        raise ValueError(f"not a {'size' if name in _BYTES else 'whole number'}", hint)
    number = int(found[1]) * unit
    if not 1 <= number <= MOST[name]:
        message = f"must be from 1 to {MOST[name]:,}"
        raise ValueError(message, "leave it out for the built-in bound")
    return number
