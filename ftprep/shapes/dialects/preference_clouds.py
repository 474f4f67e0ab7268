"""Preference data for the clouds: Gemini's completions with scores, Nova's candidates with labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Example, Message, Preference, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.answers import Gone, Said, Told, build, settle, write_rest
from ftprep.shapes.dialects.cloud_talk import CONVERSE, GEMINI, Form, read_message, read_talk, write_message, write_talk
from ftprep.shapes.dialects.questions import lost_of_input, or_gone, talk_key
from ftprep.shapes.dialects.wire import is_list

PAIR = ("preferred_output", "non_preferred_output")

OLD = {"preferred_completion": "preferred_output", "non_preferred_completion": "non_preferred_output"}
"""What OpenAI's API of March 2025 called the outputs."""


def _has_pair(record: Record) -> bool:
    return "chosen" in record and "rejected" in record


def _has_candidates(record: Record) -> bool:
    talk = record.get("messages")
    return is_list(talk) and bool(talk) and isinstance(talk[-1], dict) and "candidates" in talk[-1]


def _has_single_turns(record: Record) -> bool:
    single = any(isinstance(record[k], dict) for k in ("chosen", "rejected"))
    return is_list(record.get("conversations")) or (single and talk_key(record) is not None)


# The first that fits names the record.
_SIGNS: tuple[tuple[str, Callable[[Record], bool]], ...] = (
    ("openai-preference", lambda r: any(key in r for key in (*PAIR, *OLD))),
    ("nova-preference", _has_candidates),
    ("gemini-preference", lambda r: is_list(r.get("contents")) and "completions" in r),
    ("llama-factory-dpo", lambda r: _has_pair(r) and _has_single_turns(r)),
    ("swift-preference", lambda r: "messages" in r and ("rejected_response" in r or "rejected_messages" in r)),
    ("alpaca-dpo", lambda r: _has_pair(r) and "instruction" in r),
    ("trl-preference", _has_pair),
)


def is_preference(record: Record) -> bool:
    """Whether a record has the keys of any of these dialects."""
    return any(fits(record) for _, fits in _SIGNS)


@dataclass(frozen=True)
class PreferenceDialect:
    """What all dialects of preferences have; a record is of the first one whose keys it has."""

    name: str
    title: str
    shape: ClassVar[ShapeName] = "preference"

    def fits(self, record: Record) -> bool:
        """Whether this is the first dialect whose keys the record has; TRL's two are read alike."""
        return next((name for name, fits in _SIGNS if fits(record)), "") == self.name.removesuffix("-text")


def of_kind(example: Example) -> Preference:
    """The example, which must be a preference."""
    if not isinstance(example, Preference):
        raise TypeError("a preference needs a better and a worse answer; convert the example first")
    return example


@dataclass(frozen=True)
class GeminiPreference(PreferenceDialect):
    """`contents` and `completions`, of which the one with the score 1 is preferred."""

    known: ClassVar[tuple[str, ...]] = ("contents", "completions", *GEMINI.system)

    def parse(self, record: Record) -> Parsed:
        """The completion with the highest score is the better answer, that with the lowest the worse one."""
        answers = _by_score(record)
        return build(record, self.known, _talk_of(record, GEMINI), "contents", answers)

    def write(self, example: Example) -> Written:
        """Scores are 1 and 0."""
        told = of_kind(example)
        losses = lost_of_input(told.input)
        record = write_talk(told.input.messages, GEMINI, losses)
        record["completions"] = [
            {"score": score, "completion": _write_one(messages, name, GEMINI, losses)}
            for score, name, messages in zip((1, 0), PAIR, told.answers, strict=True)
        ]
        write_rest(record, told.extra, self.known, losses)
        return settle(self, example, record, losses)


@dataclass(frozen=True)
class NovaPreference(PreferenceDialect):
    """Converse messages, the last with `candidates`, each with its `preferenceLabel`."""

    known: ClassVar[tuple[str, ...]] = ("schemaVersion", "system", "messages")

    def parse(self, record: Record) -> Parsed:
        """The candidates become the answers, by their labels."""
        talk = _talk_of(record, CONVERSE)
        if not _has_candidates(record) or not isinstance(talk, list):
            return build(record, self.known, talk, "messages", {})
        last = record["messages"][-1]["candidates"]
        at = f"/messages/{len(record['messages']) - 1}/candidates"
        sides: tuple[list[Said], list[Said]] = ([], [])
        for place, candidate in enumerate(last if is_list(last) else ()):
            label = candidate.get("preferenceLabel") if isinstance(candidate, dict) else None
            turn = candidate
            if isinstance(candidate, dict):
                turn = {"role": "assistant"} | {k: v for k, v in candidate.items() if k != "preferenceLabel"}
            sides[label != "preferred"].append(read_message(turn, f"{at}/{place}", CONVERSE))
        answers = {name: (or_gone(side), at) for name, side in zip(PAIR, sides, strict=True)}
        return build(record, self.known, talk[:-1], "messages", answers)

    def write(self, example: Example) -> Written:
        """The labels are preferred and non-preferred."""
        told = of_kind(example)
        losses = lost_of_input(told.input)
        record: dict[str, Any] = {"schemaVersion": "bedrock-conversation-2024"}
        record |= write_talk(told.input.messages, CONVERSE, losses)
        candidates = [
            {"content": _write_one(messages, name, CONVERSE, losses)["content"], "preferenceLabel": label}
            for label, name, messages in zip(("preferred", "non-preferred"), PAIR, told.answers, strict=True)
        ]
        record["messages"].append({"role": "assistant", "candidates": candidates})
        write_rest(record, told.extra, self.known, losses)
        return settle(self, example, record, losses)


def _talk_of(record: Record, form: Form) -> Told:
    return read_talk(record, form) if form.messages in record else Gone()


def _by_score(record: Record) -> dict[str, tuple[Told, str]]:
    """The completions by their scores; one whose score is no number, or neither the highest nor the lowest, stands
    with the worse ones, which are then too many."""
    listed = record.get("completions")
    items = listed if is_list(listed) else []
    scores = [item.get("score") if isinstance(item, dict) else None for item in items]
    numbers = [s for s in scores if isinstance(s, (int, float)) and not isinstance(s, bool)]
    best = max(numbers, default=None) if len(set(numbers)) > 1 else None
    sides: tuple[list[Said], list[Said]] = ([], [])
    for place, (item, score) in enumerate(zip(items, scores, strict=True)):
        at = f"/completions/{place}"
        inner = isinstance(item, dict) and "completion" in item
        said = read_message(item["completion"], f"{at}/completion", GEMINI) if inner else Said(item, at)
        sides[best is None or isinstance(score, bool) or score != best].append(said)
    return {name: (or_gone(side), "/completions") for name, side in zip(PAIR, sides, strict=True)}


def _write_one(messages: list[Message], name: str, form: Form, losses: list[str]) -> dict[str, Any]:
    losses += [f"{name}[{i}]" for i in range(1, len(messages))]
    if not messages:
        losses.append(name)
        return {"role": form.assistant, form.parts: []}
    if messages[0].role != "assistant":
        losses.append(f"the role {messages[0].role} of {name}[0]")
    return write_message(messages[0], f"{name}[0]", form, losses)
