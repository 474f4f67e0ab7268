"""IO cards: complete, consistent, and with samples that hold what they claim to hold."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from ftprep.rule import CODE, Rule, Sample
from ftprep.rules.io import RULES as CARDS

RULES = {r.card.code: r for r in CARDS}


def raw(sample: Sample) -> bytes:
    return sample.text if isinstance(sample.text, bytes) else sample.text.encode()


def test_codes_and_names_stand_once_and_in_order() -> None:
    codes = [r.card.code for r in CARDS]
    assert codes == [f"IO{n}" for n in range(101, 124)]
    assert all(CODE.match(c) for c in codes)
    assert len({r.card.name for r in CARDS}) == len(codes)


@pytest.mark.parametrize("rule", CARDS, ids=lambda r: r.card.name)
def test_cards_are_complete(rule: type[Rule]) -> None:
    card = rule.card
    assert card.finds.endswith(".")
    assert card.why.endswith(".")
    assert bool(card.fix) == bool(card.mended)
    assert card.fix in (None, "safe")
    assert card.bad.suffix == card.good.suffix
    if card.code not in ("IO118", "IO123"):  # no file can change on its own, or kill who reads it
        assert raw(card.bad) != raw(card.good)


def test_severities() -> None:
    by_severity: dict[str, set[str]] = {}
    for code, rule in RULES.items():
        by_severity.setdefault(rule.card.severity, set()).add(code)
    assert by_severity["warning"] == {"IO102", "IO103", "IO110", "IO117", "IO121"}
    assert by_severity["info"] == {"IO108", "IO109"}


GOOD_LINES = [r for r in CARDS if r.card.good.suffix == ".jsonl"]
GOOD_TABLES = [r for r in CARDS if r.card.good.suffix == ".csv"]


@pytest.mark.parametrize("rule", GOOD_LINES, ids=lambda r: r.card.name)
def test_good_lines_are_strict_json_lines(rule: type[Rule]) -> None:
    lines = raw(rule.card.good).decode().split("\n")
    assert lines.pop() == ""
    assert [set(json.loads(line)) for line in lines] == [{"prompt", "completion"}] * len(lines)
    "".join(lines).encode()


@pytest.mark.parametrize("rule", GOOD_TABLES, ids=lambda r: r.card.name)
def test_good_tables_have_two_columns(rule: type[Rule]) -> None:
    rows = list(csv.reader(io.StringIO(raw(rule.card.good).decode()), strict=True))
    assert rows[0] == ["prompt", "completion"]
    assert {len(row) for row in rows} == {2}
    assert len(rows) > 2


def test_samples_of_bytes_are_what_they_claim() -> None:
    with pytest.raises(UnicodeDecodeError):
        raw(RULES["IO101"].card.bad).decode()
    assert raw(RULES["IO102"].card.bad).startswith(b"\xef\xbb\xbf")
    assert raw(RULES["IO103"].card.bad).decode("utf-16").startswith("prompt,completion")
    with pytest.raises(EOFError):
        gzip.decompress(raw(RULES["IO116"].card.bad))
    assert gzip.decompress(raw(RULES["IO116"].card.good)).count(b"\n") == 2


def test_workbooks_open_and_have_the_sheets_they_claim() -> None:
    from python_calamine import CalamineWorkbook

    for sample, sheets in ((RULES["IO117"].card.bad, ["Data", "Old"]), (RULES["IO117"].card.good, ["Data"])):
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw(sample)))
        assert book.sheet_names == sheets
        assert [len(row) for row in book.get_sheet_by_name("Data").to_python()] == [2, 2, 2]
