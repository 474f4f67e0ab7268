"""Examples of a set as they are trained on, for the command line and for reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ftprep.engine import Look
from ftprep.model import Chat, Example, Row
from ftprep.rendering import Sample, Samples, Template, Train, find_template, render_many

if TYPE_CHECKING:
    from ftprep.plan import Plan


WEIGHTLESS = frozenset(("trl", "llama-factory", "torchtune"))
"""Trainers that pass over `weight` without a word: trl 1.16.0 and llamafactory 0.9.5 were run, torchtune 0.6.1 read."""


def samples_of(
    plan: Plan,
    count: int = 3,
    rows: Sequence[int] = (),
    *,
    template: str | Template = "",
    train: Train = "assistant",
    limit: int | None = None,
) -> Samples:
    """The first `count` examples of a plan's tables, or those in `rows` (lines, as findings name them) of each table.

    `template` is a layout's name or a path; without it the target's own holds. `limit` tokens are kept (else the
    recipe's or the target's limit). Rows that cannot be read are passed over when counting, and told with the reason
    where they were asked for. Raises UsageError, MissingExtra, TemplateStopped as `find_template` and `render_many` do.
    """
    setting = plan.setting
    chosen = template
    if isinstance(chosen, str):
        chosen = find_template(chosen, setting.target, setting.recipe.model)
    found = list(_asked_for(plan, frozenset(rows)) if rows else islice(_first(plan), count))
    examples = [row.example for _, row in found if row.example is not None]
    most = limit or limit_of(plan)
    texts = iter(render_many(examples, chosen, plan.counter, train=train, limit=most))
    made = [
        Sample(plan.tables[source].name, row.line, next(texts))
        if row.example is not None
        else Sample(plan.tables[source].name, row.line, reason=_reason(plan, source, row))
        for source, row in found
    ]
    there = {row.line for _, row in found}
    notes = [*chosen.notes]
    if most is not None and setting.recipe.token_limit is None and not limit and setting.target:
        fact = setting.target.get("limits.context")
        told = f" ({fact.source}, {fact.date})" if fact and fact.source and fact.date else ""
        notes.append(f"{setting.target.name} takes {most:,} tokens of one example{told}; more is cut off the end")
    if setting.target and setting.target.name in WEIGHTLESS and any(map(_has_weight, examples)):
        told = f"{setting.target.name} does not heed the weight of a message: it trains on every answer"
        notes.append(f"{told}, also on those shown here as not trained")
    return Samples(tuple(made), tuple(sorted(set(rows) - there)), tuple(notes))


def _has_weight(example: Example) -> bool:
    return isinstance(example, Chat) and any(m.weight == 0 for m in example.messages)


def limit_of(plan: Plan) -> int | None:
    """Most tokens of one example: as the recipe says, else as is known of the target, None where neither tells."""
    setting = plan.setting
    known = setting.target.value("limits.context") if setting.target else None
    return setting.recipe.token_limit or (known if isinstance(known, int) and known > 0 else None)


def _rows(plan: Plan) -> Iterator[tuple[int, Row]]:
    """All rows with the index of their table, shaped, and parted where the recipe parts conversations."""
    look = Look(plan)
    for chunk in plan.chunks():
        for row in look.expand(look.examples(chunk)):
            yield chunk.source, row


def _first(plan: Plan) -> Iterator[tuple[int, Row]]:
    return ((source, row) for source, row in _rows(plan) if row.example is not None)


def _asked_for(plan: Plan, lines: frozenset[int]) -> Iterator[tuple[int, Row]]:
    return ((source, row) for source, row in _rows(plan) if row.line in lines)


def _reason(plan: Plan, source: int, row: Row) -> str:
    if row.skipped:
        return "a blank line"
    errors = [f for f in row.faults if f.code in plan.error_codes] or row.faults
    return f"{errors[0].code}: {errors[0].message}" if errors else plan.unread[source]
