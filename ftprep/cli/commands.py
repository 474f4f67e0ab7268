"""The commands, and how they are found: an explicit list; a name that is not on it gets the nearest one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from ftprep.cli.kinds import Group
from ftprep.cli.outcomes import FAILED

HOMES = {
    **dict.fromkeys(("check", "fix"), "check"),
    **dict.fromkeys(("prepare", "convert", "split"), "prepare"),
    "verify": "verify",
    "tokens": "tokens",
    "rule": "show",
    "target": "target",
    **dict.fromkeys(("recipe", "config"), "show"),
    "jobs": "jobs",
    "models": "models",
    "sandbox": "sandbox",
}
"""The commands, in the order in which `--help` lists them, that in which one needs them, and the module of each."""


class _Commands(Group):
    """The commands of HOMES, each imported when it is asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """The names in the order given."""
        return list(HOMES)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The command of that name, None where there is none."""
        return command(name) if name in HOMES else None


def command(name: str) -> click.Command:
    """The command of that name; raises KeyError where there is none."""
    found: click.Command = getattr(import_module(f"ftprep.cli.{HOMES[name]}"), name)
    return found


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from ftprep.cli.terminal import Terminal
        from ftprep.version import __version__

        Terminal().out(f"ftprep {__version__}\n")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
