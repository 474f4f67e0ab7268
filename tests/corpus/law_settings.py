"""How many examples the laws of reading are tried with, and the texts that they are tried on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("FTPREP_EXAMPLES", "60"))
"""Of each law; by hand 10,000, one container at a time: FTPREP_EXAMPLES=10000 pytest tests/corpus -k 'law and csv'"""

_CALM = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=_CALM)
few = settings(many, max_examples=4)
"""Where a child process reads the file: a quarter of a second each."""

_MEMORY = Path("/dev/shm")
FOLDER = tempfile.TemporaryDirectory(prefix="ftprep-laws-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)
"""In memory where the system has that: a file made on a disk costs more than its reading."""

ODD = ["NA", "null", "None", "nan", "", " ", "007", "1e5", "TRUE", "2020-01-01", '"', '""', '"a', "a,b", "a\nb",
       "a\r\nb", "a\rb", "\ufeff", "\u2028", "\x85", "\0", "=1+1", "#x", "sep=;", "\\", "\\n", "\x1b[2J",
       "_x000D_", "x" * 300]  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(ODD)
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8)
