"""Plain text: one text a record, as Together, TRL and torchtune want what is learnt whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ftprep.model import Example, Pair, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.quoting import quote


@dataclass(frozen=True)
class TextDialect:
    """`text` alone; a pair with a prompt becomes one text, all of which is trained on."""

    name: ClassVar[str] = "text"
    shape: ClassVar[ShapeName] = "completion"
    title: ClassVar[str] = "plain text (text and nothing else)"

    def fits(self, record: Record) -> bool:
        """A text and no other key; with other columns beside it, `shapes/columns.py` says what is what."""
        return len(record) == 1 and isinstance(record.get("text"), str)

    def parse(self, record: Record) -> Parsed:
        """A completion without a prompt."""
        out = dict(record)
        if "text" not in out or "completion" in out or "prompt" in out:
            return Parsed(out)
        return Parsed(
            {"prompt": "", "completion": out.pop("text"), **out}, {"/completion": "/text", "/prompt": "/text"}
        )

    def write(self, example: Example) -> Written:
        """Prompt and completion as one text; other columns are left out, as readers of such files refuse them."""
        if not isinstance(example, Pair):
            raise TypeError("only prompt and completion are written as plain text")
        losses = [f"the key {quote(key)}" for key in example.extra or ()]
        if example.prompt:
            losses.insert(0, "where the prompt ends: it is trained on too")
        return Written({"text": example.prompt + example.completion}, tuple(losses))
