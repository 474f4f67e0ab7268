"""Jobs: what they are, how they go from state to state, their events, checkpoints and results."""

from __future__ import annotations

import base64
import csv
import io
import math
import random
from contextlib import suppress
from typing import Any

from ftprep.sandbox.files import Files
from ftprep.sandbox.house import ORG, House, new_id
from ftprep.sandbox.problems import Refusal, bad
from ftprep.sandbox.profiles import CANCELLED, FAILED, LIVE, PAUSED, QUEUED, RUNNING, SUCCEEDED, TERMINAL, VALIDATING
from ftprep.sandbox.training import Training

CHECKPOINTS = 3
"""Checkpoints kept: those of the last epochs."""

COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
"""Header of a result file."""


class Jobs:
    """All jobs. Nothing happens to them but when they are looked at: then they are brought to where the clock, or the
    number of polls, says they are."""

    def __init__(self, house: House, files: Files, training: Training) -> None:
        self._house = house
        self._store = house.store
        self._files = files
        self._training = training
        self._lock = house.store.lock
        self._live = {job["id"] for job in self._store.all("job") if job["state"] not in TERMINAL}

    def create(self, job: dict[str, Any], doom: str = "") -> dict[str, Any]:
        """Begin a job; `job` says model, base, kind, files, hyper, suffix, seed and what else its API shows."""
        house = self._house
        job = {"metadata": None, "integrations": [], "validation_file": None, "method": None, **job}
        job.setdefault("id", new_id("ftjob-"))
        if job.get("seed") is None:
            job["seed"] = random.SystemRandom().randrange(1 << 31)
        job |= {"state": VALIDATING, "created": house.clock(), "last": house.clock(), "age": 0.0, "finished": None}
        job |= {"outcome": None, "error": None, "tuned": None, "results": [], "told": 0, "doom": doom}
        for part in ("training", "validation"):
            file_id = job[f"{part}_file"]
            job[f"{part}_name"] = self._files.find(file_id)["filename"] if file_id else ""
        with self._lock, self._store.transaction():
            if self._store.get("job", job["id"]) is not None:
                raise Refusal(409, f"job {job['id']} already exists", "already_exists", "id")
            self._training.keep(job)
            self._store.put("job", job)
            self._live.add(job["id"])
            self._event(job, f"Created fine-tuning job: {job['id']}", tag="created")
            self._event(job, f"Validating training file: {job['training_file']}" + _and(job["validation_file"]))
        house.journal.note("made", kind="job", id=job["id"], model=job["model"], training_file=job["training_file"])
        self._training.outcome(job, wait=0)
        return job

    def find(self, job_id: str, polled: bool = False) -> dict[str, Any]:
        """A job as it is by now; raises 404."""
        job = self._store.get("job", job_id)
        if job is None:
            raise Refusal(404, f"Could not find fine tune: {job_id}", "fine_tune_not_found", "fine_tuning_job_id")
        if job["state"] in LIVE and job["outcome"] is None:
            due = job["age"] + self._passed(job, polled) >= self._house.pace.ends[0]
            self._training.outcome(job, self._house.patience if due else 0)
        with self._lock, self._store.transaction():
            job = self._store.get("job", job_id) or job
            if job["state"] in LIVE:
                now = {"age": job["age"] + self._passed(job, polled), "last": self._house.clock()}
                expected = {**job, **now}
                job |= now
                while self._goes_on(job):
                    pass
                # Time that only passed is in the clock: a list of many jobs need not write each, which the disk feels.
                if polled or job != expected:
                    self._store.put("job", job)
            if job["state"] in TERMINAL:
                self._live.discard(job["id"])
        return job

    def _passed(self, job: dict[str, Any], polled: bool) -> float:
        if self._house.pace.by == "polls":
            return float(polled)
        return max(0.0, self._house.clock() - float(job["last"]))

    def all(self) -> list[dict[str, Any]]:
        """All jobs as they are by now, newest first."""
        self.refresh()
        return self._store.all("job")[::-1]

    def refresh(self) -> None:
        """Bring the jobs that are not over to where they are by now."""
        for job_id in list(self._live):
            with suppress(Refusal):  # deleted meanwhile
                self.find(job_id)

    def delete(self, job_id: str) -> None:
        """Let a job go, with all that came of it."""
        self._live.discard(job_id)
        self._store.delete("job", job_id)
        self._training.drop(job_id)

    def _goes_on(self, job: dict[str, Any]) -> bool:
        """One step further, where that is due; False where it is not."""
        validated, started, ended = self._house.pace.ends
        if job["state"] == VALIDATING and job["age"] >= validated:
            outcome = job["outcome"] = self._training.outcome(job, wait=0)
            if outcome is None:
                job["age"] = validated  # the phases that follow take their time all the same
                return False
            if outcome["error"]:
                return self._fail(job, outcome["error"], validated)
            for warning in outcome["warnings"]:
                self._event(job, warning, validated, level=self._house.profile.warn)
            job["state"] = QUEUED
            self._event(job, "Files validated, moving job to queued state", validated)
            return True
        if job["state"] == QUEUED and job["age"] >= started:
            job["state"] = RUNNING
            self._event(job, "Fine-tuning job started", started, tag="started")
            return True
        if job["state"] == RUNNING:
            self._report(job)
            if job["doom"] and job["age"] >= (started + ended) / 2:
                error = {"code": "server_error", "message": job["doom"], "param": None}
                return self._fail(job, error, (started + ended) / 2)
            if job["age"] >= ended:
                self._succeed(job, ended)
        return False

    def _fail(self, job: dict[str, Any], error: dict[str, Any], age: float) -> bool:
        job |= {"state": FAILED, "error": error, "finished": self._at(job, age)}
        self._event(job, f"The job failed: {error['message']}", age, level="error")
        self._training.drop(job["id"])
        return False

    def _report(self, job: dict[str, Any]) -> None:
        """Metrics of the steps made so far, and a checkpoint at the end of each epoch."""
        _, started, ended = self._house.pace.ends
        curve = job["outcome"]["curve"]
        last = curve[-1]["step"] if curve else 0
        share = min(1.0, (job["age"] - started) / (ended - started)) if ended > started else 1.0
        ends = [step["step"] for step in curve if step["epoch_ends"]]
        while job["told"] < len(curve) and curve[job["told"]]["step"] <= share * last:
            step = curve[job["told"]]
            job["told"] += 1
            age = started + (ended - started) * step["step"] / last
            told = f"Step {step['step']}/{last}: training loss={step['train_loss']:.2f}"
            told += f", validation loss={step['valid_loss']:.2f}" if step["valid_loss"] is not None else ""
            data = metrics_of(step) | {"total_steps": last}
            self._event(job, told, age, data=data)
            if step["epoch_ends"]:
                self._checkpoint(job, step, age, 1 + ends.index(step["step"]), is_last=step["step"] == ends[-1])

    def _checkpoint(self, job: dict[str, Any], step: dict[str, Any], age: float, epoch: int, is_last: bool) -> None:
        name = self.name_of(job) + ("" if is_last else f":ckpt-step-{step['step']}")
        metrics = metrics_of(step)
        if step["valid_loss"] is not None:
            metrics |= {"full_valid_loss": step["valid_loss"], "full_valid_mean_token_accuracy": step["valid_accuracy"]}
        made = {"id": new_id("ftckpt_"), "created": int(self._at(job, age)), "model": name, "step": step["step"]}
        self._store.put("checkpoint", {**made, "metrics": metrics, "job": job["id"], "epoch": epoch}, job["id"])
        for old in self._store.all("checkpoint", job["id"])[:-CHECKPOINTS]:
            self._store.delete("checkpoint", old["id"])
        if not is_last:
            self._event(job, f"Checkpoint created at step {step['step']}: {name}", age, tag="checkpoint")

    def name_of(self, job: dict[str, Any]) -> str:
        """What the tuned model of a job is called."""
        org = job.get("account", ORG)
        parts = {"model": job["base"] or job["model"], "org": org, "suffix": job["suffix"] or "", "id": job["id"][-8:]}
        return self._house.profile.tuned_name.format(**parts).rstrip("-")

    def _succeed(self, job: dict[str, Any], age: float) -> None:
        job |= {"state": SUCCEEDED, "finished": self._at(job, age), "tuned": self.name_of(job)}
        content = results_of(job["outcome"]["curve"])
        if self._house.base64_results:
            content = base64.b64encode(content)
        file = self._files.add("step_metrics.csv", [io.BytesIO(content)], "fine-tune-results")
        job["results"] = [file["id"]]
        about = {"id": job["tuned"], "created": int(job["finished"]), "job": job["id"], "says": job["outcome"]["says"]}
        self._store.put("model", about)
        self._event(job, f"New fine-tuned model created: {job['tuned']}", age)
        self._event(job, "The job has successfully completed", age, tag="succeeded")

    def trained_tokens(self, job: dict[str, Any]) -> int | None:
        """Tokens of the training file times epochs, once the job has succeeded."""
        if job["state"] != SUCCEEDED:
            return None
        return int(job["outcome"]["tokens"] * job["outcome"]["plan"]["epochs"])

    def estimated_finish(self, job: dict[str, Any]) -> int | None:
        """When a running job will be done, by the clock."""
        if job["state"] != RUNNING or self._house.pace.by == "polls":
            return None
        return math.ceil(float(job["last"]) + self._house.pace.ends[2] - float(job["age"]))

    # What users ask for

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Stop a job that is not over yet."""
        return self._change(job_id, (*LIVE, PAUSED), CANCELLED, "The job was cancelled by the user")

    def pause(self, job_id: str) -> dict[str, Any]:
        """Let a job stand still."""
        return self._change(job_id, (QUEUED, RUNNING), PAUSED, "The job was paused")

    def resume(self, job_id: str) -> dict[str, Any]:
        """Let a paused job go on from where it was."""
        return self._change(job_id, (PAUSED,), QUEUED, "The job was resumed")

    def _change(self, job_id: str, allowed: tuple[str, ...], state: str, told: str) -> dict[str, Any]:
        with self._lock, self._store.transaction():
            job = self.find(job_id)
            if job["state"] not in allowed:
                verb = {CANCELLED: "cancelled", PAUSED: "paused", QUEUED: "resumed"}[state]
                now = self._house.profile.status(job["state"])
                message = f"Job {job_id} cannot be {verb}: its status is {now}"
                raise bad(message, "fine_tuning_job_id", "invalid_job_status")
            if state == PAUSED:
                job["paused_in"] = job["state"]
            job |= {"state": job.pop("paused_in", QUEUED) if state == QUEUED else state, "last": self._house.clock()}
            if state in TERMINAL:
                job["finished"] = self._house.clock()
            self._event(job, told, tag=state)
            self._store.put("job", job)
            return job

    # Events

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """All events of a job, newest first."""
        self.find(job_id)
        return self._store.all("event", job_id)[::-1]

    def checkpoints(self, job_id: str) -> list[dict[str, Any]]:
        """The checkpoints of a job, newest first."""
        self.find(job_id)
        return self._store.all("checkpoint", job_id)[::-1]

    def _at(self, job: dict[str, Any], age: float) -> float:
        """When a job was of an age: now, or before."""
        if self._house.pace.by == "polls":
            return self._house.clock()
        return float(job["last"]) - max(0.0, float(job["age"]) - age)

    def _event(
        self,
        job: dict[str, Any],
        message: str,
        age: float | None = None,
        level: str = "info",
        data: Any = None,
        tag: str = "",
    ) -> None:
        at = self._house.clock() if age is None else self._at(job, age)
        event = {"id": new_id("ftevent-"), "created": int(at), "level": level, "message": message, "data": data}
        event["tag"] = tag or ("metrics" if data else level)
        self._store.put("event", event, job["id"])


def metrics_of(step: dict[str, Any]) -> dict[str, Any]:
    """The figures of a step under OpenAI's names."""
    names = {"step": "step", "train_loss": "train_loss", "train_accuracy": "train_mean_token_accuracy"}
    names |= {"valid_loss": "valid_loss", "valid_accuracy": "valid_mean_token_accuracy"}
    return {name: step[key] for key, name in names.items() if step[key] is not None}


def results_of(curve: list[dict[str, Any]]) -> bytes:
    """The result file: CSV, an empty cell where nothing was measured."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    keys = ("train_loss", "train_accuracy", "valid_loss", "valid_accuracy")
    for step in curve:
        writer.writerow([step["step"], *("" if step[key] is None else f"{step[key]:.5f}" for key in keys)])
    return out.getvalue().encode()


def _and(validation_file: str | None) -> str:
    return f" and validation file: {validation_file}" if validation_file else ""
