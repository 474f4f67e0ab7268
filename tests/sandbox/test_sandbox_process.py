"""The program: what it keeps outlives a kill, how it starts, is found and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import JOBS, answer_of, ask, chats, job_of, look, send_file

from ftprep.errors import UsageError
from ftprep.sandbox.background import find_sandbox, start_sandbox, stop_sandbox
from ftprep.sandbox.journal import read_journal
from ftprep.sandbox.server import Sandbox

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}


class Program:
    """`ftprep sandbox` as a process."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "ftprep", "sandbox", str(folder), "--port", "0", *options]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environment(), **pipes)

    def ready(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def end(self, number: int) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.fixture
def program() -> Iterator[Any]:
    running: list[Program] = []

    def start(folder: Path, *options: str) -> Program:
        running.append(Program(folder, *options))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


@posix
def test_what_it_keeps_outlives_a_kill_at_any_moment(program: Any, tmp_path: Path) -> None:
    home, options = tmp_path / "s", ("--polls", "--phases", "1,1,3")
    first = program(home, *options)
    url = first.ready()["url"]
    file = send_file(url, chats())
    job = job_of(url, file["id"])
    for _ in range(3):
        seen = look(url, f"{JOBS}/{job['id']}")
    assert seen["status"] == "running"
    events = look(url, f"{JOBS}/{job['id']}/events?limit=100")["data"]
    first.end(signal.SIGKILL)
    second = program(home, *options)
    url = second.ready()["url"]
    assert look(url, "/v1/files")["data"][0]["id"] == file["id"]
    assert ask(url, "GET", f"/v1/files/{file['id']}/content")[2] == chats()
    again = look(url, f"{JOBS}/{job['id']}/events?limit=100")["data"]
    assert again == events
    for _ in range(3):
        seen = look(url, f"{JOBS}/{job['id']}")
    assert seen["status"] == "succeeded"
    later = look(url, f"{JOBS}/{job['id']}/events?limit=100")["data"]
    assert later[-len(events) :] == events
    assert len({each["id"] for each in later}) == len(later)
    said = answer_of(url, seen["fine_tuned_model"])
    assert ask(url, "DELETE", f"/v1/files/{file['id']}")[0] == 200
    second.end(signal.SIGKILL)
    third = program(home, *options)
    assert answer_of(third.ready()["url"], seen["fine_tuned_model"]) == said
    assert [line["id"] for line in read_journal(home) if line.get("kind") == "job"] == [job["id"]]


@posix
@pytest.mark.parametrize("moment", range(5))
def test_a_kill_among_requests_leaves_whole_objects_only(program: Any, tmp_path: Path, moment: int) -> None:
    home = tmp_path / "s"
    first = program(home)
    url = first.ready()["url"]
    done: list[str] = []

    def work() -> None:
        try:
            while True:
                done.append(job_of(url, send_file(url, chats(12))["id"])["id"])
        except Exception:
            return

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.3 + 0.17 * moment)
    first.end(signal.SIGKILL)
    worker.join()
    url = program(home).ready()["url"]
    jobs = look(url, f"{JOBS}?limit=100")["data"]
    assert set(done) <= {each["id"] for each in jobs}
    assert len(jobs) <= len(done) + 1
    for job in jobs:
        assert ask(url, "GET", f"/v1/files/{job['training_file']}/content")[2] == chats(12)


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(program: Any, tmp_path: Path, number: int) -> None:
    ready = tmp_path / "ready.json"
    running = program(tmp_path / "s", "--ready-file", str(ready))
    said = running.ready()
    assert said["base_url"] == f"http://127.0.0.1:{said['port']}/v1"
    assert ask(said["url"], "GET", "/v1/models")[0] == 200
    assert json.loads(ready.read_text()) == said
    code, _, err = running.end(number)
    assert code == 0
    assert "Traceback" not in err
    assert "OPENAI_BASE_URL" in err
    assert not (tmp_path / "s" / "server.json").exists()


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "ftprep", "sandbox", str(tmp_path / "s"), "--port", str(port)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
        with pytest.raises(UsageError, match="cannot listen"):
            Sandbox(tmp_path / "t", port).start()
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}:")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "--open-to-network"),
        (["--phases", "1,2"], "--phases"),
        (["--fault", "nowhere.json"], "nowhere.json"),
        (["--as", "mistral"], "--as"),
    ],
)
def test_wrong_options_are_told_and_nothing_is_served(tmp_path: Path, options: list[str], told: str) -> None:
    command = [sys.executable, "-m", "ftprep", "sandbox", str(tmp_path / "s"), "--port", "0", *options]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@posix
def test_a_background_sandbox_is_one_for_its_folder_and_keeps_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    home = tmp_path / "s"
    assert find_sandbox(home) is None
    found: list[Any] = []
    starters = [threading.Thread(target=lambda: found.append(start_sandbox(home))) for _ in range(3)]
    try:
        for each in starters:
            each.start()
        for each in starters:
            each.join()
        assert len(found) == 3
        assert len(set(found)) == 1
        assert ask(found[0].url, "GET", "/v1/files")[0] == 200
        with pytest.raises(UsageError, match="not of azure"):
            start_sandbox(home, profile="azure")
        assert stop_sandbox(home)
        assert find_sandbox(home) is None
        assert not stop_sandbox(home)
        again = start_sandbox(home)
        assert (again.url, again.pid == found[0].pid) == (found[0].url, False)
    finally:
        stop_sandbox(home)


@posix
def test_a_background_sandbox_ends_when_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    home = tmp_path / "s"
    running = start_sandbox(home, idle=0.5)
    deadline = time.monotonic() + 20
    while (home / "server.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not (home / "server.json").exists()
    assert running.pid > 0


def test_nothing_of_the_sandbox_is_imported_for_other_commands() -> None:
    code = "import sys, ftprep, ftprep.cli.commands; print([m for m in sys.modules if m.split('.')[0] in"
    code += " ('starlette', 'uvicorn', 'multipart', 'sklearn', 'sqlite3') or m.startswith('ftprep.sandbox')])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
