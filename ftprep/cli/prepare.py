"""`prepare`, `split` and `convert`: what writes new files beside the old ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import options as o
from ftprep.cli.ask import Asker, can_ask
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN, FOUND, WRITTEN
from ftprep.cli.request import STDIN, Request
from ftprep.cli.terminal import to_json
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.prepared import Prepared

OUT = (
    o.option(
        "--output-dir", "-o", metavar="DIR", section=o.WRITING, help="Folder for the files (default: beside the input)."
    ),
    o.option("--name", metavar="NAME", section=o.WRITING, help="What to call the files (default: as the input)."),
    *o.FORCE,
    o.option(
        "--shards",
        metavar="N|auto",
        section=o.WRITING,
        help="Write each side as N files (auto: of 256 MiB); run again, it goes on where it was cut off.",
    ),
)

DECISIONS = (
    o.option("--yes", "-y", is_flag=True, section=o.WRITING, help="Do not ask; mend what is safe or the recipe wants."),
    o.option(
        "--unsafe-fixes", is_flag=True, section=o.WRITING, help="Do not ask; mend also what may change what is learnt."
    ),
)

_SHARED = (*o.DATA, *o.SHAPE, *o.TOKENS)


@click.command(cls=Command)
@o.add(o.PATHS, OUT, DECISIONS, o.SPLIT, o.SELECTION, o.FAIL_ON, o.FULL_OR_JSON, _SHARED, o.LIMIT, o.RUN)
@click.pass_context
def prepare(context: click.Context, /, **given: Any) -> int:
    """Make files to train on: audit, mend, split and write as JSONL.

    Writes NAME_prepared_train.jsonl and NAME_prepared_valid.jsonl (or NAME_prepared.jsonl), rows that cannot be used
    to NAME_prepared_rejected.jsonl, and a manifest. Changes that may alter what is learnt are asked about on a
    terminal. Exit code: 0 written, and nothing found in it at or above --fail-on; 1 otherwise; 2 it could not be done.
    """
    request = Request.of(context)
    from ftprep.preparer import prepare as run

    with request.terminal.progress("preparing") as bar:
        asks = not given["yes"] and not given["unsafe_fixes"] and can_ask()
        asker = Asker(request.terminal, bar) if asks else None
        prepared = run(
            request.paths,
            request.settings(),
            out=given["output_dir"],
            name=_name(request, given["name"]),
            unsafe=asker or given["unsafe_fixes"],
            force=given["force"],
            shards=given["shards"],
            options=request.options,
            **request.running,
            progress=bar,
        )
    return _finish(prepared, request, context)


@click.command(cls=Command)
@o.add(o.PATHS, OUT, o.SPLIT, o.FAIL_ON, o.FULL_OR_JSON, _SHARED, o.RUN)
@click.pass_context
def split(context: click.Context, /, **given: Any) -> int:
    """Split a set as it is, for training and validation.

    Writes NAME_train.jsonl and NAME_valid.jsonl. Examples with the same prompt stay on one side, classes get the same
    share on both, and the same seed always gives the same split. Rows that cannot be read go to NAME_rejected.jsonl.
    """
    request = Request.of(context)
    from ftprep.converter import split as run

    with request.terminal.progress("splitting") as bar:
        prepared = run(
            request.paths,
            request.settings(),
            out=given["output_dir"],
            name=_name(request, given["name"]),
            force=given["force"],
            shards=given["shards"],
            options=request.options,
            **request.running,
            progress=bar,
        )
    return _finish(prepared, request, context)


CONVERSION = (
    o.option(
        "--to",
        metavar="FORM",
        section=o.WRITING,
        help="Shape or dialect to write, such as chat, completion, sharegpt, gemini (default: as it is).",
    ),
    o.option("--lossy", is_flag=True, section=o.WRITING, help="Leave out what the form has no place for."),
    o.option("--output-file", "-o", metavar="FILE", required=True, section=o.WRITING, help="JSONL or .parquet file."),
    o.option("--system", metavar="TEXT", default="", section=o.WRITING, help="System message for each conversation."),
    *o.FORCE,
)


@click.command(cls=Command)
@o.add(o.PATHS, CONVERSION, o.fail_on("never"), o.FULL_OR_JSON, _SHARED, o.RUN)
@click.pass_context
def convert(context: click.Context, /, **given: Any) -> int:
    """Write a set as JSONL or Parquet, in another shape or as it is.

    To chat, a prompt becomes the user's turn and a completion the assistant's, without separator and stop sequence. To
    completion, each reply of the assistant becomes an example. What cannot be carried over is set aside with the
    reason. A name that is no form lists them all.
    """
    request = Request.of(context)
    from ftprep.converter import convert as run

    with request.terminal.progress("converting") as bar:
        prepared = run(
            request.paths,
            given["to"],
            given["output_file"],
            request.settings(),
            system=given["system"],
            lossy=given["lossy"],
            force=given["force"],
            options=request.options,
            **request.running,
            progress=bar,
        )
    return _finish(prepared, request, context)


def _name(request: Request, name: str | None) -> str | None:
    """The name of the outputs: as said, or after the name given to standard input; raises UsageError for a path."""
    if name is not None and (not name or Path(name).name != name):
        message = f"--name {name}: a name is wanted, not a path"
        raise UsageError(message, "--output-dir says in which folder")
    if name or not request.stdin_name or request.paths[0] != STDIN:
        return name
    from ftprep.naming import stem_of

    return stem_of(Path(request.stdin_name).name)


def _finish(prepared: Prepared, request: Request, context: click.Context) -> int:
    """Show what was done; the exit code."""
    context.meta[WRITTEN] = any(p for p in (prepared.train, prepared.rejected))

    from ftprep.views.prepared import as_dict, summary, verdict

    terminal = request.terminal
    if context.params["output_format"] == "json":
        terminal.out(to_json(as_dict(prepared)))
    elif terminal.quiet:
        terminal.out(f"{verdict(prepared)}\n")
    else:
        terminal.out(summary(prepared, color=terminal.color, width=terminal.width))
    request.log()
    good = prepared.train is not None and not prepared.after.fails(context.params["fail_on"])
    return CLEAN if good else FOUND
