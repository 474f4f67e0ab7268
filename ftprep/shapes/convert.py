"""From conversations to prompt/completion examples, one for each trained reply, and from these to conversations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from ftprep.model import Chat, Message, Pair, Preference, TextPart, Unpaired
from ftprep.recipe import Turns
from ftprep.shapes.columns import normalise
from ftprep.shapes.quoting import quote
from ftprep.shapes.template import Piece, Template, literal_text, parse_template

_PREFIXED = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class CannotConvert(Exception):  # noqa: N818 - reads as what it says
    """An example that says something the other form has no place for; `reason` is what, for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def to_pairs(chat: Chat, turns: Turns, record_extra: dict[str, Any] | None) -> list[Pair]:
    """One example for each trained reply: the conversation before it as the prompt, the bare reply as the completion.

    `turns.before` is filled from `record_extra`, which every example keeps. Leading space, separator and stop sequence
    are left to the mends. Raises CannotConvert for what a text cannot carry (tools, calls, pictures, names, refusals),
    and where no reply is left to train on.
    """
    _refuse(chat)
    before = _fill(turns.before, record_extra or {})
    said: list[str] = []
    pairs: list[Pair] = []
    for message in chat.messages:
        if message.is_trained and message.text:
            prompt = turns.between.join([*said, turns.assistant.rstrip(" ")])
            pairs.append(Pair(before + prompt, message.text, record_extra or None))
        said.append(getattr(turns, _PREFIXED[message.role]) + message.text)
    if not pairs:
        raise CannotConvert("no reply of the assistant that is trained on")
    return pairs


def to_chat(pair: Pair, system: str = "", separator: str = "", stop: str = "") -> Chat:
    """The example as a conversation: an optional system message, the prompt as the user's turn (none where it is
    empty), the completion as the assistant's, without separator, stop sequence and the one leading space."""
    prompt = pair.prompt.removesuffix(separator)
    reply = pair.completion.removesuffix(stop).removeprefix(" ")
    messages = [Message("system", system)] if system else []
    if prompt:
        messages.append(Message("user", prompt))
    messages.append(Message("assistant", reply))
    return Chat(messages, extra=pair.extra)


def to_unpaired(example: Preference) -> list[Unpaired]:
    """The better answer as a good one and the worse as a bad one."""
    answers = ((example.preferred_output, True), (example.non_preferred_output, False))
    return [Unpaired(example.input, output, label, extra=example.extra) for output, label in answers]


def learnt(example: Preference | Unpaired) -> Chat:
    """The conversation with the answer that is to be learnt; raises CannotConvert for a bad answer alone."""
    if isinstance(example, Unpaired) and not example.label:
        raise CannotConvert("the only answer is a bad one")
    # What the assistant said before is not what was judged, so it is not trained on.
    asked = [msgspec.structs.replace(m, weight=0) if m.role == "assistant" else m for m in example.input.messages]
    return msgspec.structs.replace(example.input, messages=[*asked, *example.answers[0]], extra=example.extra)


def _refuse(chat: Chat) -> None:
    if chat.tools or chat.functions:
        raise CannotConvert("tools have no place in prompt and completion")
    for number, message in enumerate(chat.messages):
        what = _beyond_text(message)
        if what:
            raise CannotConvert(f"messages[{number}]: {what} no place in prompt and completion")


def _beyond_text(message: Message) -> str:
    if message.role not in _PREFIXED:
        return f"the role {message.role} has"
    if message.tool_calls or message.function_call:
        return "calls have"
    if isinstance(message.content, list) and not all(isinstance(p, TextPart) for p in message.content):
        return "pictures have"
    if message.name is not None:
        return f"the name {quote(message.name)} has"
    return "a refusal has" if message.refusal is not None else ""


@lru_cache(maxsize=16)
def _parse(text: str) -> Template:
    return parse_template(text)


def _fill(text: str, record: Mapping[str, Any]) -> str:
    if not text:
        return ""
    template = _parse(text)
    if not all(c in record for c in template.columns):
        template = _respell(template, record)
    filled = template.fill(record, literal_text)
    if filled is None:
        lacking = [quote(c) for c in template.columns if literal_text(record.get(c)) is None]
        raise CannotConvert(f"the text before the conversation needs {', '.join(lacking)}, which is missing or no text")
    return filled


def _respell(template: Template, record: Mapping[str, Any]) -> Template:
    names = {normalise(k): k for k in record}
    return Template(
        tuple(Piece(names.get(normalise(p.column), p.column), p.before, p.optional) for p in template.pieces),
        template.after,
    )
