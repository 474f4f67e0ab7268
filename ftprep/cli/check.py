"""`check` and `fix`: audit files, mend JSONL in place or show what mending would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN, FOUND, WRITTEN
from ftprep.cli.request import STDIN, Request
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.fixer import Fixed, FixedFile
    from ftprep.report import Report

REPORTING = (
    *o.FAIL_ON,
    o.option("--exit-zero", is_flag=True, section=o.RULES, help="Exit with 0 whatever is found."),
    o.option(
        "--max-findings",
        metavar="N",
        type=click.IntRange(min=0),
        section=o.RULES,
        help="Findings listed of each rule; counts stay exact (default: 1000).",
    ),
    o.option(
        "--output-format",
        type=click.Choice(o.FINDING_FORMATS),
        default="full",
        show_default=True,
        envvar="FTPREP_OUTPUT_FORMAT",
        show_envvar=True,
        section=o.OUTPUT,
        help="How to show what was found.",
    ),
    o.option("--output-file", "-o", metavar="FILE", section=o.OUTPUT, help="Write it to a file, not to stdout."),
    o.option("--statistics", is_flag=True, section=o.OUTPUT, help="Only how often each rule found something."),
    o.option(
        "--show",
        metavar="N",
        type=click.IntRange(0, 1000),
        default=0,
        section=o.OUTPUT,
        help="Show also the first N examples as they are trained on.",
    ),
)

FIX = (o.option("--fix", is_flag=True, section=o.WRITING, help="Mend JSONL files in place: what is safe."),)

MENDING = (
    o.option("--unsafe-fixes", is_flag=True, section=o.WRITING, help="Mend also what may change what is learnt."),
    o.option(
        "--diff",
        is_flag=True,
        section=o.WRITING,
        help="Write nothing; show what mending would change, and exit with 1 if it would.",
    ),
    o.option("--backup", is_flag=True, section=o.WRITING, help="Keep each file that is mended as it was, as NAME.bak."),
    o.option("--exit-non-zero-on-fix", is_flag=True, section=o.WRITING, help="Exit with 1 when something was mended."),
)

_SHARED = (*o.SELECTION, *REPORTING, *o.DATA, *o.SHAPE, *o.TOKENS, *o.LIMIT)


@click.command(cls=Command)
@o.add(o.PATHS, FIX, MENDING, _SHARED, o.RUN)
@click.pass_context
def check(context: click.Context, /, **given: Any) -> int:
    """Find what is wrong in data sets; changes nothing.

    PATH is a file, a folder, a pattern, an address (s3://bucket/set.jsonl), or - for standard input. Exit code: 0
    nothing found at or above --fail-on, 1 something found, 2 the check could not be done.
    """
    if given["fix"] or given["diff"]:
        return _mend(context, given)
    if given["unsafe_fixes"] or given["backup"]:
        name = "--unsafe-fixes" if given["unsafe_fixes"] else "--backup"
        message = f"{name} says how to mend, but nothing is to be mended"
        raise UsageError(message, "add --fix, or --diff to see what it would change")
    request = Request.of(context)
    from ftprep.pipeline import check as run

    with request.terminal.progress("checking") as bar:
        report = run(
            request.paths,
            request.settings(),
            options=request.options,
            **request.running,
            max_findings=given["max_findings"],
            show=given["show"],
            progress=bar,
        )
    _show(report, request, context)
    if given["show"] and _format(given, request) == "full" and not given["output_file"]:
        from ftprep.cli.samples import show_samples

        request.terminal.out("\n")
        show_samples(request, {"show": given["show"], "show_rows": (), "template": "", "train": "assistant"})
    request.log()
    return _code(report, given)


@click.command(cls=Command)
@o.add(o.PATHS, MENDING, _SHARED, o.RUN)
@click.pass_context
def fix(context: click.Context, /, **given: Any) -> int:
    """Mend JSONL files in place; show what is left.

    The same as `check --fix`. Safe mendings are made; with --unsafe-fixes also those that may change what is learnt.
    All files change together or none. Exit code: 0 nothing left at or above --fail-on, 1 something left, 2 it could not
    be done.
    """
    return _mend(context, given)


def _mend(context: click.Context, given: dict[str, Any]) -> int:
    request = Request.of(context)
    if STDIN in request.paths:
        raise UsageError("standard input cannot be mended in place", "name a file, or use `ftprep prepare -`")
    from ftprep.fixer import fix as run

    with request.terminal.progress("mending") as bar:
        fixed = run(
            request.paths,
            request.settings(),
            unsafe=given["unsafe_fixes"],
            write=not given["diff"],
            backup=given["backup"],
            options=request.options,
            **request.running,
            max_findings=given["max_findings"],
            progress=bar,
        )
    context.meta[WRITTEN] = fixed.changed and not given["diff"]
    if given["diff"]:
        _show_diff(fixed, request, given)
        return FOUND if fixed.changed else CLEAN
    full = _format(given, request) == "full" and not given["output_file"] and not given["statistics"]
    for line in _mended(fixed):
        request.terminal.out(f"{line}\n") if full else request.terminal.note(line)
    if full:
        request.terminal.out("\n")
    _show(fixed.after, request, context)
    request.log()
    if given["exit_non_zero_on_fix"] and fixed.changed:
        return FOUND
    return _code(fixed.after, given)


def _mended(fixed: Fixed) -> list[str]:
    """What was mended, in words."""
    from ftprep.views.plain import safe
    from ftprep.views.wording import counted

    changed = [f for f in fixed.files if f.changes]
    if not changed:
        return ["Nothing was mended."]
    lines = [f"Mended {safe(str(f.path))}: {counted(len(f.changes), 'line')}{_kept(f)}" for f in changed]
    return [*lines, *(f"  {_title(code)}: {counted(count, 'row')}" for code, count in fixed.mended.items())]


def _kept(file: FixedFile) -> str:
    from ftprep.views.plain import safe

    return f"; as it was: {safe(file.backup.name)}" if file.backup else ""


def _title(code: str) -> str:
    from ftprep.rules import card_of

    return f"{code} {card_of(code).name}"


def _format(given: dict[str, Any], request: Request) -> str:
    """The output format; --quiet leaves the findings alone."""
    wanted: str = given["output_format"]
    return "concise" if request.terminal.quiet and wanted == "full" else wanted


def _show(report: Report, request: Request, context: click.Context) -> None:
    from ftprep.views import render

    given, terminal = context.params, request.terminal
    target = given["output_file"]
    text = render(
        report,
        _format(given, request),
        color=terminal.color and not target,
        statistics=given["statistics"],
        width=terminal.width,
    )
    _deliver(text, target, [i.path for i in report.inputs], request)


def _deliver(text: str, target: str | None, inputs: list[str], request: Request) -> None:
    """Write a result to the file named, or to stdout; an input is never written over."""
    if not target:
        request.terminal.out(text)
        return
    from ftprep.views.plain import safe
    from ftprep.writer import OutputSet

    with OutputSet(force=True, inputs=[Path(i) for i in inputs], make_parents=True) as outputs:
        outputs.open(Path(target)).write_bytes(text.encode("utf-8", "backslashreplace"))
        outputs.commit()
    request.terminal.note(f"wrote {safe(target)}")


def _show_diff(fixed: Fixed, request: Request, given: dict[str, Any]) -> None:
    """The diff as it is, so that `patch` can apply it; on a terminal, and in the log of a CI, what would drive it shows
    as escapes."""
    import os
    import sys

    from ftprep.cli.terminal import is_terminal
    from ftprep.views.plain import Paint, finish, safe
    from ftprep.views.wording import counted

    terminal, target = request.terminal, given["output_file"]
    inert = not target and (is_terminal(sys.stdout) or bool(os.environ.get("GITHUB_ACTIONS")))
    paint = Paint(terminal.color and not target)
    colors = {"-": "red", "+": "green", "@": "cyan"}
    lines = (line for file in fixed.files for line in file.diff())
    text = "".join(f"{paint(safe(x) if inert else x, colors.get(x[:1], ''))}\n" for x in lines)
    text = finish(text.splitlines()) if inert else text
    _deliver(text, target, [str(f.path) for f in fixed.files], request)
    changes = [len(f.changes) for f in fixed.files if f.changes]
    many = f"{counted(sum(changes), 'line')} in {counted(len(changes), 'file')} would change"
    terminal.note(many if changes else "nothing would change")


def _code(report: Report, given: dict[str, Any]) -> int:
    return FOUND if report.fails(given["fail_on"]) and not given["exit_zero"] else CLEAN
