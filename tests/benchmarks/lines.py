"""The lines of the benchmark table: what is run, in turn with what, and what is to be reached."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import measure
from measure import Figures
from runs import Bench

KEY_BYTES = 32
"""What the survey for duplicates keeps of a row: three digests and its ordinal (ftprep/surveys.py)."""


class Line(NamedTuple):
    """One line: what, the figure and its range as text, what is to be reached, and whether it is (None: unknown)."""

    what: str
    figure: str
    spread: str = ""
    aim: str = ""
    reached: bool | None = None


def chat(bench: Bench) -> Iterator[Line]:
    """`check` against the naive way and against the least that must be done."""
    path = bench.input("chat", bench.rows)
    ours, naive, limit = (f"{name}, {bench.rows:,} chat rows" for name in ("check", "naive_chat.py", "limit_chat.py"))
    there = {ours: bench.check(path), naive: bench.naive(path), limit: bench.limit(path)}
    runs = bench.in_turn({name: run for name, run in there.items() if run}, bench.repeats)
    yield _ratio("CPU of `check` over naive_chat.py", "cpu", runs[ours], runs.get(naive), 0.40)
    yield _ratio("wall of `check` over naive_chat.py", "wall", runs[ours], runs.get(naive), 0.20)
    yield _ratio("CPU of `check` over limit_chat.py", "cpu", runs[ours], runs.get(limit), 2.0)
    for name, out in ((naive, "naive"), (limit, "limit")):
        if name in runs:
            yield _totals(bench, f"totals equal to {out}_chat.py's", path, out)


def sets(bench: Bench) -> Iterator[Line]:
    """Text that is not English prose, against the naive way."""
    for kind, rows, name in (
        ("chinese", 400_000, "Chinese chat"),
        ("code", 250_000, "code"),
        ("long", 10_000, "documents"),
    ):
        path = bench.input(kind, max(10, rows * bench.rows // 1_000_000))
        size = f"{name}, {path.stat().st_size / 1e6:.1f} MB"
        ours, naive = f"check, {size}", f"naive_chat.py, {size}"
        there = {ours: bench.check(path), naive: bench.naive(path)}
        runs = bench.in_turn({name: run for name, run in there.items() if run}, bench.repeats)
        yield _ratio(
            f"{size}: wall of naive_chat.py over `check`", "wall", runs.get(naive), runs[ours], 4.0, most=False
        )
        yield _ratio(f"{size}: CPU of naive_chat.py over `check`", "cpu", runs.get(naive), runs[ours])
        if naive in runs:
            yield _totals(bench, f"{name}: totals equal to naive_chat.py's", path, "naive")


def prepare(bench: Bench) -> Iterator[Line]:
    """The main job against the ancestor's, which counts no tokens."""
    path = bench.input("pairs", bench.rows)
    ours, before = f"prepare, {bench.rows:,} pairs", f"the ancestor, {bench.rows:,} pairs"
    there = {ours: bench.prepare(path), before: bench.before(path)}
    runs = bench.in_turn({name: run for name, run in there.items() if run}, bench.repeats)
    yield _ratio("CPU of `prepare` (CSV) over the ancestor's", "cpu", runs[ours], runs.get(before), 0.50)
    yield _ratio("wall of `prepare` (CSV) over the ancestor's", "wall", runs[ours], runs.get(before))
    told = bench.said("prepare")
    rows, tokens = told["rows"], told["after"]["tokens"]
    whole = rows["read"] == bench.rows == rows["written"] + rows["rejected"] + rows["skipped"]
    counted = f"{rows['read']:,} read = {rows['written']:,} written + {rows['rejected'] + rows['skipped']:,} set aside"
    counted += f"; {tokens['total']:,} tokens, {'exact' if tokens['exact'] else 'estimated'}"
    yield Line("`prepare`: every row accounted for, tokens counted", counted, "", "", whole and tokens["exact"])


def memory(bench: Bench) -> Iterator[Line]:
    """The peak of `prepare`, all its processes together, and how it grows."""
    if not measure.can_watch():
        yield Line("peak memory of `prepare`, all processes together", "not measured: needs Linux's smaps_rollup")
        return
    one, three = (f"prepare watched, {rows:,} pairs" for rows in (bench.rows, 3 * bench.rows))
    paths = bench.input("pairs", bench.rows), bench.input("pairs", 3 * bench.rows)
    runs = bench.in_turn(
        {name: bench.prepare(p, True) for name, p in zip((one, three), paths, strict=True)}, _few(bench)
    )
    peaks = [run.peak for run in runs[one]]
    yield _line("peak memory of `prepare`, all processes together (PSS), MB", peaks, 600, digits=0)
    grown = [(b.peak - a.peak) * 1e6 / (2 * bench.rows) for a, b in zip(runs[one], runs[three], strict=True)]
    what = f"its growth from {bench.rows:,} to {3 * bench.rows:,} rows, bytes a row"
    yield _line(what, grown, KEY_BYTES, digits=0)


def growth(bench: Bench) -> Iterator[Line]:
    """Whether a row costs the same however many there are."""
    for name, kind, job in (("check", "chat", bench.check), ("prepare", "pairs", bench.prepare)):
        sizes = (max(1, bench.rows // 10), bench.rows, 3 * bench.rows)
        names = {rows: f"{name}, {rows:,} rows for growth" for rows in sizes}
        runs = bench.in_turn({names[rows]: job(bench.input(kind, rows)) for rows in sizes}, _few(bench))
        speeds = {rows: [rows / run.wall for run in runs[names[rows]]] for rows in sizes}
        least_of_most = [min(turn) / max(turn) for turn in zip(*speeds.values(), strict=True)]
        told = ", ".join(f"{statistics.median(speed):,.0f} at {rows:,}" for rows, speed in speeds.items())
        what = f"rows a second of `{name}` ({told}): slowest over fastest"
        yield _line(what, least_of_most, 0.85, most=False)


def startup(bench: Bench) -> Iterator[Line]:
    """How long the program takes to say something."""
    small = bench.folder / "small.jsonl"
    talk = [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "It is 4."}]
    rows = (json.dumps({"messages": talk, "n": number}) + "\n" for number in range(100))
    small.write_text("".join(rows), encoding="utf-8")
    runs = {"--version": bench.version, "check, 100 rows": bench.check_as_is(small)}
    for run in runs.values():
        run()  # the first start reads the disk
    found = bench.in_turn(runs, 3 * bench.repeats)
    yield _line("`--version`, wall ms", [run.wall * 1000 for run in found["--version"]], 150, digits=0)
    yield _line("`check` of 100 rows, CPU ms", [run.cpu * 1000 for run in found["check, 100 rows"]], 400, digits=0)


GROUPS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "startup": startup,
    "chat": chat,
    "sets": sets,
    "prepare": prepare,
    "memory": memory,
    "growth": growth,
}


def _few(bench: Bench) -> int:
    """Repeats of what goes up to three times the rows."""
    return min(bench.repeats, 3)


def _line(what: str, values: list[float], aim: float | None, most: bool = True, digits: int = 2) -> Line:
    """A line of a median and its range; `most` says whether the aim is the most or the least that will do."""
    middle = statistics.median(values)
    spread = f"{min(values):,.{digits}f} to {max(values):,.{digits}f}"
    if aim is None:
        return Line(what, f"{middle:,.{digits}f}", spread)
    sign = "≤" if most else "≥"
    reached = middle <= aim if most else middle >= aim
    return Line(what, f"{middle:,.{digits}f}", spread, f"{sign} {aim:,.{digits}f}", reached)


def _ratio(
    what: str,
    unit: str,
    above: list[Figures] | None,
    below: list[Figures] | None,
    aim: float | None = None,
    most: bool = True,
) -> Line:
    """A line of the ratios of runs taken in turn."""
    if not above or not below:
        return Line(what, "not measured: the other command was not given")
    return _line(what, [getattr(a, unit) / getattr(b, unit) for a, b in zip(above, below, strict=True)], aim, most)


def _totals(bench: Bench, what: str, path: Path, out: str) -> Line:
    """Whether ftprep and a yardstick found the same. ftprep judges and counts conversations without an assistant as
    well, the yardsticks put them aside unread: what ftprep says of these alone is taken off."""
    report, other = bench.said("ours"), bench.said(out)
    unanswered = bench.folder / "unanswered.jsonl"
    count = _unanswered(path, unanswered)
    tokens, twice = report["tokens"]["total"], _count(report, "DUP101")
    less = ""
    if count:
        bench.check(unanswered, "unanswered")()
        alone = bench.said("unanswered")
        less = f" (besides {alone['tokens']['total']:,} of the {count:,} without an assistant, which it does not count)"
        tokens, twice = tokens - alone["tokens"]["total"], twice - _count(alone, "DUP101")
    rows = report["inputs"][0]["rows"]
    ours = (rows["read"], rows["rejected"], _count(report, "ROLE101"), twice, tokens)
    theirs = tuple(other[name] for name in ("rows", "bad_json", "bad_schema", "dup", "tokens"))
    told = "{:,} rows, {:,} not JSON, {:,} without an assistant, {:,} duplicates, {:,} tokens"
    figure = told.format(*ours) + less
    return Line(
        what,
        figure if ours == theirs else f"{figure}; the yardstick: {told.format(*theirs)}",
        "",
        "equal",
        ours == theirs,
    )


def _unanswered(path: Path, into: Path) -> int:
    """Copy the conversations without an assistant into a file; how many they are."""
    count = 0
    with path.open("rb") as lines, into.open("wb") as found:
        for line in lines:
            if b'"assistant"' in line:
                continue
            try:
                json.loads(line)
            except ValueError:
                continue
            found.write(line)
            count += 1
    return count


def _count(report: Any, code: str) -> int:
    """How often a rule found something."""
    return sum(int(rule["count"]) for rule in report["rules"] if rule["code"] == code)
