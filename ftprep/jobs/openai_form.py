"""OpenAI, Azure and all that speak like them, through the `openai` package, whose own repeats are switched off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ftprep.errors import FtprepError, MissingExtra
from ftprep.jobs.capabilities import Capabilities
from ftprep.jobs.http import blocks_of, retry_after
from ftprep.jobs.model import METADATA_KEY, Checkpoint, DataFile, Event, FileRef, Job, JobSpec, Parts, Told
from ftprep.jobs.openai_answers import event, file_ref, known, number, plain
from ftprep.jobs.secret import is_loopback
from ftprep.jobs.trouble import Refused, Unclear, Unreachable, from_status
from ftprep.redaction import Secret

PURPOSE = "fine-tune"
MOST_JOBS = 5000
"""Jobs of the account that are looked through, the newest first."""

TIMEOUT = 120.0
_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "LocalProtocolError")
_NATIVE = ("model", "training_file", "validation_file", "suffix", "seed", "method", "integrations", "metadata")


@dataclass(frozen=True)
class OpenAIForm:
    """A service of OpenAI's form. Azure's older route has an `api_version`, its newer one none."""

    can: Capabilities
    base_url: str
    key: Secret
    api_version: str = ""
    organization: str = ""
    project: str = ""
    timeout: float = TIMEOUT

    @property
    def host(self) -> str:
        """Where requests go."""
        return urlsplit(self.base_url).hostname or ""

    def _client(self) -> Any:
        try:
            import openai
        except ImportError:
            raise MissingExtra(f"--provider {self.can.name}", "openai") from None
        local = is_loopback(self.host)
        # A redirect would carry the key elsewhere, and send the POST a second time.
        # Certificates take 80 ms to load, and http:// (this computer alone) has none.
        tls = self.base_url.startswith("https:")
        http = openai.DefaultHttpxClient(follow_redirects=False, trust_env=not local, verify=tls)
        common: dict[str, Any] = {
            "api_key": self.key.reveal() or "none",
            "max_retries": 0,
            "timeout": self.timeout,
            "http_client": http,
        }
        if self.can.name == "azure" and self.api_version:
            return openai.AzureOpenAI(azure_endpoint=self.base_url, api_version=self.api_version, **common)
        own: dict[str, Any] = {"organization": self.organization or None, "project": self.project or None}
        return openai.OpenAI(base_url=self.base_url, **own, **common)

    @contextmanager
    def _speaking(self) -> Iterator[Any]:
        """The client; what it raises becomes a ProviderError without the request, which has the key."""
        with _closing(self._client()) as client:
            try:
                yield client
            except (FtprepError, GeneratorExit):
                raise
            except Exception as error:  # noqa: BLE001 - whatever the package raises
                raise self._trouble(error) from None

    def _trouble(self, error: Exception) -> FtprepError:
        import openai

        if isinstance(error, openai.APIStatusError):
            body = error.body if isinstance(error.body, dict) else {}
            told = str(body.get("message") or error.message)
            wait = retry_after(error.response.headers.get("retry-after"))
            return from_status(error.status_code, told, str(body.get("code") or ""), self.host, wait)
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__
            name = type(cause).__name__
            told = f"{name}: {cause}" if cause is not None else str(error)
            if name in _NOT_SENT:
                return Unreachable(f"{self.host} cannot be reached: {told}", "is there a network?")
            return Unclear(f"the answer of {self.host} did not come: {told}")
        return Unclear(f"{self.host} answered with something that cannot be read: {type(error).__name__}: {error}")

    def where(self, _spec: JobSpec, _key: str) -> str:
        """Method and address of the request that creates a job."""
        if self.can.name == "azure" and self.api_version:
            return f"POST {self.base_url}/openai/fine_tuning/jobs?api-version={self.api_version}"
        return f"POST {self.base_url}/fine_tuning/jobs"

    def body(self, spec: JobSpec, train: str, valid: str, key: str) -> dict[str, Any]:
        """The request that creates the job."""
        settings: dict[str, Any] = {}
        if spec.hyper:
            settings["hyperparameters"] = {self.can.hyper.get(k, k): v for k, v in spec.hyper.items()}
        if spec.grader is not None:
            settings["grader"] = dict(spec.grader)
        body: dict[str, Any] = {"model": spec.model, "training_file": train}
        body |= {"validation_file": valid} if valid else {}
        body["method"] = {"type": spec.method, **({spec.method: settings} if settings else {})}
        body |= {"suffix": spec.suffix} if spec.suffix else {}
        body |= {"seed": spec.seed} if spec.seed is not None else {}
        body |= {"integrations": [{"type": "wandb", "wandb": dict(spec.wandb)}]} if spec.wandb else {}
        body["metadata"] = {**spec.metadata, METADATA_KEY: key}
        return body | dict(spec.extra)

    def find_file(self, file: DataFile) -> FileRef | None:
        """The newest file of that name, size and purpose; names have the hash of the content."""
        with self._speaking() as client:
            for each in islice(client.files.list(purpose=PURPOSE), 10_000):
                said = plain(each)
                if (said.get("filename"), said.get("bytes")) == (file.name, file.bytes):
                    ref = file_ref(said)
                    if ref.state != "error":
                        return ref
        return None

    def upload(self, file: DataFile, parts: Parts, told: Told) -> FileRef:
        """Send the file; a large one in parts, which are not sent again when it is cut off."""
        if file.bytes > self.can.parts_above:
            return self._in_parts(file, parts, told)
        with self._speaking() as client, Path(file.path).open("rb") as opened:
            made = client.files.create(file=(file.name, opened, "application/jsonl"), purpose=PURPOSE)
            return file_ref(known(made, "id", self.host))

    def _in_parts(self, file: DataFile, parts: Parts, told: Told) -> FileRef:
        state = parts.load()
        size = self.can.part_bytes
        with self._speaking() as client:
            if state.get("size") != size or not state.get("upload"):
                made = client.uploads.create(
                    bytes=file.bytes, filename=file.name, mime_type="application/jsonl", purpose=PURPOSE
                )
                state = {"upload": known(made, "id", self.host)["id"], "size": size, "parts": []}
                parts.save(state)
            total = -(-file.bytes // size)
            try:
                for done_parts in range(len(state["parts"]), total):
                    data = b"".join(blocks_of(Path(file.path), done_parts * size, size))
                    part = client.uploads.parts.create(state["upload"], data=data)
                    state["parts"].append(known(part, "id", self.host)["id"])
                    parts.save(state)
                    told(f"part {done_parts + 1} of {total} of {Path(file.path).name} is sent")
                done = client.uploads.complete(state["upload"], part_ids=state["parts"], md5=_md5(Path(file.path)))
            except Exception as error:  # noqa: BLE001 - whatever the package raises
                trouble = error if isinstance(error, FtprepError) else self._trouble(error)
                if isinstance(trouble, Refused):
                    parts.save({})  # it has expired: the next try begins anew
                raise trouble from None
            parts.save({})
            return file_ref(known(plain(done).get("file") or {}, "id", self.host))

    def file_state(self, ref: FileRef) -> FileRef:
        """The file as it is now."""
        with self._speaking() as client:
            return file_ref(known(client.files.retrieve(ref.id), "id", self.host))

    def create(self, spec: JobSpec, body: Mapping[str, Any], key: str) -> Job:
        """One POST."""
        del spec
        native = {k: v for k, v in body.items() if k in _NATIVE}
        others = {k: v for k, v in body.items() if k not in _NATIVE}
        with self._speaking() as client:
            made = client.fine_tuning.jobs.create(
                **native, extra_body=others or None, extra_headers={"Idempotency-Key": key}
            )
            return self._job(known(made, "id", self.host))

    def find_jobs(self, spec: JobSpec, key: str, train: str, since: float) -> list[Job]:
        """Those that carry the key; where metadata may be dropped, also those with the file, model and suffix."""
        found, older = [], 0
        with self._speaking() as client:
            # Servers may ignore a filter on metadata, and their order is not sure: both are seen to here.
            for each in islice(client.fine_tuning.jobs.list(limit=100), MOST_JOBS):
                job = self._job(known(each, "id", self.host))
                if 0 < job.created < since:
                    older += 1
                    if older > 200:
                        break
                elif job.tag == key or (self.can.metadata != "kept" and _is_like(job, spec, train)):
                    found.append(job)
        return sorted(found, key=lambda job: job.created)

    def get(self, job_id: str) -> Job:
        """The job as it is now."""
        with self._speaking() as client:
            return self._job(known(client.fine_tuning.jobs.retrieve(job_id), "id", self.host))

    def list_jobs(self, most: int) -> list[Job]:
        """The newest jobs."""
        with self._speaking() as client:
            listed = islice(client.fine_tuning.jobs.list(limit=min(most, 100)), most)
            return [self._job(plain(each)) for each in listed]

    def change(self, job_id: str, what: Literal["cancel", "pause", "resume"]) -> Job:
        """Cancel, pause or resume."""
        with self._speaking() as client:
            return self._job(known(getattr(client.fine_tuning.jobs, what)(job_id), "id", self.host))

    def events(self, job_id: str) -> Iterator[list[Event]]:
        """The events in pages, newest first."""
        after: str | None = None
        while True:
            with self._speaking() as client:
                cursor = {"after": after} if after else {}
                page = client.fine_tuning.jobs.list_events(job_id, limit=100, **cursor)
                said = [plain(each) for each in page.data or ()]
                more = page.has_next_page()
            yield [event(each) for each in said]
            following = str(said[-1].get("id") or "") if said else ""
            if not more or not following or following == after:
                return
            after = following

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """The checkpoints, the latest first."""
        with self._speaking() as client:
            listed = [plain(each) for each in islice(client.fine_tuning.jobs.checkpoints.list(job_id), 1000)]
        made = (
            Checkpoint(
                str(each.get("id") or ""),
                int(each.get("step_number") or 0),
                str(each.get("fine_tuned_model_checkpoint") or ""),
                float(each.get("created_at") or 0),
                {k: v for k, v in (each.get("metrics") or {}).items() if v is not None},
            )
            for each in listed
        )
        return sorted(made, key=lambda each: -each.step)

    def results(self, job: Job) -> list[tuple[str, bytes]]:
        """The result files of the job."""
        with self._speaking() as client:
            return [(f"{each}.csv", client.files.content(each).read()) for each in job.raw.get("result_files") or ()]

    def models(self) -> list[dict[str, Any]]:
        """The tuned models, which are those that the account owns."""
        with self._speaking() as client:
            listed = [plain(each) for each in client.models.list()]
        return [m for m in listed if str(m.get("id", "")).startswith("ft:") or ".ft-" in str(m.get("id", ""))]

    def delete_model(self, name: str) -> None:
        """Delete a tuned model."""
        with self._speaking() as client:
            client.models.delete(name)

    def _job(self, said: Mapping[str, Any]) -> Job:
        error = said.get("error") if isinstance(said.get("error"), dict) else {}
        metadata = said.get("metadata") if isinstance(said.get("metadata"), dict) else {}
        raw = str(said.get("status") or "")
        told = " ".join(str(error[k]) for k in ("code", "message") if error and error.get(k))
        return Job(
            id=str(said.get("id") or ""),
            provider=self.can.name,
            status=self.can.status(raw),
            raw_status=raw,
            model=str(said.get("model") or ""),
            model_out=str(said.get("fine_tuned_model") or ""),
            error=told,
            created=number(said.get("created_at")),
            finished=number(said.get("finished_at")),
            tokens=int(number(said.get("trained_tokens"))),
            training_file=str(said.get("training_file") or ""),
            suffix=str(said.get("suffix") or said.get("user_provided_suffix") or ""),
            tag=str(metadata.get(METADATA_KEY) or "") if metadata else "",
            raw=said,
        )


def _is_like(job: Job, spec: JobSpec, train: str) -> bool:
    """Whether a job without a key of ours was made of the same file, model and suffix."""
    same = bool(train) and job.training_file == train and job.model == spec.model and not job.tag
    return same and job.suffix in ("", spec.suffix)


@contextmanager
def _closing(client: Any) -> Iterator[Any]:
    try:
        yield client
    finally:
        client.close()


def _md5(path: Path) -> str:
    made = hashlib.md5(usedforsecurity=False)
    for block in blocks_of(path):
        made.update(block)
    return made.hexdigest()
