"""A job that is watched through the proxy while the server and the watching program are ended and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from job_samples import MODEL, training_file
from through_proxy import ROOT, Road

PACE = ("--polls", "--phases", "1,1,30")
"""Options of the sandbox: a job goes on when it is looked at, so that nothing is over while nobody looks."""

BREAKS = ("SIGINT", "SIGKILL", "server", "SIGINT server", "SIGKILL server")
"""What happens in the middle, in this order: the watching program is ended, the server is killed and started again."""


@dataclass
class Followed:
    """The events as they were printed, by all that watched, and what is wrong with them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    wrong: str = ""


def followed(road: Road, folder: Path, way: str) -> Followed:
    """Submit a job, and watch it to its end through the breaks of `way`."""
    folder.mkdir(parents=True)
    path, here = training_file(folder, word=f"heron {folder.name}"), ["--ledger", str(folder / "jobs")]
    submit = ["submit", str(path), "--model", MODEL, "--no-check", *road.reached(), *here]
    told = subprocess.run(_command(submit), env=_environment(), check=True, capture_output=True, text=True)
    job, found = told.stdout.partition(":")[0], Followed()
    watch = ["watch", job, "--json", "--every", "0.1", *here]
    for word in (*way.split(), ""):
        with _watching(watch) as process:
            assert process.stdout
            if word == "server":
                _take(process, found, 3)
                port = road.server_port
                road.stop_server()
                _take(process, found, 1, "network")
                road.start_server(port)
            if word.startswith("SIG"):
                _take(process, found, 3)
                process.send_signal(getattr(signal, word))
            _take(process, found, 10_000)
            found.codes.append(process.wait(60))
        if found.codes[-1] == 0:
            break
    found.events = [line for line in found.lines if line["type"] == "event"]
    found.wrong = _wrong(road, job, found, way)
    return found


def _wrong(road: Road, job: str, found: Followed, way: str) -> str:
    told = [json.dumps(event, sort_keys=True) for event in found.events]
    if len(told) != len(set(told)):
        return f"an event twice: {told}"
    if found.codes[-1] != 0 or found.lines[-1].get("job", {}).get("status") != "succeeded":
        return f"it did not end: {found.codes}, {found.lines[-1:]}"
    # Who begins to watch late may have read all there is by then.
    if way == "server" and not any(line["type"] == "network" for line in found.lines):
        return "the break of the server was not told"
    there = {event["message"] for event in road.ask(f"/v1/fine_tuning/jobs/{job}/events?limit=100")["data"]}
    missing = there - {event["message"] for event in found.events}
    # The one that was noted, and about to be printed when the program was ended; the other way round it came twice.
    return f"events that nobody was told of: {missing}" if len(missing) > way.count("SIG") else ""


def _take(process: subprocess.Popen[str], found: Followed, most: int, kind: str = "") -> None:
    """Read so many lines of news, or up to one of a kind, or to the end."""
    assert process.stdout
    deadline = time.monotonic() + 90
    for _ in range(1000 if kind else most):
        line = process.stdout.readline()
        assert time.monotonic() < deadline, "nothing comes any more"
        if not line.endswith("\n"):
            return
        found.lines.append(json.loads(line))
        if found.lines[-1]["type"] == kind:
            return


@contextmanager
def _watching(watch: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(_command(watch), env=_environment(), stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(20)
        assert process.stdout
        process.stdout.close()


def _command(more: list[str]) -> list[str]:
    return [sys.executable, "-m", "ftprep", "jobs", *more]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
