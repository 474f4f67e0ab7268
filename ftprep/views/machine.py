"""A report for programs: JSON, JSON lines, and GitHub's workflow commands."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING, Any

from ftprep.views.plain import HIDDEN, safe

if TYPE_CHECKING:
    from ftprep.report import FindingView, Report

ANNOTATIONS = 10
"""GitHub shows at most 10 errors and 10 warnings of a step (docs.github.com, workflow commands; read 2026-11-20)."""


def as_json(report: Report) -> str:
    """The JSON report; what would drive a terminal is written as JSON escapes, which read back as the same text."""
    return _inert(report.to_json()) + "\n"


def json_lines(report: Report) -> str:
    """The findings alone, one JSON object a line; "" without findings."""
    return lines_of(f.model_dump(mode="json") for f in report.findings)


def lines_of(values: Iterable[dict[str, Any]]) -> str:
    """Values as JSON lines: compact, UTF-8, inert on a terminal."""
    import jsonlines

    target = StringIO()
    with jsonlines.Writer(target, dumps=_compact) as writer:
        writer.write_all(values)
    return target.getvalue()


def _compact(value: Any) -> str:
    return _inert(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _inert(text: str) -> str:
    # Outside of strings JSON has no such characters but line ends, so this never changes what it says. "##[" begins a
    # command to a CI (see plain.finish).
    shown = HIDDEN.sub(lambda m: m[0] if m[0] == "\n" else json.dumps(m[0])[1:-1], text)
    return shown.replace("##[", "#\\u0023[")


def github(report: Report) -> str:
    """Workflow commands: up to 10 errors and 10 warnings as annotations, then one notice with how many more there are.

    The gravest come first, and within a severity one finding of each rule before a second one of any.
    """
    lines, shown = [], 0
    for severity in ("error", "warning"):
        for finding in _spread([f for f in report.findings if f.severity == severity])[:ANNOTATIONS]:
            lines.append(_annotation(finding))
            shown += 1
    more = sum(r.count for r in report.rules) - shown
    if more:
        told = f"and {more:,} more" if shown else f"{more:,} for information"
        lines.append(command("notice", f"{told}: `ftprep check --statistics` counts them all", {"title": "ftprep"}))
    return "".join(line + "\n" for line in lines)


def _spread(findings: list[FindingView]) -> list[FindingView]:
    """The findings in turns, one of each rule a turn; a rule with thousands does not hide the others."""
    seen: Counter[str] = Counter()
    turns = []
    for finding in findings:
        turns.append(seen[finding.code])
        seen[finding.code] += 1
    return [finding for _, finding in sorted(zip(turns, findings, strict=True), key=lambda pair: pair[0])]


def _annotation(finding: FindingView) -> str:
    properties: dict[str, str | int] = {"title": f"ftprep ({finding.code} {finding.name})"}
    if finding.filename:
        properties |= {"file": finding.filename, "line": finding.location.row, "col": finding.location.column}
    return command(finding.severity, finding.message, properties)


def command(name: str, message: str, properties: dict[str, str | int]) -> str:
    """One workflow command as @actions/core writes it: `%`, CR and LF are escaped, in properties `:` and `,` too."""
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {told}::{_data(message)}"


def _data(text: str) -> str:
    shown = re.sub(r"[^\r\n]+", lambda m: safe(m[0]), text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
