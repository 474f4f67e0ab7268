"""Tells whole sets from mixed ones: every file that a manifest names against its size, hash and rows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ftprep.addresses import is_remote
from ftprep.disk import open_regular, shown
from ftprep.errors import ReadError
from ftprep.foreign import words_of
from ftprep.journal import is_cut_off
from ftprep.manifest import Manifest, ManifestInput, ManifestOutput
from ftprep.version import __version__

SCHEMA_VERSION = 1
"""The newest form of a manifest that is known here."""

MOST_BYTES = 256 << 20
"""Bytes of a manifest; one of 99,999 shards on each side has 40 MB."""

_SHARD = re.compile(r"(.*)-[0-9]{5}-of-[0-9]{5}(\.jsonl)", re.DOTALL)
_PATHS = "name the .manifest.json that prepare, convert or split wrote"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VerifiedOutput(_Value):
    """One written file, by its name beside the manifest, and in words how it differs from what was written."""

    path: str
    state: Literal["whole", "missing", "differs", "unreadable"]
    rows: int | None = None
    bytes: int | None = None
    told: str = ""


class VerifiedInput(_Value):
    """One input: whether it is still what was read. Remote ones and data in memory are not looked at."""

    path: str
    state: Literal["same", "changed", "gone", "not looked at"]


class Verified(_Value):
    """What stands beside a manifest. `whole`: all outputs are those that it was written for, and its account adds up.

    `troubles` says what does not, in sentences; `notes` what is worth knowing of a whole set too.
    """

    manifest: str
    version: str
    whole: bool
    outputs: tuple[VerifiedOutput, ...]
    inputs: tuple[VerifiedInput, ...]
    troubles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def verify(path: str | os.PathLike[str]) -> Verified:
    """Hold the files beside a manifest against it. Raises ReadError for what is no manifest that can be read."""
    place = Path(path)
    manifest = _manifest(place)
    outputs = tuple(_output(place.parent, one) for one in manifest.outputs)
    inputs = tuple(_inputs(place.parent, manifest.inputs))
    troubles = [*_account(manifest), *_strangers(place.parent, manifest)]
    broken = sum(one.state != "whole" for one in outputs)
    if broken and broken < len(outputs) and all(one.state in ("whole", "differs") for one in outputs):
        troubles.append(f"{broken} of {len(outputs)} files are from another run, or were changed since")
    if broken and is_cut_off(place.parent):
        told = f"a run is writing to {shown(place.parent)}, or was cut off while it put its files in place"
        troubles.append(f"{told}; the next one there puts the old files back")
    changed = [one.path for one in inputs if one.state == "changed"]
    notes = [f"{name} has changed since" for name in dict.fromkeys(changed)]
    return Verified(
        manifest=str(place),
        version=manifest.tool.version,
        whole=not broken and not troubles,
        outputs=outputs,
        inputs=inputs,
        troubles=tuple(troubles),
        notes=tuple(notes),
    )


def _manifest(place: Path) -> Manifest:
    """The manifest in a file; raises ReadError."""
    try:
        with open_regular(place) as file:
            data = file.read(MOST_BYTES + 1) if os.fstat(file.fileno()).st_size <= MOST_BYTES else b""
    except (OSError, ValueError) as error:
        raise ReadError(f"cannot read {shown(place)}: {words_of(error)}", _PATHS) from error
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise _refusal(place, data, error) from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise _newer(place, manifest.schema_version, manifest.tool.version)
    return manifest


def _refusal(place: Path, data: bytes, error: ValidationError) -> ReadError:
    """Why the text is no manifest, or one of a later version."""
    import json

    try:
        said = json.loads(data)
        version, tool = said["schema_version"], said["tool"]
        if tool["name"] == "ftprep" and isinstance(version, int):
            if version > SCHEMA_VERSION or tool["version"] != __version__:
                return _newer(place, version, str(tool["version"]))
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "it"
            return ReadError(f"{shown(place)} was changed: {where}: {first['msg']}", "make the set again")
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return ReadError(f"{shown(place)} is no manifest of ftprep", _PATHS)


def _newer(place: Path, form: int, version: str) -> ReadError:
    message = f"{shown(place)} is a manifest of form {form}, by ftprep {version[:40]}; this one is {__version__}"
    return ReadError(message, "use the version that wrote it, or a later one")


def _output(folder: Path, said: ManifestOutput) -> VerifiedOutput:
    if Path(said.path).name != said.path or said.path in ("", ".", ".."):
        return VerifiedOutput(path=said.path, state="unreadable", told="not a name beside the manifest")
    path = folder / said.path
    try:
        size, sha256, lines = _content(path)
    except FileNotFoundError:
        return VerifiedOutput(path=said.path, state="missing", told="missing")
    except (OSError, ValueError) as error:
        return VerifiedOutput(path=said.path, state="unreadable", told=f"cannot be read: {words_of(error)}")
    told = ""
    rows: int | None = lines
    if size != said.bytes:
        told = f"{size:,} bytes, the manifest says {said.bytes:,}"
    elif sha256 != said.sha256:
        told = f"as many bytes, but others: sha256 {sha256[:12]}…, the manifest says {said.sha256[:12]}…"
    elif path.suffix.lower() == ".parquet":
        rows = _parquet_rows(path)
    if not told and rows not in (None, said.rows):
        told = f"{rows:,} rows, the manifest says {said.rows:,}"
    state: Literal["differs", "whole"] = "differs" if told else "whole"
    return VerifiedOutput(path=said.path, state=state, rows=rows, bytes=size, told=told)


def _content(path: Path) -> tuple[int, str, int]:
    """The bytes of a file, their SHA-256 in hex, and the lines; raises OSError for what is no file."""
    size = lines = 0
    last, digest = b"\n", hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            size, last = size + len(block), block[-1:]
            lines += block.count(b"\n")
            digest.update(block)
    return size, digest.hexdigest(), lines + (last != b"\n")


def _parquet_rows(path: Path) -> int | None:
    """The rows that a Parquet file of ours says it has, None where pyarrow is not there to ask."""
    try:
        import pyarrow.parquet as pq
    except ImportError:
        return None
    rows: int = pq.read_metadata(path).num_rows
    return rows


def _inputs(folder: Path, inputs: tuple[ManifestInput, ...]) -> Iterator[VerifiedInput]:
    """Each input against what was read. Paths are as they were given, so they are looked for from here, then there."""
    known: dict[tuple[str, str], Literal["same", "changed", "gone", "not looked at"]] = {}
    for said in inputs:
        key = said.path, said.sha256
        if key not in known:
            known[key] = "gone"
            if not said.sha256 or is_remote(said.path):
                known[key] = "not looked at"
            for path in () if known[key] != "gone" else (Path(said.path), folder / said.path):
                try:
                    size, sha256, _ = _content(path)
                except (OSError, ValueError):
                    continue
                known[key] = "same" if (size, sha256) == (said.bytes, said.sha256) else "changed"
                break
        yield VerifiedInput(path=said.path, state=known[key])


def _account(manifest: Manifest) -> Iterator[str]:
    """What does not add up: read = written + rejected + skipped, for each input and in all."""
    rows = manifest.rows
    if rows.read != rows.written + rows.rejected + rows.skipped:
        yield (
            f"rows: read {rows.read:,}, but written {rows.written:,} + rejected {rows.rejected:,} "
            f"+ skipped {rows.skipped:,}"
        )
    for one in manifest.inputs:
        if one.rows.read != one.rows.loaded + one.rows.rejected + one.rows.skipped:
            yield (
                f"{one.path}: read {one.rows.read:,}, but loaded {one.rows.loaded:,} + rejected "
                f"{one.rows.rejected:,} + skipped {one.rows.skipped:,}"
            )
    if (total := sum(one.rows.read for one in manifest.inputs)) != rows.read:
        yield f"rows: read {rows.read:,}, but {total:,} of all inputs together"
    split = manifest.split
    if split and split.train + split.valid != rows.examples:
        yield f"examples: {rows.examples:,}, but {split.train:,} + {split.valid:,} on the two sides"
    if (total := sum(one.rows for one in manifest.outputs)) != rows.examples + rows.rejected:
        yield f"rows: {rows.examples:,} examples and {rows.rejected:,} rejected, but {total:,} in the files"
    if not manifest.outputs:
        yield "no file is named"


def _strangers(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Shards of another run that stand among these: who reads them by a pattern would get both."""
    ours = {one.path for one in manifest.outputs}
    kinds = {found[1] + found[2] for name in ours if (found := _SHARD.fullmatch(name))}
    if not kinds:
        return
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return
    for name in names:
        found = _SHARD.fullmatch(name)
        if found and found[1] + found[2] in kinds and name not in ours:
            yield f"{name} is a shard of another run"
