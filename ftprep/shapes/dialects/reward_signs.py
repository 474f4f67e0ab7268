"""By which keys unpaired, stepwise and reinforcement data are recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ftprep.shapes.chat import CHAT_KEYS
from ftprep.shapes.columns import METADATA, normalise
from ftprep.shapes.dialect import Record
from ftprep.shapes.dialects.preference_clouds import is_preference
from ftprep.shapes.dialects.questions import talk_key
from ftprep.shapes.dialects.wire import is_list


def _is_label(value: object) -> bool:
    """Whether a value is meant as true or false, be it written as 0, 1 or a text."""
    if isinstance(value, str):
        return value.strip().casefold() in ("true", "false", "0", "1")
    return isinstance(value, (int, float)) and value in (0, 1)


def _has_label(record: Record, key: str, *alone: str) -> bool:
    """Whether a label is true or false, or is meant so and stands beside nothing but these keys: numbers beside texts
    are more often classes."""
    value = record.get(key)
    return isinstance(value, bool) or (_is_label(value) and set(record) <= {key, *alone})


def _waits(record: Record) -> bool:
    """Whether a talk ends with a question, and nothing says that it was answered before: a talk in which the assistant
    has spoken is only one to be graded if there is more than the talk."""
    talk = record.get("messages")
    if not is_list(talk) or not talk or not all(isinstance(m, dict) for m in talk):
        return False
    roles = [m.get("role") for m in talk]
    if roles[-1] not in ("user", "tool", "function"):
        return False
    return "assistant" not in roles or roles[-1] != "user" or any(map(_is_field, record))


def _is_field(key: object) -> bool:
    """Whether a key is one that a grader may read: not part of a chat, and not only about the record."""
    return key not in CHAT_KEYS and not (isinstance(key, str) and normalise(key) in METADATA)


def _waits_in_contents(record: Record) -> bool:
    talk = record.get("contents")
    if not is_list(talk) or not talk:
        return False
    roles = [m.get("role") if isinstance(m, dict) else None for m in talk]
    return "references" in record or (roles[-1] == "user" and "model" not in roles)


def _is_prompt(record: Record) -> bool:
    """Whether a prompt stands alone: as messages that nobody answers, or as a text with no column that may be its
    answer (a text beside other columns is more often a pair whose columns have odd names)."""
    prompt = record.get("prompt")
    if any(key in record for key in ("completion", "completions", "chosen", "rejected", "messages")):
        return False
    if is_list(prompt):
        return _waits({"messages": prompt})
    return isinstance(prompt, str) and not any(_is_field(key) for key in record if key != "prompt")


def _has_tag(record: Record) -> bool:
    if talk_key(record) in ("messages", "conversations"):
        return "kto_tag" in record or _has_label(record, "label", "messages", "conversations", "tools")
    return "kto_tag" in record and "instruction" in record


# The first that fits names the record.
_SIGNS: tuple[tuple[str, Callable[[Record], bool]], ...] = (
    ("unpaired", lambda r: isinstance(r.get("input"), dict) and "output" in r and "label" in r),
    ("trl-stepwise", lambda r: is_list(r.get("completions")) and "labels" in r),
    ("trl-unpaired", lambda r: "completion" in r and "prompt" in r and _has_label(r, "label", "prompt", "completion")),
    ("llama-factory-kto", _has_tag),
    ("openai-reinforcement", _waits),
    ("gemini-reinforcement", _waits_in_contents),
    ("trl-prompt", _is_prompt),
)


@dataclass(frozen=True)
class RewardDialect:
    """What all dialects of these shapes have."""

    name: str
    title: str

    def fits(self, record: Record) -> bool:
        """Whether this is the first dialect whose keys the record has, and it is no preference."""
        sign = next((name for name, fits in _SIGNS if fits(record)), "")
        return self.sign(record) == sign and bool(sign) and not is_preference(record)

    def sign(self, record: Record) -> str:
        """The sign that is its own."""
        del record
        return self.name
