"""What can be done to an example: small values, applied in one fixed order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar, Literal, Protocol, cast, runtime_checkable

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


@runtime_checkable
class TextMend(Mend, Protocol):
    """A mending of one of the two texts of a pair that looks at nothing else; conversations are left alone."""

    @property
    def field(self) -> Field:
        """Which text."""

    def text(self, text: str) -> str:
        """The mended text, or the very same object where nothing was to be done."""

    def texts(self, texts: list[str]) -> list[str]:
        """`text` of each."""


class _OfText(msgspec.Struct, frozen=True):
    def apply(self: TextMend, example: Example) -> Example:
        """The pair with the one text mended; a conversation as it is."""
        if not isinstance(example, Pair):
            return example
        if self.field == "prompt":
            prompt = self.text(example.prompt)
            return example if prompt is example.prompt else Pair(prompt, example.completion, example.extra)
        completion = self.text(example.completion)
        return example if completion is example.completion else Pair(example.prompt, completion, example.extra)

    def texts(self: TextMend, texts: list[str]) -> list[str]:
        """All of them mended."""
        return list(map(self.text, texts))


class CutPrefix(_OfText, frozen=True, tag=True):
    """Drop a prefix that all rows share; a completion keeps the one space it began with, and nothing becomes empty."""

    field: Field
    prefix: str
    order: int = 10

    def text(self, text: str) -> str:
        """Drop the prefix where the text starts with it and more than white space follows."""
        rest = text[len(self.prefix) :]
        if not text.startswith(self.prefix) or not rest.strip():
            return text
        space = " " if self.field == "completion" and self.prefix[:1] == " " and not rest[0].isspace() else ""
        return space + rest


class Lower(_OfText, frozen=True, tag=True):
    """Lower-case a text, except the separator or stop sequence at its end and what looks like code or a link."""

    field: Field
    spare: tuple[str, ...] = ()
    order: int = 20

    def text(self, text: str) -> str:
        """Lower-case what is prose."""
        ending = next((s for s in self.spare if s and text.endswith(s)), "")
        body = text[: len(text) - len(ending)]
        lowered = _PROSE.sub(lambda m: m[0] if m[1] else m[0].lower(), body)
        return text if lowered == body else lowered + ending


# Group 1 is what must keep its capitals: links, paths, code in back-ticks, identifiers with an underscore or inner dot.
_PROSE = re.compile(r"(`[^`]*`|\w+://\S+|\S*[\\/]\S*[\\/]\S*|\w*_\w*|\w+\.\w+\S*)|[^`\s]+|`", re.UNICODE)


class Relabel(_OfText, frozen=True, tag=True):
    """Give variants of one label (`Yes`, `yes `, `YES`) the spelling that most rows use; `stop` may stand after it."""

    spellings: dict[str, str]
    stop: str = ""
    order: int = 25
    field: ClassVar[Field] = "completion"

    def text(self, text: str) -> str:
        """Replace the label between the leading white space and the stop sequence."""
        label = text.lstrip()
        lead = text[: len(text) - len(label)]
        end = self.stop if self.stop and label.endswith(self.stop) else ""
        wanted = self.spellings.get(label[: len(label) - len(end)])
        return text if wanted is None else lead + wanted + end


class AddEnding(_OfText, frozen=True, tag=True):
    """End a text with the separator or stop sequence, where it does not yet; an empty text is left alone."""

    field: Field
    ending: str
    order: int = 30

    def text(self, text: str) -> str:
        """Append the ending."""
        if text.endswith(self.ending) or not text.strip():
            return text
        return _without_variant(text, self.ending) + self.ending

    def texts(self, texts: list[str]) -> list[str]:
        """All of them mended."""
        # A text whose last character is neither a blank nor that of the ending has nothing at its end to be looked at.
        ending, last = self.ending, self.ending.rstrip()[-1:]
        return [
            text + ending
            if (end := text[-1:]) and end != last and not end.isspace()
            else (text if text.endswith(ending) else self.text(text))
            for text in texts
        ]


def _without_variant(text: str, ending: str) -> str:
    """The text without the same marks in other white space at its end (` -> ` for ` ->`): one ending is enough."""
    marks, stripped = ending.strip(), text.rstrip()
    if not marks or not stripped.endswith(marks):
        return text
    rest = stripped[: -len(marks)]
    is_word = marks[0].isalnum() and rest[-1:].isalnum()  # "WEEKEND" does not end in END
    return text if is_word or not rest.strip() else rest.rstrip()


class LeadingSpace(_OfText, frozen=True, tag=True):
    """Start the completion with exactly one space (an empty one is left alone)."""

    order: int = 40
    field: ClassVar[Field] = "completion"

    def text(self, text: str) -> str:
        """Prepend the space, or make two spaces before a one-line completion one."""
        if not text.strip():
            return text
        if not text[0].isspace():
            return " " + text
        return text[1:] if has_two_spaces(text) else text

    def texts(self, texts: list[str]) -> list[str]:
        """All of them mended."""
        return [
            " " + text
            if (start := text[:1]) and not start.isspace()
            else (text if (second := text[1:2]) and not second.isspace() else self.text(text))
            for text in texts
        ]


class Repair(msgspec.Struct, frozen=True, tag=True):
    """Put records right with what the rule `code` knows before they are read; an example it leaves as it is."""

    code: str
    order: int = 0

    def apply(self, example: Example) -> Example:
        """The example itself."""
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
            return Pair(example.prompt, "", example.extra)
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


def apply_to_all(examples: list[Example], mends: tuple[Mend, ...]) -> list[Example]:
    """`apply_all` for each, at a quarter of the cost where mends are of texts."""
    for is_text, some in groupby(mends, lambda mend: isinstance(mend, TextMend)):
        if is_text:
            examples = _mend_texts(examples, cast("Iterable[TextMend]", some))
        else:
            each = tuple(some)
            examples = [apply_all(example, each) for example in examples]
    return examples


def _mend_texts(examples: list[Example], mends: Iterable[TextMend]) -> list[Example]:
    pairs = [example for example in examples if isinstance(example, Pair)]
    texts: dict[Field, list[str]] = {
        "prompt": [pair.prompt for pair in pairs],
        "completion": [pair.completion for pair in pairs],
    }
    for mend in mends:
        texts[mend.field] = mend.texts(texts[mend.field])
    mended = iter(
        pair if prompt is pair.prompt and completion is pair.completion else Pair(prompt, completion, pair.extra)
        for pair, prompt, completion in zip(pairs, texts["prompt"], texts["completion"], strict=True)
    )
    return [next(mended) if isinstance(example, Pair) else example for example in examples]


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
