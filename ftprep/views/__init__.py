"""The views: one report as text for people, for programs and for CI; the explicit table of output formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ftprep.errors import UsageError
from ftprep.views.plain import safe

if TYPE_CHECKING:
    from ftprep.report import Report

__all__ = ["FORMATS", "STATISTICS", "render", "safe"]

View = Callable[["Report", bool, int], str]
"""Report, whether in colour, columns: the text, which ends with a line end unless it is empty."""


def _full(report: Report, color: bool, width: int) -> str:
    from ftprep.views import text

    return text.full(report, color=color, width=width)


def _concise(report: Report, color: bool, _width: int) -> str:
    from ftprep.views import text

    return text.concise(report, color=color)


def _json(report: Report, _color: bool, _width: int) -> str:
    from ftprep.views import machine

    return machine.as_json(report)


def _json_lines(report: Report, _color: bool, _width: int) -> str:
    from ftprep.views import machine

    return machine.json_lines(report)


def _github(report: Report, _color: bool, _width: int) -> str:
    from ftprep.views import machine

    return machine.github(report)


def _table(report: Report, color: bool, _width: int) -> str:
    from ftprep.views import statistics

    return statistics.table(report, color=color)


def _counts_json(report: Report, _color: bool, _width: int) -> str:
    from ftprep.views import statistics

    return statistics.as_json(report)


def _counts_lines(report: Report, _color: bool, _width: int) -> str:
    from ftprep.views import machine, statistics

    return machine.lines_of(statistics.rows(report))


FORMATS: Final[dict[str, View]] = {
    "full": _full,
    "concise": _concise,
    "json": _json,
    "json-lines": _json_lines,
    "github": _github,
}
"""Output formats by name; each imports what it needs when it is used."""

STATISTICS: Final[dict[str, View]] = {
    "full": _table,
    "concise": _table,
    "json": _counts_json,
    "json-lines": _counts_lines,
}
"""The formats in which the counts alone can be had."""


def render(report: Report, format: str, *, color: bool = False, statistics: bool = False, width: int = 100) -> str:  # noqa: A002
    """The report in one of FORMATS; with `statistics` the counts by rule in place of it.

    `width` is the columns of the terminal. Raises UsageError for an unknown format, or one without statistics.
    """
    if format not in FORMATS:
        import difflib

        near = difflib.get_close_matches(format, FORMATS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known formats: {', '.join(FORMATS)}"
        raise UsageError(f"no output format is called {format!r}", hint)
    if not statistics:
        return FORMATS[format](report, color, width)
    if format not in STATISTICS:
        message = f"the output format {format!r} has no statistics"
        raise UsageError(message, f"formats that have: {', '.join(STATISTICS)}")
    return STATISTICS[format](report, color, width)
