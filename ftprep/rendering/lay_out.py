"""Renders a conversation in one of the layouts that are data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ftprep.model import ImagePart, Message, Turn
from ftprep.rendering.layouts import ANY, Layout
from ftprep.rendering.script import Script
from ftprep.rendering.values import Kind, Rendered, Segment
from ftprep.tokens import CHAT_RULES, IMAGE_LOW, TEMPLATE_RULES, Counter, tool_texts

Said = tuple[Kind, str]
"""One text of a message, and of which kind it is."""


class NotTaken(Exception):  # noqa: N818 - it says what a layout answers, and never leaves the room
    """A layout has no place for something; the text says for what."""


@dataclass(frozen=True)
class _Turn:
    """A turn as the layout has it: what stands before, the texts, what stands after, each text with its message."""

    role: str
    message: int
    head: str
    said: list[tuple[int, Said]]
    tail: str


def lay_out(layout: Layout, script: Script, counter: Counter, rule: str = "", today: date | None = None) -> Rendered:
    """The conversation in this layout, words not yet counted; `rule` counts the template's tokens where another than
    the layout's own holds. What the layout has no place for refuses the conversation, with the reason."""
    notes = [*layout.notes, *script.notes]
    work = _Work(layout, script, counter, rule or layout.rule, today or date.today(), notes)
    try:
        segments = tuple(work.segments())
    except NotTaken as reason:
        return Rendered(layout.name, roles=script.roles, label=script.label, refused=str(reason))
    counting = f"the rule {work.rule}" if work.rule else ""
    return Rendered(layout.name, segments, script.roles, script.label, work.beside, counting, notes=tuple(notes))


@dataclass
class _Work:
    layout: Layout
    script: Script
    counter: Counter
    rule: str
    today: date
    notes: list[str]
    beside: int = 0

    def segments(self) -> Iterator[Segment]:
        """All of it, from the begin to the end."""
        layout, script = self.layout, self.script
        turns = list(self._folded(self._turns()))
        answers = [n for n, turn in enumerate(turns) if turn.role == "assistant"]
        yield from self._begin()
        for number, turn in enumerate(turns):
            is_last = layout.last is not None and answers[-1:] == [number] == [len(turns) - 1]
            yield from self._turn(turn, layout.last if is_last else None)
        if script.waits and layout.prompt:
            prompt = TEMPLATE_RULES[self.rule].prompt if self.rule in TEMPLATE_RULES else None
            yield Segment(layout.prompt, "template", tokens=prompt)
        elif layout.end and not script.waits:
            yield Segment(layout.end, "template")

    # -- what the layout makes of the messages ---------------------------------------------------------------------

    def _turns(self) -> Iterator[_Turn]:
        answers = [n for n, role in enumerate(self.script.roles) if role == "assistant"]
        for number, message in enumerate(self.script.messages):
            head, tail = self._around(number, message.role)
            if message.thought and self.layout.thinks and number in answers[-1:]:
                before, after = self.layout.thinks
                yield _Turn("reasoning", number, before, [(number, ("reasoning", message.thought))], after)
            elif message.thought and not self.layout.shows_tools:
                self._note(f"the reasoning of messages[{number}] has no place in this layout and is left out")
            said = [(number, each) for each in self._said(number, message)]
            yield _Turn(message.role, number, head, said, tail)

    def _around(self, number: int, role: str) -> tuple[str, str]:
        turns = self.layout.turns
        if role == "system" and self.layout.system != "turn":
            if self.layout.system == "refused":
                raise NotTaken(f"messages[{number}]: the layout {self.layout.name} has no system message")
            return "", ""
        found = turns.get(role) or turns.get(ANY)
        if found is None:
            raise NotTaken(f"messages[{number}]: the layout {self.layout.name} has no place for the role {role}")
        return found[0].replace("{role}", role), found[1]

    def _said(self, number: int, message: Message | Turn) -> Iterator[Said]:
        if self.layout.shows_tools:
            yield from _all_said(message)
            return
        if message.tool_calls or message.function_call:
            what = f"messages[{number}] calls a tool, which the layout {self.layout.name} has no form for"
            raise NotTaken(f"{what}: give the model's own template")
        if message.name:
            self._note(f"the name of messages[{number}] is left out")
        yield "text", message.text
        if message.refusal:
            yield "text", message.refusal
        if _pictures(message):
            self._note(f"pictures of messages[{number}] are left out: how they stand depends on the model's processor")

    def _folded(self, turns: Iterator[_Turn]) -> Iterator[_Turn]:
        """The turns; a system text inside that of a user where the layout has it there."""
        if self.layout.system == "turn":
            yield from turns
            return
        all_turns = list(turns)
        apart = [t for t in all_turns if t.role == "system"]
        rest = [t for t in all_turns if t.role != "system"]
        if not apart:
            yield from rest
            return
        users = [n for n, t in enumerate(rest) if t.role == "user"]
        if not users:
            raise NotTaken(f"the layout {self.layout.name} puts the system text into a user's turn, and there is none")
        at = users[0] if self.layout.system == "first user" else users[-1]
        glue: tuple[int, Said] = (rest[at].message, ("template", self.layout.glue))
        said = [each for turn in apart for each in (*turn.said, glue)]
        for number, turn in enumerate(rest):
            yield _Turn(turn.role, turn.message, turn.head, said + turn.said, turn.tail) if number == at else turn

    # -- with their tokens -----------------------------------------------------------------------------------------

    def _begin(self) -> Iterator[Segment]:
        measured = TEMPLATE_RULES.get(self.rule)
        if self.layout.begin:
            yield Segment(self.layout.begin, "template", tokens=measured.per_example if measured else None)
        if self.layout.fixed:
            fixed = self.layout.fixed.replace("{today}", self.today.isoformat())
            yield Segment(fixed, "template", tokens=measured.fixed if measured else None)
        elif measured and measured.fixed and not (measured.default_system and "system" in self.script.roles):
            self.beside += measured.fixed
            self._note(
                f"the model's own template adds {measured.fixed} tokens that are not shown here: {measured.note}"
            )
        if self.rule in CHAT_RULES:
            self.beside += CHAT_RULES[self.rule].per_example
        if self.script.tools and self.layout.shows_tools:
            texts, adds = tool_texts(self.script.tools)
            self.beside += adds
            for text in texts:
                yield Segment(text, "tools")
                yield Segment("\n", "template", tokens=0)
        elif self.script.tools:
            self._note("the declared tools are left out: how they stand is the model's own, give its template")

    def _turn(self, turn: _Turn, tail: str | None) -> Iterator[Segment]:
        trained = self.script.trained
        around = self._tokens_around(turn)
        if turn.head:
            yield Segment(turn.head, "template", turn.message, tokens=around)
        for number, (kind, text) in turn.said:
            if kind == "template":
                yield Segment(text, kind, number, tokens=0 if self.layout.shows_tools else None)
            elif kind == "image":
                yield Segment(text, kind, number, trained[number], tokens=IMAGE_LOW)
            elif text:
                yield Segment(text, kind, number, trained[number])
        after = turn.tail if tail is None else tail
        if after:
            yield Segment(
                after, "template", turn.message, tokens=None if around is None else 0 if turn.head else around
            )

    def _tokens_around(self, turn: _Turn) -> int | None:
        """The template's tokens of one turn, both ends together: rules do not tell them apart."""
        if self.rule in TEMPLATE_RULES:
            return TEMPLATE_RULES[self.rule].of(turn.role)
        if self.rule not in CHAT_RULES:
            return None
        adds = CHAT_RULES[self.rule]
        named = any(kind == "name" for _, (kind, _) in turn.said)
        return adds.per_message + self.counter.count([turn.role])[0] + (adds.per_name if named else 0)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _all_said(message: Message | Turn) -> Iterator[Said]:
    """Every text of a message in the order of `spoken`, calls and pictures included, parted by line ends."""
    texts: list[Said] = [("name", message.name)] if message.name else []
    if message.thought:
        texts.append(("reasoning", message.thought))
    texts += [("text", text) for text in (message.text, message.refusal) if text]
    if message.function_call:
        texts += [("call", message.function_call.name), ("call", message.function_call.arguments)]
    for call in message.tool_calls or ():
        texts += [("call", call.function.name), ("call", call.function.arguments)]
    texts += [("image", picture) for picture in _pictures(message)]
    for number, each in enumerate(texts):
        if number:
            yield "template", "\n"
        yield each


def _pictures(message: Message | Turn) -> list[str]:
    """What stands for each picture: its address, data in a few words."""
    parts = message.content if isinstance(message.content, list) else ()
    urls = [part.image_url.url for part in parts if isinstance(part, ImagePart)]
    return [f"[picture {url[:40]}… {len(url):,} characters]" if len(url) > 200 else f"[picture {url}]" for url in urls]
