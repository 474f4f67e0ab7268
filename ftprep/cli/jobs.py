"""`jobs`: submit a fine-tuning job exactly once, follow it, and fetch what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import job_options as j
from ftprep.cli import options as o
from ftprep.cli.kinds import Command, Group
from ftprep.cli.outcomes import CLEAN, FAILED, FOUND, INTERRUPTED
from ftprep.cli.terminal import Terminal, to_json
from ftprep.errors import UsageError

if TYPE_CHECKING:
    from ftprep.jobs.api import Found
    from ftprep.jobs.model import Job


@click.group(cls=Group)
@click.pass_context
def jobs(context: click.Context, /) -> int | None:
    """Submit fine-tuning jobs exactly once, follow them, fetch their results.

    What was asked for is written down before it is sent, so that a lost answer, a crash or the same command given
    twice makes no second job.

    JOB is the id of a job, its key, or the first characters of one; the newest in the ledger where it is left out.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return FAILED
    return None


ONE = (click.argument("name", metavar="[JOB]", required=False),)
"""A job by its id, its key or the beginning of one; the newest in the ledger where left out."""

NAMED = (click.argument("name", metavar="JOB", required=False),)
"""The same for what changes a job, which must be named."""

REACHED = ((j.PROVIDER,), j.ADDRESS, j.KEY, j.LEDGER, j.SHOWN)


@jobs.command(cls=Command)
@click.argument("source", metavar="FILE|MANIFEST")
@o.add((j.PROVIDER,), j.ADDRESS, j.KEY, j.TRAINED, j.SENDING, j.LEDGER, j.EVALUATED, j.LOOK_FOR, j.SHOWN)
@click.pass_context
def submit(context: click.Context, /, source: str, **given: Any) -> int:
    """Create a job, once.

    The same content and settings make one job, however often this is run. FILE is JSONL to train on; MANIFEST is the
    NAME.manifest.json that prepare wrote, with the file for validation. vertex, bedrock and mistral take no job from
    here: the file is written in their form, beside the commands to go on with.

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
    from ftprep.cli.job_request import confirm, request_of, sent

    asked = request_of(source, given, ledger)
    if given["dry_run"]:
        plan = asked.dry(ledger)
        terminal.out(to_json(plan) if given["output_format"] == "json" else plan_text(plan))
        return CLEAN if asked.preflight.ok else FOUND
    for line in problem_lines(asked.preflight, all_errors=False):
        terminal.note(line)
    if asked.preflight.ok and not (given["yes"] or asked.can.free):
        confirm(asked, terminal)
    job = sent(asked, ledger, given, terminal)
    if job is None:
        return INTERRUPTED
    _show(job, terminal, given)
    if given["watches"]:
        from ftprep.cli.job_watch import watch_on

        return watch_on(_found(job.key, given), terminal, as_lines=given["output_format"] == "json")
    if job.done:
        terminal.note(f"`ftprep jobs results {job.id}` fetches its figures; --new makes one more of the same")
    else:
        terminal.note(f"`ftprep jobs watch {job.id}` follows it")
    return CLEAN


def _found(name: str | None, given: dict[str, Any], may_lack: bool = False) -> Found:
    from ftprep.jobs.api import find, with_id
    from ftprep.jobs.ledger import Ledger

    address = {each: given[each] for each in j.ADDRESSED if given.get(each)}
    found = find(name, Ledger(given["ledger"]), given["provider"] or "", given["api_key_file"], **address)
    return found if may_lack else with_id(found)


def _show(job: Job, terminal: Terminal, given: dict[str, Any]) -> None:
    from ftprep.cli.job_views import job_text

    as_json = given["output_format"] == "json"
    terminal.out(to_json(job.to_dict()) if as_json else job_text(job))


@jobs.command("list", cls=Command)
@o.add((o.option("--most", metavar="N", type=click.IntRange(1), default=20, help="How many (default: 20)."),), *REACHED)
def list_(most: int, **given: Any) -> int:
    """List the jobs of the ledger, or of an account.

    With --provider they are those of the account, made here or elsewhere.
    """
    terminal = Terminal.of(given)
    from ftprep.cli.job_views import table
    from ftprep.jobs.connect import connect, settle
    from ftprep.jobs.ledger import Ledger
    from ftprep.jobs.patience import patiently
    from ftprep.jobs.submit import Ways

    ledger = Ledger(given["ledger"])
    found: list[tuple[Job, str]] = [(e.job(), e.state) for e in ledger.entries()[:most]]
    if given["provider"]:
        can, connection = settle(given["provider"], **{name: given[name] for name in j.ADDRESSED})
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
    made: click.Command = jobs.command(what, cls=Command)(o.add(NAMED, *REACHED)(run))
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
    o.option("-o", "--output-dir", "out", metavar="DIR", help="Where the files go (default: JOB_results)."),
    o.option("--png", is_flag=True, help="The plot as PNG too (extra: png)."),
)


@jobs.command(cls=Command)
@o.add(ONE, OUT, *REACHED)
def results(name: str | None, out: str | None, png: bool, **given: Any) -> int:
    """Fetch the figures of a job, and plot them.

    Written are the files as they came, metrics.csv, metrics.jsonl, loss.svg and job.json.
    """
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


RESUBMIT = (o.option("--resubmit", is_flag=True, section=j.SUBMITTING, help="There is none: send the request again."),)


@jobs.command(cls=Command)
@click.argument("name", metavar="KEY")
@o.add(RESUBMIT, j.LOOK_FOR, *REACHED)
def resolve(name: str, resubmit: bool, look_for: float, **given: Any) -> int:
    """Look again for a job after exit code 4.

    The request of `submit` had no clear answer: the provider is asked once more whether it has made the job. KEY is
    what `submit` told, and `ftprep jobs list` has it.
    """
    from ftprep.jobs.api import resolve as look
    from ftprep.jobs.patience import looks_within
    from ftprep.jobs.submit import Ways
    from ftprep.views.plain import safe

    terminal = Terminal.of(given)
    ways = Ways(told=lambda line: terminal.note(safe(line)), looks=looks_within(look_for), resubmit=resubmit)
    _show(look(_found(name, given, may_lack=True), ways), terminal, given)
    return CLEAN
