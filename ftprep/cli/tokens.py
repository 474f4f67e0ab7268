"""`tokens`: exact counts, lengths, the cost of training, and what is trained on."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN
from ftprep.cli.request import Request
from ftprep.cli.samples import SHOWING, show_overheads, show_samples
from ftprep.cli.terminal import Terminal, to_json

if TYPE_CHECKING:
    from ftprep.cli.lengths import Lengths
    from ftprep.costs import Estimate
    from ftprep.pipeline import Run
    from ftprep.readers.inputs import Input
    from ftprep.recipe import Recipe
    from ftprep.targets import Target


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


def _epochs(context: click.Context, option: click.Parameter, value: str | None) -> int | Literal["auto"] | None:
    """A number of epochs or `auto`."""
    if value is None:
        return None
    if value == "auto":
        return "auto"
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= MOST_EPOCHS):
        message = f"{value!r} is neither auto nor a number from 1 to {MOST_EPOCHS}"
        raise click.BadParameter(message, context, option)
    return int(value)


COSTS = (
    o.option(
        "--epochs",
        metavar="N|auto",
        callback=_epochs,
        section="Cost",
        help="Times each example is trained on (auto: by the target's rule, else that of OpenAI's cookbook).",
    ),
    o.option(
        "--price",
        metavar="USD",
        callback=_price,
        section="Cost",
        help="What a million tokens of training cost, where the target's price is not known or has changed.",
    ),
)

MOST_EPOCHS = 1000


@click.command(cls=Command)
@click.argument("paths", metavar="PATH...", nargs=-1)
@o.add(SHOWING, COSTS, o.FULL_OR_JSON, o.DATA, o.SHAPE, o.TOKENS, o.LIMIT, o.RUN)
@click.pass_context
def tokens(context: click.Context, /, **given: Any) -> int:
    """Count tokens: totals, lengths, and what training costs.

    Counts are exact for the encoding named; what a chat format adds around the messages is an estimate. --show renders
    examples, and marks what is trained on.
    """
    if given["overheads"]:
        show_overheads(Terminal.of(given), given["output_format"])
        return CLEAN
    if not given["paths"]:
        raise click.MissingParameter(ctx=context, param=context.command.params[0])
    request = Request.of(context)
    if given["show"] is not None or given["show_rows"]:
        show_samples(request, given)
    else:
        _lengths(request, given)
    request.log()
    return CLEAN


def _lengths(request: Request, given: dict[str, Any]) -> None:
    """Totals, lengths and cost."""
    from ftprep.cli.lengths import Lengths, LengthsPage
    from ftprep.pipeline import Run
    from ftprep.readers.inputs import expand
    from ftprep.recipe import Rules

    # No rule is asked, only what decides which rows are examples; that saves a fourth of the time.
    recipe = request.settings().model_copy(update={"rules": Rules(select=("IO",))})
    files: list[Lengths] = []
    encoding = reason = ""
    target = None
    with request.terminal.progress("counting") as bar:
        run = Run(progress=bar, kept=0, options=request.options, **request.running)
        for one in expand(request.paths, request.stdin_name):
            counted, encoding, reason, target = _count(one, recipe, run)
            files.append(counted)
    together = Lengths("together")
    for each in files:
        together.add(each)
    page = LengthsPage(files, together, encoding, reason, _cost(together, target, given))
    terminal = request.terminal
    if given["output_format"] == "json":
        terminal.out(to_json(page.to_dict()))
    else:
        terminal.out(page.text(color=terminal.color, width=terminal.width, blocks=terminal.blocks))


def _cost(together: Lengths, target: Target | None, given: dict[str, Any]) -> Estimate | None:
    """What training costs, where that is asked for or a target is named."""
    from ftprep.costs import estimate

    epochs, price = given["epochs"], given["price"]
    if epochs is None and price is None and target is None:
        return None
    return estimate(
        together.total, together.examples, target, epochs=epochs or "auto", price=price, exact=together.exact
    )


def _count(one: Input, recipe: Recipe, run: Run) -> tuple[Lengths, str, str, Target | None]:
    """The lengths in one file, with the encoding, why it is that one, and the target."""
    from ftprep.cli.lengths import Lengths
    from ftprep.pipeline import audit

    plan, finished = audit(one.path, recipe, run)
    survey, report = finished.dataset.surveys.lengths, finished.report
    lengths = Lengths(
        one.name,
        survey.lengths,
        survey.trainable,
        report.rows.rejected,
        report.tokens.exact,
        report.tokens.overhead,
    )
    return lengths, report.tokens.encoding, report.tokens.encoding_reason, plan.setting.target
