"""The golden cases of OpenAI's `fine_tunes.prepare_data`: the same rows where it was right, the right ones elsewhere.

The cases are no part of the project: they stand in the folder `ancestor` of FTPREP_SHARED, or of `shared` beside the
checkout. Each has an input and, where the old tool wrote something, the rows it wrote when all it offered was accepted.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_sets import Pairs, lines_of, pairs_in, written

import ftprep as ft
from ftprep.tokens import Counter as TokenCounter

SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[2] / "shared") / "ancestor"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the golden cases are not here: {SHARED}")

Rows = Callable[[Pairs, Pairs], Pairs]
"""From the input's rows and those that the old tool wrote to those that are right."""

LIMIT = 2048


def as_they_came(rows: Pairs, old: Pairs) -> Pairs:
    return rows


def one_prompt_stays_empty(rows: Pairs, old: Pairs) -> Pairs:
    return [("" if prompt == " ->" else prompt, completion) for prompt, completion in old]


def first_word_stays(rows: Pairs, old: Pairs) -> Pairs:
    """The completions as they came, with the stop sequence that they lacked."""
    return [(prompt, completion + "\n") for prompt, completion in rows]


def first_letter_stays(rows: Pairs, old: Pairs) -> Pairs:
    return [("W" + prompt, completion) for prompt, completion in old]


def every_label_stays(rows: Pairs, old: Pairs) -> Pairs:
    return [(prompt + " ->", " " + label) for prompt, label in rows]


def only_empty_ones_go(rows: Pairs, old: Pairs) -> Pairs:
    return [(prompt.lower(), completion) for prompt, completion in rows if completion]


def first_of_each(rows: Pairs, old: Pairs) -> Pairs:
    """The first of the rows that are the same but for spacing."""
    firsts = {(" ".join(prompt.split()), completion): (prompt, completion) for prompt, completion in reversed(rows)}
    return list(firsts.values())


SAME = "same"
CASES: dict[str, str | tuple[Rows, str]] = {
    "01-csv-basic": SAME,
    "02-tsv-basic": SAME,
    "03-xlsx-three-sheets": SAME,
    "04-json-array-indented": SAME,
    "05-jsonl-clean": (as_they_came, "it wrote no file; the rows are sound"),
    "07-classification-binary": SAME,
    "08-classification-five-classes": SAME,
    "09-conditional-no-separators": SAME,
    "10-common-separators-present": (as_they_came, "it wrote no file; the rows are sound"),
    "11-missing-cells": (one_prompt_stays_empty, "it made a separator of an empty prompt"),
    "12-duplicate-rows": SAME,
    "13-long-rows": (as_they_came, "it dropped rows by characters; without a token limit none is known to be long"),
    "15-extra-columns": SAME,
    "16-wrong-case-columns": SAME,
    "18-guide-untrue-ads": SAME,
    "19-guide-sentiment": SAME,
    "20-guide-email-triage": SAME,
    "21-guide-wikipedia-ad": SAME,
    "22-guide-entities": (as_they_came, "it wrote no file; the rows are sound"),
    "23-guide-support-chatbot": (as_they_came, "it wrote no file; the rows are sound"),
    "24-guide-product-description": (first_word_stays, "it cut ' This ' and took the full stop for a stop sequence"),
    "38-long-prompt-prefix": (first_letter_stays, "it cut the first letter of every word after the instruction"),
    "42-na-like-labels": (every_label_stays, "it dropped 24 rows whose labels look like missing values"),
    "55-empty-then-long": (only_empty_ones_go, "it dropped a sound row and kept the long one"),
    "61-array-clean-wrong-advice": (as_they_came, "it wrote nothing and called a JSON array ready"),
    "91-singleton-class-split": SAME,
    "92-near-duplicates-leak-across-split": (first_of_each, "it kept rows that differ only in spacing"),
}


def input_of(case: str) -> Path:
    return next((SHARED / case).glob("input.*"))


def rows_in(case: str) -> Pairs:
    """The rows of an input that is JSON lines, a JSON array or CSV."""
    path = input_of(case)
    if path.suffix == ".jsonl":
        return pairs_in(path)
    with path.open(encoding="utf-8", newline="") as file:
        records = json.load(file) if path.suffix == ".json" else list(csv.DictReader(file))
    return [(r["prompt"], r["completion"]) for r in records]


def old_rows(case: str) -> Pairs:
    """What the old tool wrote; nothing where it wrote no file."""
    return pairs_in(*sorted((SHARED / case / "expected").glob("*.jsonl")))


def right_rows(case: str) -> Pairs:
    expected = CASES[case]
    return old_rows(case) if isinstance(expected, str) else expected[0](rows_in(case), old_rows(case))


def prepare(case: str, out: Path, **settings: Any) -> ft.Prepared:
    return ft.prepare(input_of(case), out=out, **({"unsafe": True} | settings))


def test_every_case_is_in_the_table() -> None:
    assert sorted(CASES) == sorted(path.name for path in SHARED.iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES)
def test_the_rows_are_right(case: str, tmp_path: Path) -> None:
    prepared = prepare(case, tmp_path)
    assert written(prepared) == Counter(right_rows(case))
    assert prepared.rows["read"] == sum(prepared.rows[k] for k in ("written", "rejected", "skipped"))
    assert b"\\/" not in b"\n".join([*lines_of(prepared.train), *lines_of(prepared.valid)])


@pytest.mark.parametrize("case", CASES)
def test_mending_again_changes_nothing(case: str, tmp_path: Path) -> None:
    once = prepare(case, tmp_path / "once", split={"valid": "none"})
    assert once.train is not None
    again = ft.prepare(once.train, out=tmp_path / "again", unsafe=True, split={"valid": "none"})
    assert again.train is not None
    assert again.train.read_bytes() == once.train.read_bytes()
    assert again.accepted == ()


@pytest.mark.parametrize("case", [c for c in CASES if (SHARED / c / "input.jsonl").is_file()])
def test_rows_that_need_no_mending_are_the_same_bytes(case: str, tmp_path: Path) -> None:
    came = {(r["prompt"], r["completion"]): line for line in lines_of(input_of(case)) for r in [json.loads(line)]}
    prepared = prepare(case, tmp_path)
    for line in [*lines_of(prepared.train), *lines_of(prepared.valid)]:
        record = json.loads(line)
        assert line == came.get((record["prompt"], record["completion"]), line)


@pytest.mark.parametrize("case", CASES)
def test_the_split_keeps_its_laws(case: str, tmp_path: Path) -> None:
    """No prompt on both sides, and every class that can be on both sides is."""
    prepared = prepare(case, tmp_path, unsafe=False, split={"valid": 0.2})
    sides: dict[str, set[str]] = defaultdict(set)
    prompts: dict[str, set[str]] = defaultdict(set)
    for side, path in (("train", prepared.train), ("valid", prepared.valid)):
        for prompt, completion in pairs_in(path):
            asked = " ".join(prompt.casefold().split())
            sides[asked or completion].add(side)
            prompts[completion].add(asked)
    assert all(len(where) == 1 for where in sides.values())
    assert prepared.split is not None
    made = prepared.split
    assert made.train + made.valid == prepared.rows["examples"]
    for name, (train, valid) in made.per_class.items():
        assert train > 0
        assert valid > 0 or len(prompts[f" {name}"]) == 1


def test_case_13_with_a_limit_exactly_the_rows_beyond_it_go(tmp_path: Path) -> None:
    counter = TokenCounter("o200k_base")
    kept = [row for row in rows_in("13-long-rows") if sum(counter.count(row)) <= LIMIT]
    prepared = prepare("13-long-rows", tmp_path, token_limit=LIMIT)
    assert len(kept) == 19
    assert written(prepared) == Counter(kept)
    (aside,) = [json.loads(line) for line in lines_of(prepared.rejected)]
    assert aside["place"]["line"] == 13
    assert aside["codes"][0] == "TOK102"
    assert aside["messages"][0] == "2,498 tokens, 450 more than the limit of 2,048"


def test_case_55_with_a_limit_the_long_row_goes_and_no_other(tmp_path: Path) -> None:
    counter = TokenCounter("o200k_base")
    rows = [(p.lower(), c) for p, c in rows_in("55-empty-then-long") if c]
    kept = [row for row in rows if sum(counter.count(row)) <= LIMIT]
    prepared = prepare("55-empty-then-long", tmp_path, token_limit=LIMIT)
    assert written(prepared) == Counter(kept)
    asides = [json.loads(line) for line in lines_of(prepared.rejected)]
    assert [a["place"]["line"] for a in asides if "SEP116" in a["codes"]] == [2, 3]
    assert len(asides) == 12 - len(kept)


def test_case_03_the_other_sheets_are_named(tmp_path: Path) -> None:
    report = prepare("03-xlsx-three-sheets", tmp_path).before
    (finding,) = [f for f in report.findings if f.code == "IO117"]
    assert "sheet" in finding.message


def test_case_19_no_stop_that_cuts_a_label(tmp_path: Path) -> None:
    """It advised stop=["tive"] for positive and negative."""
    prepared = prepare("19-guide-sentiment", tmp_path)
    assert prepared.after.dataset.stop is None
    assert not any("stop=" in line for line in prepared.advice)


def test_case_91_the_rare_class_is_trained_and_said_to_be_rare(tmp_path: Path) -> None:
    """It counted three classes, of which validation had two; the API refused the job."""
    prepared = prepare("91-singleton-class-split", tmp_path)
    assert prepared.split is not None
    assert prepared.split.per_class["rare"] == (1, 0)
    assert "SET104" in prepared.after.counts()
    assert any("'rare'" in note for note in prepared.notes)


def test_case_92_unmended_near_duplicates_do_not_leak(tmp_path: Path) -> None:
    """16 of its 20 validation prompts stood in training too, but for a blank."""
    prepared = prepare("92-near-duplicates-leak-across-split", tmp_path, unsafe=False)
    assert written(prepared) == Counter(rows_in("92-near-duplicates-leak-across-split"))
    train, valid = ({" ".join(p.split()) for p, _ in pairs_in(path)} for path in (prepared.train, prepared.valid))
    assert train
    assert valid
    assert not train & valid
