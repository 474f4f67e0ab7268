"""Rules on the set as a whole against its target, where a card's tiny sample cannot show them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import ftprep as ft
from ftprep.report import Report

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}


def chats(count: int) -> str:
    rows: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": f"Question {i}?"}, {"role": "assistant", "content": f"Answer {i}."}]}
        for i in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def check(folder: Path, text: str, name: str = "set.jsonl", **recipe: Any) -> Report:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return ft.check(path, **recipe)


def own_target(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_that_is_too_large_is_told_with_the_bound_and_its_source(tmp_path: Path) -> None:
    target = own_target(tmp_path, 'extends = "openai"\n[file]\nmax_bytes = { value = 500 }\n')
    report = check(tmp_path, chats(20), target=target)
    message = next(f.message for f in report.findings if f.code == "FMT172")
    assert "takes at most 500" in message
    assert "set.jsonl has " in message
    assert "FMT172" not in check(tmp_path, chats(20), target="openai").counts()


def test_the_verdict_gives_the_providers_own_words(tmp_path: Path) -> None:
    report = check(tmp_path, chats(3), target="openai")
    assert report.acceptance is not None
    assert not report.acceptance.accepted
    refusal = report.acceptance.refusals[0]
    assert (refusal.code, refusal.message) == (
        "FMT170",
        "Training file has 3 example(s), but must have at least 10 examples",
    )
    assert check(tmp_path, chats(10), target="openai").acceptance == report.acceptance.model_copy(
        update={"accepted": True, "refusals": ()}
    )
    assert check(tmp_path, chats(3)).acceptance is None


def test_what_no_source_says_for_sure_warns_and_does_not_refuse(tmp_path: Path) -> None:
    report = check(tmp_path, chats(10) + json.dumps({**CHAT, "topic": 1}) + "\n", target="openai")
    assert report.acceptance is not None
    assert report.acceptance.accepted
    assert next(r.severity for r in report.rules if r.code == "FMT110") == "warning"
    assert any('contains an extra "topic"' in (r.message or "") for r in report.acceptance.refusals)


@pytest.mark.parametrize(
    ("target", "row", "code", "severity"),
    [
        ("trl", {**CHAT, "topic": 1}, "FMT110", "info"),
        ("llama-factory", {"messages": [*CHAT["messages"][:1], *CHAT["messages"]]}, "ROLE105", "error"),
    ],
)
def test_how_grave_a_finding_is_follows_from_the_target(
    tmp_path: Path, target: str, row: dict[str, Any], code: str, severity: str
) -> None:
    report = check(tmp_path, chats(10) + json.dumps(row) + "\n", target=target)
    assert {r.code: r.severity for r in report.rules}[code] == severity


def test_prepare_writes_what_the_target_reads(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text(chats(10), encoding="utf-8")
    azure = ft.prepare(tmp_path / "set.jsonl", target="azure", out=tmp_path / "azure")
    assert azure.train is not None
    assert azure.train.read_bytes().startswith(b"\xef\xbb\xbf{")
    assert not {"FMT176", "IO102"} & set(azure.after.counts())
    assert not {"FMT176", "IO102"} & set(ft.check(azure.train, target="azure").counts())
    vertex = ft.prepare(tmp_path / "set.jsonl", target="vertex", out=tmp_path / "vertex")
    assert vertex.train is not None
    assert json.loads(vertex.train.read_bytes().splitlines()[0])["contents"][1]["role"] == "model"
    assert "FMT175" in vertex.before.counts()
    assert "FMT175" not in vertex.after.counts()


def test_dates_are_compared_with_the_day_of_the_run(tmp_path: Path) -> None:
    day = date.today().isoformat()
    target = own_target(tmp_path, f'extends = "generic"\n[dates]\noff = {{ value = {day} }}\n')
    assert "FMT177" in check(tmp_path, chats(10), target=target).counts()
    later = own_target(tmp_path, 'extends = "generic"\n[dates]\noff = { value = 9999-01-01 }\n')
    assert "FMT177" not in check(tmp_path, chats(10), target=later).counts()
