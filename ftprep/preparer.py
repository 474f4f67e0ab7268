"""The main job: audit, decide what to mend, mend while writing, audit again, split; all files appear at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ftprep.decisions import Decide, Decisions
from ftprep.errors import UsageError
from ftprep.executors import Executor
from ftprep.finish import Finished
from ftprep.mends import AddEnding, LeadingSpace
from ftprep.model import ShapeName
from ftprep.naming import Names, names_for
from ftprep.pipeline import Progress, Run, Source, look_over, settings
from ftprep.plan import Plan, make_plan
from ftprep.prepared import Prepared
from ftprep.readers.base import Options
from ftprep.recipe import Recipe
from ftprep.rule import Proposal
from ftprep.shards import sharded
from ftprep.trip import Trip, conversations, split_by
from ftprep.writer import OutputSet

MOST_TRIPS = 5
"""Mending can bring forth something new to mend (two rows that become equal), rarely twice in a row. What would still
be new after so many times stands in the report of what was written."""


def prepare(
    source: Source,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    name: str | None = None,
    unsafe: bool | Decide = False,
    force: bool = False,
    shards: int | str | None = None,
    options: Options | None = None,
    workers: int | str = "auto",
    executor: str | Executor = "auto",
    address: str = "",
    max_findings: int | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> Prepared:
    """Audit a set, mend it, write it as JSONL, split into train and validation, and audit what was written.

    Files go to the folder `out` (beside the input where left out; it is made where missing) and are called after the
    input or `name`. Safe mendings and those the recipe accepts are made; `unsafe` is True for all others, or a function
    that decides on each proposal. Rows that an error rule finds are set aside in the rejected file. `recipe`,
    `executor`, `address` and `overrides` are as for `check`. All files appear or none; an existing one is refused
    without `force`. With `shards` (how many, or `auto`) each side becomes files NAME-00000-of-00012.jsonl that together
    are the one file, and a run that was cut off goes on when it is begun again.
    Raises FtprepError where nothing can be read or written.
    """
    resolved = settings(recipe, **overrides)
    run = Run(workers, progress, max_findings, options or Options(), executor, address)
    names = names_for(source, out, name)
    plan = make_plan(source, resolved, run.options, run.kept)
    if shards is not None and plan.setting.marks:
        message = f"{resolved.target} wants a byte-order mark at the start of its file, which shards have not"
        raise UsageError(message, "leave --shards out")
    if len(plan.setting.shapes) > 1:
        message = f"the inputs hold examples of several shapes ({', '.join(sorted(plan.setting.shapes))}), no one set"
        raise UsageError(message, "prepare them apart, or `ftprep convert` the one to the other")
    with OutputSet(force=force, inputs=plan.files, make_parents=True) as outputs, run.staffed(plan) as staffed:
        for path in (names.one, names.train, names.valid, names.rejected, names.manifest):
            outputs.check(path)
        with sharded(staffed, outputs, names, shards) as keeping:
            plan, before = look_over(plan, keeping, counts=plan.setting.token_limit is not None)
            decisions = Decisions.asked_for(resolved, unsafe)
            becomes = _wanted_chat(plan)
            plan = replace(plan, setting=replace(plan.setting, becomes=becomes)) if becomes else plan
            decisions.take(tuple(p for p in before.proposals if not (becomes and _delimits(p))))
            before.dataset.settle()
            return _write(plan, keeping, before, decisions, names, outputs)


def _write(plan: Plan, run: Run, before: Finished, decisions: Decisions, names: Names, outputs: OutputSet) -> Prepared:
    left = MOST_TRIPS
    to_chat = conversations(before.dataset) if plan.setting.becomes == "chat" else ()
    while True:
        left -= 1
        writing = replace(split_by(plan, before), **decisions.made())
        writing = replace(writing, mends=(*writing.mends, *to_chat))
        with Trip(plan, run, before, decisions, writing, names, outputs, advises=True) as trip:
            if to_chat and plan.setting.target:
                trip.notes.append(
                    f"{plan.setting.target.name} takes conversations alone, so these were made of the set"
                )
            if not left or not decisions.take(trip.after.proposals):
                return trip.commit()


def _wanted_chat(plan: Plan) -> ShapeName | None:
    """`chat` where the target takes conversations alone and the set is prompts and completions: most providers of today
    have no other form, and what delimits the two means nothing in it."""
    target = plan.setting.target
    shapes = target.value("record.shapes", ()) if target else ()
    return "chat" if "chat" in shapes and "completion" not in shapes and plan.setting.shapes == {"completion"} else None


def _delimits(proposal: Proposal) -> bool:
    return any(isinstance(mend, (AddEnding, LeadingSpace)) for mend in proposal.mends)
