"""A file in the form that a target reads: itself where it has that form, else one that is written beside it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ftprep.disk import shown, sync_folder, told
from ftprep.errors import FtprepError, WriteError
from ftprep.jobs.files import is_jsonl, look_at
from ftprep.jobs.model import DataFile
from ftprep.jobs.preflight import OF_TRAINING
from ftprep.naming import stem_of
from ftprep.report import Report
from ftprep.targets import Target

WRONG_FORM = "FMT175"
"""The code of a set in a form that its target does not read."""


class Lossy(FtprepError):  # noqa: N818 - what a conversion would be
    """A record holds what the target's form has no place for. The exit code is 1."""

    exit_code = 1


@dataclass(frozen=True)
class Formed:
    """A file that the target reads, and what it would not take of it. `form` is the dialect it was converted to, ""
    where nothing had to be; `errors` are lines for people."""

    file: DataFile
    form: str = ""
    errors: tuple[str, ...] = ()


def in_form_of(
    source: Path, target: Target, *, lossy: bool = False, training: bool = True, dry: bool = False
) -> Formed:
    """Hold a file against its target, and convert it to `NAME_TARGET.jsonl` beside it where it has another form.

    Nothing is written where a record cannot be carried over (Lossy; `lossy` leaves out what has no place instead), or
    where that name is taken by a file that this did not write (WriteError). `dry` writes nothing at all.
    """
    report = _checked(source, target, training)
    form = _writable(target) if WRONG_FORM in report.counts() or not is_jsonl(source) else ""
    if not form:
        return Formed(look_at(source), "", _errors(report, lambda row: f"{shown(source)}{f':{row}' if row else ''}"))
    final = source.with_name(f"{stem_of(source.name)}_{target.name}.jsonl")
    with told(source.parent), tempfile.TemporaryDirectory(prefix=".ftprep-", dir=None if dry else source.parent) as own:
        made = Path(own) / final.name
        _convert(source, form, made, lossy)
        # No record was set aside, so the line of one is its number in the source.
        said = f"{shown(source)}, written as {form}"
        errors = _errors(_checked(made, target, training), lambda row: f"{said}, record {row}" if row else said)
        file = look_at(made)
        if not (dry or errors):
            _put(made, final, file, source.name)
    return Formed(DataFile(os.fspath(final), file.sha256, file.bytes, file.rows), form, errors)


def _checked(path: Path, target: Target, training: bool) -> Report:
    from ftprep.pipeline import check

    rules = None if training else {"ignore": OF_TRAINING}
    return check(str(path), target=target.selector, method=target.method, rules=rules)


def _errors(report: Report, where: Callable[[int | None], str]) -> tuple[str, ...]:
    found = [f for f in report.findings if f.severity == "error"]
    lines = [f"{where(f.location.row)}: {f.message} ({f.code})" for f in found[:5]]
    more = sum(r.count for r in report.rules if r.severity == "error") - len(lines)
    return (*lines, *([f"and {more:,} more: `ftprep check` lists them"] if more > 0 else []))


def _writable(target: Target) -> str:
    """The first dialect of the target that can be written, "" where there is none."""
    from ftprep.shapes import dialect_names

    return next((each for each in target.value("record.dialects") or () if each in dialect_names()), "")


def _convert(source: Path, form: str, made: Path, lossy: bool) -> None:
    from ftprep.converter import convert

    done = convert(str(source), form, made, lossy=lossy)
    if not done.rows["rejected"]:
        return
    message = f"{shown(source)}: {done.rows['rejected']:,} of {done.rows['read']:,} records cannot be written as {form}"
    with suppress(OSError, ValueError, KeyError, TypeError, IndexError), (done.rejected or made).open("rb") as lines:
        first = json.loads(lines.readline())
        message = f"{shown(source)}:{first['place']['line']}: {first['messages'][0]}"
        if (others := done.rows["rejected"] - 1) > 0:
            message += f", and {others:,} more records cannot be carried over"
    raise Lossy(message, f"--lossy leaves out what has no place; `ftprep convert --to {form}` sets such records aside")


def _put(made: Path, final: Path, file: DataFile, source: str) -> None:
    """Put file and manifest in place. One that is there with the same content stays."""
    if final.exists():
        there = look_at(final)
        if there.sha256 == file.sha256:
            return
        if not _is_of(final, there.sha256, source):
            message = f"{shown(final)} exists, and is not what was made of {source} before"
            raise WriteError(message, "move it away, or submit a file of another name")
    ending = ".manifest.json"
    os.replace(made, final)  # noqa: PTH105
    os.replace(made.with_name(made.stem + ending), final.with_name(final.stem + ending))  # noqa: PTH105
    sync_folder(final.parent)


def _is_of(final: Path, sha256: str, source: str) -> bool:
    """Whether the manifest beside a file says that it was written so, and of what."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(final.with_name(f"{final.stem}.manifest.json").read_bytes())
        written = [(each["path"], each["sha256"]) for each in said["outputs"]]
        return written == [(final.name, sha256)] and [Path(each["path"]).name for each in said["inputs"]] == [source]
    return False
