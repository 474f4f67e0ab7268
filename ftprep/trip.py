"""One time through the data that writes: to a spool first, then, when all is known, to files that appear together."""

from __future__ import annotations

import codecs
import difflib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from ftprep.advice import advice, training_cost
from ftprep.dataset import Dataset
from ftprep.decisions import Decisions
from ftprep.errors import RecipeError
from ftprep.finish import Finished, finish
from ftprep.lines import Writing
from ftprep.manifest import Manifest, ManifestInput, ManifestOutput, Mended, Sides, WrittenRows
from ftprep.mends import Mend, ToChat
from ftprep.naming import Names
from ftprep.outfile import OutputFile
from ftprep.partial import Account, Partial, Places
from ftprep.pipeline import Run, run_plan
from ftprep.plan import Plan
from ftprep.prepared import Prepared
from ftprep.shapes.completion import PairShape
from ftprep.shards import Shards, earlier
from ftprep.splitter import Split, assign
from ftprep.spool import Spool
from ftprep.writer import OutputSet, manifest_bytes

SMALLEST_TO_SPLIT = 50
"""Below this many examples the default share is no measure of anything, so nothing is held back unless asked."""


def split_by(plan: Plan, before: Finished) -> Writing:
    """What a writing run must note of each row for the split that the recipe asks for.

    Raises RecipeError for a column to split by that no record has.
    """
    split = plan.setting.recipe.split
    _known_column(split.group, "group", plan, before)
    _known_column(None if split.stratify in ("auto", "none") else split.stratify, "stratify", plan, before)
    return Writing(
        splits=split.valid != "none",
        group=split.group or "",
        by_class=split.stratify == "auto" and before.dataset.is_classification,
        class_column="" if split.stratify in ("auto", "none") else split.stratify,
        stop=before.dataset.stop.ending,
        by_answer=before.dataset.asks == 1,
    )


def conversations(dataset: Dataset, system: str = "") -> tuple[Mend, ...]:
    """What makes conversations of prompts and completions, without what delimits the two."""
    ending = dataset.separator.ending if dataset.separator.standing != "none" else ""
    stop = dataset.stop.ending if dataset.stop.standing != "none" else ""
    return (ToChat(system, ending, stop),)


def _known_column(name: str | None, key: str, plan: Plan, before: Finished) -> None:
    if name is None or plan.setting.recipe.split.valid == "none" or not before.dataset.examples:
        return
    used = [c for s in plan.shapes if isinstance(s, PairShape) for c in s.columns]
    columns = [*before.dataset.surveys.columns, *used, *(c for t in plan.tables for c in t.header)]
    if name not in columns:
        near = difflib.get_close_matches(name, columns, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"columns: {', '.join(sorted(set(columns))[:20])}"
        raise RecipeError(f"split.{key}: no column is called {name!r}", hint)


class Trip:
    """One time through the data, mending and writing to a spool; `commit` makes files of it, leaving drops it."""

    def __init__(
        self,
        plan: Plan,
        run: Run,
        before: Finished,
        decisions: Decisions,
        writing: Writing,
        names: Names,
        outputs: OutputSet,
        advises: bool = False,
    ) -> None:
        self.advises = advises
        plan = plan.with_endings(writing.mends)
        self.plan, self.before, self.decisions = plan, before, decisions
        self.names, self.outputs = names, outputs
        self.notes: list[str] = []
        folder = outputs.folder(names.one)
        self.spool = Spool(folder) if run.parts is None else Shards(folder, run)
        try:
            self.partial = run_plan(plan, run, writing, self.spool.take)
            self.after = finish(self.partial, plan, written=True)
        except BaseException:
            self.spool.close()
            raise

    def __enter__(self) -> Trip:
        return self

    def __exit__(self, *_: object) -> None:
        self.spool.close()

    def commit(self) -> Prepared:
        """Split, write all files and let them appear together."""
        names, outputs, spool = self.names, self.outputs, self.spool
        self.plan.refuse_changed()
        self.after.dataset.settle()  # all is judged, and a split needs the room
        split = _split(self.plan, spool, self.notes)
        stale = _earlier_outputs(names)
        train = valid = rejected = manifest = None
        written: tuple[Path, ...] = ()
        if len(spool):
            mark = codecs.BOM_UTF8 if self.plan.setting.marks else b""
            train, valid, written = spool.write(outputs, names, split, mark)
        else:
            self.notes.append("no example is left to write")
        if spool.asides:
            rejected = names.rejected
            _write_aside(outputs.open(rejected), spool, self.partial, self.plan)
        rows = _account(self.partial, spool)
        manifest = names.manifest if train else None
        if train or rejected:
            # With --force, what an earlier run wrote and this one does not would mislead beside the new files.
            for path in stale - {*written, rejected, manifest}:
                outputs.remove(path)
            outputs.commit((manifest, lambda made: _manifest(self, rows, split, made)) if manifest else None)
        return Prepared(
            before=self.before.report,
            after=self.after.report,
            train=train,
            valid=valid,
            rejected=rejected,
            manifest=manifest,
            rows=rows,
            mended={code: p.count for code, p in sorted(self.decisions.accepted.items())},
            split=split,
            accepted=tuple(self.decisions.accepted.values()),
            declined=tuple(self.decisions.declined.values()),
            notes=tuple(self.notes),
            advice=advice(self.after.dataset, training_cost(self.after.dataset, split)) if self.advises else (),
        )


def _split(plan: Plan, spool: Spool, notes: list[str]) -> Split | None:
    split = plan.setting.recipe.split
    count = len(spool)
    if split.valid == "none" or not count:
        return None
    if "valid" not in split.model_fields_set and count < SMALLEST_TO_SPLIT:
        notes.append(f"{count} examples are too few to hold some back; --valid SHARE does it all the same")
        return None
    first, _ = next(spool.units())
    if "valid" not in split.model_fields_set and all(unit == first for unit, _ in spool.units()):
        notes.append("all examples share one prompt or group, so none can be held back")
        return None
    made = assign(spool.units(), valid=split.valid, seed=split.seed)
    notes.extend(made.notes)
    return made


def _write_aside(file: OutputFile, spool: Spool, partial: Partial, plan: Plan) -> None:
    places = Places(plan, partial.chunks)
    for aside in spool.aside():
        number, table = places.record(aside.chunk, aside.offset), plan.tables[partial.chunks[aside.chunk].source]
        place: dict[str, Any] = {"source": table.name, "line": aside.line, "record": number}
        if table.sheet:
            place["sheet"] = table.sheet
        line = {
            "place": place,
            "codes": list(dict.fromkeys(f.code for f in aside.faults)),
            "messages": list(dict.fromkeys(f.message for f in aside.faults)),
            "record": _as_it_was(aside.record),
        }
        file.write(msgspec.json.encode(line))


def _as_it_was(record: bytes) -> Any:
    # A record that is JSON goes in as JSON, byte for byte; anything else as text, odd bytes as escapes.
    try:
        value = msgspec.json.decode(record)
        return value if b"\n" in record.strip() else msgspec.Raw(record.strip())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return record.decode("utf-8", "backslashreplace")


def _account(partial: Partial, spool: Spool) -> dict[str, int]:
    total = Account()
    for account in partial.accounts.values():
        total.merge(account)
    written = spool.records
    return {
        "read": total.read,
        "written": written,
        "rejected": total.read - total.skipped - written,
        "skipped": total.skipped,
        "examples": len(spool),
    }


def _manifest(trip: Trip, rows: dict[str, int], split: Split | None, made: dict[str, Any]) -> bytes:
    recipe, plan = trip.plan.setting.recipe, trip.plan
    manifest = Manifest(
        inputs=tuple(
            ManifestInput(path=i.path, format=i.format, sheet=i.sheet, bytes=i.bytes, sha256=i.sha256, rows=i.rows)
            for i in trip.before.report.inputs
        ),
        outputs=tuple(ManifestOutput(**o | {"path": Path(o["path"]).name}) for o in made["outputs"]),
        rows=WrittenRows(**rows),
        recipe=recipe.model_dump(mode="json", by_alias=True, exclude_none=True),
        seed=recipe.split.seed,
        split=Sides(train=split.train, valid=split.valid) if split else None,
        encoding=plan.setting.encoding,
        rules=tuple(r.card.code for r in plan.rules),
        mended=tuple(
            Mended(code=p.code, applicability=p.safety, message=p.message, rows=p.count)
            for p in trip.decisions.accepted.values()
        ),
        findings=trip.after.report.counts(),
        versions={"python": platform.python_version(), "tiktoken": version("tiktoken")},
    )
    return manifest_bytes(manifest.model_dump(mode="json"))


def _earlier_outputs(names: Names) -> set[Path]:
    known = (names.one, names.train, names.valid, names.rejected, names.manifest, *earlier(names))
    return {p for p in known if p.is_file()}
