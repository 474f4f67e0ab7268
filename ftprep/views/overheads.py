"""The rules for what is counted beside the texts of an example, as a table for people and as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftprep.views.plain import Paint, finish, wrap

_SIZES = (20, 9, 6, 9)


def overheads() -> dict[str, Any]:
    """All rules as JSON values, by kind and name."""
    from ftprep.tokens import CHAT_RULES, IMAGE_LOW, TEMPLATE_RULES, TOOL_RULES

    def plain(rule: Any) -> dict[str, Any]:
        fields = {name: getattr(rule, name) for name in rule.__slots__}
        fields["as_of"] = rule.as_of.isoformat()
        return {k: dict(v) if k == "per_role" else list(v) if isinstance(v, tuple) else v for k, v in fields.items()}

    tables: dict[str, Mapping[str, Any]] = {"chats": CHAT_RULES, "templates": TEMPLATE_RULES, "tools": TOOL_RULES}
    found: dict[str, Any] = {kind: {name: plain(r) for name, r in rules.items()} for kind, rules in tables.items()}
    return found | {"pictures": {"low_detail": IMAGE_LOW, "source": "OpenAI's vision guide"}}


def overheads_page(color: bool, width: int) -> str:
    """All rules for people."""
    return finish(_lines(Paint(color), width))


def _lines(paint: Paint, width: int) -> Iterator[str]:
    from ftprep.tokens import CHAT_RULES, TEMPLATE_RULES

    yield paint(_row("Chats", "message", "name", "example"), "bold")
    for name, rule in CHAT_RULES.items():
        yield _row(name, str(rule.per_message), str(rule.per_name), str(rule.per_example))
        yield from _source(rule, width)
    yield ""
    yield paint(_row("Models' templates", "message", "prompt", "example"), "bold")
    for name, measured in TEMPLATE_RULES.items():
        added = f"{measured.per_example + (0 if measured.default_system else measured.fixed)}"
        yield _row(name, str(measured.per_message), str(measured.prompt), added)
        roles = ", ".join(f"{role} {count}" for role, count in measured.per_role.items())
        more = [f"other roles: {roles}"] if roles else []
        if measured.default_system:
            more.append(f"{measured.fixed} more where no system message is given")
        yield from _source(measured, width, more)
    yield ""
    yield from _tools(paint, width)
    yield ""
    told = (
        "Tools differ because providers do not publish what they bill: compare with the trained tokens of a real job."
    )
    yield from wrap(told, width)


def _tools(paint: Paint, width: int) -> Iterator[str]:
    from ftprep.tokens import IMAGE_LOW, TOOL_RULES

    yield paint("Tools and pictures", "bold")
    for name, rule in TOOL_RULES.items():
        told = (
            f"{name} ({', '.join(rule.models)}): {rule.per_function} a function, {rule.properties_start} where it has "
            f"properties, {rule.per_property} a property, {rule.enum_start} and {rule.per_enum_item} a value for an "
            f"enum, {rule.end} at the end"
        )
        yield from (f"  {line}" for line in wrap(told, width - 2))
        yield from _source(rule, width)
    yield f"  picture of low detail: {IMAGE_LOW} (OpenAI's vision guide); of others the size must be known"


def _row(*cells: str) -> str:
    name, *numbers = cells
    return "  ".join([f"{name:<{_SIZES[0]}}", *(f"{n:>{s}}" for n, s in zip(numbers, _SIZES[1:], strict=True))])


def _source(rule: Any, width: int, more: list[str] | None = None) -> Iterator[str]:
    """Where a rule is from, and what else there is to say of it."""
    notes = [*(more or ()), getattr(rule, "note", "")]
    told = "; ".join([f"{rule.source}, {rule.as_of} ({rule.confidence})", *(n for n in notes if n)])
    yield from (f"    {line}" for line in wrap(told, width - 4))
