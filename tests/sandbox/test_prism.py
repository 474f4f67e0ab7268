"""Replies conform to OpenAI's own document: Stoplight Prism stands between as a proxy and must find nothing wrong.

Runs where node and Prism are (`prism` on the path, or FTPREP_PRISM), and the document is in the folder `spec` of
FTPREP_SHARED, or of `shared` beside the project.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import Make, ask, chats, form

pytest_plugins = ("sandbox_fixtures",)

SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[3] / "shared")
SPEC = SHARED / "spec" / "openai-files-and-fine-tuning.openapi.yaml"
PRISM = os.environ.get("FTPREP_PRISM") or shutil.which("prism")

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.slow,
    pytest.mark.skipif(not PRISM, reason="Prism is not here: npm install -g @stoplight/prism-cli, or set FTPREP_PRISM"),
    pytest.mark.skipif(not SPEC.is_file(), reason="OpenAI's document is not here: set FTPREP_SHARED"),
]


@pytest.fixture
def proxy(make: Make) -> Iterator[str]:
    """Address of Prism before a sandbox."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    upstream = f"{make().url}/v1"
    command = [
        str(PRISM),
        "proxy",
        str(SPEC),
        upstream,
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--errors",
        "false",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                ask(url, "GET", "/models")
                break
            except OSError:
                assert process.poll() is None, "Prism ended at its start"
                time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


class Seen:
    """Requests by the proxy; what it finds wrong with the answers is kept."""

    def __init__(self, url: str) -> None:
        self.url, self.wrong, self.count = url, [], 0  # type: ignore[var-annotated]

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        status, told, answer = ask(self.url, method, path, body, headers=headers)
        assert status < 400, answer
        self.count += 1
        found = json.loads(told.get("sl-violations", "[]"))
        self.wrong += [(method, path, each) for each in found if each["location"][0] == "response"]
        return json.loads(answer) if "json" in told.get("content-type", "") else answer

    def send(self, path: str, fields: dict[str, str], data: bytes, part: str = "file") -> Any:
        body, kind = form(fields, data, part=part)
        return self("POST", path, body, {"content-type": kind})


def test_the_proxy_would_see_a_wrong_answer(proxy: str) -> None:
    status, told, _ = ask(proxy, "GET", "/fine_tuning/jobs/nowhere")
    assert status == 404
    assert "sl-violations" in told, "an answer that the document does not have must be told"


def test_every_answer_is_as_the_document_says(proxy: str) -> None:
    ask_for = Seen(proxy)
    train = ask_for.send("/files", {"purpose": "fine-tune"}, chats())
    valid = ask_for.send("/files", {"purpose": "fine-tune"}, chats(12))
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    body = {"model": "gpt-4o-mini", "training_file": train["id"], "validation_file": valid["id"], "method": method}
    wandb = [{"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}]
    job = ask_for("POST", "/fine_tuning/jobs", {**body, "suffix": "x", "metadata": {"a": "b"}, "integrations": wandb})
    name = f"/fine_tuning/jobs/{job['id']}"
    for _ in range(5):
        job = ask_for("GET", name)
    assert job["status"] == "succeeded"
    for path in (f"{name}/events?limit=100", f"{name}/checkpoints", "/fine_tuning/jobs?limit=5", "/models", "/files"):
        ask_for("GET", path)
    ask_for("GET", f"/files/{train['id']}")
    ask_for("GET", f"/files/{job['result_files'][0]}")
    ask_for("GET", f"/models/{job['fine_tuned_model']}")
    ask_for("DELETE", f"/models/{job['fine_tuned_model']}")
    bad = ask_for.send("/files", {"purpose": "fine-tune"}, b'{"messages": []}\n' * 12)
    failing = ask_for("POST", "/fine_tuning/jobs", {"model": "gpt-4o-mini", "training_file": bad["id"]})
    assert ask_for("GET", f"/fine_tuning/jobs/{failing['id']}")["error"]["code"] == "invalid_training_file"
    other = ask_for("POST", "/fine_tuning/jobs", body)
    ask_for("GET", f"/fine_tuning/jobs/{other['id']}")
    ask_for("POST", f"/fine_tuning/jobs/{other['id']}/cancel", {})
    about = {"filename": "a.jsonl", "purpose": "fine-tune", "bytes": len(chats()), "mime_type": "text/jsonl"}
    upload = ask_for("POST", "/uploads", about)
    part = ask_for.send(f"/uploads/{upload['id']}/parts", {}, chats(), part="data")
    ask_for("POST", f"/uploads/{upload['id']}/complete", {"part_ids": [part["id"]]})
    gone = ask_for("POST", "/uploads", about)
    ask_for("POST", f"/uploads/{gone['id']}/cancel", {})
    ask_for("DELETE", f"/files/{valid['id']}")
    assert ask_for.count >= 25
    assert ask_for.wrong == []
