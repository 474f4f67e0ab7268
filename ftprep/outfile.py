"""One file on its way: written beside its target, synced, renamed; what stood there is kept until all is done."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from ftprep.disk import TEMP_SUFFIX, told
from ftprep.journal import Step
from ftprep.standing import is_same, keep_standing, link_or_copy

BUFFER_BYTES = 1 << 20


class Place:
    """A name that changes at the commit, and what stands there now: it is kept until the commit is done."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path, self.target = path, target
        self.backup, self._has_backup = "", False
        # 40 characters of the name are at most 160 of the 255 bytes that a name may have
        self._aside = f".{target.name[:40]}.{secrets.token_hex(8)}"
        self._old = target.with_name(f"{self._aside}.old{TEMP_SUFFIX}")

    def step(self) -> Step:
        """What a journal says of it: without a hash, that the file goes."""
        return Step(self.target.name, self._old.name, os.path.lexists(self.target), 0, "", self.backup)

    def keep_old(self) -> None:
        """Make a second link to the file to be replaced (a copy where there are no links), so that it can come back."""
        with told(self.path):
            if self.target.is_symlink():
                self._old.symlink_to(self.target.readlink())
            elif self.target.exists():
                link_or_copy(self.target, self._old)
                if self.backup:
                    link_or_copy(self.target, self.target.with_name(self.backup))
                    self._has_backup = True

    def publish(self) -> None:
        """Make the name what it is to become. Raises WriteError."""
        with told(self.path):
            self.target.unlink(missing_ok=True)

    def restore(self) -> bool:
        """Undo publish and keep_old, if they happened; return whether the target is as it was before."""
        with suppress(OSError):
            if os.path.lexists(self._old):
                self._put_back()
            backup = self.target.with_name(self.backup or self._old.name)
            if self._has_backup or is_same(backup, self.target):
                backup.unlink(missing_ok=True)
            return True
        return False

    def _put_back(self) -> None:
        if not os.path.lexists(self.target):
            os.replace(self._old, self.target)  # noqa: PTH105 - the one call that tests make fail

    def discard(self) -> None:
        """Remove what was kept."""
        with suppress(OSError):
            self._old.unlink(missing_ok=True)


class OutputFile(Place):
    """A file on its way: `path` as the user gave it, `rows` and `size` in bytes so far. OutputSet.open() makes it."""

    def __init__(self, path: Path, target: Path) -> None:
        super().__init__(path, target)
        self.rows = self.size = 0
        self._sha256, self._buffer = hashlib.sha256(), bytearray()
        self._temp = target.with_name(self._aside + TEMP_SUFFIX)
        with told(path):
            info = target.lstat() if os.path.lexists(target) else None
            self._was = info if info and stat.S_ISREG(info.st_mode) else None  # None: as the umask says
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._fd = os.open(self._temp, flags, 0o666 if self._was is None else 0o600)

    def write(self, line: bytes) -> None:
        """Write one record and count a row; a line that does not end in a newline gets one. Raises WriteError."""
        self.write_bytes(line if line.endswith(b"\n") else line + b"\n")
        self.rows += 1

    def write_lines(self, data: bytes, rows: int) -> None:
        """Write whole lines, each with its line end, and count them. Raises WriteError."""
        self.write_bytes(data)
        self.rows += rows

    def write_bytes(self, data: bytes) -> None:
        """Write `data` as it is, no row counted. Raises WriteError."""
        if self._fd < 0:
            raise ValueError("the output file is closed", self.path)
        self._buffer += data
        self.size += len(data)
        if len(self._buffer) >= BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        self._sha256.update(data)
        try:
            with told(self.path):
                while data:
                    data = data[os.write(self._fd, data) :]
        except BaseException:
            self.discard()  # what is on disk ends somewhere: nothing may follow it
            raise

    def finish(self) -> None:
        """Put all on disk and close: the temporary file is whole then. Raises WriteError."""
        self._flush()
        with told(self.path):
            if self._was is not None:
                keep_standing(self.target, self._was, self._temp, self._fd)
            os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)

    def step(self) -> Step:
        """What a journal says of it."""
        made = self.summary()
        was_there = os.path.lexists(self.target)
        return Step(self.target.name, self._old.name, was_there, made["bytes"], made["sha256"], self.backup)

    def publish(self) -> None:
        """Rename the temporary file to its target. Raises WriteError."""
        with told(self.path):
            os.replace(self._temp, self.target)  # noqa: PTH105

    def _put_back(self) -> None:
        if not os.path.lexists(self._temp):
            os.replace(self._old, self.target)  # noqa: PTH105

    def restore(self) -> bool:
        """Undo publish, if it happened; return whether the target is as it was before."""
        if not os.path.lexists(self._old) and not os.path.lexists(self._temp):
            with suppress(OSError):
                self.target.unlink(missing_ok=True)
                return True
            return False
        return super().restore()

    def discard(self) -> None:
        """Remove what is left of the temporary files; a published target stays."""
        fd, self._fd = self._fd, -1
        with suppress(OSError):
            os.close(fd)
        with suppress(OSError):
            self._temp.unlink(missing_ok=True)
        super().discard()

    def summary(self) -> dict[str, Any]:
        """Return what a manifest says of the finished file: path, sha256 in hex, bytes, rows."""
        return {"path": str(self.path), "sha256": self._sha256.hexdigest(), "bytes": self.size, "rows": self.rows}
