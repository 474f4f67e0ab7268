"""Holds docs/formats.md to the dialects that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftprep.shapes.dialect import Dialect
from ftprep.shapes.dialects.catalogue import DIALECTS
from ftprep.shapes.wire import DIALECT_OF

PAGE = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_every_dialect_has_its_line(dialect: Dialect) -> None:
    assert f"| `{dialect.name}` | {dialect.shape} | {dialect.title} |" in PAGE


@pytest.mark.parametrize(("shape", "wire"), DIALECT_OF.items())
def test_every_shape_is_told_with_its_wire_form(shape: str, wire: str) -> None:
    assert f"| `{shape}` |" in PAGE
    assert f"| `{wire}` |" in PAGE
