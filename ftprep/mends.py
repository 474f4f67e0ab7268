"""What can be done to an example: small values, applied in one fixed order."""

from __future__ import annotations

import re
from typing import Literal, Protocol

import msgspec

from ftprep.model import Example, Pair

Field = Literal["prompt", "completion"]


class Mend(Protocol):
    """One mending. `order` fixes the sequence: content first, then the ending, then the space before it all."""

    @property
    def order(self) -> int:
        """Mends with a lower number are applied first."""

    def apply(self, example: Example) -> Example:
        """The mended example, or the very same object where nothing was to be done."""


def _replace(example: Pair, field: Field, text: str) -> Pair:
    if field == "prompt":
        return Pair(text, example.completion, example.extra)
    return Pair(example.prompt, text, example.extra)


class CutPrefix(msgspec.Struct, frozen=True, tag=True):
    """Drop a prefix that all rows share; a completion keeps the one space it began with, and nothing becomes empty."""

    field: Field
    prefix: str
    order: int = 10

    def apply(self, example: Example) -> Example:
        """Drop the prefix where the text starts with it and more than white space follows."""
        if not isinstance(example, Pair):
            return example
        text = getattr(example, self.field)
        rest = text[len(self.prefix) :]
        if not text.startswith(self.prefix) or not rest.strip():
            return example
        space = " " if self.field == "completion" and self.prefix[:1] == " " and not rest[0].isspace() else ""
        return _replace(example, self.field, space + rest)


class Lower(msgspec.Struct, frozen=True, tag=True):
    """Lower-case a text, except the separator or stop sequence at its end and what looks like code or a link."""

    field: Field
    spare: tuple[str, ...] = ()
    order: int = 20

    def apply(self, example: Example) -> Example:
        """Lower-case what is prose."""
        if not isinstance(example, Pair):
            return example
        text = getattr(example, self.field)
        ending = next((s for s in self.spare if s and text.endswith(s)), "")
        body = text[: len(text) - len(ending)]
        lowered = _PROSE.sub(lambda m: m[0] if m[1] else m[0].lower(), body)
        return example if lowered == body else _replace(example, self.field, lowered + ending)


# Group 1 is what must keep its capitals: links, paths, code in back-ticks, identifiers with an underscore or inner dot.
_PROSE = re.compile(r"(`[^`]*`|\w+://\S+|\S*[\\/]\S*[\\/]\S*|\w*_\w*|\w+\.\w+\S*)|[^`\s]+|`", re.UNICODE)


class Relabel(msgspec.Struct, frozen=True, tag=True):
    """Give variants of one label (`Yes`, `yes `, `YES`) the spelling that most rows use; `stop` may stand after it."""

    spellings: dict[str, str]
    stop: str = ""
    order: int = 25

    def apply(self, example: Example) -> Example:
        """Replace the label between the leading white space and the stop sequence."""
        if not isinstance(example, Pair):
            return example
        label = example.completion.lstrip()
        lead = example.completion[: len(example.completion) - len(label)]
        end = self.stop if self.stop and label.endswith(self.stop) else ""
        wanted = self.spellings.get(label[: len(label) - len(end)])
        return example if wanted is None else _replace(example, "completion", lead + wanted + end)


class AddEnding(msgspec.Struct, frozen=True, tag=True):
    """End a text with the separator or stop sequence, where it does not yet; an empty text is left alone."""

    field: Field
    ending: str
    order: int = 30

    def apply(self, example: Example) -> Example:
        """Append the ending."""
        if not isinstance(example, Pair):
            return example
        text = getattr(example, self.field)
        if not text.strip() or text.endswith(self.ending):
            return example
        return _replace(example, self.field, _without_variant(text, self.ending) + self.ending)


def _without_variant(text: str, ending: str) -> str:
    """The text without the same marks in other white space at its end (` -> ` for ` ->`): one ending is enough."""
    marks, stripped = ending.strip(), text.rstrip()
    if not marks or not stripped.endswith(marks):
        return text
    rest = stripped[: -len(marks)]
    is_word = marks[0].isalnum() and rest[-1:].isalnum()  # "WEEKEND" does not end in END
    return text if is_word or not rest.strip() else rest.rstrip()


class LeadingSpace(msgspec.Struct, frozen=True, tag=True):
    """Start the completion with exactly one space (an empty one is left alone)."""

    order: int = 40

    def apply(self, example: Example) -> Example:
        """Prepend the space, or make two spaces before a one-line completion one."""
        if not isinstance(example, Pair) or not example.completion.strip():
            return example
        text = example.completion
        if not text[0].isspace():
            return _replace(example, "completion", " " + text)
        if has_two_spaces(text):
            return _replace(example, "completion", text[1:])
        return example


class ToChat(msgspec.Struct, frozen=True, tag=True):
    """Make a conversation of a prompt and a completion: separator, stop sequence and leading space are taken off."""

    system: str = ""
    separator: str = ""
    stop: str = ""
    order: int = 90

    def apply(self, example: Example) -> Example:
        """The conversation; one that is one already is left alone. A pair without an answer stays one, answer empty, so
        that the rule on empty completions sets it aside."""
        if not isinstance(example, Pair):
            return example
        if not example.completion.removesuffix(self.stop).strip():
            return _replace(example, "completion", "")
        from ftprep.shapes.convert import to_chat

        return to_chat(example, self.system, self.separator, self.stop)


def has_two_spaces(completion: str) -> bool:
    """Whether a one-line completion starts with exactly two spaces; deeper or many-line indentation may be code."""
    return completion[:2] == "  " and completion[2:3] not in (" ", "") and "\n" not in completion.rstrip()


def apply_all(example: Example, mends: tuple[Mend, ...]) -> Example:
    """The example after all mends; `mends` are in order already (see `in_order`)."""
    for mend in mends:
        example = mend.apply(example)
    return example


def keeps_asks(mends: tuple[Mend, ...]) -> bool:
    """Whether what is asked stays the same: only endings and spaces change."""
    return all(isinstance(m, (AddEnding, LeadingSpace)) for m in mends)


def in_order(mends: list[Mend]) -> tuple[Mend, ...]:
    """Mends in the order in which they are applied, each once."""
    unique: list[Mend] = []
    for mend in mends:
        if mend not in unique:
            unique.append(mend)
    return tuple(sorted(unique, key=lambda m: m.order))
