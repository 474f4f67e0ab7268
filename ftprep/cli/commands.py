"""The commands, and how they are found: an explicit list; a name that is not on it gets the nearest one."""

from __future__ import annotations

from typing import Any

import click

from ftprep.cli.check import check, fix
from ftprep.cli.jobs import jobs
from ftprep.cli.kinds import Group
from ftprep.cli.models import models
from ftprep.cli.outcomes import FAILED
from ftprep.cli.prepare import convert, prepare, split
from ftprep.cli.sandbox import sandbox
from ftprep.cli.show import config, recipe, rule
from ftprep.cli.target import target
from ftprep.cli.tokens import tokens
from ftprep.cli.verify import verify

COMMANDS: tuple[click.Command, ...] = (
    *(check, fix, prepare, convert, split, verify),
    *(tokens, rule, target, recipe, config, jobs, models, sandbox),
)
"""In the order in which `--help` lists them: that in which one needs them."""


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from ftprep.cli.terminal import Terminal
        from ftprep.version import __version__

        Terminal().out(f"ftprep {__version__}\n")
        context.exit()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Tell the version.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, /, **_given: Any) -> int | None:
    """Prepare and validate fine-tuning datasets.

    Begin with `ftprep check FILE`; `ftprep prepare FILE` makes files to train on. FILE is JSONL, JSON, CSV, TSV, XLSX
    or text, also with .gz, .zst, .bz2 or .xz, here or at an address such as s3://bucket/set.jsonl.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return None


for _command in COMMANDS:
    cli.add_command(_command)
