"""`tokens --show` and `tokens --overheads`: examples as they are trained on, and what is counted beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import options as o
from ftprep.cli.terminal import Terminal, to_json

if TYPE_CHECKING:
    from ftprep.cli.request import Request

SECTION = "What is trained on"
TRAIN = ("assistant", "last", "all")
"""As in ftprep.rendering.TRAIN; a test holds them equal."""

MOST = 10_000


def _rows(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Numbers of rows, parted by commas."""
    parts = [part.strip() for part in (value or "").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and 0 < int(part[:12]) < 10**9 for part in parts) or len(parts) > MOST:
        message = f"{value!r} is no list of rows such as 3,17"
        raise click.BadParameter(message, context, option)
    return tuple(map(int, parts))


SHOWING = (
    o.option(
        "--show",
        metavar="N",
        type=click.IntRange(1, MOST),
        section=SECTION,
        help="Show the first N examples as they are trained on.",
    ),
    o.option(
        "--show-rows",
        metavar="N,N",
        callback=_rows,
        section=SECTION,
        help="Show these rows, numbered as findings number them.",
    ),
    o.option(
        "--template",
        metavar="NAME|PATH",
        default="",
        section=SECTION,
        help="A layout (chatml, llama-3, …), or the model's own: its folder, tokenizer_config.json or a .jinja file.",
    ),
    o.option(
        "--train",
        type=click.Choice(TRAIN),
        default="assistant",
        show_default=True,
        section=SECTION,
        help="What the loss looks at: all answers, the last one, everything.",
    ),
    o.option(
        "--overheads",
        is_flag=True,
        section=SECTION,
        help="List what is counted beside the texts, by rule, with sources.",
    ),
)


def show_samples(request: Request, given: dict[str, Any]) -> None:
    """Write the examples asked for as they are trained on."""
    from ftprep.plan import make_plan
    from ftprep.readers.inputs import expand
    from ftprep.rendering import Samples
    from ftprep.samples import samples_of
    from ftprep.views.rendered import rendered_page

    recipe, found = request.settings(), Samples()
    left, rows = given["show"] or 0, given["show_rows"]
    for one in expand(request.paths, request.stdin_name):
        if not left and not rows:
            break
        plan = make_plan(one.path, recipe, request.options)
        more = samples_of(plan, left, rows, template=given["template"], train=given["train"])
        left -= len(more.examples) if not rows else 0
        found = found.and_then(more)
    terminal = request.terminal
    if given.get("output_format") == "json":
        terminal.out(to_json(found.to_dict()))
    else:
        terminal.out(rendered_page(found, color=terminal.color, width=terminal.width, blocks=terminal.blocks))


def show_overheads(terminal: Terminal, form: str) -> None:
    """Write the rules for what is counted beside the texts: they differ, so each is told with its source."""
    from ftprep.views.overheads import overheads, overheads_page

    terminal.out(to_json(overheads()) if form == "json" else overheads_page(terminal.color, terminal.width))
