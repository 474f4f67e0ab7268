"""OpenAI's API, which Azure's follows: jobs and models; requests read, objects shown in its words."""

from __future__ import annotations

import re
from typing import Any

from ftprep.sandbox import bounds
from ftprep.sandbox.files import Files
from ftprep.sandbox.house import ORG, Call, House, Reply, new_id, page
from ftprep.sandbox.jobs import Jobs
from ftprep.sandbox.models import Models
from ftprep.sandbox.openai_files import listed
from ftprep.sandbox.problems import Refusal, bad
from ftprep.targets import Target, find_target

METHODS = ("supervised", "dpo", "reinforcement")
HYPER = {
    "supervised": ("n_epochs", "batch_size", "learning_rate_multiplier"),
    "dpo": ("n_epochs", "batch_size", "learning_rate_multiplier", "beta"),
    "reinforcement": (
        *("n_epochs", "batch_size", "learning_rate_multiplier"),
        *("reasoning_effort", "compute_multiplier", "eval_interval", "eval_samples"),
    ),
}
KEYS = (
    *("model", "training_file", "validation_file", "hyperparameters", "suffix", "seed"),
    *("method", "metadata", "integrations"),
)
_FILTER = re.compile(r"metadata\[(.+)\]", re.DOTALL)
_NOT_READY = "The specified file reference must point to a completed file import."


class JobsApi:
    """The handlers: each takes a call and gives a reply, or raises a Refusal."""

    def __init__(self, house: House, files: Files, jobs: Jobs, models: Models) -> None:
        self.house, self.files, self.jobs, self.models = house, files, jobs, models

    # Jobs

    def create_job(self, call: Call) -> Reply:
        """POST /fine_tuning/jobs"""
        body, azure = call.json, self.house.profile.name == "azure"
        bounds.known_keys(body, (*KEYS, "trainingType", "prompt_loss_weight") if azure else KEYS)
        name = bounds.text_of(body, "model", required=True) or ""
        base = self.models.base_of(name)
        if base is None:
            raise bad(
                f"Model {name} is not available for fine-tuning or does not exist.", "model", "model_not_available"
            )
        kind, method, hyper = self._method(body, base)
        target = find_target(f"{self.house.profile.target}:{base}", kind)
        bounds.number_within(find_target("openai"), "seed", body.get("seed"), "seed")
        files = {key: self._file_of(body, key) for key in ("training_file", "validation_file")}
        job: dict[str, Any] = {
            "model": base if name in self.house.models else name,
            "base": base,
            "kind": kind,
            "method": method,
        }
        job |= {"hyper": hyper, "suffix": self._suffix(target, body), "seed": body.get("seed"), **files}
        job |= {"metadata": bounds.metadata_of(target, body), "integrations": bounds.integrations_of(body)}
        return Reply(self.job_view(self.jobs.create(job, call.doom)), 201 if azure else 200)

    def _suffix(self, target: Target, body: dict[str, Any]) -> str | None:
        suffix = bounds.suffix_of(target, body)
        if suffix and "." in suffix and self.house.profile.name == "azure":
            raise bad("'suffix' must not contain a dot", "suffix", "invalidPayload")
        return suffix

    def _file_of(self, body: dict[str, Any], key: str) -> str | None:
        file_id = bounds.text_of(body, key, required=key == "training_file")
        if file_id is None:
            return None
        azure = self.house.profile.name == "azure"
        try:
            file = self.files.find(file_id, key)
        except Refusal as error:
            raise bad(f"{error.message}", key, "invalidPayload" if azure else "file_not_found") from None
        if file["purpose"] != "fine-tune":
            raise bad(
                f"File {file_id} has the purpose {file['purpose']!r}, not 'fine-tune'", key, "invalid_file_purpose"
            )
        if file["state"] == "error":
            raise bad(f"File {file_id} cannot be used: {file['fault']}", key, f"invalid_{key}")
        if file["state"] != "processed":
            told, code = (
                (_NOT_READY, "invalidPayload") if azure else (f"File '{file_id}' is not ready", "file_not_ready")
            )
            raise bad(told, key, code)
        return file_id

    def _method(self, body: dict[str, Any], base: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The kind of a job, its method as the API shows it, and its hyperparameters."""
        method = body.get("method") or {"type": "supervised"}
        if not isinstance(method, dict) or method.get("type") not in METHODS:
            raise bad(f"Invalid 'method.type': one of {', '.join(METHODS)} is wanted.", "method.type")
        kind = str(method["type"])
        bounds.known_keys(method, ("type", kind), "method.")
        inner = method.get(kind) or {}
        if not isinstance(inner, dict):
            raise bad(f"Invalid 'method.{kind}': an object is wanted.", f"method.{kind}")
        extra = ("grader", "response_format") if kind == "reinforcement" else ()
        bounds.known_keys(inner, ("hyperparameters", *extra), f"method.{kind}.")
        given, where = inner.get("hyperparameters"), f"method.{kind}.hyperparameters."
        if given is None:
            given, where = body.get("hyperparameters"), "hyperparameters."
        given = {} if given is None else given
        if not isinstance(given, dict):
            raise bad("Invalid 'hyperparameters': an object is wanted.", "hyperparameters")
        bounds.known_keys(given, HYPER[kind], where)
        # Azure does not publish bounds; those of OpenAI hold, and its way to say auto.
        facts = find_target(f"openai:{base}", kind)
        for key, value in given.items():
            if not (value == -1 and self.house.profile.name == "azure"):
                bounds.number_within(facts, key, value, where + key)
        default = {"reasoning_effort": "default"}
        hyper = {key: default.get(key, "auto") if given.get(key) is None else given[key] for key in HYPER[kind]}
        shown: dict[str, Any] = {"hyperparameters": hyper}
        if kind == "reinforcement":
            shown["grader"] = bounds.grader_of(inner)
        return kind, {"type": kind, kind: shown}, hyper

    def list_jobs(self, call: Call) -> Reply:
        """GET /fine_tuning/jobs"""
        wanted = {found[1]: value for key, value in call.query.items() if (found := _FILTER.fullmatch(key))}
        jobs = [each for each in self.jobs.all() if wanted.items() <= (each["metadata"] or {}).items()]
        if call.query.get("metadata") == "null":
            jobs = [each for each in jobs if not each["metadata"]]
        shown, more = page(jobs, call.query.get("after"), call.limit(20, 100))
        return Reply({"object": "list", "data": [self.job_view(each) for each in shown], "has_more": more})

    def get_job(self, call: Call) -> Reply:
        """GET /fine_tuning/jobs/{id}"""
        return Reply(self.job_view(self.jobs.find(call.names["job_id"], polled=True)))

    def change_job(self, call: Call) -> Reply:
        """POST /fine_tuning/jobs/{id}/cancel, pause, resume"""
        change = {"cancel": self.jobs.cancel, "pause": self.jobs.pause, "resume": self.jobs.resume}
        return Reply(self.job_view(change[call.path.rpartition("/")[2]](call.names["job_id"])))

    def events(self, call: Call) -> Reply:
        """GET /fine_tuning/jobs/{id}/events"""
        events = self.jobs.events(call.names["job_id"])
        shown, more = page(events, self._known_event(call, events), call.limit(20, 100))
        return Reply({"object": "list", "data": [self.event_view(each) for each in shown], "has_more": more})

    def _known_event(self, call: Call, events: list[dict[str, Any]]) -> str | None:
        """The event that a cursor means; where ids are not stable, a cursor says its place behind them."""
        after = call.query.get("after")
        if after and not self.house.profile.stable_events:
            stable = after.partition("~")[0]
            return stable if any(each["id"] == stable for each in events) else None
        return after

    def checkpoints(self, call: Call) -> Reply:
        """GET /fine_tuning/jobs/{id}/checkpoints"""
        found = self.jobs.checkpoints(call.names["job_id"])
        shown, more = page(found, call.query.get("after"), call.limit(10, 100))
        return Reply(listed([checkpoint_view(each) for each in shown], more))

    def job_view(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job in OpenAI's words."""
        profile, over = self.house.profile, job["finished"] is not None
        shown = {"object": "fine_tuning.job", "id": job["id"], "model": job["model"], "created_at": int(job["created"])}
        shown |= {"fine_tuned_model": job["tuned"], "organization_id": f"org-{ORG}", "result_files": job["results"]}
        shown |= {"status": profile.status(job["state"]), "validation_file": job["validation_file"]}
        shown |= {"training_file": job["training_file"], "hyperparameters": self._resolved(job), "seed": job["seed"]}
        shown |= {
            "trained_tokens": self.jobs.trained_tokens(job),
            "error": job["error"],
            "method": self._method_view(job),
        }
        shown |= {"finished_at": int(job["finished"]) if over else None, "integrations": job["integrations"]}
        shown |= {"estimated_finish": self.jobs.estimated_finish(job), "metadata": job["metadata"]}
        if profile.null_fields:
            shown |= {"organization_id": None, "result_files": job["results"] or None, "integrations": None}
        return shown | {"user_provided_suffix": job["suffix"]}

    def _resolved(self, job: dict[str, Any]) -> dict[str, Any]:
        """Hyperparameters of a supervised job; what `auto` stood for, once the files are checked."""
        keys = HYPER["supervised"]
        if job["kind"] != "supervised":
            return {}
        plan = (job["outcome"] or {}).get("plan")
        found = (
            {"n_epochs": plan["epochs"], "batch_size": plan["batch"], "learning_rate_multiplier": 1.0} if plan else {}
        )
        return {key: found.get(key, "auto") if job["hyper"][key] in ("auto", -1) else job["hyper"][key] for key in keys}

    def _method_view(self, job: dict[str, Any]) -> Any:
        if job["kind"] != "supervised":
            return job["method"]
        return {"type": "supervised", "supervised": {"hyperparameters": self._resolved(job)}}

    def event_view(self, event: dict[str, Any]) -> dict[str, Any]:
        """An event in OpenAI's words."""
        name = event["id"] if self.house.profile.stable_events else new_id(f"{event['id']}~", 6)
        shown = {"object": "fine_tuning.job.event", "id": name, "created_at": event["created"], "level": event["level"]}
        kind = "message" if event["data"] is None else "metrics"
        return shown | {"message": event["message"], "type": kind, "data": event["data"] or {}}

    # Models

    def list_models(self, _call: Call) -> Reply:
        """GET /models"""
        return Reply({"object": "list", "data": self.models.all()})

    def get_model(self, call: Call) -> Reply:
        """GET /models/{model}"""
        return Reply(self.models.find(call.names["model"]))

    def delete_model(self, call: Call) -> Reply:
        """DELETE /models/{model}"""
        self.models.delete(call.names["model"])
        return Reply({"id": call.names["model"], "object": "model", "deleted": True})


def checkpoint_view(made: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint in OpenAI's words."""
    shown = {"object": "fine_tuning.job.checkpoint", "id": made["id"], "created_at": made["created"]}
    shown |= {"fine_tuned_model_checkpoint": made["model"], "step_number": made["step"], "metrics": made["metrics"]}
    return shown | {"fine_tuning_job_id": made["job"]}


ROUTES = (
    ("POST", "/fine_tuning/jobs", "create_job"),
    ("GET", "/fine_tuning/jobs", "list_jobs"),
    ("GET", "/fine_tuning/jobs/{job_id}", "get_job"),
    ("POST", "/fine_tuning/jobs/{job_id}/cancel", "change_job"),
    ("POST", "/fine_tuning/jobs/{job_id}/pause", "change_job"),
    ("POST", "/fine_tuning/jobs/{job_id}/resume", "change_job"),
    ("GET", "/fine_tuning/jobs/{job_id}/events", "events"),
    ("GET", "/fine_tuning/jobs/{job_id}/checkpoints", "checkpoints"),
    ("GET", "/models", "list_models"),
    ("GET", "/models/{model:path}", "get_model"),
    ("DELETE", "/models/{model:path}", "delete_model"),
)
"""Method, path below the prefix, name of the handler."""
