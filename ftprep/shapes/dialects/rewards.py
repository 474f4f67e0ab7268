"""Dialects of unpaired, stepwise and reinforcement data: answers with a label, steps with labels, prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, Reinforcement, ShapeName, Stepwise, Unpaired
from ftprep.shapes.chat import CHAT_KEYS
from ftprep.shapes.columns import METADATA, choose_completion, normalise
from ftprep.shapes.dialect import Dialect, Parsed, Record, Written
from ftprep.shapes.dialects.answers import (
    Gone,
    Raw,
    Told,
    build,
    is_list,
    put_messages,
    read_answer,
    read_list,
    read_tools,
    settle,
    wire,
    write_rest,
)
from ftprep.shapes.dialects.cloud_talk import GEMINI, read_talk, write_talk
from ftprep.shapes.dialects.preference_clouds import is_preference
from ftprep.shapes.dialects.questions import (
    lost_of_input,
    or_gone,
    read_instruction,
    read_prompt,
    role_of,
    talk_key,
    with_system,
)


@dataclass(frozen=True)
class _RewardDialect:
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


# -- answers with a label ------------------------------------------------------------------------------------------


def _unpaired(example: Example) -> Unpaired:
    if not isinstance(example, Unpaired):
        raise TypeError("an unpaired example needs one answer and its label; convert the example first")
    return example


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


@dataclass(frozen=True)
class WireUnpaired(_RewardDialect):
    """The wire form itself."""

    shape: ClassVar[ShapeName] = "unpaired"

    def parse(self, record: Record) -> Parsed:
        """The record."""
        return Parsed(dict(record))

    def write(self, example: Example) -> Written:
        """The example word for word."""
        return settle(self, example, wire(_unpaired(example)), [])


@dataclass(frozen=True)
class TrlUnpaired(_RewardDialect):
    """`prompt` and `completion`, both texts or both lists of messages, and `label`."""

    shape: ClassVar[ShapeName] = "unpaired"
    known: ClassVar[tuple[str, ...]] = ("prompt", "completion", "label", "tools")

    def parse(self, record: Record) -> Parsed:
        """A text is a question of the user, or the assistant's answer."""
        asked: Told = read_prompt(record["prompt"], "/prompt") if "prompt" in record else Gone()
        answers = {"output": (read_answer(record, "completion"), "/completion"), "label": _label(record, "label")}
        return build(record, self.known, asked, "prompt", answers)

    def write(self, example: Example) -> Written:
        """Lists of messages."""
        told = _unpaired(example)
        losses = lost_of_input(told.input, ("tools",))
        data = wire(told)
        record: dict[str, Any] = {"prompt": data["input"]["messages"], "completion": data["output"]}
        record["label"] = told.label
        if told.input.tools is not None:
            record["tools"] = told.input.tools
        write_rest(record, told.extra, self.known, losses)
        return settle(self, example, record, losses)


@dataclass(frozen=True)
class LlamaFactoryUnpaired(_RewardDialect):
    """`messages` (or `conversations`, or Alpaca's columns) that end with the answer, and `label` or `kto_tag`."""

    shape: ClassVar[ShapeName] = "unpaired"
    known: ClassVar[tuple[str, ...]] = ("tools", "system")

    def parse(self, record: Record) -> Parsed:
        """The last message is the answer, if it is the assistant's."""
        tag = "kto_tag" if "kto_tag" in record else "label"
        key = talk_key(record)
        if key is None and "instruction" in record:
            answers = {"output": (read_answer(record, "output"), "/output"), "label": _label(record, tag)}
            known = ("instruction", "input", "system", "history", "output", tag)
            return build(record, known, read_instruction(record), "instruction", answers)
        key = key or next((k for k in ("messages", "conversations") if k in record), None)
        talk: Told = read_list(record[key], f"/{key}") if key else Gone()
        asked: Told = talk
        answer: Told = Gone()
        if isinstance(talk, list) and talk and role_of(talk[-1]) == "assistant":
            asked, answer = talk[:-1], talk[-1:]
        at = f"/{key}" if key else ""
        answers = {"output": (or_gone(answer), at), "label": _label(record, tag)}
        return build(record, (key or "messages", tag, *self.known), with_system(record, asked), key or "", answers)

    def write(self, example: Example) -> Written:
        """One talk in OpenAI's form, which LLaMA-Factory and ms-swift read too."""
        told = _unpaired(example)
        losses = lost_of_input(told.input, ("tools",))
        data = wire(told)
        record: dict[str, Any] = {"messages": data["input"]["messages"] + data["output"], "label": told.label}
        if told.input.tools is not None:
            record["tools"] = told.input.tools
        write_rest(record, told.extra, ("messages", "conversations", "label", "kto_tag", *self.known), losses)
        return settle(self, example, record, losses)


def _label(record: Record, key: str) -> tuple[Told, str]:
    return (Raw(record[key]) if key in record else Gone()), f"/{key}"


# -- steps ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrlStepwise(_RewardDialect):
    """`prompt`, `completions` and `labels`: the wire form is TRL's."""

    shape: ClassVar[ShapeName] = "stepwise"

    def parse(self, record: Record) -> Parsed:
        """The record."""
        return Parsed(dict(record))

    def write(self, example: Example) -> Written:
        """The example word for word."""
        if not isinstance(example, Stepwise):
            raise TypeError("a stepwise example needs steps with labels; convert the example first")
        return settle(self, example, wire(example), [])


# -- prompts to be graded ------------------------------------------------------------------------------------------


def _waiting(example: Example) -> Reinforcement:
    if not isinstance(example, Reinforcement):
        raise TypeError("reinforcement data are conversations that wait for an answer; convert the example first")
    return example


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


@dataclass(frozen=True)
class ChatReinforcement(_RewardDialect):
    """`messages`, `tools` and whatever the grader reads; `for_bedrock`: without the role developer."""

    for_bedrock: bool = False
    shape: ClassVar[ShapeName] = "reinforcement"

    def sign(self, record: Record) -> str:
        """Both are read alike; Bedrock's has one field by a fixed name."""
        return "openai-reinforcement" if not self.for_bedrock or "reference_answer" in record else self.name

    def parse(self, record: Record) -> Parsed:
        """The record."""
        return Parsed(dict(record))

    def write(self, example: Example) -> Written:
        """The example word for word; for Bedrock, what a developer says is the system's word."""
        data = wire(_waiting(example))
        losses = []
        for place, message in enumerate(data["messages"] if self.for_bedrock else ()):
            if message["role"] == "developer":
                message["role"] = "system"
                losses.append(f"the role developer of messages[{place}]")
        return settle(self, example, data, losses)


@dataclass(frozen=True)
class TrlPrompt(_RewardDialect):
    """`prompt` as a text or a list of messages; the other columns are for the reward functions."""

    shape: ClassVar[ShapeName] = "reinforcement"

    def parse(self, record: Record) -> Parsed:
        """The prompt becomes the messages."""
        asked: Told = read_prompt(record["prompt"], "/prompt") if "prompt" in record else Gone()
        return _build_chat(record, ("prompt",), asked, "/prompt")

    def write(self, example: Example) -> Written:
        """A list of messages, and the fields as columns."""
        told = _waiting(example)
        losses = [loss.removeprefix("input.") for loss in lost_of_input(Chat([], None, *_beside(told)))]
        record: dict[str, Any] = {"prompt": wire(told)["messages"]}
        if told.tools is not None:
            record["tools"] = told.tools
        write_rest(record, told.extra, ("prompt", "messages", "tools"), losses)
        return settle(self, example, record, losses)


@dataclass(frozen=True)
class GeminiReinforcement(_RewardDialect):
    """`contents` that wait for an answer, and `references` for the reward."""

    shape: ClassVar[ShapeName] = "reinforcement"

    def parse(self, record: Record) -> Parsed:
        """Contents become messages; the references stay a field."""
        talk = read_talk(record, GEMINI) if "contents" in record else Gone()
        return _build_chat(record, ("contents", *GEMINI.system), talk, "/contents")

    def write(self, example: Example) -> Written:
        """Only text has a place."""
        told = _waiting(example)
        losses = [loss.removeprefix("input.") for loss in lost_of_input(Chat([], told.tools, *_beside(told)))]
        found: list[str] = []
        record = write_talk(told.messages, GEMINI, found)
        losses += [loss.replace("input.messages[", "messages[") for loss in found]
        write_rest(record, told.extra, ("contents", "messages", "tools", *GEMINI.system), losses)
        return settle(self, example, record, losses)


def _beside(told: Chat) -> tuple[bool | None, list[dict[str, Any]] | None]:
    return told.parallel_tool_calls, told.functions


def _build_chat(record: Record, known: tuple[str, ...], talk: Told, at: str) -> Parsed:
    paths: dict[str, str] = {}
    built: dict[str, Any] = {}
    if not isinstance(talk, Gone):
        built["messages"] = put_messages(talk, "/messages", at, paths)
    for key, value in record.items():
        if key in known:
            continue
        name = f"{key}_" if key == "messages" else key
        while name != key and name in record:
            name += "_"
        if name != key:
            paths[f"/{name}"] = f"/{key}"
        built[name] = read_tools(value) if key == "tools" else value
    return Parsed(built, paths)


def _waits_in_contents(record: Record) -> bool:
    talk = record.get("contents")
    if not is_list(talk) or not talk:
        return False
    roles = [m.get("role") if isinstance(m, dict) else None for m in talk]
    return "references" in record or (roles[-1] == "user" and "model" not in roles)


def _is_prompt(record: Record) -> bool:
    """Whether a prompt stands alone: as messages that nobody answers, or as a text with no column for its answer."""
    prompt = record.get("prompt")
    if any(key in record for key in ("completion", "completions", "chosen", "rejected", "messages")):
        return False
    if is_list(prompt):
        return _waits({"messages": prompt})
    named = [key for key in record if isinstance(key, str)]
    return isinstance(prompt, str) and choose_completion(named, ("prompt",)) is None


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

REWARDS: tuple[Dialect, ...] = (
    WireUnpaired("unpaired", "unpaired preference data (input, output and a true/false label)"),
    TrlStepwise("trl-stepwise", "TRL stepwise data (completions with labels)"),
    TrlUnpaired("trl-unpaired", "TRL unpaired data (prompt, completion and a true/false label, as for KTO)"),
    LlamaFactoryUnpaired("llama-factory-kto", "LLaMA-Factory or ms-swift KTO data (messages and a true/false label)"),
    ChatReinforcement("openai-reinforcement", "OpenAI reinforcement data (messages that wait for an answer)"),
    ChatReinforcement("bedrock-reinforcement", "Bedrock reinforcement data (messages and a reference_answer)", True),
    GeminiReinforcement("gemini-reinforcement", "Gemini reinforcement data (contents and references)"),
    TrlPrompt("trl-prompt", "TRL prompts (messages or a text, and columns for the rewards)"),
)
"""The dialects of these shapes, in the order in which they are asked whether a record is theirs."""
