"""Pieces that dialects are made of: messages with the way back to where they stand, JSON texts, kinds of pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ftprep.model import Message
from ftprep.shapes.chat import MESSAGE_KEYS

_WIRE = MESSAGE_KEYS - {"name", "weight"}

ROLES = frozenset(("system", "developer", "user", "assistant", "tool", "function"))
_PARTS = ("text", "image_url", "refusal")

KINDS = {"jpg": "jpeg"}
"""Endings of pictures that are not called like their kind (RFC 2046: image/jpeg)."""

MEDIA = "media"
"""Message key that keeps what the address of a picture does not tell: part number to {mimeType, bucketOwner}."""

_ENDING = re.compile(r"\.(jpe?g|png|webp|gif|bmp|heic|heif)(?:[?#].*)?$", re.IGNORECASE | re.DOTALL)
_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]+);base64,(.*)", re.DOTALL)

Places = Mapping[str, str]


class Script:
    """Messages as they are put together, and where in the original record each piece of them stands."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.paths: dict[str, str] = {}

    def add(self, message: Any, origin: str, places: Places | None = None) -> None:
        """A message; `places` are pointers into it, as `/content`, with where that stands in the record."""
        at = f"/messages/{len(self.messages)}"
        self.messages.append(message)
        self.paths[at] = origin
        for inside, where in (places or {}).items():
            self.paths[at + inside] = where


class Content:
    """The parts of one message, and the places that lead back to them."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.places: dict[str, str] = {}

    def add(self, part: Any, origin: str, places: Places | None = None) -> None:
        """A part in wire form."""
        at = f"/content/{len(self.parts)}"
        self.parts.append(part)
        self.places[at] = origin
        for inside, where in (places or {}).items():
            self.places[at + inside] = where

    def keep(self, part: Any, origin: str, form: str) -> None:
        """A part that has no place in the wire form, as it is; one that looks as if it had is not taken for such."""
        disguised = isinstance(part, dict) and part.get("type") in _PARTS
        self.add({f"part of {form}": part} if disguised else part, origin)

    def add_text(self, text: str, origin: str) -> None:
        """A text; it stands under `text` at its origin."""
        self.add({"type": "text", "text": text}, origin)

    def add_image(self, url: str, origin: str, at: str) -> None:
        """A picture, the address of which stands at `at`."""
        above = at.rpartition("/")[0]
        part = {"type": "image_url", "image_url": {"url": url}}
        self.add(part, origin, {"/type": origin, "/image_url": above, "/image_url/url": at})

    def put_into(self, message: dict[str, Any], places: dict[str, str], origin: str) -> None:
        """Set the content of a message: one text as text, no part as no content, all else as a list."""
        if not self.parts:
            return
        text = self.parts[0].get("text") if len(self.parts) == 1 and is_text(self.parts[0]) else None
        if text is not None:
            message["content"] = text
            places["/content"] = self.places["/content/0"] + "/text"
        else:
            message["content"] = self.parts
            places["/content"] = origin
            places.update(self.places)


def beside(said: Mapping[Any, Any], own: Iterable[str], form: str) -> dict[Any, Any]:
    """The keys of a turn that its form does not know. One that the wire form knows is called after the form, so that
    it neither hides what the turn says nor is taken for a part of it."""
    rest = {k: v for k, v in said.items() if k not in own}
    return {f"{k} of {form}" if k in _WIRE else k: v for k, v in rest.items()}


def is_text(part: Any) -> bool:
    """Whether a part is a text in wire form and says nothing else."""
    return isinstance(part, dict) and part.keys() == {"type", "text"} and isinstance(part["text"], str)


def join_text(parts: Iterable[Any]) -> str | None:
    """The one text of a list of parts, None where there is more than one or another."""
    parts = list(parts)
    return parts[0]["text"] if len(parts) == 1 and is_text(parts[0]) else None


def call(name: str, arguments: str, call_id: str) -> dict[str, Any]:
    """A call in wire form."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def name_role(role: Any, known: Mapping[str, str], form: str) -> Any:
    """The role in wire form. What the form does not know must not pass for a role that the wire form knows: it is
    said with the names that the form has."""
    if not isinstance(role, str):
        return role
    if role in ROLES and role not in known:
        return f"{role} ({form} writes {' or '.join(known)})"
    return known.get(role, role)


def say_json(value: Any) -> str | None:
    """A value as JSON text, spelt as Python spells it; None for what JSON has no words for."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None


def read_json(text: str) -> Any:
    """The list or object that a JSON text says, None where it says none."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def read_object(text: str) -> dict[str, Any] | None:
    """The object that a JSON text says, None where it says none."""
    value = read_json(text)
    return value if isinstance(value, dict) else None


def kind_of(url: str) -> str:
    """The MIME type of a picture by the ending of its address, "" where that does not tell."""
    found = _ENDING.search(url[-2000:])
    if not found:
        return ""
    ending = found[1].lower()
    return f"image/{KINDS.get(ending, ending)}"


def open_data_url(url: str) -> tuple[str, str] | None:
    """MIME type and base64 data of a data URL with a picture."""
    found = _DATA_URL.fullmatch(url)
    return (found[1], found[2]) if found else None


def media_of(message: Message, number: int) -> dict[str, Any]:
    """What is kept of the picture that is a certain part of a message."""
    media = (message.extra or {}).get(MEDIA)
    kept = media.get(str(number)) if isinstance(media, dict) else None
    return kept if isinstance(kept, dict) else {}


def wire_tools(tools: list[Any]) -> list[tuple[bool, Any]]:
    """Of each tool whether it is a function as the wire form has them, and that function or the tool as it is."""
    is_function = [
        isinstance(t, dict)
        and t.keys() == {"type", "function"}
        and t["type"] == "function"
        and isinstance(t["function"], dict)
        for t in tools
    ]
    return [(True, t["function"]) if yes else (False, t) for yes, t in zip(is_function, tools, strict=True)]


def pair_calls(messages: Iterable[Mapping[str, Any]]) -> list[int]:
    """Of each answer of a tool which call it answers, counted through the conversation; -1 for one of no call."""
    seen: dict[str, int] = {}
    pairs, count = [], 0
    for message in messages:
        calls = message.get("tool_calls")
        for one in calls if isinstance(calls, list) else ():  # a key that was set aside may be called so too
            if isinstance(one, Mapping):
                seen[str(one.get("id"))] = count
            count += 1
        if message.get("role") == "tool":
            pairs.append(seen.get(str(message.get("tool_call_id")), -1))
    return pairs
