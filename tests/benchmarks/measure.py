"""Runs commands as whole processes and measures them: CPU, wall, memory; describes the machine they ran on."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SAMPLE_SECONDS = 0.05
PACKAGES = ("ftprep", "msgspec", "fastokens", "gigatoken", "tiktoken", "xxhash", "pandas", "pydantic", "click")
_ASK = """
import importlib.metadata as meta, importlib.util as util, os, platform, sys
for name in sys.argv[1:]:
    try: print(name, meta.version(name))
    except meta.PackageNotFoundError: print(name, "absent")
there = util.find_spec("ftprep").origin
print("Python", platform.python_version())
print("bytecode", os.path.exists(util.cache_from_source(there)))
"""


class Figures(NamedTuple):
    """One run: CPU seconds of all its processes, wall seconds, and the peak memory in MB (10^6 bytes): of all processes
    together where they were watched, else of the largest one."""

    cpu: float
    wall: float
    peak: float


class FailedError(Exception):
    """A command did not do its work."""


def once(
    command: Sequence[str],
    out: Path,
    env: Mapping[str, str] | None = None,
    watch: bool = False,
    ok: Sequence[int] = (0,),
) -> Figures:
    """Run a command to its end, its standard output going to a file. Raises FailedError for exit codes not in `ok`.

    CPU is what the kernel says (wait4) of the process and of every descendant that was waited for. Watching costs CPU,
    so memory and time are measured in runs of their own.
    """
    trouble = out.with_suffix(".err")
    with out.open("wb") as told, trouble.open("wb") as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=told, stderr=errors, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}
        )
        watcher = Watcher(process.pid) if watch else None
        try:
            _, status, used = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.kill()
            raise
        wall = time.monotonic() - began
    code = process.returncode = os.waitstatus_to_exitcode(status)
    peak = watcher.stop() if watcher else used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    if code not in ok:
        last = trouble.read_text(encoding="utf-8", errors="replace").strip().split("\n")[-1]
        raise FailedError(f"exit {code}: {shlex.join(command)}: {last}")
    return Figures(used.ru_utime + used.ru_stime, wall, peak)


class Watcher:
    """Samples the memory of a process and its descendants: the sum of what /proc/PID/smaps_rollup calls Pss, where a
    page that several share counts once. What comes and goes between two samples is missed."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """End the sampling; the peak in MB."""
        self._done.set()
        self._thread.join()
        return self._peak * 1024 / 1e6

    def _sample(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, sum(map(_proportional, _tree(self._pid))))


def can_watch() -> bool:
    """Whether the kernel tells what is needed (Linux)."""
    mine = Path(f"/proc/{os.getpid()}")
    return (mine / "smaps_rollup").exists() and (mine / "task" / str(os.getpid()) / "children").exists()


def machine(python: str) -> list[str]:
    """Facts about the machine, and about the installation that an interpreter belongs to, a line each."""
    asked = subprocess.run([python, "-c", _ASK, *PACKAGES], capture_output=True, text=True, cwd=Path(python).parent)
    if asked.returncode:
        raise FailedError(f"ftprep is not installed for {python}")
    facts = dict(line.split(" ", 1) for line in asked.stdout.splitlines())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {facts[name]}" for name in PACKAGES)
    system = f"{platform.system()} {platform.release()}"
    lines = [
        f"{_processor()}, {os.cpu_count()} processors, {memory:.0f} GB of memory, {system}",
        f"Python {facts['Python']}; {versions}",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.2f} at the start",
    ]
    if facts["bytecode"] == "False":
        lines.append("**ftprep is installed without bytecode: every start compiles it anew, which costs CPU**")
    if is_busy():
        lines.append("**the machine was busy when the runs began: quote the ratios, not the seconds**")
    return lines


def is_busy() -> bool:
    """Whether others keep the machine at work."""
    return os.getloadavg()[0] > 0.25 * (os.cpu_count() or 1)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _tree(pid: int) -> list[int]:
    """A process and its descendants."""
    pids = [pid]
    for each in pids:  # grows while it is walked
        try:
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                pids += map(int, children.read_text().split())
        except OSError:  # it ended meanwhile
            continue
    return pids


def _proportional(pid: int) -> int:
    """The memory of a process in KiB, shared pages in part; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
