"""A target as a value: facts by path, each with its source, its date and how far it can be trusted.

Which paths there are, what they mean and which values they take is listed in `paths.py` and in docs/targets.md. Three
are worked out, not read: `method.offered` (whether the target trains by the method at all), `model.known` (whether the
model named is one of those listed; False is a reason to warn, not to refuse, since lists of models grow old) and
`model.nearest` (the listed names that are near to one that is not known).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Confidence = Literal["source read", "excerpt", "third party", "conflict"]
CONFIDENCES: tuple[Confidence, ...] = ("source read", "excerpt", "third party", "conflict")
METHODS = ("supervised", "dpo", "kto", "reinforcement")
"""As in ftprep.recipe; a test holds both equal."""

_PLACE = re.compile(r"\{([a-z_]+)\}")
# What a date means: before it has come, and since.
_DATED = {
    "announced": ("the end is announced on", "the end was announced on"),
    "restricted": ("no new jobs for newcomers from", "... since"),
    "restricted_unused": ("no new jobs for idle organisations from", "... since"),
    "last_new_job": ("no new jobs from", "no new jobs since"),
    "off": ("switched off on", "switched off since"),
}
_ANY_DATE = ("{} on", "{} since")


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
class Message:
    """What a provider says of a fault: its literal words, with `{record}`, `{line}`, `{key}` ... where data stood.

    `codes` are the findings of ours that speak of the same fault, `method` the one method that says it, None where all
    do.
    """

    text: str
    codes: tuple[str, ...] = ()
    source: str = ""
    date: str = ""
    confidence: Confidence = "source read"
    method: str | None = None
    note: str = ""

    @property
    def places(self) -> frozenset[str]:
        """The names of the values that the text needs."""
        return frozenset(_PLACE.findall(self.text))

    def filled(self, values: Mapping[str, Any]) -> str:
        """The text with the values in their places, `…` where one is not given."""
        return _PLACE.sub(lambda m: str(values[m[1]]) if m[1] in values else "…", self.text)


@dataclass(frozen=True)
class Source:
    """Something that was read: a page, a package, an answer of a service. `date` is its own, or when it was read."""

    title: str
    date: str = ""


@dataclass(frozen=True)
class Target:
    """What one provider or trainer accepts for one method, and for one model where one is named.

    `facts` maps dotted paths (`images.max_per_row`) to facts; what was not found anywhere is not in it. Values are
    plain and immutable: truth values, numbers, texts, dates, tuples of these. `selector` is what finds it again.
    """

    name: str
    title: str
    method: str
    model: str | None = None
    as_of: date = date.min
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)
    messages: tuple[Message, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict, hash=False)
    selector: str = ""

    def get(self, path: str) -> Fact | None:
        """The fact under a path, None where nothing is known."""
        return self.facts.get(path)

    def value(self, path: str, default: Any = None) -> Any:
        """The value under a path, `default` where nothing is known."""
        fact = self.facts.get(path)
        return default if fact is None else fact.value

    def cite(self, said: Fact | Message | str) -> str:
        """Where a fact (or a message, or the fact under a path) is from: `OpenAI guide on SFT, 2026-06-27`; "" where
        nothing is known."""
        fact = self.facts.get(said) if isinstance(said, str) else said
        if fact is None:
            return ""
        source = self.sources.get(fact.source)
        return ", ".join(filter(None, (source.title if source else fact.source, fact.date)))

    def with_method(self, method: str) -> Target:
        """The same target and model for another method."""
        from ftprep.targets.catalogue import find_target

        return self if method == self.method else find_target(self.selector or self.name, method)

    def message_for(self, code: str, **values: Any) -> Message | None:
        """What the provider says where we find `code`, filled with `values`; None where its words are not known.

        Of several messages that which needs no other value than those given is taken.
        """
        known = [m for m in self.messages if code in m.codes and m.method in (None, self.method)]
        if not known:
            return None
        best = next((m for m in known if m.places <= values.keys()), known[0])
        return Message(best.filled(values), best.codes, best.source, best.date, best.confidence, best.method, best.note)

    def dated(self, today: date) -> list[tuple[str, date, Fact]]:
        """What ends when, from the earliest date on: what it is (`no new jobs since`), the date, the fact.

        A date of today is past. A date that is past is a reason to warn, never to refuse: dates move.
        """
        found = []
        for path, fact in self.facts.items():
            section, _, what = path.partition(".")
            if section == "dates" and isinstance(fact.value, date):
                to_come, past = _DATED.get(what, _ANY_DATE)
                words = past.replace("...", to_come.removesuffix(" from")) if fact.value <= today else to_come
                found.append((words.format(what.replace("_", " ")), fact.value, fact))
        return sorted(found, key=lambda each: each[1:2] + each[:1])

    def state(self, today: date) -> str:
        """Whether one can train there: open, local, `closes on DATE`, `closed since DATE` or what the target says."""
        ends = [f.value for p in ("dates.last_new_job", "dates.off") if (f := self.facts.get(p))]
        if past := [each for each in ends if each <= today]:
            return f"closed since {min(past)}"
        if ends:
            return f"closes on {min(ends)}"
        return str(self.value("service.state", "open"))
