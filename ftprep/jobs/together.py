"""Together, by its REST interface: no metadata, so that the name of the model carries a part of our key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ftprep.errors import UsageError
from ftprep.jobs.capabilities import Capabilities
from ftprep.jobs.http import Http, as_form, as_json
from ftprep.jobs.model import Checkpoint, DataFile, Event, FileRef, Job, JobSpec, Parts, Told
from ftprep.jobs.trouble import Unclear
from ftprep.redaction import Secret

TAG = 8
"""Hex characters of the key in the name of the model."""

_SCHEDULE = ("min_lr_ratio", "num_cycles")
_LORA = ("lora_r", "lora_alpha", "lora_dropout", "lora_trainable_modules")
_METHOD = ("dpo_beta", "dpo_normalize_logratios_by_length", "dpo_reference_free", "rpo_alpha", "simpo_gamma")


@dataclass(frozen=True)
class Together:
    """Together's interface, as its package 3.1.1 uses it."""

    can: Capabilities
    http: Http
    wandb_key: Secret

    @property
    def host(self) -> str:
        """Where requests go."""
        return self.http.host

    def where(self, _spec: JobSpec, _key: str) -> str:
        """Method and address of the request that creates a job."""
        return f"POST https://{self.host}/v1/fine-tunes"

    def body(self, spec: JobSpec, train: str, valid: str, key: str) -> dict[str, Any]:
        """The request that creates the job."""
        given = {self.can.hyper.get(k, k): v for k, v in spec.hyper.items()}
        body: dict[str, Any] = {"training_file": train} | ({"validation_file": valid} if valid else {})
        body |= {"from_checkpoint" if _is_checkpoint(spec.model) else "model": spec.model}
        body |= {"n_epochs": 1, "learning_rate": 1e-5, "batch_size": "max", "n_checkpoints": 1}
        schedule = {k: given.pop(k) for k in _SCHEDULE if k in given}
        if (kind := given.pop("lr_scheduler_type", None)) or schedule:
            body["lr_scheduler"] = {"lr_scheduler_type": kind or "cosine", "lr_scheduler_args": schedule}
        lora = {k: given.pop(k) for k in _LORA if k in given}
        if lora:
            rank = lora.get("lora_r", 8)
            body["training_type"] = {"type": "Lora", "lora_r": rank, "lora_alpha": 2 * rank, **lora}
        body["training_method"] = _method(spec.method, given)
        body["suffix"] = f"{spec.suffix or 'ftprep'}-{key[:TAG]}"
        body |= {"random_seed": spec.seed} if spec.seed is not None else {}
        names = {"project": "wandb_project_name", "name": "wandb_name", "entity": "wandb_entity"}
        body |= {names[k]: v for k, v in spec.wandb.items() if k in names}
        return body | given | dict(spec.extra)

    def find_file(self, file: DataFile) -> FileRef | None:
        """A file of that name, which has the hash of the content, and of that size."""
        for said in _data(self.http.ask("GET", "/v1/files")):
            if (said.get("filename"), said.get("bytes")) == (file.name, file.bytes):
                ref = _file_ref(said)
                if ref.state != "error":
                    return ref
        return None

    def upload(self, file: DataFile, parts: Parts, told: Told) -> FileRef:
        """Send the file."""
        del parts, told
        fields = {"purpose": "fine-tune", "file_name": file.name, "file_type": "jsonl"}
        said = self.http.ask("POST", "/v1/files/upload", as_form(fields, Path(file.path), file.name))
        return _file_ref(_known(said, self.host))

    def file_state(self, ref: FileRef) -> FileRef:
        """The file as it is now."""
        return _file_ref(_known(self.http.ask("GET", f"/v1/files/{ref.id}"), self.host))

    def create(self, spec: JobSpec, body: Mapping[str, Any], key: str) -> Job:
        """One POST. The key for W&B is in it alone."""
        del key
        sent = dict(body) | ({"wandb_key": self.wandb_key.reveal()} if spec.wandb and self.wandb_key else {})
        return self._job(_known(self.http.ask("POST", "/v1/fine-tunes", as_json(sent)), self.host))

    def find_jobs(self, spec: JobSpec, key: str, train: str, since: float) -> list[Job]:
        """Those whose model has our tag in its name, and that were made of the same file where the answer has that."""
        del spec
        found = []
        for job in self.list_jobs(10_000):
            tagged = f"-{key[:TAG]}" in f"{job.suffix} {job.model_out}"
            if tagged and job.training_file in ("", train or job.training_file) and (job.created or since) >= since:
                found.append(job)
        return sorted(found, key=lambda job: job.created)

    def get(self, job_id: str) -> Job:
        """The job as it is now."""
        return self._job(_known(self.http.ask("GET", f"/v1/fine-tunes/{job_id}"), self.host))

    def list_jobs(self, most: int) -> list[Job]:
        """The newest jobs."""
        jobs = [self._job(said) for said in _data(self.http.ask("GET", "/v1/fine-tunes"))]
        return sorted(jobs, key=lambda job: -job.created)[:most]

    def change(self, job_id: str, what: Literal["cancel", "pause", "resume"]) -> Job:
        """Cancel; Together has neither pause nor resume."""
        if what != "cancel":
            message = f"Together cannot {what} a job"
            raise UsageError(message, "it can cancel one")
        self.http.ask("POST", f"/v1/fine-tunes/{job_id}/cancel")
        return self.get(job_id)

    def events(self, job_id: str) -> Iterator[list[Event]]:
        """All events in one page, newest first."""
        listed = [_event(said) for said in _data(self.http.ask("GET", f"/v1/fine-tunes/{job_id}/events"))]
        yield sorted(listed, key=lambda event: -event.created)

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The checkpoints, the latest first."""
        listed = _data(self.http.ask("GET", f"/v1/fine-tunes/{job_id}/checkpoints"))
        made = [
            Checkpoint(
                f"{job_id}:{each.get('step')}",
                int(each.get("step") or 0),
                str(each.get("object_name") or each.get("path") or ""),
                _time(each.get("created_at")),
            )
            for each in listed
        ]
        return sorted(made, key=lambda each: -each.step)

    def results(self, job: Job) -> list[tuple[str, bytes]]:
        """The metrics, which come as JSON."""
        return [("metrics.json", self.http.raw("GET", f"/v1/fine-tunes/{job.id}/metrics"))]

    def models(self) -> list[dict[str, Any]]:
        """The models that jobs have made."""
        return [
            {"id": job.model_out, "job": job.id, "created": job.created}
            for job in self.list_jobs(10_000)
            if job.status == "succeeded" and job.model_out
        ]

    def delete_model(self, name: str) -> None:
        """Delete what a job has made, by the name of the model."""
        job = next((job for job in self.list_jobs(10_000) if job.model_out == name), None)
        if job is None:
            message = f"no job has made a model {name!r}"
            raise UsageError(message, "`ftprep models list` has them")
        self.http.ask("DELETE", f"/v1/fine-tunes/{job.id}", query={"force": "false"})

    def _job(self, said: Mapping[str, Any]) -> Job:
        raw = str(said.get("status") or "")
        last = [str(e.get("message", "")) for e in said.get("events") or () if "error" in str(e.get("level", ""))]
        return Job(
            id=str(said.get("id") or ""),
            provider=self.can.name,
            status=self.can.status(raw),
            raw_status=raw,
            model=str(said.get("model") or said.get("from_checkpoint") or ""),
            model_out=str(said.get("model_output_name") or said.get("output_name") or ""),
            error=last[-1] if raw == "error" and last else "",
            created=_time(said.get("created_at")),
            finished=_time(said.get("updated_at")) if raw in ("completed", "error", "cancelled") else 0,
            tokens=int(said.get("token_count") or 0),
            training_file=str(said.get("training_file") or ""),
            suffix=str(said.get("suffix") or ""),
            raw=said,
        )


def _is_checkpoint(model: str) -> bool:
    return model.startswith("ft-") and "/" not in model


def _method(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """The training method with its settings, which are taken out of `given`."""
    if method == "dpo":
        return {"method": "dpo", **{k: given.pop(k) for k in _METHOD if k in given}}
    return {"method": "sft", "train_on_inputs": given.pop("train_on_inputs", "auto")}


def _data(said: Any) -> list[dict[str, Any]]:
    listed = said.get("data") if isinstance(said, dict) else said
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _known(said: Any, host: str) -> dict[str, Any]:
    if not isinstance(said, dict) or not isinstance(said.get("id"), str) or not said["id"]:
        raise Unclear(f"{host} answered with something that is not what was asked for")
    return said


def _file_ref(said: Mapping[str, Any]) -> FileRef:
    status = str(said.get("processing_status") or "COMPLETED")
    report = said.get("validation_report") if isinstance(said.get("validation_report"), dict) else {}
    if status in ("FAILED", "INVALID_FORMAT") or (report and report.get("valid") is False):
        return FileRef(str(said["id"]), "error", str((report or {}).get("error") or status))
    return FileRef(str(said["id"]), "ready" if status == "COMPLETED" else "waiting")


def _time(value: Any) -> float:
    """Seconds since 1970 of an ISO time or a number, 0 for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return 0.0


_FIGURES = ("step", "total_steps", "token_count", "param_count", "checkpoint_path", "model_path", "wandb_url")


def _event(said: Mapping[str, Any]) -> Event:
    level = str(said.get("level") or "info").removeprefix("legacy_").removeprefix("i") or "info"
    level = level if level in ("warning", "error") else "info"
    data = {name: said[name] for name in _FIGURES if said.get(name) not in (None, "", 0, -1)}
    return Event(_time(said.get("created_at")), level, str(said.get("message") or ""), data)
