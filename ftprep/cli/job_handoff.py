"""Providers that take no job from here: the file in their form, and the commands to go on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftprep.cli import job_options as j
from ftprep.cli.outcomes import CLEAN, FOUND
from ftprep.cli.terminal import Terminal, to_json
from ftprep.errors import UsageError


def hand_over(source: str, given: dict[str, Any], terminal: Terminal) -> int:
    """Hold the file against the target, and print what to do; the exit code."""
    from ftprep.jobs.files import look_at, sides_of
    from ftprep.jobs.handoff import Wanted, hand_on, target_for
    from ftprep.jobs.model import JobSpec
    from ftprep.targets import find_target
    from ftprep.views.plain import finish, safe

    if not given["model"]:
        message = "a job needs a model"
        raise UsageError(message, "name the model to be tuned: --model")
    train, beside = sides_of(source)
    valid = Path(given["valid_file"]) if given["valid_file"] else beside
    method = given["method"] or "supervised"
    target = find_target(target_for(given["provider"], method), given["method"])
    hyper = j.hyper_of(given)
    files = look_at(train), look_at(valid) if valid else None
    spec = JobSpec(target.name, "", given["model"], target.method, *files, hyper, given["suffix"])
    refused = [] if given["no_check"] else _refused(train, target.selector, target.method)
    wanted = Wanted(given["model"], target.method, train, valid, hyper, given["suffix"], spec.key())
    made = hand_on(given["provider"], wanted)
    if given["output_format"] == "json":
        terminal.out(to_json(made.to_dict() | {"problems": refused}))
        return FOUND if refused else CLEAN
    if refused:
        for line in refused:
            terminal.note(safe(f"error: {line}"))
        return FOUND
    lines = [f"files: {', '.join(made.files)}", *(f"# {note}" for note in made.notes)]
    if made.request:
        lines += ["cat > job.json <<'JSON'", *to_json(made.request).splitlines(), "JSON"]
    terminal.out(finish(safe(line) for line in [*lines, *made.commands]))
    return CLEAN


def _refused(train: Path, selector: str, method: str) -> list[str]:
    from ftprep.pipeline import check

    report = check(str(train), target=selector, method=method)
    return [f"{f.filename}:{f.location.row}: {f.message} ({f.code})" for f in report.findings if f.severity == "error"][
        :5
    ]
