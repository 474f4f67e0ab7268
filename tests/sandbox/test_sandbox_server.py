"""The server: what it keeps outlives a kill, who may come in, how it starts, is found and ends."""

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
from sandbox_runs import POLLS, Make, ask, chats, send_file

from ftprep.errors import UsageError, WriteError
from ftprep.sandbox.background import find_sandbox, start_sandbox, stop_sandbox
from ftprep.sandbox.clocks import ManualClock, Pace
from ftprep.sandbox.journal import read_journal
from ftprep.sandbox.server import Sandbox

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback

ROOT = Path(__file__).parents[2]
JOBS = "/v1/fine_tuning/jobs"
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


def job_of(url: str, file_id: str) -> dict[str, Any]:
    made = ask(url, "POST", JOBS, {"model": "gpt-4o-mini", "training_file": file_id, "seed": 3})
    assert made[0] == 200, made
    found: dict[str, Any] = json.loads(made[2])
    return found


def look(url: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(url, "GET", path)[2])
    return found


def answer_of(url: str, model: str) -> Any:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "it was superb"}],
        "temperature": 0,
        "logprobs": True,
    }
    said = json.loads(ask(url, "POST", "/v1/chat/completions", body)[2])["choices"][0]
    return said["message"]["content"], said["logprobs"]["content"][0]["logprob"]


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


def test_one_folder_has_one_server(make: Make) -> None:
    server = make("home")
    with pytest.raises(WriteError, match="running in"):
        Sandbox(server.folder).start()
    assert ask(server.url, "GET", "/v1/files")[0] == 200


def test_only_the_loopback_is_listened_to_and_strange_names_are_refused(make: Make) -> None:
    server = make()
    assert ask(server.url, "GET", "/v1/files", headers={"host": "evil.example"})[0] == 421
    assert ask(server.url, "GET", "/v1/files", headers={"host": f"localhost:{server.port}"})[0] == 200
    assert ask(server.url, "GET", "/v1/files", key=None)[0] == 401
    assert ask(server.url, "POST", "/_sandbox/faults", [], key=None)[0] == 401


BODIES: list[tuple[str, bytes, str]] = [
    ("/v1/files", b"", "multipart/form-data; boundary=x"),
    ("/v1/files", b"nonsense", "multipart/form-data; boundary=x"),
    ("/v1/files", b"nonsense", "multipart/form-data"),
    ("/v1/files", b"{}", "application/json"),
    (JOBS, b"{", "application/json"),
    (JOBS, b"[]", "application/json"),
    (JOBS, b"", "application/json"),
    (JOBS, b"\xff\xfe", "application/json"),
    (JOBS, b"[" * 100_000, "application/json"),
    (JOBS, b'{"model": 3, "training_file": {}}', "application/json"),
    (JOBS, b'{"model": "gpt-4o-mini", "training_file": "x", "method": []}', "application/json"),
    (JOBS, b'{"model": "gpt-4o-mini", "training_file": "x", "hyperparameters": {"n_epochs": NaN}}', "application/json"),
    ("/v1/uploads", b'{"bytes": true, "purpose": [], "filename": 1, "mime_type": null}', "application/json"),
    ("/v1/chat/completions", b'{"model": "gpt-4o-mini", "messages": [3]}', "application/json"),
    ("/v1/chat/completions", b'{"model": "gpt-4o-mini", "messages": "x", "stop": [1]}', "application/json"),
    ("/v1/completions", b'{"model": "babbage-002", "prompt": [[1], "x", {}]}', "application/json"),
    ("/v1/completions", b'{"model": "babbage-002", "prompt": [99999999]}', "application/json"),
    ("/v1/completions", b'{"model": "babbage-002", "logit_bias": {"x": 1}}', "application/json"),
]


@pytest.mark.parametrize(("path", "body", "kind"), BODIES)
def test_whatever_is_sent_the_answer_is_the_envelope(make: Make, path: str, body: bytes, kind: str) -> None:
    server = make()
    status, headers, answer = ask(server.url, "POST", path, body, headers={"content-type": kind})
    assert status == 400, answer
    assert json.loads(answer)["error"].keys() == {"message", "type", "param", "code"}
    assert headers["x-request-id"].startswith("req_")


def test_paths_that_there_are_not(make: Make) -> None:
    server = make()
    for method, path in (("GET", "/"), ("PATCH", "/v1/files"), ("GET", "/v1/nowhere"), ("GET", "/v1/files/../x")):
        status, _, answer = ask(server.url, method, path)
        assert status == 404
        assert json.loads(answer)["error"]["type"] == "invalid_request_error"


def test_time_goes_by_the_clock_that_is_given(make: Make) -> None:
    clock = ManualClock(1_800_000_000)
    server = make(clock=clock, pace=Pace(10, 20, 30))
    job = job_of(server.url, send_file(server.url, chats())["id"])
    assert job["created_at"] == 1_800_000_000
    states = []
    for seconds in (5, 5, 20, 15, 15):
        ask(server.url, "POST", "/_sandbox/clock", {"advance": seconds})
        states.append(look(server.url, f"{JOBS}/{job['id']}"))
    assert [each["status"] for each in states] == ["validating_files", "queued", "running", "running", "succeeded"]
    assert states[2]["estimated_finish"] == 1_800_000_060
    assert states[-1]["finished_at"] == 1_800_000_060
    events = look(server.url, f"{JOBS}/{job['id']}/events?limit=100")["data"]
    assert [each["created_at"] for each in events] == sorted((each["created_at"] for each in events), reverse=True)
    file = send_file(server.url, chats())
    made = {"filename": "a", "purpose": "fine-tune", "bytes": 5, "mime_type": "text/jsonl"}
    upload = json.loads(ask(server.url, "POST", "/v1/uploads", made)[2])
    ask(server.url, "POST", "/_sandbox/clock", {"advance": 3601})
    assert ask(server.url, "POST", f"/v1/uploads/{upload['id']}/cancel")[0] == 400
    assert ask(server.url, "POST", "/_sandbox/clock", {"advance": -1})[0] == 400
    assert look(server.url, f"/v1/files/{file['id']}")["status"] == "processed"


def test_a_job_goes_on_while_the_server_is_down(tmp_path: Path) -> None:
    clock = ManualClock()
    with Sandbox(tmp_path / "s", clock=clock, pace=Pace(10, 10, 10)) as server:
        job = job_of(server.url, send_file(server.url, chats())["id"])
        clock.advance(10)
        assert look(server.url, f"{JOBS}/{job['id']}")["status"] == "queued"
    clock.advance(20)
    with Sandbox(tmp_path / "s", clock=clock, pace=Pace(10, 10, 10)) as server:
        assert look(server.url, f"{JOBS}/{job['id']}")["status"] == "succeeded"


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


def test_a_folder_that_is_no_sandbox_is_told(tmp_path: Path) -> None:
    from ftprep.errors import FtprepError

    home = tmp_path / "s"
    home.mkdir()
    (home / "sandbox.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(FtprepError, match=r"sandbox\.db"):
        Sandbox(home, pace=POLLS).start()
    (tmp_path / "file").write_text("x")
    with pytest.raises(FtprepError):
        Sandbox(tmp_path / "file", pace=POLLS).start()
