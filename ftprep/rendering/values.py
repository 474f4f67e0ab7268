"""What an example looks like when it is trained on, as values: segments of one text, and what may be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["template", "text", "reasoning", "call", "name", "tools", "image"]
"""`template` is what the layout adds; all others are words of the example."""


@dataclass(frozen=True)
class Segment:
    """A stretch of the rendered text that is of one kind.

    `message` is the index of the message it belongs to, None where that cannot be told or it belongs to all. `trained`
    says whether the loss looks at it, `cut` whether it lies beyond the limit. `tokens` is None where they cannot be
    counted: control tokens of a vocabulary that is not here.
    """

    text: str
    kind: Kind
    message: int | None = None
    trained: bool = False
    cut: bool = False
    tokens: int | None = None


@dataclass(frozen=True)
class MessageTokens:
    """What one message takes: `words` of its own, `template` around them (None where that is not known)."""

    message: int
    role: str
    words: int
    template: int | None

    @property
    def tokens(self) -> int:
        """Both together, as far as known."""
        return self.words + (self.template or 0)


@dataclass(frozen=True)
class Rendered:
    """One text that is trained on: all segments joined are the text.

    `template` names what rendered it and `counting` how tokens were counted; `exact` is True where that is by the
    model's own vocabulary. `label` tells texts of one example apart (`chosen`, `rejected`). `beside` is what a rule
    adds for the example as a whole. `refused` is why a template does not take the example, which then has no segments.
    """

    template: str
    segments: tuple[Segment, ...] = ()
    roles: tuple[str, ...] = ()
    label: str = ""
    beside: int = 0
    counting: str = ""
    exact: bool = False
    limit: int | None = None
    notes: tuple[str, ...] = ()
    refused: str = ""

    @property
    def text(self) -> str:
        """What is trained on, as one text."""
        return "".join([s.text for s in self.segments])

    @property
    def tokens(self) -> int:
        """All tokens, as far as they are known."""
        return self.beside + sum([s.tokens or 0 for s in self.segments])

    @property
    def is_complete(self) -> bool:
        """Whether every segment has been counted."""
        return all(s.tokens is not None for s in self.segments)

    @property
    def trained_tokens(self) -> int:
        """Tokens that the loss looks at and that are not cut off."""
        return sum([s.tokens or 0 for s in self.segments if s.trained and not s.cut])

    @property
    def cut_tokens(self) -> int:
        """Tokens beyond the limit."""
        return sum([s.tokens or 0 for s in self.segments if s.cut])

    def by_message(self) -> list[MessageTokens]:
        """What each message takes; what belongs to none of them is in the sum only."""
        found = []
        for number, role in enumerate(self.roles):
            own = [s for s in self.segments if s.message == number]
            around = [s.tokens for s in own if s.kind == "template"]
            known = [n for n in around if n is not None]
            words = sum([s.tokens or 0 for s in own if s.kind != "template"])
            found.append(
                MessageTokens(number, role, words, sum(known) if around and len(known) == len(around) else None)
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """The text as JSON values."""
        return {
            "label": self.label or None,
            "refused": self.refused or None,
            "template": self.template,
            "counting": self.counting,
            "exact": self.exact,
            "complete": self.is_complete,
            "tokens": self.tokens,
            "trained_tokens": self.trained_tokens,
            "cut_tokens": self.cut_tokens,
            "limit": self.limit,
            "example_tokens": self.beside,
            "messages": [
                {"message": m.message, "role": m.role, "tokens": m.tokens, "words": m.words, "template": m.template}
                for m in self.by_message()
            ],
            "segments": [
                {
                    "text": s.text,
                    "kind": s.kind,
                    "message": s.message,
                    "trained": s.trained,
                    "cut": s.cut,
                    "tokens": s.tokens,
                }
                for s in self.segments
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Sample:
    """One example of a file with the texts it is trained on as (two for a preference); `reason` where it is none."""

    source: str
    line: int
    texts: tuple[Rendered, ...] = ()
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The example as JSON values."""
        texts = [r.to_dict() for r in self.texts]
        return {"path": self.source, "row": self.line, "unread": self.reason or None, "texts": texts}


@dataclass(frozen=True)
class Samples:
    """Examples as they are trained on; `missing` are rows asked for that are not there."""

    examples: tuple[Sample, ...] = ()
    missing: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def and_then(self, other: Samples) -> Samples:
        """These and those of another file; a row is missing where no file has it."""
        there = {e.line for e in (*self.examples, *other.examples)}
        missing = tuple(sorted({*self.missing, *other.missing} - there))
        notes = tuple(dict.fromkeys((*self.notes, *other.notes)))
        return Samples((*self.examples, *other.examples), missing, notes)

    def to_dict(self) -> dict[str, Any]:
        """All examples as JSON values."""
        examples = [e.to_dict() for e in self.examples]
        return {"examples": examples, "missing_rows": list(self.missing), "notes": list(self.notes)}
