"""Alpaca with a system prompt or earlier turns: instruction, input, output, and history as pairs of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, Message, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.ledger import Ledger, lead, to_chat
from ftprep.shapes.dialects.wire import Draft, is_judged, is_list
from ftprep.shapes.quoting import quote


@dataclass(frozen=True)
class Alpaca:
    """Records with `history` or `system` beside the instruction; without them they are prompt and completion, and are
    read as that. The input follows the instruction on a new line, as in LLaMA-Factory 0.9.5 and ms-swift 4.6.0."""

    name: ClassVar[str] = "alpaca"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "Alpaca data with system or history (instruction, input, output)"

    def fits(self, record: Record) -> bool:
        """Whether there are an instruction, an answer, and a system prompt or earlier turns."""
        answered = "output" in record or "response" in record
        is_ours = "instruction" in record and answered and record.get("messages") is None
        return is_ours and has_before(record) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The conversation: system, the pairs of the history, instruction and input, output."""
        answer = next((k for k in ("output", "response") if record.get(k) is not None), "output")
        draft, used = begin(record)
        told = [k for k in ("instruction", "input") if k in record]
        asked = [k for k in told if record[k] not in (None, "")]
        at = f"/{(asked or told)[0]}" if told else ""
        user: dict[Any, Any] = {"role": "user"}
        if told:
            user["content"] = _join([record[k] for k in asked or told[:1]])
        draft.add(user, at, role=at, content=at)
        say(draft, "assistant", record, answer)
        return draft.finish(record, *used, "instruction", "input", answer)

    def write(self, example: Example) -> Written:
        """All five keys, so that every record of a file has the same columns."""
        return write_rounds(to_chat(example), ("instruction", "output"), {"input": ""}, "response")


def has_before(record: Record) -> bool:
    """Whether a record has a column of earlier turns or of a system prompt, be it empty."""
    history = record.get("history")
    if isinstance(history, str) and history.lstrip()[:1] == "[":  # a list inside a text, which is another dialect
        return False
    return "history" in record or isinstance(record.get("system", 0), (str, type(None)))


def begin(record: Record) -> tuple[Draft, tuple[str, ...]]:
    """The messages of system and history, and the keys that were used; what is no pair is a message as it stands."""
    draft = Draft()
    used = draft.begin(record.get("system"))
    history = record.get("history")
    if history is not None and not is_list(history):
        return draft, used
    for place, pair in enumerate(history or ()):
        at = f"/history/{place}"
        if not is_list(pair) or len(pair) != 2:
            draft.add(pair, at)
            continue
        for side, role in enumerate(("user", "assistant")):
            draft.add(
                {"role": role, "content": pair[side]}, f"{at}/{side}", role=f"{at}/{side}", content=f"{at}/{side}"
            )
    return draft, (*used, "history")


def say(draft: Draft, role: str, record: Record, key: str) -> None:
    """A message whose content is a column; without one where there is no such column."""
    at = f"/{key}" if key in record else ""
    message = {"role": role, "content": record[key]} if key in record else {"role": role}
    draft.add(message, at, role=at, content=at)


def write_rounds(chat: Chat, keys: tuple[str, str], more: dict[str, Any], *taken: str) -> Written:
    """A record with the last question and answer under two keys, and the rounds before as history."""
    ledger = Ledger(chat)
    system = lead(chat)
    rounds: list[list[str | None]] = []
    for place, message in list(enumerate(chat.messages))[bool(system) :]:
        text = _text(ledger, message, place)
        if message.role == "assistant" and rounds and rounds[-1][1] is None:
            rounds[-1][1] = text
        elif message.role == "user" and (not rounds or rounds[-1][1] is not None):
            rounds.append([text, None])
        else:
            ledger.lose(f"that a turn of the {message.role} stands at this place: the order", place)
            rounds.append([text, None] if message.role != "assistant" else ["", text])
    if not rounds or any(answer is None for _, answer in rounds):
        ledger.lose("that there is no answer to a turn of the user")
    closed: list[list[str]] = [[asked or "", answer or ""] for asked, answer in rounds]
    last = closed.pop() if closed else ["", ""]
    record = {keys[0]: last[0], **more, keys[1]: last[1], "system": system, "history": closed}
    return ledger.finish(record, *keys, *more, *taken, "history")


def _text(ledger: Ledger, message: Message, place: int) -> str:
    ledger.lose_keys(message, place)
    for key in message.extra or ():
        ledger.lose(f"the key {quote(key)}", place)
    text = ledger.text(message, place)
    if text is None:
        ledger.lose("that there is no content", place)
    return text or ""


def _join(texts: list[Any]) -> Any:
    if all(isinstance(t, str) for t in texts):
        return "\n".join(texts)
    return texts[0] if len(texts) == 1 else texts
