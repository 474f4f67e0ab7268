"""Holds the facts of the target openai to OpenAI's own OpenAPI document, where that is beside the project."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ftprep.targets import find_target

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[3] / "shared") / "spec"
DOCUMENTS = sorted(SHARED.glob("*.openapi.yaml"))

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="the OpenAPI document is not beside the project")

SCHEMA_OF = {
    "supervised": "FineTuneSupervisedHyperparameters",
    "dpo": "FineTuneDPOHyperparameters",
    "reinforcement": "FineTuneReinforcementHyperparameters",
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DOCUMENTS[0].read_text(encoding="utf-8"))["components"]["schemas"]
    return found


def said_of(schema: dict[str, Any]) -> dict[str, Any]:
    """What the document says of a hyperparameter, as facts say it."""
    kinds = schema.get("oneOf", [schema])
    told: dict[str, Any] = {"auto": any("auto" in kind.get("enum", ()) for kind in kinds)}
    for kind in kinds:
        if "enum" in kind and "auto" not in kind["enum"]:
            told["enum"] = tuple(kind["enum"])
        if "minimum" in kind:
            told["min_exclusive" if kind.get("exclusiveMinimum") else "min"] = kind["minimum"]
        if "maximum" in kind:
            told["max"] = kind["maximum"]
    return told


@pytest.mark.parametrize("method", SCHEMA_OF)
def test_the_bounds_of_hyperparameters_are_the_documents(method: str, schemas: dict[str, Any]) -> None:
    target = find_target("openai", method)
    for name, schema in schemas[SCHEMA_OF[method]]["properties"].items():
        for key, value in said_of(schema).items():
            assert target.value(f"params.{name}.{key}", False) == value, f"{name}.{key}"


def test_jobs_are_bounded_as_the_document_says(schemas: dict[str, Any]) -> None:
    target = find_target("openai")
    asked = schemas["CreateFineTuningJobRequest"]["properties"]
    assert target.value("suffix.max") == asked["suffix"]["maxLength"]
    assert target.value("suffix.min") == asked["suffix"]["minLength"]
    assert target.value("params.seed.max") == asked["seed"]["maximum"]
    assert set(target.value("job.statuses")) == set(schemas["FineTuningJob"]["properties"]["status"]["enum"])
    assert "fine-tune" in schemas["CreateFileRequest"]["properties"]["purpose"]["enum"]
