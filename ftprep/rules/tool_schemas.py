"""What the declared tools of a conversation are, and whether arguments keep their schema: compiled once, bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from heapq import nsmallest
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from ftprep.patterns import MOST_WAYS, ways
from ftprep.shapes.quoting import make_pointer, name_kind, quote

MOST = 5
"""Faults told of one call, and of the parameters of one tool."""

LONGEST = 262_144
"""Characters of arguments that are held to a schema; longer ones are data, and may take long."""

MOST_REFS = 10_000
"""References followed for one call: schemas that refer to each other may take time without end."""

_KEY = 200  # characters of a property's name, for patterns of names
_LITERAL = frozenset(("enum", "const", "default", "examples"))


class Tool(NamedTuple):
    """A declared tool: its name, the pointer of the name in the list, its parameters where they are a sound schema."""

    name: str
    pointer: str
    schema: bytes | None


class Declared(NamedTuple):
    """The tools of a list by name, and what is wrong with them: pointers into the list, and words."""

    tools: dict[str, Tool]
    faults: tuple[tuple[str, str], ...]


def declared(tools: list[dict[str, Any]], legacy: bool = False) -> Declared:
    """What a list of tools, or of functions as they were once declared, says."""
    try:
        data = msgspec.json.encode(tools)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return Declared({}, (("", "the tools cannot be written as JSON"),))
    return _declared(data, legacy)


@lru_cache(maxsize=512)
def _declared(data: bytes, legacy: bool) -> Declared:
    tools: dict[str, Tool] = {}
    faults: list[tuple[str, str]] = []
    for place, tool in enumerate(msgspec.json.decode(data)):
        base = f"/{place}"
        function = tool
        if not legacy:
            faults += _wrapping(tool, base)
            function = tool.get("function")
            base = f"{base}/function"
            if not isinstance(function, dict) and isinstance(tool.get("name"), str):
                function, base = tool, f"/{place}"  # the form of another interface, named already
        if not isinstance(function, dict):
            continue
        found, schema = _function(msgspec.json.encode(function))
        faults += [(base + pointer, words) for pointer, words in found]
        name = function.get("name")
        if isinstance(name, str) and name:
            if name in tools:
                faults.append((f"{base}/name", f"the tool {quote(name)} is declared twice"))
            tools.setdefault(name, Tool(name, f"{base}/name", schema))
    return Declared(tools, tuple(faults))


def _wrapping(tool: dict[str, Any], base: str) -> Iterator[tuple[str, str]]:
    if "type" not in tool:
        yield base, "no type; write 'type': 'function'"
    elif tool["type"] != "function":
        yield f"{base}/type", f"the type is {quote(tool['type'])}, not 'function'"
    if "function" not in tool:
        there = "; name and parameters stand beside the type, not under it" if "name" in tool else ""
        yield base, f"no function{there}"
    elif not isinstance(tool["function"], dict):
        yield f"{base}/function", f"function is {name_kind(tool['function'])}, not an object"


@lru_cache(maxsize=4096)
def _function(data: bytes) -> tuple[tuple[tuple[str, str], ...], bytes | None]:
    """What is wrong with a function, and its parameters where arguments can be held to them."""
    function = msgspec.json.decode(data)
    faults: list[tuple[str, str]] = []
    name, told, strict = function.get("name"), function.get("description"), function.get("strict")
    if not isinstance(name, str) or not name:
        faults.append(("/name", f"the name is {name_kind(name)}") if name else ("", "no name"))
    if told is not None and not isinstance(told, str):
        faults.append(("/description", f"the description is {name_kind(told)}, not text"))
    if strict is not None and not isinstance(strict, bool):
        faults.append(("/strict", f"strict is {name_kind(strict)}, not true or false"))
    parameters = function.get("parameters")
    if parameters is None:
        return tuple(faults), None
    wrong = list(islice(_schema_faults(parameters), MOST))
    faults += [(f"/parameters{pointer}", words) for pointer, words in wrong]
    return tuple(faults), None if wrong else msgspec.json.encode(parameters)


def _schema_faults(schema: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(schema, dict):
        encoded = isinstance(schema, str) and schema.lstrip()[:1] == "{"
        kind = "text that holds JSON (encoded twice)" if encoded else name_kind(schema)
        yield "", f"parameters is {kind}, not a JSON Schema"
        return
    kind = schema.get("type", "object")
    if kind != "object" and (isinstance(kind, str) and kind in _TYPES):
        yield "/type", f"the parameters are of type {quote(kind)}, not 'object': arguments have names"
    yield from _meta_faults(schema)
    yield from _lost_references(schema)


_TYPES = frozenset(("array", "boolean", "integer", "null", "number", "string"))


def _meta_faults(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from jsonschema_specifications import REGISTRY

    kind = _validator_class(schema)
    try:
        errors = list(islice(kind(kind.META_SCHEMA, registry=REGISTRY).iter_errors(schema), 1000))
    except RecursionError:
        yield "", "the schema is nested too deeply"
        return
    except Exception:  # noqa: BLE001 - what the validator cannot cope with is not known to be wrong
        return
    told = sorted({(make_pointer(*e.absolute_path), _meta_words(e)) for e in errors})
    yield from (("" if pointer == "" else pointer, words) for pointer, words in told)


def _meta_words(error: Any) -> str:
    path = list(error.absolute_path)
    if path and path[-1] == "type" and isinstance(error.instance, str):
        return f"{quote(error.instance)} is no type of JSON Schema"
    return f"no valid JSON Schema: {_short(error.message)}"


def _lost_references(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """References that lead out of the schema, which nobody fetches, or nowhere."""
    stack: list[tuple[str, Any]] = [("", schema)]
    has_ids = False
    lost: list[tuple[str, str]] = []
    while stack:
        at, value = stack.pop()
        if isinstance(value, list):
            stack += [(f"{at}/{i}", v) for i, v in enumerate(value)]
        elif isinstance(value, dict):
            has_ids = has_ids or isinstance(value.get("$id"), str)
            stack += [(at + make_pointer(k), v) for k, v in value.items() if k not in _LITERAL]
            ref = value.get("$ref")
            if isinstance(ref, str) and (words := _lost(ref, schema)):
                lost.append((f"{at}/$ref", words))
    if not has_ids:  # with names of its own inside, a schema may mean those
        yield from sorted(lost)


def _lost(ref: str, schema: dict[str, Any]) -> str:
    if not ref.startswith("#"):
        known = ref.startswith(("http://json-schema.org/", "https://json-schema.org/"))
        return "" if known else f"the reference {quote(ref)} leads out of the schema: nobody fetches it"
    here: Any = schema
    for key in unquote(ref[1:]).split("/")[1:] if ref.startswith("#/") else ():
        name = key.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(here):
            here = here[int(name[:9])]
        else:
            return f"the reference {quote(ref)} leads nowhere"
    return ""


class _TooMuch(Exception):  # noqa: N818 - no error: what would take too long is not looked at
    """More references than are followed."""


_followed = [0]


@cache
def _bounded(kind: Any) -> Any:
    """A validator class that follows a bounded number of references and applies no pattern that may take long."""
    from jsonschema import validators
    from jsonschema.exceptions import ValidationError

    def followed(keyword: Any) -> Any:
        def follow(validator: Any, ref: Any, instance: Any, schema: Any) -> Iterator[Any]:
            _followed[0] += 1
            if _followed[0] > MOST_REFS:
                raise _TooMuch
            yield from keyword(validator, ref, instance, schema) or ()

        return follow

    def pattern(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        del schema
        is_text = validator.is_type(instance, "string") and isinstance(wanted, str)
        if is_text and ways(wanted, len(instance)) <= MOST_WAYS and not re.search(wanted, instance):
            yield ValidationError(f"{instance!r} does not match {wanted!r}")

    references = ("$ref", "$dynamicRef", "$recursiveRef")
    bounds = {name: followed(kind.VALIDATORS[name]) for name in references if name in kind.VALIDATORS}
    extend: Any = validators.extend  # has no types
    return extend(kind, {**bounds, "pattern": pattern})


def _validator_class(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    named = schema.get("$schema")
    return validator_for({"$schema": named}, Draft202012Validator) if isinstance(named, str) else Draft202012Validator


@lru_cache(maxsize=4096)
def _validator(data: bytes) -> Any:
    """What holds arguments to a sound schema, None where its patterns of names may take long."""
    from jsonschema_specifications import REGISTRY

    schema = msgspec.json.decode(data)
    stack: list[Any] = [schema]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            names = value.get("patternProperties")
            if isinstance(names, dict) and ways("|".join(f"(?:{n})" for n in names), _KEY) > MOST_WAYS:
                return None
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return _bounded(_validator_class(schema))(schema, registry=REGISTRY)


def broken(schema: bytes, text: str, arguments: Any) -> list[tuple[str, str]]:
    """How arguments, given as text and as what it says, break a schema, at most MOST times: JSON pointers into them,
    and words. Nothing is fetched, and what would take too long is not looked at."""
    if len(text) > LONGEST:
        return []
    try:
        validator = _validator(schema)
        if validator is None or _has_long_name(arguments):
            return []
        _followed[0] = 0
        errors = islice(validator.iter_errors(arguments), 1000)
        told = {(make_pointer(*e.absolute_path), _short(e.message)) for e in errors}
        return nsmallest(MOST, told)
    except (_TooMuch, RecursionError):
        return []
    except Exception:  # noqa: BLE001 - a schema that the validator cannot cope with is no fault of the arguments
        return []


def _has_long_name(value: Any) -> bool:
    stack = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, dict):
            if any(len(key) > _KEY for key in inner):
                return True
            stack += inner.values()
        elif isinstance(inner, list):
            stack += inner
    return False


def _short(words: str) -> str:
    return words if len(words) <= 160 else f"{words[:110]}…{words[-49:]}"
