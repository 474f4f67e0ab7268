"""Function declarations of Gemini: tools in lists of declarations, and types of schemas in capitals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftprep.shapes.dialects.pieces import wire_tools

_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_LOWER = {name: name.lower() for name in _TYPES}
_UPPER = {name.lower(): name for name in _TYPES}
_LISTS = ("functionDeclarations", "function_declarations")
_SCHEMAS = ("parameters", "response")
_KNOWN = frozenset(("name", "description", "behavior", "parametersJsonSchema", "responseJsonSchema", *_SCHEMAS))
"""What a FunctionDeclaration has (google-genai 3.4.0, types.py)."""

_ONE, _MANY, _NAMED = ("items", "additionalProperties", "not"), ("anyOf", "oneOf", "allOf", "prefixItems"), "properties"


def read_tools(tools: Any) -> tuple[list[Any], dict[str, str]]:
    """Tools in wire form, one for each declaration, with the places that lead back; other tools as they are."""
    read: list[Any] = []
    places: dict[str, str] = {}
    for number, tool in enumerate(tools):
        key = next((k for k in _LISTS if isinstance(tool, dict) and isinstance(tool.get(k), list)), None)
        if key is None or len(tool) != 1:
            places[f"/tools/{len(read)}"] = f"/tools/{number}"
            read.append(tool)
            continue
        for place, declaration in enumerate(tool[key]):
            origin = f"/tools/{number}/{key}/{place}"
            places.update({f"/tools/{len(read)}{inside}": origin for inside in ("", "/type", "/function")})
            read.append({"type": "function", "function": _spell_types(declaration, _LOWER)})
    return read, places


def write_tools(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tools as Gemini has them, neighbouring functions in one list; tools of other providers are left out."""
    written: list[dict[str, Any]] = []
    for is_function, tool in wire_tools(tools):
        if not is_function:
            written += [] if "type" in tool else [tool]
            continue
        declaration = _spell_types({k: v for k, v in tool.items() if k in _KNOWN}, _UPPER)
        if not written or _LISTS[0] not in written[-1]:
            written.append({_LISTS[0]: []})
        written[-1][_LISTS[0]].append(declaration)
    return written


def _spell_types(declaration: Any, names: dict[str, str]) -> Any:
    if not isinstance(declaration, dict):
        return declaration
    try:
        return {k: _spell(v, names) if k in _SCHEMAS else v for k, v in declaration.items()}
    except RecursionError:
        return declaration


def _spell(schema: Any, names: dict[str, str]) -> Any:
    """A schema with its types spelt by `names`, and those of the schemas in it."""
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    spelt = dict(schema)
    if isinstance(kind, str):
        spelt["type"] = names.get(kind, kind)
    _put(spelt, _ONE, dict, lambda one: _spell(one, names))
    _put(spelt, _MANY, list, lambda many: [_spell(one, names) for one in many])
    _put(spelt, (_NAMED, "$defs", "defs"), dict, lambda named: {k: _spell(v, names) for k, v in named.items()})
    return spelt


def _put(schema: dict[str, Any], keys: tuple[str, ...], kind: type, change: Callable[[Any], Any]) -> None:
    for key in keys:
        if isinstance(schema.get(key), kind):
            schema[key] = change(schema[key])
