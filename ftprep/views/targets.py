"""What is known of targets as text for a terminal: one in full, or all as a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ftprep.views.plain import Paint, columns, cut, finish, pad, quoted, safe, wrap

if TYPE_CHECKING:
    from ftprep.targets import Fact
    from ftprep.targets.page import ModelLine, Summary, TargetPage

_NARROWEST = 80
_KEY_MOST = 30
_FROM_MOST = 44


def listing(found: Sequence[Summary], *, color: bool = False, width: int = 100) -> str:
    """All targets, one line each."""
    return finish(_listing(found, Paint(color), max(width, _NARROWEST)))


def _listing(found: Sequence[Summary], paint: Paint, width: int) -> Iterator[str]:
    names = max(columns(each.name) for each in found)
    states = max(columns(each.state) for each in found)
    for each in found:
        room = width - names - states - 4
        state = paint(pad(each.state, states), _colour(each.state))
        yield f"{paint(pad(each.name, names), 'bold')}  {state}  {cut(each.title, room)}".rstrip()
        yield from (f"{' ' * (names + states + 4)}{line}" for line in wrap(", ".join(each.methods), room))
    yield ""
    told = "Check against one with --target NAME or NAME:MODEL; `ftprep target NAME` tells what is known of it. "
    yield from wrap(told + "A file of your own (--target mine.toml) adds to one or changes it.", width)


def _colour(state: str) -> str:
    return "red" if state.startswith("closed") else "yellow" if state.startswith(("closes", "deprecated")) else ""


def full(page: TargetPage, *, color: bool = False, width: int = 100) -> str:
    """One target with everything that is known of it."""
    return finish(_Full(page, Paint(color), max(width, _NARROWEST)).lines())


class _Full:
    """The lines of one page."""

    def __init__(self, page: TargetPage, paint: Paint, width: int) -> None:
        self.page, self.paint, self.width = page, paint, width

    def lines(self) -> Iterator[str]:
        page, paint, target = self.page, self.paint, self.page.target
        named = f"{target.name}:{target.model}" if target.model else target.name
        head = cut(named, self.width - 30)
        room = self.width - columns(head) - columns(page.state) - 4
        yield f"{paint(head, 'bold')}  {paint(page.state, _colour(page.state))}  {cut(target.title, room)}"
        also = [each for each in page.methods if each != target.method]
        more = f"; by another method ({', '.join(also)}): --method" if also else ""
        as_of = f"Facts as of {target.as_of}, for" if target.as_of > date.min else "Facts for"
        yield from wrap(f"{as_of} {target.method}{more}.", self.width)
        yield from self._warnings()
        if page.dates:
            yield from ("", paint("dates", "bold"))
            for what, day, fact in page.dates:
                yield from self._row(f"{day}", what, fact)
        yield from self._facts(page.facts)
        if page.models:
            yield from ("", paint("models", "bold"), *self._models())
        for method, facts in page.others.items():
            yield from ("", paint(f"By the method {method}", "bold"), *self._others(facts))
        if page.messages:
            yield from ("", paint("messages", "bold") + "  (what it says of faults, in its words)")
            for message in page.messages:
                said = f"{', '.join(message.codes)}: {safe(message.text)}"
                first, *rest = wrap(f"{said} [{safe(message.source)}{_doubt(message.confidence)}]", self.width - 4)
                yield from (f"  {first}", *(f"    {line}" for line in rest))
        yield from ("", paint("sources", "bold"))
        size = max(map(columns, page.sources), default=0)
        for name, source in page.sources.items():
            yield from self._hanging(
                f"{pad(safe(name), size)}  ", ", ".join(filter(None, (safe(source.title), source.date)))
            )
        if page.missing:
            yield from ("", paint("not known", "bold"))
            size = max(columns(path) for path, _ in page.missing)
            for path, means in page.missing:
                yield from self._hanging(f"{pad(path, size)}  ", means)
        yield ""
        told = "Where no more is said, the source itself was read; what offends against the rest is a warning only."
        yield from wrap(told, self.width)

    def _warnings(self) -> Iterator[str]:
        target = self.page.target
        if target.value("model.known") is False:
            near = ", ".join(target.value("model.nearest", ()))
            told = f"The model {safe(str(target.model))} is not listed{f'; near are {near}' if near else ''}."
            yield from (self.paint(line, "yellow") for line in wrap(told, self.width))
        if target.value("method.offered") is False:
            told = f"It does not train by the method {target.method}."
            yield self.paint(told, "yellow")

    def _facts(self, facts: Mapping[str, Fact]) -> Iterator[str]:
        sections: dict[str, list[tuple[str, Fact]]] = {}
        for path, fact in facts.items():
            sections.setdefault(path.partition(".")[0], []).append((path, fact))
        for section, members in sections.items():
            # Said in the head of the page.
            if section not in ("method", "methods", "model"):
                yield from ("", self.paint(section, "bold"))
                for path, fact in _gathered(members) if section == "params" else members:
                    yield from self._row(path.partition(".")[2], _shown(path, fact.value), fact)

    def _others(self, facts: Mapping[str, Fact]) -> Iterator[str]:
        params = [each for each in facts.items() if each[0].startswith("params.")]
        rest = [each for each in facts.items() if not each[0].startswith("params.")]
        for path, fact in (*rest, *_gathered(params)):
            yield from self._row(path, _shown(path, fact.value), fact)

    def _row(self, key: str, value: str, fact: Fact) -> Iterator[str]:
        """A fact: key, value and where it is from side by side, its note below."""
        origin = cut(", ".join(filter(None, (fact.source, fact.date))) + _doubt(fact.confidence), _FROM_MOST)
        start = f"  {pad(safe(key), _KEY_MOST)}  "
        room = self.width - columns(start) - 2 - columns(origin)
        first, *rest = wrap(safe(value), room if room > 20 else self.width - columns(start)) or [""]
        right = self.width - columns(start) - columns(first) - columns(origin)
        shown = self.paint(origin, "dim" if fact.rejects else "yellow")
        yield f"{start}{first}{' ' * right}{shown}" if right > 1 else f"{start}{first}"
        yield from (f"{' ' * columns(start)}{line}" for line in rest)
        if right <= 1:
            yield f"{' ' * columns(start)}{shown}"
        for line in wrap(safe(fact.note), self.width - columns(start)):
            yield f"{' ' * columns(start)}{self.paint(line, 'dim')}"

    def _hanging(self, head: str, text: str) -> Iterator[str]:
        first, *rest = wrap(text, self.width - 2 - columns(head)) or [""]
        yield f"  {head}{first}"
        yield from (f"  {' ' * columns(head)}{line}" for line in rest)

    def _models(self) -> Iterator[str]:
        models = self.page.models
        size = max(columns(each.name) for each in models)
        named = any(each.methods for each in models)
        for each in models:
            told = [_context(each.context), _price(each), *([", ".join(each.methods)] if named else [])]
            told += [f"{what} {day}{_doubt(fact.confidence)}" for what, day, fact in each.dates]
            told += [f"also {', '.join(each.aliases)}"] if each.aliases else []
            yield from self._hanging(f"{pad(safe(each.name), size)}  ", safe("; ".join(filter(None, told))))


def _doubt(confidence: str) -> str:
    return "" if confidence == "source read" else f" ({confidence})"


def _context(fact: Fact | None) -> str:
    if fact is None:
        return "tokens of an example not known"
    return f"{fact.value:,} tokens an example{_doubt(fact.confidence)}"


def _price(model: ModelLine) -> str:
    if model.per_hour is not None:
        return f"${model.per_hour.value:.2f} an hour"
    return f"${model.price.value:.2f} a million tokens{_doubt(model.price.confidence)}" if model.price else ""


def _gathered(members: Sequence[tuple[str, Fact]]) -> Iterator[tuple[str, Fact]]:
    """The facts of each hyperparameter that share a source as one: `integer, from 1 to 50, or auto; default auto`."""
    from ftprep.targets import Fact

    kind = groupby(members, key=lambda each: (each[0].rpartition(".")[0], each[1].source, each[1].confidence))
    for (path, _, _), facts in kind:
        own = {each.rpartition(".")[2]: fact for each, fact in facts}
        first = next(iter(own.values()))
        note = "; ".join(fact.note for fact in own.values() if fact.note)
        told = _parameter({key: fact.value for key, fact in own.items()})
        yield path, Fact(told, first.confidence, first.source, first.date, note)


def _parameter(own: dict[str, Any]) -> str:
    bounds = (("min", "from {}"), ("min_exclusive", "above {}"), ("max", "to {}"), ("max_exclusive", "below {}"))
    told = [str(own["type"])] if "type" in own else []
    if reach := " ".join(words.format(_number(own[key])) for key, words in bounds if key in own):
        told.append(reach)
    if "enum" in own:
        told.append("one of " + ", ".join(map(_plain, own["enum"])))
    told += ["or auto"] if own.get("auto") else []
    told += ["refused now"] if own.get("refused") else []
    told += [f"must match {own['pattern']}"] if "pattern" in own else []
    if "advice_min" in own:
        told.append(f"by advice {_number(own['advice_min'])} to {_number(own.get('advice_max', '…'))}")
    told += [f"default {_plain(own['default'])}"] if "default" in own else []
    return ", ".join(told)


def _shown(path: str, value: Any) -> str:
    if path.endswith("bytes") and isinstance(value, int):
        for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("GB", 10**9), ("MB", 10**6)):
            if value % size == 0 and value:
                return f"{value:,} ({value // size:,} {unit})"
    if path.startswith("reserved.") and isinstance(value, tuple):
        return ", ".join(map(quoted, value)) if path != "reserved.where" else _plain(value)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(value) if isinstance(value, (int, float)) else str(value)


def _number(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
