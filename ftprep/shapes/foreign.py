"""Shapes that are known by sight but not read by this version: what each is called and how it is recognised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

READS = "this version reads prompt/completion and chat examples"

Record = Mapping[str, Any]
_TURNS = ("conversations", "conversation", "dialogue", "dialog", "turns", "messages")


def _objects(record: Record, key: str) -> list[dict[Any, Any]]:
    """The list under a key if all of it are objects, else an empty one."""
    value = record.get(key)
    return value if isinstance(value, list) and all(isinstance(v, dict) for v in value) else []


def _under_any_turns(record: Record, key: str) -> bool:
    return any(key in turn for name in _TURNS for turn in _objects(record, name))


def _is_unpaired(record: Record) -> bool:
    answered = "messages" in record or "completion" in record
    return isinstance(record.get("kto_tag"), bool) or (isinstance(record.get("label"), bool) and answered)


def _is_converse(record: Record) -> bool:
    parts = [p for m in _objects(record, "messages") for p in _objects(m, "content")]
    return "schemaVersion" in record or any("type" not in p and "text" in p for p in parts)


def _has_parts_with_value(record: Record) -> bool:
    return any("type" in p and "value" in p for m in _objects(record, "messages") for p in _objects(m, "content"))


def _is_renamed_chat(record: Record) -> bool:
    return "messages" not in record and any("role" in t for key in _TURNS for t in _objects(record, key))


def _has_no_roles(record: Record) -> bool:
    messages = _objects(record, "messages")
    return bool(messages) and not any("role" in m for m in messages)


# The first that fits names the record; special shapes stand before those that they contain.
FOREIGN: tuple[tuple[str, Callable[[Record], bool]], ...] = (
    (
        "OpenAI preference data (input, preferred_output, non_preferred_output)",
        lambda r: "preferred_output" in r or "non_preferred_output" in r,
    ),
    ("preference data (chosen and rejected answers, as for DPO)", lambda r: "chosen" in r and "rejected" in r),
    ("unpaired preference data (a true/false label for each answer, as for KTO)", _is_unpaired),
    ("ShareGPT data (turns with from and value)", lambda r: _under_any_turns(r, "from")),
    ("Gemini data (contents with parts)", lambda r: any("parts" in c for c in _objects(r, "contents"))),
    ("Mistral data (interactions)", lambda r: isinstance(r.get("interactions"), list)),
    ("Bedrock Converse data (content parts without a type)", _is_converse),
    ("chat data whose content parts have a value (as in LLaMA-Factory)", _has_parts_with_value),
    (
        "chat data with the system prompt beside the messages (Anthropic, Bedrock)",
        lambda r: isinstance(r.get("messages"), list) and isinstance(r.get("system"), (str, list)),
    ),
    ("chat data with its messages under another key than messages", _is_renamed_chat),
    ("messages without roles", _has_no_roles),
    (
        "chat data with pictures in a column of their own (images beside messages)",
        lambda r: isinstance(r.get("messages"), list) and isinstance(r.get("images"), (list, str)),
    ),
    (
        "stepwise data (completions and labels in lists)",
        lambda r: isinstance(r.get("completions"), list) and isinstance(r.get("labels"), list),
    ),
    (
        "conversational prompt/completion data (messages under prompt, as in TRL)",
        lambda r: any("role" in m for m in _objects(r, "prompt")),
    ),
    ("nested seed tasks (an instruction with its instances in a list)", lambda r: bool(_objects(r, "instances"))),
    ("tokenised data (input_ids)", lambda r: isinstance(r.get("input_ids"), list)),
)


def recognise(record: Record) -> str:
    """What a record is called if it has one of the shapes that are not read, "" otherwise."""
    return next((words for words, fits in FOREIGN if fits(record)), "")
