"""Two jobs that write without mending: `convert` to another shape, and `split` of a set as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ftprep.dataset import Dataset
from ftprep.decisions import Decisions
from ftprep.errors import UsageError
from ftprep.executors import Executor
from ftprep.lines import Writing
from ftprep.mends import AddEnding, LeadingSpace, Mend, ToChat, in_order
from ftprep.model import ShapeName
from ftprep.naming import Names, names_for
from ftprep.parquet_writer import SUFFIX, ParquetSet
from ftprep.pipeline import Progress, Run, Source, look_over, settings
from ftprep.plan import make_plan
from ftprep.prepared import Prepared
from ftprep.readers.base import Options
from ftprep.recipe import Recipe, Turns
from ftprep.shards import sharded
from ftprep.trip import Trip, split_by
from ftprep.writer import OutputSet

NOTHING = Decisions(lambda _: False, frozenset())


def convert(
    source: Source,
    to: ShapeName | None,
    out: str | os.PathLike[str],
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    system: str = "",
    force: bool = False,
    options: Options | None = None,
    workers: int | str = "auto",
    executor: str | Executor = "auto",
    address: str = "",
    progress: Progress | None = None,
    **overrides: Any,
) -> Prepared:
    """Write a set in another shape, `chat` or `completion`, or (None) as it is; nothing is held back.

    A name that ends in .parquet is written as Parquet, any other as JSONL. Of a table, the columns that make the
    examples are written and no others.

    To chat: separator, stop sequence and leading space are taken off, the prompt becomes the user's turn, `system` a
    message before it. To completion: one example for each reply of the assistant, laid out as the recipe's `turns`
    say. What cannot be carried over (tool calls, pictures) is set aside with the reason. Raises as `prepare` does.
    """
    if to not in ("chat", "completion", None):
        message = f"cannot convert to {to!r}"
        raise UsageError(message, "shapes that can be written: chat, completion")
    if system and to != "chat":
        raise UsageError("a system message has its place in conversations only", "convert --to chat, or leave it out")
    resolved = settings(recipe, **overrides)
    if to == "completion" and resolved.turns is None:
        resolved = resolved.model_copy(update={"turns": Turns()})
    elif to != "completion":
        resolved = resolved.model_copy(update={"turns": None})
    resolved = resolved.model_copy(update={"split": resolved.split.model_copy(update={"valid": "none"})})
    path = Path(out)
    base = path.with_suffix("")
    aside, manifest = (base.with_name(f"{base.name}{end}") for end in ("_rejected.jsonl", ".manifest.json"))
    names = Names(path, path, path, aside, manifest)
    run = Run(workers, progress, None, options or Options(), executor, address)
    plan = make_plan(source, resolved, run.options)
    kind = ParquetSet if path.suffix.lower() == SUFFIX else OutputSet
    with kind(force=force, inputs=plan.files, make_parents=True) as outputs, run.staffed(plan) as staffed:
        for each in (names.one, names.rejected, names.manifest):
            outputs.check(each)
        plan, before = look_over(plan, staffed)
        mends: tuple[Mend, ...] = ()
        if to == "chat":
            mends = _to_chat(before.dataset, system)
        elif to == "completion":
            mends = _as_the_recipe_says(resolved)
        writing = Writing(mends=mends, splits=False)
        with Trip(plan, staffed, before, NOTHING, writing, names, outputs) as trip:
            return trip.commit()


def _to_chat(dataset: Dataset, system: str) -> tuple[Mend, ...]:
    """What makes conversations, without what delimits a prompt and a completion."""
    ending = dataset.separator.ending if dataset.separator.standing != "none" else ""
    stop = dataset.stop.ending if dataset.stop.standing != "none" else ""
    return (ToChat(system, ending, stop),)


def _as_the_recipe_says(recipe: Recipe) -> tuple[Mend, ...]:
    """What delimits a prompt and a completion."""
    mends: list[Mend] = [LeadingSpace()] if recipe.format.leading_space else []
    if recipe.format.separator:
        mends.append(AddEnding("prompt", recipe.format.separator))
    if recipe.format.stop:
        mends.append(AddEnding("completion", recipe.format.stop))
    return in_order(mends)


def split(
    source: Source,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    name: str | None = None,
    force: bool = False,
    shards: int | str | None = None,
    options: Options | None = None,
    workers: int | str = "auto",
    executor: str | Executor = "auto",
    address: str = "",
    progress: Progress | None = None,
    **overrides: Any,
) -> Prepared:
    """Split a set into `NAME_train.jsonl` and `NAME_valid.jsonl` as it is: JSONL lines go out byte for byte.

    Size, seed, group and strata are those of the recipe's `split` (default: a tenth, by class in a classification).
    Only records that cannot be read are set aside. `shards`, `executor` and what is raised are as for `prepare`.
    """
    resolved = settings(recipe, **overrides)
    if resolved.split.valid == "none":
        message = "nothing is to be held back"
        raise UsageError(message, "--valid SHARE or COUNT says how much")
    # Named explicitly, so that a small set is split too: that is what was asked for.
    held = resolved.split.model_copy(update={"valid": resolved.split.valid})
    resolved = resolved.model_copy(update={"split": held, "turns": None})
    run = Run(workers, progress, None, options or Options(), executor, address)
    names = names_for(source, out, name, suffix="")
    names = replace(names, one=names.train, manifest=names.manifest.with_name(f"{names.train.stem}.manifest.json"))
    plan = make_plan(source, resolved, run.options)
    with OutputSet(force=force, inputs=plan.files, make_parents=True) as outputs, run.staffed(plan) as staffed:
        for each in (names.train, names.valid, names.rejected, names.manifest):
            outputs.check(each)
        with sharded(staffed, outputs, names, shards) as keeping:
            plan, before = look_over(plan, keeping)
            writing = replace(split_by(plan, before), verbatim=True)
            with Trip(plan, keeping, before, NOTHING, writing, names, outputs) as trip:
                return trip.commit()
