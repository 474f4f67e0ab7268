"""Small sets of prompt/completion pairs for the tests: made, written and read back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ftprep as ft
from ftprep import engine
from ftprep.dataset import Dataset
from ftprep.pipeline import Run, run_plan
from ftprep.plan import make_plan
from ftprep.recipe import resolve

Pairs = list[tuple[str, str]]

COUNTRIES = ("Peru", "Norway", "Italy", "Egypt", "Ecuador", "Vietnam", "Chad", "Mali", "Togo", "Cuba", "Fiji", "Oman")
CAPITALS = ("Lima", "Oslo", "Rome", "Cairo", "Quito", "Hanoi", "Ndjamena", "Bamako", "Lome", "Havana", "Suva", "Muscat")


def sound(count: int = 12, separator: str = " ->", stop: str = " END") -> Pairs:
    """So many generation examples in which nothing is to be mended."""
    turns = [divmod(i, len(COUNTRIES)) for i in range(count)]
    return [(f"{COUNTRIES[c]} {n}{separator}", f" {CAPITALS[c]} is its capital {n}{stop}") for n, c in turns]


def classes(counts: dict[str, int], separator: str = " ->") -> Pairs:
    """A classification: so many different prompts for each label."""
    return [(f"text {i} on {label}{separator}", f" {label}") for label, count in counts.items() for i in range(count)]


def jsonl(records: Iterable[Any]) -> bytes:
    """Records as JSON lines."""
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode("utf-8", "surrogatepass")


def as_records(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Pairs as records with prompt and completion."""
    return [{"prompt": prompt, "completion": completion} for prompt, completion in pairs]


def write(folder: Path, pairs: Iterable[tuple[str, str]], name: str = "set.jsonl") -> Path:
    """A JSONL file of pairs."""
    path = folder / name
    path.write_bytes(jsonl(as_records(pairs)))
    return path


def lines_of(path: Path | None) -> list[bytes]:
    """The lines of a file without their ends; none where there is no file."""
    return path.read_bytes().split(b"\n")[:-1] if path else []


def pairs_in(*paths: Path | None) -> Pairs:
    """The pairs in JSONL files, in order."""
    records = [json.loads(line) for path in paths for line in lines_of(path)]
    return [(r["prompt"], r["completion"]) for r in records]


def written(prepared: ft.Prepared) -> Counter[tuple[str, str]]:
    """All pairs that were written, on either side."""
    return Counter(pairs_in(prepared.train, prepared.valid))


def prepare(folder: Path, pairs: Iterable[tuple[str, str]], **settings: Any) -> ft.Prepared:
    """Prepare pairs into a folder of their own below `folder`."""
    return ft.prepare(write(folder, pairs), out=folder / "out", **settings)


def dataset_of(pairs: Iterable[tuple[str, str]], **settings: Any) -> Dataset:
    """Pairs as the dataset rules see them."""
    plan = make_plan(as_records(pairs), resolve(settings))
    return engine.dataset_of(run_plan(plan, Run()), plan)
