"""Holds the shipped JSON Schemas to the models, and real reports, recipes and manifests to the schemas.

FTPREP_UPDATE_GOLDEN=1 writes docs/schemas/ anew.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

import ftprep as ft
from ftprep.manifest import Manifest
from ftprep.recipe import Recipe, shipped_recipes
from ftprep.report import Report
from ftprep.verifier import Verified

ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "docs" / "schemas"
MODELS: dict[str, type[BaseModel]] = {"report": Report, "recipe": Recipe, "manifest": Manifest, "verified": Verified}


def text_of(model: type[BaseModel]) -> str:
    return json.dumps(model.model_json_schema(by_alias=True), ensure_ascii=False, indent=2) + "\n"


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", MODELS)
def test_the_shipped_schema_is_the_models(name: str) -> None:
    path = SCHEMAS / f"{name}.schema.json"
    if os.environ.get("FTPREP_UPDATE_GOLDEN"):
        path.write_text(text_of(MODELS[name]), encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text_of(MODELS[name])
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("fixture", ["support_tickets.csv", "chat_faults.jsonl", "empty.jsonl", "sheets.xlsx"])
def test_reports_keep_the_schema(fixture: str) -> None:
    jsonschema.validate(ft.check(ROOT / "fixtures" / fixture).to_dict(), schema("report"))


def test_manifests_keep_the_schema(tmp_path: Path) -> None:
    result = ft.prepare(ROOT / "fixtures" / "support_tickets.csv", out=tmp_path, unsafe=True)
    assert result.manifest is not None
    document = json.loads(result.manifest.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema("manifest"))
    assert document["rows"]["read"] == sum(document["rows"][k] for k in ("written", "rejected", "skipped"))


@pytest.mark.parametrize("name", shipped_recipes())
def test_recipes_keep_the_schema(name: str) -> None:
    jsonschema.validate(tomllib.loads(shipped_recipes()[name].read_text(encoding="utf-8")), schema("recipe"))
