"""The fold's laws: however a set is cut and in whatever order its parts are merged, the report is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ftprep.plan
from ftprep import executors
from ftprep.engine import Look, fold
from ftprep.errors import ReadError, UsageError
from ftprep.executors import Inline, Processes, executor_for
from ftprep.finish import finish
from ftprep.model import Chunk, Fault, Row
from ftprep.partial import Partial
from ftprep.pipeline import Run, check, run_plan
from ftprep.plan import Plan, make_plan
from ftprep.preparer import prepare
from ftprep.readers import base, ranges
from ftprep.recipe import Recipe
from ftprep.rule import Card, RowRule, Sample
from ftprep.setting import Setting

WORDS = ("Lima", "oslo", "NA", "<|im_end|>", "", " ", "007", "答案", "yes", "no", "END", "\u2028", "é")
WORD = st.sampled_from(WORDS)
TEXT = st.lists(WORD, min_size=0, max_size=4).map(" ".join)
PAIR = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT}, optional={"id": st.integers(0, 3)})
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "Assistant"]), "content": TEXT}
)
CHAT = st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=4)})
BROKEN = st.sampled_from(
    [b"", b"{", b'{"prompt": 1, "completion": null}', b"[1]", b'{"a": 1, "a": 2}', b"\xff", b"NaN"]
)
LINE = st.one_of(PAIR.map(lambda r: json.dumps(r, ensure_ascii=False).encode()), BROKEN)
CHAT_LINE = st.one_of(CHAT.map(lambda r: json.dumps(r, ensure_ascii=False).encode()), BROKEN)
FILES = st.one_of(st.lists(LINE, min_size=1, max_size=40), st.lists(CHAT_LINE, min_size=1, max_size=30))

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plan_of(path: Path, kept: int | None = None) -> Plan:
    return make_plan(path, Recipe(), kept=kept)


def report_of(plan: Plan, order: int | None = None) -> str:
    look = Look(plan)
    partials = [look(chunk) for chunk in plan.chunks()]
    if order is not None:
        random.Random(order).shuffle(partials)
    return finish(fold(iter(partials), plan), plan).report.to_json()


@QUIET
@given(lines=FILES, size=st.integers(1, 200), order=st.integers(0, 9), kept=st.integers(1, 5))
def test_any_cutting_and_order_gives_the_same_report(
    tmp_path: Path, lines: list[bytes], size: int, order: int, kept: int
) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    whole = report_of(plan_of(path, kept))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        plan = plan_of(path, kept)
        assert report_of(plan) == whole
        assert report_of(plan, order) == whole
        patch.setattr(ranges, "RANGE_BYTES", 100 + 3 * size)
        assert finish(run_plan(plan, Run(workers=1)), plan).report.to_json() == whole


@QUIET
@given(lines=FILES, pairing=st.randoms(use_true_random=False))
def test_merging_is_associative(tmp_path: Path, lines: list[bytes], pairing: random.Random) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", 60)
        plan = plan_of(path)
        whole = report_of(plan)
        look = Look(plan)
        parts = [look(chunk) for chunk in plan.chunks()]
        while len(parts) > 1:
            left = parts.pop(pairing.randrange(len(parts)))
            parts[pairing.randrange(len(parts))].merge(left)
        total = parts[0] if parts else fold(iter(()), plan)
        assert finish(total, plan).report.to_json() == whole


@QUIET
@given(lines=FILES)
def test_every_record_is_accounted_for(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    report = check(path)
    rows = report.rows
    assert rows.read == rows.loaded + rows.rejected + rows.skipped
    if report.inputs[0].format == "jsonl" and any(line.strip() for line in lines):
        # What starts like a pretty-printed document is read as one, and a file in another encoding is refused whole.
        assert rows.read == len(lines) or (rows.read == 0 and not report.ok)
    for rule in report.rules:
        assert rule.shown == sum(f.code == rule.code for f in report.findings)


def test_workers_give_the_same_report_byte_for_byte(tmp_path: Path) -> None:
    rng = random.Random(1)
    lines = [
        json.dumps({"prompt": f"question {rng.randrange(400)}", "completion": rng.choice(WORDS)}, ensure_ascii=False)
        for _ in range(3000)
    ]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", 20_000)
        patch.setattr(ranges, "RANGE_BYTES", 50_000)
        plan = plan_of(path)
        inline = finish(run_plan(plan, Run(workers=1)), plan).report.to_json()
        workers = finish(run_plan(plan, Run(workers=2)), plan).report.to_json()
    assert workers == inline


def test_findings_are_capped_and_counted_exactly(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(f'{{"prompt": "p {i} ->", "completion": "c{i} END"}}\n' for i in range(500)))
    report = check(path, max_findings=7)
    assert report.counts()["SEP105"] == 500
    shown = [f.location.row for f in report.findings if f.code == "SEP105"]
    assert shown == list(range(1, 8))


@dataclass(frozen=True)
class Crashing(RowRule):
    """A rule with a bug."""

    card: ClassVar[Card] = Card(
        code="DUP101",
        name="exact-duplicate",
        severity="warning",
        finds="Nothing.",
        why="It crashes.",
        bad=Sample(text=""),
        good=Sample(text=""),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        if row.line == 2:
            raise KeyError("x")
        yield from ()


def test_a_rule_that_crashes_becomes_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 3)

    def chosen(_: Any) -> tuple[tuple[RowRule, ...], frozenset[str]]:
        return (Crashing(),), frozenset()

    monkeypatch.setattr(ftprep.plan, "choose", chosen)
    report = check(path)
    (finding,) = report.findings
    assert (finding.code, finding.location.row) == ("DUP101", 2)
    assert "crashed here (KeyError: 'x'): this is a bug in ftprep" in finding.message


@pytest.mark.skipif(sys.platform != "linux", reason="only a forked worker sees what is patched here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_rows_that_kill_their_worker_are_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps({"prompt": f"question {n} ->", "completion": f" {n} END"}) for n in range(3000)]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    seen = Look._seen

    def deadly(look: Look, chunk: Chunk) -> Partial:
        if b"question 1500 " in chunk.payload:
            os.kill(os.getpid(), signal.SIGKILL)
        return seen(look, chunk)

    monkeypatch.setattr(Look, "_seen", deadly)
    monkeypatch.setattr(executors, "may_fork", lambda: True)
    monkeypatch.setattr(ranges, "RANGE_BYTES", 20_000)
    report = check(path, workers=2)
    (died,) = [f for f in report.findings if f.code == "IO123"]
    assert "worker processes died 3 times here" in died.message
    missing = int(died.message.split("; ")[1].split()[0].replace(",", ""))
    assert report.rows.read == 3000 - missing
    others = {f.location.row for f in report.findings if f.code != "IO123"}
    assert died.location.row <= 1501 < died.location.row + missing
    assert not others & set(range(died.location.row, died.location.row + missing))
    with pytest.raises(ReadError, match="nothing was written"):
        prepare(path, out=tmp_path / "out", workers=2)
    assert not (tmp_path / "out").exists()


def test_executors_by_number_of_workers() -> None:
    assert isinstance(executor_for(1), Inline)
    assert isinstance(executor_for(3), Processes)
    for wrong in (0, "many", -2):
        with pytest.raises(UsageError, match="not a number of processes"):
            executor_for(wrong)
