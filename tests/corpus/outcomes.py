"""What a check makes of one file: its fate, its account, its processor time; or why it could not be done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ftprep as ft
from ftprep.errors import FtprepError
from ftprep.report import Report

CORPUS = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[3] / "shared") / "badinputs"
MOST_SECONDS = 5.0


class Outcome(NamedTuple):
    """The report of a check, or the one line that says why there is none; processor seconds, children included."""

    report: Report | None
    error: str
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """read, loaded, rejected, skipped, over all tables of the file."""
        inputs = self.report.inputs if self.report else ()
        return {name: sum(getattr(i.rows, name) for i in inputs) for name in ("read", "loaded", "rejected", "skipped")}

    @property
    def fate(self) -> str:
        """`load` (everything), `rejects` (some), `error` (nothing)."""
        if not self.report or (not self.counts["loaded"] and not self.report.ok):
            return "error"
        return "rejects" if self.counts["rejected"] else "load"

    def found(self, *severities: str) -> dict[int, set[str]]:
        """Codes by line, of these severities."""
        lines: dict[int, set[str]] = {}
        for finding in self.report.findings if self.report else ():
            if finding.severity in severities:
                lines.setdefault(finding.location.row, set()).add(finding.code)
        return lines

    def settled(self) -> None:
        """Asserts what holds for every file: whole accounts, no hang, an error of one line."""
        for one in self.report.inputs if self.report else ():
            rows = one.rows
            assert rows.read == rows.loaded + rows.rejected + rows.skipped, one.path
        assert self.seconds < MOST_SECONDS
        assert self.report is not None or (self.error and "\n" not in self.error)


def checked(path: Path, recipe: Mapping[str, Any] | None = None) -> Outcome:
    """Checks a file; whatever comes out of it that is no FtprepError is a bug, and goes on its way."""
    began = os.times()
    report, error = None, ""
    try:
        report = ft.check(path, recipe, workers=1)
    except FtprepError as trouble:
        error = trouble.message
    ended = os.times()
    seconds = sum(b - a for a, b in zip(began[:4], ended[:4], strict=True))
    return Outcome(report, error, seconds)


def loaded_records(path: Path) -> list[dict[str, Any]]:
    """The records that the reader gives, in order, without those that it refuses."""
    from ftprep.readers import open_tables, reader_of

    records = []
    for table in open_tables([path]):
        if table.broken:
            continue
        reader = reader_of(table)
        for chunk in reader.chunks(table):
            records += [row.record for row in reader.decode(table, chunk) if not row.faults and row.record is not None]
    return records
