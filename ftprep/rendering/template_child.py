"""Runs by itself in a process of its own: renders conversations with a chat template that somebody else wrote.

A template is a program, so it runs in jinja2's sandbox, within bounds of memory, time and output, and nothing of ours
is at stake. Called as: child.py FOLDERS FILE MEMORY SECONDS, where FILE has lines of JSON: first the templates and the
special tokens, then one line a conversation. Prints `ready`, then one line of JSON for each conversation.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
from datetime import datetime, timedelta
from typing import Any

LONGEST = 1_000_000
"""Items or characters that one multiplication may give."""

MOST_OUTPUT = 4_000_000
"""Characters of output, beside ten times those of the conversation."""

MOST_PREFIXES = 60
"""Messages of a conversation whose beginnings are rendered one by one."""


class TooMuch(Exception):  # noqa: N818 - what a template asked for
    """The template asks for more than it may have."""


def environment(clock: dict[str, Any], marks: tuple[str, str]) -> Any:
    """The surroundings that transformers gives a chat template, with its own limits."""
    import jinja2
    from jinja2 import nodes
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        """The sandbox; products and powers are looked at before they are worked out."""

        intercepted_binops = frozenset(["*", "**", "%"])

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            """The result, or TooMuch."""
            if operator == "*" and _product(left, right) > LONGEST:
                raise TooMuch("it makes a text or a list of more than 1,000,000 items")
            if operator == "**" and isinstance(right, int) and abs(right) > 1000:
                raise TooMuch("it raises a number to a power above 1,000")
            if operator == "%" and isinstance(left, str) and re.search(r"\d{5}|\*", left):
                raise TooMuch("it pads a text to a width above 10,000")
            return super().call_binop(context, operator, left, right)

    class Generation(Extension):
        """`{% generation %}`: marks what the assistant says."""

        tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

        def parse(self, parser: Any) -> Any:
            """The tag as a call around its body."""
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

        def _marked(self, caller: Any) -> str:
            return f"{marks[0]}{caller()}{marks[1]}"

    def raise_exception(message: Any) -> None:
        raise jinja2.exceptions.TemplateError(str(message))

    def tojson(
        x: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
    ) -> str:
        if isinstance(indent, int) and indent > 64:
            raise TooMuch("it indents JSON by more than 64 columns")
        told: str = json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        return told

    def strftime_now(form: str) -> str:
        clock["asked"] = True
        now: datetime = datetime.now() + clock["ahead"]
        return now.strftime(form)

    made = Bounded(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])
    made.filters["tojson"] = tojson
    made.globals.update(raise_exception=raise_exception, strftime_now=strftime_now)
    return made


def _product(left: Any, right: Any) -> int:
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, bytes, list, tuple)) and isinstance(times, int):
            return len(many) * times
    return 0


class Renderer:
    """The templates of one model; renders within bounds."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.clock: dict[str, Any] = {"ahead": timedelta(), "asked": False}
        self.marks = tuple(settings["marks"])
        self.environment = environment(self.clock, self.marks)
        self.sources, self.special = settings["templates"], settings["special"]
        self.compiled: dict[str, Any] = {}

    def text(self, request: dict[str, Any], messages: list[Any], prompt: bool = False) -> str:
        """The conversation as one text, marks included."""
        name = "tool_use" if request["tools"] and "tool_use" in self.sources else request["template"]
        if name not in self.compiled:
            self.compiled[name] = self.environment.from_string(self.sources[name])
        given = {**self.special, "messages": messages, "tools": request["tools"] or None, "documents": None}
        parts, size, most = [], 0, MOST_OUTPUT + 10 * request["size"]
        for part in self.compiled[name].generate(**given, add_generation_prompt=prompt):
            size += len(part)
            if size > most:
                raise TooMuch(f"it writes more than {most:,} characters")
            parts.append(part)
        return "".join(parts)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """All that is asked of one conversation."""
        full = self.text(request, request["messages"], request["prompt"])
        text, spans = self.unmarked(full)
        told: dict[str, Any] = {"text": text, "generations": spans}
        told["marked"] = self.tried(request, request["marked"], request["prompt"])
        told["dated"] = self.clock["asked"] and self.is_dated(request, full)
        count = len(request["messages"])
        if count <= MOST_PREFIXES:
            upto = [self.reach(request, text, n, prompt=False) for n in range(1, count)]
            told["upto"] = [*upto, None if request["prompt"] else len(text)]
            told["asked"] = [self.reach(request, text, n, prompt=True) for n in request["answers"]]
        return told

    def reach(self, request: dict[str, Any], text: str, count: int, prompt: bool) -> int | None:
        """How much of the text the first messages make, None where they make another one."""
        prefix = self.tried(request, request["messages"][:count], prompt)
        return len(prefix) if prefix is not None and text.startswith(prefix) else None

    def tried(self, request: dict[str, Any], messages: list[Any], prompt: bool) -> str | None:
        """A text beside the one that counts, None where the template refuses it."""
        try:
            return self.unmarked(self.text(request, messages, prompt))[0]
        except (TooMuch, MemoryError, Late):
            raise
        except Exception:  # noqa: BLE001 - a template may raise anything
            return None

    def is_dated(self, request: dict[str, Any], full: str) -> bool:
        """Whether the text is another one some other day."""
        self.clock["ahead"] = timedelta(days=401, hours=7)
        try:
            return self.text(request, request["messages"], request["prompt"]) != full
        finally:
            self.clock["ahead"] = timedelta()

    def unmarked(self, text: str) -> tuple[str, list[list[int]]]:
        """The text without marks, and where they stood: [start, stop] of what is generated."""
        begin, end = self.marks
        parts, spans, size, opened = [], [], 0, []
        for part in re.split(f"({re.escape(begin)}|{re.escape(end)})", text):
            if part == begin:
                opened.append(size)
            elif part == end and opened:
                spans.append([opened.pop(), size])
            elif part != end:
                parts.append(part)
                size += len(part)
        return "".join(parts), spans


class Late(BaseException):
    """The time for one conversation is over; no template can catch it."""


def _late(*_: Any) -> None:
    raise Late


def why(error: BaseException) -> str:
    """What went wrong, in the template's own words."""
    if isinstance(error, Late):
        return "late"
    if isinstance(error, MemoryError):
        return "memory"
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return str(error) if type(error).__name__ in ("TemplateError", "TooMuch") else told


def main() -> int:
    """Renders every conversation of the file; 0 where all were tried."""
    folders, path, memory, seconds = sys.argv[1:]
    sys.path += [*folders.split(os.pathsep), os.path.dirname(__file__)]  # noqa: PTH120 - as in the other children
    sys.path.append(os.path.join(os.path.dirname(os.path.dirname(__file__)), "readers"))  # noqa: PTH118,PTH120
    importlib.import_module("child_bounds").bound(int(memory))
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        renderer, lines = Renderer(json.loads(file.readline())), list(file)
    has_clock = hasattr(signal, "setitimer")
    if has_clock:
        signal.signal(signal.SIGALRM, _late)
    print("ready", flush=True)  # noqa: T201
    for line in lines:
        try:
            if has_clock:
                signal.setitimer(signal.ITIMER_REAL, float(seconds))
            told = renderer.answer(json.loads(line))
        except BaseException as error:  # noqa: BLE001 - whatever a template does is told, and the next one is tried
            told = {"error": why(error)}
        finally:
            if has_clock:
                signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(told), flush=True)  # noqa: T201
        if told.get("error") in ("late", "memory"):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
