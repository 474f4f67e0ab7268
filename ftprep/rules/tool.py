"""Rules on calls: arguments, ids, answers, and whether what is called was declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ftprep.batch import Batch
from ftprep.model import Fault, Row, Severity
from ftprep.patterns import MOST_WAYS, ways
from ftprep.readers.strict_json import BadJson, loads
from ftprep.rule import Card, RowRule, Rule, Sample
from ftprep.rules.fmt_messages import GOOD
from ftprep.rules.repairs import decoded_arguments
from ftprep.rules.talk import SPEAKING, Called, Said, Talk, acting_rows, place_words, talk_of
from ftprep.rules.tool_samples import CALL, SOUND, call, talk
from ftprep.setting import Setting
from ftprep.shapes.quoting import make_excerpt, name_kind, quote

if TYPE_CHECKING:
    from ftprep.rules.tool_schemas import Declared


class TalkRule(RowRule):
    """A rule on tools and calls; it looks only at rows that have some."""

    shapes: ClassVar[tuple[str, ...]] = SPEAKING

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with tools, calls or answers of tools."""
        return acting_rows(batch)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        """The faults of one example, each once, also where two conversations share their beginning."""
        found = self.look(talk_of(row), setting)
        yield from {(fault.pointer, fault.message): fault for fault in found}.values()

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        """The faults of the conversations of an example."""
        raise NotImplementedError

    def of_call(self, call: Called, message: str, key: str = "", excerpt: str = "") -> Fault:
        """A fault of a call, or of a key of it."""
        return self.fault(f"{place_words(call.pointer)}: {message}", call.pointer + key, excerpt)


def understood(text: str) -> Any:
    """The value of arguments; raises ValueError that says what is wrong and where, for what is no JSON object."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            value = loads(text.encode("utf-8", "surrogatepass"))
        except BadJson as bad:
            where = f"column {bad.column:,}" if bad.line == 1 else f"line {bad.line:,}, column {bad.column:,}"
            message = f"no JSON: {bad.message} (at {where})"
            raise ValueError(message) from None
        except (ValueError, RecursionError) as error:
            message = f"no JSON that can be read ({type(error).__name__})"
            raise ValueError(message) from None
    if isinstance(value, dict):
        return value
    twice = "; they were encoded twice" if decoded_arguments(text) is not None else ""
    message = f"{name_kind(value)}, not an object{twice}"
    raise ValueError(message)


class ArgumentsNotJson(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL101",
        name="arguments-not-json",
        severity="error",
        finds="The arguments of a call are no JSON, or JSON that is no object.",
        why="The model learns to write calls that no client can run.",
        bad=talk([call("{'country': 'Mali'}")], ("call_1", "Bamako"), "Bamako."),
        good=SOUND,
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        for called in talk.every_call:
            text = called.arguments
            if not text.strip():
                yield self._wrong(called, "empty; write {} where there are none")
                continue
            try:
                understood(text)
            except ValueError as error:
                yield self._wrong(called, str(error))

    def _wrong(self, called: Called, what: str) -> Fault:
        message = f"{place_words(called.pointer)}: the arguments are {what}"
        return self.fault(message, f"{called.function}/arguments", make_excerpt(called.arguments))


class CallIdUnmatched(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL103",
        name="call-id-unmatched",
        severity="error",
        finds="A tool's answer names a call that was not made before it.",
        why="Nobody can tell what it answers; providers refuse the file, or the model learns to invent results.",
        bad=talk([CALL], ("call_7", "Bamako"), "Bamako."),
        good=SOUND,
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        for path, calls in zip(talk.paths, talk.calls, strict=True):
            for place, said in enumerate(path):
                key = unmatched(said, [c for c in calls if c.place < place])
                if key:
                    name = getattr(said.message, key) or ""
                    what = "call has the id" if key == "tool_call_id" else "call before it is of the function"
                    message = f"{place_words(said.pointer)}: no {what} {quote(name)}"
                    yield self.fault(message, f"{said.pointer}/{key}", make_excerpt(name))


def unmatched(said: Said, calls: list[Called]) -> str:
    """The key of a tool's answer that names none of the calls before it, "" where it does or is none."""
    message = said.message
    if message.role == "tool" and message.tool_call_id is not None:
        return "" if any(c.id == message.tool_call_id for c in calls if not c.is_legacy) else "tool_call_id"
    if message.role == "function":
        return "" if any(c.name == message.name for c in calls) else "name"
    return ""


class CallIdDuplicate(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL104",
        name="call-id-duplicate",
        severity="error",
        finds="A call has the id of another one that is not answered yet.",
        why="Nobody can tell which of them an answer belongs to; providers refuse the file.",
        bad=talk([CALL, call({"country": "Peru"})], ("call_1", "Bamako"), ("call_1", "Lima"), "Bamako and Lima."),
        good=talk([CALL], ("call_1", "Bamako"), [call({"country": "Peru"})], ("call_1", "Lima"), "Bamako and Lima."),
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        for path, calls in zip(talk.paths, talk.calls, strict=True):
            waiting: set[str] = set()
            for place, said in enumerate(path):
                if said.message.tool_call_id is not None:
                    waiting.discard(said.message.tool_call_id)
                for called in (c for c in calls if c.place == place and not c.is_legacy):
                    if called.id in waiting:
                        message = f"another call that waits for its answer has the id {quote(called.id)}"
                        yield self.of_call(called, message, "/id", make_excerpt(called.id))
                    waiting.add(called.id)


class CallUnanswered(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL105",
        name="call-unanswered",
        severity="warning",
        finds="The talk goes on after a call without the tool's answer. A talk that ends with the call is in order.",
        why="The model learns to go on without the result, or to make it up.",
        bad=talk([CALL], "Bamako."),
        good=SOUND,
    )

    def severity(self, setting: Setting) -> Severity:
        """An error where the target wants as many answers as calls."""
        fact = setting.target.get("tools.results_match_calls") if setting.target else None
        return "error" if fact is not None and fact.value is True and fact.rejects else "warning"

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        for path, calls in zip(talk.paths, talk.calls, strict=True):
            for place in dict.fromkeys(c.place for c in calls):
                stop = _end_of_answers(path, place)
                if stop == len(path):
                    continue
                answers = path[place + 1 : stop]
                # An answer that names no call is told of by TOOL103, and most likely meant for one of these.
                spare = sum(bool(unmatched(answer, [c for c in calls if c.place <= place])) for answer in answers)
                open_calls = [c for c in calls if c.place == place and not _is_answered(c, answers)]
                for called in open_calls[spare:]:
                    message = (
                        f"the call of {quote(called.name)} is not answered before {place_words(path[stop].pointer)}"
                    )
                    yield self.of_call(called, message)


def _end_of_answers(path: list[Said], place: int) -> int:
    """Where the messages of tools that follow a message end."""
    stop = place + 1
    while stop < len(path) and path[stop].message.role in ("tool", "function"):
        stop += 1
    return stop


def _is_answered(called: Called, answers: list[Said]) -> bool:
    if called.is_legacy:
        return any(said.message.role == "function" and said.message.name == called.name for said in answers)
    return any(said.message.tool_call_id == called.id for said in answers)


class UndeclaredTool(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL106",
        name="undeclared-tool",
        severity="error",
        finds="A call names a function that the conversation does not declare.",
        why="The model learns to call what it was not told of; providers refuse the file.",
        bad=talk([call({"country": "Mali"}, "get_capital")], ("call_1", "Bamako"), "Bamako."),
        good=SOUND,
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        if not talk.tools or not talk.every_call:
            return
        known = dict.fromkeys(name for _, its in declared_in(talk) for name in its.tools)
        for called in talk.every_call:
            if called.name not in known:
                near = next((name for name in known if name.casefold() == called.name.strip().casefold()), "")
                hint = f"; there is {quote(near)}" if near else ""
                message = f"{quote(called.name)} is not among the declared tools{hint}"
                pointer = called.function.removeprefix(called.pointer) + "/name"
                yield self.of_call(called, message, pointer, make_excerpt(called.name))


def declared_in(talk: Talk) -> list[tuple[str, Declared]]:
    """The lists of declared tools with their pointers, worked out once for each example."""
    from ftprep.rules.tool_schemas import declared

    if "declared" not in talk.memo:
        lists = [(pointer, declared(tools, pointer.endswith("/functions"))) for pointer, tools in talk.tools]
        talk.memo["declared"] = lists
    found: list[tuple[str, Declared]] = talk.memo["declared"]
    return found


class CallsWithoutTools(TalkRule):
    card: ClassVar[Card] = Card(
        code="TOOL107",
        name="calls-without-tools",
        severity="warning",
        finds="The assistant calls tools, and the conversation declares none.",
        why="In use the model is told which tools there are; trained without, it learns to call them unasked.",
        bad=talk([CALL], ("call_1", "Bamako"), "Bamako.", tools=()),
        good=SOUND,
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        del setting
        calls = talk.every_call
        if calls and not talk.tools:
            names = ", ".join(dict.fromkeys(quote(c.name) for c in calls[:3]))
            more = f" and {len(calls) - 3} more" if len(calls) > 3 else ""
            yield self.of_call(calls[0], f"calls of {names}{more}, but no tools are declared")


class CallIdFormat(TalkRule):
    fact: ClassVar[str] = "tools.id_pattern"
    card: ClassVar[Card] = Card(
        code="TOOL111",
        name="call-id-format",
        severity="error",
        finds="The id of a call is not of the form that the target asks for.",
        why="Mistral's older tokenizers take nine letters and digits and refuse the file otherwise.",
        bad=Sample(text=SOUND.text, recipe={"target": "mistral"}),
        good=Sample(text=GOOD, recipe={"target": "mistral"}),
    )

    def look(self, talk: Talk, setting: Setting) -> Iterator[Fault]:
        fact = setting.target.get(self.fact) if setting.target else None
        if fact is None or not isinstance(fact.value, str):
            return
        for called in talk.every_call:
            if not called.is_legacy and not matches(fact.value, called.id):
                message = f"the id {quote(called.id)} does not match {setting.told(fact)}"
                yield self.of_call(called, message, "/id", make_excerpt(called.id))


def matches(pattern: str, text: str) -> bool:
    """Whether a text has the form that a target asks for: all of it where the pattern is anchored at both ends. True
    too for a text that is so long that it might take long to tell."""
    if ways(pattern, len(text)) > MOST_WAYS:
        return True
    both = pattern.startswith("^") and pattern.endswith("$")
    return (re.fullmatch if both else re.search)(pattern, text) is not None


RULES: tuple[type[Rule], ...] = (
    ArgumentsNotJson,
    CallIdUnmatched,
    CallIdDuplicate,
    CallUnanswered,
    UndeclaredTool,
    CallsWithoutTools,
    CallIdFormat,
)
