"""Files and uploads in parts, as OpenAI's API has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import IO, Any

from ftprep.sandbox.house import House, new_id
from ftprep.sandbox.problems import Refusal, bad, missing

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
UPLOAD_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data")
MOST_FILE = 512 << 20
MOST_PART = 64 << 20
MOST_UPLOAD = 8 << 30
UPLOAD_SECONDS = 3600
_HEAD = 1 << 16


class Files:
    """What was uploaded, and what the sandbox made itself."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._store = house.store
        self._lock = house.store.lock

    def add(
        self,
        name: str,
        sources: Sequence[IO[bytes]],
        purpose: str,
        expires: Any = None,
        *,
        file_id: str = "",
        most: int = MOST_FILE,
        md5: Any = None,
    ) -> dict[str, Any]:
        """Keep as a file what the sources hold; `expires` is OpenAI's `expires_after`, `md5` what is to come out."""
        seconds = _seconds(expires)
        house, file_id = self._house, file_id or new_id("file-", 22)
        blob = self._store.write_blob(file_id, *sources)
        refused: Refusal | None = None
        if blob.size == 0:
            refused = bad("File is empty.", "file", "empty_file")
        elif blob.size > most:
            refused = Refusal(413, f"File is too large: {blob.size} bytes, at most {most} are taken", None, "file")
        elif md5 not in (None, blob.md5):
            refused = bad(f"The md5 of the parts is {blob.md5}, not {md5}", "md5")
        if refused is not None:
            self._store.delete_blob(file_id)
            raise refused
        file: dict[str, Any] = {"id": file_id, "bytes": blob.size, "created": house.clock(), "filename": name or "file"}
        file |= {"purpose": purpose, "sha256": blob.sha256, "polls": 0, "state": "uploaded"}
        file["expires"] = None if seconds is None else int(file["created"]) + seconds
        file["fault"] = self._fault(file_id) if purpose == "fine-tune" else ""
        with self._lock:
            self._store.put("file", file)
            self._house.journal.note("made", kind="file", id=file_id, bytes=blob.size, sha256=blob.sha256)
            return self._fresh(file)

    def _fault(self, file_id: str) -> str:
        """Why a file is no JSONL at all, "" where it is; its records are looked at when a job names it."""
        with self._store.blob(file_id).open("rb") as source:
            head = source.read(_HEAD)
        line = next((each for each in head.splitlines() if each.strip(b"\xef\xbb\xbf \t\r")), b"")
        with suppress(ValueError, RecursionError):
            if isinstance(json.loads(line.decode("utf-8-sig")), dict):
                return ""
        if len(line) == len(head) == _HEAD and line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
            return ""  # one long record
        start = line[:40].decode("utf-8", "replace")
        wanted = "Expected file to have JSONL format, where every line is a JSON dictionary."
        return f"{wanted} Line 1 is not a dictionary (HINT: line starts with: {start!r})"

    def _fresh(self, file: dict[str, Any], polled: bool = False) -> dict[str, Any]:
        """The file as it is by now."""
        house = self._house
        if file["state"] == "uploaded":
            file["polls"] += polled
            age = file["polls"] if house.pace.by == "polls" else house.clock() - file["created"]
            if age >= house.file_delay:
                file["state"] = "error" if file["fault"] else "processed"
            self._store.put("file", file)
        return file

    def find(self, file_id: str, param: str = "id", polled: bool = False) -> dict[str, Any]:
        """A file; raises 404 for one that there is not, or no more."""
        with self._lock:
            file = self._store.get("file", file_id)
            if file is None or self._is_over(file):
                raise missing("File object", file_id, param, None)
            return self._fresh(file, polled)

    def _is_over(self, file: dict[str, Any]) -> bool:
        return file["expires"] is not None and self._house.clock() >= file["expires"]

    def all(self) -> list[dict[str, Any]]:
        """All files that there are, oldest first."""
        with self._lock:
            return [self._fresh(each) for each in self._store.all("file") if not self._is_over(each)]

    def delete(self, file_id: str) -> None:
        """Let a file go."""
        with self._lock:
            self.find(file_id)
            self._store.delete("file", file_id)
            self._store.delete_blob(file_id)

    def update(self, file: dict[str, Any]) -> None:
        """Keep what has changed of a file."""
        with self._lock:
            self._store.put("file", file)

    # Uploads in parts

    def start_upload(self, body: dict[str, Any]) -> dict[str, Any]:
        """An upload to which parts can be added."""
        size, purpose, name = body.get("bytes"), body.get("purpose"), body.get("filename")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= MOST_UPLOAD:
            raise bad(f"Invalid 'bytes': an integer from 1 to {MOST_UPLOAD} is wanted.", "bytes")
        if purpose not in UPLOAD_PURPOSES:
            raise bad(f"Invalid 'purpose': {purpose!r}; one of {', '.join(UPLOAD_PURPOSES)}.", "purpose")
        for key in ("filename", "mime_type"):
            if not isinstance(body.get(key), str) or not body[key]:
                raise bad(f"You must provide a {key} parameter", key, "missing_required_parameter")
        _seconds(body.get("expires_after"))
        upload = {"id": new_id("upload_"), "bytes": size, "purpose": purpose, "filename": name, "status": "pending"}
        upload |= {"created_at": self._house.now, "expires_at": self._house.now + UPLOAD_SECONDS}
        upload["expires_after"] = body.get("expires_after")
        self._store.put("upload", upload)
        return upload

    def find_upload(self, upload_id: str, pending: bool = False) -> dict[str, Any]:
        """An upload; with `pending`, one that is still open."""
        with self._lock:
            upload = self._store.get("upload", upload_id)
            if upload is None:
                raise missing("Upload", upload_id, "upload_id")
            if upload["status"] == "pending" and self._house.clock() >= upload["expires_at"]:
                upload["status"] = "expired"
                self._store.put("upload", upload)
                self._drop_parts(upload_id)
            if pending and upload["status"] != "pending":
                raise bad(f"Upload {upload_id} is {upload['status']}, not pending", "upload_id")
            return upload

    def add_part(self, upload_id: str, source: IO[bytes]) -> dict[str, Any]:
        """Keep one part; in which order they belong is said at the end."""
        with self._lock:
            upload = self.find_upload(upload_id, pending=True)
            part_id = new_id("part_")
            blob = self._store.write_blob(part_id, source)
            held = sum(each["bytes"] for each in self._store.all("part", upload_id))
            if not 0 < blob.size <= MOST_PART or held + blob.size > upload["bytes"]:
                self._store.delete_blob(part_id)
                raise bad(f"A part of {blob.size} bytes does not fit: 1 to {MOST_PART}, and in all {upload['bytes']}")
            part = {"id": part_id, "upload_id": upload_id, "created_at": self._house.now, "bytes": blob.size}
            self._store.put("part", part, upload_id)
            return part

    def complete(self, upload_id: str, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Make a file of the parts, in the order given; the upload and the file."""
        with self._lock, ExitStack() as stack:
            upload = self.find_upload(upload_id, pending=True)
            wanted, parts = body.get("part_ids"), {each["id"]: each for each in self._store.all("part", upload_id)}
            if not isinstance(wanted, list) or not wanted:
                raise bad("You must provide part_ids, the ordered list of parts", "part_ids")
            if wrong := [each for each in wanted if not isinstance(each, str) or each not in parts]:
                raise bad(f"No such part of {upload_id}: {wrong[0]!r}", "part_ids")
            if len(set(wanted)) < len(wanted):
                raise bad("A part is named twice", "part_ids")
            if (size := sum(parts[each]["bytes"] for each in wanted)) != upload["bytes"]:
                raise bad(f"The parts have {size} bytes, and {upload['bytes']} were announced", "part_ids")
            sources = [stack.enter_context(self._store.blob(each).open("rb")) for each in wanted]
            with self._store.transaction():
                about = upload["filename"], sources, upload["purpose"], upload["expires_after"]
                file = self.add(*about, most=MOST_UPLOAD, md5=body.get("md5"))
                upload |= {"status": "completed", "file": file["id"]}
                self._store.put("upload", upload)
            self._drop_parts(upload_id)
            return upload, file

    def cancel_upload(self, upload_id: str) -> dict[str, Any]:
        """Let an upload and its parts go."""
        with self._lock:
            upload = self.find_upload(upload_id, pending=True)
            upload["status"] = "cancelled"
            self._store.put("upload", upload)
            self._drop_parts(upload_id)
            return upload

    def _drop_parts(self, upload_id: str) -> None:
        for part in self._store.all("part", upload_id):
            self._store.delete_blob(part["id"])
            self._store.delete("part", part["id"])


def _seconds(expires: Any) -> int | None:
    """What `expires_after` says, in seconds."""
    if expires is None:
        return None
    seconds = expires.get("seconds") if isinstance(expires, dict) else None
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds)  # a field of a form
    if not isinstance(seconds, int) or expires.get("anchor") != "created_at" or not 3600 <= seconds <= 2_592_000:
        wanted = "{'anchor': 'created_at', 'seconds': 3600 to 2592000}"
        raise bad(f"Invalid 'expires_after': {wanted} is wanted.", "expires_after")
    return seconds
