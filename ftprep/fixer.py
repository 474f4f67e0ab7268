"""Mend JSONL files where they stand: the rules' own fixes, line by line, with a diff that says exactly what changes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftprep.addresses import is_remote
from ftprep.decisions import Decide, Decisions
from ftprep.disk import shown
from ftprep.errors import UsageError
from ftprep.executors import Executor
from ftprep.finish import finish
from ftprep.lines import Writing
from ftprep.model import Chunk
from ftprep.partial import Output
from ftprep.pipeline import Progress, Run, Source, look_over, run_plan, settings
from ftprep.plan import Plan, make_plan
from ftprep.preparer import MOST_TRIPS
from ftprep.readers.base import Options, Table
from ftprep.recipe import Recipe
from ftprep.report import Report
from ftprep.shapes.base import Shape
from ftprep.shapes.completion import PairShape
from ftprep.standing import backup_name
from ftprep.writer import OutputSet, tidy


@dataclass(frozen=True)
class Change:
    """One physical line (1-based) of a file and what becomes of it; `new` is None where the line goes.

    `ended` is False for a last line without a line end, which is not given one.
    """

    line: int
    old: bytes
    new: bytes | None
    ended: bool = True


@dataclass(frozen=True)
class FixedFile:
    """One file: its path as given, what changes in it, and where it stands as it was, if that was asked for."""

    path: Path
    changes: tuple[Change, ...]
    backup: Path | None = None

    def diff(self) -> Iterator[str]:
        """The changes as a unified diff without context, which `patch` can apply."""
        if not self.changes:
            return
        yield f"--- {shown(self.path)}"
        yield f"+++ {shown(self.path)}"
        shift = 0
        for change in self.changes:
            mark = () if change.ended else ("\\ No newline at end of file",)
            if change.new is None:
                yield f"@@ -{change.line} +{change.line + shift - 1},0 @@"
                yield from (f"-{_shown(change.old)}", *mark)
                shift -= 1
            else:
                yield f"@@ -{change.line} +{change.line + shift} @@"
                yield from (f"-{_shown(change.old)}", *mark, f"+{_shown(change.new)}", *mark)


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Fixed:
    """What `fix` did: the files, what was mended (rows by rule code), and the report of what is still to be found."""

    files: tuple[FixedFile, ...]
    mended: dict[str, int]
    after: Report

    @property
    def changed(self) -> bool:
        """Whether any file changed, or would change."""
        return any(f.changes for f in self.files)


def fix(
    source: Source,
    recipe: str | os.PathLike[str] | Mapping[str, Any] | Recipe | None = None,
    *,
    unsafe: bool | Decide = False,
    write: bool = True,
    backup: bool = False,
    options: Options | None = None,
    workers: int | str = "auto",
    executor: str | Executor = "auto",
    address: str = "",
    max_findings: int | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> Fixed:
    """Mend JSONL files in place, as one set: safe fixes, and those `unsafe` allows; a line with a fault stays as it is.

    Only uncompressed JSONL in UTF-8 can be mended in place; `prepare` makes JSONL of everything else. With
    `write=False` nothing is written and the changes are told. With `backup` a file that changes stays beside the new
    one as it was, as NAME.bak or the next name that is free. Raises UsageError for other formats, and FtprepError as
    `check` does.
    """
    # Lines stay lines: what a recipe would make of a conversation is for `prepare`.
    resolved = settings(recipe, **overrides).model_copy(update={"turns": None})
    run = Run(workers, progress, max_findings, options or Options(), executor, address)
    plan = make_plan(source, resolved, run.options, run.kept)
    folders = {Path(os.path.realpath(table.path)).parent for table in plan.tables if table.path}
    if write and sum(map(tidy, folders)):
        plan = make_plan(source, resolved, run.options, run.kept)  # files may be as they were before a run was killed
    for table, shape in zip(plan.tables, plan.shapes, strict=True):
        _refuse(table, shape)
    decisions = Decisions.asked_for(resolved, unsafe)
    with run.staffed(plan) as staffed:
        plan, before = look_over(plan, staffed)
        decisions.take(before.proposals)
        for left in reversed(range(MOST_TRIPS)):
            writing = Writing(in_place=True, **decisions.made())
            mending = plan.with_endings(writing.mends)
            lines = _Lines(mending)
            after = finish(run_plan(mending, staffed, writing, lines.take), mending, written=True)
            if not left or not decisions.take(after.proposals):
                break
        files = lines.settle(write, backup)
        if not any(f.changes for f in files):
            return Fixed(files, {}, before.report)
        report = after.report
        if write:
            report = look_over(make_plan(source, resolved, run.options, run.kept), staffed)[1].report
    return Fixed(files, {code: p.count for code, p in decisions.accepted.items()}, report)


def _refuse(table: Table, shape: Shape | None) -> None:
    if is_remote(table.name):  # its path may be a temporary copy
        message = f"{table.name}: only files on this computer can be mended in place"
        raise UsageError(message, f"`ftprep prepare {table.name} -o FOLDER` writes a mended JSONL file")
    if table.broken and table.format == "jsonl":
        return
    plain = table.format == "jsonl" and not table.compression and table.encoding == "utf-8" and table.path
    if not plain:
        message = f"{table.name}: only plain JSONL files in UTF-8 can be mended in place"
        raise UsageError(message, f"`ftprep prepare {table.name}` writes a mended JSONL file beside it")
    if isinstance(shape, PairShape) and not (shape.prompt.column and shape.completion.column):
        message = f"{table.name}: a text that is made of several columns cannot be mended in place"
        raise UsageError(message, f"`ftprep prepare {table.name}` writes a mended JSONL file beside it")


class _Lines:
    """The lines of one trip, by table."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.new: list[list[tuple[int, bytes | None]]] = [[] for _ in plan.tables]

    def take(self, chunk: Chunk, output: Output) -> None:
        """Keep what becomes of each line that changes."""
        self.new[chunk.source].extend(output.changed)

    def settle(self, write: bool, backup: bool) -> tuple[FixedFile, ...]:
        """Compare all files with what they become, and write that where asked: all of them or none."""
        with OutputSet(in_place=True, inputs=self.plan.files) as outputs:
            files = tuple(self._file(i, outputs if write else None, backup) for i in range(len(self.plan.tables)))
            if write:
                self.plan.refuse_changed()
                outputs.commit()
        return files

    def _file(self, source: int, outputs: OutputSet | None, backup: bool) -> FixedFile:
        """Compare a file with what it becomes, and write that where `outputs` is given and something changes."""
        table = self.plan.tables[source]
        path = Path(os.path.realpath(table.path))  # what a link leads to is mended, and the link stays
        form = _Form.of(table, self.plan.silent)
        changed = dict(self.new[source])
        changes: list[Change] = []
        kept: Path | None = None
        for number, old in _physical_lines(path):
            new = form.mended(number, old, changed)
            if new != old:
                body = None if new is None else new.removesuffix(b"\n")
                changes.append(Change(number, old.removesuffix(b"\n"), body, old.endswith(b"\n")))
        if changes and outputs is not None:
            file = outputs.open(path)
            file.backup = backup_name(path) if backup else ""
            for number, old in _physical_lines(path):
                new = form.mended(number, old, changed)
                if new is not None:
                    file.write_bytes(new)
            kept = path.with_name(file.backup) if backup else None
        return FixedFile(Path(table.name), tuple(changes), kept)


def _physical_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from enumerate(file, 1)


@dataclass(frozen=True)
class _Form:
    """What is mended in the form of lines, whatever they say; a rule that is switched off mends nothing."""

    mark: bool
    returns: bool
    blanks: bool

    @classmethod
    def of(cls, table: Table, silent: frozenset[str]) -> _Form:
        found = {fault.code for _, fault in table.faults} - silent
        return cls("IO102" in found, "IO109" in found, "IO108" not in silent)

    def mended(self, number: int, old: bytes, changed: dict[int, bytes | None]) -> bytes | None:
        """The line with its end, None where it goes; a line end is not added where there is none."""
        end = b"\r\n" if old.endswith(b"\r\n") else b"\n" if old.endswith(b"\n") else b""
        body: bytes | None = old[: len(old) - len(end)]
        is_blank = not old.strip()
        if number in changed and (self.blanks or not is_blank):
            body = changed[number]
        if body is None:
            return None
        if number == 1 and self.mark:
            body = body.removeprefix(b"\xef\xbb\xbf")
        return body + (b"\n" if end and self.returns else end)
