"""The kinds of click objects used here: options that know their heading, commands and groups that help to find."""

from __future__ import annotations

from typing import Any

import click


class Option(click.Option):
    """An option listed under `section`; `key` is the key of the recipe that it sets, `reads` what it says of inputs."""

    def __init__(self, *args: Any, section: str = "", key: str = "", reads: str = "", **others: Any) -> None:
        super().__init__(*args, **others)
        self.section = section
        self.key = key
        self.reads = reads


class Command(click.Command):
    """A command whose help lists the options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options by section, in the order in which the sections first appear."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            if record is not None and isinstance(option, click.Option):
                sections.setdefault(getattr(option, "section", "") or "Options", []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class UnknownCommand(click.UsageError):
    """A command that there is not, with the names that are near."""

    def __init__(self, name: str, known: list[str], context: click.Context) -> None:
        from difflib import get_close_matches

        super().__init__(f"{context.command_path} has no command {name!r}", context)
        self.possibilities = get_close_matches(name, known)


class Group(click.Group):
    """A group that lists its commands in the order given, suggests the nearest for a wrong name, and alone helps."""

    def __init__(self, *args: Any, **others: Any) -> None:
        others |= {"invoke_without_command": True, "subcommand_metavar": "COMMAND [ARGS]..."}
        super().__init__(*args, **others)

    def list_commands(self, _context: click.Context) -> list[str]:
        """The names in the order given."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; raises UnknownCommand."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            raise UnknownCommand(args[0], known, ctx)
        return super().resolve_command(ctx, args)
