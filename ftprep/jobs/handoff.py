"""Providers that ftprep does not talk to: where the file stands in their form, and the exact commands to go on with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftprep.errors import UsageError
from ftprep.jobs.capabilities import HANDED_ON
from ftprep.targets import Target, find_target


@dataclass(frozen=True)
class Handoff:
    """What is left to do: the files, the request where there is one, the commands in order, and what to know."""

    provider: str
    files: tuple[str, ...]
    commands: tuple[str, ...]
    request: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The way on as JSON values."""
        return {
            "provider": self.provider,
            "files": list(self.files),
            "commands": list(self.commands),
            "request": dict(self.request),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Wanted:
    """What the commands are made of; empty values become placeholders in capitals."""

    model: str
    method: str
    train: Path
    valid: Path | None = None
    hyper: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    key: str = ""


def is_handed_on(provider: str) -> bool:
    """Whether ftprep hands over to others for this provider."""
    return provider.lower().partition("-")[0] in HANDED_ON or provider in ("gemini", "google", "aws")


def target_for(provider: str, model: str, method: str | None) -> Target:
    """The facts that the file is held against. Raises UsageError where it is not known of whom the model is."""
    name = provider.lower()
    if name in ("gemini", "google"):
        name = "vertex"
    if name in ("bedrock", "aws"):
        name = "bedrock-rft" if method == "reinforcement" else _bedrock_name(model)
    return find_target(f"{name}:{model}", method)


def _bedrock_name(model: str) -> str:
    names = ("bedrock-nova", "bedrock-llama", "bedrock-titan", "bedrock-haiku")
    known = [name for name in names if find_target(f"{name}:{model}").value("model.known")]
    alike = [name for name in names if name.partition("-")[2] in model.lower()]
    if found := known or alike:
        return found[0]
    message = f"no model {model!r} is known that Bedrock tunes"
    raise UsageError(message, f"name the family it is of: --provider {', '.join(names)}")


def hand_on(target: Target, wanted: Wanted) -> Handoff:
    """The commands for one of `mistral`, `vertex` and `bedrock`. Raises UsageError for a name that is not taken."""
    if target.name == "vertex":
        return _vertex(wanted)
    if target.name.startswith("bedrock"):
        return _bedrock(target, wanted)
    return _mistral(wanted)


def _files(wanted: Wanted) -> tuple[str, ...]:
    return tuple(str(p) for p in (wanted.train, wanted.valid) if p is not None)


def _vertex(wanted: Wanted) -> Handoff:
    spec: dict[str, Any] = {"trainingDatasetUri": f"gs://BUCKET/{wanted.train.name}"}
    copies = [f"gcloud storage cp {shlex.quote(str(wanted.train))} gs://BUCKET/{shlex.quote(wanted.train.name)}"]
    if wanted.valid:
        spec["validationDatasetUri"] = f"gs://BUCKET/{wanted.valid.name}"
        copies.append(
            f"gcloud storage cp {shlex.quote(str(wanted.valid))} gs://BUCKET/{shlex.quote(wanted.valid.name)}"
        )
    names = {"epochs": "epochCount", "learning_rate_multiplier": "learningRateMultiplier", "beta": "beta"}
    hyper = {names.get(k, k): v for k, v in wanted.hyper.items()}
    spec |= {"hyperParameters": hyper} if hyper else {}
    kind = "preferenceOptimizationSpec" if wanted.method == "dpo" else "supervisedTuningSpec"
    request: dict[str, Any] = {"baseModel": wanted.model, kind: spec}
    request |= {"tunedModelDisplayName": wanted.suffix} if wanted.suffix else {}
    place = "https://REGION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/REGION/tuningJobs"
    proof = '-H "Authorization: Bearer $(gcloud auth print-access-token)"'
    return Handoff(
        "vertex",
        _files(wanted),
        (
            *copies,
            f"curl -fsS -X POST {proof} -H 'Content-Type: application/json' -d @job.json {place}",
            f"curl -fsS {proof} {place}/JOB",
        ),
        request,
        (
            "put your bucket, project and region in the places in capitals; job.json is the request",
            "the first curl creates a job each time it is run: look with the second before you repeat it",
        ),
    )


def _named(target: Target, wanted: Wanted) -> str:
    """The name of the job and of its model: suffix and key. Raises UsageError for a suffix that fits neither."""
    from ftprep.rules.tool import matches

    name = f"{wanted.suffix or 'ftprep'}-{wanted.key[:8] or 'JOB'}"
    for path in ("job.name", "job.model_name"):
        most, pattern = target.value(f"{path}_max"), target.value(f"{path}_pattern")
        if most and len(name) > most:
            message = (
                f"the suffix has {len(wanted.suffix)} characters; names have {most} at most, 9 of them for the key"
            )
            raise UsageError(message, "give a shorter --suffix")
        if pattern and not matches(pattern, name):
            message = f"the suffix {wanted.suffix!r} cannot be in the name of a job or model: it must match {pattern}"
            raise UsageError(message, "give --suffix letters and digits, with single hyphens between them")
    return name


def _bedrock(target: Target, wanted: Wanted) -> Handoff:
    token = f"ftprep-{wanted.key[:24]}" if wanted.key else "ONE-TOKEN-FOR-THIS-JOB"
    name = _named(target, wanted)
    names = {"epochs": "epochCount", "batch_size": "batchSize", "learning_rate": "learningRate"}
    hyper = ",".join(f"{names.get(k, k)}={v}" for k, v in wanted.hyper.items())
    kind = "REINFORCEMENT_FINE_TUNING" if wanted.method == "reinforcement" else "FINE_TUNING"
    create = [
        "aws bedrock create-model-customization-job",
        f"--job-name {name}",
        f"--custom-model-name {name}",
        "--role-arn ROLE_ARN",
        f"--base-model-identifier {shlex.quote(wanted.model)}",
        f"--customization-type {kind}",
        f"--client-request-token {token}",
        f"--training-data-config s3Uri=s3://BUCKET/{shlex.quote(wanted.train.name)}",
        "--output-data-config s3Uri=s3://BUCKET/output/",
    ]
    copies = [f"aws s3 cp {shlex.quote(str(wanted.train))} s3://BUCKET/{shlex.quote(wanted.train.name)}"]
    if wanted.valid:
        address = f"s3://BUCKET/{shlex.quote(wanted.valid.name)}"
        copies.append(f"aws s3 cp {shlex.quote(str(wanted.valid))} {address}")
        create.append(f"--validation-data-config validators=[{{s3Uri={address}}}]")
    if hyper:
        create.append(f"--hyper-parameters {shlex.quote(hyper)}")
    get = f"aws bedrock get-model-customization-job --job-identifier {name}"
    return Handoff(
        "bedrock",
        _files(wanted),
        (*copies, " ".join(create), get),
        notes=(
            "put your bucket and role in the places in capitals",
            "the token is made of content and settings: the same command twice makes one job",
        ),
    )


def _mistral(wanted: Wanted) -> Handoff:
    return Handoff(
        "mistral",
        _files(wanted),
        (),
        notes=(
            "Mistral has taken jobs out of its interface (its package has none since 2.6), so there is no command",
            "the file is for your own training, or their studio",
        ),
    )
