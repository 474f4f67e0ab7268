"""The commands that the benchmark runs, on which files, and every run made."""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import corpora
import measure
from measure import Figures

Run = Callable[[], Figures]


@dataclass
class Bench:
    """What the benchmark runs with; `runs` gathers every run made, by name."""

    python: str
    ftprep: list[str]
    yardsticks: Path | None
    vocab: Path | None
    ancestor: str
    folder: Path
    rows: int
    repeats: int
    workers: int
    runs: dict[str, list[Figures]] = field(default_factory=dict)

    def in_turn(self, runs: dict[str, Run], repeats: int) -> dict[str, list[Figures]]:
        """Run each once, and all of them again, `repeats` times (A B A B …)."""
        found: dict[str, list[Figures]] = {name: [] for name in runs}
        for _ in range(repeats):
            for name, run in runs.items():
                found[name].append(run())
        for name, figures in found.items():
            self.runs.setdefault(name, []).extend(figures)
        return found

    def input(self, kind: str, rows: int) -> Path:
        """The file of a kind, made if it is not there: by the yardsticks' generator where there is one."""
        path = self.folder / f"{kind}-{rows}.{'csv' if kind == 'pairs' else 'jsonl'}"
        if not path.exists():
            whole = path.with_name("part-" + path.name)
            maker = self.yardstick(f"make_{kind}.py")
            if maker:
                measure.once([self.python, str(maker), str(rows), str(whole)], self.folder / "make.out")
            else:
                corpora.MAKERS[kind](rows, whole)
            whole.rename(path)
        return path

    def yardstick(self, name: str) -> Path | None:
        """A yardstick's file, if it is there."""
        path = self.yardsticks / name if self.yardsticks else None
        return path if path and path.exists() else None

    def check(self, path: Path, out: str = "ours") -> Run:
        """`ftprep check` with all default rules."""
        command = [*self.ftprep, "check", str(path), "--workers", str(self.workers), "--output-format", "json"]
        return lambda: measure.once(command, self.folder / f"{out}.json", ok=(0, 1))

    def check_as_is(self, path: Path) -> Run:
        """`ftprep check` with no option, as one types it."""
        return lambda: measure.once([*self.ftprep, "check", str(path)], self.folder / "as-is.out", ok=(0, 1))

    def naive(self, path: Path) -> Run | None:
        """The naive way, in one process."""
        return self._by_yardstick("naive_chat.py", [str(path)], "naive")

    def limit(self, path: Path) -> Run | None:
        """The least that must be done."""
        return self._by_yardstick("limit_chat.py", [str(path), "o200k_base", "fastokens", str(self.workers)], "limit")

    def _by_yardstick(self, name: str, arguments: list[str], out: str) -> Run | None:
        file = self.yardstick(name)
        if not file or not self.vocab:
            return None
        command = [self.python, str(file), *arguments]
        env = {"VOCAB": str(self.vocab)}
        return lambda: measure.once(command, self.folder / f"{out}.json", env)

    def prepare(self, path: Path, watch: bool = False) -> Run:
        """`ftprep prepare` with every proposal accepted, into a folder that is thrown away."""

        def run() -> Figures:
            with tempfile.TemporaryDirectory(dir=self.folder) as into:
                options = ["-o", into, "-y", "--unsafe-fixes", "--valid", "none", "--workers", str(self.workers)]
                command = [*self.ftprep, "prepare", str(path), *options, "--output-format", "json"]
                return measure.once(command, self.folder / "prepare.json", watch=watch, ok=(0, 1))

        return run

    def before(self, path: Path) -> Run | None:
        """The ancestor on a fresh copy, since it writes beside its input."""
        if not self.ancestor:
            return None

        def run() -> Figures:
            with tempfile.TemporaryDirectory(dir=self.folder) as into:
                copy = shutil.copy(path, into)
                words = [word.replace("{copy}", str(copy)) for word in shlex.split(self.ancestor)]
                return measure.once(words, self.folder / "ancestor.out")

        return run

    def version(self) -> Figures:
        """`ftprep --version`."""
        return measure.once([*self.ftprep, "--version"], self.folder / "version.out")

    def said(self, out: str) -> Any:
        """What a command said, as JSON."""
        return json.loads((self.folder / f"{out}.json").read_text(encoding="utf-8"))
