"""The profiles of Together and Fireworks: over plain HTTP, and with their own SDKs where these are installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import Make, ask, chats, form

from ftprep.cli.sandbox import PROFILES as CHOICES
from ftprep.sandbox.profiles import PROFILES
from ftprep.sandbox.server import Sandbox

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback

HOME = "/v1/accounts/me"
JOBS = f"{HOME}/supervisedFineTuningJobs"


def said(server: Sandbox, method: str, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    code, _, answer = ask(server.url, method, path, body)
    assert code == status, answer
    found: dict[str, Any] = json.loads(answer)
    return found


def sent(server: Sandbox, path: str, fields: dict[str, str], data: bytes, status: int = 200) -> dict[str, Any]:
    body, kind = form(fields, data)
    code, _, answer = ask(server.url, "POST", path, body, headers={"content-type": kind})
    assert code == status, answer
    found: dict[str, Any] = json.loads(answer)
    return found


def test_the_command_offers_the_profiles_that_there_are() -> None:
    assert tuple(PROFILES) == CHOICES


def test_together_goes_its_own_way(make: Make) -> None:
    server = make(profile="together")
    file = sent(server, "/v1/files/upload", {"purpose": "fine-tune", "file_name": "a.jsonl"}, chats())
    assert (file["processing_status"], file["validation_report"]["valid"]) == ("COMPLETED", True)
    body = {"model": "Qwen3.5-4B", "training_file": file["id"], "suffix": "mood", "n_epochs": 2, "wandb_key": "secret"}
    job = said(server, "POST", "/v1/fine-tunes", body)
    assert job["status"] == "pending"
    states = [said(server, "GET", f"/v1/fine-tunes/{job['id']}")["status"] for _ in range(4)]
    assert states == ["queued", "running", "running", "completed"]
    job = said(server, "GET", f"/v1/fine-tunes/{job['id']}")
    assert "mood" in job["model_output_name"]
    assert "secret" not in json.dumps(job)
    events = said(server, "GET", f"/v1/fine-tunes/{job['id']}/events")["data"]
    assert [events[0]["type"], events[-1]["type"]] == ["job_pending", "job_complete"]
    assert len(said(server, "GET", f"/v1/fine-tunes/{job['id']}/checkpoints")["data"]) == 2
    assert said(server, "GET", f"/v1/fine-tunes/{job['id']}/metrics")["metrics"][0]["train_loss"] > 0
    assert [each["id"] for each in said(server, "GET", "/v1/fine-tunes")["data"]] == [job["id"]]
    asked = {"model": job["model_output_name"], "messages": [{"role": "user", "content": "superb"}], "temperature": 0}
    answer = said(server, "POST", "/v1/chat/completions", asked)
    assert answer["choices"][0]["message"]["content"] == "positive"
    for wrong in ({"n_epochs": 0}, {"suffix": "s" * 41}, {"epochs": 1}, {"training_method": "kto"}):
        said(server, "POST", "/v1/fine-tunes", body | wrong, status=400)
    said(server, "POST", f"/v1/fine-tunes/{job['id']}/cancel", status=400)


def test_together_takes_the_same_content_once(make: Make) -> None:
    import hashlib

    server = make(profile="together")
    fields = {"purpose": "fine-tune", "file_name": "a.jsonl", "checksum": hashlib.sha256(chats()).hexdigest()}
    file = sent(server, "/v1/files/upload", fields, chats())
    assert sent(server, "/v1/files/upload", fields, chats(), status=409)["file_id"] == file["id"]


def test_together_by_its_own_sdk(make: Make, tmp_path: Path) -> None:
    together = pytest.importorskip("together")
    server = make(profile="together")
    path = tmp_path / "set.jsonl"
    path.write_bytes(chats())
    with together.Together(api_key="any", base_url=server.base_url, max_retries=0) as client:
        file = client.files.upload(path, purpose="fine-tune", check=False)
        assert client.files.upload(path, purpose="fine-tune", check=False).id == file.id
        named = {"lora": True, "lora_r": 8, "lora_alpha": 16}
        job = client.fine_tuning.create(training_file=file.id, model="Qwen3.5-4B", suffix="x", n_epochs=1, **named)
        for _ in range(5):
            job = client.fine_tuning.retrieve(job.id)
        assert job.status == "completed"
        assert [each.id for each in client.fine_tuning.list().data] == [job.id]
        assert client.fine_tuning.list_events(job.id).data


def dataset(server: Sandbox, name: str, data: bytes) -> None:
    made = said(server, "POST", f"{HOME}/datasets", {"datasetId": name, "dataset": {"format": "CHAT"}})
    assert made["state"] == "UPLOADING"
    sent(server, f"{HOME}/datasets/{name}:upload", {}, data)
    assert said(server, "GET", f"{HOME}/datasets/{name}")["state"] == "READY"


def test_fireworks_lets_the_client_choose_the_id_of_a_job(make: Make) -> None:
    server = make(profile="fireworks")
    dataset(server, "mood", chats())
    body = {"dataset": "accounts/me/datasets/mood", "baseModel": "accounts/fireworks/models/qwen3-4b", "epochs": 2}
    path = f"{JOBS}?supervisedFineTuningJobId=mine"
    job = said(server, "POST", path, body)
    assert (job["name"], job["state"]) == ("accounts/me/supervisedFineTuningJobs/mine", "JOB_STATE_VALIDATING")
    assert "already exists" in said(server, "POST", path, body, status=409)["error"]["message"]
    states = [said(server, "GET", f"{JOBS}/mine")["state"] for _ in range(4)]
    assert states[1:] == ["JOB_STATE_RUNNING", "JOB_STATE_RUNNING", "JOB_STATE_COMPLETED"]
    job = said(server, "GET", f"{JOBS}/mine")
    asked = {"model": job["outputModel"], "messages": [{"role": "user", "content": "dreadful"}], "temperature": 0}
    for prefix in ("/v1", "/inference/v1"):
        answer = said(server, "POST", f"{prefix}/chat/completions", asked)
        assert answer["choices"][0]["message"]["content"] == "negative"
    assert said(server, "GET", f"{HOME}/models")["models"][0]["name"] == job["outputModel"]
    for wrong in ({"batchSize": 4}, {"loraRank": 7}, {"baseModel": None}, {"dataset": "nowhere"}, {"rank": 8}):
        code = ask(server.url, "POST", JOBS, body | wrong)[0]
        assert code in (400, 404), wrong
    assert len(said(server, "GET", JOBS)["supervisedFineTuningJobs"]) == 1


def test_fireworks_takes_contents_at_signed_addresses(make: Make) -> None:
    server = make(profile="fireworks")
    said(server, "POST", f"{HOME}/datasets", {"datasetId": "big", "dataset": {}})
    sizes = {"filenameToSize": {"a.jsonl": "5"}}
    url = said(server, "POST", f"{HOME}/datasets/big:getUploadEndpoint", sizes)["filenameToSignedUrls"]["a.jsonl"]
    said(server, "POST", f"{HOME}/datasets/big:validateUpload", {}, status=400)
    address = url.removeprefix(server.url)
    assert ask(server.url, "PUT", address, chats(), key=None)[0] == 200
    assert ask(server.url, "PUT", address, chats(), key=None)[0] == 403
    said(server, "POST", f"{HOME}/datasets/big:validateUpload", {})
    assert said(server, "GET", f"{HOME}/datasets/big")["state"] == "READY"


def test_fireworks_wants_three_rows(make: Make) -> None:
    server = make(profile="fireworks")
    dataset(server, "few", chats(2))
    said(server, "POST", f"{JOBS}?supervisedFineTuningJobId=few", {"dataset": "few", "baseModel": "qwen3-4b"})
    job = said(server, "GET", f"{JOBS}/few")
    assert job["state"] == "JOB_STATE_FAILED"
    assert "at least 3" in job["status"]["message"]


def test_fireworks_by_its_own_sdk(make: Make) -> None:
    fireworks = pytest.importorskip("fireworks")
    server = make(profile="fireworks")
    with fireworks.Fireworks(api_key="any", account_id="me", base_url=server.base_url, max_retries=0) as client:
        client.datasets.create(dataset_id="mood", dataset={"format": "CHAT"})
        client.datasets.upload("mood", file=("a.jsonl", chats()))
        named = {"dataset": "accounts/me/datasets/mood", "base_model": "accounts/fireworks/models/qwen3-4b"}
        job_id = "of-the-sdk"
        client.supervised_fine_tuning_jobs.create(**named, supervised_fine_tuning_job_id=job_id)
        with pytest.raises(fireworks.ConflictError):
            client.supervised_fine_tuning_jobs.create(**named, supervised_fine_tuning_job_id=job_id)
        for _ in range(5):
            job = client.supervised_fine_tuning_jobs.get(job_id)
        assert job.state == "JOB_STATE_COMPLETED"
        assert len(list(client.supervised_fine_tuning_jobs.list())) == 1
