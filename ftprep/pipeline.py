"""The one place that knows the order of a check: settings, plan, fold, report. Loading and counting go the same way."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftprep.addresses import is_remote
from ftprep.beside import beside
from ftprep.engine import Look
from ftprep.errors import ReadError, UsageError
from ftprep.executors import Executor, Job, Processes, executor_for, may_fork
from ftprep.finish import Finished, Hashes, finish, hashes_of
from ftprep.lines import Writing
from ftprep.model import Chat, Chunk, Fault, Pair, Range, Row
from ftprep.partial import Output, Partial
from ftprep.parts import parts_of
from ftprep.plan import Plan, make_plan
from ftprep.readers.base import Options
from ftprep.readers.sources import HEAD_BYTES, open_source
from ftprep.recipe import Recipe, find_recipe, merge, project_settings, resolve
from ftprep.report import Report

if TYPE_CHECKING:
    import pandas as pd

Source = Any
"""A path, several paths, a folder, a glob, a DataFrame, or any iterable of dicts."""

Progress = Callable[[int, int], None]
"""Called with the bytes (or records) done and the bytes in all, 0 where that is not known."""


@dataclass(frozen=True)
class Run:
    """How a run is carried out, apart from what the recipe says. `executor` is a name until the run is staffed.

    Where there is a folder for `parts`, lines and results are kept in it piece by piece, to become `shards` (how many;
    0 by their size). `hashes` gives those of the inputs, as far as they are being made while the work goes on.
    """

    workers: int | str = "auto"
    progress: Progress | None = None
    kept: int | None = None
    options: Options = field(default_factory=Options)
    executor: str | Executor = "auto"
    address: str = ""
    parts: Path | None = None
    shards: int = 0
    hashes: Callable[[], Hashes] = dict

    @contextmanager
    def staffed(self, plan: Plan) -> Iterator[Run]:
        """The same run with its workers, which stay for all trips and leave at the end; an executor that was given
        stays."""
        if not isinstance(self.executor, str):
            yield self
            return
        executor = self._executor(self.executor, sum(t.size for t in plan.tables if t.path))
        hashes: Callable[[], Hashes] = dict
        if isinstance(executor, Processes) and may_fork():
            files = dict.fromkeys(zip((t.path for t in plan.tables), plan.stamps, strict=True))
            hashes = beside(hashes_of, [file for file in files if file[0] and not is_remote(file[0])])
            plan.counter.load(_sample(plan))  # once, for all of them
        try:
            yield replace(self, executor=executor, hashes=hashes)
        finally:
            executor.close()

    def _executor(self, name: str, size: int) -> Executor:
        if self.address and name != "ray":
            message = f"--address {self.address}: only a Ray cluster has one"
            raise UsageError(message, "add --executor ray")
        executor = executor_for(self.workers, size, "auto" if name == "ray" else name)  # refuses wrong numbers
        if name != "ray":
            return executor
        from ftprep.ray_executor import RayExecutor

        return RayExecutor(self.address, self.workers)


def _sample(plan: Plan) -> str:
    """How the largest local file begins, as text, for the choice of what counts tokens."""
    table = max((t for t in plan.tables if t.path and not is_remote(t.path)), key=lambda t: t.size, default=None)
    if table is not None:
        with (
            suppress(Exception),
            open_source(table.path, table.compression) as file,
        ):  # the run itself says what is wrong
            return file.read(HEAD_BYTES).decode(table.encoding or "utf-8", "replace")
    return ""


def settings(recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None, **overrides: Any) -> Recipe:
    """The recipe that holds: the project's configuration, then the recipe by name, file or mapping, then overrides.

    A Recipe stands for itself, without the project's configuration. Overrides that are None are left out. Raises
    RecipeError.
    """
    if isinstance(recipe, Recipe) and not overrides:
        return recipe
    project, origin = ({}, "") if isinstance(recipe, Recipe) else project_settings(Path.cwd())
    if isinstance(recipe, Recipe):
        named: Mapping[str, Any] = recipe.model_dump(by_alias=True, exclude_unset=True)
    elif isinstance(recipe, Mapping) or recipe is None:
        named = recipe or {}
    else:
        named = find_recipe(os.fspath(recipe))
    base = str(project.pop("recipe", "")) if project else ""
    if base and recipe is None:
        project = merge(find_recipe(base), project)
    given = {k: v for k, v in overrides.items() if v is not None}
    where = " + ".join(x for x in (origin, recipe if isinstance(recipe, str) else "recipe") if x)
    return resolve(project, named, given, origin=where)


def run_plan(
    plan: Plan,
    run: Run,
    writing: Writing | None = None,
    take: Callable[[Chunk, Output], None] | None = None,
    counts: bool = True,
) -> Partial:
    """Fold the whole set; `take` gets each chunk's output in order, as soon as it is there.

    `counts` is False for a first look whose tokens nobody needs: what is written is counted when it is written.
    """
    if isinstance(run.executor, str):
        with run.staffed(plan) as staffed:
            return run_plan(plan, staffed, writing, take, counts)
    job: Job[Partial] = Look(plan.shipped(), writing, counts)
    if run.parts:
        job = parts_of(run.parts, job, plan, writing, counts)
    executor, total, done = run.executor, Partial(plan), 0
    size = sum(t.size for t in plan.tables)
    lines: Counter[int] = Counter()
    under_way: deque[tuple[Chunk, int]] = deque()

    def watched() -> Iterator[Chunk]:
        for piece in plan.pieces():
            payload = piece.payload
            # Without the payload: whoever works on it has it, and this is only the place.
            under_way.append((Chunk(piece.number, piece.source, piece.first_line, None), _size(payload)))
            yield piece

    def lost(piece: Chunk) -> Partial:
        return _lost(piece, plan, executor.tries, writing is not None)

    for partial in executor.map(job, watched(), lost):
        chunk, bytes_done = under_way.popleft()
        done += bytes_done
        if partial.lines:
            partial.shift(lines[chunk.source])
            lines[chunk.source] += partial.lines
        if take and partial.output is not None:
            take(chunk, partial.output)
        partial.output = None
        total.merge(partial)
        if run.progress:
            run.progress(done, size)
    run.executor.rest()
    what = "the file changed while it was read; read it again when it is complete"
    total.source_faults += [(source, 1, Fault("IO118", what)) for source in plan.changed()]
    return total


def _size(payload: Any) -> int:
    if isinstance(payload, Range):
        return payload.stop - payload.start
    return len(payload) if isinstance(payload, bytes | list | tuple) else 0


def _lost(piece: Chunk, plan: Plan, tries: int, is_writing: bool) -> Partial:
    """What is seen of a piece of work that killed its worker each time: nothing, and that is said."""
    table = plan.tables[piece.source]
    advice = "did memory run out? try fewer --workers"
    if is_writing:
        message = f"{table.name}: worker processes died {tries} times on the same rows; nothing was written"
        raise ReadError(message, advice)
    partial = Partial(plan)
    lines = sum(c.payload.count(b"\n") for c in plan.opened(piece) if isinstance(c.payload, bytes))
    what = f"worker processes died {tries} times here"
    rows = f"{lines:,} lines from here on are not in this report" if lines else "rows are missing here"
    partial.source_faults.append((piece.source, piece.first_line, Fault("IO123", f"{what}; {rows}; {advice}")))
    if isinstance(piece.payload, Range):
        partial.lines = lines  # of all others the first line is known
    return partial


def audit(source: Source, recipe: Recipe, run: Run) -> tuple[Plan, Finished]:
    """Plan, fold and finish: the plan and what came of it."""
    plan = make_plan(source, recipe, run.options, run.kept)
    with run.staffed(plan) as staffed:
        return look_over(plan, staffed)


def look_over(plan: Plan, run: Run, counts: bool = True) -> tuple[Plan, Finished]:
    """Fold and finish; once more with a wider plan where the data turns out to end otherwise than its heads."""
    partial = run_plan(plan, run, counts=counts)
    wider = plan.widened(partial.surveys)
    if wider is not None:
        plan, partial = wider, run_plan(wider, run, counts=counts)
    return plan, finish(partial, plan, hashes=run.hashes())


def check(
    source: Source,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    options: Options | None = None,
    workers: int | str = "auto",
    executor: str | Executor = "auto",
    address: str = "",
    max_findings: int | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> Report:
    """Audit a set and change nothing; never raises for bad data.

    `source` is a path, a folder, a glob, a list of them, a DataFrame, or an iterable of dicts; `recipe` a name, a file,
    a mapping or a Recipe; `overrides` are keys of a recipe (`task="classification"`, `columns={"prompt": "Text"}`).
    `max_findings` bounds the findings kept of each rule, not their counts. `executor` says where the work is done:
    `inline`, in `processes`, on a `ray` cluster (at `address`; one of its own without), `auto` by the input's size, or
    an Executor, which stays open; the report is the same. Raises FtprepError where nothing can be read or a setting
    does not hold.
    """
    run = Run(workers, progress, max_findings, options or Options(), executor, address)
    return audit(source, settings(recipe, **overrides), run)[1].report


def load(
    source: Source,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    options: Options | None = None,
    **overrides: Any,
) -> pd.DataFrame:
    """The examples of a set as a frame: `prompt`, `completion` and the other columns, or `messages`, `tools` …

    All values are text exactly as it stood (`NA` and `007` included). Records that could not be read are not in the
    frame: a UserWarning says how many, `frame.attrs["rows"]` has the account, and `check` names each. Raises
    FtprepError as `check` does.
    """
    import warnings

    import pandas as pd

    plan = make_plan(source, settings(recipe, **overrides), options or Options())
    look = Look(plan)
    examples: list[dict[str, Any]] = []
    account = {"read": 0, "loaded": 0, "rejected": 0, "skipped": 0}
    broken = [(t.name, line, f) for t in plan.tables for line, f in t.faults if f.code in plan.error_codes]
    for chunk in plan.chunks():
        if isinstance(chunk.payload, Fault):
            broken.append((plan.tables[chunk.source].name, chunk.first_line, chunk.payload))
        rows = look.examples(chunk)
        account["read"] += len(rows)
        account["skipped"] += sum(row.skipped for row in rows)
        account["loaded"] += sum(row.example is not None for row in rows)
        for row in look.expand(rows):
            examples.extend(_as_dicts(row, plan))
    account["rejected"] = account["read"] - account["loaded"] - account["skipped"]
    if broken and not examples:
        name, line, fault = broken[0]
        message = f"{name}:{line}: {fault.message}"
        raise ReadError(message, "`ftprep check` says more")
    for name, line, fault in broken:
        warnings.warn(f"{name}:{line}: {fault.message}", UserWarning, stacklevel=2)
    if account["rejected"]:
        told = f"{account['rejected']:,} of {account['read']:,} records could not be read; ftprep.check names them"
        warnings.warn(told, UserWarning, stacklevel=2)
    frame = pd.DataFrame(examples, dtype=object)
    frame.attrs["rows"] = account
    return frame


def _as_dicts(row: Row, plan: Plan) -> Iterator[dict[str, Any]]:
    import msgspec

    if isinstance(row.example, Pair):
        yield (row.example.extra or {}) | {"prompt": row.example.prompt, "completion": row.example.completion}
    elif isinstance(row.example, Chat):
        yield msgspec.json.decode(plan.writers["chat"].write(row.example))
