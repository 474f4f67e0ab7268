"""The server in a thread: who may come in, what is said to nonsense, and how time goes by."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from sandbox_runs import JOBS, POLLS, Make, ask, chats, job_of, look, send_file

from ftprep.errors import WriteError
from ftprep.sandbox.clocks import ManualClock, Pace
from ftprep.sandbox.server import Sandbox

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


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


@pytest.mark.parametrize("by", ["clock", "polls"])
def test_a_list_of_jobs_that_stand_still_writes_nothing(by: Literal["clock", "polls"], make: Make) -> None:
    import sqlite3

    server = make(pace=Pace(1000, 1000, 1000, by=by))
    file = send_file(server.url, chats())["id"]
    jobs = {job_of(server.url, file)["id"] for _ in range(5)}
    with closing(sqlite3.connect(server.folder / "sandbox.db")) as watching:
        (before,) = watching.execute("PRAGMA data_version").fetchone()
        for _ in range(3):
            assert {each["id"] for each in look(server.url, JOBS)["data"]} == jobs
        (after,) = watching.execute("PRAGMA data_version").fetchone()
    assert after == before


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
