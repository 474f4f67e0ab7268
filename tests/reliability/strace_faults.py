"""Fails the 1st, 2nd, … system call of each kind in writing commands, by strace, until a run makes no more of them.

    python tests/reliability/strace_faults.py                       # needs strace, and leave to trace
    python tests/reliability/strace_faults.py --job fix --error ENOSPC

After each failure: exit code 2 with one line that says what could not be done and files as before, or the work is done;
then what `kill.py` looks at after a kill. `tests/test_faults.py` does the same inside one process, for every call.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from kill import JOBS, Bench, Job, seen

CALLS = ("write", "fsync", "rename", "link", "unlink", "ftruncate", "mkdir", "flock", "fchown", "fchmod")
"""Of openat, Python itself makes hundreds before the first line runs."""

MOST = 200


def run_with_fault(bench: Bench, folder: Path, call: str, at: int, error: str) -> tuple[int, str, bool]:
    """The command with its `at`-th such call failing: the exit code, stderr, and whether there was one to fail."""
    trace = bench.root / "trace"
    kinds = f"/^{call}(at2?)?$"
    inject = [f"inject={kinds}:error={error}:when={at}"]
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={kinds}", "-e", *inject]
    program = [sys.executable, "-m", "ftprep", *bench.job.again, "-q"]
    done = subprocess.run(
        [*command, *program], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr, "(INJECTED)" in trace.read_text(errors="replace")


def look(bench: Bench, call: str, at: int, error: str) -> str:
    """Fail one call and look; how it ended, "" where there was none to fail. Raises AssertionError."""
    folder = bench.copy()
    code, told, hit = run_with_fault(bench, folder, call, at, error)
    if not hit:
        return ""
    left = seen(folder)
    where = f"{bench.job.name}, {call} {at} {error}: "
    if code == 2 and "standard output" in told:
        assert left == bench.after, f"{where}not all is there: {told}"
    elif code == 2:
        assert left == bench.before, f"{where}changed files, though it failed: {told}"
        lines = told.splitlines()
        assert lines == [] or (lines[0].startswith("error: ") and len(lines) <= 2), f"{where}{told}"
    else:
        assert code == bench.ends_with, f"{where}ended with {code}: {told}"
        assert left == bench.after, f"{where}not all is there: {told}"
    try:
        bench.look(folder)
    except AssertionError as problem:
        raise AssertionError(f"{where}{problem}") from problem
    return "refused" if code == 2 else "done all the same"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--job", choices=[job.name for job in JOBS])
    parser.add_argument("--call", choices=CALLS)
    parser.add_argument("--error", default="EIO")
    parser.add_argument("--rows", type=int, default=60)
    given = parser.parse_args()
    if not shutil.which("strace"):
        print("strace is not installed")
        return 2
    from ftprep.cli.commands import HOMES, command

    for name in HOMES:
        command(name)
    random.seed(0)
    ends, wrong = Counter[str](), 0
    jobs: list[Job] = [job for job in JOBS if given.job in (None, job.name) and "workers" not in job.name]
    with tempfile.TemporaryDirectory(prefix="ftprep-faults-") as root:
        for job in jobs:
            bench = Bench(job, Path(root) / re.sub(r"\W", "-", job.name), given.rows)
            for call in CALLS if given.call is None else (given.call,):
                for at in range(1, MOST):
                    try:
                        end = look(bench, call, at, given.error)
                    except AssertionError as problem:
                        wrong += 1
                        print(problem, flush=True)
                        continue
                    if not end:
                        break
                    ends[end] += 1
    told = ", ".join(f"{count} {what}" for what, count in sorted(ends.items()))
    print(
        f"{sum(ends.values()) + wrong} failures of {given.error} in {len(jobs)} jobs: {told}; {wrong} broke the promise"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
