"""Prepare and validate fine-tuning datasets: check, mend, split and write them, with exact places and token counts.

import ftprep as ft
report = ft.check("support.xlsx")
result = ft.prepare("support.xlsx", recipe="sentiment", out="data/")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftprep.version import __version__

if TYPE_CHECKING:
    from ftprep.converter import convert, split
    from ftprep.errors import FtprepError
    from ftprep.fixer import Fixed, fix
    from ftprep.jobs.api import submit
    from ftprep.jobs.model import Job
    from ftprep.pipeline import check, load
    from ftprep.prepared import Prepared
    from ftprep.preparer import prepare
    from ftprep.readers.base import Options
    from ftprep.recipe import Recipe
    from ftprep.report import Report
    from ftprep.verifier import Verified, verify

__all__ = [
    "Fixed",
    "FtprepError",
    "Job",
    "Options",
    "Prepared",
    "Recipe",
    "Report",
    "Verified",
    "__version__",
    "check",
    "convert",
    "fix",
    "load",
    "prepare",
    "split",
    "submit",
    "verify",
]

_HOMES = {
    "Fixed": "fixer",
    "FtprepError": "errors",
    "Job": "jobs.model",
    "Options": "readers.base",
    "Prepared": "prepared",
    "Recipe": "recipe",
    "Report": "report",
    "Verified": "verifier",
    "check": "pipeline",
    "convert": "converter",
    "fix": "fixer",
    "load": "pipeline",
    "prepare": "preparer",
    "split": "converter",
    "submit": "jobs.api",
    "verify": "verifier",
}


def __getattr__(name: str) -> Any:
    # Names are fetched when first used, so that `import ftprep` costs next to nothing.
    if name not in _HOMES:
        message = f"module 'ftprep' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(f"ftprep.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
