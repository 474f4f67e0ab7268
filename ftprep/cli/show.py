"""`rule`, `recipe` and `config`: what is shipped and what holds here, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command, Group
from ftprep.cli.outcomes import CLEAN, FAILED
from ftprep.cli.request import Request
from ftprep.cli.terminal import Terminal, to_json

SHOW = (*o.FULL_OR_JSON, *o.COLOR, *o.DEBUG)


@click.command(cls=Command)
@click.argument("name", metavar="[NAME]", required=False)
@o.add((o.option("--all", "every", is_flag=True, help="All rules."),), SHOW)
@click.pass_context
def rule(context: click.Context, /, name: str | None, every: bool, **given: Any) -> int:
    """Explain a rule, or list all rules.

    NAME is a code (SEP105), a name (leading-space-missing) or the letters of a family (SEP).
    """
    terminal = Terminal.of(given)
    from ftprep.errors import UsageError
    from ftprep.pages import pages_of

    if name is not None and (every or not name.strip()):
        message = f"{context.command_path} takes a name or --all"
        raise UsageError(message, "give one of them")
    pages = pages_of(name or "")
    alone = len(pages) == 1 and name is not None
    if given["output_format"] == "json":
        terminal.out(to_json(pages[0].to_dict() if alone else [p.to_dict() for p in pages]))
        return CLEAN
    from ftprep.views import page

    if alone:
        terminal.out(page.full(pages[0], color=terminal.color, width=terminal.width))
    else:
        terminal.out(page.table(pages, color=terminal.color, width=terminal.width))
    return CLEAN


@click.command(cls=Command)
@click.argument("name", metavar="[NAME|FILE]", required=False)
@o.add(SHOW)
@click.pass_context
def recipe(context: click.Context, /, name: str | None, **given: Any) -> int:
    """List the shipped recipes, or show one."""
    del context
    terminal = Terminal.of(given)
    from ftprep.recipe import find_recipe, shipped_recipes

    as_json = given["output_format"] == "json"
    if name is None:
        listed = {each: str(find_recipe(each).get("description", "")) for each in shipped_recipes()}
        terminal.out(to_json(listed) if as_json else _recipes(listed, terminal))
        return CLEAN
    settings = find_recipe(name)
    if as_json:
        terminal.out(to_json(settings))
        return CLEAN
    from ftprep.views.plain import finish, safe

    text = shipped_recipes().get(name, Path(name)).read_text(encoding="utf-8")
    terminal.out(finish(safe(line) for line in text.splitlines()))
    return CLEAN


def _recipes(listed: dict[str, str], terminal: Terminal) -> str:
    from ftprep.views.plain import Paint, columns, finish, pad, safe, wrap

    if not listed:
        return finish(["no recipes are shipped; a file of your own is used with --recipe FILE"])
    paint, size = Paint(terminal.color), max(map(columns, listed))
    lines = []
    for name, told in listed.items():
        first, *rest = wrap(safe(told), terminal.width - size - 2) or [""]
        lines.append(f"{paint(pad(name, size), 'bold')}  {first}".rstrip())
        lines += [" " * (size + 2) + line for line in rest]
    return finish([*lines, "", "Use one with --recipe NAME; `ftprep recipe NAME` shows it."])


@click.group(cls=Group)
@click.pass_context
def config(context: click.Context, /) -> int | None:
    """Show the settings that hold here, or their schema."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return None


@config.command(cls=Command)
@o.add(o.DATA[:1], o.SHAPE, o.TOKENS, o.LIMIT, o.SPLIT, o.SELECTION, SHOW)
@click.pass_context
def show(context: click.Context, /, **given: Any) -> int:
    """Show the settings that hold in this folder, and where each comes from."""
    request = Request.of(context)
    from ftprep.recipe import find_recipe, merge, project_settings

    project, origin = project_settings(Path.cwd())
    own = str(project.get("recipe", ""))
    layers: list[tuple[str, Mapping[str, Any]]] = []
    if request.recipe:
        layers.append((f"recipe {request.recipe}", merge(find_recipe(request.recipe))))
    elif own:
        layers.append((f"recipe {own}", merge(find_recipe(own))))
    here = (origin, merge({k: v for k, v in project.items() if k != "recipe"}))
    layers.insert(0 if request.recipe else len(layers), here)
    layers.append(("command line", merge(request.overrides)))
    values = request.settings().model_dump(mode="json", by_alias=True)
    if given["output_format"] == "json":
        sources = [name for name, table in layers if table]
        request.terminal.out(to_json({"sources": sources, "settings": values}))
        return CLEAN
    from ftprep.views.plain import finish

    request.terminal.out(finish(_toml(values, [(name, table) for name, table in layers if name])))
    return CLEAN


def _toml(values: Mapping[str, Any], layers: list[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """The settings as TOML that can be used as an ftprep.toml; what has no value is a comment."""
    from ftprep.views.plain import safe

    named = [name for name, table in layers if table]
    yield f"# set by: {', '.join(safe(n) for n in named) or 'nothing; all values are the defaults'}"
    tables = []
    for key, value in values.items():
        if isinstance(value, Mapping) or (value is None and key == "turns"):
            tables.append((key, value))
        else:
            yield _setting(key, value, _origin(layers, (key,)))
    for key, table in tables:
        yield from ("", f"[{key}]" if table is not None else f"# [{key}]  not set")
        for name, value in (table or {}).items():
            yield _setting(name, value, _origin(layers, (key, name)))


def _setting(key: str, value: Any, origin: str) -> str:
    from ftprep.views.plain import safe

    told = f"{key} = {_value(value)}" if value is not None else f"# {key}: not set"
    return f"{told}  # {safe(origin)}" if origin else told


def _value(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    # A JSON string, number or truth value is one in TOML too; DEL alone must be escaped there.
    text: str = json.dumps(value)
    return text.replace("\x7f", "\\u007f")


def _origin(layers: list[tuple[str, Mapping[str, Any]]], path: tuple[str, ...]) -> str:
    """Which layer sets a key; the last one wins."""
    setting = [name for name, table in layers if _at(table, path) is not None]
    return setting[-1] if setting else ""


def _at(table: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = table
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


@config.command(cls=Command)
@o.add(o.DEBUG)
def schema() -> int:
    """Print the JSON Schema of a recipe, for editors and checks."""
    from ftprep.recipe import Recipe

    document = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Recipe.model_json_schema(by_alias=True)
    Terminal().out(to_json(document))
    return CLEAN
