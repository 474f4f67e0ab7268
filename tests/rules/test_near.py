"""What counts as nearly the same example, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ftprep
from ftprep.finish import finish
from ftprep.pipeline import Run, run_plan
from ftprep.plan import make_plan
from ftprep.readers import base, ranges
from ftprep.recipe import Recipe, merge

ASKED = "Where did the miller find his daughter asleep?"
TOLD = (
    "The miller looked for her in the barn, in the garden and behind the house before he went back to {} mill, "
    "where nobody was at home."
)
THE, A = TOLD.format("the"), TOLD.format("a")
LONG = " ".join(f"word{chr(97 + i)}{chr(97 + j)}" for i in range(15) for j in range(20))
SYSTEM = {"role": "system", "content": LONG}


def chat(asked: str, told: str, *before: Any, **keys: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
    return {"messages": [*before, *said], **keys}


def pair(asked: str, told: str) -> dict[str, Any]:
    return {"prompt": asked, "completion": told}


def preference(asked: str, good: str, bad: str) -> dict[str, Any]:
    outputs = [[{"role": "assistant", "content": text}] for text in (good, bad)]
    asks = {"messages": [{"role": "user", "content": asked}]}
    return {"input": asks, "preferred_output": outputs[0], "non_preferred_output": outputs[1]}


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "set.jsonl"
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    return path


def found(folder: Path, rows: list[dict[str, Any]], **options: Any) -> list[tuple[int, str]]:
    recipe = merge({}, {"rules": {"options": {"near-duplicate": options}}})
    findings = ftprep.check(written(folder, rows), recipe).findings
    return [(f.location.row, f.message) for f in findings if f.code == "DUP103"]


ZH = "请问在这个城市里面哪一家医院治疗这种慢性的皮肤病效果比较好而且费用不高谢谢医生"
SAME = [
    pytest.param([chat(ASKED, THE), chat(ASKED, A)], "line 1 (97 % of the words)", id="one word of the answer"),
    pytest.param([chat(ASKED, THE), chat("And " + ASKED, THE)], "line 1 (97 % of the words)", id="one word more"),
    pytest.param([chat(ASKED, THE), chat(ASKED, THE.replace(",", " -"))], "line 1 (100 % of the words)", id="marks"),
    pytest.param([chat(LONG, "yes"), chat(LONG + ". One sentence more", "yes")], "line 1 (99 %", id="a sentence more"),
    pytest.param([pair(ASKED + " ->", THE), pair(ASKED + " ->", A)], "line 1 (97 % of the words)", id="pairs"),
    pytest.param([chat(ASKED, THE, SYSTEM), chat(ASKED, A, SYSTEM)], "line 1 (97 %", id="with a system message"),
    pytest.param([preference(THE, "a", "b"), preference(A, "c", "d")], "line 1 (96 %", id="questions of preferences"),
    pytest.param([chat(ZH, "去人民医院"), chat(ZH.replace("比较", ""), "去人民医院")], "line 1 (95 %", id="Chinese"),
]
OTHERS = [
    pytest.param([chat("What is 3 + 4?", "7"), chat("What is 5 + 9?", "14")], id="other numbers"),
    pytest.param([chat(f"{THE} 7 men", "so"), chat(f"{THE} 8 men", "so")], id="other numbers in a long text"),
    pytest.param([chat(THE, "so"), chat(THE.replace("nobody", "not one"), "so")], id="turned round"),
    pytest.param([chat(THE, "good"), chat(A, "bad")], id="another label"),
    pytest.param([chat("what cards can I use", "card"), chat("what currencies can I use", "card")], id="short"),
    pytest.param([chat("Is it red? " + LONG, "no"), chat("Who has seen them? " + LONG, "no")], id="another question"),
    pytest.param([chat(ASKED, THE, SYSTEM), chat("Who was there?", "Nobody.", SYSTEM)], id="a system message alone"),
    pytest.param([chat(ASKED, THE), chat(ASKED, A, SYSTEM)], id="another system message"),
    pytest.param([chat(ASKED, THE), chat(ASKED, THE)], id="exact"),
    pytest.param([pair(ASKED + " ->", THE), pair(ASKED.upper() + " ->", THE)], id="spacing and capitals"),
    pytest.param([preference(THE, "a", "b"), preference(THE, "c", "d")], id="several pairs on one question"),
    pytest.param([chat("😀", "mood"), chat("😡", "mood")], id="pictures"),
    pytest.param([chat("यह की", "so"), chat("यह का", "so")], id="vowel signs"),
    pytest.param([chat(f"if a < b: {LONG}", "x"), chat(f"if a > b: {LONG}", "x")], id="code"),
]


@pytest.mark.parametrize(("rows", "told"), SAME)
def test_nearly_the_same(rows: list[dict[str, Any]], told: str, tmp_path: Path) -> None:
    ((line, message),) = found(tmp_path, rows)
    assert line == 2
    assert message.startswith(f"nearly the same as {told}")


@pytest.mark.parametrize("rows", OTHERS)
def test_other_examples(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    assert found(tmp_path, rows) == []


def test_a_template_makes_no_duplicates(tmp_path: Path) -> None:
    names = ["Ann", "Bea", "Cat", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon", "Kay", "Leo"]
    rows = [chat(f"{LONG} Tell me of {name}", "label") for name in names]
    assert found(tmp_path, rows) == []
    assert len(found(tmp_path, rows[:3])) == 2  # as few as that are no template


def test_options(tmp_path: Path) -> None:
    rows = [chat(ASKED, THE), chat(ASKED, A)]
    assert found(tmp_path, rows, share=0.99) == []
    short = [chat("what cards can I use here now today", "x"), chat("what coins can I use here now today", "x")]
    assert found(tmp_path, short, share=0.8) == []
    assert found(tmp_path, short, share=0.8, words=1) == [(2, "nearly the same as line 1 (88 % of the words)")]


def test_a_large_set_is_not_compared_and_says_so(tmp_path: Path) -> None:
    rows = [chat(ASKED, THE), chat(ASKED, A), chat("Who?", "Nobody.")]
    assert len(found(tmp_path, rows, most=3)) == 1
    recipe = merge({}, {"rules": {"options": {"DUP103": {"most": 2}}}})
    report = ftprep.check(written(tmp_path, rows), recipe)
    assert "DUP103" not in report.counts()
    (skipped,) = (s for s in report.skipped if s.rule == "DUP103")
    assert "up to 2 examples" in skipped.reason
    recipe = merge({}, {"rules": {"ignore": ["DUP103"]}})
    assert not any(s.rule == "DUP103" for s in ftprep.check(written(tmp_path, rows), recipe).skipped)


@pytest.mark.parametrize("most", [20_000, 100])
def test_workers_give_the_same_report(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [chat(f"{ASKED} {chr(97 + i % 26)}{i // 26}", A if i % 7 else THE + "x" * (i % 3)) for i in range(300)]
    path = written(tmp_path, [*rows, *(chat(ASKED + f" {i % 9}{i}", A) for i in range(50))])
    plan = make_plan(path, Recipe(rules={"options": {"DUP103": {"most": most}}}))
    whole = finish(run_plan(plan, Run(workers=1)), plan).report.to_json()
    monkeypatch.setattr(base, "CHUNK_BYTES", 5_000)
    monkeypatch.setattr(ranges, "RANGE_BYTES", 9_000)
    for workers in (1, 2):
        assert finish(run_plan(plan, Run(workers=workers)), plan).report.to_json() == whole
    assert ("DUP103" in json.loads(whole)["skipped"].__repr__()) is (most == 100)


def test_all_but_the_first_are_left_out(tmp_path: Path) -> None:
    rows = [chat(ASKED, THE), chat("Who?", "Nobody."), chat(ASKED, A), chat(ASKED, THE.replace(",", ";"))]
    recipe = merge({}, {"split": {"valid": "none"}})
    prepared = ftprep.prepare(written(tmp_path, rows), recipe, out=tmp_path / "out", unsafe=True)
    assert prepared.train is not None
    kept = [json.loads(line) for line in prepared.train.read_text(encoding="utf-8").splitlines()]
    assert kept == rows[:2]
