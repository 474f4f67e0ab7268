"""Whose API the sandbox looks like: the differences between providers, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VALIDATING, QUEUED, RUNNING, PAUSED = "validating", "queued", "running", "paused"
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
LIVE = (VALIDATING, QUEUED, RUNNING)
TERMINAL = (SUCCEEDED, FAILED, CANCELLED)


@dataclass(frozen=True)
class Profile:
    """One provider. `target` is what its training files are checked against, `statuses` its words for those of a job.

    `file_delay` is how long a file is not ready (in seconds or polls, as the pace counts); `null_fields` whether what
    is not known yet is null rather than empty; `stable_events` whether an event keeps its id between two calls.
    """

    name: str
    target: str
    prefixes: tuple[str, ...]
    statuses: Mapping[str, str] = field(default_factory=dict)
    file_statuses: Mapping[str, str] = field(default_factory=dict)
    upload_status: int = 200
    file_delay: float = 0.0
    null_fields: bool = False
    stable_events: bool = True
    warn: str = "warn"
    tuned_name: str = "ft:{model}:{org}:{suffix}:{id}"
    unknown_models: bool = False

    def status(self, state: str) -> str:
        """The provider's word for a state of a job."""
        return self.statuses.get(state, state)

    def file_status(self, state: str) -> str:
        """The provider's word for a state of a file."""
        return self.file_statuses.get(state, state)


_TOGETHER = {VALIDATING: "pending", PAUSED: "queued", SUCCEEDED: "completed", FAILED: "error"}
_FIREWORKS = {
    VALIDATING: "JOB_STATE_VALIDATING",
    QUEUED: "JOB_STATE_PENDING",
    RUNNING: "JOB_STATE_RUNNING",
    PAUSED: "JOB_STATE_PAUSED",
    SUCCEEDED: "JOB_STATE_COMPLETED",
    FAILED: "JOB_STATE_FAILED",
    CANCELLED: "JOB_STATE_CANCELLED",
}

PROFILES: Mapping[str, Profile] = {
    each.name: each
    for each in (
        Profile("openai", "openai", ("/v1",), {VALIDATING: "validating_files"}),
        Profile(
            "azure",
            "azure",
            ("/openai/v1", "/openai"),
            {VALIDATING: "pending", QUEUED: "pending"},
            {"uploaded": "pending"},
            upload_status=201,
            file_delay=2.0,
            null_fields=True,
            stable_events=False,
            warn="warning",
            tuned_name="{model}.ft-{id}-{suffix}",
        ),
        Profile(
            "together",
            "together",
            ("/v1",),
            _TOGETHER,
            {"uploaded": "PENDING", "processed": "COMPLETED", "error": "INVALID_FORMAT"},
            tuned_name="{org}/{model}-{suffix}-{id}",
            unknown_models=True,
        ),
        Profile(
            "fireworks",
            "fireworks",
            ("/v1",),
            _FIREWORKS,
            {"uploaded": "UPLOADING", "processed": "READY", "error": "READY"},
            tuned_name="accounts/{org}/models/{suffix}",
            unknown_models=True,
        ),
    )
}
"""All of them, by name."""
