"""What the provider would say of a training file: ftprep's own check against the right target, in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ftprep.errors import FtprepError

FAMILIES = ("IO", "FMT", "ROLE", "TOOL", "IMG", "TOK")
"""Of the catalogue, what a provider's own validation looks at."""


@dataclass(frozen=True)
class Verdict:
    """What came of it: `code` and `message` of the refusal ("" for none), rows, tokens, and whether it is classes."""

    code: str = ""
    message: str = ""
    rows: int = 0
    tokens: int = 0
    classes: bool = False
    warnings: tuple[str, ...] = field(default=())


def audit(path: Path, shown: str, target: str, method: str, part: str = "training") -> Verdict:
    """Check a stored file as `target` would; `shown` is how the user called it, `part` is training or validation."""
    from ftprep.pipeline import check
    from ftprep.recipe import Recipe
    from ftprep.targets import find_target

    least = find_target(target, method).facts.get("file.min_rows")
    recipe = Recipe.model_validate({"target": target, "method": method, "rules": {"select": FAMILIES}})
    code = f"invalid_{part}_file"
    try:
        report = check(path, recipe, executor="inline", max_findings=20)
    except FtprepError as error:
        return Verdict(code, f"{shown}: {error.message.replace(str(path), shown)}")
    rows = sum(each.rows.loaded for each in report.inputs)
    read = sum(each.rows.read for each in report.inputs)
    errors = [each for each in report.findings if each.severity == "error"]
    if least is not None and read < least.value and part == "training":
        few = f"{part.capitalize()} file has {read} example(s), but must have at least {least.value} examples"
        return Verdict("invalid_n_examples", few, rows)
    if errors:
        first = min(errors, key=lambda each: (each.location.row, each.location.column))
        more = report.summary.errors - 1
        told = f"Invalid file format. {shown}, line {first.location.row}: {first.message} ({first.code} {first.name})"
        told += f"; {more} more error{'s' if more > 1 else ''}" if more else ""
        return Verdict(code, told.replace(str(path), shown), rows)
    warnings = tuple(f"line {f.location.row}: {f.message}" for f in report.findings if f.severity == "warning")
    is_classes = report.dataset is not None and report.dataset.task == "classification"
    return Verdict("", "", rows, report.tokens.total if report.tokens else 0, is_classes, warnings[:5])
