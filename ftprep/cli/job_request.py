"""A job as the command line asks for it: its options as a request, the question whether to pay, and the sending."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import job_options as j
from ftprep.cli.ask import can_ask
from ftprep.cli.outcomes import Stopped
from ftprep.cli.terminal import Terminal
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.jobs.api import Request
    from ftprep.jobs.ledger import Ledger
    from ftprep.jobs.model import Job


def request_of(source: str, given: dict[str, Any], ledger: Ledger) -> Request:
    """The job that the options ask for. Raises FtprepError."""
    from ftprep.jobs.api import request

    model = given["model"] or ""
    if given["go_on"]:
        entry = ledger.find(given["go_on"])
        if entry is None or not entry.model_out:
            message = f"no tuned model of {given['go_on']} is in the ledger"
            raise UsageError(message, "`ftprep jobs get` brings its state up to date; or name the model with --model")
        model = entry.model_out
    return request(
        source,
        provider=given["provider"],
        model=model,
        method=given["method"],
        valid=given["valid_file"],
        hyper=j.hyper_of(given),
        suffix=given["suffix"],
        seed=given["seed"],
        wandb=j.wandb_of(given),
        grader=j.grader_of(given["grader"]),
        metadata=given["metadata"],
        extra=given["extra"],
        classification=j.classification_of(given),
        price=given["price"],
        checks=not given["no_check"],
        **{name: given[name] for name in j.ADDRESSED},
    )


def confirm(asked: Request, terminal: Terminal) -> None:
    """Ask whether the cost is all right. Raises UsageError where nobody is there, Stopped for a no."""
    cost = asked.preflight.cost
    if not can_ask():
        message = "nobody is there to say whether the cost is all right, so nothing was sent"
        raise UsageError(message, "give -y (--dry-run shows what it is)")
    if cost is None or cost.total is None:
        terminal.note("What it costs is not known.")
    click.echo(f"Create this job at {asked.can.title}? [y/n] ", file=sys.stderr, nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Stopped


def sent(asked: Request, ledger: Ledger, given: dict[str, Any], terminal: Terminal) -> Job | None:
    """Submit; None where Ctrl-C ended it. Raises as `ftprep.jobs.api.send` does."""
    from ftprep.jobs.api import send
    from ftprep.jobs.patience import looks_within
    from ftprep.jobs.submit import Ways
    from ftprep.views.plain import safe

    ways = Ways(told=lambda line: terminal.note(safe(line)), looks=looks_within(given["look_for"]))
    try:
        return send(asked, ledger, None, given["api_key_file"], new=given["new"], ways=ways)
    except KeyboardInterrupt:
        told = "interrupted; what was sent is in the ledger: the same command goes on, and looks before it sends"
        click.echo(f"\n{told}", err=True)
        return None
