"""A service on 127.0.0.1 that speaks as providers do: keeps files and jobs, fails on demand, counts what it made.

It stands in for OpenAI (also Azure's older route), Together and Fireworks. `journal` has each request that was carried
out; a fault of kind "lost", "late", "502" or "truncated" comes after the act, the others before it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

AFTER = ("lost", "late", "502", "truncated")
STATES = ("validating_files", "queued", "running", "succeeded")
LATE = 3.0
CSV = (
    "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    "1,2.5,0.3,,\n2,1.5,0.5,1.75,0.4\n3,0.75,0.9,,\n"
)


@dataclass
class Fault:
    """What goes wrong with requests to a path, `times` times."""

    kind: str
    path: str = "/fine_tuning/jobs"
    times: int = 1
    method: str = "POST"
    retry_after: str = ""
    body: dict[str, Any] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """A server that does not tell of clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke."""
        import sys

        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FakeService:
    """The service; `with` starts and stops it. `polls` is how often a job is asked for before it is over."""

    def __init__(self, faults: list[Fault] | None = None, polls: int = 3, keeps_metadata: bool = True) -> None:
        self.faults = faults or []
        self.polls, self.keeps_metadata = polls, keeps_metadata
        self.ends_as = "succeeded"
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.asked: dict[str, int] = {}
        self.journal: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self.lock = threading.RLock()
        self.waiting_polls = 0
        self.result = CSV.encode()
        self.extra_events: list[dict[str, Any]] = []

    def __enter__(self) -> FakeService:
        handler = type("Bound", (Handler,), {"service": self})
        self._server = Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def root(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Where it is, as OpenAI's base address."""
        return f"{self.root}/v1"

    @property
    def created(self) -> int:
        """Jobs that were made."""
        return len(self.jobs)

    def made(self, path: str) -> int:
        """POSTs to a path that were carried out."""
        return sum(1 for method, where in self.journal if method == "POST" and where.endswith(path))

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, which is used up by it."""
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.method == method and path.endswith(fault.path):
                    fault.times -= 1
                    return fault
        return None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    service: FakeService
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """GET."""
        self._serve()

    def do_POST(self) -> None:
        """POST."""
        self._serve()

    def do_PUT(self) -> None:
        """PUT."""
        self._serve()

    def do_DELETE(self) -> None:
        """DELETE."""
        self._serve()

    def _serve(self) -> None:
        try:
            self._answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self) -> None:
        where = urlsplit(self.path)
        data = self._body()
        service = self.service
        service.headers.append({k.lower(): v for k, v in self.headers.items()})
        fault = service.fault_for(self.command, where.path)
        if fault and fault.kind not in AFTER:
            self._before(fault)
            return
        with service.lock:
            status, said = Routes(service, data, parse_qs(where.query), self.headers).run(self.command, where.path)
            if status < 300 and self.command != "GET":
                service.journal.append((self.command, where.path))
        if fault is None:
            self._send(status, said)
        elif fault.kind == "lost":
            self.close_connection = True
        elif fault.kind == "late":
            time.sleep(LATE)
            self._send(status, said)
        elif fault.kind == "502":
            self._send(502, b"<html>Bad Gateway</html>", kind="text/html")
        else:
            self._send(status, said, cut=True)

    def _before(self, fault: Fault) -> None:
        if fault.kind == "dropped":
            self.close_connection = True
            return
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        status = int(fault.kind)
        body = fault.body or {"error": {"message": f"it says {status}", "type": "x", "param": None, "code": None}}
        self._send(status, body, headers)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(
        self,
        status: int,
        said: Any,
        headers: dict[str, str] | None = None,
        kind: str = "application/json",
        cut: bool = False,
    ) -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        sent = data[: len(data) // 2] if cut else data
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(sent)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)


def parts_of(data: bytes, content_type: str) -> dict[str, tuple[str, bytes]]:
    """The fields of a multipart body: file name and content."""
    edge = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    found = {}
    for piece in data.split(edge)[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        names = re.findall(rb'(file)?name="([^"]*)"', head)
        name = next(n.decode() for is_file, n in names if not is_file)
        file = next((n.decode() for is_file, n in names if is_file), "")
        found[name] = (file, content.removesuffix(b"\r\n"))
    return found


class Routes:
    """What a request does and says: status and body."""

    def __init__(self, service: FakeService, data: bytes, query: dict[str, list[str]], headers: Any) -> None:
        self.s, self.data, self.query, self.headers = service, data, query, headers

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.data or b"{}")

    def run(self, method: str, path: str) -> tuple[int, Any]:
        """Find the route and take it."""
        for pattern, name in _ROUTES:
            verb, _, where = pattern.partition(" ")
            match = re.fullmatch(where, unquote(path))
            if match and verb == method:
                answer: tuple[int, Any] = getattr(self, name)(*match.groups())
                return answer
        return 404, {"error": {"message": f"no {method} {path}", "code": "not_found"}}

    def add_file(self, name: str, content: bytes) -> dict[str, Any]:
        """Keep a file."""
        number = f"file-{len(self.s.files) + 1}"
        status = "uploaded" if self.s.waiting_polls else "processed"
        made = {"id": number, "object": "file", "bytes": len(content), "created_at": int(time.time())}
        self.s.files[number] = made | {"filename": name, "purpose": "fine-tune", "status": status}
        self.s.contents[number] = content
        return self.s.files[number]

    def post_file(self) -> tuple[int, Any]:
        """POST /files."""
        fields = parts_of(self.data, self.headers["Content-Type"])
        assert fields["purpose"][1] == b"fine-tune"
        return 200, self.add_file(*fields["file"])

    def get_file(self, number: str) -> tuple[int, Any]:
        """GET /files/ID."""
        if number not in self.s.files:
            return 404, {"error": {"message": "no such file", "code": "not_found"}}
        self.s.waiting_polls -= 1
        if self.s.waiting_polls <= 0:
            self.s.files[number]["status"] = "processed"
        return 200, self.s.files[number]

    def list_files(self) -> tuple[int, Any]:
        """GET /files."""
        return 200, {"object": "list", "data": list(self.s.files.values())[::-1], "has_more": False}

    def content(self, _number: str) -> tuple[int, Any]:
        """GET /files/ID/content."""
        return 200, self.s.result

    def start_upload(self) -> tuple[int, Any]:
        """POST /uploads."""
        number = f"upload-{len(self.s.uploads) + 1}"
        self.s.uploads[number] = {"said": self.json, "parts": {}}
        return 200, {"id": number, "object": "upload", "status": "pending", **self.json}

    def add_part(self, number: str) -> tuple[int, Any]:
        """POST /uploads/ID/parts."""
        parts = self.s.uploads[number]["parts"]
        name = f"part-{len(parts) + 1}"
        parts[name] = parts_of(self.data, self.headers["Content-Type"])["data"][1]
        return 200, {"id": name, "object": "upload.part", "upload_id": number, "created_at": 1}

    def end_upload(self, number: str) -> tuple[int, Any]:
        """POST /uploads/ID/complete."""
        import hashlib

        upload = self.s.uploads[number]
        content = b"".join(upload["parts"][name] for name in self.json["part_ids"])
        if len(content) != upload["said"]["bytes"] or hashlib.md5(content).hexdigest() != self.json["md5"]:
            return 400, {"error": {"message": "bytes do not match", "code": "invalid"}}
        file = self.add_file(upload["said"]["filename"], content)
        return 200, {"id": number, "object": "upload", "status": "completed", "file": file}

    def post_job(self) -> tuple[int, Any]:
        """POST /fine_tuning/jobs."""
        said = self.json
        self.s.bodies.append(said)
        if said.get("training_file") not in self.s.files:
            return 400, {"error": {"message": "no such training file", "code": "invalid_training_file"}}
        number = f"ftjob-{len(self.s.jobs) + 1}"
        metadata = said.get("metadata") if self.s.keeps_metadata else None
        made = {"id": number, "object": "fine_tuning.job", "created_at": int(time.time()), "status": STATES[0]}
        self.s.jobs[number] = {**said, "metadata": metadata, **made, "result_files": [], "seed": 1, "error": None}
        return 200, self.s.jobs[number]

    def list_jobs(self) -> tuple[int, Any]:
        """GET /fine_tuning/jobs, newest first, in pages of two."""
        listed = list(self.s.jobs.values())[::-1]
        after = self.query.get("after", [""])[0]
        if after:
            listed = listed[[each["id"] for each in listed].index(after) + 1 :]
        return 200, {"object": "list", "data": listed[:2], "has_more": len(listed) > 2}

    def get_job(self, number: str) -> tuple[int, Any]:
        """GET /fine_tuning/jobs/ID: it goes on by being asked for."""
        if number not in self.s.jobs:
            return 404, {"error": {"message": "no such job", "code": "not_found"}}
        job = self.s.jobs[number]
        if job["status"] not in ("cancelled", "paused", "failed", "succeeded"):
            asked = self.s.asked[number] = self.s.asked.get(number, 0) + 1
            job["status"] = STATES[min(3, asked * 3 // max(1, self.s.polls))]
            if job["status"] == "succeeded":
                job["status"] = self.s.ends_as
                job |= {"finished_at": int(time.time()), "trained_tokens": 1234, "result_files": ["file-result"]}
                job["fine_tuned_model"] = f"ft:{job['model']}:org:x:{number}" if self.s.ends_as == "succeeded" else None
        return 200, job

    def change(self, number: str, what: str) -> tuple[int, Any]:
        """POST /fine_tuning/jobs/ID/cancel, pause, resume."""
        self.s.jobs[number]["status"] = {"cancel": "cancelled", "pause": "paused", "resume": "running"}[what]
        return 200, self.s.jobs[number]

    def events(self, number: str) -> tuple[int, Any]:
        """GET /fine_tuning/jobs/ID/events: newest first, in pages of two, ids new each time as at Azure."""
        listed: list[dict[str, Any]] = [
            {"created_at": 1, "level": "info", "message": "Created fine-tuning job", "type": "message"}
        ]
        for step in range(1, self.s.asked.get(number, 0) + 1):
            data = {"step": step, "total_steps": self.s.polls, "train_loss": round(3 / step, 3)}
            said = f"Step {step}/{self.s.polls}: training loss={3 / step:.2f}"
            listed.append({"created_at": 1 + step, "level": "info", "message": said, "type": "metrics", "data": data})
        listed += self.s.extra_events
        listed = [
            {"id": f"e{i}-{time.time_ns()}", "object": "fine_tuning.job.event", **e} for i, e in enumerate(listed)
        ]
        listed = sorted(listed, key=lambda e: e["created_at"])[::-1]
        start = 0
        if after := self.query.get("after", [""])[0]:
            start = len(listed) - int(after[1:].split("-")[0])
        return 200, {"object": "list", "data": listed[start : start + 2], "has_more": start + 2 < len(listed)}

    def checkpoints(self, number: str) -> tuple[int, Any]:
        """GET /fine_tuning/jobs/ID/checkpoints."""
        metrics = {"step": 2, "train_loss": 1.5, "valid_loss": None}
        made = {"id": "ftckpt-1", "created_at": 5, "step_number": 2, "metrics": metrics, "fine_tuning_job_id": number}
        one = {**made, "fine_tuned_model_checkpoint": "ft:m:org::c:ckpt-step-2", "object": "x"}
        return 200, {"object": "list", "data": [one], "has_more": False}

    def models(self) -> tuple[int, Any]:
        """GET /models."""
        names = ["gpt-base", *(j["fine_tuned_model"] for j in self.s.jobs.values() if j.get("fine_tuned_model"))]
        return 200, {
            "object": "list",
            "data": [{"id": n, "object": "model", "owned_by": "o", "created": 1} for n in names],
        }

    def delete_model(self, name: str) -> tuple[int, Any]:
        """DELETE /models/NAME."""
        return 200, {"id": name, "object": "model", "deleted": True}

    def together_file(self) -> tuple[int, Any]:
        """POST /files/upload."""
        fields = parts_of(self.data, self.headers["Content-Type"])
        return 200, self.add_file(fields["file_name"][1].decode(), fields["file"][1]) | {
            "processing_status": "COMPLETED"
        }

    def together_job(self) -> tuple[int, Any]:
        """POST /fine-tunes."""
        said = self.json
        self.s.bodies.append(said)
        number = f"ft-{len(self.s.jobs) + 1}"
        made = {"id": number, "status": "pending", "created_at": "2026-11-20T10:00:00Z", "user_id": "u"}
        name = f"org/{said.get('model')}-{said['suffix']}-abcdef"
        kept = {k: v for k, v in said.items() if k in ("model", "training_file", "n_epochs")}
        made["created_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.s.jobs[number] = {**kept, **made, "model_output_name": name, "events": []}
        return 200, self.s.jobs[number]

    def together_jobs(self) -> tuple[int, Any]:
        """GET /fine-tunes."""
        return 200, {"data": list(self.s.jobs.values())}

    def together_get(self, number: str) -> tuple[int, Any]:
        """GET /fine-tunes/ID."""
        self.s.jobs[number]["status"] = "completed"
        return 200, self.s.jobs[number]

    def together_events(self, _number: str) -> tuple[int, Any]:
        """GET /fine-tunes/ID/events."""
        made = {"object": "fine-tune-event", "created_at": "2026-11-20T10:00:00Z", "type": "training_start"}
        return 200, {"data": [{**made, "level": "legacy_info", "message": "Training started", "step": 1}]}

    def together_metrics(self, _number: str) -> tuple[int, Any]:
        """GET /fine-tunes/ID/metrics."""
        return 200, {
            "metrics": [{"train/global_step": 1.0, "train/loss": 2.0}, {"train/global_step": 2.0, "train/loss": 1.0}]
        }

    def dataset(self) -> tuple[int, Any]:
        """POST /accounts/A/datasets."""
        number = self.json["datasetId"]
        if number in self.s.files:
            return 409, {"code": 6, "message": "AlreadyExists"}
        self.s.files[number] = {"name": number, "state": "UPLOADING"}
        return 200, self.s.files[number]

    def dataset_upload(self, number: str) -> tuple[int, Any]:
        """POST /accounts/A/datasets/ID:upload."""
        self.s.contents[number] = parts_of(self.data, self.headers["Content-Type"])["file"][1]
        self.s.files[number]["state"] = "READY"
        return 200, {}

    def dataset_get(self, number: str) -> tuple[int, Any]:
        """GET /accounts/A/datasets/ID."""
        return (200, self.s.files[number]) if number in self.s.files else (404, {"message": "NotFound"})

    def fireworks_job(self) -> tuple[int, Any]:
        """POST /accounts/A/supervisedFineTuningJobs?supervisedFineTuningJobId=ID."""
        number = self.query["supervisedFineTuningJobId"][0]
        self.s.bodies.append(self.json)
        if number in self.s.jobs:
            return 409, {"code": 6, "message": "AlreadyExists"}
        name = f"accounts/acme/supervisedFineTuningJobs/{number}"
        self.s.jobs[number] = {**self.json, "name": name, "state": "JOB_STATE_CREATING"}
        return 200, self.s.jobs[number]

    def fireworks_get(self, number: str) -> tuple[int, Any]:
        """GET /accounts/A/supervisedFineTuningJobs/ID."""
        if number not in self.s.jobs:
            return 404, {"message": "NotFound"}
        return 200, self.s.jobs[number]


_ROUTES = (
    ("POST .*/v1/files", "post_file"),
    ("GET .*/files", "list_files"),
    ("POST .*/openai/files", "post_file"),
    ("POST .*/files/upload", "together_file"),
    (r"GET .*/files/([\w-]+)/content", "content"),
    (r"GET .*/files/([\w-]+)", "get_file"),
    ("POST .*/uploads", "start_upload"),
    (r"POST .*/uploads/([\w-]+)/parts", "add_part"),
    (r"POST .*/uploads/([\w-]+)/complete", "end_upload"),
    ("POST .*/fine_tuning/jobs", "post_job"),
    ("GET .*/fine_tuning/jobs", "list_jobs"),
    (r"GET .*/fine_tuning/jobs/([\w-]+)", "get_job"),
    (r"POST .*/fine_tuning/jobs/([\w-]+)/(cancel|pause|resume)", "change"),
    (r"GET .*/fine_tuning/jobs/([\w-]+)/events", "events"),
    (r"GET .*/fine_tuning/jobs/([\w-]+)/checkpoints", "checkpoints"),
    ("GET .*/models", "models"),
    (r"DELETE .*/models/(.+)", "delete_model"),
    ("POST /v1/fine-tunes", "together_job"),
    ("GET /v1/fine-tunes", "together_jobs"),
    (r"GET /v1/fine-tunes/([\w-]+)", "together_get"),
    (r"GET /v1/fine-tunes/([\w-]+)/events", "together_events"),
    (r"GET /v1/fine-tunes/([\w-]+)/metrics", "together_metrics"),
    ("POST /v1/accounts/acme/datasets", "dataset"),
    (r"POST /v1/accounts/acme/datasets/([\w-]+):upload", "dataset_upload"),
    (r"GET /v1/accounts/acme/datasets/([\w-]+)", "dataset_get"),
    ("POST /v1/accounts/acme/supervisedFineTuningJobs", "fireworks_job"),
    (r"GET /v1/accounts/acme/supervisedFineTuningJobs/([\w-]+)", "fireworks_get"),
)
