"""`tokens`: exact counts, lengths and the cost of training."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN
from ftprep.cli.request import Request
from ftprep.cli.terminal import to_json

if TYPE_CHECKING:
    from ftprep.cli.lengths import Lengths
    from ftprep.pipeline import Run
    from ftprep.readers.inputs import Input
    from ftprep.recipe import Recipe


def _price(context: click.Context, option: click.Parameter, value: str | None) -> Decimal | None:
    """An amount of money, 0 or more, exactly as written."""
    if value is None:
        return None
    try:
        price = Decimal(value.strip().removeprefix("$"))
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or not 0 <= price <= 1_000_000:
        message = f"{value!r} is no price in USD"
        raise click.BadParameter(message, context, option)
    return price


COSTS = (
    o.option(
        "--epochs",
        metavar="N",
        type=click.IntRange(min=1, max=1000),
        section="Cost",
        help="Times each example is trained on (default: 3).",
    ),
    o.option(
        "--price",
        metavar="USD",
        callback=_price,
        section="Cost",
        help="What a million tokens of training cost; see your provider's price list.",
    ),
)


@click.command(cls=Command)
@o.add(o.PATHS, COSTS, o.FULL_OR_JSON, o.DATA, o.SHAPE, o.TOKENS, o.RUN)
@click.pass_context
def tokens(context: click.Context, /, **given: Any) -> int:
    """Count tokens: totals, lengths, and what training costs.

    Counts are exact for the encoding named; what a chat format adds around the messages is an estimate.
    """
    request = Request.of(context)
    from ftprep.cli.lengths import EPOCHS, Cost, Lengths, LengthsPage
    from ftprep.pipeline import Run
    from ftprep.readers.inputs import expand
    from ftprep.recipe import Rules

    # No rule is asked, only what decides which rows are examples; that saves a fourth of the time.
    recipe = request.settings().model_copy(update={"rules": Rules(select=("IO",))})
    files: list[Lengths] = []
    encoding = reason = ""
    with request.terminal.progress("counting") as bar:
        run = Run(progress=bar, kept=0, options=request.options, **request.running)
        for one in expand(request.paths, request.stdin_name):
            counted, encoding, reason = _count(one, recipe, run)
            files.append(counted)
    together = Lengths("together")
    for each in files:
        together.add(each)
    wants_cost = given["epochs"] is not None or given["price"] is not None
    cost = Cost(together.total, given["epochs"] or EPOCHS, given["price"]) if wants_cost else None
    page = LengthsPage(files, together, encoding, reason, cost)
    terminal = request.terminal
    if given["output_format"] == "json":
        terminal.out(to_json(page.to_dict()))
    else:
        terminal.out(page.text(color=terminal.color, width=terminal.width, blocks=terminal.blocks))
    request.log()
    return CLEAN


def _count(one: Input, recipe: Recipe, run: Run) -> tuple[Lengths, str, str]:
    """The lengths in one file, with the encoding and why it is that one."""
    from ftprep.cli.lengths import Lengths
    from ftprep.pipeline import audit

    _, finished = audit(one.path, recipe, run)
    survey, report = finished.dataset.surveys.lengths, finished.report
    lengths = Lengths(
        one.name,
        survey.lengths,
        survey.trainable,
        report.rows.rejected,
        report.tokens.exact,
        report.tokens.overhead,
    )
    return lengths, report.tokens.encoding, report.tokens.encoding_reason
