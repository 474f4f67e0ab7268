"""Peak memory and time of `ftprep check` on files that would take all of it: prints a table.

    python tests/reliability/memory.py [line packed cell endless lines corpus] [--lines 10000000]

A line of a GiB (plain, packed, CSV), many bad lines, packed data that unpacks without end, and every file of the corpus
(generated, and the shared one with real sets where they are there). Memory is that of all processes of the command
together, in MiB: the sum of the highest that the system noted of each one that lived at the same time, so that what
they share counts twice. On other systems than Linux it is that of the largest process. Exit code 1 where a bound is
broken.
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import gzip
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "corpus")]

GOOD = b'{"prompt": "say it ->", "completion": " yes"}\n'
PIECE = b"x" * (1 << 20)
EVERY_SECONDS = 0.005
MOST_MIB = 500e6 / (1 << 20)
LARGEST_MIB = 300e6 / (1 << 20)
"""Of the largest process, for the kinds: two workers share most of what they have, which together counts thrice."""
SECONDS, BIG_SECONDS, BIG_BYTES = 5, 60, 1 << 20
"""Of the processor, for a file of the corpus, and for those of a MiB or more."""


def one_line(path: Path) -> None:
    """A GiB without a line end, between good lines."""
    with path.open("wb") as file:
        file.write(GOOD * 5 + b'{"prompt": "')
        for _ in range(1024):
            file.write(PIECE)
        file.write(b'"}\n' + GOOD * 5)


def one_packed_line(path: Path) -> None:
    """The same, in a MiB."""
    with gzip.open(path, "wb", 6) as file:
        file.write(GOOD * 5)
        for _ in range(1000):
            file.write(PIECE)
        file.write(b"\n" + GOOD * 5)


def one_cell(path: Path) -> None:
    """A quoted cell of a GiB that never ends."""
    with path.open("wb") as file:
        file.write(b'prompt,completion\na,b\n"')
        for _ in range(1024):
            file.write(PIECE)


def endless(path: Path) -> None:
    """Half a GiB of line ends in a few KiB."""
    packer = bz2.BZ2Compressor()
    with path.open("wb") as file:
        for _ in range(512):
            file.write(packer.compress(b"\n" * (1 << 20)))
        file.write(packer.flush())


def bad_lines(count: int) -> Callable[[Path], None]:
    """So many lines that are no JSON."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            for _ in range(count // 10_000):
                file.write(b'{"a": 1,\n' * 10_000)

    return write


class Measured(NamedTuple):
    """What checking a file took: MiB of all processes together, and of the largest; processor seconds; exit code, last
    line said, name."""

    memory: float
    largest: float
    seconds: float
    code: int
    said: str
    name: str


class Watch(threading.Thread):
    """Adds up the memory of a process and all below it, again and again until it ends; `most` is in KiB, and so is
    `largest`, that of the one which has most."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.largest = pid, 0, 0
        self.over = threading.Event()

    def run(self) -> None:
        """Look."""
        while not self.over.wait(EVERY_SECONDS):
            each = list(map(_highest, _family(self.pid)))
            self.most, self.largest = max(self.most, sum(each)), max(self.largest, *each)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))


def _highest(pid: int) -> int:
    """KiB of physical memory that a process has had at most so far."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def measured(path: Path) -> Measured:
    """What checking a file takes."""
    options = ("--output-format", "concise", "--max-findings", "1000")
    command = [sys.executable, "-m", "ftprep", "check", str(path), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as child:
        watch = Watch(child.pid)
        watch.start()
        _, status, used = os.wait4(child.pid, 0)
        watch.over.set()
        watch.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        lines = out.read().splitlines()
    said = lines[-1].decode("utf-8", "replace")[-90:] if lines else ""
    memory, largest = (
        max(most, used.ru_maxrss) / 1024 for most in (watch.most, watch.largest)
    )  # for what ended unseen
    return Measured(memory, largest, used.ru_utime + used.ru_stime, child.returncode, said, path.name)


def corpus(folder: Path) -> list[Path]:
    """Every file of the generated corpus, and of the shared one and the real sets where they are there."""
    from outcomes import CORPUS
    from twins import twins

    files = []
    for twin in twins():
        files.append(folder / twin.name)
        files[-1].write_bytes(twin.data)
    for beside in (CORPUS, CORPUS.with_name("data")):
        files += sorted(p for p in beside.rglob("*") if p.is_file() and p.name not in ("expect.jsonl", "judge.py"))
    return files


def of_corpus(folder: Path) -> bool:
    """Measures every file of the corpus, says which take most, and whether a bound is broken."""
    began, files = time.monotonic(), corpus(folder)
    every = sorted(map(measured, files), reverse=True)
    slowest = max(one.seconds for one in every)
    print(f"corpus   {len(files)} files in {time.monotonic() - began:.0f} s; most processor time {slowest:.1f} s")
    for one in every[:5]:
        print(f"  {one.memory:6.0f} MiB  {one.seconds:5.1f} s  exit {one.code}  {one.name}")
    big = {path.name for path in files if path.stat().st_size >= BIG_BYTES}
    slow = [one for one in every if one.seconds >= (BIG_SECONDS if one.name in big else SECONDS)]
    broken = [one for one in every if one.memory >= MOST_MIB or one in slow or one.code not in (0, 1, 2)]
    for one in broken:
        print(f"  broken: {one}")
    return bool(broken)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("only", nargs="*", metavar="NAME", help="one of the kinds, or corpus; all without")
    asked = parser.parse_args()
    kinds: dict[str, tuple[Callable[[Path], None], str]] = {
        "line": (one_line, "line.jsonl"),
        "packed": (one_packed_line, "packed.jsonl.gz"),
        "cell": (one_cell, "cell.csv"),
        "endless": (endless, "endless.jsonl.bz2"),
        "lines": (bad_lines(asked.lines), "lines.jsonl"),
    }
    if unknown := set(asked.only) - {*kinds, "corpus"}:
        parser.error(f"there is no {' '.join(unknown)}; there are: {' '.join(kinds)} corpus")
    broken = 0
    with tempfile.TemporaryDirectory(prefix="ftprep-memory-") as name:
        folder = Path(name)
        for kind, (write, file) in kinds.items():
            if not asked.only or kind in asked.only:
                path = folder / file
                write(path)
                one = measured(path)
                path.unlink()
                broken += one.largest >= LARGEST_MIB or one.code not in (1, 2)
                took = f"{one.seconds:7.1f} s  {one.largest:4.0f} MiB, {one.memory:4.0f} together"
                print(f"{kind:8} exit {one.code}  {took}  {one.said}", flush=True)
        if not asked.only or "corpus" in asked.only:
            broken += of_corpus(folder)
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
