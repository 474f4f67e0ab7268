"""What the sandbox keeps: objects in SQLite (WAL), contents as files that appear whole; both outlive a kill."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ftprep.disk import TEMP_SUFFIX, sync_folder, told
from ftprep.errors import ReadError
from ftprep.foreign import words_of
from ftprep.standing import link_or_copy

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
    owner TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS by_owner ON objects (kind, owner, seq);
"""
CHECKING = ".checking-"
"""How the names of folders begin in which files are checked; what a kill leaves of them goes at the next start."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """What is known of a stored content."""

    size: int
    sha256: str
    md5: str


class Store:
    """Objects by kind and id, in the order in which they came; `transaction` makes several changes one.

    `lock` is the one lock of the sandbox: whoever changes several objects holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "contents"
        self.lock = threading.RLock()
        self._depth = 0
        with told(folder):
            self._blobs.mkdir(parents=True, exist_ok=True)
            for left in self._blobs.glob(f"*{TEMP_SUFFIX}"):
                left.unlink(missing_ok=True)
            for folder_left in folder.glob(f"{CHECKING}*"):
                shutil.rmtree(folder_left, ignore_errors=True)
        path = folder / "sandbox.db"
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
        except sqlite3.Error as error:
            hint = "name another folder; what was kept in this one cannot be read"
            raise ReadError(f"{path}: {words_of(error)}", hint) from error

    def close(self) -> None:
        """Put all on disk; the store is of no use after that."""
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes made inside, or none; one thread at a time."""
        with self.lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def put(self, kind: str, body: dict[str, Any], owner: str = "") -> None:
        """Keep an object under its `id`; a new one comes last."""
        sql = "INSERT INTO objects (kind, id, owner, body) VALUES (?, ?, ?, ?)"
        sql += " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"
        with self.lock:
            self._db.execute(sql, (kind, body["id"], owner, json.dumps(body)))

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """The object, None where there is none."""
        with self.lock:
            row = self._db.execute("SELECT body FROM objects WHERE kind = ? AND id = ?", (kind, name)).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str, owner: str = "") -> list[dict[str, Any]]:
        """All of a kind that belong to `owner`, oldest first."""
        sql = "SELECT body FROM objects WHERE kind = ? AND owner = ? ORDER BY seq"
        with self.lock:
            rows = self._db.execute(sql, (kind, owner)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def delete(self, kind: str, name: str) -> None:
        """Let an object go."""
        with self.lock:
            self._db.execute("DELETE FROM objects WHERE kind = ? AND id = ?", (kind, name))

    def blob(self, name: str) -> Path:
        """Where a content is."""
        return self._blobs / hashlib.sha256(name.encode()).hexdigest()[:40]

    def write_blob(self, name: str, *sources: IO[bytes]) -> Blob:
        """Keep what the sources hold, one after the other, as one content that appears whole."""
        path = self.blob(name)
        temp = path.with_name(f"{path.name}.{threading.get_ident()}{TEMP_SUFFIX}")
        size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        try:
            with told(path), temp.open("wb") as out:
                for source in sources:
                    while block := source.read(_BLOCK):
                        out.write(block)
                        sha256.update(block)
                        md5.update(block)
                        size += len(block)
                out.flush()
                os.fsync(out.fileno())
            temp.replace(path)
            sync_folder(self._blobs)
        finally:
            temp.unlink(missing_ok=True)
        return Blob(size, sha256.hexdigest(), md5.hexdigest())

    def copy_blob(self, name: str, new: str) -> None:
        """Keep a content under another name too."""
        with told(self.blob(new)):
            self.blob(new).unlink(missing_ok=True)
            link_or_copy(self.blob(name), self.blob(new))

    def delete_blob(self, name: str) -> None:
        """Let a content go."""
        with suppress(OSError):
            self.blob(name).unlink(missing_ok=True)
