"""The rule on function calls as they were before tools, and the mend that turns them into calls of today."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from ftprep.mends import Mend
from ftprep.model import Chat, Example, Fault, Message, Preference, ToolCall, Unpaired
from ftprep.rule import Card, Rule, Sample
from ftprep.rules.fmt_messages import with_messages
from ftprep.rules.talk import Talk, place_words, tools_of, walk
from ftprep.rules.tool import TalkRule
from ftprep.rules.tool_samples import SOUND
from ftprep.setting import Setting


def _is_legacy(message: Message) -> bool:
    return message.function_call is not None or message.role == "function"


def _has_legacy(example: Example) -> bool:
    return any(pointer.endswith("/functions") for pointer, _ in tools_of(example)) or any(
        _is_legacy(said.message) for said in walk(example)
    )


class ToTools(msgspec.Struct, frozen=True, tag=True):
    """Write functions as tools, function_call as tool_calls and function messages as tool messages; a mend."""

    order: int = 4

    def apply(self, example: Example) -> Example:
        """The example in today's form, or the very same object where there is nothing to do or it cannot be done
        exactly: an answer that does not follow its call, a message with calls of both forms."""
        if not _has_legacy(example):
            return example
        if isinstance(example, Chat):
            messages = _converted([example.messages], _ids_of(example))
            return example if messages is None else _with(example, messages[0])
        if not isinstance(example, (Preference, Unpaired)):
            return example
        question = example.input
        lists = _converted([question.messages, *example.answers], _ids_of(example))
        if lists is None:
            return example
        asked = _with(question, lists[0])
        if isinstance(example, Unpaired):
            return replace(example, input=asked, output=lists[1])
        return replace(example, input=asked, preferred_output=lists[1], non_preferred_output=lists[2])


def _with(chat: Chat, messages: list[Message]) -> Chat:
    tools = chat.tools
    if chat.functions:
        added: list[dict[str, Any]] = [{"type": "function", "function": f} for f in chat.functions]
        tools = [*(tools or ()), *(tool for tool in added if tool not in (tools or ()))]
    return replace(chat, messages=messages, tools=tools, functions=None)


def _ids_of(example: Example) -> set[str]:
    said = [said.message for said in walk(example)]
    calls = {c.id for m in said for c in m.tool_calls or ()}
    return calls | {m.tool_call_id for m in said if m.tool_call_id is not None}


def _converted(lists: list[list[Message]], used: set[str]) -> list[list[Message]] | None:
    """The messages with calls of today; None where that cannot be done exactly."""
    fresh = (name for n in range(1, 1_000_000_000) if (name := f"call_{n}") not in used)
    converted: list[list[Message]] = []
    for messages in lists:
        waiting: tuple[str, str] | None = None  # name and id of the call that the next message may answer
        made: list[Message] = []
        for message in messages:
            if message.role == "function":
                if waiting is None or message.name != waiting[0] or message.function_call is not None:
                    return None
                made.append(replace(message, role="tool", name=None, tool_call_id=waiting[1]))
                waiting = None
            elif message.function_call is not None:
                if message.tool_calls is not None or message.role != "assistant":
                    return None
                waiting = message.function_call.name, next(fresh)
                call = ToolCall(waiting[1], "function", message.function_call)
                made.append(replace(message, function_call=None, tool_calls=[call]))
            else:
                waiting = None
                made.append(message)
        converted.append(made)
    return converted


class LegacyFunctionCall(TalkRule):
    card: ClassVar[Card] = Card(
        code="FMT133",
        name="legacy-function-call",
        severity="warning",
        finds="A conversation declares functions, calls with function_call or answers in the role function.",
        why="This form is deprecated; many trainers and models know tools and tool_calls only.",
        bad=Sample(
            text=with_messages(
                '{"role": "user", "content": "Capital of Mali?"}',
                '{"role": "assistant", "function_call": {"name": "capital", "arguments": "{}"}}',
                '{"role": "function", "name": "capital", "content": "Bamako"}',
                '{"role": "assistant", "content": "Bamako."}',
            ).removesuffix("}\n")
            + ', "functions": [{"name": "capital", "parameters": {"type": "object"}}]}\n'
        ),
        good=SOUND,
        fix="unsafe",
        mended="Writes functions as tools, and their calls and answers with ids.",
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        places = [pointer for pointer, _ in talk.tools if pointer.endswith("/functions")]
        said = [said for path in talk.paths for said in path if _is_legacy(said.message)]
        for pointer, message in dict.fromkeys((s.pointer, s.message.role) for s in said):
            places.append(f"{pointer}/role" if message == "function" else f"{pointer}/function_call")
        if places:
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            where = place_words(places[0])
            can = ToTools().apply(talk.example) is not talk.example
            yield self.fault(f"calls of the deprecated form: {where}{more}", places[0], fixable=can)

    def mend(self, setting: Setting) -> Mend | None:
        """Turns them into calls of today."""
        del setting
        return ToTools()


RULES: tuple[type[Rule], ...] = (LegacyFunctionCall,)
