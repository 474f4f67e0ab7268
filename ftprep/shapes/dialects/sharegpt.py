"""ShareGPT: turns with from and value, calls and their results as turns of their own, system and tools beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Example, Message, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.ledger import Ledger, lead, to_chat
from ftprep.shapes.dialects.wire import (
    CALLERS,
    ROLES,
    TURN_KEYS,
    WEIGHTS,
    Draft,
    as_weight,
    is_judged,
    is_list,
    objects,
    put,
    rest,
    spell,
)

_KEYS = (*TURN_KEYS, "messages")
_SPEAKERS = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant", "system": "system"}
_NAMES = {"user": "human", "assistant": "gpt", "tool": "observation", "function": "observation", "developer": "system"}


@dataclass(frozen=True)
class ShareGPT:
    """Turns under `conversations` (or `conversation`, `dialogue`, `dialog`, `turns`, `messages`), as Vicuna began it
    and LLaMA-Factory 0.9.5, Axolotl 0.19.0, TRL 1.16.0 and ms-swift 4.6.0 read it."""

    name: ClassVar[str] = "sharegpt"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "ShareGPT data (turns with from and value)"

    def fits(self, record: Record) -> bool:
        """Whether there are turns with from and value."""
        key = turns_key(record)
        return bool(key) and any("value" in t for t in objects(record[key])) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The conversation; calls get the ids call_1, call_2 and so on, and their results take them in order."""
        key = turns_key(record) or ("conversations" if is_list(record.get("conversations")) else "")
        if not key:
            return Parsed(dict(record))
        draft = Draft(key)
        turns = record[key]
        used = draft.begin(record.get("system"), [t.get("from") for t in objects(turns)[:1]])
        for place, turn in enumerate(turns):
            at = f"/{key}/{place}"
            if isinstance(turn, dict):
                _read_turn(draft, turn, at)
            else:
                draft.add(turn, at)
        return draft.finish(record, key, *used)

    def write(self, example: Example) -> Written:
        """The classic form: `conversations`, `system` beside them, `tools` as JSON text."""
        chat = to_chat(example)
        ledger = Ledger(chat, "tools")
        record: dict[str, Any] = {"conversations": []}
        messages = list(enumerate(chat.messages))
        if system := lead(chat):
            record["system"] = system
            del messages[0]
        for place, message in messages:
            record["conversations"] += _write_turns(ledger, message, place)
        tools = ledger.tools(chat)
        return ledger.finish(record if tools is None else {**record, "tools": tools})


def turns_key(record: Record) -> str:
    """The key of the first list of turns with from, "" where there is none or there are messages beside it."""
    for key in _KEYS:
        if any("from" in t for t in objects(record.get(key))):
            return key if key == "messages" or record.get("messages") is None else ""
    return ""


def _read_turn(draft: Draft, turn: dict[Any, Any], at: str) -> None:
    said = turn.get("from")
    if len(turn) == 2 and "value" in turn and isinstance(said, str) and said in _SPEAKERS:
        # Nearly all turns are such, and cost half as much this way.
        message = {"role": _SPEAKERS[said], "content": turn["value"]}
        draft.add(message, at, role=f"{at}/from", content=f"{at}/value")
        return
    message = rest(turn, "from", "value", *WEIGHTS)
    keys = {"role": f"{at}/from"} if "from" in turn else {}
    weight = next((k for k in WEIGHTS if turn.get(k) is not None), "")
    message |= {k: turn[k] for k in WEIGHTS if k != weight and turn.get(k) is not None}
    if weight:
        message["weight"], keys["weight"] = as_weight(turn[weight]), f"{at}/{weight}"
    if isinstance(said, str) and said in CALLERS and "value" in turn:
        draft.call(turn["value"], message, at, "value", **keys)
        return
    if "from" in turn:
        put(message, "role", ROLES.get(said, said) if isinstance(said, str) else said)
    if "value" in turn:
        put(message, "content", turn["value"])
        keys["content"] = f"{at}/value"
    draft.add(draft.answer(message) if message.get("role") == "tool" else message, at, **keys)


def _write_turns(ledger: Ledger, message: Message, place: int) -> list[dict[str, Any]]:
    turn: dict[str, Any] = {"from": _NAMES.get(message.role, message.role)}
    if message.role in ("developer", "function"):
        ledger.lose(f"the role {message.role}", place)
    text = ledger.text(message, place)
    if text is not None:
        turn["value"] = text
    calls = ledger.calls(message, place) if message.tool_calls is not None else []
    ledger.answers(message, place)
    ledger.lose_keys(message, place, "weight", "tool_calls", "tool_call_id")
    if message.weight is not None:
        turn["weight"] = message.weight
    ledger.put_turn_extra(turn, message, place)
    if not calls:
        return [turn]
    asked = {**turn, "from": "function_call", "value": spell(calls[0] if len(calls) == 1 else calls)}
    if text is not None:
        ledger.lose("that the text and the calls are one turn", place)
    return [turn, asked] if text else [asked]
