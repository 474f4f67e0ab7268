"""The corpus of bad inputs beside the project, where it is there: each file has a fate that its own list admits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from outcomes import CORPUS, checked, loaded_records

LIST = CORPUS / "expect.jsonl"
EXPECTED = [json.loads(line) for line in LIST.read_text(encoding="utf-8").splitlines()] if LIST.exists() else []

# Tables of columns a, b, c and the like: all rows can be read, but no column is known as prompt, and none is guessed.
NAMELESS = "csv-spectrum"

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the shared corpus is not here")


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda one: one["file"])
def test_a_file_of_the_corpus_has_an_admissible_fate(expected: dict[str, Any]) -> None:
    path = CORPUS / expected["file"]
    if not path.exists():
        pytest.skip("listed, but not here")
    if expected["kind"] == NAMELESS:
        assert len(loaded_records(path)) == expected["rows"]
        expected = {**expected, "fate": "error"}
    outcome = checked(path)
    outcome.settled()
    assert outcome.fate in {expected["fate"], *(expected.get("alt") or ())}
    if outcome.fate == expected["fate"] == "load" and expected.get("rows") is not None:
        assert outcome.counts["loaded"] == expected["rows"]
    if outcome.fate == expected["fate"] == "rejects":
        assert set(expected.get("bad_lines") or ()) <= outcome.found("error").keys()
    if outcome.fate == "load" and expected.get("checks"):
        _has_exact_texts(path, expected["checks"])


def _has_exact_texts(path: Path, checks: list[list[Any]]) -> None:
    records = loaded_records(path)
    for index, key, value in checks:
        assert (records[index][key], type(records[index][key])) == (value, type(value))
