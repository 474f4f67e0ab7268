"""Providers that take no job from here: the file in their form, and the commands to go on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftprep.cli import job_options as j
from ftprep.cli.outcomes import CLEAN, FOUND
from ftprep.cli.terminal import Terminal, to_json
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.jobs.converted import Formed
    from ftprep.jobs.handoff import Handoff
    from ftprep.targets import Target


def hand_over(source: str, given: dict[str, Any], terminal: Terminal) -> int:
    """Write the file in the target's form where it has another, and print what to do; the exit code."""
    from ftprep.jobs.files import method_of, sides_of
    from ftprep.jobs.handoff import target_for
    from ftprep.views.plain import finish, safe

    if not given["model"]:
        message = "a job needs a model"
        raise UsageError(message, "name the model to be tuned: --model")
    train, beside = sides_of(source)
    valid = Path(given["valid_file"]) if given["valid_file"] else beside
    target = target_for(given["provider"], given["model"].strip(), given["method"] or method_of(train))
    files = [_formed(train, target, given, True), *([_formed(valid, target, given, False)] if valid else [])]
    errors = [line for each in files for line in each.errors]
    made = _made(files, target, given)
    if given["output_format"] == "json":
        terminal.out(to_json(made.to_dict() | {"problems": errors}))
        return FOUND if errors else CLEAN
    if errors:
        for line in errors:
            terminal.note(safe(f"error: {line}"))
        return FOUND
    lines = [*(f"# {line}" for line in _told(files, given["dry_run"])), *(f"# {note}" for note in made.notes)]
    if made.request:
        lines += ["cat > job.json <<'JSON'", *to_json(made.request).splitlines(), "JSON"]
    terminal.out(finish(safe(line) for line in [*lines, *made.commands]))
    return CLEAN


def _formed(path: Path, target: Target, given: dict[str, Any], training: bool) -> Formed:
    from ftprep.jobs.converted import Formed, in_form_of
    from ftprep.jobs.files import look_at

    if given["no_check"]:
        return Formed(look_at(path))
    return in_form_of(path, target, lossy=given["lossy"], training=training, dry=given["dry_run"])


def _made(files: list[Formed], target: Target, given: dict[str, Any]) -> Handoff:
    """The commands for these files; the token of the job is made of their content and the settings."""
    from ftprep.jobs.handoff import Wanted, hand_on
    from ftprep.jobs.model import JobSpec

    train, valid = files[0].file, files[1].file if len(files) > 1 else None
    hyper = j.hyper_of(given)
    spec = JobSpec(target.name, "", given["model"].strip(), target.method, train, valid, hyper, given["suffix"])
    paths = (Path(train.path), Path(valid.path) if valid else None)
    return hand_on(target, Wanted(spec.model, target.method, *paths, hyper, given["suffix"], spec.key()))


def _told(files: list[Formed], dry: bool) -> list[str]:
    """What became of the files."""
    from ftprep.views.wording import counted

    lines = []
    for each in files:
        what = f"{each.file.path}: {counted(each.file.rows, 'record')}, sha256 {each.file.sha256[:12]}"
        lines.append(f"{what}, {'would be ' if dry else ''}written as {each.form}" if each.form else what)
    return [*lines, "nothing was written"] if dry else lines
