"""Rules on declared tools: their form, names and number, whether they are used, and arguments that break a schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ftprep.dataset import Dataset
from ftprep.model import Fault
from ftprep.rule import Card, DatasetRule, Judgement, Rule, Sample
from ftprep.rules.fmt_messages import GOOD
from ftprep.rules.talk import Talk, place_words
from ftprep.rules.tool import TalkRule, declared_in, matches, understood
from ftprep.rules.tool_samples import SOUND, TOOL, call, talk
from ftprep.setting import Setting
from ftprep.shapes.quoting import list_names, make_excerpt, quote

if TYPE_CHECKING:
    from ftprep.rules.tool_schemas import Tool

NAME = "^[a-zA-Z0-9_-]{1,64}$"
"""What the name of a function must match (OpenAI's and Mistral's references), where the target says nothing else."""


class ArgumentsAgainstSchema(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL108",
        name="arguments-against-schema",
        severity="warning",
        finds="The arguments of a call break the JSON Schema that its tool declares.",
        why="The model learns to call the tool in a way that the tool does not take.",
        bad=talk([call({"land": "Mali"})], ("call_1", "Bamako"), "Bamako."),
        good=SOUND,
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.tool_schemas import broken

        del setting
        calls = talk.every_call
        tools = _tools(talk) if calls else {}
        for called in calls:
            tool = tools.get(called.name)
            if tool is None or tool.schema is None:
                continue
            try:
                arguments = understood(called.arguments)
            except ValueError:
                continue  # TOOL101 says so
            for where, words in broken(tool.schema, called.arguments, arguments):
                at = f" at {where}" if where else ""
                message = f"{place_words(called.pointer)}: arguments of {quote(called.name)}{at}: {words}"
                yield self.fault(message, f"{called.function}/arguments", make_excerpt(called.arguments))


def _tools(talk: Talk) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for _, its in declared_in(talk):
        found = {**its.tools, **found}
    return found


class ToolNameInvalid(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL109",
        name="tool-name-invalid",
        severity="error",
        finds="The name of a tool has other characters than letters a-z, digits, _ and -, or more than 64 of them.",
        why="Providers refuse the file.",
        bad=talk("Bamako.", tools=[{"type": "function", "function": {"name": "capital of"}}]),
        good=talk("Bamako.", tools=[TOOL]),
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        fact = setting.target.get("tools.name_pattern") if setting.target else None
        pattern = fact.value if fact is not None and isinstance(fact.value, str) else NAME
        known = set()
        for pointer, its in declared_in(talk):
            for tool in its.tools.values():
                known.add(tool.name)
                if not matches(pattern, tool.name):
                    yield self._wrong(pointer + tool.pointer, tool.name, pattern)
        for called in talk.every_call:
            if called.name not in known and not matches(pattern, called.name):
                yield self._wrong(f"{called.function}/name", called.name, pattern)

    def _wrong(self, pointer: str, name: str, pattern: str) -> Fault:
        message = f"{place_words(pointer)}: the name {quote(name)} does not match {pattern}"
        return self.fault(message, pointer, make_excerpt(name))


class ToolSchemaInvalid(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL110",
        name="tool-schema-invalid",
        severity="error",
        finds="A declared tool is not {type, function {name, description, parameters}} with parameters that are a JSON "
        "Schema of an object, or is declared twice.",
        why="Providers refuse the file, or the model is told of a tool in a form that it will never see in use.",
        bad=talk(
            "Bamako.",
            tools=[
                {"type": "function", "function": {"name": "capital", "parameters": {"type": "object", "required": 1}}}
            ],
        ),
        good=talk("Bamako.", tools=[TOOL]),
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        for pointer, its in declared_in(talk):
            for where, words in its.faults:
                at = pointer + where
                yield self.fault(f"{place_words(at)}: {words}", at)


class TooManyTools(TalkRule):
    fact: ClassVar[str] = "tools.max"
    card: ClassVar[Card] = Card(
        code="TOOL113",
        name="too-many-tools",
        severity="error",
        finds="A conversation declares more tools than the target takes.",
        why="Providers refuse the file.",
        bad=Sample(
            text=talk("Bamako.", tools=[{"type": "function", "function": {"name": f"f{i}"}} for i in range(129)]).text,
            recipe={"target": "azure"},
        ),
        good=Sample(text=talk("Bamako.", tools=[TOOL]).text, recipe={"target": "azure"}),
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        fact = setting.target.get(self.fact) if setting.target else None
        count = sum(len(tools) for _, tools in talk.tools)
        if fact is not None and type(fact.value) is int and count > fact.value:
            message = f"{count:,} tools are declared; the most is {setting.told(fact)}"
            yield self.fault(message, talk.tools[-1][0])


def _ten(sample: Sample) -> str:
    """Ten different conversations like that of a sample."""
    return "".join(str(sample.text)[len(GOOD) :].replace("Mali?", f"Mali ({i})?") for i in range(10))


@dataclass(frozen=True)
class ToolsUnused(DatasetRule):
    """Options: the share of conversations without a call from which that is told, and the fewest conversations with
    tools that say anything."""

    share: float = 0.95
    fewest: int = 10

    shapes: ClassVar[tuple[str, ...]] = ("chat", "unpaired", "preference")
    card: ClassVar[Card] = Card(
        code="TOOL112",
        name="tools-unused",
        severity="info",
        finds="Tools are declared and hardly ever called, or one that every conversation declares is called in none.",
        why="The model learns not to use them, and each declaration is paid for as tokens in every example.",
        bad=Sample(text=_ten(talk("Bamako.", tools=[TOOL]))),
        good=Sample(text=_ten(SOUND)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        acts = dataset.surveys.chats.acts
        if acts.declared < self.fewest:
            return
        quiet = acts.declared - acts.calling
        if quiet >= self.share * acts.declared:
            often = "none" if not acts.calling else f"only {acts.calling:,}"
            yield Judgement(f"{acts.declared:,} conversations declare tools, and {often} of them call one")
        elif acts.names is not None and acts.called is not None:
            idle = sorted(n for n, count in acts.names.items() if count == acts.declared and n not in acts.called)
            if idle:
                yield Judgement(
                    f"declared in all {acts.declared:,} conversations with tools, called in none: {list_names(idle)}"
                )


RULES: tuple[type[Rule], ...] = (ArgumentsAgainstSchema, ToolNameInvalid, ToolSchemaInvalid, TooManyTools, ToolsUnused)
