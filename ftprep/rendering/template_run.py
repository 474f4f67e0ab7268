"""Has conversations rendered by a chat template in a child process, which is bounded and can be killed."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftprep.errors import FtprepError, MissingExtra, UsageError
from ftprep.readers.child import Child, folder_of, started
from ftprep.rendering.template_file import TemplateFile
from ftprep.scratch import scratch

SECONDS = 1.0
"""For one conversation; real templates take some milliseconds."""

GRACE = 0.4
"""Seconds on top, after which a child that does not even hear its own clock is killed."""

START_SECONDS = 30.0
MEMORY = 768 * 1024 * 1024
"""Bytes of addresses."""

Told = dict[str, Any]


class TemplateStopped(FtprepError):  # noqa: N818 - reads as what it says
    """A template that took too long or too much memory."""


def run_template(file: TemplateFile, requests: Sequence[Told], seconds: float = SECONDS) -> Iterator[Told]:
    """What the child tells of each conversation, in order; raises MissingExtra, and TemplateStopped for a template that
    does not end."""
    folders = list(dict.fromkeys(folder_of(package) for package in ("jinja2", "markupsafe")))
    if "" in folders or _is_old():
        raise MissingExtra("rendering with a chat template (jinja2 3.1.6 or later)", "templates")
    mark = os.urandom(6).hex()  # so that no data can contain what marks the trained parts
    settings = {
        "templates": dict(file.templates),
        "special": dict(file.special),
        "marks": [f"\ue0f0{mark}<", f"\ue0f0{mark}>"],
    }
    with scratch() as folder:
        path = folder / "requests.jsonl"
        path.write_text("".join([json.dumps(line) + "\n" for line in (settings, *requests)]), encoding="utf-8")
        script = Path(__file__).with_name("template_child.py")
        arguments = (os.pathsep.join(folders), str(path), str(MEMORY), str(seconds))
        with started(script, *arguments, seconds=START_SECONDS) as (child, clock):
            if _line(child) != b"ready\n":
                raise UsageError(f"{file.name}: the template could not be run", "is jinja2 installed as a whole?")
            clock.cancel()
            for number in range(len(requests)):
                yield _answer(child, file, number, seconds)


def _is_old() -> bool:
    """Whether jinja2 is one whose sandbox has known holes."""
    from importlib.metadata import version

    return [int(n) for n in version("jinja2").split(".")[:3] if n.isdigit()] < [3, 1, 6]


def _line(child: Child) -> bytes:
    return child.stdout.readline() if child.stdout else b""


def _answer(child: Child, file: TemplateFile, number: int, seconds: float) -> Told:
    late = threading.Event()

    def kill() -> None:
        late.set()
        child.kill()

    clock = threading.Timer(seconds + GRACE, kill)
    clock.daemon = True
    clock.start()
    try:
        line = _line(child)
    finally:
        clock.cancel()
    told: Told = json.loads(line) if line.endswith(b"\n") else {"error": "late" if late.is_set() else "memory"}
    if told.get("error") in ("late", "memory"):
        what = f"more than {seconds:g} s" if told["error"] == "late" else "too much memory"
        where = f"example {number + 1}" if number else "the first example"
        raise TemplateStopped(
            f"{file.name}: the template takes {what} for {where} and was stopped",
            "real ones take milliseconds: look at it",
        )
    return told
