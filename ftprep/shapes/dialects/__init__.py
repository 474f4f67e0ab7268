"""The dialects: one value for each way in which providers and trainers write their records."""

from __future__ import annotations

from ftprep.shapes.dialect import Dialect
from ftprep.shapes.dialects.sharegpt import ShareGPT

DIALECTS: tuple[Dialect, ...] = (ShareGPT(),)
"""In the order in which `fits` is asked: special before general."""
