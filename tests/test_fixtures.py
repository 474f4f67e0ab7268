"""Holds the fixtures to their tables: the fate of each record, which rules find something, what values come through."""

from __future__ import annotations

import gzip
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ftprep as ft

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
NOT_DATA = {"README.md", "make.py", ".gitattributes", "__pycache__"}
READING = {"encoding", "sheet", "delimiter"}
LARGEST = 20_000
"""Bytes; a fixture shows one thing."""


@dataclass(frozen=True)
class Case:
    """One line of the tables."""

    file: str
    settings: str
    loaded: int
    rejected: int
    skipped: int
    found: dict[str, int]

    @property
    def path(self) -> Path:
        """Where the file is."""
        return FIXTURES / self.file

    def check(self) -> ft.Report:
        """Run it as the table says."""
        words = self.settings.split()
        options: dict[str, Any] = {}
        recipe: dict[str, Any] = {"rules": {"ignore": ["SET101"]}}
        for flag, value in zip(words[::2], words[1::2], strict=True):
            name = flag.removeprefix("--")
            if name in READING:
                options[name] = value
            elif name.endswith("-column"):
                recipe.setdefault("columns", {})[name.removesuffix("-column")] = value
            else:
                recipe[name] = int(value) if value.isdigit() else value
        return ft.check(self.path, recipe, options=ft.Options(**options))


def cases() -> list[Case]:
    """All lines of all tables in the README."""
    found = []
    for line in (FIXTURES / "README.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("| `"):
            continue
        file, _, settings, loaded, rejected, skipped, codes = (c.strip() for c in line.strip("|").split("|"))
        counts = {code: int(many or 1) for code, many in re.findall(r"([A-Z]+\d+)(?: ×(\d+))?", codes)}
        assert counts or codes == "—", line
        numbers = int(loaded), int(rejected), int(skipped)
        found.append(Case(file.strip("`"), settings.strip("`"), *numbers, counts))
    return found


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.file} {c.settings}".strip())
def test_a_fixture_has_the_fate_that_the_table_says(case: Case) -> None:
    before = case.path.read_bytes()
    report = case.check()
    rows = [i.rows for i in report.inputs]
    told = tuple(sum(getattr(r, name) for r in rows) for name in ("loaded", "rejected", "skipped"))
    assert told == (case.loaded, case.rejected, case.skipped)
    assert sum(r.read for r in rows) == sum(told)
    assert dict(report.counts()) == case.found
    assert case.path.read_bytes() == before


def test_every_fixture_stands_in_the_table() -> None:
    files = {p.name for p in FIXTURES.iterdir()} - NOT_DATA
    assert files == {c.file for c in CASES}
    assert len(files) >= 40


def test_fixtures_are_small() -> None:
    assert [p.name for p in FIXTURES.iterdir() if p.is_file() and p.stat().st_size > LARGEST] == []


VALUES: dict[str, list[str]] = {
    "leading_zeros.csv": ["02108", "02116", "02903", "07102", "04101", "03101"],
    "labels_na.csv": ["NA"] * 4 + ["good"] * 4 + ["null"] * 4 + ["None"] * 4,
    "quoted_newlines.csv": [
        " On its way.\nIt comes tomorrow. END",
        " We send a new one.\nKeep the old one. END",
        " Yes. END",
    ],
    "sheets.xlsx": ["calf", "lamb", "gosling", "leveret", "cygnet", "8", "16"],
    "utf8_bom.csv": [" calf END", " lamb END", " gosling END", " leveret END", " cygnet END"],
}


@pytest.mark.parametrize("file", VALUES)
def test_completions_come_through_to_the_character(file: str) -> None:
    assert ft.load(FIXTURES / file)["completion"].tolist() == VALUES[file]


PROMPTS: dict[str, tuple[int, str]] = {
    "quoted_newlines.csv": (1, 'Dear team,\n\nthe lamp is cracked, "again".\n\n###\n\n'),
    "utf16.tsv": (0, "Wann öffnet das Café?"),
    "alpaca.jsonl": (0, "Name the young of the animal.\n\ncow"),
    "chinese_columns.csv": (1, "可以开发票吗?"),
    "open_ended.jsonl": (0, ""),
    "ragged.csv": (1, "hare ->"),
    "unclosed_quote.csv": (2, "hare ->"),
}


@pytest.mark.filterwarnings("ignore:.*could not be read:UserWarning")
@pytest.mark.parametrize("file", PROMPTS)
def test_prompts_come_through_to_the_character(file: str) -> None:
    row, prompt = PROMPTS[file]
    assert ft.load(FIXTURES / file)["prompt"].tolist()[row] == prompt


ALIKE = ("pairs.tsv", "semicolons.csv", "pipes.csv", "pairs.jsonl", "array.json", "under_key.json", "columns.json")


@pytest.mark.parametrize("file", ALIKE)
def test_the_container_makes_no_difference(file: str) -> None:
    first, other = ft.load(FIXTURES / "pairs.csv"), ft.load(FIXTURES / file)
    assert other.to_dict("records") == first.to_dict("records")


@pytest.mark.parametrize(("file", "first", "last"), [("chat_faults.jsonl", 2, 22), ("pair_faults.jsonl", 4, 11)])
def test_faults_stand_one_a_line(file: str, first: int, last: int) -> None:
    found = ft.check(FIXTURES / file, rules={"ignore": ["SET101"]}).findings
    assert {f.location.row for f in found} == set(range(first, last + 1))
    if file == "chat_faults.jsonl":
        assert len(found) == last - first + 1


def rebuild(folder: Path) -> Callable[[Path], None]:
    """The `make` of fixtures/make.py, which is a script and no module."""
    spec = importlib.util.spec_from_file_location("make_fixtures", folder / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Callable[[Path], None] = module.make
    return make


def unpacked(path: Path) -> bytes:
    """What is in a file: of a workbook its table, of a cut gzip file only that it is gzip."""
    if path.suffix == ".xlsx":
        return ft.load(path).to_json(orient="records").encode()
    data = path.read_bytes()
    if path.name == "cut.jsonl.gz":
        return data[:2]
    return gzip.decompress(data) if path.suffix == ".gz" else data


def test_the_script_rebuilds_the_same_files(tmp_path: Path) -> None:
    make = rebuild(FIXTURES)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make(tmp_path / name)
    built = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert len(built) >= 8
    for name in built:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert unpacked(tmp_path / "one" / name) == unpacked(FIXTURES / name)


def test_the_first_command_anyone_types(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ftprep", "prepare", "fixtures/support_tickets.csv", "-o", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    for word in ("121 = written 120 + rejected 1", "Billing", "Shipping", "Technical", "Account", "label-variants"):
        assert word in ran.stdout
    assert {p.name.removeprefix("support_tickets_prepared") for p in tmp_path.iterdir()} == {
        "_train.jsonl",
        "_valid.jsonl",
        "_rejected.jsonl",
        ".manifest.json",
    }


def test_the_tickets_are_sound_after_the_recipe(tmp_path: Path) -> None:
    made = ft.prepare(FIXTURES / "support_tickets.csv", recipe="classification", out=tmp_path)
    assert made.after.summary.errors == made.after.summary.warnings == 0
    assert made.after.dataset.classes == {"Account": 30, "Billing": 30, "Technical": 30, "Shipping": 29}
    assert {"DUP101", "SEP101", "SEP105", "SET105"} <= set(made.mended)
    assert made.rows["read"] == made.rows["written"] + made.rows["rejected"] == 121
