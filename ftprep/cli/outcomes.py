"""How a run ends: the one place that makes exit codes and error lines of whatever happened.

0 clean · 1 findings at or above --fail-on, or a diff · 2 the run could not be done · 3 a bug in ftprep ·
4 a job whose creation has no clear answer · 130 interrupted · 141 the reader of the output went away before anything
was worked out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import IO, Any

import click

from ftprep.errors import FtprepError

CLEAN, FOUND, FAILED, BUG, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

DEBUG = "ftprep.debug"
"""Key of a context's `meta`: whether a traceback is wanted."""

WRITTEN = "ftprep.written"
"""Key of a context's `meta`: whether files were written, so that an interruption does not say otherwise."""


class Stopped(Exception):  # noqa: N818 - no error: the user said so
    """The user answered that the run should stop."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line on its arguments; never raises, never leaves a traceback but with --debug."""
    for stream in (sys.stdout, sys.stderr):
        # A code page that lacks a character shows its escape instead of ending the run.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    from ftprep.cli.commands import cli

    meta: dict[str, Any] = {}
    try:
        with suppress(click.exceptions.Exit):
            context = cli.make_context("ftprep", list(arguments))
            meta = context.meta
            with context:
                code = cli.invoke(context)
            return code if isinstance(code, int) else CLEAN
        return CLEAN
    except KeyboardInterrupt:
        done = "the files had been written" if meta.get(WRITTEN) else "nothing was written"
        _tell(f"\ninterrupted; {done}")
        return INTERRUPTED
    except BaseException as error:
        if isinstance(error, SystemExit | GeneratorExit):
            raise
        if meta.get(DEBUG) or "--debug" in arguments:
            _traceback(error)
        code = failed(error)
        if isinstance(error, OutputError) and meta.get(WRITTEN):
            _tell("  the files had been written")
        return code


def failed(error: BaseException) -> int:
    """Tell of an error in one or two lines; its exit code."""
    if isinstance(error, FtprepError):
        _told(error.message, error.hint)
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _told(*_usage(error))
    if isinstance(error, Stopped):
        _tell("stopped: nothing was written")
        return FAILED
    if isinstance(error, MemoryError):
        return _told("there is not enough memory for this", "try fewer --workers, or the set in parts")
    if isinstance(error, OutputError):
        return _told(str(error), "free some space, or send the output elsewhere")
    if isinstance(error, OSError):
        return refused(error)
    what = " ".join(str(error).split())[:500]
    _told(f"this is a bug in ftprep: {type(error).__name__}{': ' if what else ''}{what}", _DEBUG_HINT)
    return BUG


_DEBUG_HINT = "run again with --debug for the traceback"


def refused(error: OSError) -> int:
    """Tell of what the system refuses, which is no bug; the exit code."""
    # It may have been the flush of stdout, which must not fail again at the end.
    silence(sys.stdout)
    if is_closed_pipe(error):
        return PIPE_CLOSED
    where = f"{error.filename}: " if error.filename else ""
    return _told(f"{where}{error.strerror or error}", _DEBUG_HINT)


class OutputError(Exception):
    """Standard output cannot be written to."""


def is_closed_pipe(error: OSError) -> bool:
    """Whether the reader of a pipe has gone; Windows says EINVAL for it."""
    import errno

    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL)


def silence(stream: IO[str] | None) -> None:
    """Send what a stream still holds, and all that follows, nowhere: the flush at exit must not fail again."""
    with suppress(Exception):
        if stream is not None:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


def _usage(error: click.ClickException) -> tuple[str, str]:
    """What was wrong with the arguments, and what to do."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "ftprep"
    told = error.format_message()
    near = getattr(error, "possibilities", None) or ()
    option = getattr(error, "param", None)
    name = option.opts[0] if isinstance(option, click.Option) else option.make_metavar(context) if option else ""
    if isinstance(error, click.NoSuchOption):
        told = f"{path} has no option {error.option_name}"
    elif isinstance(error, click.MissingParameter):
        told = f"{path} needs {name}"
    elif isinstance(error, click.BadParameter) and name:
        told = f"{name}: {error.message}"
    hint = f"`{path} --help` lists what there is"
    return told, f"did you mean {' or '.join(sorted(near))}? {hint}" if near else hint


def _told(message: str, hint: str = "") -> int:
    from ftprep.redaction import redacted
    from ftprep.views.plain import safe

    _tell(f"error: {safe(redacted(message))}")
    if hint:
        _tell(f"  {safe(redacted(hint))}")
    return FAILED


def _tell(line: str) -> None:
    from ftprep.views.plain import finish

    with suppress(OSError, ValueError):
        # Named, since click would put another stream in the place of an ASCII one.
        click.echo(finish([line]), file=sys.stderr, nl=False)


def _traceback(error: BaseException) -> None:
    import traceback

    from ftprep.redaction import redacted
    from ftprep.views.plain import safe

    for line in redacted("".join(traceback.format_exception(error))).splitlines():
        _tell(safe(line))
