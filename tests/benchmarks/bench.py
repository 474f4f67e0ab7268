"""Times ftprep as whole processes, alone or in turn with another command; run by hand, never part of the suite.

    python tests/benchmarks/bench.py pairs 100000 /tmp/pairs.csv        makes prompt/completion pairs to work on
    python tests/benchmarks/bench.py startup                            --version, --help, a check of 100 rows
    python tests/benchmarks/bench.py prepare /tmp/pairs.csv             the main job
    … prepare /tmp/pairs.csv --against 'openai tools fine_tunes.prepare_data -q -f {copy}'

CPU seconds are those of the process and its children; peak memory is the largest single process's. `{copy}` becomes a
fresh copy of the file, for commands that write beside their input. Quote the ratios: machines differ and are noisy.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FTPREP = shutil.which("ftprep")
OURS = [FTPREP] if FTPREP else [sys.executable, "-m", "ftprep"]
SYLLABLES = ("ka", "lo", "mi", "ren", "tor", "va", "sel", "pin", "dra", "mo", "ki", "es", "ul", "ban", "cor")


class Figures(NamedTuple):
    """One run: CPU and wall seconds, peak memory in MiB."""

    cpu: float
    wall: float
    peak: float


def once(command: Sequence[str]) -> Figures:
    """Run a command to its end and measure it."""
    began = time.monotonic()
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"exit {os.waitstatus_to_exitcode(status)}: {shlex.join(command)}")
    return Figures(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def told(name: str, runs: list[Figures]) -> None:
    """Print medians, with the least and the most."""
    for what, unit in (("cpu", "s"), ("wall", "s"), ("peak", "MiB")):
        values = [getattr(run, what) for run in runs]
        print(f"{name:34} {what:5} {statistics.median(values):9.3f} {unit:4} ({min(values):.3f} to {max(values):.3f})")


def make_pairs(rows: int, path: Path, seed: int = 1) -> None:
    """Write pairs of about 60 and 25 words made of syllables, a tenth with line ends, three in a hundred twice."""
    rng = random.Random(seed)

    def words(count: int) -> str:
        return " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(count))

    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["prompt", "completion"])
        last = ["", ""]
        for number in range(rows):
            if number % 33 or not number:
                last = [words(rng.randint(40, 80)), words(rng.randint(15, 35))]
                if number % 10 == 0:
                    last[0] = last[0].replace(" ", "\n", 3)
            table.writerow(last)


def startup(repeats: int) -> None:
    """How long the program takes to say something."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.jsonl"
        talk = [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "It is 4."}]
        small.write_text("".join(json.dumps({"messages": talk, "n": i}) + "\n" for i in range(100)))
        for name, arguments in (("--version", ["--version"]), ("--help", ["--help"]), ("check", ["check", str(small)])):
            told(name, [once([*OURS, *arguments]) for _ in range(repeats + 1)][1:])


def prepare(path: Path, against: str, repeats: int) -> None:
    """The main job, in turn with another command where one is given."""
    ours: list[Figures] = []
    theirs: list[Figures] = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            options = ["-o", folder, "-y", "--unsafe-fixes", "--valid", "none"]
            ours.append(once([*OURS, "prepare", str(path), *options]))
        if against:
            with tempfile.TemporaryDirectory() as folder:
                copy = shutil.copy(path, folder)
                theirs.append(once([word.replace("{copy}", str(copy)) for word in shlex.split(against)]))
    told("ftprep prepare", ours)
    if theirs:
        told("the other command", theirs)
        for what in ("cpu", "wall", "peak"):
            ratios = [getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs, strict=True)]
            print(
                f"{'ratio':34} {what:5} {statistics.median(ratios):9.3f}      ({min(ratios):.3f} to {max(ratios):.3f})"
            )


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    pairs = commands.add_parser("pairs")
    pairs.add_argument("rows", type=int)
    pairs.add_argument("path", type=Path)
    begun = commands.add_parser("startup")
    job = commands.add_parser("prepare")
    job.add_argument("path", type=Path)
    job.add_argument("--against", default="", metavar="COMMAND")
    for each in (begun, job):
        each.add_argument("-n", "--repeats", type=int, default=5)
    given = parser.parse_args()
    if given.command == "pairs":
        make_pairs(given.rows, given.path)
        return
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors, {shlex.join(OURS)}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if given.command == "startup":
        startup(given.repeats)
    else:
        prepare(given.path, given.against, given.repeats)


if __name__ == "__main__":
    main()
