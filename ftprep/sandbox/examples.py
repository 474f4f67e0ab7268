"""Training files as questions and answers, for the stand-in model: whatever a record holds, nothing is raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 50_000
"""Questions of a file that a stand-in looks at."""


@dataclass(frozen=True)
class Learnt:
    """A question with its answer; `calls` are the tool calls that the answer makes."""

    question: str
    answer: str
    calls: tuple[dict[str, Any], ...] = field(default=(), hash=False)


def read_examples(path: Path, most: int = MOST) -> list[Learnt]:
    """The first `most` questions of a JSONL file of chats, pairs or preferences; what is none of these is left out."""
    found: list[Learnt] = []
    with path.open("rb") as file:
        for line in file:
            try:
                record = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                found.extend(_learnt(record))
            if len(found) >= most:
                return found[:most]
    return found


def _learnt(record: dict[str, Any]) -> Iterator[Learnt]:
    if isinstance(record.get("completion"), str):
        yield Learnt(str(record.get("prompt") or ""), record["completion"])
    elif isinstance(record.get("text"), str):
        yield Learnt("", record["text"])
    elif isinstance(record.get("input"), dict):
        yield from _turns(_list(record["input"].get("messages")) + _list(record.get("preferred_output"))[:1], last=True)
    else:
        yield from _turns(_list(record.get("messages")))


def _turns(messages: list[Any], last: bool = False) -> Iterator[Learnt]:
    """Each answer of the assistant that is trained on, with what was said before it."""
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") != "assistant" or message.get("weight") == 0:
            continue
        calls = tuple(call for call in _list(message.get("tool_calls")) if isinstance(call, dict))
        text = words(message.get("content"))
        if (text or calls) and (not last or at == len(messages) - 1):
            yield Learnt(asked(messages[:at]), text or json.dumps(calls, ensure_ascii=False), calls)


def asked(messages: list[Any]) -> str:
    """A conversation so far as one text, the role before each message."""
    return "\n".join(f"{m.get('role')}: {words(m.get('content'))}" for m in messages if isinstance(m, dict))


def words(content: Any) -> str:
    """The text of a content, which is a text or a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
