"""TRL's conversational prompt and completion: messages that are given, and messages that are learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from ftprep.model import Example, Message, ShapeName
from ftprep.shapes.chat import MESSAGE_KEYS
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.ledger import Ledger, to_chat
from ftprep.shapes.dialects.wire import Draft, is_judged, is_list, objects

_SIDES = ("prompt", "completion")
_ANSWERING = ("assistant", "tool", "function")


@dataclass(frozen=True)
class TrlPromptCompletion:
    """`prompt` and `completion` as lists of messages (TRL 1.16.0): only the completion is learnt, so that the turns of
    the assistant in the prompt get the weight 0."""

    name: ClassVar[str] = "trl-prompt-completion"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "conversational prompt/completion data (messages under prompt, as in TRL)"

    def fits(self, record: Record) -> bool:
        """Whether both are lists, and a message with a role is in one of them."""
        if not all(is_list(record.get(side)) for side in _SIDES) or record.get("messages") is not None:
            return False
        return any("role" in m for side in _SIDES for m in objects(record[side])) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The messages of both, one behind the other."""
        if not all(is_list(record.get(side)) for side in _SIDES):
            return Parsed(dict(record))
        draft = Draft("prompt")
        for side in _SIDES:
            for place, message in enumerate(record[side]):
                given = side == "prompt" and isinstance(message, dict) and message.get("role") == "assistant"
                silent = {**message, "weight": 0} if given and message.get("weight") is None else message
                keys = {} if silent is message else {"weight": f"/{side}/{place}"}
                draft.add(silent, f"/{side}/{place}", **keys)
        return draft.finish(record, *_SIDES, pictures=False)

    def write(self, example: Example) -> Written:
        """The last turns of the assistant, with the results of tools between them, as the completion."""
        chat = to_chat(example)
        ledger = Ledger(chat, "tools")
        start = _start(chat.messages)
        told = [_write(ledger, m, n, n >= start) for n, m in enumerate(chat.messages)]
        record: dict[str, Any] = {"prompt": told[:start], "completion": told[start:]}
        ledger.put_tools(record, chat)
        return ledger.finish(record, *_SIDES)


def _start(messages: list[Message]) -> int:
    """Where the completion begins: behind the last message that is not the assistant's to learn."""
    start = len(messages)
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.role not in _ANSWERING or (message.role == "assistant" and message.weight == 0):
            break
        if message.role == "assistant":
            start = place
    return start


def _write(ledger: Ledger, message: Message, place: int, is_learnt: bool) -> dict[str, Any]:
    turn = {k: v for k, v in msgspec.to_builtins(message).items() if k in MESSAGE_KEYS and k != "weight"}
    if message.weight != (0 if message.role == "assistant" and not is_learnt else None):
        ledger.lose("that it is learnt: the weight" if message.is_trained and not is_learnt else "the weight", place)
    ledger.put_extra(turn, message.extra, MESSAGE_KEYS, f"messages[{place}]")
    return turn
