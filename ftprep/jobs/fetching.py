"""The figures of a job on disk: as they came, as rows of one form, and as a plot."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from ftprep.disk import told
from ftprep.jobs.api import Found, get
from ftprep.jobs.ledger import write_durably
from ftprep.jobs.model import Job
from ftprep.jobs.patience import patiently
from ftprep.jobs.plot import png as draw
from ftprep.jobs.plot import svg
from ftprep.jobs.results import Results, parse, together
from ftprep.jobs.submit import Ways
from ftprep.jobs.trouble import ProviderError


def fetch_results(found: Found, out: Path | None = None, png: bool = False) -> tuple[Path, Results | None, list[Path]]:
    """Download the figures of a job: the files as they came, as CSV and JSON lines, and a plot.

    Files that are there with the same bytes stay. Returns the folder, the figures and the files. Raises ProviderError
    where there are none yet, MissingExtra where a PNG cannot be drawn; nothing is written then.
    """
    job = get(found)
    raw = patiently(lambda: found.provider.results(job), Ways().sleep, lambda _line: None)
    if not raw:
        raise ProviderError(f"{job.id} has no results ({job.status})", "they come when the job has succeeded")
    figures = [each for _, data in raw if (each := parse(data)) is not None]
    results = together(figures) if figures else None
    files = {Path(name).name: data for name, data in raw} | _made(job, results)
    if png and results:
        files["loss.png"] = draw(files["loss.svg"].decode())
    folder = out or Path(f"{job.id.replace('/', '_')}_results")
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in files.items():
        path = folder / name
        if not (path.is_file() and path.read_bytes() == data):
            write_durably(path, data)
        written.append(path)
    if found.entry is not None:
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        latest = found.ledger.load(found.entry.base, found.entry.attempt) or found.entry
        found.ledger.save(replace(latest, results=hashes))
    return folder, results, written


def _made(job: Job, results: Results | None) -> dict[str, bytes]:
    """What is made of the figures, by the names of the files."""
    files = {"job.json": json.dumps(job.to_dict() | {"raw": dict(job.raw)}, indent=2, default=str).encode()}
    if results:
        files |= {"metrics.csv": results.to_csv().encode(), "metrics.jsonl": results.to_jsonl().encode()}
        files["loss.svg"] = svg(results.rows, f"{job.id}  {job.model_out or job.model}").encode()
    return files
