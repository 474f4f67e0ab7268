"""Tests of jobs stand in a folder of their own and know no keys of whoever runs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("OPENAI_", "AZURE_OPENAI_", "TOGETHER_", "FIREWORKS_", "WANDB_", "FTPREP_JOBS")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
