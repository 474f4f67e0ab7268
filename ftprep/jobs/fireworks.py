"""Fireworks, by its REST interface: we choose the ids of files and jobs, so that a request sent twice makes one job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ftprep.errors import UsageError
from ftprep.jobs.capabilities import Capabilities
from ftprep.jobs.http import Http, as_bytes, as_form, as_json
from ftprep.jobs.model import Checkpoint, DataFile, Event, FileRef, Job, JobSpec, Parts, Told
from ftprep.jobs.together import _time
from ftprep.jobs.trouble import Refused, Unclear
from ftprep.redaction import Secret

_KINDS = {"supervised": "supervisedFineTuningJobs", "dpo": "dpoJobs"}


@dataclass(frozen=True)
class Fireworks:
    """Fireworks' interface, as its package 1.2.30 uses it. A job's id is `KIND/ID`, below the account."""

    can: Capabilities
    http: Http
    account: str
    wandb_key: Secret

    @property
    def host(self) -> str:
        """Where requests go."""
        return self.http.host

    def _at(self, rest: str) -> str:
        return f"/v1/accounts/{self.account}/{rest}"

    def where(self, spec: JobSpec, key: str) -> str:
        """Method and address of the request that creates a job."""
        return f"POST https://{self.host}{self._at(_KINDS[spec.method])}?{_id_name(spec.method)}={_job_name(key)}"

    def body(self, spec: JobSpec, train: str, valid: str, key: str) -> dict[str, Any]:
        """The request that creates the job; its id is chosen in the address."""
        del key
        settings = {self.can.hyper.get(k, k): v for k, v in spec.hyper.items() if k != "beta"}
        start = "warmStartFrom" if "/models/ft" in spec.model or spec.extra.get("continued") else "baseModel"
        settings |= {start: spec.model}
        settings |= {"outputModel": self._at(f"models/{spec.suffix}").removeprefix("/v1/")} if spec.suffix else {}
        body: dict[str, Any] = {"dataset": self._at(f"datasets/{train}").removeprefix("/v1/")}
        if spec.method == "dpo":
            body["trainingConfig"] = settings
            body["lossConfig"] = {"method": "DPO"} | ({"klBeta": spec.hyper["beta"]} if "beta" in spec.hyper else {})
        else:
            body |= settings
            body |= {"evaluationDataset": self._at(f"datasets/{valid}").removeprefix("/v1/")} if valid else {}
        if spec.wandb:
            known = {k: v for k, v in spec.wandb.items() if k in ("project", "entity")}
            body["wandbConfig"] = {"enabled": True, **known}
        return body | {k: v for k, v in spec.extra.items() if k != "continued"}

    def find_file(self, file: DataFile) -> FileRef | None:
        """The set of that content, when all of it is there."""
        try:
            ref = self.file_state(FileRef(_set_name(file)))
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return ref if ref.state == "ready" else None

    def upload(self, file: DataFile, parts: Parts, told: Told) -> FileRef:
        """Make the set, unless it is there, and send its file; a large one to the address that is named for it."""
        del parts, told
        name = _set_name(file)
        made = {"dataset": {"exampleCount": str(file.rows), "userUploaded": {}}, "datasetId": name}
        try:
            self.http.ask("POST", self._at("datasets"), as_json(made))
        except Unclear as error:
            if error.status != 409:
                raise
        path = Path(file.path)
        if file.bytes <= self.can.parts_above:
            self.http.ask("POST", self._at(f"datasets/{name}:upload"), as_form({}, path, file.name))
            return FileRef(name, "waiting")
        asked = {"filenameToSize": {file.name: str(file.bytes)}}
        said = self.http.ask("POST", self._at(f"datasets/{name}:getUploadEndpoint"), as_json(asked))
        address = ((said or {}).get("filenameToSignedUrls") or {}).get(file.name)
        if not isinstance(address, str):
            raise Unclear(f"{self.host} names no address for {file.name}")
        self.http.elsewhere("PUT", address, as_bytes(path))
        self.http.ask("POST", self._at(f"datasets/{name}:validateUpload"), as_json({}))
        return FileRef(name, "waiting")

    def file_state(self, ref: FileRef) -> FileRef:
        """The set as it is now."""
        said = self.http.ask("GET", self._at(f"datasets/{ref.id}")) or {}
        status = said.get("status") if isinstance(said.get("status"), dict) else {}
        told = str((status or {}).get("message") or "")
        if (status or {}).get("code") not in (None, "", "OK"):
            return FileRef(ref.id, "error", told or str((status or {})["code"]))
        return FileRef(ref.id, "ready" if said.get("state") == "READY" else "waiting", told)

    def create(self, spec: JobSpec, body: Mapping[str, Any], key: str) -> Job:
        """One POST under the id that we chose. The key for W&B is in it alone."""
        sent = dict(body)
        if spec.wandb and self.wandb_key:
            sent["wandbConfig"] = {**sent.get("wandbConfig", {}), "apiKey": self.wandb_key.reveal()}
        chosen = {_id_name(spec.method): _job_name(key)}
        return self._job(self.http.ask("POST", self._at(_KINDS[spec.method]), as_json(sent), chosen))

    def find_jobs(self, spec: JobSpec, key: str, train: str, since: float) -> list[Job]:
        """The job of the id that we chose."""
        del train, since
        try:
            return [self.get(f"{_KINDS[spec.method]}/{_job_name(key)}")]
        except Refused as error:
            if error.status == 404:
                return []
            raise

    def get(self, job_id: str) -> Job:
        """The job as it is now."""
        return self._job(self.http.ask("GET", self._at(_placed(job_id))))

    def list_jobs(self, most: int) -> list[Job]:
        """The newest jobs of both kinds."""
        jobs: list[Job] = []
        for kind in _KINDS.values():
            jobs += [self._job(said) for said in self._pages(kind, kind, most)]
        return sorted(jobs, key=lambda job: -job.created)[:most]

    def _pages(self, path: str, key: str, most: int) -> Iterator[dict[str, Any]]:
        token, seen = "", 0
        while True:
            query = {"pageSize": min(most, 200)} | ({"pageToken": token} if token else {})
            said = self.http.ask("GET", self._at(path), query=query) or {}
            listed = [each for each in said.get(key) or () if isinstance(each, dict)]
            yield from listed
            seen, token = seen + len(listed), str(said.get("nextPageToken") or "")
            if not token or not listed or seen >= most:
                return

    def change(self, job_id: str, what: Literal["cancel", "pause", "resume"]) -> Job:
        """Cancel or resume; Fireworks pauses by itself."""
        if what == "pause":
            message = "Fireworks cannot pause a job"
            raise UsageError(message, "it can cancel and resume one")
        self.http.ask("POST", self._at(f"{_placed(job_id)}:{what}"), as_json({}))
        return self.get(job_id)

    def events(self, job_id: str) -> Iterator[list[Event]]:
        """None: Fireworks tells of progress in the job itself."""
        del job_id
        yield []

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """None that can be listed."""
        del job_id
        return []

    def results(self, job: Job) -> list[tuple[str, bytes]]:
        """The file of metrics, at the address that the job names."""
        address = job.raw.get("metricsFileSignedUrl")
        return [("metrics.jsonl", self.http.elsewhere("GET", str(address))[0])] if address else []

    def models(self) -> list[dict[str, Any]]:
        """The models of the account."""
        return [{**said, "id": str(said.get("name") or "")} for said in self._pages("models", "models", 10_000)]

    def delete_model(self, name: str) -> None:
        """Delete a tuned model."""
        self.http.ask("DELETE", self._at(f"models/{name.rpartition('/')[2]}"))

    def _job(self, said: Any) -> Job:
        if not isinstance(said, dict) or not isinstance(said.get("name"), str):
            raise Unclear(f"{self.host} answered with something that is no job")
        raw = str(said.get("state") or "")
        status = said.get("status") if isinstance(said.get("status"), dict) else {}
        normal = self.can.status(raw)
        settings = said.get("trainingConfig") if isinstance(said.get("trainingConfig"), dict) else said
        return Job(
            id="/".join(said["name"].split("/")[-2:]),
            provider=self.can.name,
            status=normal,
            raw_status=raw,
            model=str((settings or {}).get("baseModel") or (settings or {}).get("warmStartFrom") or ""),
            model_out=str((settings or {}).get("outputModel") or "") if normal == "succeeded" else "",
            error=str((status or {}).get("message") or "") if normal == "failed" else "",
            created=_time(said.get("createTime")),
            finished=_time(said.get("completedTime")),
            training_file=str(said.get("dataset") or ""),
            raw=said,
        )


def _id_name(method: str) -> str:
    return "dpoJobId" if method == "dpo" else "supervisedFineTuningJobId"


def _job_name(key: str) -> str:
    return f"ftprep-{key[:24]}"


def _set_name(file: DataFile) -> str:
    return f"ftprep-{file.sha256[:32]}"


def _placed(job_id: str) -> str:
    """The id below the account; one without a kind is that of a supervised job."""
    return job_id if "/" in job_id else f"{_KINDS['supervised']}/{job_id}"
