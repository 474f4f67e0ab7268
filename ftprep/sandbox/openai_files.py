"""OpenAI's API of files and of uploads in parts, which Azure's follows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ftprep.sandbox import bounds
from ftprep.sandbox.files import PURPOSES, Files
from ftprep.sandbox.house import Call, House, Reply, page
from ftprep.sandbox.problems import bad


class FilesApi:
    """The handlers: each takes a call and gives a reply, or raises a Refusal."""

    def __init__(self, house: House, files: Files) -> None:
        self.house, self.files = house, files

    def create_file(self, call: Call) -> Reply:
        """POST /files"""
        known = ("purpose", "file", "expires_after[anchor]", "expires_after[seconds]", "expires_after")
        bounds.known_keys(call.form, known)
        purpose = call.form.get("purpose")
        if purpose not in PURPOSES:
            raise bad(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", "purpose")
        if call.upload is None:
            raise bad("'file' is a required property", "file", "missing_required_parameter")
        file = self.files.add(call.upload[0], [call.upload[1]], purpose, _expires(call.form))
        return Reply(self.file_view(file), self.house.profile.upload_status)

    def list_files(self, call: Call) -> Reply:
        """GET /files"""
        order = call.query.get("order", "desc")
        if order not in ("asc", "desc"):
            raise bad(f"Invalid 'order': {order!r} is neither asc nor desc.", "order")
        files = self.files.all()[:: 1 if order == "asc" else -1]
        purpose = call.query.get("purpose")
        kept = [self.file_view(each) for each in files if purpose in (None, "", each["purpose"])]
        shown, more = page(kept, call.query.get("after"), call.limit(10_000, 10_000))
        return Reply(listed(shown, more))

    def get_file(self, call: Call) -> Reply:
        """GET /files/{id}"""
        return Reply(self.file_view(self.files.find(call.names["file_id"], polled=True)))

    def delete_file(self, call: Call) -> Reply:
        """DELETE /files/{id}"""
        self.files.delete(call.names["file_id"])
        return Reply({"id": call.names["file_id"], "object": "file", "deleted": True})

    def file_content(self, call: Call) -> Reply:
        """GET /files/{id}/content"""
        file = self.files.find(call.names["file_id"])
        content = self.house.store.blob(file["id"])
        name = re.sub(r"[^\w.-]", "_", file["filename"], flags=re.ASCII)[-100:]
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Reply(content, 200, "application/octet-stream", headers)

    def file_view(self, file: dict[str, Any]) -> dict[str, Any]:
        """A file in OpenAI's words."""
        shown = {"id": file["id"], "object": "file", "bytes": file["bytes"], "created_at": int(file["created"])}
        shown |= {"filename": file["filename"], "purpose": file["purpose"]}
        shown["status"] = self.house.profile.file_status(file["state"])
        if file["expires"] is not None:
            shown["expires_at"] = file["expires"]
        if file["state"] == "error":
            shown["status_details"] = file["fault"]
        return shown

    # Uploads in parts

    def create_upload(self, call: Call) -> Reply:
        """POST /uploads"""
        bounds.known_keys(call.json, ("filename", "purpose", "bytes", "mime_type", "expires_after"))
        return Reply(self._upload_view(self.files.start_upload(call.json)))

    def add_part(self, call: Call) -> Reply:
        """POST /uploads/{id}/parts"""
        bounds.known_keys(call.form, ("data",))
        if call.upload is None:
            raise bad("'data' is a required property", "data", "missing_required_parameter")
        part = self.files.add_part(call.names["upload_id"], call.upload[1])
        keys = ("id", "created_at", "upload_id")
        return Reply({**{key: part[key] for key in keys}, "object": "upload.part"})

    def complete_upload(self, call: Call) -> Reply:
        """POST /uploads/{id}/complete"""
        bounds.known_keys(call.json, ("part_ids", "md5"))
        upload, file = self.files.complete(call.names["upload_id"], call.json)
        return Reply(self._upload_view(upload) | {"file": self.file_view(file)})

    def cancel_upload(self, call: Call) -> Reply:
        """POST /uploads/{id}/cancel"""
        return Reply(self._upload_view(self.files.cancel_upload(call.names["upload_id"])))

    def _upload_view(self, upload: dict[str, Any]) -> dict[str, Any]:
        keys = ("id", "bytes", "created_at", "filename", "purpose", "status", "expires_at")
        return {"object": "upload", **{key: upload[key] for key in keys}}


def listed(data: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    """A list as OpenAI shows it, with the ids of its ends."""
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": "", "last_id": ""}
    return {"object": "list", "data": data, **ends, "has_more": more}


def _expires(form: Mapping[str, str]) -> Any:
    """`expires_after` of a form: as two fields, or as JSON in one."""
    if "expires_after" in form:
        try:
            return json.loads(form["expires_after"])
        except ValueError:
            return form["expires_after"]
    found = {key[14:-1]: value for key, value in form.items() if key.startswith("expires_after[")}
    return found or None


ROUTES = (
    ("POST", "/files", "create_file"),
    ("GET", "/files", "list_files"),
    ("GET", "/files/{file_id}", "get_file"),
    ("DELETE", "/files/{file_id}", "delete_file"),
    ("GET", "/files/{file_id}/content", "file_content"),
    ("POST", "/uploads", "create_upload"),
    ("POST", "/uploads/{upload_id}/parts", "add_part"),
    ("POST", "/uploads/{upload_id}/complete", "complete_upload"),
    ("POST", "/uploads/{upload_id}/cancel", "cancel_upload"),
)
"""Method, path below the prefix, name of the handler."""
