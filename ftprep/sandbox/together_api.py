"""Together's API: files with a checksum, fine-tunes, limits of models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ftprep.sandbox import bounds
from ftprep.sandbox.app import SIGNED
from ftprep.sandbox.files import Files
from ftprep.sandbox.house import ORG, Call, House, Reply, new_id
from ftprep.sandbox.jobs import Jobs
from ftprep.sandbox.models import Models
from ftprep.sandbox.problems import Refusal, bad
from ftprep.targets import find_target

MOST_FILE = int(50.1 * (1 << 30))
NUMBERS = (
    *("n_epochs", "n_evals", "n_checkpoints", "batch_size", "learning_rate", "warmup_ratio"),
    *("max_grad_norm", "weight_decay"),
)
KEYS = (
    *("training_file", "validation_file", "packing", "model", *NUMBERS, "lr_scheduler", "max_seq_length", "suffix"),
    *("gradient_accumulation_steps", "wandb_key", "wandb_base_url", "wandb_project_name", "wandb_name"),
    *("wandb_entity", "random_seed", "early_stopping_enabled", "early_stopping_patience", "early_stopping_min_delta"),
    *("early_stopping_warmup_evals", "training_type", "training_method", "from_checkpoint", "multimodal_params"),
    *("from_hf_model", "hf_model_revision", "hf_api_token", "hf_output_repo_name", "train_on_inputs", "lora"),
)
_SECRET = ("wandb_key", "hf_api_token")
_TAGS = {
    "created": "job_pending",
    "started": "training_start",
    "checkpoint": "checkpoint_save",
    "succeeded": "job_complete",
    "error": "job_error",
    "cancelled": "job_stopped",
    "metrics": "",
}


class TogetherApi:
    """The handlers: each takes a call and gives a reply, or raises a Refusal."""

    def __init__(self, house: House, files: Files, jobs: Jobs, models: Models) -> None:
        self.house, self.files, self.jobs, self.models = house, files, jobs, models

    # Files

    def upload(self, call: Call) -> Reply:
        """POST /files/upload"""
        self._check_form(call)
        if call.upload is None:
            raise bad("'file' is missing", "file")
        if known := self._known(call.form.get("checksum", "")):
            return known
        name = call.form.get("file_name") or call.upload[0]
        return Reply(self.file_view(self.files.add(name, [call.upload[1]], "fine-tune", most=MOST_FILE)))

    def presign(self, call: Call) -> Reply:
        """POST /files: where to put the content, which is looked at once it is there."""
        said = call.form or call.json
        if known := self._known(str(said.get("checksum") or "")):
            return known
        name, token = str(said.get("file_name") or "file.jsonl"), new_id("", 40)
        ticket = {"id": token, "file": new_id("file-", 22), "name": name}
        self.house.store.put("ticket", ticket)
        headers = {"location": f"{call.origin}{SIGNED}{token}", "x-together-file-id": ticket["file"]}
        return Reply({}, 302, headers=headers)

    def put(self, call: Call) -> Reply:
        """PUT /signed/{token}"""
        ticket = self.house.store.get("ticket", call.names["token"])
        if ticket is None or call.upload is None:
            raise Refusal(403, "This address is not valid")
        self.files.add(ticket["name"], [call.upload[1]], "fine-tune", file_id=ticket["file"], most=MOST_FILE)
        self.house.store.delete("ticket", ticket["id"])
        return Reply(b"", kind="text/plain")

    def _check_form(self, call: Call) -> None:
        purpose = call.form.get("purpose", "fine-tune")
        if purpose not in ("fine-tune", "eval", "batch-api"):
            raise bad(f"'purpose' cannot be {purpose!r}", "purpose")

    def _known(self, checksum: str) -> Reply | None:
        """What is said of a content that is there already."""
        for file in self.files.all() if checksum else ():
            if file["sha256"] == checksum and file["purpose"] == "fine-tune":
                error = Refusal(409, "A file with this content exists already", "file_exists").body()
                return Reply({**error, "file_id": file["id"]}, 409)
        return None

    def list_files(self, _call: Call) -> Reply:
        """GET /files"""
        return Reply({"object": "list", "data": [self.file_view(each) for each in self.files.all()[::-1]]})

    def get_file(self, call: Call) -> Reply:
        """GET /files/{id}, and POST /files/{id}/preprocess after an upload"""
        return Reply(self.file_view(self.files.find(call.names["file_id"], polled=call.method == "GET")))

    def delete_file(self, call: Call) -> Reply:
        """DELETE /files/{id}"""
        self.files.delete(call.names["file_id"])
        return Reply({"id": call.names["file_id"], "deleted": True})

    def file_content(self, call: Call) -> Reply:
        """GET /files/{id}/content"""
        file = self.files.find(call.names["file_id"])
        return Reply(self.house.store.blob(file["id"]), kind="application/octet-stream")

    def file_view(self, file: dict[str, Any]) -> dict[str, Any]:
        """A file in Together's words."""
        status = self.house.profile.file_status(file["state"])
        shown = {"id": file["id"], "object": "file", "bytes": file["bytes"], "created_at": int(file["created"])}
        shown |= {"filename": file["filename"], "purpose": file["purpose"], "FileType": "jsonl", "LineCount": 0}
        shown |= {"Processed": status == "COMPLETED", "processing_status": status}
        if file["state"] != "uploaded":
            fault = file["fault"]
            report = {"valid": not fault, "file_id": file["id"], "error": fault or None}
            shown["validation_report"] = report | {"error_type": "INVALID_FORMAT" if fault else None}
        return shown

    # Jobs

    def create_job(self, call: Call) -> Reply:
        """POST /fine-tunes"""
        body = call.json
        bounds.known_keys(body, KEYS)
        name = bounds.text_of(body, "model") or bounds.text_of(body, "from_checkpoint", required=True) or ""
        method = body.get("training_method") or {"method": "sft"}
        method = {"method": method} if isinstance(method, str) else method
        if not isinstance(method, dict) or method.get("method") not in ("sft", "dpo"):
            raise bad("'training_method' must be sft or dpo", "training_method")
        kind = "dpo" if method["method"] == "dpo" else "supervised"
        target = find_target("together", kind)
        for key in NUMBERS:
            bounds.number_within(target, key, body.get(key), key)
        for key in ("n_epochs", "n_checkpoints"):
            if isinstance(body.get(key), int) and body[key] < 1:
                raise bad(f"'{key}' must be at least 1", key)
        files = {key: self._file_of(body, key) for key in ("training_file", "validation_file")}
        said = {key: value for key, value in body.items() if key not in _SECRET}
        job: dict[str, Any] = {"id": new_id("ft-", 32).lower(), "model": name, "kind": kind, "said": said, **files}
        job |= {"base": self.models.base_of(name), "suffix": bounds.suffix_of(target, body)}
        job |= {"hyper": {"n_epochs": body.get("n_epochs", 1), "batch_size": body.get("batch_size")}}
        job |= {"seed": body.get("random_seed"), "method": method}
        return Reply(self.job_view(self.jobs.create(job, call.doom)))

    def _file_of(self, body: dict[str, Any], key: str) -> str | None:
        file_id = bounds.text_of(body, key, required=key == "training_file")
        if not file_id:
            return None
        file = self.files.find(file_id, key)
        if file["state"] == "error":
            raise bad(f"File {file_id} is not valid: {file['fault']}", key, "INVALID_FORMAT")
        return file_id

    def list_jobs(self, _call: Call) -> Reply:
        """GET /fine-tunes"""
        return Reply({"object": "list", "data": [self.job_view(each) for each in self.jobs.all()]})

    def get_job(self, call: Call) -> Reply:
        """GET /fine-tunes/{id}"""
        job = self.jobs.find(call.names["job_id"], polled=True)
        return Reply({**self.job_view(job), "events": self._events(job["id"])})

    def cancel_job(self, call: Call) -> Reply:
        """POST /fine-tunes/{id}/cancel"""
        return Reply(self.job_view(self.jobs.cancel(call.names["job_id"])))

    def delete_job(self, call: Call) -> Reply:
        """DELETE /fine-tunes/{id}"""
        self.jobs.delete(self.jobs.find(call.names["job_id"])["id"])
        return Reply({"message": f"deleted {call.names['job_id']}"})

    def events(self, call: Call) -> Reply:
        """GET /fine-tunes/{id}/events"""
        return Reply({"data": self._events(call.names["job_id"])})

    def _events(self, job_id: str) -> list[dict[str, Any]]:
        shown = []
        for event in self.jobs.events(job_id)[::-1]:
            kind = _TAGS.get(event["tag"], "warning" if event["level"] == "warn" else "job_pending")
            if kind:
                said = {"object": "fine-tune-event", "created_at": _day(event["created"]), "type": kind}
                shown.append({**said, "message": event["message"], "level": event["level"].replace("warn", "warning")})
        return shown

    def checkpoints(self, call: Call) -> Reply:
        """GET /fine-tunes/{id}/checkpoints"""
        found = [
            {"step": each["step"], "created_at": _day(each["created"]), "path": each["model"]}
            for each in self.jobs.checkpoints(call.names["job_id"])
        ]
        return Reply({"data": [{**each, "checkpoint_type": "Intermediate"} for each in found]})

    def metrics(self, call: Call) -> Reply:
        """GET /fine-tunes/{id}/metrics"""
        events = self.jobs.events(call.names["job_id"])[::-1]
        return Reply(
            {"metrics": [{**each["data"], "global_step": each["data"]["step"]} for each in events if each["data"]]}
        )

    def job_view(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job in Together's words."""
        said, over = job["said"], job["finished"]
        shown = {key: value for key, value in said.items() if key not in ("suffix", "random_seed")}
        shown |= {"id": job["id"], "status": self.house.profile.status(job["state"]), "user_id": ORG}
        shown |= {"created_at": _day(job["created"]), "updated_at": _day(over or job["last"])}
        shown |= {"model": job["model"], "model_output_name": self.jobs.name_of(job), "suffix": job["suffix"]}
        shown |= {"training_method": job["method"], "token_count": self.jobs.trained_tokens(job)}
        shown |= {
            "n_epochs": job["hyper"]["n_epochs"],
            "error": job["error"],
            "finished_at": _day(over) if over else None,
        }
        return shown

    def limits(self, call: Call) -> Reply:
        """GET /fine-tunes/models/limits"""
        sizes = {"max_batch_size": 256, "max_batch_size_dpo": 128, "min_batch_size": 1}
        lora = {**sizes, "default_rank": 8, "max_rank": 64, "target_modules": ["all-linear"]}
        shown: dict[str, Any] = {
            "model_name": call.query.get("model_name", ""),
            "lora_training": lora,
            "full_training": None,
        }
        shown |= {"max_learning_rate": 0.1, "min_learning_rate": 1e-9, "max_num_epochs": 20, "max_num_evals": 100}
        shown |= {"max_num_checkpoints": 20, "max_seq_length_sft": 65536, "max_seq_length_dpo": 32768}
        shown |= {"min_max_seq_length": 256, "merge_output_lora": True, "default_gradient_accumulation_steps": 1}
        flags = ("supports_full_training", "supports_reasoning", "supports_tools", "supports_vision")
        return Reply(shown | dict.fromkeys(flags, False) | {"supports_tools": True})

    def price(self, _call: Call) -> Reply:
        """POST /fine-tunes/estimate-price: the sandbox has no prices."""
        return Reply({"estimation_available": False, "unavailable_reason": "train_file_not_validated"})

    def list_models(self, _call: Call) -> Reply:
        """GET /models: a plain list."""
        return Reply([{**each, "type": "chat"} for each in self.models.all()])


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


ROUTES = (
    ("POST", "/files/upload", "upload"),
    ("POST", "/files", "presign"),
    ("GET", "/files", "list_files"),
    ("POST", "/files/{file_id}/preprocess", "get_file"),
    ("GET", "/files/{file_id}", "get_file"),
    ("DELETE", "/files/{file_id}", "delete_file"),
    ("GET", "/files/{file_id}/content", "file_content"),
    ("GET", "/fine-tunes/models/limits", "limits"),
    ("POST", "/fine-tunes/estimate-price", "price"),
    ("POST", "/fine-tunes", "create_job"),
    ("GET", "/fine-tunes", "list_jobs"),
    ("GET", "/fine-tunes/{job_id}", "get_job"),
    ("DELETE", "/fine-tunes/{job_id}", "delete_job"),
    ("POST", "/fine-tunes/{job_id}/cancel", "cancel_job"),
    ("GET", "/fine-tunes/{job_id}/events", "events"),
    ("GET", "/fine-tunes/{job_id}/checkpoints", "checkpoints"),
    ("GET", "/fine-tunes/{job_id}/metrics", "metrics"),
    ("GET", "/models", "list_models"),
)
"""Method, path below the prefix, name of the handler."""
