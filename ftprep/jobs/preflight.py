"""Before anything is sent: what the target accepts, bounds of settings, prices, and dates; without a network."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from ftprep.costs import Estimate, estimate
from ftprep.jobs.capabilities import Capabilities
from ftprep.jobs.files import is_jsonl
from ftprep.jobs.model import DataFile, JobSpec
from ftprep.targets import Fact, Target, find_target

if TYPE_CHECKING:
    from ftprep.report import Report

CONTINUED = (
    "this goes on from a tuned model: where little data is added, divide the learning rate of the first job by 2 to 4"
)
OF_TRAINING = ("FMT170", "FMT171")
"""Rules on the number of rows of the training file, which a validation file need not meet."""

_TUNED = re.compile(r"^ft:|:ft-|\.ft-|^ft-")


@dataclass(frozen=True)
class Problem:
    """What stands in the way; a warning does not."""

    severity: Literal["error", "warning", "note"]
    message: str

    def to_dict(self) -> dict[str, str]:
        """The problem as JSON values."""
        return {"severity": self.severity, "message": self.message}


@dataclass(frozen=True)
class Preflight:
    """What was found before anything was sent."""

    problems: tuple[Problem, ...]
    cost: Estimate | None = None
    examples: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way."""
        return not any(p.severity == "error" for p in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return {
            "ok": self.ok,
            "examples": self.examples,
            "cost": self.cost.to_dict() if self.cost else None,
            "problems": [p.to_dict() for p in self.problems],
        }


def target_of(can: Capabilities, model: str, method: str | None, official: bool) -> Target:
    """The facts that a job is held against. A model that a look-alike calls its own is not looked up."""
    return find_target(f"{can.target}:{model}" if official and model else can.target, method)


def look_over(
    spec: JobSpec,
    can: Capabilities,
    target: Target,
    *,
    price: Decimal | None = None,
    checks: bool = True,
    today: date | None = None,
) -> Preflight:
    """Hold a job against what is known of its target; nothing is opened but its files. Raises ReadError for these.

    Without `checks` the data are not looked at, and what stands in the way is only a warning.
    """
    problems = [*_of_settings(spec, can, target), *_of_files(spec, target)]
    if not can.free:
        problems += _of_dates(target, today or datetime.now(UTC).date())
    if _TUNED.search(spec.model):
        problems.append(Problem("note", CONTINUED))
    cost, examples = None, spec.train.rows
    if checks:
        report = _checked(spec.train, target)
        problems += _of_report(report, spec.train, target)
        if spec.valid:
            problems += _of_report(_checked(spec.valid, target, ignore=OF_TRAINING), spec.valid, target)
        examples, cost = report.dataset.examples, _cost(spec, can, target, report, price)
    if not checks:
        problems = [replace(p, severity="warning") if p.severity == "error" else p for p in problems]
    return Preflight(tuple(dict.fromkeys(problems)), cost, examples)


def _checked(file: DataFile, target: Target, ignore: tuple[str, ...] = ()) -> Report:
    from ftprep.pipeline import check

    return check(file.path, target=target.selector, method=target.method, rules={"ignore": ignore} if ignore else None)


def _of_report(report: Report, file: DataFile, target: Target) -> Iterator[Problem]:
    grave = [r for r in report.rules if r.severity == "error"]
    for rule in grave[:5]:
        shown = next((f for f in report.findings if f.code == rule.code), None)
        where = f"{file.path}:{shown.location.row}: {shown.message}" if shown and shown.location.row else file.path
        told = f"{where} ({rule.code}{f', {rule.count:,} times' if rule.count > 1 else ''})"
        yield Problem("error", f"{target.title} would not take this: {told}")
    if len(grave) > 5:
        yield Problem("error", f"and {len(grave) - 5} more kinds of errors: `ftprep check {file.path}` lists them")


def _cost(spec: JobSpec, can: Capabilities, target: Target, report: Report, price: Decimal | None) -> Estimate | None:
    tokens = report.tokens
    if can.free or not tokens.total:
        return None
    epochs = spec.hyper.get("epochs", "auto")
    count: int | Literal["auto"] = epochs if isinstance(epochs, int) and epochs > 0 else "auto"
    return estimate(tokens.total, report.dataset.examples, target, epochs=count, price=price, exact=tokens.exact)


def _of_dates(target: Target, today: date) -> Iterator[Problem]:
    for what, when, _fact in target.dated(today):
        yield Problem("warning", f"{target.title}: {what} {when} ({target.as_of}); dates move, so nothing is refused")


def _of_files(spec: JobSpec, target: Target) -> Iterator[Problem]:
    for file, rows_path in ((spec.train, "file.min_rows"), (spec.valid, "file.validation_min_rows")):
        if file is None:
            continue
        if not is_jsonl(file.path):
            yield Problem("error", f"{file.path} is not JSONL: `ftprep prepare` writes it")
        most, fewest = target.get("file.max_bytes"), target.get(rows_path)
        if most and file.bytes > most.value:
            yield _judged(most, f"{file.path} has {file.bytes:,} bytes; {target.title} takes {most.value:,}")
        if fewest and file.rows < fewest.value:
            yield _judged(fewest, f"{file.path} has {file.rows:,} rows; {target.title} wants {fewest.value:,}")
    if spec.valid is None and target.value("file.validation") == "required":
        yield Problem("error", f"{target.title} wants a validation file for this method: --valid-file")
    if spec.valid is not None and spec.valid.sha256 == spec.train.sha256:
        yield Problem("error", "training and validation file are the same: the figures would say nothing")


def _of_settings(spec: JobSpec, can: Capabilities, target: Target) -> Iterator[Problem]:
    if spec.method not in can.methods or target.value("method.offered") is False:
        yield Problem("error", f"{can.title} does not train by {spec.method}: {', '.join(can.methods)}")
    if target.value("model.known") is False:
        near = target.value("model.nearest") or ()
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        yield Problem("warning", f"{target.title} is not known to tune {spec.model!r}{hint}")
    if spec.method == "reinforcement" and spec.grader is None:
        yield Problem("error", "reinforcement needs a grader: --grader FILE.json")
    yield from _of_suffix(spec, can, target)
    named = {can.hyper.get(name, name): value for name, value in spec.hyper.items()}
    for name, value in {**named, **({} if spec.seed is None else {"seed": spec.seed})}.items():
        yield from _of_param(name, value, target)
    yield from _of_metadata(spec.metadata, can, target)


def _of_param(name: str, value: Any, target: Target) -> Iterator[Problem]:
    facts = {p.rpartition(".")[2]: f for p, f in target.facts.items() if p.rpartition(".")[0] == f"params.{name}"}
    known = sorted({p.split(".")[1] for p in target.facts if p.startswith("params.")})
    if not facts:
        if known and name != "seed":
            yield Problem("warning", f"{target.title} is not known to take {name!r}; known: {', '.join(known)}")
        return
    if value == "auto" and (auto := facts.get("auto")) and auto.value:
        return
    for what, fact in facts.items():
        if told := _misfit(what, fact.value, value):
            yield _judged(fact, f"{name} = {value!r}: {told}", advice=what.startswith("advice"))


def _misfit(what: str, bound: Any, value: Any) -> str:
    """What is wrong with a value by one fact, "" where nothing is."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if what == "refused":
        return "it is refused now" if bound else ""
    if what == "enum":
        return "" if value in tuple(bound) else f"one of {', '.join(map(str, bound))}"
    if what == "pattern":
        return "" if isinstance(value, str) and _matches(bound, value) else f"it must match {bound}"
    if what == "type":
        kinds: dict[str, Any] = {"integer": int, "number": (int, float), "text": str, "boolean": bool}
        fits = isinstance(value, kinds[bound]) and (bound == "boolean" or not isinstance(value, bool))
        return "" if fits else f"it must be {'an' if bound == 'integer' else 'a'} {bound}"
    if not number:
        return ""
    fits, words = _BOUNDS.get(what, (None, ""))
    return "" if fits is None or fits(value, bound) else f"{words} {bound}"


def _matches(pattern: str, text: str) -> bool:
    from ftprep.rules.tool import matches

    return matches(pattern, text)


_BOUNDS: dict[str, tuple[Callable[[Any, Any], bool] | None, str]] = {
    "min": (operator.ge, "at least"),
    "advice_min": (operator.ge, "the advice is at least"),
    "max": (operator.le, "at most"),
    "advice_max": (operator.le, "the advice is at most"),
    "min_exclusive": (operator.gt, "more than"),
    "max_exclusive": (operator.lt, "less than"),
}


def _of_suffix(spec: JobSpec, can: Capabilities, target: Target) -> Iterator[Problem]:
    if not spec.suffix:
        return
    length = len(spec.suffix) + (9 if can.tagged_suffix else 0)
    tagged = " with the 9 that ftprep adds to find the job again" if can.tagged_suffix else ""
    most, doubtful = target.get("suffix.max"), target.get("suffix.warn_max")
    if most and length > most.value:
        yield _judged(most, f"the suffix has {length} characters{tagged}; at most {most.value}")
    elif doubtful and length > doubtful.value:
        yield Problem("warning", f"the suffix has {length} characters; some sources say at most {doubtful.value}")
    pattern = target.get("suffix.pattern")
    if pattern and not _matches(pattern.value, spec.suffix):
        yield _judged(pattern, f"the suffix {spec.suffix!r} must match {pattern.value} ({pattern.note})")


def _of_metadata(metadata: Mapping[str, str], can: Capabilities, target: Target) -> Iterator[Problem]:
    if metadata and can.metadata == "none":
        yield Problem("warning", f"{can.title} takes no metadata: it is kept in the ledger only")
        return
    pairs, keys, values = (target.value(f"metadata.{n}") for n in ("max_pairs", "key_max", "value_max"))
    if pairs and len(metadata) + 1 > pairs:
        yield Problem("error", f"{len(metadata) + 1} pairs of metadata (one is ftprep's own); at most {pairs}")
    for name, value in metadata.items():
        if (keys and len(name) > keys) or (values and len(value) > values):
            yield Problem("error", f"metadata {name[:64]!r}: at most {keys} characters for a key, {values} for a value")


def _judged(fact: Fact, message: str, advice: bool = False) -> Problem:
    return Problem("error" if fact.rejects and not advice else "warning", message)
