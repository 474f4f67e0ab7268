"""What the tests of the sandbox share: requests with nothing but the standard library, and sets to send."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from ftprep.sandbox.clocks import Pace
from ftprep.sandbox.server import Sandbox

for _package in ("uvicorn", "starlette", "multipart"):
    pytest.importorskip(_package, reason="the sandbox needs ftprep[sandbox]")

JOBS = "/v1/fine_tuning/jobs"
POLLS = Pace(1, 1, 2, by="polls")
Make = Callable[..., Sandbox]


def ask(
    url: str, method: str, path: str, body: Any = None, key: str | None = "any", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request; status, headers in lower case, body. Raises OSError or HTTPException where no answer comes."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    sent = dict(headers or {})
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    if body is not None and not isinstance(body, bytes):
        body, sent["content-type"] = json.dumps(body).encode(), "application/json"
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def form(fields: dict[str, str], data: bytes | None, name: str = "set.jsonl", part: str = "file") -> tuple[bytes, str]:
    """A multipart body and its content type."""
    boundary = "a-boundary-that-stands-nowhere-else"
    pieces = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    body = "".join(pieces).encode()
    if data is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        head += "Content-Type: application/jsonl\r\n\r\n"  # without it, Prism falls over
        body += head.encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def send_file(url: str, data: bytes, purpose: str = "fine-tune", prefix: str = "/v1") -> dict[str, Any]:
    """Upload a file with nothing but the standard library."""
    body, kind = form({"purpose": purpose}, data)
    status, _, answer = ask(url, "POST", f"{prefix}/files", body, headers={"content-type": kind})
    assert status in (200, 201), answer
    found: dict[str, Any] = json.loads(answer)
    return found


def chats(count: int = 40) -> bytes:
    """A set of chats with two classes of answers that words of the question tell."""
    good, bad = ("great", "lovely", "superb"), ("awful", "dreadful", "terrible")
    lines = []
    for at in range(count):
        word = (good if at % 2 else bad)[at % 3]
        said = f"Item {at}: it was {word} and the rest was as one would expect"
        answer = "positive" if at % 2 else "negative"
        messages = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
        lines.append(json.dumps({"messages": messages}))
    return "\n".join(lines).encode() + b"\n"


def uploaded(client: Any, data: bytes | None = None, name: str = "set.jsonl") -> str:
    return str(client.files.create(file=(name, data or chats()), purpose="fine-tune").id)


def finished(client: Any, job_id: str) -> Any:
    for _ in range(20):
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
    raise AssertionError(job)


def tuned(client: Any, data: bytes | None = None, model: str = "gpt-4o-mini", **more: Any) -> Any:
    job = client.fine_tuning.jobs.create(model=model, training_file=uploaded(client, data), seed=1, **more)
    return finished(client, job.id)


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
