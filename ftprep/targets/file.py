"""One TOML file of a target, read and held to what a file may say; errors tell the file, the key, the nearest word."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ftprep.disk import small_text
from ftprep.errors import RecipeError
from ftprep.foreign import words_of
from ftprep.patterns import MOST_WAYS, ways
from ftprep.targets.kinds import misfit
from ftprep.targets.model import CONFIDENCES, METHODS, Confidence, Fact, Message, Source
from ftprep.targets.paths import SECTIONS, find_path, nearest, nearest_path

OWN = "own file"
"""What the facts of a user's file cite where they cite nothing."""

# A day, a month, a year, or about when: many pages have no date.
DATE = r"^((about|after|read) )?((early|mid|late) )?\d{4}(-\d{2}(-\d{2})?)?$"
_NAME = 200  # characters of a name that a pattern is held against
_INHERITED = ("source", "confidence", "date")
_FACT = ("value", *_INHERITED, "note")

Text = Annotated[str, StringConstraints(min_length=1)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}[0-9]{3}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Source(_Part):
    title: Text
    date: Annotated[str, StringConstraints(pattern=DATE)] = ""
    confidence: Confidence = "source read"


class _Message(_Part):
    codes: Annotated[list[Code], Field(min_length=1)]
    text: Text
    source: Text = OWN
    confidence: Confidence | None = None
    method: str | None = None
    note: str = ""


class Head(_Part):
    """What a file says beside its facts."""

    title: Text | None = None
    as_of: date | None = Field(None, alias="as-of")
    note: str = ""
    extends: Text | None = None
    sources: dict[str, _Source] = Field(default_factory=dict)
    messages: list[_Message] = Field(default_factory=list)
    methods: Any = None
    method: dict[str, dict[str, Any]] = Field(default_factory=dict)
    models: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """One model of a file: its other names, and the facts that hold for it, for all methods and for one."""

    name: str
    aliases: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    methods: Mapping[str, Mapping[str, Fact]] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One file, checked: facts for all methods, for one method, for one model; `extends` is what it adds to.

    `title` is "" and `as_of` the first of all days where the file does not say.
    """

    title: str
    as_of: date
    extends: str | None
    sources: Mapping[str, Source]
    facts: Mapping[str, Fact]
    methods: Mapping[str, Mapping[str, Fact]]
    models: Mapping[str, Model]
    messages: tuple[Message, ...]


def load(path: Path, *, own: bool) -> Layer:
    """The layer in a file; `own` says that it is a user's, whose facts need not cite anything. Raises RecipeError."""
    try:
        data = tomllib.loads(small_text(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"{path}: cannot be read: {words_of(error)}", "a target is a small TOML file in UTF-8"
        ) from None
    except ValueError as error:
        raise RecipeError(f"{path}: {words_of(error)}", "correct the line named") from None
    except RecursionError:
        raise RecipeError(f"{path}: lists within each other without end", "a target is a small TOML file") from None
    return _Reading(path, own, data).layer()


class _Reading:
    """The reading of one file: knows its sources, and which file to name in an error."""

    def __init__(self, path: Path, own: bool, data: dict[str, Any]) -> None:
        self.path, self.own = path, own
        tables = {key: data[key] for key in data if key in SECTIONS and key != "methods"}
        self.tables = {key: table for key, table in tables.items() if isinstance(table, dict)}
        if wrong := sorted(tables.keys() - self.tables.keys()):
            raise self.wrong(wrong[0], "a table of facts is wanted")
        self.head = self._head({key: value for key, value in data.items() if key not in tables})
        self.as_of = self.head.as_of or date.min
        read = f"read {self.head.as_of}" if self.head.as_of else ""
        self.sources = {k: Source(v.title, v.date or read) for k, v in self.head.sources.items()}
        if own:
            self.sources.setdefault(OWN, Source(str(path), str(self.head.as_of or "")))
        # A file that extends another may cite what that one cites; who reads both knows.
        self.may_cite_others = self.head.extends is not None

    def wrong(self, key: str, told: str, hint: str = "docs/targets.md lists the paths") -> RecipeError:
        return RecipeError(f"{self.path}: {key}: {told}", hint)

    def _head(self, data: dict[str, Any]) -> Head:
        try:
            return Head.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            if first["type"] != "extra_forbidden":
                raise self.wrong(where, first["msg"]) from None
            inner = _Message if first["loc"][0] == "messages" else _Source
            fields = inner if len(first["loc"]) > 1 else Head
            names = [each.alias or name for name, each in fields.model_fields.items()]
            names += [] if len(first["loc"]) > 1 else SECTIONS
            hint = nearest(str(first["loc"][-1]), names)
            raise RecipeError(f"{self.path}: unknown key {where!r}", hint) from None

    def layer(self) -> Layer:
        """The whole file."""
        head = self.head
        base = dict(self.facts(self.tables, "", {}))
        if head.methods is not None:
            base |= dict(self._leaf("methods", head.methods, {}))
        return Layer(
            head.title or "",
            self.as_of,
            head.extends,
            self.sources,
            base,
            self._by_method(head.method, "method", {}),
            dict(self._models()),
            tuple(self._message(number, each) for number, each in enumerate(head.messages, 1)),
        )

    def _by_method(self, tables: Any, where: str, given: dict[str, Any]) -> dict[str, dict[str, Fact]]:
        if not isinstance(tables, dict):
            raise self.wrong(where, "a table by method is wanted")
        for name, table in tables.items():
            if name not in METHODS:
                raise RecipeError(f"{self.path}: unknown key {f'{where}.{name}'!r}", nearest(name, METHODS))
            if not isinstance(table, dict):
                raise self.wrong(f"{where}.{name}", "a table of facts is wanted")
        return {name: dict(self.facts(table, "", given)) for name, table in tables.items()}

    def _models(self) -> Iterator[tuple[str, Model]]:
        given = {key: self.head.models[key] for key in _INHERITED if key in self.head.models}
        for name, table in self.head.models.items():
            if name in given:
                continue
            where = f"models.{name!r}"
            if not isinstance(table, dict):
                raise self.wrong(where, "a table is wanted")
            here = given | {key: table[key] for key in _INHERITED if key in table}
            aliases = table.get("aliases", [])
            if not (isinstance(aliases, list) and all(isinstance(each, str) and each for each in aliases)):
                raise self.wrong(f"{where}.aliases", "a list of names is wanted")
            facts = {k: v for k, v in table.items() if k not in ("aliases", "methods", "method", *_INHERITED)}
            known = dict(self.facts(facts, "", here))
            if "methods" in table:
                known |= dict(self._leaf("model.methods", table["methods"], here))
            by_method = self._by_method(table.get("method", {}), f"{where}.method", here)
            yield name, Model(name, tuple(aliases), known, by_method)

    def _message(self, number: int, said: _Message) -> Message:
        where = f"messages[{number}]"
        if said.method is not None and said.method not in METHODS:
            raise self.wrong(f"{where}.method", f"{said.method!r} is no method", nearest(said.method, METHODS))
        fact = self._fact(where, said.text, {"source": said.source, "confidence": said.confidence, "note": said.note})
        places = tuple(said.codes), fact.source, fact.date, fact.confidence
        return Message(said.text, *places, said.method, said.note)

    def facts(self, table: Mapping[str, Any], prefix: str, given: dict[str, Any]) -> Iterator[tuple[str, Fact]]:
        """The facts of a table and those below it; what the table says of source and confidence holds for all."""
        here = given | {key: table[key] for key in _INHERITED if key in table and prefix}
        for key, value in table.items():
            path = f"{prefix}{key}"
            if key in _INHERITED and prefix:
                continue
            if isinstance(value, dict) and "value" not in value and find_path(path) is None:
                if not prefix and key not in SECTIONS:
                    raise RecipeError(f"{self.path}: unknown key {path!r}", nearest(key, SECTIONS))
                yield from self.facts(value, f"{path}.", here)
            else:
                yield from self._leaf(path, value, here)

    def _leaf(self, path: str, said: Any, given: dict[str, Any]) -> Iterator[tuple[str, Fact]]:
        entry = find_path(path)
        if entry is None or (path != "model.methods" and path.partition(".")[0] not in SECTIONS):
            raise RecipeError(f"{self.path}: unknown key {path!r}", nearest_path(path))
        own = said if isinstance(said, dict) else {"value": said}
        for key in own:
            if key not in _FACT:
                raise RecipeError(f"{self.path}: unknown key {f'{path}.{key}'!r}", nearest(key, _FACT))
        if "value" not in own:
            raise self.wrong(path, "has no value", "write value = ... beside its source")
        value = own["value"]
        if wanted := misfit(entry.kind, value):
            raise self.wrong(path, f"{value!r} is not {wanted}", f"it is: {entry.means}")
        if self.own and entry.kind == "pattern" and ways(value, _NAME) > MOST_WAYS:
            raise self.wrong(path, f"{value!r} may take too long", "repeat nothing that is itself repeated: (a+)+")
        yield path, self._fact(path, tuple(value) if isinstance(value, list) else value, given | own)

    def _fact(self, path: str, value: Any, said: dict[str, Any]) -> Fact:
        """The fact, with what its source says of itself where it says nothing else."""
        name = said.get("source", OWN if self.own else "")
        if not isinstance(name, str) or (name not in self.sources and not (self.may_cite_others and name)):
            told = f"unknown source {name!r}" if name else "no source is named"
            raise self.wrong(path, told, nearest(str(name), self.sources) if self.sources else "list it in [sources]")
        source = self.sources.get(name, Source(""))
        listed = self.head.sources.get(name)
        confidence = said.get("confidence") or (listed.confidence if listed else "source read")
        if confidence not in CONFIDENCES:
            raise self.wrong(path, f"{confidence!r} is no confidence", nearest(str(confidence), CONFIDENCES))
        note, day = said.get("note", ""), said.get("date", source.date)
        if not isinstance(note, str):
            raise self.wrong(f"{path}.note", "a text is wanted")
        return Fact(value, confidence, name, str(day), note)
