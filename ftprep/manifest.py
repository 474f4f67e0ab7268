"""What stands beside the written files: which inputs, settings and mendings they came from, and their hashes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ftprep.report import RowCounts, Tool


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ManifestInput(_Value):
    """One input as it was read; `sha256` is "" for data in memory."""

    path: str
    format: str
    sheet: str | None
    bytes: int
    sha256: str
    rows: RowCounts


class ManifestOutput(_Value):
    """One written file, by name: the manifest stands beside it, and both may be moved together."""

    path: str
    sha256: str
    bytes: int
    rows: int


class WrittenRows(_Value):
    """Records: read = written + rejected + skipped. `examples` is more where a record became several."""

    read: int
    written: int
    rejected: int
    skipped: int
    examples: int


class Sides(_Value):
    """Examples on each side of the split."""

    train: int
    valid: int


class Mended(_Value):
    """One mending that was made, and the rows that it was offered for."""

    code: str
    applicability: Literal["safe", "unsafe"]
    message: str
    rows: int


class Manifest(_Value):
    """Enough to make the same files again, and to tell whole files from mixed ones."""

    schema_version: int = 1
    tool: Tool = Tool()
    inputs: tuple[ManifestInput, ...]
    outputs: tuple[ManifestOutput, ...] = ()
    rows: WrittenRows
    recipe: dict[str, Any]
    seed: int
    split: Sides | None
    encoding: str
    rules: tuple[str, ...]
    mended: tuple[Mended, ...]
    findings: dict[str, int]
    versions: dict[str, str]
