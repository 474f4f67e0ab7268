"""The options of the commands on jobs, and how their values are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ftprep.cli import options as o
from ftprep.cli.tokens import COSTS
from ftprep.errors import UsageError
from ftprep.foreign import words_of

WHO, WHAT, SUBMITTING, KEEPING = "Who trains", "What is trained", "Sending", "Keeping account"


def _pairs(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            message = f"{each!r} is not NAME=VALUE"
            raise click.BadParameter(message, context, option)
        found[name.strip()] = value
    return found


def _values(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    return {name: value_of(text) for name, text in _pairs(context, option, given).items()}


def value_of(text: str) -> Any:
    """A value as JSON where it is some (`3`, `true`, `"3"`), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(context: click.Context, option: click.Parameter, given: str | None) -> Any:
    if given is None:
        return None
    value = value_of(given)
    if value != "auto" and (isinstance(value, bool) or not isinstance(value, int | float)):
        message = f"{given!r} is neither a number nor auto"
        raise click.BadParameter(message, context, option)
    return value


def grader_of(path: str | None) -> dict[str, Any] | None:
    """The grader that a file describes. Raises UsageError."""
    if path is None:
        return None
    try:
        said = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        message = f"--grader {path}: {words_of(error)}"
        raise UsageError(message, "it is a JSON object, as the provider's page on graders has it") from None
    if not isinstance(said, dict):
        message = f"--grader {path}: not an object"
        raise UsageError(message, "it is a JSON object, as the provider's page on graders has it")
    return said


PROVIDER = o.option(
    "--provider",
    metavar="NAME",
    section=WHO,
    help="openai, azure, together, fireworks; sandbox: a free look-alike on this computer; vertex, bedrock, mistral: "
    "file and commands for them.",
)
ADDRESS = (
    o.option("--base-url", metavar="URL", default="", section=WHO, help="Address of a service that speaks like it."),
    o.option("--api-version", metavar="DATE", default="", section=WHO, help="Azure's older route, with this version."),
    o.option("--account", metavar="NAME", default="", section=WHO, help="Your account, where the provider wants it."),
    o.option("--organization", metavar="ID", default="", section=WHO, help="OpenAI: on whose account."),
    o.option("--project", metavar="ID", default="", section=WHO, help="OpenAI: in which project."),
)
ADDRESSED = ("base_url", "api_version", "account", "organization", "project")
"""What these options are called where they are passed on."""

KEY = (
    o.option(
        "--api-key-file",
        metavar="FILE|-",
        section=WHO,
        help="The key is the first line of this file (default: the provider's environment variable).",
    ),
)
LEDGER = (
    o.option(
        "--ledger",
        metavar="DIR",
        section=KEEPING,
        help="Where it is written down what was asked for (default: FTPREP_JOBS, else .ftprep/jobs).",
    ),
)
TRAINED = (
    o.option("--model", metavar="NAME", section=WHAT, help="The model to be tuned, or a tuned one to go on from."),
    o.option("--continue", "go_on", metavar="JOB", section=WHAT, help="Go on from the model that this job has made."),
    o.option("--valid-file", metavar="FILE", section=WHAT, help="Examples held back for validation."),
    o.option(
        "--method", type=click.Choice(o.METHODS), section=WHAT, help="How it is trained; by the data if not said."
    ),
    o.option("--suffix", metavar="TEXT", default="", section=WHAT, help="Part of the tuned model's name."),
    o.option("--seed", metavar="N", type=int, section=WHAT, help="Seed of the training."),
    COSTS[0],
    o.option("--batch-size", metavar="N|auto", callback=_number, section=WHAT, help="Examples a step."),
    o.option("--learning-rate", metavar="X", callback=_number, section=WHAT, help="Where the provider takes one."),
    o.option(
        "--learning-rate-multiplier",
        metavar="X|auto",
        callback=_number,
        section=WHAT,
        help="Where it takes a factor instead.",
    ),
    o.option("--beta", metavar="X|auto", callback=_number, section=WHAT, help="dpo: how near to the model it stays."),
    o.option(
        "--hyper",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_values,
        section=WHAT,
        help="Any other hyperparameter, by the provider's name.",
    ),
    o.option("--grader", metavar="FILE.json", section=WHAT, help="reinforcement: who judges the answers."),
    o.option(
        "--metadata", metavar="NAME=TEXT", multiple=True, callback=_pairs, section=WHAT, help="Notes kept with the job."
    ),
    o.option(
        "--extra",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_values,
        section=WHAT,
        help="Anything else for the request, as it is (Azure: trainingType=globalStandard).",
    ),
    o.option("--wandb-project", metavar="NAME", section=WHAT, help="Weights & Biases: the project to log to."),
    o.option("--wandb-entity", metavar="NAME", section=WHAT, help="Weights & Biases: whose project."),
    o.option("--wandb-name", metavar="NAME", section=WHAT, help="Weights & Biases: name of the run."),
    o.option("--wandb-tag", metavar="TEXT", multiple=True, section=WHAT, help="Weights & Biases: tags of the run."),
)
EVALUATED = (
    o.option("--classes", metavar="N", type=click.IntRange(2), section=KEEPING, help="For evaluation: how many."),
    o.option("--positive-class", metavar="TEXT", section=KEEPING, help="For evaluation: the class looked for."),
    o.option("--betas", metavar="X,...", section=KEEPING, help="For evaluation: the betas of F-scores."),
)
SENDING = (
    COSTS[1],
    o.option("--dry-run", is_flag=True, section=SUBMITTING, help="Show exactly what would be sent, and send nothing."),
    o.option("--new", is_flag=True, section=SUBMITTING, help="One more job of the same content and settings."),
    o.option("--no-check", is_flag=True, section=SUBMITTING, help="Do not look at the data; what is known only warns."),
    o.option(
        "--lossy",
        is_flag=True,
        section=WHAT,
        help="vertex, bedrock, mistral: leave out what their form has no place for.",
    ),
    o.option("-y", "--yes", is_flag=True, section=SUBMITTING, help="Do not ask whether the cost is all right."),
    o.option("--watch", "watches", is_flag=True, section=SUBMITTING, help="Then follow the job to its end."),
)
LOOK_FOR = (
    o.option(
        "--look-for",
        metavar="SECONDS",
        type=click.FloatRange(0, 3600),
        default=82.0,
        section=SUBMITTING,
        help="How long to look for a job whose request had no clear answer (default: 82).",
    ),
)
JSON_LINES = (o.option("--json", "lines", is_flag=True, section=o.OUTPUT, help="One JSON object a line."),)
SHOWN = (
    *o.FULL_OR_JSON,
    *o.COLOR,
    o.option("-q", "--quiet", is_flag=True, section=o.OUTPUT, help="Say only what was asked for."),
    o.option("-v", "--verbose", is_flag=True, section=o.OUTPUT, help="Say more."),
    *o.DEBUG,
)

HYPER = {
    "epochs": "epochs",
    "batch_size": "batch_size",
    "learning_rate": "learning_rate",
    "learning_rate_multiplier": "learning_rate_multiplier",
    "beta": "beta",
}


def hyper_of(given: dict[str, Any]) -> dict[str, Any]:
    """The hyperparameters that were given, each once."""
    named = {name: given[option] for option, name in HYPER.items() if given.get(option) is not None}
    for name in given["hyper"]:
        if name in named:
            message = f"{name} is given twice"
            raise UsageError(message, f"give --{name.replace('_', '-')} or --hyper")
    return {**named, **given["hyper"]}


def wandb_of(given: dict[str, Any]) -> dict[str, Any]:
    """The settings for Weights & Biases."""
    found = {name: given[f"wandb_{name}"] for name in ("project", "entity", "name") if given[f"wandb_{name}"]}
    found |= {"tags": list(given["wandb_tag"])} if given["wandb_tag"] else {}
    if found and "project" not in found:
        message = "Weights & Biases needs the name of a project"
        raise UsageError(message, "give --wandb-project")
    return found


def classification_of(given: dict[str, Any]) -> dict[str, Any]:
    """What a later evaluation wants to know."""
    found: dict[str, Any] = {}
    if given["classes"]:
        found["n_classes"] = given["classes"]
    if given["positive_class"]:
        found["positive_class"] = given["positive_class"]
    if given["betas"]:
        try:
            found["betas"] = [float(each) for each in given["betas"].split(",")]
        except ValueError:
            message = f"--betas {given['betas']!r}: not numbers with commas"
            raise UsageError(message, "such as --betas 0.5,1,2") from None
    return found
