"""Submits that are killed: a process that loads all once and forks for each, so that SIGKILL meets the submit alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
POINTS = ("intent", "files", "sending", "before-commit", "created")
"""Where a submit can be told to die: after the entry says so, or when the answer has come and is not written yet."""


@dataclass
class Submitter:
    """The process that forks. `run` gives the exit code of one submit: 0, 2, 4, or -9 for one that was killed."""

    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Submitter:
        paths = [str(HERE), str(HERE.parent.parent)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, str(Path(__file__).resolve())]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def run(self, **asked: Any) -> int:
        """One submit, or the `command` that is named. It is killed `at` a point, `after` seconds, or `when` a file is
        there."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(asked, default=str) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def until_settled(self, **asked: Any) -> int:
        """Submit as a person would: again after a kill, sent once more where it is sure that nothing came of it."""
        code = self.run(**asked)
        if code == 4:
            code = self.run(**asked, resubmit=True)
        return code


def _child(asked: dict[str, Any]) -> int:
    from job_samples import asked as settled
    from job_samples import quick, sent

    from ftprep.errors import FtprepError
    from ftprep.jobs.ledger import Ledger

    with suppress(KeyError):
        _die_at(asked["at"])
    if "command" in asked:
        return _command(asked)
    pauses = (0.0, 0.05, 0.2)
    ways = quick(resubmit=asked.get("resubmit", False), looks=pauses, sleep=lambda s: time.sleep(min(s, 0.2)))
    try:
        one = settled(Path(asked["file"]), asked["url"], **asked.get("settings", {}))
        sent(one, Ledger(asked["ledger"]), ways, timeout=asked.get("timeout", 5))
    except FtprepError as error:
        return error.exit_code
    return 0


def _command(asked: dict[str, Any]) -> int:
    """A command of the program, what it prints in the file `told`; the client waits `timeout` seconds for answers."""
    from functools import partial

    from ftprep.__main__ import main
    from ftprep.jobs import api, connect

    told = os.open(asked["told"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(told, 1)
    os.dup2(told, 2)
    os.environ.update(asked.get("environment", {}))
    vars(api)["connect"] = partial(connect.connect, timeout=asked["timeout"])
    return main(asked["command"])


def _die_at(point: str) -> None:
    from ftprep.jobs.ledger import Entry, Ledger

    save = Ledger.save

    def killing(self: Ledger, entry: Entry) -> Entry:
        if point == "before-commit" and entry.state == "created":
            os.kill(os.getpid(), signal.SIGKILL)
        saved = save(self, entry)
        if entry.state == point or (point == "files" and entry.files and entry.state == "intent"):
            os.kill(os.getpid(), signal.SIGKILL)
        return saved

    Ledger.save = killing  # type: ignore[method-assign]


def main() -> None:
    """Fork for each line of standard input, and tell how the child ended."""
    import job_samples  # noqa: F401 - all that a submit needs is loaded once
    import openai  # noqa: F401

    import ftprep.cli.job_views
    import ftprep.cli.jobs
    import ftprep.jobs.api
    import ftprep.targets.file  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = _child(asked)
            finally:
                sys.stdout.flush()
                os._exit(code)
        if "after" in asked:
            time.sleep(asked["after"])
            os.kill(child, signal.SIGKILL)
        status = _killed_when(Path(asked["when"]), child) if "when" in asked else os.waitpid(child, 0)[1]
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _killed_when(path: Path, child: int) -> int:
    """Kill the child as soon as a file is there; how it ended, which may be by itself."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if path.exists():
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]
        time.sleep(0.002)


if __name__ == "__main__":
    main()
