"""Kills writing commands with SIGKILL at random points, and looks what is left: whole files, old or new, and a way on.

    python tests/reliability/kill.py --times 200             # at random calls of the system, and at random moments
    python tests/reliability/kill.py --times 50 --job fix --seed 7

After each kill: every file under a final name is, byte for byte, the old one or the new one; a manifest that `verify`
calls whole stands beside exactly the old set or the new one; the same command then succeeds (or finds its work done),
gives the same bytes as a run that nobody killed, and leaves nothing else behind. Ends with 1 where that is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CALLS = ("open", "write", "fsync", "replace", "rename", "link", "symlink", "unlink", "mkdir", "rmdir", "ftruncate")
"""Functions of `os` that change what is on disk; a run is killed before or after one of their calls."""

HIDDEN_ALLOWED = (".ftprep-tmp", ".ftprep-lock", ".ftprep-parts")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Job:
    """A command, run on data of version 1 over what it made of version 0, or (`fresh`) over nothing."""

    name: str
    arguments: tuple[str, ...]
    fresh: bool = False

    @property
    def again(self) -> tuple[str, ...]:
        """The arguments of a run over what is there already."""
        return self.arguments if self.fresh or self.name == "fix" else (*self.arguments, "--force")


JOBS = (
    Job("prepare", ("prepare", "a.jsonl", "-o", "out", "--workers", "1")),
    Job("prepare fresh", ("prepare", "a.jsonl", "-o", "out", "--workers", "1"), fresh=True),
    Job("prepare workers", ("prepare", "a.jsonl", "-o", "out", "--workers", "2")),
    Job("fix", ("fix", "a.jsonl", "b.jsonl", "sub/c.jsonl", "--workers", "1", "--exit-zero")),
    Job("convert", ("convert", "a.jsonl", "--to", "chat", "-o", "out/c.jsonl", "--workers", "1")),
    Job("parquet", ("convert", "a.jsonl", "-o", "out/c.parquet", "--workers", "1")),
    Job("split", ("split", "a.jsonl", "-o", "out", "--workers", "1")),
    Job("shards", ("prepare", "a.jsonl", "-o", "out", "--shards", "3", "--workers", "2")),
    Job("shards fresh", ("prepare", "a.jsonl", "-o", "out", "--shards", "3", "--workers", "1"), fresh=True),
)


def data(folder: Path, version: int, rows: int) -> None:
    """Lay out the inputs; the two versions have other rows, and other faults."""
    rng = random.Random(version)
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for name, many in (("a.jsonl", rows), ("b.jsonl", 60), ("sub/c.jsonl", 60)):
        lines = ['{"prompt": "cut'] if version or name != "a.jsonl" else []
        for number in range(many):
            prompt = f"{name} {version} question {number} {'word ' * rng.randrange(30)}->"
            lines.append(json.dumps({"prompt": prompt, "completion": f"{rng.choice(['yes', 'no'])} END"}))
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def seen(folder: Path, hidden: bool = False) -> Files:
    """The files below a folder; those that are hidden only when asked for."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (hidden or not any(p.startswith(".") for p in path.relative_to(folder).parts))
    }


def started(folder: Path, arguments: tuple[str, ...], patch: Callable[[], object] | None = None) -> int:
    """A run of the command line in a process of its own, forked from here; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 3
    try:
        os.setsid()
        os.chdir(folder)
        with (folder.parent / "log").open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        from ftprep.__main__ import main

        if patch:
            patch()
        code = main(list(arguments))
        sys.stdout.flush()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """The exit code of a run, minus the signal that ended it; what it has started is ended too."""
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def killed_at(at: int, after: bool, count: Path | None = None) -> None:
    """Have the `at`-th of the calls kill this process, before or after it is made; `count` gets how many there are."""
    left, me = [at], os.getpid()

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            if os.getpid() != me:
                return real(*args, **named)
            left[0] -= 1
            if left[0] == 0 and not after:
                os.kill(me, signal.SIGKILL)
            mine = left[0] == 0
            if count:
                count.write_text(str(at - left[0]))
            try:
                return real(*args, **named)
            finally:
                if mine:
                    os.kill(me, signal.SIGKILL)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(getattr(os, name)))


@dataclass
class Bench:
    """One job with what it gives when nobody kills it."""

    job: Job
    root: Path
    rows: int

    def __post_init__(self) -> None:
        self.old, self.whole = self.root / "old", self.root / "whole"
        data(self.old, 0, self.rows)
        if not self.job.fresh and self.job.name != "fix":
            self.code(self.old, self.job.arguments)
            data(self.old, 1, self.rows)
        self.before = seen(self.old)
        shutil.copytree(self.old, self.whole)
        start = time.monotonic()
        self.ends_with = self.code(self.whole, self.job.again)
        self.seconds = time.monotonic() - start
        self.after = seen(self.whole)
        assert self.ends_with in (0, 1), (self.root / "log").read_text()
        assert self.after != self.before
        counted = self.root / "count"
        self.calls = 0
        other = self.copy()
        ended(started(other, self.job.again, lambda: killed_at(1 << 60, False, counted)))
        self.calls = int(counted.read_text())

    def code(self, folder: Path, arguments: tuple[str, ...]) -> int:
        """Run to the end; the exit code."""
        return ended(started(folder, arguments))

    def copy(self) -> Path:
        """A folder as it was before the run."""
        shutil.rmtree(self.root / "now", ignore_errors=True)
        return Path(shutil.copytree(self.old, self.root / "now"))

    def once(self, rng: random.Random) -> str:
        """Kill it once, and look; the point where it was killed. Raises AssertionError."""
        folder = self.copy()
        if rng.random() < 0.25:
            delay = rng.random() * self.seconds * 1.1
            point = f"after {delay:.3f} s"
            pid = started(folder, self.job.again)
            time.sleep(delay)
            os.kill(pid, signal.SIGKILL)
        else:
            # Half of the points lie in the last calls, where files get their names.
            at = rng.randrange(1, self.calls + 1) if rng.random() < 0.5 else max(1, self.calls - rng.randrange(40))
            after = rng.random() < 0.5
            point = f"{'after' if after else 'before'} call {at} of {self.calls}"
            pid = started(folder, self.job.again, lambda: killed_at(at, after))
        code = ended(pid)
        try:
            self.look(folder)
        except AssertionError as error:
            raise AssertionError(f"{self.job.name}, killed {point}: {error}") from error
        return "killed" if code == -signal.SIGKILL else "ended before"

    def look(self, folder: Path) -> None:
        """Hold what is left to the promise, then run again."""
        left = seen(folder)
        for name, content in left.items():
            assert content in (self.before.get(name), self.after.get(name)), f"{name} is neither old nor new"
        lost = [name for name in self.before if name in self.after and name not in left]
        assert not lost, f"lost: {lost}"
        for name in left:
            if name.endswith(".manifest.json"):
                self.hold(folder, name, left)
        hidden = seen(folder, hidden=True).keys() - left.keys()
        odd = [name for name in hidden if not any(mark in name for mark in HIDDEN_ALLOWED)]
        assert not odd, f"files of unknown names: {odd}"
        code = self.code(folder, self.job.again)
        told = (self.root / "log").read_text()
        if self.job.fresh and code == 2:
            assert left == self.after, f"refused, though not all is there: {told}"
            assert "exists already" in told, told
        else:
            assert code == self.ends_with, f"the next run ended with {code}: {told}"
        now = seen(folder)
        assert now == self.after, f"the next run gave others: {[n for n in self.after if now.get(n) != self.after[n]]}"
        kept = [n for n in seen(folder, hidden=True) if n not in now and ".ftprep-parts" not in n]
        assert not kept, f"left behind: {kept}"

    def hold(self, folder: Path, name: str, left: Files) -> None:
        """A manifest is never wrong: `verify` calls whole what is the old set or the new one, and nothing else."""
        from ftprep.verifier import verify

        here = os.getcwd()  # noqa: PTH109
        os.chdir(folder)
        try:
            whole = verify(name).whole
        finally:
            os.chdir(here)
        for files in (self.before, self.after):
            if left[name] == files.get(name):
                listed = [str(Path(name).with_name(o["path"])) for o in json.loads(files[name])["outputs"]]
                shards = {each for each in left if "-of-0" in each}
                right = all(left.get(each) == files[each] for each in listed) and shards <= set(listed)
                assert whole is right, f"verify says {'whole' if whole else 'not whole'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=200, help="kills in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=300, help="rows of the largest input")
    parser.add_argument("--job", choices=[job.name for job in JOBS], help="this one alone")
    given = parser.parse_args()
    # Imported once, here, so that each run is a fork away; nothing of it has started a thread.
    import ftprep.converter
    import ftprep.fixer
    import ftprep.preparer
    import ftprep.verifier  # noqa: F401
    from ftprep.cli.commands import HOMES, command

    for name in HOMES:
        command(name)
    rng, start, ends = random.Random(given.seed), time.monotonic(), Counter[str]()
    jobs = [job for job in JOBS if given.job in (None, job.name)]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="ftprep-kill-") as folder:
        benches: dict[str, Bench] = {}
        for number in range(given.times):
            job = jobs[number % len(jobs)]
            if job.name not in benches:
                benches[job.name] = Bench(job, Path(folder) / job.name.replace(" ", "-"), given.rows)
            try:
                ends[benches[job.name].once(rng)] += 1
            except AssertionError as error:
                wrong += 1
                print(error)
    told = ", ".join(f"{count} {what}" for what, count in sorted(ends.items()))
    took = time.monotonic() - start
    print(f"{given.times} runs of {len(jobs)} jobs: {told}; {wrong} broke the promise; {took:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
