"""Jobs as text: what would be sent, one job, many, their events, checkpoints and figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftprep.views.plain import columns, finish, pad, safe
from ftprep.views.wording import counted

if TYPE_CHECKING:
    from ftprep.jobs.model import Checkpoint, Event, Job
    from ftprep.jobs.preflight import Preflight
    from ftprep.jobs.results import Results

_WORDS = {"error": "error: ", "warning": "warning: ", "note": "note: "}
CURVE = 60


def problem_lines(found: Preflight, all_errors: bool = True) -> list[str]:
    """What was found before anything was sent, and what it costs; without the first error where that is told last."""
    first = None if all_errors else next((p for p in found.problems if p.severity == "error"), None)
    lines = [safe(_WORDS[p.severity] + p.message) for p in found.problems if p is not first]
    if found.cost is not None:
        lines.append(safe(f"training: {found.cost.told()}"))
        lines += [safe(f"  {note}") for note in found.cost.notes]
    return lines


def plan_text(plan: Mapping[str, Any]) -> str:
    """A dry run for people: the request, the files, the key, the ledger, and what was found."""
    lines = [safe(plan["request"]), *(safe(line) for line in json.dumps(plan["body"], indent=2).splitlines()), ""]
    for side, file in plan["files"].items():
        size = f"{file['bytes']:,} bytes, {counted(file['rows'], 'row')}"
        lines.append(safe(f"{side}: {file['path']} ({size}), sent as {file['sent_as']}"))
        lines.append(f"  sha256 {file['sha256']}")
    lines += [f"key: {plan['key']}", safe(f"ledger: {plan['ledger']}")]
    check = plan["check"]
    lines += [safe(_WORDS[p["severity"]] + p["message"]) for p in check["problems"]]
    if cost := check["cost"]:
        money = f"about {cost['usd']} USD" if cost["usd"] else "price not known"
        lines.append(f"training: {cost['tokens']:,} tokens in {counted(cost['epochs'], 'epoch')}, {money}")
    return finish([*lines, "nothing was sent"])


def job_text(job: Job) -> str:
    """One job."""
    from ftprep.jobs.telling import status_line, time_of

    lines = [status_line(job)]
    lines += [safe(f"  of {job.model} at {job.provider}")] if job.model else []
    for word, when in (("created", job.created), ("ended", job.finished)):
        lines += [f"  {word} {time_of(when)} UTC"] if when else []
    lines += [f"  {job.tokens:,} tokens trained on"] if job.tokens else []
    return finish(lines)


def table(found: Sequence[tuple[Job, str]]) -> str:
    """Many jobs, one a line; what the ledger knows of a request without a job stands in the place of its status."""
    if not found:
        return "no jobs\n"
    rows = [("job", "provider", "status", "model", "tuned model")]
    for job, state in found:
        status = job.status if job.id else {"unknown": "not known", "sending": "not known"}.get(state, state)
        rows.append((job.id or job.key[:12], job.provider, status, job.model, job.model_out))
    rows = [tuple(safe(cell) for cell in row) for row in rows]  # type: ignore[misc]
    widths = [max(columns(row[i]) for row in rows) for i in range(5)]
    return finish("  ".join(pad(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def events_text(events: Sequence[Event]) -> str:
    """Events, one a line."""
    from ftprep.jobs.telling import event_line

    return finish([event_line(each) for each in events] or ["no events yet"])


def checkpoints_text(listed: Sequence[Checkpoint]) -> str:
    """Checkpoints, one a line."""
    lines = []
    for each in listed:
        told = ", ".join(f"{k} {v:.4g}" for k, v in each.metrics.items() if isinstance(v, int | float) and k != "step")
        lines.append(safe(f"step {each.step}: {each.model}{' (' + told + ')' if told else ''}"))
    return finish(lines or ["no checkpoints yet"])


def results_text(folder: Path, figures: Results | None, files: Sequence[Path], blocks: bool) -> str:
    """What was fetched, the last figures, and the curve."""
    lines = [safe(f"{folder}: {', '.join(f.name for f in files)}")]
    if figures is None:
        return finish([*lines, "the files have no form that is known; they are as they came"])
    told = [f"{k} {v:.4g}" for k, v in figures.last().items() if isinstance(v, int | float) and k != "step"]
    lines.append(safe(f"{counted(len(figures.rows), 'step')}; last: {', '.join(told)}"))
    return finish([*lines, *curve_lines(figures.rows, blocks)])


def curve_lines(rows: Sequence[Mapping[str, Any]], blocks: bool) -> Iterator[str]:
    """The losses as lines of block characters, each with its first, lowest and last value."""
    from ftprep.jobs.plot import series_of, spark

    for name, points in sorted(series_of(rows, "loss").items()):
        values = [value for _, value in points]
        ends = f"{values[0]:.4g} → {values[-1]:.4g}, lowest {min(values):.4g}"
        yield safe(f"{pad(name, 12)} {spark(values, CURVE, blocks)} {ends if blocks else ends.replace('→', 'to')}")
