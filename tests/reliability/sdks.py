"""Runs the client's tests with several versions of the `openai` package, each in an environment of its own.

python tests/reliability/sdks.py            (1.78, the newest 2 and the newest 3)
python tests/reliability/sdks.py "==2.40.0"
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("==1.78.0", ">=2,<3", ">=3,<4")


def main() -> int:
    """Make the environments, run the tests, and return how many versions failed."""
    failed = 0
    for version in sys.argv[1:] or VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            failed += not _passes(version, Path(folder))
    return failed


def _passes(version: str, folder: Path) -> bool:
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "-q", "-e", f"{ROOT}", f"openai{version}", "pytest", "hypothesis"]
    if subprocess.run(install, check=False).returncode:
        print(f"openai{version}: could not be installed")
        return False
    told = "import openai, sys; print(openai.__version__)"
    found = subprocess.run([str(python), "-c", told], check=True, capture_output=True, text=True).stdout.strip()
    run = subprocess.run([str(python), "-m", "pytest", "-q", str(ROOT / "tests" / "jobs")], cwd=ROOT, check=False)
    print(f"openai {found}: {'passes' if run.returncode == 0 else 'FAILS'}", flush=True)
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
