"""A target as a value: facts by path, each with its source, its date and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Confidence = Literal["source read", "excerpt", "third party", "conflict"]


@dataclass(frozen=True)
class Fact:
    """One thing known of a target. `source` names what was read, `date` is the source's own where it has one."""

    value: Any
    confidence: Confidence = "source read"
    source: str = ""
    date: str = ""
    note: str = ""

    @property
    def rejects(self) -> bool:
        """Whether what offends against it is an error: only what was read in a source is; all else is a warning."""
        return self.confidence == "source read"


@dataclass(frozen=True)
class Target:
    """What one provider or trainer accepts for one method, and for one model where one is named.

    `facts` maps dotted paths (`images.max_per_row`) to facts; what was not found anywhere is not in it.
    """

    name: str
    title: str
    method: str
    model: str | None = None
    as_of: date = date.min
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def get(self, path: str) -> Fact | None:
        """The fact under a path, None where nothing is known."""
        return self.facts.get(path)

    def value(self, path: str, default: Any = None) -> Any:
        """The value under a path, `default` where nothing is known."""
        fact = self.facts.get(path)
        return default if fact is None else fact.value
