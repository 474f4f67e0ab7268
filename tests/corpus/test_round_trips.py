"""What a container says comes out of the next one unchanged: load, write, load again, for any text."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from books import written_book
from hypothesis import given
from law_settings import FOLDER, PAIRS, few, many
from parsers_here import parsers_here

from ftprep.engine import Look
from ftprep.errors import ReadError
from ftprep.model import Pair
from ftprep.parquet_writer import ParquetSet
from ftprep.plan import make_plan
from ftprep.recipe import Recipe

RECIPE = Recipe.model_validate({"shape": "completion", "columns": {"prompt": "prompt", "completion": "completion"}})
Pairs = list[tuple[str, str]]


def pairs_of(path: Path) -> tuple[Pairs, bytes]:
    """The pairs that a file says, and the lines that they are written as."""
    plan = make_plan(path, RECIPE)
    look = Look(plan)
    examples = [row.example for chunk in plan.chunks() for row in look.examples(chunk) if row.example]
    assert all(isinstance(example, Pair) for example in examples)
    lines = b"".join(plan.writers["completion"].write(example) + b"\n" for example in examples)
    return [(e.prompt, e.completion) for e in examples if isinstance(e, Pair)], lines


def write_jsonl(path: Path, pairs: Pairs) -> None:
    path.write_text("".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in pairs), encoding="utf-8")


def write_csv(path: Path, pairs: Pairs) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("prompt", "completion"), *pairs])


def write_tsv(path: Path, pairs: Pairs) -> None:
    with path.open("w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
            [("prompt", "completion"), *pairs]
        )


def write_json(path: Path, pairs: Pairs) -> None:
    path.write_text(json.dumps([{"prompt": p, "completion": c} for p, c in pairs], indent=1), encoding="utf-8")


def write_parquet(path: Path, pairs: Pairs) -> None:
    columns = list(zip(*pairs, strict=True))
    pq.write_table(
        pa.table({"prompt": pa.array(columns[0], pa.string()), "completion": pa.array(columns[1], pa.string())}), path
    )


def write_xlsx(path: Path, pairs: Pairs) -> None:
    path.write_bytes(written_book([["prompt", "completion"], *map(list, pairs)]))


def is_mostly_control(data: bytes) -> bool:
    """Whether a file may be told as binary, which docs/reliability.md says of tables with many control characters."""
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in data[:1024])
    return controls >= 8 and controls * 20 > len(data[:1024])


def there_and_back(folder: Path, suffix: str, write: Callable[[Path, Pairs], None], pairs: Pairs) -> None:
    """A first row that is plainly data keeps the header a header; blank rows of tables are no records."""
    pairs = [("say it", "yes"), *pairs]
    path, again = folder / f"f{suffix}", folder / "again.jsonl"
    write(path, pairs)
    refusal = ""
    try:
        got, lines = pairs_of(path)
    except ReadError as error:
        refusal = error.message
    if refusal:
        assert "binary data" in refusal
        assert suffix == ".csv"
        assert is_mostly_control(path.read_bytes())
        return
    is_table = suffix not in (".jsonl", ".json", ".parquet")
    assert got == [pair for pair in pairs if any(pair) or not is_table]
    again.write_bytes(lines)
    assert pairs_of(again) == (got, lines)


CONTAINERS: dict[str, tuple[str, Callable[[Path, Pairs], None]]] = {
    "jsonl": (".jsonl", write_jsonl),
    "csv": (".csv", write_csv),
    "tsv-utf16": (".tsv", write_tsv),
    "array": (".json", write_json),
    "parquet": (".parquet", write_parquet),
    "workbook": (".xlsx", write_xlsx),
}
IN_CHILDREN = ("parquet", "workbook")


def holds(container: str, pairs: Pairs) -> None:
    """The law for one container; what is written as Parquet again is read once more."""
    folder = Path(FOLDER.name)
    if container == "workbook":
        # XML has no control characters but tab and line end, and no non-characters; writers escape the rest or drop it.
        pairs = [(p, c) for p, c in pairs if all(ch.isprintable() or ch in "\n " for ch in p + c) and "_x" not in p + c]
    there_and_back(folder, *CONTAINERS[container], pairs)
    if container == "parquet":
        lines = (folder / "again.jsonl").read_bytes()
        with ParquetSet(force=True) as outputs:
            outputs.open(folder / "ours.parquet").write_lines(lines, lines.count(b"\n"))
            outputs.commit()
        assert pairs_of(folder / "ours.parquet")[1] == lines


@pytest.mark.parametrize("container", CONTAINERS)
@many
@given(PAIRS)
def test_law_texts_are_the_same_after_two_journeys(container: str, pairs: Pairs) -> None:
    with parsers_here():
        holds(container, pairs)


@pytest.mark.parametrize("container", IN_CHILDREN)
@few
@given(PAIRS)
def test_law_holds_in_a_process_of_its_own(container: str, pairs: Pairs) -> None:
    holds(container, pairs)
