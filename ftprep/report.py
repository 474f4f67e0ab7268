"""What a check found, as values: the JSON report's schema, with the ways into a frame and a notebook."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ftprep.model import SEVERITIES, Severity
from ftprep.version import __version__

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1


class _Value(BaseModel):
    # Built when something is validated or written as JSON: what a run makes of its own values needs neither.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Location(_Value):
    """1-based physical line (row of a sheet) and character."""

    row: int
    column: int = 1


class FixOffer(_Value):
    """That a rule can mend what it found, how safely, and what it would do."""

    applicability: Literal["safe", "unsafe"]
    message: str


class FindingView(_Value):
    """One finding, complete enough to be read on its own."""

    code: str
    name: str
    severity: Severity
    message: str
    filename: str
    location: Location
    sheet: str | None = None
    record: int | None = None
    json_pointer: str = ""
    excerpt: str = ""
    fingerprint: str = ""
    fix: FixOffer | None = None

    @property
    def place(self) -> str:
        """path[sheet]:row:column"""
        sheet = f"[{self.sheet}]" if self.sheet else ""
        return f"{self.filename}{sheet}:{self.location.row}:{self.location.column}"


class RowCounts(_Value):
    """The account of one input: read = loaded + rejected + skipped, always."""

    read: int = 0
    loaded: int = 0
    rejected: int = 0
    skipped: int = 0


class InputView(_Value):
    """One input: a file, one sheet, or data in memory (then without bytes and hash)."""

    path: str
    format: str
    sheet: str | None = None
    encoding: str = "utf-8"
    bytes: int = 0
    sha256: str = ""
    shape: str | None = None
    read_as: str = Field("", description="How its records became examples, in words.")
    rows: RowCounts = RowCounts.model_construct()


class DatasetSummary(_Value):
    """What the set is: `classes` with their counts where it is a classification, commonest first."""

    shape: str
    task: str
    task_reasons: tuple[str, ...] = ()
    examples: int = 0
    classes: dict[str, int] = Field(default_factory=dict)
    separator: str | None = None
    stop: str | None = None


class TokenSummary(_Value):
    """Tokens of the examples; `overhead` names the rule by which chat messages cost more than their text."""

    encoding: str
    encoding_reason: str = ""
    exact: bool = True
    overhead: str = ""
    total: int = 0
    trainable: int = 0
    min: int = 0
    p50: int = 0
    p95: int = 0
    max: int = 0


class RuleCount(_Value):
    """How often a rule found something; `shown` of them are among the findings."""

    code: str
    name: str
    severity: Severity
    count: int
    shown: int


class SkippedRule(_Value):
    """A rule that could not run, and why."""

    rule: str
    reason: str


class Summary(_Value):
    """Findings by severity, counted exactly."""

    errors: int = 0
    warnings: int = 0
    infos: int = 0


class Tool(_Value):
    """What wrote the report."""

    name: str = "ftprep"
    version: str = __version__


class OfferView(_Value):
    """A mending of the whole set that a rule offers."""

    code: str
    applicability: Literal["safe", "unsafe"]
    message: str
    rows: int


class Refusal(_Value):
    """A rule that found something the target refuses. `message` is the provider's literal answer to the first of these
    faults, None where its words are not known; `source` and `confidence` say where they were read."""

    code: str
    severity: Severity
    count: int
    message: str | None = None
    source: str | None = None
    confidence: str | None = None


class Acceptance(_Value):
    """Whether the target would take the set as it is, as far as the facts of `as_of` tell."""

    target: str
    title: str
    model: str | None = None
    method: str
    as_of: date
    accepted: bool
    refusals: tuple[Refusal, ...] = ()
    selector: str = Field("", description="What `--target` takes to name the target and its model.")


class Report(_Value):
    """The outcome of a check. `ok` is true when there is no error; findings are in the order of files and lines."""

    schema_version: int = SCHEMA_VERSION
    tool: Tool = Tool.model_construct()
    ok: bool
    summary: Summary
    inputs: tuple[InputView, ...]
    dataset: DatasetSummary
    tokens: TokenSummary
    rules: tuple[RuleCount, ...]
    findings: tuple[FindingView, ...]
    fixes: tuple[OfferView, ...] = ()
    skipped: tuple[SkippedRule, ...] = ()
    acceptance: Acceptance | None = Field(None, description="The target's verdict, where a target is named.")
    samples: dict[str, Any] | None = Field(None, description="Examples as they are trained on, where asked for.")

    @property
    def rows(self) -> RowCounts:
        """The accounts of all inputs together."""
        each = [i.rows for i in self.inputs]
        return RowCounts.model_construct(
            read=sum(r.read for r in each),
            loaded=sum(r.loaded for r in each),
            rejected=sum(r.rejected for r in each),
            skipped=sum(r.skipped for r in each),
        )

    def fails(self, on: str = "error") -> bool:
        """Whether there is a finding at or above a severity (`error`, `warning`, `info`; `never` is false)."""
        if on == "never":
            return False
        counts = dict(zip(SEVERITIES, (self.summary.errors, self.summary.warnings, self.summary.infos), strict=True))
        return any(counts[s] for s in SEVERITIES[: SEVERITIES.index(on) + 1])

    def counts(self) -> dict[str, int]:
        """Findings by rule code, counted exactly."""
        return {r.code: r.count for r in self.rules}

    def to_dict(self) -> dict[str, Any]:
        """The JSON report as Python values."""
        return self.model_dump(mode="json")

    def to_json(self, path: str | Path | None = None) -> str:
        """The JSON report as text; also written to `path` where one is given."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8", newline="\n")
        return text

    def to_frame(self) -> pd.DataFrame:
        """The findings as a frame, one row each: code, name, severity, message, filename, sheet, row, column, record,
        json_pointer, excerpt, fingerprint, fix. A text that a spreadsheet would take for a formula begins with `'`, so
        that the frame can be saved as CSV or XLSX and opened."""
        import pandas as pd

        flat = [
            {name: _no_formula(value) for name, value in f.model_dump(exclude={"location", "fix"}).items()}
            | {"row": f.location.row, "column": f.location.column, "fix": f.fix.applicability if f.fix else None}
            for f in self.findings
        ]
        names = ["code", "name", "severity", "message", "filename", "sheet", "row", "column", "record"]
        return pd.DataFrame(flat, columns=[*names, "json_pointer", "excerpt", "fingerprint", "fix"])

    def __repr__(self) -> str:
        from ftprep.views.text import short

        return short(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from ftprep.views.notebook import fragment

        return fragment(self)


def _no_formula(value: Any) -> Any:
    """A value as a cell that no spreadsheet works out (OWASP, "CSV Injection": these characters at its beginning)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
