"""Faults on demand: what a client sees, what the server did, and what the journal says of it."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest
from sandbox_runs import Make, ask, chats, send_file

from ftprep.errors import UsageError
from ftprep.sandbox.faults import KINDS, Faults
from ftprep.sandbox.journal import read_journal
from ftprep.sandbox.server import Sandbox

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback

JOBS = "/v1/fine_tuning/jobs"


def jobs_made(server: Sandbox) -> int:
    return sum(line["what"] == "made" and line["kind"] == "job" for line in read_journal(server.folder))


def post_job(server: Sandbox) -> tuple[int, dict[str, str], bytes]:
    file = send_file(server.url, chats())
    return ask(server.url, "POST", JOBS, {"model": "gpt-4o-mini", "training_file": file["id"]})


def plan(fault: str, **more: Any) -> list[dict[str, Any]]:
    return [{"fault": fault, "method": "POST", "path": JOBS, **more}]


# What the client gets (a status, or the error of a broken connection), and how many jobs there are then.
CASES: dict[str, tuple[dict[str, Any], Any, int]] = {
    "refuse": ({}, (OSError, http.client.HTTPException), 0),
    "lost": ({}, (OSError, http.client.HTTPException), 1),
    "cut": ({}, http.client.IncompleteRead, 1),
    "status": ({"status": 429, "retry_after": 7}, 429, 0),
    "status_after": ({"status": 502}, 502, 1),
    "slow": ({"delay": 0.2}, 200, 1),
    "late": ({"delay": 0.2}, 200, 1),
    "fail_job": ({"message": "no luck"}, 200, 1),
    "truncate": ({}, 200, 1),
}


def test_every_fault_is_tried() -> None:
    assert CASES.keys() == KINDS.keys()


@pytest.mark.parametrize("fault", CASES)
def test_a_fault_strikes_once_and_does_what_it_says(make: Make, fault: str) -> None:
    more, expected, made = CASES[fault]
    server = make(faults=plan(fault, **more))
    since = time.monotonic()
    if isinstance(expected, int):
        status, headers, body = post_job(server)
        assert status == expected
        assert headers.get("retry-after") == ("7" if fault == "status" else None)
        if fault == "truncate":
            with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
                json.loads(body)
        elif status >= 400:
            assert json.loads(body)["error"].keys() == {"message", "type", "param", "code"}
    else:
        with pytest.raises(expected):
            post_job(server)
    if fault in ("slow", "late"):
        assert time.monotonic() - since >= 0.2
    assert jobs_made(server) == made
    struck = [line for line in read_journal(server.folder) if line.get("fault")]
    assert [(line["fault"], line["path"]) for line in struck] == [(fault, JOBS)]
    assert struck[0]["answered"] is (fault not in ("refuse", "lost", "cut"))
    assert post_job(server)[0] == 200
    assert jobs_made(server) == made + 1


def test_a_job_that_is_to_fail_fails_half_way(make: Make) -> None:
    server = make(faults=plan("fail_job", message="the machine caught fire"))
    job = json.loads(post_job(server)[2])
    seen = [json.loads(ask(server.url, "GET", f"{JOBS}/{job['id']}")[2]) for _ in range(4)]
    assert [each["status"] for each in seen] == ["queued", "running", "failed", "failed"]
    assert seen[-1]["error"]["message"] == "the machine caught fire"


def test_the_sdk_by_default_makes_two_jobs_of_one_lost_reply(make: Make) -> None:
    openai = pytest.importorskip("openai")
    server = make(faults=plan("lost"))
    file = send_file(server.url, chats())
    with openai.OpenAI(base_url=server.base_url, api_key="any") as client:
        client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file["id"])
    assert jobs_made(server) == 2


def test_the_plan_is_changed_while_the_server_runs(make: Make) -> None:
    server = make()
    skip = [{"fault": "status", "status": 503, "path": "/v1/*", "times": 2, "skip": 1}]
    assert ask(server.url, "PUT", "/_sandbox/faults", skip)[0] == 200
    assert [ask(server.url, "GET", "/v1/files")[0] for _ in range(4)] == [200, 503, 503, 200]
    ask(server.url, "POST", "/_sandbox/faults", {"fault": "status", "status": 401, "times": None})
    assert [ask(server.url, "GET", "/v1/files")[0] for _ in range(3)] == [401] * 3
    assert json.loads(ask(server.url, "DELETE", "/_sandbox/faults")[2]) == {"faults": []}
    assert ask(server.url, "GET", "/v1/files")[0] == 200
    status, _, body = ask(server.url, "POST", "/_sandbox/faults", [{"fault": "nonsense"}])
    assert status == 400
    assert "nonsense" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    "wrong",
    [
        "x",
        3,
        [3],
        [{}],
        [{"fault": "slow", "delay": "1"}],
        [{"fault": "slow", "delay": -1}],
        [{"fault": "status", "status": 99}],
        [{"fault": "lost", "often": 2}],
        [{"fault": "lost", "times": True}],
        [{"fault": "lost", "path": None}],
    ],
)
def test_a_plan_that_does_not_hold_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        Faults(wrong)
