"""Peak memory and time of `ftprep check` on files that would take all of it: prints a table.

    python tests/reliability/memory.py [--lines 10000000] [--only NAME]

A line of a GiB (plain, packed, CSV), many bad lines, packed data that unpacks without end, and every file of the corpus
(generated, and the shared one where it is there). Memory is that of the largest process, in MiB. Exit code 1 where a
bound is broken.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "corpus"))

GOOD = b'{"prompt": "say it ->", "completion": " yes"}\n'
PIECE = b"x" * (1 << 20)


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


def measured(path: Path) -> tuple[int, float, float, str]:
    """Exit code, processor seconds, MiB of the largest process, and the last line of what was said."""
    command = [
        sys.executable,
        "-m",
        "ftprep",
        "check",
        str(path),
        "--output-format",
        "concise",
        "--max-findings",
        "1000",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        lines = out.read().splitlines()
    said = lines[-1].decode("utf-8", "replace")[-90:] if lines else ""
    return child.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said


def corpus(folder: Path) -> list[Path]:
    """Every file of the generated corpus, and of the shared one where it is there."""
    from outcomes import CORPUS
    from twins import twins

    files = []
    for twin in twins():
        files.append(folder / twin.name)
        files[-1].write_bytes(twin.data)
    shared = (path for path in CORPUS.rglob("*") if path.is_file() and path.name not in ("expect.jsonl", "judge.py"))
    return [*files, *sorted(shared)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    kinds: dict[str, tuple[Callable[[Path], None], str]] = {
        "line": (one_line, "line.jsonl"),
        "packed": (one_packed_line, "packed.jsonl.gz"),
        "cell": (one_cell, "cell.csv"),
        "endless": (endless, "endless.jsonl.bz2"),
        "lines": (bad_lines(asked.lines), "lines.jsonl"),
    }
    broken = 0
    with tempfile.TemporaryDirectory(prefix="ftprep-memory-") as name:
        folder = Path(name)
        for kind, (write, file) in kinds.items():
            if asked.only in ("", kind):
                path = folder / file
                write(path)
                code, seconds, memory, said = measured(path)
                path.unlink()
                broken += memory >= 300 or code not in (1, 2)
                print(f"{kind:8} exit {code}  {seconds:7.1f} s  {memory:6.0f} MiB  {said}", flush=True)
        if asked.only in ("", "corpus"):
            began, files = time.monotonic(), corpus(folder)
            every = [(*measured(path), path.name) for path in files]
            worst, slowest = max(every, key=lambda one: one[2]), max(every, key=lambda one: one[1])
            broken += worst[2] >= 500 or slowest[1] >= 5 or any(one[0] not in (0, 1, 2) for one in every)
            print(f"corpus   {len(files)} files in {time.monotonic() - began:.0f} s; most memory {worst[2]:.0f} MiB "
                  f"({worst[4]}), most time {slowest[1]:.1f} s ({slowest[4]})")  # fmt: skip
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
