"""The options that commands share, as data: each says under which heading it is listed and what it sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from ftprep.cli.kinds import Option

Decorator = Callable[[Any], Any]
T = TypeVar("T")

READING = "Reading"
EXAMPLES = "What the examples are"
RULES = "Rules"
SPLITTING = "Splitting"
WRITING = "Writing"
OUTPUT = "Output"
RUNNING = "Running"

FINDING_FORMATS = ("full", "concise", "json", "json-lines", "github")
"""As in ftprep.views.FORMATS, which is not imported for a help text; a test holds them equal."""

EXECUTORS = ("auto", "inline", "processes", "ray")
"""As in ftprep.executors.NAMES; a test holds them equal."""

SHAPES = ("auto", "chat", "completion", "preference", "unpaired", "reinforcement", "stepwise")
METHODS = ("supervised", "dpo", "kto", "reinforcement")
"""As in ftprep.recipe; a test holds both equal."""

SEVERITIES = ("error", "warning", "info", "never")


def option(*names: str, **others: Any) -> Decorator:
    """`click.option` that makes an Option."""
    return click.option(*names, cls=Option, **others)


def add(*groups: Sequence[Decorator]) -> Callable[[T], T]:
    """A decorator that adds all options of the groups, listed in their order."""

    def decorate(command: T) -> T:
        for each in reversed([o for group in groups for o in group]):
            command = each(command)
        return command

    return decorate


_ESCAPE = re.compile(r"\\(?:([nrt\\])|u([0-9a-fA-F]{4}))")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


def unescaped(text: str) -> str:
    r"""The text with `\n`, `\r`, `\t`, `\\` and `\u1234` as the characters they stand for; others stay as they are."""
    return _ESCAPE.sub(lambda m: _SHORT[m[1]] if m[1] else chr(int(m[2], 16)), text)


def _text(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    return None if value is None else unescaped(value)


def _names(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    names = tuple(name for each in value for name in re.split(r"[,\s]+", each) if name)
    return names or None


def _share(context: click.Context, option: click.Parameter, value: str | None) -> float | int | str | None:
    """A share (`0.1`, `10%`) as a float, a number (`200`) as an int, or `none`."""
    text = (value or "").strip().lower()
    if value is None or text == "none":
        return value and text
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    try:
        number = Decimal(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 < number < 1):
        message = f"{value!r} is neither a share (0.1 or 10%) nor a number of examples (200) nor none"
        raise click.BadParameter(message, context, option)
    return float(number)


def _limits(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> Any:
    if not value:
        return None
    from ftprep.readers.limits import limits_of

    return limits_of(value)


PATHS = (click.argument("paths", metavar="PATH...", nargs=-1, required=True),)
"""Files, folders, patterns, addresses, or - for standard input."""

DATA = (
    option("--recipe", "-r", metavar="NAME|FILE", section=READING, help="A shipped recipe, or a .toml or .json file."),
    option("--encoding", metavar="NAME", section=READING, reads="encoding", help="Encoding of the text, if not UTF-8."),
    option("--sheet", metavar="NAME|all", section=READING, reads="sheet", help="Sheet of a workbook to read."),
    option("--delimiter", metavar="CHAR", section=READING, reads="delimiter", callback=_text, help=r"Such as ; or \t."),
    option(
        "--limit",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_limits,
        section=READING,
        reads="limits",
        help="Bound of what is read: record=64MiB, depth, columns, cells, document, expansion, seconds.",
    ),
    option("--stdin-filename", metavar="NAME", section=READING, help="What to call standard input, given as -."),
)

SHAPE = (
    option(
        "--shape",
        type=click.Choice(SHAPES),
        section=EXAMPLES,
        key="shape",
        help="Form of the examples; by content where not said.",
    ),
    option(
        "--task",
        type=click.Choice(("auto", "classification", "generation", "open-ended")),
        section=EXAMPLES,
        key="task",
        help="What is learnt; by content where not said.",
    ),
    option(
        "--target",
        metavar="NAME[:MODEL]",
        section=EXAMPLES,
        key="target",
        help="Who will train, whose limits count; `ftprep target` lists.",
    ),
    option(
        "--method",
        type=click.Choice(METHODS),
        section=EXAMPLES,
        key="method",
        help="How it is trained; by the shape where not said.",
    ),
    option("--prompt-column", metavar="NAME", section=EXAMPLES, key="columns.prompt", help="Column with the prompt."),
    option(
        "--completion-column",
        metavar="NAME",
        section=EXAMPLES,
        key="columns.completion",
        help="Column with the completion.",
    ),
    option(
        "--prompt-template",
        metavar="TEXT",
        section=EXAMPLES,
        key="columns.prompt-template",
        callback=_text,
        help='Prompt made of columns: "Item={item}, Color={color}".',
    ),
    option(
        "--completion-template",
        metavar="TEXT",
        section=EXAMPLES,
        key="columns.completion-template",
        callback=_text,
        help="Completion made of columns.",
    ),
    option(
        "--separator",
        metavar="TEXT",
        section=EXAMPLES,
        key="format.separator",
        callback=_text,
        help=r"What ends every prompt; \n is a line end.",
    ),
    option(
        "--stop",
        metavar="TEXT",
        section=EXAMPLES,
        key="format.stop",
        callback=_text,
        help=r"What ends every completion; \n is a line end.",
    ),
)

TOKENS = (
    option("--model", metavar="NAME", section=EXAMPLES, key="model", help="Model to be tuned: settles the encoding."),
    option(
        "--token-encoding",
        metavar="NAME",
        section=EXAMPLES,
        key="encoding",
        help="Encoding to count tokens in (default: o200k_base).",
    ),
)

LIMIT = (
    option(
        "--token-limit",
        metavar="N",
        type=click.IntRange(min=1),
        section=EXAMPLES,
        key="token-limit",
        help="Most tokens of one example.",
    ),
)

SELECTION = (
    option(
        "--select",
        metavar="RULES",
        multiple=True,
        callback=_names,
        section=RULES,
        key="rules.select",
        help="Only these rules: codes, families or names, with commas.",
    ),
    option(
        "--ignore",
        metavar="RULES",
        multiple=True,
        callback=_names,
        section=RULES,
        key="rules.ignore",
        help="Not these rules.",
    ),
    option(
        "--extend-select",
        metavar="RULES",
        multiple=True,
        callback=_names,
        section=RULES,
        key="rules.extend-select",
        help="These rules too.",
    ),
)


def fail_on(default: str) -> tuple[Decorator, ...]:
    """The option --fail-on with a default of its own."""
    return (
        option(
            "--fail-on",
            type=click.Choice(SEVERITIES),
            default=default,
            show_default=True,
            section=RULES,
            help="Exit with 1 for findings at or above this severity.",
        ),
    )


FAIL_ON = fail_on("error")

SPLIT = (
    option(
        "--valid",
        metavar="SHARE|COUNT|none",
        callback=_share,
        section=SPLITTING,
        key="split.valid",
        help="Examples to hold back for validation: 0.1, 10%, 200 or none (default: 0.1).",
    ),
    option(
        "--seed",
        metavar="N",
        type=int,
        section=SPLITTING,
        key="split.seed",
        help="Another seed gives another split (default: 0).",
    ),
    option(
        "--group",
        metavar="COLUMN",
        section=SPLITTING,
        key="split.group",
        help="Column whose equal values stay on one side.",
    ),
    option(
        "--stratify",
        metavar="auto|none|COLUMN",
        section=SPLITTING,
        key="split.stratify",
        help="Same shares of what (default: auto, by class where the answers are classes).",
    ),
)

FORCE = (option("--force", is_flag=True, section=WRITING, help="Replace files that are there already."),)

FULL_OR_JSON = (
    option(
        "--output-format",
        type=click.Choice(("full", "json")),
        default="full",
        show_default=True,
        section=OUTPUT,
        help="For people or for programs.",
    ),
)

COLOR = (
    option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        section=OUTPUT,
        help="Colours (auto: on a terminal; NO_COLOR and FORCE_COLOR are heeded).",
    ),
)

DEBUG = (
    option("--debug", is_flag=True, expose_value=False, section=RUNNING, help="Show the traceback of an error."),
)  # read from the arguments by ftprep.cli.outcomes, so that it holds for errors in the other options too

RUN = (
    *COLOR,
    option("-q", "--quiet", is_flag=True, section=OUTPUT, help="Say only what was asked for."),
    option("-v", "--verbose", is_flag=True, section=OUTPUT, help="Say which settings hold and how long it took."),
    option("--no-progress", is_flag=True, section=OUTPUT, help="No progress bar on a terminal."),
    option(
        "--workers",
        metavar="N|auto",
        default="auto",
        section=RUNNING,
        help="Processes to work in (default: auto, as many as the input keeps busy).",
    ),
    option(
        "--executor",
        type=click.Choice(EXECUTORS),
        default="auto",
        section=RUNNING,
        help="Where to work: here, in processes, on a Ray cluster (default: auto, here or in processes).",
    ),
    option(
        "--address",
        metavar="HOST:PORT|auto",
        default="",
        section=RUNNING,
        help="The Ray cluster to work on (default: RAY_ADDRESS, or one started for this run).",
    ),
    *DEBUG,
)
