"""Dialects of reinforcement data: conversations that wait for an answer, and what its grader reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, Reinforcement, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.answers import Gone, Told, put_messages, read_tools, settle, wire, write_rest
from ftprep.shapes.dialects.cloud_talk import GEMINI, read_talk, write_talk
from ftprep.shapes.dialects.questions import lost_of_input, read_prompt
from ftprep.shapes.dialects.reward_signs import RewardDialect


def _waiting(example: Example) -> Reinforcement:
    if not isinstance(example, Reinforcement):
        raise TypeError("reinforcement data are conversations that wait for an answer; convert the example first")
    return example


@dataclass(frozen=True)
class ChatReinforcement(RewardDialect):
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
class TrlPrompt(RewardDialect):
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
class GeminiReinforcement(RewardDialect):
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
