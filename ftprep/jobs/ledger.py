"""The ledger: what was asked for and how far it got, on disk before each step, so that no job is made twice or lost.

One folder a job, named by its key; in it one file an attempt (`0.json`, `1.json`: a second job on purpose, or after one
that failed), each replaced whole and synced. Files that were uploaded have entries of their own, by content and place.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from ftprep.disk import TEMP_SUFFIX, shown, sync_folder, told
from ftprep.errors import ReadError, UsageError, WriteError
from ftprep.jobs.model import TERMINAL, Job, Status
from ftprep.lock import FolderLock
from ftprep.redaction import without_keys, without_keys_in_use

FOLDER = Path(".ftprep") / "jobs"
VARIABLE = "FTPREP_JOBS"
SCHEMA = 1

State = Literal["intent", "sending", "created", "unknown", "refused"]
"""intent: nothing is sent; sending: the request may be on its way; created: its job is known; unknown: it was looked
for and not found; refused: the provider said no."""


def write_durably(path: Path, data: bytes) -> None:
    """Put a file in place whole and on disk, its name too. Raises WriteError."""
    temp = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}{TEMP_SUFFIX}")
    with told(path):
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(temp, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temp, path)  # noqa: PTH105
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                temp.unlink()
            raise


@dataclass(frozen=True)
class Entry:
    """One attempt. `spec` and `connection` are enough to go on without what was on the command line; no key is in it.

    `sent_at` is when the last request went out (seconds since 1970), `notes` say what happened when.
    """

    base: str
    attempt: int
    key: str
    state: State
    provider: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    job_id: str = ""
    status: Status = "unknown"
    model_out: str = ""
    error: str = ""
    made_at: float = 0
    sent_at: float = 0
    sendings: int = 0
    classification: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    schema_version: int = SCHEMA

    @property
    def is_over(self) -> bool:
        """Whether the job ended without a model, so that it stands in the way of no other."""
        return self.state == "created" and self.status in ("failed", "cancelled")

    def noted(self, what: str) -> Entry:
        """The same with a note of now."""
        return replace(self, notes=(*self.notes[-99:], f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}"))

    def seen(self, job: Job) -> Entry:
        """The same with what was seen of its job."""
        if self.status in TERMINAL and not job.done:
            return self  # an older answer
        return replace(self, status=job.status, model_out=job.model_out or self.model_out, error=job.error)

    def job(self, ledger: str = "") -> Job:
        """The job as it was last seen."""
        return Job(
            self.job_id,
            self.provider,
            self.status,
            model=str(self.spec.get("model", "")),
            model_out=self.model_out,
            error=self.error,
            key=self.key,
            ledger=ledger,
        )


class Ledger:
    """A folder of entries: `.ftprep/jobs` here, unless FTPREP_JOBS or the caller names another."""

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = Path(folder or os.environ.get(VARIABLE) or FOLDER)

    @contextmanager
    def locked(self, base: str) -> Iterator[Path]:
        """The folder of a job, for one process at a time. Raises WriteError when another works on it."""
        folder = self._made(self.folder / base)
        lock = FolderLock(folder)
        try:
            yield folder
        finally:
            lock.release()

    def _made(self, folder: Path) -> Path:
        if not folder.is_dir():
            with told(folder):
                folder.mkdir(parents=True, exist_ok=True)
                note = self.folder / ".gitignore"
                if not note.exists():
                    note.write_text("*\n", encoding="utf-8")
                sync_folder(folder.parent)
                sync_folder(self.folder.parent)
        return folder

    def save(self, entry: Entry) -> Entry:
        """Write an entry durably; returns it. No key gets into it."""
        said = asdict(entry) | {
            "error": without_keys(entry.error)
        }  # what is noted of trouble went through there before
        data = without_keys_in_use(json.dumps(said, indent=2)).encode()
        write_durably(self._made(self.folder / entry.base) / f"{entry.attempt}.json", data + b"\n")
        return entry

    def load(self, base: str, attempt: int) -> Entry | None:
        """One attempt, None where there is none. Raises ReadError."""
        path = self.folder / base / f"{attempt}.json"
        return _read(path) if path.exists() else None

    def attempts(self, base: str) -> list[Entry]:
        """All attempts at one job, in order."""
        numbers = sorted(int(p.stem) for p in (self.folder / base).glob("*.json") if p.stem.isdigit())
        return [_read(self.folder / base / f"{number}.json") for number in numbers]

    def entries(self) -> list[Entry]:
        """All entries, newest first."""
        bases = sorted(p.name for p in self.folder.glob("*") if len(p.name) == 32 and p.is_dir())
        return sorted((e for base in bases for e in self.attempts(base)), key=lambda e: -e.made_at)

    def find(self, name: str | None) -> Entry | None:
        """The entry of a job by its id, its key or the beginning of either; the newest where no name is given.

        Raises UsageError where several begin so.
        """
        entries = self.entries()
        if name is None:
            return entries[0] if entries else None
        exact = [e for e in entries if name in (e.job_id, e.key)]
        if exact:
            return exact[0]
        found = [e for e in entries if len(name) > 3 and (e.key.startswith(name) or e.job_id.startswith(name))]
        if len(found) > 1:
            message = f"{name!r} begins the names of {len(found)} jobs"
            raise UsageError(message, "give more of it; `ftprep jobs list` has them")
        return found[0] if found else None

    def beside(self, entry: Entry, ending: str) -> Path:
        """A file of its own beside an entry, such as the events that were shown."""
        return self._made(self.folder / entry.base) / f"{entry.attempt}.{ending}"

    def file(self, place: str, sha256: str) -> KeptFile:
        """What is known of a file of this content at a provider (`place`)."""
        import hashlib

        name = hashlib.sha256(f"{place} {sha256}".encode()).hexdigest()[:24]
        return KeptFile(self._made(self.folder / "files") / f"{name}.json")


@dataclass(frozen=True)
class KeptFile:
    """The entry of an uploaded file: its id, or the parts that are sent."""

    path: Path

    def load(self) -> dict[str, Any]:
        """What was kept; empty where nothing was, or it cannot be read: the file is then looked for, or sent again."""
        with suppress(OSError, ValueError):
            said = json.loads(self.path.read_bytes())
            return said if isinstance(said, dict) else {}
        return {}

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep it durably. Raises WriteError."""
        write_durably(self.path, json.dumps(dict(state)).encode())


_FIELDS = {each.name for each in fields(Entry)}


def _read(path: Path) -> Entry:
    hint = "it must not be guessed at: restore the file, or look at your account for the job and remove it"
    try:
        said = json.loads(path.read_bytes())
        if said["schema_version"] > SCHEMA:
            raise WriteError(f"{shown(path)} was written by a newer ftprep", "use that one")
        known = {name: value for name, value in said.items() if name in _FIELDS}
        return Entry(**(known | {"notes": tuple(known.get("notes", ()))}))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ReadError(f"{shown(path)}: not an entry of the ledger: {type(error).__name__}", hint) from None
