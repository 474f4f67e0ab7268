"""A report as one HTML fragment for notebooks: no script, nothing to fetch, readable in light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from ftprep.views import wording
from ftprep.views.plain import cut
from ftprep.views.wording import Group

if TYPE_CHECKING:
    from ftprep.report import FindingView, Report

PLACES = 10
"""Findings shown of each rule."""

RULES = 60
"""Rules shown; no set is understood better by more."""

LIMIT = 190_000
"""Bytes; notebooks keep every output they ever showed, so one report may not be large."""

_INPUTS = 10
_CLASSES = 10
_REASONS = 10
_MESSAGE = 300
_EXCERPT = 80
_PATH = 120
_FACT = 300

# Badges have a ground of their own, so that the words keep their contrast (at least 4.5:1) on any theme; everything
# else inherits the notebook's colours.
_GROUNDS = {"error": "#b3261e", "warning": "#8a5a00", "info": "#1f5f8b", "": "#2e6b34"}
_LINE = "border-bottom:1px solid rgba(128,128,128,.35);"
_CELL = "text-align:start;vertical-align:top;padding:2px 12px 2px 0;"
_MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;"


def fragment(report: Report) -> str:
    """The report as HTML that inherits font and colours; below 200 kB, with totals exact whatever is left out."""
    found = wording.groups(report)
    head = "\n".join(p for p in (_verdict(report), _counts(found), _dataset(report)) if p)
    details = "\n".join(_details(found, report, LIMIT - len(head.encode())))
    style = "max-width:70em;line-height:1.45;color:inherit;background:transparent"
    return f'<div class="ftprep-report" style="{style}">\n{head}\n{details}\n</div>\n'


def _data(text: str, most: int) -> str:
    """A text that comes from data: inert, cut, escaped, in its own direction."""
    return f'<bdi dir="auto">{escape(cut(text, most))}</bdi>'


def _badge(word: str, severity: str) -> str:
    style = f"background:{_GROUNDS[severity]};color:#fff;border-radius:3px;padding:0 6px"
    return f'<span style="{style}">{escape(word)}</span>'


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in header)
    lines = ["".join(f'<td dir="auto" style="{_CELL}">{cell}</td>' for cell in row) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    top = f'<thead><tr style="{_LINE}">{head}</tr></thead>' if header else ""
    return f'<table style="border-collapse:collapse;margin:4px 0 10px">{top}<tbody>\n{body}\n</tbody></table>'


def _verdict(report: Report) -> str:
    grave = wording.gravest(report)
    return f"<p>{_badge(grave or 'ok', grave)} <strong>{escape(wording.verdict(report))}</strong></p>"


def _counts(found: list[Group]) -> str:
    if not found:
        return ""
    rows = [
        (
            f"{g.rule.count:,}",
            _badge(g.rule.severity, g.rule.severity),
            escape(cut(g.rule.code, 20)),
            escape(cut(g.rule.name, 60)),
            {"safe": "safe", "unsafe": "when asked", "": "no"}[g.mending],
        )
        for g in found[:RULES]
    ]
    rest = found[RULES:]
    more = f"<p>and {sum(g.rule.count for g in rest):,} findings of {len(rest):,} more rules</p>" if rest else ""
    return _table(("Count", "Severity", "Code", "Name", "Can be mended"), rows) + more


def _dataset(report: Report) -> str:
    rows = [(_data(wording.path_of(i), _PATH), _lines(wording.account(i))) for i in report.inputs[:_INPUTS]]
    if len(report.inputs) > _INPUTS:
        rows.append((f"and {len(report.inputs) - _INPUTS:,} more", f"together {report.rows.read:,} rows"))
    if report.dataset.examples:
        rows += [(escape(name), _lines(told)) for name, told in wording.facts(report)]
        rows += [("classes", _classes(report.dataset.classes))] if report.dataset.classes else []
    unchecked = wording.unchecked(report)
    rows += [("not checked", _lines(unchecked[:_REASONS]))] if unchecked else []
    return _table((), rows)


def _lines(told: list[str]) -> str:
    return "<br>".join(_data(line, _FACT) for line in told)


def _classes(classes: dict[str, int]) -> str:
    total = sum(classes.values())
    shown = [
        f"{_data(wording.label(name), 80)}: {count:,} ({escape(wording.share(count, total))})"
        for name, count in list(classes.items())[:_CLASSES]
    ]
    if len(classes) > _CLASSES:
        rarest = wording.counted(min(classes.values()), "example")
        shown.append(f"and {len(classes) - _CLASSES:,} more, the rarest with {rarest}")
    return f"{len(classes):,}<br>{'<br>'.join(shown)}"


def _details(found: list[Group], report: Report, left: int) -> Iterator[str]:
    """One `<details>` a rule, as long as there is room: `left` bytes."""
    for number, group in enumerate(found[:RULES]):
        block = _rule(group, report)
        left -= len(block.encode())
        if left < 0:
            rest = wording.counted(len(found) - number, "rule")
            yield f"<p>… and {rest} more: see <code>report.findings</code></p>"
            return
        yield block


def _rule(group: Group, report: Report) -> str:
    shown = group.findings[:PLACES]
    rows = [_finding(f, report) for f in shown]
    more = group.rule.count - len(shown)
    rest = f"<p>… and {more:,} more</p>" if more else ""
    badge = _badge(group.rule.severity, group.rule.severity)
    title = f"{badge} <strong>{escape(cut(group.title, 80))}</strong> ({group.rule.count:,})"
    listed = _table(("Place", "Message", "Excerpt"), rows) if rows else ""
    mended = f"<p>{_data(group.mended, _FACT)}</p>"
    head = f'<summary style="cursor:pointer">{title}</summary>'
    return f'<details style="margin:2px 0">{head}{listed}{rest}{mended}</details>'


def _finding(finding: FindingView, report: Report) -> tuple[str, str, str]:
    place = f"{wording.place_of(finding, report)} {finding.json_pointer}".strip() or "the whole set"
    excerpt = f'<span style="{_MONO}">{_data(finding.excerpt, _EXCERPT)}</span>' if finding.excerpt else ""
    return _data(place, _PATH), _data(finding.message, _MESSAGE), excerpt
