"""`verify`: whether the files beside a manifest are whole, or mixed from several runs."""

from __future__ import annotations

from typing import Any

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN, FOUND, failed
from ftprep.cli.terminal import Terminal, to_json
from ftprep.errors import FtprepError

MANIFESTS = (click.argument("manifests", metavar="MANIFEST...", nargs=-1, required=True),)

QUIET = (o.option("-q", "--quiet", is_flag=True, section=o.OUTPUT, help="Say only what is wrong."),)


@click.command(cls=Command)
@o.add(MANIFESTS, o.FULL_OR_JSON, o.COLOR, QUIET, o.DEBUG)
@click.pass_context
def verify(context: click.Context, /, manifests: tuple[str, ...], **given: Any) -> int:
    """Tell whether written files are whole, by their manifests.

    MANIFEST is a NAME.manifest.json that prepare, convert or split wrote; the files are looked for beside it. Each is
    held against its size, hash and rows. Exit code: 0 all whole; 1 a file is missing or differs, or an account does not
    add up; 2 a manifest cannot be read.
    """
    del context
    terminal = Terminal.of(given)
    from ftprep.verifier import verify as run
    from ftprep.views.verified import as_dict, text

    sets, code = [], CLEAN
    for path in manifests:
        try:
            sets.append(run(path))
        except FtprepError as error:
            code = failed(error)
    if given["output_format"] == "json":
        terminal.out(to_json(as_dict(sets)))
    else:
        terminal.out(text(sets, color=terminal.color, quiet=terminal.quiet))
    return code or (CLEAN if all(each.whole for each in sets) else FOUND)
