"""Walks through examples of any shape that speaks, each message with its JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple
from weakref import ReferenceType, ref

from ftprep.batch import Batch
from ftprep.model import Chat, Example, ImagePart, Message, Pair, Preference, Row, Stepwise, ToolCall, Unpaired
from ftprep.rules.spots import TALKS

SPEAKING = TALKS
"""The shapes whose examples hold messages."""


class Said(NamedTuple):
    """A message and where it stands."""

    pointer: str
    message: Message


class Called(NamedTuple):
    """A call: where it stands, the place of its message in the conversation, the id ("" for a function_call of old),
    the name and the arguments as text."""

    pointer: str
    place: int
    id: str
    name: str
    arguments: str

    @property
    def is_legacy(self) -> bool:
        """Whether it is a function_call as they once were, without an id."""
        return self.pointer.endswith("/function_call")

    @property
    def function(self) -> str:
        """The pointer of what holds name and arguments."""
        return self.pointer if self.is_legacy else f"{self.pointer}/function"


def parts_of(example: Example | None) -> list[tuple[str, list[Message]]]:
    """The lists of messages of an example with their pointers; none for an example without messages."""
    if isinstance(example, Chat):
        return [("/messages", example.messages)]
    if isinstance(example, Preference):
        answers = [("/preferred_output", example.preferred_output)]
        answers.append(("/non_preferred_output", example.non_preferred_output))
        return [("/input/messages", example.input.messages), *answers]
    if isinstance(example, Unpaired):
        return [("/input/messages", example.input.messages), ("/output", example.output)]
    return []


def walk(example: Example | None) -> Iterator[Said]:
    """Every message once, with its pointer."""
    for pointer, messages in parts_of(example):
        for place, message in enumerate(messages):
            yield Said(f"{pointer}/{place}", message)


def paths_of(example: Example | None) -> list[list[Said]]:
    """The conversations that an example holds, each from its start: a question with each of its answers in turn."""
    lists = [
        [Said(f"{pointer}/{place}", message) for place, message in enumerate(messages)]
        for pointer, messages in parts_of(example)
    ]
    return [lists[0] + answer for answer in lists[1:]] if len(lists) > 1 else lists


def texts_of(example: Example | None) -> Iterator[tuple[str, str]]:
    """Every text that the model reads, with its pointer."""
    if isinstance(example, Pair):
        yield "/prompt", example.prompt
        yield "/completion", example.completion
    elif isinstance(example, Stepwise):
        yield "/prompt", example.prompt
        yield from ((f"/completions/{i}", step) for i, step in enumerate(example.completions))
    for pointer, message in walk(example):
        yield f"{pointer}/content", message.text
        for key in ("refusal", "reasoning_content", "reasoning", "thinking"):
            if text := getattr(message, key):
                yield f"{pointer}/{key}", text
        for call in calls_of(Said(pointer, message)):
            yield f"{call.function}/arguments", call.arguments


def calls_of(said: Said, place: int = 0) -> list[Called]:
    """The calls of a message."""
    pointer, message = said
    calls: list[ToolCall] = message.tool_calls or []
    found = [
        Called(f"{pointer}/tool_calls/{i}", place, call.id, call.function.name, call.function.arguments)
        for i, call in enumerate(calls)
    ]
    if (legacy := message.function_call) is not None:
        found.append(Called(f"{pointer}/function_call", place, "", legacy.name, legacy.arguments))
    return found


def tools_of(example: Example | None) -> list[tuple[str, list[dict[str, Any]]]]:
    """The lists of declared tools and functions with their pointers, those that are not empty."""
    holder, pointer = example, ""
    if isinstance(example, (Preference, Unpaired)):
        holder, pointer = example.input, "/input"
    if not isinstance(holder, Chat):
        return []
    both = (f"{pointer}/tools", holder.tools), (f"{pointer}/functions", holder.functions)
    return [(where, tools) for where, tools in both if tools]


def pictures_of(example: Example | None) -> Iterator[tuple[str, str, str]]:
    """Every picture: its pointer, the role that shows it, its address."""
    for pointer, message in walk(example):
        if isinstance(message.content, list):
            for i, part in enumerate(message.content):
                if isinstance(part, ImagePart):
                    yield f"{pointer}/content/{i}", message.role, part.image_url.url


def place_words(pointer: str) -> str:
    """What a pointer is called in messages: `messages[2]`, `input.messages[0].tool_calls[1]`."""
    words = ""
    for key in pointer.split("/")[1:]:
        words += f"[{key}]" if key.isdigit() else ("." if words else "") + key
    return words


class Talk:
    """What the rules on calls want of one example, worked out once: who calls what, and which tools are declared."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self.paths = paths_of(example)
        self.tools = tools_of(example)
        self.memo: dict[str, Any] = {}
        self.calls = [
            [call for place, said in enumerate(path) for call in calls_of(said, place)] for path in self.paths
        ]

    @cached_property
    def every_call(self) -> list[Called]:
        """Each call once, also where two conversations share their beginning."""
        return list({call.pointer: call for calls in self.calls for call in calls}.values())


class _Shared:
    """What the rules of a chunk share: the rows that are more than bare turns, and the talks of those that act. It is
    dropped with its chunk."""

    def __init__(self) -> None:
        self.batch: ReferenceType[Batch] | None = None
        self.rich: list[Row] = []
        self.acting: list[Row] | None = None
        self.talks: dict[int, Talk] = {}

    def of(self, batch: Batch) -> _Shared:
        """The same for this chunk."""
        if self.batch is None or self.batch() is not batch:
            rows = [row for row in batch.rows if not (row.speech and row.speech.is_plain)]
            self.rich = [row for row in rows if not isinstance(row.example, (Pair, Stepwise))]
            self.acting, self.talks, self.batch = None, {}, ref(batch, self._drop)
        return self

    def _drop(self, gone: ReferenceType[Batch]) -> None:
        if gone is self.batch:
            self.batch, self.rich, self.acting, self.talks = None, [], None, {}


_shared = _Shared()


def rich_rows(batch: Batch) -> list[Row]:
    """The rows of a chunk that may hold more than bare turns: tools, calls, pictures, names, weights."""
    return _shared.of(batch).rich


def acting_rows(batch: Batch) -> list[Row]:
    """The rows of a chunk in which tools are declared, called or heard."""
    shared = _shared.of(batch)
    if shared.acting is None:
        shared.acting = [row for row in shared.rich if row.example is not None and _acts(row.example)]
        shared.talks = {id(row.example): Talk(row.example) for row in shared.acting if row.example is not None}
    return shared.acting


def _acts(example: Example) -> bool:
    return bool(tools_of(example)) or any(
        m.tool_calls or m.function_call or m.role in ("tool", "function") for _, m in walk(example)
    )


def talk_of(row: Row) -> Talk:
    """What the rules on calls want of a row, shared where its chunk was asked for `acting_rows`."""
    talk = _shared.talks.get(id(row.example))
    if talk is not None and talk.example is row.example:
        return talk
    return Talk(row.example) if row.example is not None else Talk(Chat([]))
