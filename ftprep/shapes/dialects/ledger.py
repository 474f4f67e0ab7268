"""The way back that the dialects of conversations share: texts, calls and tools as trainers write them, and losses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

from ftprep.model import Chat, Example, ImagePart, Message, RefusalPart, TextPart
from ftprep.shapes.chat import CHAT_KEYS, MESSAGE_KEYS
from ftprep.shapes.dialect import Written
from ftprep.shapes.dialects.wire import (
    IMAGE,
    IMAGE_KEYS,
    JUDGED,
    TURN_KEYS,
    CallIds,
    close_arguments,
    open_arguments,
    read_tools,
    read_urls,
    spell,
)
from ftprep.shapes.quoting import quote

TAKEN = frozenset((*CHAT_KEYS, *TURN_KEYS, *IMAGE_KEYS, *JUDGED, "system", "chosen", "rejected", "label"))
"""Keys of a record that dialects of conversations understand: an extra key cannot be called so."""

TAKEN_IN_MESSAGE = frozenset((*MESSAGE_KEYS, "from", "value", "loss", "loss_scale", "loss_weight", "train"))

_MORE = {
    **{
        key: key for key in ("weight", "name", "function_call", "refusal", "reasoning_content", "reasoning", "thinking")
    },
    "tool_calls": "calls",
    "tool_call_id": "id of the call that is answered",
}


def to_chat(example: Example) -> Chat:
    """The example, which has to be a conversation."""
    if not isinstance(example, Chat):
        raise TypeError(f"{type(example).__name__} has to be converted before it is written as a conversation")
    return example


def lead(chat: Chat) -> str:
    """The system prompt that can stand beside the messages: the bare text of the first, with another role behind it;
    "" where there is none."""
    if "system" in (chat.extra or {}):
        return ""
    first, second = [*chat.messages, None, None][:2]
    if first is None or second is None or first.role != "system" or second.role == "system":
        return ""
    is_bare = first.extra is None and all(getattr(first, key) is None for key in _MORE)
    return first.content if is_bare and isinstance(first.content, str) else ""


class Ledger:
    """What of a conversation finds no place in a record, in words, while the record is written."""

    def __init__(self, chat: Chat, *kept: str) -> None:
        self.losses: list[str] = []
        self.urls: list[str] = []
        self.ids = CallIds()
        self._extra = chat.extra or {}
        self._begins_with_system = bool(chat.messages) and chat.messages[0].role == "system"
        self._said_image: list[int] = []
        self._places = 0
        for key in ("tools", "parallel_tool_calls", "functions"):
            if key not in kept and getattr(chat, key) is not None:
                self.lose(f"the {key}")

    def lose(self, what: str, place: int | None = None) -> None:
        """Something is lost, of one message or of all."""
        self.losses.append(what if place is None else f"{what} of messages[{place}]")

    def lose_keys(self, message: Message, place: int, *kept: str) -> None:
        """All that a message says beside role and content is lost, but for the keys that are kept."""
        for key, words in _MORE.items():
            if key not in kept and getattr(message, key) is not None:
                self.lose(f"the {words}", place)

    def text(self, message: Message, place: int) -> str | None:
        """The content as a text in which `<image>` stands for pictures, whose addresses are kept in order."""
        content = message.content
        if not isinstance(content, list):
            if content and IMAGE in content:
                self._said_image.append(place)
                self._places += 0 if message.role == "system" else content.count(IMAGE)
            return content
        words = ""
        kinds = [type(part) for part in content]
        is_split = any(a is b is TextPart for a, b in pairwise(kinds))
        if is_split or ImagePart not in kinds or message.role == "system":
            self.lose("that the content is a list of parts", place)
        for part in content:
            words += self._part(part, place)
        return words

    def _part(self, part: TextPart | ImagePart | RefusalPart, place: int) -> str:
        if isinstance(part, ImagePart):
            self.urls.append(part.image_url.url)
            if part.image_url.detail is not None:
                self.lose("the detail of a picture", place)
            return IMAGE
        if isinstance(part, RefusalPart):
            self.lose("that it is a refusal: the text", place)
            return part.refusal
        if not part.text:
            self.lose("an empty part", place)
        elif IMAGE in part.text:
            self._said_image.append(place)
        return part.text

    def calls(self, message: Message, place: int, keeps_ids: bool = False) -> list[dict[str, Any]]:
        """The calls with their arguments as objects; their ids are lost unless they are what reading makes up."""
        self.ids.begin()
        told = []
        for call in message.tool_calls or ():
            if call.id != self.ids.call() and not keeps_ids:
                self.lose(f"the id {quote(call.id)} of a call", place)
            self.ids.correct(call.id)
            arguments = open_arguments(call.function.arguments)
            if close_arguments(arguments) != call.function.arguments:
                self.lose("the spelling of the arguments", place)
            told.append({"name": call.function.name, "arguments": arguments})
        if not told and message.tool_calls is not None:
            self.lose("the empty list of calls", place)
        elif message.role != "assistant":
            self.lose(f"that the {message.role} calls", place)
        return told

    def answers(self, message: Message, place: int) -> None:
        """A tool's message follows the calls; which of them it answers is lost unless they are answered in order."""
        if message.tool_call_id != (self.ids.answer() if message.role == "tool" else None):
            self.lose("the id of the call that is answered", place)

    def tools(self, chat: Chat) -> str | None:
        """The tools as JSON text of plain functions; None where there are none."""
        if chat.tools is None:
            return None
        text = spell([t["function"] if set(t) == {"type", "function"} and _is_plain(t) else t for t in chat.tools])
        if text is None or read_tools(text) != chat.tools:
            self.lose("the form of the tools")
        return text

    def put_tools(self, record: dict[str, Any], chat: Chat) -> None:
        """The tools as OpenAI has them, beside the conversation."""
        if chat.tools is not None:
            record["tools"] = chat.tools
            if read_tools(chat.tools) != chat.tools:
                self.lose("the form of the tools")

    def put_extra(
        self, record: dict[str, Any], extra: Mapping[str, Any] | None, taken: Collection[str], of: str
    ) -> None:
        """Put the other keys back beside those of the record, as far as they have no meaning there."""
        for key, value in (extra or {}).items():
            if key in taken or key in record:
                self.losses.append(f"the key {quote(key)} of {of}")
            else:
                record[key] = value

    def put_turn_extra(self, turn: dict[str, Any], message: Message, place: int) -> dict[str, Any]:
        """A turn with the other keys of its message put back."""
        self.put_extra(turn, message.extra, TAKEN_IN_MESSAGE, f"messages[{place}]")
        return turn

    def finish(self, record: dict[str, Any], *taken: str, pictured: bool = False) -> Written:
        """The record with the pictures (`pictured` ones have the column even if it is empty) and the other keys;
        `taken` are more keys that have a meaning there."""
        stray: tuple[str, ...] = IMAGE_KEYS if self._has_stray_pictures() else ()
        if self.urls or (pictured and not stray):
            record["images"] = self.urls
            for place in self._said_image:
                self.lose(f"that the word {IMAGE} stands for itself in the text", place)
        if self._begins_with_system and "system" not in record:
            stray = (*stray, "system")
        self.put_extra(record, self._extra, TAKEN.difference(stray).union(taken), "the record")
        return Written(record, tuple(self.losses))

    def _has_stray_pictures(self) -> bool:
        """Whether there are pictures beside the conversation that reading would leave there, being too few or many."""
        beside = [self._extra[key] for key in IMAGE_KEYS if self._extra.get(key) is not None]
        urls = read_urls(beside[0]) if beside else []
        return bool(beside) and not self.urls and (urls is None or len(urls) != self._places)


def _is_plain(tool: Mapping[str, Any]) -> bool:
    function = tool["function"]
    return tool["type"] == "function" and isinstance(function, dict) and "name" in function
