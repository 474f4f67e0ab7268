"""Fireworks' API: datasets and jobs under an account, with ids that the client may choose."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ftprep.sandbox import bounds
from ftprep.sandbox.app import SIGNED
from ftprep.sandbox.files import Files
from ftprep.sandbox.house import Call, House, Reply, new_id, page
from ftprep.sandbox.jobs import Jobs
from ftprep.sandbox.models import Models
from ftprep.sandbox.problems import Refusal, bad, missing
from ftprep.sandbox.profiles import TERMINAL
from ftprep.targets import find_target

MOST_DIRECT = 150 << 20
"""Bytes that can be uploaded without a signed address."""

FAMILIES = {"supervisedFineTuningJobs": "supervised", "dpoJobs": "dpo"}
_NUMBERS = {"epochs": "epochs", "loraRank": "lora_rank", "batchSizeSamples": "batch_size_samples"}
_REFUSED = ("batchSize", "gradientAccumulationSteps", "jinjaTemplate", "earlyStop")
KEYS = (
    *("dataset", "baseModel", "warmStartFrom", "outputModel", "displayName", "evaluationDataset", *_NUMBERS),
    *("learningRate", "learningRateWarmupSteps", "maxContextLength", "evalAutoCarveout", "wandbConfig", "nodes"),
    *("optimizerWeightDecay", "lrScheduler", "region", "isTurbo", "purpose", "usePurpose", *_REFUSED),
    *("trainingConfig", "lossConfig", "useReservation", "reservationTarget", "rendererHuggingFaceRepoId"),
    *("samplerCheckpointSaveIntervalSteps", "awsS3Config", "azureBlobStorageConfig", "metricsFileSignedUrl"),
)
_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class FireworksApi:
    """The handlers: each takes a call and gives a reply, or raises a Refusal."""

    def __init__(self, house: House, files: Files, jobs: Jobs, models: Models) -> None:
        self.house, self.files, self.jobs, self.models = house, files, jobs, models

    # Datasets

    def create_dataset(self, call: Call) -> Reply:
        """POST datasets"""
        body = call.json
        bounds.known_keys(body, ("dataset", "datasetId", "sourceDatasetId"))
        name, said = _checked(body.get("datasetId"), "datasetId"), body.get("dataset") or {}
        if not isinstance(said, dict):
            raise bad("'dataset' must be an object", "dataset")
        with self.house.store.lock:
            if self.house.store.get("dataset", _key(call, name)) is not None:
                raise Refusal(409, f"dataset {name} already exists", "ALREADY_EXISTS")
            kept = {"id": _key(call, name), "file": None, "created": self.house.clock(), "said": said}
            self.house.store.put("dataset", kept, call.names["account"])
        return Reply(self.dataset_view(kept))

    def _dataset(self, call: Call, name: str | None = None) -> dict[str, Any]:
        key = _key(call, name or call.names["dataset"])
        found = self.house.store.get("dataset", key)
        if found is None:
            raise missing("dataset", key, code="NOT_FOUND")
        return found

    def upload(self, call: Call) -> Reply:
        """POST datasets/{id}:upload"""
        dataset = self._dataset(call)
        if call.upload is None:
            raise bad("'file' is missing", "file")
        self._fill(dataset, call, MOST_DIRECT)
        return Reply({})

    def _fill(self, dataset: dict[str, Any], call: Call, most: int) -> None:
        name, source = call.upload or ("", None)
        if source is not None:
            file = self.files.add(name or "dataset.jsonl", [source], "fine-tune", most=most)
            with self.house.store.lock:
                self.house.store.put("dataset", {**dataset, "file": file["id"]})

    def upload_endpoint(self, call: Call) -> Reply:
        """POST datasets/{id}:getUploadEndpoint"""
        dataset, sizes = self._dataset(call), call.json.get("filenameToSize")
        if not isinstance(sizes, dict) or not sizes:
            raise bad("'filenameToSize' must say a name and a size", "filenameToSize")
        urls = {}
        for name in sizes:
            token = new_id("", 40)
            self.house.store.put("ticket", {"id": token, "dataset": dataset["id"], "name": name})
            urls[name] = f"{call.origin}{SIGNED}{token}"
        return Reply({"filenameToSignedUrls": urls, "filenameToUnsignedUris": {}})

    def put(self, call: Call) -> Reply:
        """PUT /signed/{token}"""
        ticket = self.house.store.get("ticket", call.names["token"])
        dataset = self.house.store.get("dataset", ticket["dataset"]) if ticket else None
        if ticket is None or dataset is None or call.upload is None:
            raise Refusal(403, "This address is not valid")
        self._fill(dataset, call, MOST_DIRECT * 100)
        self.house.store.delete("ticket", ticket["id"])
        return Reply(b"", kind="text/plain")

    def validate_upload(self, call: Call) -> Reply:
        """POST datasets/{id}:validateUpload"""
        if self._dataset(call)["file"] is None:
            raise bad("Nothing has been uploaded to this dataset", "dataset")
        return Reply({})

    def get_dataset(self, call: Call) -> Reply:
        """GET datasets/{id}"""
        return Reply(self.dataset_view(self._dataset(call), polled=True))

    def list_datasets(self, call: Call) -> Reply:
        """GET datasets"""
        found = self.house.store.all("dataset", call.names["account"])
        return Reply(_page(call, "datasets", found, self.dataset_view))

    def delete_dataset(self, call: Call) -> Reply:
        """DELETE datasets/{id}"""
        dataset = self._dataset(call)
        if dataset["file"]:
            self.files.delete(dataset["file"])
        self.house.store.delete("dataset", dataset["id"])
        return Reply({})

    def dataset_view(self, dataset: dict[str, Any], polled: bool = False) -> dict[str, Any]:
        """A dataset in Fireworks' words."""
        state, status = "UPLOADING", {"code": "OK", "message": ""}
        if dataset["file"]:
            file = self.files.find(dataset["file"], polled=polled)
            state = self.house.profile.file_status(file["state"])
            if file["state"] == "error":
                status = {"code": "INVALID_ARGUMENT", "message": f"Dataset validation failed: {file['fault']}"}
        said = {key: value for key, value in dataset["said"].items() if key != "state"}
        shown = {**said, "name": dataset["id"], "createTime": _day(dataset["created"]), "state": state}
        return {**shown, "status": status}

    # Jobs

    def create_job(self, call: Call) -> Reply:
        """POST supervisedFineTuningJobs, dpoJobs"""
        body, family = call.json, _family(call)
        bounds.known_keys(body, KEYS)
        config = body.get("trainingConfig") or {}
        if not isinstance(config, dict):
            raise bad("'trainingConfig' must be an object", "trainingConfig")
        said = {**config, **body}
        if refused := [key for key in _REFUSED if said.get(key) is not None]:
            raise bad(f"'{refused[0]}' is no longer supported", refused[0], "INVALID_ARGUMENT")
        base, start = bounds.text_of(said, "baseModel"), bounds.text_of(said, "warmStartFrom")
        if (base is None) == (start is None):
            raise bad("one of 'baseModel' and 'warmStartFrom' must be given", "baseModel", "INVALID_ARGUMENT")
        kind = FAMILIES[family]
        target = find_target("fireworks", kind)
        for key, name in _NUMBERS.items():
            bounds.number_within(target, name, said.get(key), key)
        given = call.query.get(f"{family[0]}{family[1:-1]}Id")
        name = _checked(given, "id") if given else new_id("", 12).lower()
        files = {"training_file": self._file_of(call, said, "dataset")}
        files["validation_file"] = self._file_of(call, said, "evaluationDataset")
        model, output = base or start or "", bounds.text_of(said, "outputModel")
        job: dict[str, Any] = {"id": f"accounts/{call.names['account']}/{family}/{name}", "model": model, "kind": kind}
        job |= {"base": self.models.base_of(model), "suffix": (output or name).rpartition("/")[2], "seed": 0, **files}
        job |= {"hyper": {"n_epochs": said.get("epochs", 1), "batch_size": said.get("batchSizeSamples")}}
        job |= {"account": call.names["account"], "said": body, "family": family, "metadata": None}
        return Reply(self.job_view(self.jobs.create(job, call.doom)))

    def _file_of(self, call: Call, said: dict[str, Any], key: str) -> str | None:
        name = bounds.text_of(said, key, required=key == "dataset")
        if name is None:
            return None
        dataset = self._dataset(call, name.rpartition("/")[2])
        view = self.dataset_view(dataset)
        if view["state"] != "READY" or view["status"]["code"] != "OK":
            told = view["status"]["message"] or f"dataset {name} is not ready"
            raise bad(told, key, "FAILED_PRECONDITION")
        return str(dataset["file"])

    def _job_id(self, call: Call) -> str:
        return f"accounts/{call.names['account']}/{_family(call)}/{call.names['job']}"

    def get_job(self, call: Call) -> Reply:
        """GET supervisedFineTuningJobs/{id}"""
        return Reply(self.job_view(self.jobs.find(self._job_id(call), polled=True)))

    def list_jobs(self, call: Call) -> Reply:
        """GET supervisedFineTuningJobs"""
        family, account = _family(call), call.names["account"]
        found = [each for each in self.jobs.all() if (each["family"], each["account"]) == (family, account)]
        return Reply(_page(call, family, found, self.job_view))

    def change_job(self, call: Call) -> Reply:
        """POST supervisedFineTuningJobs/{id}:cancel, :resume"""
        change = self.jobs.cancel if call.path.endswith(":cancel") else self.jobs.resume
        return Reply(self.job_view(change(self._job_id(call))))

    def delete_job(self, call: Call) -> Reply:
        """DELETE supervisedFineTuningJobs/{id}"""
        job = self.jobs.find(self._job_id(call))
        if job["state"] not in TERMINAL:
            self.jobs.cancel(job["id"])
        self.jobs.delete(job["id"])
        return Reply({})

    def job_view(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job in Fireworks' words."""
        error = job["error"]
        status = {"code": "INVALID_ARGUMENT" if error else "OK", "message": error["message"] if error else ""}
        shown = {key: value for key, value in job["said"].items() if key != "wandbConfig"}
        shown |= {"name": job["id"], "createTime": _day(job["created"]), "updateTime": _day(job["last"])}
        shown |= {"state": self.house.profile.status(job["state"]), "status": status}
        shown |= {"outputModel": self.jobs.name_of(job), "createdBy": "sandbox"}
        if job["finished"]:
            shown["completedTime"] = _day(job["finished"])
        curve = (job["outcome"] or {}).get("curve") or []
        if curve:
            shown["jobProgress"] = {"percent": round(100 * job["told"] / len(curve))}
        return shown

    # Models

    def list_models(self, call: Call) -> Reply:
        """GET models of the account"""
        account = f"accounts/{call.names['account']}/"
        found = [each for each in self.models.all() if each["id"].startswith(account)]
        return Reply(_page(call, "models", found, _model_view))

    def get_model(self, call: Call) -> Reply:
        """GET models/{id}"""
        return Reply(_model_view(self.models.find(_model_name(call))))

    def delete_model(self, call: Call) -> Reply:
        """DELETE models/{id}"""
        self.models.delete(_model_name(call))
        return Reply({})


def _model_name(call: Call) -> str:
    return f"accounts/{call.names['account']}/models/{call.names['model']}"


def _model_view(model: dict[str, Any]) -> dict[str, Any]:
    shown = {"name": model["id"], "createTime": _day(model["created"]), "state": "READY", "kind": "HF_PEFT_ADDON"}
    return {**shown, "description": model["description"]}


def _key(call: Call, name: str) -> str:
    return f"accounts/{call.names['account']}/datasets/{name}"


def _family(call: Call) -> str:
    return next(family for family in FAMILIES if f"/{family}" in call.path)


def _checked(name: Any, param: str) -> str:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise bad(f"{name!r} is no id: lower-case letters, digits and hyphens, at most 63", param, "INVALID_ARGUMENT")
    return name


def _page(call: Call, key: str, found: list[dict[str, Any]], view: Any) -> dict[str, Any]:
    size = call.query.get("pageSize", "50")
    most = min(int(size), 200) if size.isascii() and size.isdigit() and int(size) else 50
    shown, more = page(found, call.query.get("pageToken"), most)
    token = shown[-1]["id"] if more else ""
    return {key: [view(each) for each in shown], "nextPageToken": token, "totalSize": len(found)}


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


_HERE = "/accounts/{account}"
ROUTES = (
    ("POST", f"{_HERE}/datasets", "create_dataset"),
    ("GET", f"{_HERE}/datasets", "list_datasets"),
    ("POST", f"{_HERE}/datasets/{{dataset}}:upload", "upload"),
    ("POST", f"{_HERE}/datasets/{{dataset}}:getUploadEndpoint", "upload_endpoint"),
    ("POST", f"{_HERE}/datasets/{{dataset}}:validateUpload", "validate_upload"),
    ("GET", f"{_HERE}/datasets/{{dataset}}", "get_dataset"),
    ("DELETE", f"{_HERE}/datasets/{{dataset}}", "delete_dataset"),
    *(
        (method, f"{_HERE}/{family}{path}", name)
        for family in FAMILIES
        for method, path, name in (
            ("POST", "", "create_job"),
            ("GET", "", "list_jobs"),
            ("POST", "/{job}:cancel", "change_job"),
            ("POST", "/{job}:resume", "change_job"),
            ("GET", "/{job}", "get_job"),
            ("DELETE", "/{job}", "delete_job"),
        )
    ),
    ("GET", f"{_HERE}/models", "list_models"),
    ("GET", f"{_HERE}/models/{{model}}", "get_model"),
    ("DELETE", f"{_HERE}/models/{{model}}", "delete_model"),
)
"""Method, path below the prefix, name of the handler."""
