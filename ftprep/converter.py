"""Two jobs that write without mending: `convert` to another shape, and `split` of a set as it is."""

from __future__ import annotations

import json
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
from ftprep.mends import AddEnding, LeadingSpace, Mend, in_order
from ftprep.naming import Names, names_for
from ftprep.parquet_writer import SUFFIX, ParquetSet
from ftprep.pipeline import Progress, Run, Source, look_over, settings
from ftprep.plan import Plan, make_plan
from ftprep.prepared import Prepared
from ftprep.readers.base import Options
from ftprep.recipe import Recipe, Turns
from ftprep.shapes import Shape, writer_of
from ftprep.shapes.dialects.llama_factory import HAS_ENTRY, dataset_info
from ftprep.shards import sharded
from ftprep.trip import Trip, conversations, split_by
from ftprep.writer import OutputSet

NOTHING = Decisions(lambda _: False, frozenset())


def convert(
    source: Source,
    to: str | None,
    out: str | os.PathLike[str],
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    system: str = "",
    lossy: bool = False,
    force: bool = False,
    options: Options | None = None,
    workers: int | str = "auto",
    executor: str | Executor = "auto",
    address: str = "",
    progress: Progress | None = None,
    **overrides: Any,
) -> Prepared:
    """Write a set in another shape or dialect (`chat`, `completion`, `sharegpt` ...), or (None) as it is; nothing is
    held back.

    A name that ends in .parquet is written as Parquet, any other as JSONL. Of a table, the columns that make the
    examples are written and no others.

    From prompt and completion to conversations: separator, stop sequence and leading space are taken off, the prompt
    becomes the user's turn, `system` a message before it. From conversations to completions: one example for each reply
    of the assistant, laid out as the recipe's `turns` say; where every conversation is one question with its answer,
    these are prompt and completion as they stand. From preferences to unpaired answers: one good and one bad. What the
    new form has no place for (a tool call, a picture, a weight) sets the row aside with the reason; with `lossy` it is
    left out instead. Nothing else is judged: what else may be wrong is for `check` to say. Raises as `prepare` does.
    """
    shape = writer_of(to, lossy) if to is not None else None
    if system and (shape is None or shape.name != "chat"):
        raise UsageError("a system message has its place in conversations only", "convert --to chat, or leave it out")
    resolved = settings(recipe, **overrides)
    none = resolved.split.model_copy(update={"valid": "none"})
    resolved = resolved.model_copy(update={"split": none})
    path = Path(out)
    base = path.with_suffix("")
    aside, manifest = (base.with_name(f"{base.name}{end}") for end in ("_rejected.jsonl", ".manifest.json"))
    names = Names(path, path, path, aside, manifest)
    run = Run(workers, progress, None, options or Options(), executor, address)
    laid_out = shape is not None and shape.name == "completion"
    plan = make_plan(source, resolved if laid_out else resolved.model_copy(update={"turns": None}), run.options)
    kind = ParquetSet if path.suffix.lower() == SUFFIX else OutputSet
    with kind(force=force, inputs=plan.files, make_parents=True) as outputs, run.staffed(plan) as staffed:
        for each in (names.one, names.rejected, names.manifest):
            outputs.check(each)
        plan, before = look_over(plan, staffed)
        mends: tuple[Mend, ...] = ()
        if shape is not None:
            plan, mends = _converting(plan, before.dataset, shape, resolved, system, lossy)
        writing = Writing(mends=mends, splits=False, judges=False)
        with Trip(plan, staffed, before, NOTHING, writing, names, outputs) as trip:
            if shape is not None and shape.dialect in HAS_ENTRY:
                trip.notes.append(_entry(shape.dialect, names.one, before.dataset))
            return trip.commit()


def _entry(dialect: str, path: Path, dataset: Dataset) -> str:
    """What LLaMA-Factory wants to know of a file, to be copied."""
    chats = dataset.surveys.chats
    beside = {"system": chats.chats > chats.without_system, "tools": chats.acts.declared, "images": chats.acts.pictured}
    entry = dataset_info(path.stem, dialect, path.name, [key for key, there in beside.items() if there])
    return f"the entry in LLaMA-Factory's dataset_info.json: {json.dumps(entry, ensure_ascii=False)[1:-1]}"


def _converting(
    plan: Plan, dataset: Dataset, to: Shape, recipe: Recipe, system: str, lossy: bool
) -> tuple[Plan, tuple[Mend, ...]]:
    """The plan that makes examples of the shape `to`, and what is done to each."""
    setting = replace(plan.setting, becomes=to.name, writes=(to.dialect,), lossy=lossy)
    mends: tuple[Mend, ...] = ()
    if to.name == "completion":
        single = dataset.surveys.chats.single == dataset.surveys.chats.chats
        turns = recipe.turns or (Turns(user="", assistant="", between="") if single else Turns())
        setting = replace(setting, recipe=recipe.model_copy(update={"turns": turns}))
        mends = _as_the_recipe_says(recipe)
    elif to.name == "chat":
        mends = conversations(dataset, system)
    return replace(plan, setting=setting), mends


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
            writing = replace(split_by(plan, before), judges=False, verbatim=True)
            with Trip(plan, keeping, before, NOTHING, writing, names, outputs) as trip:
                return trip.commit()
