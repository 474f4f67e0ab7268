"""Dialects of preference data: one question, a better and a worse answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Example
from ftprep.shapes.dialect import Dialect, Parsed, Record, Written
from ftprep.shapes.dialects.answers import (
    Gone,
    Told,
    build,
    count_shared,
    read_answer,
    read_list,
    settle,
    wire,
    write_json,
    write_rest,
    write_turn,
)
from ftprep.shapes.dialects.preference_clouds import (
    OLD,
    PAIR,
    GeminiPreference,
    NovaPreference,
    PreferenceDialect,
    of_kind,
)
from ftprep.shapes.dialects.questions import (
    is_repeated,
    lost_of_input,
    or_gone,
    read_instruction,
    read_prompt,
    read_transcript,
    role_of,
    talk_key,
    with_system,
    write_answer,
    write_instruction,
    write_question,
)


@dataclass(frozen=True)
class OpenAIPreference(PreferenceDialect):
    """The wire form itself."""

    def parse(self, record: Record) -> Parsed:
        """The record, with the first API's names changed."""
        names = {old: new for old, new in OLD.items() if old in record and new not in record}
        if not names:
            return Parsed(dict(record))
        return Parsed({names.get(k, k): v for k, v in record.items()}, {f"/{n}": f"/{o}" for o, n in names.items()})

    def write(self, example: Example) -> Written:
        """The example word for word."""
        return settle(self, example, wire(of_kind(example)), [])


@dataclass(frozen=True)
class TrlPreference(PreferenceDialect):
    """`prompt`, `chosen` and `rejected`; where there is no prompt, it is what both answers begin with. `as_text`: they
    are written as texts, not as lists of messages."""

    as_text: bool = False
    known: ClassVar[tuple[str, ...]] = ("prompt", "chosen", "rejected", "tools")

    def parse(self, record: Record) -> Parsed:
        """With the common beginning of the answers taken off, as TRL does."""
        better, worse = read_answer(record, "chosen"), read_answer(record, "rejected")
        shared = count_shared(better, worse)
        asked: Told
        if "prompt" in record:
            asked, at = read_prompt(record["prompt"], "/prompt"), "prompt"
            if shared and is_repeated(asked, better[:shared]):
                asked, better, worse = better[:shared], better[shared:], worse[shared:]
        else:
            at = "chosen"
            turns = [read_transcript(record.get(key), f"/{key}") for key in ("chosen", "rejected")]
            if all(turns):
                better, worse = turns
                shared = count_shared(better, worse)
            asked = better[:shared] if shared else []
            better, worse = (better[shared:], worse[shared:]) if shared else (better, worse)
        answers = {PAIR[0]: (better, "/chosen"), PAIR[1]: (worse, "/rejected")}
        return build(record, self.known, asked, at, answers)

    def write(self, example: Example) -> Written:
        """Lists of messages, or texts; a question that is empty is left out."""
        told = of_kind(example)
        losses = lost_of_input(told.input, ("tools",))
        data = wire(told)
        record: dict[str, Any] = {}
        if self.as_text:
            record["prompt"] = write_question(told.input.messages, losses)
            record["chosen"] = write_answer(told.preferred_output, "preferred_output", losses)
            record["rejected"] = write_answer(told.non_preferred_output, "non_preferred_output", losses)
        else:
            if told.input.messages:
                record["prompt"] = data["input"]["messages"]
            record["chosen"], record["rejected"] = data["preferred_output"], data["non_preferred_output"]
        if told.input.tools is not None:
            record["tools"] = told.input.tools
        write_rest(record, told.extra, self.known, losses)
        return settle(self, example, record, losses)


@dataclass(frozen=True)
class LlamaFactoryPreference(PreferenceDialect):
    """`conversations` (or `messages`, or `prompt`) as a list, `chosen` and `rejected` as one turn each."""

    known: ClassVar[tuple[str, ...]] = ("chosen", "rejected", "tools", "system")

    def parse(self, record: Record) -> Parsed:
        """Turns with from and value become messages; a `system` column becomes the first of them."""
        key = talk_key(record) or "conversations"
        asked: Told = read_list(record[key], f"/{key}") if key in record else Gone()
        asked = with_system(record, asked)
        answers = {
            PAIR[0]: (read_answer(record, "chosen"), "/chosen"),
            PAIR[1]: (read_answer(record, "rejected"), "/rejected"),
        }
        return build(record, (key, *self.known), asked, key, answers)

    def write(self, example: Example) -> Written:
        """Turns with from and value; tools as JSON text, as LLaMA-Factory reads them."""
        told = of_kind(example)
        losses = lost_of_input(told.input, ("tools",))
        asked = [write_turn(m, f"input.messages[{i}]", losses) for i, m in enumerate(told.input.messages)]
        record: dict[str, Any] = {"conversations": asked}
        for key, name, messages in zip(("chosen", "rejected"), PAIR, told.answers, strict=True):
            turns = [write_turn(m, f"{name}[{i}]", losses) for i, m in enumerate(messages)]
            losses += [f"{name}[{i}]" for i in range(1, len(turns))]
            record[key] = turns[0] if turns else []
        if told.input.tools is not None:
            record["tools"] = write_json(told.input.tools)
        write_rest(record, told.extra, ("conversations", *self.known), losses)
        return settle(self, example, record, losses)


@dataclass(frozen=True)
class AlpacaPreference(PreferenceDialect):
    """`instruction`, `input`, `system` and `history` as texts, `chosen` and `rejected` as texts."""

    known: ClassVar[tuple[str, ...]] = ("instruction", "input", "system", "history", "chosen", "rejected")

    def parse(self, record: Record) -> Parsed:
        """Instruction and input are one message, as LLaMA-Factory joins them."""
        answers = {
            PAIR[0]: (read_answer(record, "chosen"), "/chosen"),
            PAIR[1]: (read_answer(record, "rejected"), "/rejected"),
        }
        return build(record, self.known, read_instruction(record), "instruction", answers)

    def write(self, example: Example) -> Written:
        """All of the last question is the instruction."""
        told = of_kind(example)
        losses = lost_of_input(told.input, ())
        record = write_instruction(told.input.messages, losses)
        record["chosen"] = write_answer(told.preferred_output, "preferred_output", losses)
        record["rejected"] = write_answer(told.non_preferred_output, "non_preferred_output", losses)
        write_rest(record, told.extra, self.known, losses)
        return settle(self, example, record, losses)


@dataclass(frozen=True)
class SwiftPreference(PreferenceDialect):
    """`messages` that end with the better answer, the worse as `rejected_response` or in `rejected_messages`."""

    known: ClassVar[tuple[str, ...]] = ("messages", "rejected_response", "rejected_messages", "tools", "system")

    def parse(self, record: Record) -> Parsed:
        """What both talks begin with is the question; the rest of each, or its last message, is the answer."""
        talk = read_list(record["messages"], "/messages") if "messages" in record else Gone()
        spare = record.get("rejected_response") is None and "rejected_messages" in record
        key = "rejected_messages" if spare else "rejected_response"
        worse = read_answer(record, key)
        shared = count_shared(talk, worse) if key == "rejected_messages" else 0
        if isinstance(talk, list) and not shared and talk:
            shared = len(talk) - 1 if role_of(talk[-1]) == "assistant" else len(talk)
        elif shared:
            worse = worse[shared:]
        asked = talk[:shared] if isinstance(talk, list) else talk
        better = talk[shared:] if isinstance(talk, list) else Gone()
        answers = {PAIR[0]: (or_gone(better), "/messages"), PAIR[1]: (worse, f"/{key}")}
        known = [k for k in self.known if k == key or not k.startswith("rejected") or record.get(k) is None]
        return build(record, known, with_system(record, asked), "messages", answers)

    def write(self, example: Example) -> Written:
        """The worse answer as a text where it is one, else the whole talk again."""
        told = of_kind(example)
        losses = lost_of_input(told.input, ("tools",))
        data = wire(told)
        asked, worse = data["input"]["messages"], data["non_preferred_output"]
        record: dict[str, Any] = {"messages": asked + data["preferred_output"]}
        if len(worse) == 1 and worse[0].keys() == {"role", "content"} and isinstance(worse[0]["content"], str):
            record["rejected_response"] = worse[0]["content"]
        else:
            record["rejected_messages"] = asked + worse
        if told.input.tools is not None:
            record["tools"] = told.input.tools
        write_rest(record, told.extra, self.known, losses)
        return settle(self, example, record, losses)


PREFERENCES: tuple[Dialect, ...] = (
    OpenAIPreference("openai-preference", "OpenAI preference data (input, preferred_output, non_preferred_output)"),
    NovaPreference("nova-preference", "Amazon Nova preference data (candidates with a preferenceLabel)"),
    GeminiPreference("gemini-preference", "Gemini preference data (contents, completions with a score)"),
    LlamaFactoryPreference("llama-factory-dpo", "LLaMA-Factory preference data (chosen and rejected as one turn each)"),
    SwiftPreference("swift-preference", "ms-swift preference data (messages with a rejected_response)"),
    AlpacaPreference("alpaca-dpo", "Alpaca preference data (instruction, chosen, rejected)"),
    TrlPreference("trl-preference", "TRL preference data (chosen and rejected answers)"),
    TrlPreference("trl-preference-text", "TRL preference data (prompt, chosen and rejected as texts)", True),
)
"""The dialects of preferences, in the order in which they are asked whether a record is theirs."""
