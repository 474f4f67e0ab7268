"""Runs the scripts of the parsers' child processes in this one: the same code, without a quarter of a second a file."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from ftprep.readers import parquet, parquet_child, workbook, workbook_child

_MAINS = {"workbook_child.py": workbook_child.main, "parquet_child.py": parquet_child.main}


@contextlib.contextmanager
def _started(script: Path, *arguments: str, seconds: float) -> Iterator[tuple[Any, Any]]:
    """As `child.started`, but that the script has ended when it begins."""
    del seconds
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    unbounded = types.SimpleNamespace(bound=lambda *_: None)  # the bounds would be those of the tests
    with (
        mock.patch.object(sys, "argv", [str(script), *arguments]),
        mock.patch.object(sys, "path", [*sys.path]),
        mock.patch.object(sys, "stdout", out),
        mock.patch.dict(sys.modules, child_bounds=unbounded),
        mock.patch.dict(os.environ),
    ):
        code = _MAINS[script.name]()
    out.flush()
    out.buffer.seek(0)
    yield (
        types.SimpleNamespace(stdout=out.buffer, wait=lambda: code, kill=lambda: None),
        types.SimpleNamespace(cancel=lambda: None),
    )


@contextlib.contextmanager
def parsers_here() -> Iterator[None]:
    """Workbooks and Parquet files are parsed in this process."""
    with mock.patch.object(workbook, "started", _started), mock.patch.object(parquet, "started", _started):
        yield
