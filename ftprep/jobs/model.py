"""The nouns of jobs: what is asked for, what came of it, and the protocol that all providers are used by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from ftprep.jobs.capabilities import Capabilities

Status = Literal["preparing", "queued", "running", "paused", "succeeded", "failed", "cancelled", "unknown"]
TERMINAL: frozenset[Status] = frozenset(("succeeded", "failed", "cancelled"))
"""Those after which nothing more happens."""

METADATA_KEY = "ftprep_key"

Told = Callable[[str], None]
"""Called with one line about what goes on."""


@dataclass(frozen=True)
class DataFile:
    """A file as it was when it was hashed: `sha256` in hex, sizes in bytes and lines."""

    path: str
    sha256: str
    bytes: int
    rows: int

    @property
    def name(self) -> str:
        """What it is called at a provider: by its content, so that it is found again."""
        return f"{Path(self.path).stem[:60]}-{self.sha256[:12]}.jsonl"


@dataclass(frozen=True)
class JobSpec:
    """All that makes a job what it is. Texts and numbers only, and never a key."""

    provider: str
    endpoint: str
    model: str
    method: str
    train: DataFile
    valid: DataFile | None = None
    hyper: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    seed: int | None = None
    account: str = ""
    wandb: Mapping[str, Any] = field(default_factory=dict)
    grader: Mapping[str, Any] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def key(self, attempt: int = 0) -> str:
        """32 hex characters that stand for content and settings: the same for the same job wherever its files lie."""
        said = asdict(self)
        for side in ("train", "valid"):
            said[side] = said[side] and said[side]["sha256"]
        if attempt:
            said["attempt"] = attempt
        return hashlib.sha256(canonical(said)).hexdigest()[:32]


def canonical(value: Any) -> bytes:
    """A value as the one JSON text that stands for it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class FileRef:
    """A file at a provider; `reason` says why it is of no use where `state` is "error"."""

    id: str
    state: Literal["ready", "waiting", "error"] = "ready"
    reason: str = ""


@dataclass(frozen=True)
class Job:
    """A job as its provider last told of it. Times are seconds since 1970 (UTC), 0 where not known.

    `raw_status` is the provider's own word; `key` is that of the ledger, "" for a job that is not in it.
    """

    id: str
    provider: str
    status: Status
    raw_status: str = ""
    model: str = ""
    model_out: str = ""
    error: str = ""
    created: float = 0
    finished: float = 0
    tokens: int = 0
    training_file: str = ""
    suffix: str = ""
    key: str = ""
    tag: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    adopted: bool = field(default=False, compare=False)
    ledger: str = field(default="", repr=False, compare=False)
    connection: Any = field(default=None, repr=False, compare=False)

    @property
    def done(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in TERMINAL

    def to_dict(self) -> dict[str, Any]:
        """The job as JSON values, without what the provider said in its own words."""
        names = ("id", "provider", "status", "raw_status", "model", "model_out", "error", "created", "finished")
        return {name: getattr(self, name) for name in (*names, "tokens", "training_file", "suffix", "key", "adopted")}

    def watch(self, **options: Any) -> Job:
        """Follow the job to its end, as `ftprep.jobs.api.watch` does; returns it as it is then."""
        from ftprep.jobs.api import watch

        return watch(self, **options)


@dataclass(frozen=True)
class Event:
    """Something that happened to a job; `data` has the figures of a step (step, total_steps, train_loss ...)."""

    created: float
    level: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def content(self) -> str:
        """What tells it from others: its content, since the ids of some providers change from call to call."""
        said = [self.created, self.level, self.message, dict(self.data)]
        return hashlib.sha256(canonical(said)).hexdigest()[:24]

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON values."""
        return {"created": self.created, "level": self.level, "message": self.message, "data": dict(self.data)}


@dataclass(frozen=True)
class Checkpoint:
    """A state of the model on the way that can be used; `metrics` are the provider's."""

    id: str
    step: int
    model: str
    created: float = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Parts(Protocol):
    """Where an upload in parts keeps what is done, so that it goes on."""

    def load(self) -> dict[str, Any]:
        """What was kept, empty at first."""

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep it durably."""


class Provider(Protocol):
    """Who trains. All calls raise ProviderError; none but GETs is repeated by a provider itself."""

    @property
    def can(self) -> Capabilities:
        """What it can do."""

    @property
    def host(self) -> str:
        """Where requests go."""

    def body(self, spec: JobSpec, train: str, valid: str, key: str) -> dict[str, Any]:
        """The request that creates the job, with the ids of its files; without secrets."""

    def where(self, spec: JobSpec, key: str) -> str:
        """Method and address of that request."""

    def find_file(self, file: DataFile) -> FileRef | None:
        """A file of the same content that is there already."""

    def upload(self, file: DataFile, parts: Parts, told: Told) -> FileRef:
        """Send the file."""

    def file_state(self, ref: FileRef) -> FileRef:
        """The file as it is now."""

    def create(self, spec: JobSpec, body: Mapping[str, Any], key: str) -> Job:
        """Create the job: one request, never repeated."""

    def find_jobs(self, spec: JobSpec, key: str, train: str, since: float) -> list[Job]:
        """The jobs that this request has made, oldest first."""

    def get(self, job_id: str) -> Job:
        """The job as it is now."""

    def list_jobs(self, most: int) -> list[Job]:
        """The newest jobs of the account, newest first."""

    def change(self, job_id: str, what: Literal["cancel", "pause", "resume"]) -> Job:
        """Cancel, pause or resume."""

    def events(self, job_id: str) -> Iterator[list[Event]]:
        """The events in pages, newest first."""

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The checkpoints, the latest first."""

    def results(self, job: Job) -> list[tuple[str, bytes]]:
        """Name and bytes of the files with the figures of the training."""

    def models(self) -> list[dict[str, Any]]:
        """The tuned models of the account: at least `id`."""

    def delete_model(self, name: str) -> None:
        """Delete a tuned model."""
