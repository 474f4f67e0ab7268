"""The work behind a job: its files are checked and the stand-in is fitted, in a thread beside the requests."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ftprep.foreign import kind_and_words
from ftprep.sandbox.audit import Verdict, audit
from ftprep.sandbox.examples import read_examples
from ftprep.sandbox.house import House
from ftprep.sandbox.store import CHECKING
from ftprep.sandbox.tuned import Plan, Tuned
from ftprep.standing import link_or_copy

_UNSAFE = re.compile(r"[^\w. ()+@,=-]", re.ASCII)
"""What a name that a stranger gave may not bring into a path."""

KEPT = 16
"""Fitted stand-ins held in memory; others are fitted again when they are asked."""


class Training:
    """Checks and fits, one job at a time; what is fitted can be had again after a restart, from the job's own copy of
    its files."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._turn = threading.Semaphore(1)
        self._lock = threading.Lock()
        self._futures: dict[str, Future[dict[str, Any]]] = {}
        self._fitted: dict[tuple[str, int], Tuned] = {}

    def outcome(self, job: Mapping[str, Any], wait: float) -> dict[str, Any] | None:
        """What comes of a job; None where that is not known within `wait` seconds. The first call begins the work."""
        with self._lock:
            future = self._futures.get(job["id"])
            if future is None:
                future = self._futures[job["id"]] = Future()
                # A daemon, so that nobody who stops the server waits for a fit.
                threading.Thread(target=self._work, args=(dict(job), future), daemon=True).start()
        with suppress(TimeoutError):
            return future.result(timeout=wait)
        return None

    def _work(self, job: dict[str, Any], future: Future[dict[str, Any]]) -> None:
        with self._turn:
            try:
                future.set_result(self._made(job))
            except Exception as error:  # noqa: BLE001 - whatever it is, the job has failed and says so
                told = f"The job failed due to an internal error ({kind_and_words(error)})"
                future.set_result(_failed("server_error", told, None))

    def _made(self, job: dict[str, Any]) -> dict[str, Any]:
        verdicts: dict[str, Verdict] = {}
        for part in ("training", "validation"):
            if job[f"{part}_file"]:
                verdict = verdicts[part] = self._audit(job, part)
                if verdict.code:
                    return _failed(verdict.code, verdict.message, f"{part}_file")
        train = verdicts["training"]
        plan = self._plan(job, train)
        tuned = self._fit(job, plan)
        checked = {f"{part}_rows": verdict.rows for part, verdict in verdicts.items()}
        about = {"says": tuned.says, "curve": [asdict(step) for step in tuned.curve], "tokens": train.tokens}
        return {"error": None, "warnings": list(train.warnings), "plan": asdict(plan), **about, **checked}

    def _audit(self, job: dict[str, Any], part: str) -> Verdict:
        name = _UNSAFE.sub("_", job[f"{part}_name"])[-100:].lstrip(".") or f"{part}.jsonl"
        target = f"{self._house.profile.target}:{job['base']}" if job["base"] else self._house.profile.target
        with TemporaryDirectory(dir=self._house.store.folder, prefix=CHECKING) as folder:
            path = Path(folder) / name
            link_or_copy(self.copy_of(job["id"], part), path)
            return audit(path, name, target, job["kind"], part)

    def copy_of(self, job_id: str, part: str) -> Path:
        """The job's own copy of one of its files."""
        return self._house.store.blob(f"{job_id}-{part}")

    def keep(self, job: Mapping[str, Any]) -> None:
        """Make the job's own copies."""
        for part in ("training", "validation"):
            if job[f"{part}_file"]:
                self._house.store.copy_blob(job[f"{part}_file"], f"{job['id']}-{part}")

    def drop(self, job_id: str) -> None:
        """Let the job's copies go, and what was fitted."""
        for part in ("training", "validation"):
            self._house.store.delete_blob(f"{job_id}-{part}")
        with self._lock:
            self._fitted = {key: each for key, each in self._fitted.items() if key[0] != job_id}

    def _plan(self, job: Mapping[str, Any], train: Verdict) -> Plan:
        """What `auto` stands for: epochs as OpenAI's cookbook estimates them, batches of 0.2 % of the rows."""
        rows, hyper = max(train.rows, 1), job["hyper"]
        auto = 3
        if rows * auto < 100:
            auto = min(25, math.ceil(100 / rows))
        elif rows * auto > 25_000:
            auto = max(1, 25_000 // rows)
        epochs = hyper.get("n_epochs")
        batch = hyper.get("batch_size")
        given_epochs = math.ceil(epochs) if isinstance(epochs, int | float) and epochs > 0 else auto
        given_batch = batch if isinstance(batch, int) and batch > 0 else min(256, max(1, round(rows * 0.002)))
        return Plan(min(given_epochs, 50), min(given_batch, 4096), job["seed"] % (1 << 31), train.classes)

    def _fit(self, job: Mapping[str, Any], plan: Plan) -> Tuned:
        train = read_examples(self.copy_of(job["id"], "training"))
        valid = read_examples(self.copy_of(job["id"], "validation")) if job["validation_file"] else []
        tuned = Tuned(train, valid, plan)
        with self._lock:
            self._fitted[job["id"], plan.epochs] = tuned
            while len(self._fitted) > KEPT:
                self._fitted.pop(next(iter(self._fitted)))
        return tuned

    def tuned(self, job: Mapping[str, Any], epochs: int | None = None) -> Tuned:
        """The stand-in of a job that has succeeded, as it was after `epochs` (all of them by default)."""
        plan = Plan(**job["outcome"]["plan"])
        plan = Plan(epochs or plan.epochs, plan.batch, plan.seed, plan.classes)
        with self._lock:
            known = self._fitted.get((job["id"], plan.epochs))
        return known or self._fit(job, plan)


def _failed(code: str, message: str, param: str | None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "param": param}}
