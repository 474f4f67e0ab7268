"""Dialects of unpaired and stepwise data, answers and steps with labels; the list of all but preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Example, ShapeName, Stepwise, Unpaired
from ftprep.shapes.dialect import Dialect, Parsed, Record, Written
from ftprep.shapes.dialects.answers import (
    Gone,
    Raw,
    Told,
    build,
    read_answer,
    read_list,
    settle,
    wire,
    write_rest,
)
from ftprep.shapes.dialects.prompts import ChatReinforcement, GeminiReinforcement, TrlPrompt
from ftprep.shapes.dialects.questions import (
    lost_of_input,
    or_gone,
    read_instruction,
    read_prompt,
    role_of,
    talk_key,
    with_system,
)
from ftprep.shapes.dialects.reward_signs import RewardDialect

# -- answers with a label ------------------------------------------------------------------------------------------


def _unpaired(example: Example) -> Unpaired:
    if not isinstance(example, Unpaired):
        raise TypeError("an unpaired example needs one answer and its label; convert the example first")
    return example


@dataclass(frozen=True)
class WireUnpaired(RewardDialect):
    """The wire form itself."""

    shape: ClassVar[ShapeName] = "unpaired"

    def parse(self, record: Record) -> Parsed:
        """The record."""
        return Parsed(dict(record))

    def write(self, example: Example) -> Written:
        """The example word for word."""
        return settle(self, example, wire(_unpaired(example)), [])


@dataclass(frozen=True)
class TrlUnpaired(RewardDialect):
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
class LlamaFactoryUnpaired(RewardDialect):
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
class TrlStepwise(RewardDialect):
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
