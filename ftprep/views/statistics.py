"""The statistics of a report: how often each rule found something, as a table, JSON, or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftprep.views import wording
from ftprep.views.plain import Paint, finish, pad, safe

if TYPE_CHECKING:
    from ftprep.report import Report

_HEADER = ("count", "code", "name", "severity", "fixable")


def rows(report: Report) -> list[dict[str, Any]]:
    """One dict a rule: count, code, name, severity, fixable (`safe`, `unsafe` or None); commonest first."""
    found = sorted(wording.groups(report), key=lambda g: (-g.rule.count, g.rule.code))
    return [g.rule.model_dump(include=set(_HEADER[:4])) | {"fixable": g.mending or None} for g in found]


def table(report: Report, *, color: bool = False) -> str:
    """The same as a table with a line of column names; "" without findings."""
    paint, counted = Paint(color), rows(report)
    if not counted:
        return ""
    cells = [
        (f"{r['count']:,}", safe(r["code"]), safe(r["name"]), r["severity"], r["fixable"] or "no") for r in counted
    ]
    sizes = [max(map(len, column)) for column in zip(_HEADER, *cells, strict=True)]
    lines = [paint(_line(_HEADER, sizes, Paint(on=False)), "bold")]
    lines += [_line(row, sizes, paint) for row in cells]
    return finish(lines)


def _line(row: tuple[str, ...], sizes: list[int], paint: Paint) -> str:
    count, code, name, severity, fixable = row
    colour = (wording.COLOURS[severity],) if severity in wording.COLOURS else ()
    word = paint(severity, *colour) + " " * (sizes[3] - len(severity))
    return f"{count:>{sizes[0]}}  {pad(code, sizes[1])}  {pad(name, sizes[2])}  {word}  {fixable}"


def as_json(report: Report) -> str:
    """The rows as one JSON array."""
    import json

    return json.dumps(rows(report), ensure_ascii=False, indent=2) + "\n"
