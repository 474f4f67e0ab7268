"""A report for people: in full with everything explained, concise with one line a finding, short for a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ftprep.views import wording
from ftprep.views.plain import Paint, columns, cut, finish, pad, safe, wrap
from ftprep.views.wording import Group

if TYPE_CHECKING:
    from ftprep.report import FindingView, Report

PLACES = 5
"""Findings shown of each rule in full; their number is told exactly."""

INPUTS = 10
CLASSES = 10
BAR = 20
"""Columns of the bar of the commonest class."""

EXCERPT = 80
"""Columns of an excerpt."""

MESSAGE = 500
"""Columns of a message; longer ones are cut."""

_ROOM = 44
"""Columns that a sentence needs beside a place; where there are fewer it stands below."""

_EXCERPT_ROOM = 24
_NARROWEST = 40


def full(report: Report, *, color: bool = False, width: int = 100) -> str:
    """Everything an analyst needs: verdict, what was read, what the set is, findings by rule, what to do next."""
    page = _Page(report, Paint(color), max(width, _NARROWEST))
    return finish(page.lines())


def concise(report: Report, *, color: bool = False) -> str:
    """One line a finding, `path:line:column: error FMT105 message-not-object: message`; "" without findings."""
    paint = Paint(color)
    first = report.inputs[0].path if report.inputs else "-"
    lines = []
    for finding in report.findings:
        place = safe(finding.place if finding.filename else first + finding.place)
        severity = paint(finding.severity, wording.COLOURS[finding.severity])
        rule = f"{safe(finding.code)} {safe(finding.name)}"
        lines.append(f"{paint(place, 'bold')}: {severity} {rule}: {safe(finding.message)}")
    for rule_count in report.rules:
        if rule_count.count > rule_count.shown:
            rule = f"{rule_count.severity} {safe(rule_count.code)} {safe(rule_count.name)}"
            lines.append(f"… and {rule_count.count - rule_count.shown:,} more: {rule}")
    return finish(lines)


def short(report: Report) -> str:
    """The verdict, the set, and the rules with their counts in a few lines, without a last line end."""
    data, rows = report.dataset, report.rows
    lines = [f"ftprep report: {wording.verdict(report)}"]
    lines.append(f"  {data.examples:,} examples ({safe(data.shape)}, {safe(data.task)}) from {rows.read:,} rows")
    found = wording.groups(report)
    lines += [f"  {g.rule.severity} {g.title}: {g.rule.count:,}" for g in found[:PLACES]]
    if len(found) > PLACES:
        lines.append(f"  … and {wording.counted(len(found) - PLACES, 'rule')} more")
    return finish(lines).rstrip("\n")


class _Page:
    """The full view, section by section; each section is an iterator of lines."""

    def __init__(self, report: Report, paint: Paint, width: int) -> None:
        self.report = report
        self.paint = paint
        self.width = width

    def lines(self) -> Iterator[str]:
        grave = wording.gravest(self.report)
        colour = wording.COLOURS[grave] if grave in ("error", "warning") else "green"
        for line in wrap(wording.verdict(self.report), self.width):
            yield self.paint(line, "bold", colour)
        sections = (
            ("What was read", self._inputs()),
            ("What the set is", self._facts()),
            ("What was found", self._findings()),
            ("Would it be accepted?", self._accepted()),
            ("Not checked", self._skipped()),
            ("What to do next", self._next()),
        )
        for title, lines in sections:
            body = list(lines)
            if body:
                yield from ("", self.paint(title, "bold"), *body)

    def _widest(self, heads: list[str], room: int = _ROOM) -> int:
        """Columns of the widest head; 0 where what stands beside it would have less than `room`, and goes below."""
        size = max(map(columns, heads), default=0)
        return size if size + room + 6 <= self.width else 0

    def _entry(self, head: str, told: list[str], size: int, indent: int = 2, style: str = "") -> Iterator[str]:
        """A head with wrapped lines beside it, or below it where `size`, the columns of the widest head, is 0."""
        margin = " " * (indent + size + 2)
        lines = [part for line in told for part in wrap(line, self.width - len(margin))]
        beside = lines.pop(0) if lines and size else ""
        blank = " " * (size - columns(head) + 2) if beside else ""
        yield " " * indent + self.paint(head, style) + blank + beside
        yield from (margin + line for line in lines)

    def _inputs(self) -> Iterator[str]:
        shown = self.report.inputs[:INPUTS]
        heads = [wording.path_of(i) for i in shown]
        size = self._widest(heads)
        for head, view in zip(heads, shown, strict=True):
            yield from self._entry(head, wording.account(view), size)
        total, rows = len(self.report.inputs), self.report.rows
        if total > INPUTS:
            yield f"  … and {total - INPUTS:,} more"
        if total > 1:
            yield (
                f"  together {rows.read:,} rows: {rows.loaded:,} loaded, {rows.rejected:,} rejected, "
                f"{rows.skipped:,} skipped"
            )

    def _facts(self) -> Iterator[str]:
        if not self.report.dataset.examples:
            return
        for name, told in wording.facts(self.report):
            if name == "tokens":
                yield from self._classes()
            yield from self._entry(name, told, 9)
        if not self.report.tokens.total:
            yield from self._classes()

    def _classes(self) -> Iterator[str]:
        classes = self.report.dataset.classes
        if not classes:
            return
        yield f"  classes    {len(classes):,}"
        names = list(classes)[:CLASSES]
        size = max(columns(wording.label(n)) for n in names)
        digits = len(f"{max(classes.values()):,}")
        total, most = sum(classes.values()), max(classes.values())
        for name in names:
            count = classes[name]
            bar = "#" * max(1, round(BAR * count / most))
            numbers = f"{count:>{digits},}  {wording.share(count, total):>5}"
            yield f"    {pad(wording.label(name), size)}  {numbers}  {self.paint(bar, 'cyan')}"
        if len(classes) > CLASSES:
            rarest = wording.counted(min(classes.values()), "example")
            yield f"    … and {len(classes) - CLASSES:,} more, the rarest with {rarest}"

    def _findings(self) -> Iterator[str]:
        for number, group in enumerate(wording.groups(self.report)):
            if number:
                yield ""
            yield from self._group(group)

    def _accepted(self) -> Iterator[str]:
        told = wording.accepted(self.report)
        size = self._widest([head for head, _ in told])
        for head, lines in told:
            yield from self._entry(head, lines, size, style="bold")

    def _group(self, group: Group) -> Iterator[str]:
        times = "once" if group.rule.count == 1 else f"{group.rule.count:,} times"
        word = self.paint(group.rule.severity, "bold", wording.COLOURS[group.rule.severity])
        yield f"  {word} {self.paint(group.title, 'bold')}, {times}"
        shown = group.findings[:PLACES]
        one = {f.message for f in shown}
        if len(one) == 1:
            # The same sentence for every place is said once.
            yield from self._wrapped(cut(shown[0].message, MESSAGE), 4)
        heads = [self._head(f) for f in shown]
        size = self._widest(heads, _EXCERPT_ROOM if len(one) == 1 else _ROOM)
        for head, finding in zip(heads, shown, strict=True):
            yield from self._finding(head, finding, size, tell=len(one) > 1)
        if group.rule.count > len(shown):
            yield f"    … and {group.rule.count - len(shown):,} more"
        yield from self._wrapped(group.mended, 4)

    def _finding(self, head: str, finding: FindingView, size: int, tell: bool) -> Iterator[str]:
        message = [cut(finding.message, MESSAGE)] if tell else []
        excerpt = self._excerpt(finding, 6 + size if head else 4)
        if not head:
            yield from self._wrapped(message[0] if message else "", 4)
            yield from ([f"    {excerpt}"] if excerpt else [])
            return
        if excerpt and size and not message:
            yield f"    {self.paint(head, 'bold')}{' ' * (size - columns(head) + 2)}{excerpt}"
            return
        yield from self._entry(head, message, size, 4, "bold")
        yield from ([" " * (6 + size) + excerpt] if excerpt else [])

    def _head(self, finding: FindingView) -> str:
        place = wording.place_of(finding, self.report)
        pointer = safe(finding.json_pointer)
        return f"{place} {pointer}" if place and pointer else place

    def _excerpt(self, finding: FindingView, margin: int) -> str:
        room = max(10, min(EXCERPT, self.width - margin - 2))
        return self.paint(f"| {cut(finding.excerpt, room)}", "dim") if finding.excerpt else ""

    def _wrapped(self, text: str, indent: int) -> Iterator[str]:
        return (" " * indent + line for line in wrap(text, self.width - indent))

    def _skipped(self) -> Iterator[str]:
        for line in wording.unchecked(self.report):
            yield from self._wrapped(line, 2)

    def _next(self) -> Iterator[str]:
        steps = wording.next_steps(self.report)
        size = self._widest([command for command, _ in steps])
        for command, what in steps:
            yield from self._entry(command, [what], size, style="bold")
