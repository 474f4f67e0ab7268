"""The catalogue of rules, explicit: a rule that is not listed here does not exist."""

from __future__ import annotations

import dataclasses
import difflib
from functools import cache
from typing import Any

from ftprep.errors import RecipeError, UsageError
from ftprep.recipe import Rules
from ftprep.rule import Card, RecordRule, Rule
from ftprep.rules import (
    dup,
    fmt,
    fmt_calls,
    fmt_dialects,
    img,
    io,
    labels,
    legacy,
    near,
    pii,
    preference,
    rewards,
    role,
    sec,
    sep,
    target_file,
    target_rows,
    tok,
    tool,
    tool_declared,
    txt,
    wording,
)

_FAMILIES = (
    *(io, fmt, fmt_calls, fmt_dialects, preference, rewards, legacy, target_rows, target_file),
    *(role, tool, tool_declared, img, sep, wording, tok, labels, dup, near, txt, pii, sec),
)

CATALOGUE: tuple[Rule, ...] = tuple(
    sorted(
        (kind() for family in _FAMILIES for kind in family.RULES),
        key=lambda rule: rule.card.code,
    )
)


@cache
def _by_code() -> dict[str, Rule]:
    return {rule.card.code: rule for rule in CATALOGUE}


def card_of(code: str) -> Card:
    """The card of a rule by code."""
    return _by_code()[code].card


def find(selector: str) -> list[Rule]:
    """The rules that a selector names: a code, the beginning of codes (a family), a name, an alias or ALL.

    Raises UsageError with the nearest name.
    """
    wanted = selector.strip()
    upper = wanted.upper()
    found = [
        r
        for r in CATALOGUE
        if upper in ("ALL", r.card.code)
        or (len(upper) >= 2 and r.card.code.startswith(upper))
        or wanted.lower() in (r.card.name, *r.card.aliases)
    ]
    if not found:
        names = [n for r in CATALOGUE for n in (r.card.code, r.card.name, *r.card.aliases)]
        near = difflib.get_close_matches(wanted, names, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "`ftprep rule --all` lists the rules"
        message = f"no rule is called {selector!r}"
        raise UsageError(message, hint)
    return found


def choose(rules: Rules) -> tuple[tuple[Rule, ...], frozenset[str]]:
    """The rules that run, with their options, and the codes that are kept silent.

    Rules on records always run, since they decide what is loaded; those not selected are silent.
    """
    wanted = {r.card.code for s in rules.select for r in find(s)} if rules.select else _default_codes()
    wanted |= {r.card.code for s in rules.extend_select for r in find(s)}
    wanted -= {r.card.code for s in rules.ignore for r in find(s)}
    options = {_the_one(name).card.code: values for name, values in rules.options.items()}
    running = [r for r in CATALOGUE if r.card.code in wanted or isinstance(r, RecordRule)]
    configured = tuple(_configured(r, options.get(r.card.code, {})) for r in running)
    return configured, frozenset(r.card.code for r in CATALOGUE if r.card.code not in wanted)


def _the_one(name: str) -> Rule:
    found = find(name)
    if len(found) > 1:
        message = f"options for {name!r}: that names {len(found)} rules"
        raise RecipeError(message, "name one by its whole code or its name")
    return found[0]


def _default_codes() -> set[str]:
    return {r.card.code for r in CATALOGUE if r.card.status == "stable"}


def _configured(rule: Rule, options: dict[str, Any]) -> Rule:
    fields = {f.name: f for f in dataclasses.fields(rule)}
    values: dict[str, Any] = {}
    for key, given in options.items():
        name = key.replace("-", "_")
        if name not in fields:
            known = ", ".join(f.replace("_", "-") for f in fields) or "none"
            message = f"rule {rule.card.code} has no option {key!r}"
            raise RecipeError(message, f"its options: {known}")
        default = getattr(rule, name)
        whole = isinstance(default, float) and isinstance(given, int) and not isinstance(given, bool)
        value = float(given) if whole else given
        if type(value) is not type(default):
            message = f"rule {rule.card.code}: option {key} must be of type {type(default).__name__}"
            raise RecipeError(message, f"the default is {default!r}")
        values[name] = value
    return dataclasses.replace(rule, **values) if values else rule
