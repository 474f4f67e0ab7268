"""All that is known of a target as one value: what terminal, documentation and programs show of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from ftprep.targets.catalogue import find_target, models_of, target_names
from ftprep.targets.model import Fact, Message, Source, Target
from ftprep.targets.paths import PATHS, order_of

# What does not matter to a target that is one's own computer, and to examples without messages.
_NOT_LOCAL = ("dates", "epochs", "file", "images", "job", "limits", "name", "price")
_OF_MESSAGES = ("images", "name", "roles", "tools")
_BY_MODEL = ("limits.context", "price.per_million")


@dataclass(frozen=True)
class Summary:
    """One line of the list of targets."""

    name: str
    title: str
    methods: tuple[str, ...]
    state: str
    as_of: date


@dataclass(frozen=True)
class ModelLine:
    """One model of a target: most tokens of an example, price, and what ends when, as far as that is known."""

    name: str
    aliases: tuple[str, ...]
    methods: tuple[str, ...]
    context: Fact | None
    price: Fact | None
    per_hour: Fact | None
    dates: tuple[tuple[str, date, Fact], ...]


@dataclass(frozen=True)
class TargetPage:
    """What is known of one target, model and method.

    `facts` are sorted as in the table of paths; `others` are, by method, the facts that differ for other methods;
    `missing` are important paths of which nothing is known, each with what it means.
    """

    target: Target
    state: str
    methods: tuple[str, ...]
    dates: tuple[tuple[str, date, Fact], ...]
    facts: dict[str, Fact]
    models: tuple[ModelLine, ...]
    others: dict[str, dict[str, Fact]]
    missing: tuple[tuple[str, str], ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the provider says of faults, in its own words, for this method."""
        return tuple(m for m in self.target.messages if m.method in (None, self.target.method))

    @property
    def sources(self) -> dict[str, Source]:
        """The sources that this page cites."""
        return dict(self.target.sources)

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON values."""
        target = self.target
        return {
            "name": target.name,
            "title": target.title,
            "as_of": str(target.as_of) if target.as_of > date.min else None,
            "state": self.state,
            "method": target.method,
            "methods": list(self.methods),
            "model": target.model,
            "dates": [_dated(each) for each in self.dates],
            "facts": {path: _plain(fact) for path, fact in self.facts.items()},
            "models": [_model_dict(each) for each in self.models],
            "other_methods": {m: {p: _plain(f) for p, f in facts.items()} for m, facts in self.others.items()},
            "not_known": dict(self.missing),
            "messages": [_jsonable(asdict(each)) for each in self.messages],
            "sources": {name: asdict(source) for name, source in self.sources.items()},
        }


def summaries(today: date) -> tuple[Summary, ...]:
    """One line for each target, sorted by name."""
    found = map(find_target, target_names())
    return tuple(Summary(t.name, t.title, t.value("methods", ()), t.state(today), t.as_of) for t in found)


def page_of(selector: str, method: str | None, today: date, every: bool = False) -> TargetPage:
    """The page of a target; `every` adds what differs for its other methods. Raises what find_target raises."""
    target = find_target(selector, method)
    methods: tuple[str, ...] = target.value("methods", ())
    models = () if target.model else _models(target, today)
    others = {}
    for other in methods if every else ():
        if other != target.method:
            theirs = target.with_method(other).facts
            others[other] = {
                path: theirs[path]
                for path in sorted(theirs, key=order_of)
                if theirs[path] != target.facts.get(path) and path != "method.offered"
            }
    facts = {path: target.facts[path] for path in sorted(target.facts, key=order_of) if not path.startswith("dates.")}
    dates = tuple(target.dated(today))
    return TargetPage(target, target.state(today), methods, dates, facts, models, others, _missing(target, models))


def _models(target: Target, today: date) -> tuple[ModelLine, ...]:
    lines = []
    general = target.dated(today)
    for name, aliases in models_of(target):
        its = find_target(f"{target.selector}:{name}", target.method)
        dates = tuple(each for each in its.dated(today) if each not in general)
        fact = its.facts.get
        methods = its.value("model.methods", ())
        price, per_hour = fact("price.per_million"), fact("price.per_hour")
        lines.append(ModelLine(name, aliases, methods, fact("limits.context"), price, per_hour, dates))
    return tuple(lines)


def _missing(target: Target, models: tuple[ModelLine, ...]) -> tuple[tuple[str, str], ...]:
    by_model = {path for path, known in zip(_BY_MODEL, _known_of(models), strict=True) if known}
    idle = set(_NOT_LOCAL) if target.value("service.state") in ("local", "generic") else set()
    if target.value("record.shape") == "completion":
        idle |= set(_OF_MESSAGES)
    if target.value("record.shape") not in ("chat", None):
        idle |= {"roles"}
    if target.value("images.allowed") is False:
        idle |= {"images"}
    if target.get("price.per_hour"):
        by_model |= {"price.per_million"}
    return tuple(
        (path.pattern, path.means)
        for path in PATHS
        if path.important
        and path.pattern not in target.facts
        and path.pattern not in by_model
        and path.pattern.partition(".")[0] not in idle
    )


def _known_of(models: tuple[ModelLine, ...]) -> tuple[bool, bool]:
    return any(m.context for m in models), any(m.price for m in models)


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_jsonable(each) for each in value]
    return str(value) if isinstance(value, date) else value


def _plain(fact: Fact | None) -> Any:
    return None if fact is None else _jsonable(asdict(fact))


def _dated(each: tuple[str, date, Fact]) -> dict[str, Any]:
    return {"what": each[0], "date": str(each[1]), "fact": _plain(each[2])}


def _model_dict(line: ModelLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "aliases": list(line.aliases),
        "methods": list(line.methods),
        "context": _plain(line.context),
        "price_per_million": _plain(line.price),
        "price_per_hour": _plain(line.per_hour),
        "dates": [_dated(each) for each in line.dates],
    }
