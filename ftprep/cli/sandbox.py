"""`sandbox`: serve a local look-alike of a provider's API until told to stop."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftprep.cli import options as o
from ftprep.cli.kinds import Command
from ftprep.cli.outcomes import CLEAN
from ftprep.cli.terminal import Terminal
from ftprep.errors import ReadError, UsageError
from ftprep.foreign import words_of

if TYPE_CHECKING:
    from ftprep.sandbox.server import Sandbox

SERVING = "Serving"
IMITATING = "What it is like"

PROFILES = ("openai", "azure", "together", "fireworks")
"""As in ftprep.sandbox.profiles; a test holds them equal."""

FOLDER = (click.argument("folder", metavar="[FOLDER]", default=".ftprep/sandbox", type=click.Path(file_okay=False)),)

WHERE = (
    o.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, section=SERVING,
             help="Port; 0 takes a free one."),
    o.option("--any-port", is_flag=True, section=SERVING, help="Take a free port where that one is taken."),
    o.option("--host", default="127.0.0.1", show_default=True, section=SERVING,
             help="Address to listen on; another than the loopback needs --open-to-network."),
    o.option("--open-to-network", is_flag=True, section=SERVING, help="Let other computers in, without protection."),
    o.option("--ready-file", type=click.Path(dir_okay=False), section=SERVING,
             help="Written when requests are answered: JSON with the address."),
    o.option("--idle", type=click.FloatRange(min=0.1), section=SERVING, metavar="SECONDS",
             help="End after so long without a request."),
)  # fmt: skip

LIKE = (
    o.option("--as", "profile", type=click.Choice(PROFILES), default="openai", show_default=True, section=IMITATING,
             help="Whose API it looks like."),
    o.option("--phases", metavar="V,Q,R", default="1,1,3", show_default=True, section=IMITATING,
             help="How long a job is validated, queued and run, in seconds or polls."),
    o.option("--polls", is_flag=True, section=IMITATING, help="Phases count requests for the job, not seconds."),
    o.option("--file-delay", type=click.FloatRange(min=0), section=IMITATING,
             help="How long an upload is not ready yet; the profile's own by default."),
    o.option("--manual-clock", is_flag=True, section=IMITATING,
             help="Time stands still until POST /_sandbox/clock moves it."),
    o.option("--fault", "fault", metavar="PLAN.json", type=click.Path(dir_okay=False), section=IMITATING,
             help="Trouble on demand: 429, 500, lost replies ... (docs/sandbox.md)."),
    o.option("--key", metavar="KEY", envvar="FTPREP_SANDBOX_KEY", section=IMITATING,
             help="Let in this API key only, made up for the occasion; any key without."),
    o.option("--base64-results", is_flag=True, section=IMITATING, help="Send result files encoded, as some do."),
)  # fmt: skip

QUIET = (o.option("-q", "--quiet", is_flag=True, section=o.OUTPUT, help="Say nothing but the address."),)


@click.command(cls=Command)
@o.add(FOLDER, WHERE, LIKE, QUIET, o.DEBUG)
@click.pass_context
def sandbox(context: click.Context, /, **given: Any) -> int:
    """Serve a local look-alike of a provider's fine-tuning API.

    Files, uploads, jobs, events, results, models and completions behave as the provider's do, with this program's own
    check as the validation; the tuned model is a small honest one. FOLDER keeps everything (default .ftprep/sandbox).
    The first line on stdout is JSON with the address. Ctrl-C ends it.
    """
    del context
    terminal = Terminal.of(given)
    server = _made(given)
    stop = _on_signals(server)
    try:
        _start(server, given["any_port"])
        from ftprep.sandbox.background import keep_port

        keep_port(server.folder, server.port)
        about = {"url": server.url, "base_url": server.base_url, "port": server.port, "profile": given["profile"]}
        ready = json.dumps({**about, "folder": str(server.folder)})
        terminal.out(ready + "\n")
        sys.stdout.flush()
        if given["ready_file"]:
            _write_ready(Path(given["ready_file"]), ready)
        if not given["quiet"]:
            click.echo(_told(server, given), err=True)
        while not server.wait(0.5):  # in slices, since Windows heeds no Ctrl-C in a longer one
            pass
    finally:
        server.stop()
        stop()
    return CLEAN


def _made(given: dict[str, Any]) -> Sandbox:
    import time

    from ftprep.sandbox.clocks import ManualClock, Pace
    from ftprep.sandbox.server import Sandbox, need_packages

    need_packages()
    if given["host"] not in ("127.0.0.1", "localhost", "::1") and not given["open_to_network"]:
        message = f"--host {given['host']} would let others in, and the sandbox has no protection"
        raise UsageError(message, "add --open-to-network if that is wanted")
    pace = Pace(*_phases(given["phases"]), given["file_delay"], "polls" if given["polls"] else "clock")
    return Sandbox(
        given["folder"],
        given["port"],
        profile=given["profile"],
        clock=ManualClock() if given["manual_clock"] else time.time,
        pace=pace,
        faults=_plan(given["fault"]),
        key=given["key"],
        base64_results=given["base64_results"],
        host=given["host"],
        idle=given["idle"],
    )


def _start(server: Sandbox, any_port: bool) -> None:
    try:
        server.start()
    except UsageError as error:
        if not any_port or "cannot listen" not in error.message:
            raise
        server.use_any_port()
        server.start()


def _phases(text: str) -> tuple[float, float, float]:
    parts = text.split(",")
    try:
        validating, queued, running = (float(part) for part in parts)
    except ValueError:
        validating = queued = running = -1.0
    if not all(0 <= each <= 1e6 for each in (validating, queued, running)):
        raise UsageError(f"--phases {text!r} is not three numbers", "such as --phases 1,1,3")
    return validating, queued, running


def _plan(path: str | None) -> Any:
    if path is None:
        return ()
    try:
        plan = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        told = words_of(error)
        raise ReadError(f"{path}: {told}", "a plan of faults is a JSON list (docs/sandbox.md)") from None
    return plan.get("faults", [plan]) if isinstance(plan, dict) else plan


def _write_ready(path: Path, ready: str) -> None:
    from ftprep.disk import told

    temp = path.with_name(path.name + ".tmp")
    with told(path):
        temp.write_text(ready + "\n", encoding="utf-8")
        temp.replace(path)


def _told(server: Sandbox, given: dict[str, Any]) -> str:
    name = {"together": "TOGETHER", "fireworks": "FIREWORKS"}.get(given["profile"], "OPENAI")
    lines = [f"sandbox of {given['profile']} at {server.base_url}, kept in {server.folder}; Ctrl-C ends it"]
    lines.append(f"  export {name}_BASE_URL={server.base_url} {name}_API_KEY=sandbox")
    if given["open_to_network"]:
        lines.append("  open to the network: whoever reaches this computer can read and write what it keeps")
    return "\n".join(lines)


def _on_signals(server: Sandbox) -> Any:
    """Let SIGTERM and SIGINT end the server in order; gives what puts back the handlers that were there."""

    def end(_number: int, _frame: Any) -> None:
        server.ask_to_stop()

    wanted = [signal.SIGTERM, signal.SIGINT]
    before = [(number, signal.signal(number, end)) for number in wanted]

    def put_back() -> None:
        for number, handler in before:
            signal.signal(number, handler)

    return put_back
