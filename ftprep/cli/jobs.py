"""`jobs`: submit a fine-tuning job exactly once, follow it, and fetch what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import job_options as j
from ftprep.cli import options as o
from ftprep.cli.ask import can_ask
from ftprep.cli.kinds import Command, Group
from ftprep.cli.outcomes import CLEAN, FAILED, FOUND, INTERRUPTED, Stopped
from ftprep.cli.terminal import Terminal, to_json
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.jobs.api import Found, Request
    from ftprep.jobs.ledger import Ledger
    from ftprep.jobs.model import Job


@click.group(cls=Group)
@click.pass_context
def jobs(context: click.Context, /) -> int | None:
    """Submit fine-tuning jobs exactly once, follow them, fetch their results.

    What was asked for is written down before it is sent, so that a lost answer, a crash or the same command given
    twice makes no second job.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return None


ONE = (click.argument("name", metavar="[JOB]", required=False),)
"""A job by its id, its key or the beginning of one; the newest in the ledger where left out."""

REACHED = ((j.PROVIDER,), j.ADDRESS, j.KEY, j.LEDGER, j.SHOWN)


@jobs.command(cls=Command)
@click.argument("source", metavar="FILE|MANIFEST")
@o.add((j.PROVIDER,), j.ADDRESS, j.KEY, j.TRAINED, j.SENDING, j.LEDGER, j.EVALUATED, j.LOOK_FOR, j.SHOWN)
@click.pass_context
def submit(context: click.Context, /, source: str, **given: Any) -> int:
    """Create a job: the same content and settings make one job, however often this is run.

    FILE is JSONL to train on; MANIFEST is the NAME.manifest.json that prepare wrote, with the file for validation.
    Exit code: 0 the job is there; 1 the target would not take the file; 2 no job was made; 4 it is not known whether
    one was made.
    """
    del context
    terminal = Terminal.of(given)
    if not given["provider"]:
        message = "a job needs a provider"
        raise UsageError(message, "give --provider openai, azure, together, fireworks, sandbox ...")
    from ftprep.cli.job_views import plan_text, problem_lines
    from ftprep.jobs.handoff import is_handed_on
    from ftprep.jobs.ledger import Ledger

    ledger = Ledger(given["ledger"])
    if is_handed_on(given["provider"]):
        from ftprep.cli.job_handoff import hand_over

        return hand_over(source, given, terminal)
    if given["lossy"]:
        message = "--lossy is for providers whose files are written here: vertex, bedrock and mistral"
        raise UsageError(message, "`ftprep convert --lossy` writes any other form")
    asked = _request(source, given, ledger)
    if given["dry_run"]:
        plan = asked.dry(ledger)
        terminal.out(to_json(plan) if given["output_format"] == "json" else plan_text(plan))
        return CLEAN if asked.preflight.ok else FOUND
    for line in problem_lines(asked.preflight):
        terminal.note(line)
    if asked.preflight.ok and not (given["yes"] or asked.can.free):
        _confirm(asked, terminal)
    job = _sent(asked, ledger, given, terminal)
    if job is None:
        return INTERRUPTED
    _show(job, terminal, given)
    if given["watches"]:
        from ftprep.cli.job_watch import watch_on

        return watch_on(_found(job.key, given), terminal, as_lines=given["output_format"] == "json")
    terminal.note(f"`ftprep jobs watch {job.id}` follows it")
    return CLEAN


def _request(source: str, given: dict[str, Any], ledger: Ledger) -> Request:
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
        **{name: given[name] for name in ADDRESS},
    )


ADDRESS = ("base_url", "api_version", "account", "organization", "project")


def _confirm(asked: Request, terminal: Terminal) -> None:
    cost = asked.preflight.cost
    if not can_ask():
        message = "nobody is there to say whether the cost is all right, so nothing was sent"
        raise UsageError(message, "give -y (--dry-run shows what it is)")
    if cost is None or cost.total is None:
        terminal.note("What it costs is not known.")
    click.echo(f"Create this job at {asked.can.title}? [y/n] ", file=sys.stderr, nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Stopped


def _sent(asked: Request, ledger: Ledger, given: dict[str, Any], terminal: Terminal) -> Job | None:
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


def _found(name: str | None, given: dict[str, Any], may_lack: bool = False) -> Found:
    from ftprep.jobs.api import find, with_id
    from ftprep.jobs.ledger import Ledger

    address = {each: given[each] for each in ADDRESS if given.get(each)}
    found = find(name, Ledger(given["ledger"]), given["provider"] or "", given["api_key_file"], **address)
    return found if may_lack else with_id(found)


def _show(job: Job, terminal: Terminal, given: dict[str, Any]) -> None:
    from ftprep.cli.job_views import job_text

    as_json = given["output_format"] == "json"
    terminal.out(to_json(job.to_dict()) if as_json else job_text(job))


@jobs.command("list", cls=Command)
@o.add((o.option("--most", metavar="N", type=click.IntRange(1), default=20, help="How many (default: 20)."),), *REACHED)
def list_(most: int, **given: Any) -> int:
    """List the jobs of the ledger; with --provider, those of the account."""
    terminal = Terminal.of(given)
    from ftprep.cli.job_views import table
    from ftprep.jobs.connect import connect, settle
    from ftprep.jobs.ledger import Ledger
    from ftprep.jobs.patience import patiently
    from ftprep.jobs.submit import Ways

    ledger = Ledger(given["ledger"])
    found: list[tuple[Job, str]] = [(e.job(), e.state) for e in ledger.entries()[:most]]
    if given["provider"]:
        can, connection = settle(given["provider"], **{name: given[name] for name in ADDRESS})
        provider = connect(can, connection, given["api_key_file"], None, ledger.folder)
        kept = {job.id: (job.key, state) for job, state in found}
        listed = patiently(lambda: provider.list_jobs(most), Ways().sleep, terminal.note)
        found = [(each, kept.get(each.id, ("", ""))[1]) for each in listed]
    if given["output_format"] == "json":
        terminal.out(to_json([job.to_dict() | {"state": state or None} for job, state in found]))
    else:
        terminal.out(table(found))
    return CLEAN


@jobs.command(cls=Command)
@o.add(ONE, *REACHED)
def get(name: str | None, **given: Any) -> int:
    """Tell what a job is now."""
    from ftprep.jobs.api import get as ask

    _show(ask(_found(name, given)), Terminal.of(given), given)
    return CLEAN


WAITING = (
    o.option("--timeout", metavar="SECONDS", type=click.FloatRange(0), help="Stop following after so long."),
    o.option("--every", metavar="SECONDS", type=click.FloatRange(0.01), default=5.0, help="First pause between looks."),
)


@jobs.command(cls=Command)
@o.add(ONE, WAITING, j.JSON_LINES, *REACHED)
def watch(name: str | None, timeout: float | None, every: float, lines: bool, **given: Any) -> int:
    """Follow a job to its end: events, loss, what came of it. What was told before is not told again.

    Ctrl-C leaves the job running. Exit code: 0 it succeeded; 1 it failed or was cancelled; 2 the time was up.
    """
    from ftprep.cli.job_watch import watch_on

    as_lines = lines or given["output_format"] == "json"
    return watch_on(_found(name, given), Terminal.of(given), as_lines, timeout, every)


def _changing(what: str, told: str) -> click.Command:
    def run(name: str | None, **given: Any) -> int:
        from ftprep.cli.job_watch import change

        if name is None:
            message = f"ftprep jobs {what} needs a job"
            raise UsageError(message, "`ftprep jobs list` has them")
        _show(change(_found(name, given), what), Terminal.of(given), given)
        return CLEAN

    run.__doc__ = told
    made: click.Command = jobs.command(what, cls=Command)(o.add(ONE, *REACHED)(run))
    return made


cancel = _changing("cancel", "Cancel a job: what was trained until then is billed.")
pause = _changing("pause", "Pause a job, where the provider can.")
resume = _changing("resume", "Let a paused job go on.")


@jobs.command(cls=Command)
@o.add(ONE, *REACHED)
def events(name: str | None, **given: Any) -> int:
    """Show all events of a job, oldest first."""
    from ftprep.cli.job_views import events_text
    from ftprep.cli.job_watch import all_events

    terminal, found = Terminal.of(given), all_events(_found(name, given))
    as_json = given["output_format"] == "json"
    terminal.out(to_json([each.to_dict() for each in found]) if as_json else events_text(found))
    return CLEAN


@jobs.command(cls=Command)
@o.add(ONE, *REACHED)
def checkpoints(name: str | None, **given: Any) -> int:
    """Show the states of the model on the way that can be used."""
    from dataclasses import asdict

    from ftprep.cli.job_views import checkpoints_text
    from ftprep.jobs.patience import patiently
    from ftprep.jobs.submit import Ways

    terminal, found = Terminal.of(given), _found(name, given)
    listed = patiently(lambda: found.provider.checkpoints(found.id), Ways().sleep, terminal.note)
    as_json = given["output_format"] == "json"
    terminal.out(to_json([asdict(each) for each in listed]) if as_json else checkpoints_text(listed))
    return CLEAN


OUT = (
    o.option("-o", "--out", metavar="DIR", help="Where the files go (default: JOB_results)."),
    o.option("--png", is_flag=True, help="The plot as PNG too (extra: png)."),
)


@jobs.command(cls=Command)
@o.add(ONE, OUT, *REACHED)
def results(name: str | None, out: str | None, png: bool, **given: Any) -> int:
    """Fetch the figures of a job: as they came, as CSV and JSON lines, and as a plot."""
    from ftprep.cli.job_views import results_text
    from ftprep.jobs.fetching import fetch_results

    terminal = Terminal.of(given)
    folder, figures, files = fetch_results(_found(name, given), Path(out) if out else None, png)
    if given["output_format"] == "json":
        last = figures.last() if figures else {}
        terminal.out(to_json({"folder": str(folder), "files": [str(f) for f in files], "last": last}))
    else:
        terminal.out(results_text(folder, figures, files, terminal.blocks))
    return CLEAN


RESUBMIT = (o.option("--resubmit", is_flag=True, section=j.KEEPING, help="There is none: send the request again."),)


@jobs.command(cls=Command)
@click.argument("name", metavar="KEY")
@o.add(RESUBMIT, j.LOOK_FOR, *REACHED)
def resolve(name: str, resubmit: bool, look_for: float, **given: Any) -> int:
    """Look again for a job whose request had no clear answer (exit code 4 of submit)."""
    from ftprep.jobs.api import resolve as look
    from ftprep.jobs.patience import looks_within
    from ftprep.jobs.submit import Ways
    from ftprep.views.plain import safe

    terminal = Terminal.of(given)
    ways = Ways(told=lambda line: terminal.note(safe(line)), looks=looks_within(look_for), resubmit=resubmit)
    _show(look(_found(name, given, may_lack=True), ways), terminal, given)
    return CLEAN
