"""Every view of every sample report against a golden file.

After a change that is wanted: FTPREP_UPDATE_GOLDEN=1 python -m pytest tests/views/test_view_goldens.py, then read the
diff of tests/views/golden.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_reports import SAMPLES

from ftprep.report import Report
from ftprep.views import render
from ftprep.views.notebook import fragment

GOLDEN = Path(__file__).parent / "golden"

VIEWS: dict[str, Callable[[Report], str]] = {
    "full.txt": lambda r: render(r, "full"),
    "full80.txt": lambda r: render(r, "full", width=80),
    "color.txt": lambda r: render(r, "full", color=True),
    "concise.txt": lambda r: render(r, "concise"),
    "json": lambda r: render(r, "json"),
    "jsonl": lambda r: render(r, "json-lines"),
    "github.txt": lambda r: render(r, "github"),
    "statistics.txt": lambda r: render(r, "full", statistics=True),
    "statistics.json": lambda r: render(r, "json", statistics=True),
    "short.txt": lambda r: repr(r) + "\n",
    "html": fragment,
}

# Thousands of findings as JSON would be megabytes of golden files and say no more than a few do.
CASES = [
    (sample, view)
    for sample in SAMPLES
    for view in VIEWS
    if sample != "many" or view in ("full.txt", "github.txt", "statistics.txt", "short.txt")
]


@pytest.mark.parametrize(("sample", "view"), CASES)
def test_view_is_its_golden_file(sample: str, view: str) -> None:
    path = GOLDEN / f"{sample}.{view}"
    got = VIEWS[view](SAMPLES[sample]())
    if os.environ.get("FTPREP_UPDATE_GOLDEN") == "1":
        path.write_text(got, encoding="utf-8", newline="\n")
    assert got.encode() == path.read_bytes()


def test_no_golden_file_is_left_over() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == {f"{sample}.{view}" for sample, view in CASES}
