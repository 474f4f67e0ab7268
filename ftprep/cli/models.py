"""`models`: the tuned models of an account."""

from __future__ import annotations

import sys
from typing import Any

import click

from ftprep.cli import job_options as j
from ftprep.cli import options as o
from ftprep.cli.ask import can_ask
from ftprep.cli.kinds import Command, Group
from ftprep.cli.outcomes import CLEAN, FAILED, Stopped
from ftprep.cli.terminal import Terminal, to_json
from ftprep.errors import UsageError


@click.group(cls=Group)
@click.pass_context
def models(context: click.Context, /) -> int | None:
    """List and delete tuned models."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return None


REACHED = ((j.PROVIDER,), j.ADDRESS, j.KEY, j.LEDGER, j.SHOWN)


def _provider(given: dict[str, Any]) -> Any:
    from ftprep.jobs.connect import connect, settle
    from ftprep.jobs.ledger import Ledger

    if not given["provider"]:
        message = "whose models?"
        raise UsageError(message, "give --provider")
    names = ("base_url", "api_version", "account", "organization", "project")
    can, connection = settle(given["provider"], **{name: given[name] for name in names})
    return connect(can, connection, given["api_key_file"], None, Ledger(given["ledger"]).folder)


@models.command("list", cls=Command)
@o.add(*REACHED)
def list_(**given: Any) -> int:
    """List the tuned models of an account."""
    from ftprep.jobs.patience import patiently
    from ftprep.jobs.submit import Ways
    from ftprep.views.plain import finish, safe

    terminal, provider = Terminal.of(given), _provider(given)
    found = patiently(provider.models, Ways().sleep, terminal.note)
    if given["output_format"] == "json":
        terminal.out(to_json(found))
    else:
        terminal.out(finish([safe(str(each["id"])) for each in found] or ["no tuned models"]))
    return CLEAN


@models.command(cls=Command)
@click.argument("name", metavar="MODEL")
@o.add((o.option("-y", "--yes", is_flag=True, help="Do not ask."),), *REACHED)
def delete(name: str, yes: bool, **given: Any) -> int:
    """Delete a tuned model; it cannot be brought back."""
    terminal, provider = Terminal.of(given), _provider(given)
    from ftprep.views.plain import safe

    if not yes:
        if not can_ask():
            message = "nobody is there to say whether the model may go"
            raise UsageError(message, "give -y")
        click.echo(f"Delete {safe(name)} for good? [y/n] ", file=sys.stderr, nl=False)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Stopped
    provider.delete_model(name)
    terminal.note(f"{safe(name)} is deleted")
    return CLEAN
