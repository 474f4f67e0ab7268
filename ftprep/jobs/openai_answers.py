"""What services of OpenAI's form answer, as our own values: every field may be missing or null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftprep.jobs.model import Event, FileRef
from ftprep.jobs.trouble import Unclear


def plain(value: Any) -> dict[str, Any]:
    """What the package made of an answer, as it was."""
    if isinstance(value, dict):
        return value
    return dict(value.to_dict()) if hasattr(value, "to_dict") else {}


def known(value: Any, needed: str, host: str) -> dict[str, Any]:
    """The same, which must have one thing at least; raises Unclear."""
    said = plain(value)
    if not isinstance(said.get(needed), str) or not said[needed]:
        raise Unclear(f"{host} answered with something that is not what was asked for")
    return said


def number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def file_ref(said: Mapping[str, Any]) -> FileRef:
    status = str(said.get("status") or "processed")
    reason = str(said.get("status_details") or "")
    if status in ("error", "failed", "deleted", "deleting", "canceled", "cancelled"):
        return FileRef(str(said.get("id") or ""), "error", reason or status)
    return FileRef(str(said.get("id") or ""), "ready" if status in ("processed", "succeeded") else "waiting", reason)


def event(said: Mapping[str, Any]) -> Event:
    data = said.get("data")
    return Event(
        number(said.get("created_at")),
        str(said.get("level") or "info"),
        str(said.get("message") or ""),
        data if isinstance(data, dict) else {},
        str(said.get("id") or ""),
    )
