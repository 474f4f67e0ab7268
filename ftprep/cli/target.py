"""`target`: who trains, what is known of that, from where, and how far it can be trusted."""

from __future__ import annotations

from typing import Any

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN
from ftprep.cli.terminal import Terminal, to_json

METHOD = o.option("--method", type=click.Choice(o.METHODS), help="What holds for this method (default: supervised).")
EVERY = o.option("--all", "every", is_flag=True, help="Also what differs by other methods; without NAME, all targets.")


@click.command(cls=Command)
@click.argument("name", metavar="[NAME[:MODEL]]", required=False)
@o.add((METHOD, EVERY), o.FULL_OR_JSON, o.COLOR, o.DEBUG)
@click.pass_context
def target(context: click.Context, /, name: str | None, method: str | None, every: bool, **given: Any) -> int:
    """List who can train (providers, trainers), or tell what is known of one.

    NAME is that of a target (openai, trl), or the path of a TOML file that adds to one; docs/targets.md tells of those.
    """
    terminal = Terminal.of(given)
    from datetime import UTC, datetime

    from ftprep.errors import UsageError
    from ftprep.targets.page import page_of, summaries
    from ftprep.views import targets as views

    today = datetime.now(UTC).date()
    as_json = given["output_format"] == "json"
    if name is None:
        if method is not None:
            message = f"{context.command_path} --method tells of one target"
            raise UsageError(message, "name it; without a name all are listed with their methods")
        found = summaries(today)
        listed = [
            {"name": s.name, "title": s.title, "methods": list(s.methods), "state": s.state, "as_of": str(s.as_of)}
            for s in found
        ]
        terminal.out(to_json(listed) if as_json else views.listing(found, color=terminal.color, width=terminal.width))
        return CLEAN
    page = page_of(name, method, today, every)
    text = to_json(page.to_dict()) if as_json else views.full(page, color=terminal.color, width=terminal.width)
    terminal.out(text)
    return CLEAN
