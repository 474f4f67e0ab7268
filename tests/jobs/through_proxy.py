"""Our own server behind mitmproxy, and a user who goes on as the documents say until the job is settled."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from job_samples import MODEL, training_file
from killed import Submitter

from ftprep.sandbox.journal import read_journal

ROOT = Path(__file__).resolve().parents[2]
ADDON = Path(__file__).with_name("proxy_faults.py")
FAULTS = ("refused", "lost", "late", "502", "truncated", "429", "429-later", "409", "slow")
MISSING = (
    "there is no mitmdump: python -m venv DIR && DIR/bin/pip install mitmproxy==11.0.2 (an environment of its own: "
    "it pins much), then put DIR/bin on PATH or its mitmdump into the variable MITMDUMP"
)
CLIENT_WAITS, DELAY, LOOKS = 0.5, 0.7, "0.9"
"""Seconds: until the client gives up, by which an answer is late or a request slow, and that a job is looked for."""


@dataclass(frozen=True)
class Like:
    """How a provider is reached through the proxy, and which requests make a job and upload a file."""

    provider: str
    base: str
    jobs: str
    files: str
    key: str = ""
    more: tuple[str, ...] = ()


LIKE = {
    "openai": Like("sandbox", "/v1", "/v1/fine_tuning/jobs", "/v1/files"),
    "azure": Like("azure", "/openai/v1", "/openai/v1/fine_tuning/jobs", "/openai/v1/files", "AZURE_OPENAI_API_KEY"),
    "together": Like("together", "", "/v1/fine-tunes", "/files/upload", "TOGETHER_API_KEY"),
    "fireworks": Like(
        "fireworks", "", "/supervisedFineTuningJobs", ":upload", "FIREWORKS_API_KEY", ("--account", "acme")
    ),
}


@dataclass
class Road:
    """The sandbox and mitmdump before it, each a process of its own. `with` starts and stops them."""

    folder: Path
    mitmdump: str
    profile: str = "openai"
    options: Sequence[str] = ("--polls", "--phases", "1000,1,1")
    port: int = 0
    server_port: int = 0
    _server: subprocess.Popen[str] = field(init=False)
    _proxy: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Road:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start_server()
        command = [self.mitmdump, "-q", "--mode", f"reverse:http://127.0.0.1:{self.server_port}", "-s", str(ADDON)]
        command += ["--listen-host", "127.0.0.1", "--listen-port", "0", "--set", f"confdir={self.folder / 'mitm'}"]
        command += ["--set", f"faults_folder={self.folder}", "--set", "connection_strategy=lazy"]
        log = (self.folder / "mitmdump.log").open("w", encoding="utf-8")
        with log:
            self._proxy = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        told = self.folder / "port"
        deadline = time.monotonic() + 60
        while not told.exists():
            if self._proxy.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError((self.folder / "mitmdump.log").read_text(encoding="utf-8"))
            time.sleep(0.02)
        self.port = int(told.read_text(encoding="utf-8"))
        return self

    def __exit__(self, *_: object) -> None:
        for process in filter(None, (getattr(self, "_proxy", None), self._server)):
            _ended(process, signal.SIGTERM)

    def start_server(self, port: int = 0) -> None:
        """Start the sandbox, at a port of its own choice or at the one that it had."""
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "ftprep", "sandbox", str(self.folder / "sandbox"), "--port", str(port)]
        command += ["-q", "--as", self.profile, *self.options]
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._server.stdout
        self.server_port = int(json.loads(self._server.stdout.readline())["port"])

    def stop_server(self, number: int = signal.SIGKILL) -> None:
        """End the sandbox."""
        _ended(self._server, number)

    def plan(self, case: str, fault: str, path: str, times: int = 1, hold: float = 0.0, delay: float = DELAY) -> None:
        """What is to happen to the next POSTs to a path."""
        said = {"case": case, "fault": fault, "path": path, "times": times, "hold": hold, "delay": delay}
        part = self.folder / "plan.part"
        part.write_text(json.dumps(said), encoding="utf-8")
        part.replace(self.folder / "plan.json")

    def happened(self, case: str, what: str) -> Path:
        """The file that tells that a request of the plan has `arrived` or was `answered`."""
        return self.folder / f"{case}.{what}"

    def made(self) -> list[str]:
        """The ids of all jobs that the server's journal has."""
        return [each["id"] for each in read_journal(self.folder / "sandbox") if each.get("kind") == "job"]

    @property
    def like(self) -> Like:
        """How the provider is reached."""
        return LIKE[self.profile]

    @property
    def address(self) -> str:
        """The provider's address, which is the proxy's."""
        return f"http://127.0.0.1:{self.port}{self.like.base}"

    def reached(self) -> list[str]:
        """The options that lead to the provider through the proxy."""
        return ["--provider", self.like.provider, "--base-url", self.address, *self.like.more]

    def environment(self) -> dict[str, str]:
        """What a command finds in its environment."""
        return {self.like.key: "sandbox-key-0123456789"} if self.like.key else {}

    def ask(self, path: str) -> Any:
        """GET, past the proxy's plan."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"authorization": "Bearer any"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer


def _ended(process: subprocess.Popen[str], number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)
    if process.stdout:
        process.stdout.close()


@dataclass
class Outcome:
    """How a case went: the exit codes of the commands in order, what they said, and the jobs that the server made."""

    codes: list[int] = field(default_factory=list)
    said: str = ""
    jobs: int = 0
    struck: bool = False
    wrong: str = ""


@dataclass
class User:
    """Somebody who submits one file, and after trouble does what the messages and the documents say."""

    road: Road
    submitter: Submitter
    folder: Path
    case: str

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        training_file(self.folder, word=f"otter {self.case}")
        model = {"together": "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"}.get(self.road.profile, MODEL)
        if self.road.profile == "fireworks":
            model = "accounts/fireworks/models/llama-v3p1-8b-instruct"
        here = ["--ledger", str(self.folder / "jobs"), "--look-for", LOOKS]
        self._submit = ["submit", str(self.folder / "train.jsonl"), "--model", model, "-y", "--no-check"]
        self._submit += [*self.road.reached(), *here]
        self._here = here
        self.outcome = Outcome()

    def settled(self, kills: Sequence[Mapping[str, Any]] = ()) -> Outcome:
        """Submit until it is settled, killed at the first tries as `kills` say; then once more, which makes nothing."""
        before, out = len(self.road.made()), self.outcome
        for number in range(8):
            kill = kills[number] if number < len(kills) else {}
            code = self._run(self._submit, **kill)
            if code == 4:
                code = self._resolved()
            if code == 0 and number >= len(kills) - 1:
                break
        else:
            out.wrong = "it was never settled"
        if not out.wrong and (self._run(self._submit) != 0 or "this job is there already" not in self._last):
            out.wrong = f"the same command once more: {self._last}"
        out.jobs = len(self.road.made()) - before
        out.struck = self.road.happened(self.case, "arrived").exists()
        if out.jobs != 1:
            out.wrong = out.wrong or f"{out.jobs} jobs"
        return out

    def _resolved(self) -> int:
        """After exit code 4, as its hint says: look again, look at the account, and only then send once more."""
        found = re.search(r"`ftprep jobs resolve (\w+)`", self._last)
        if not found:
            self.outcome.wrong = f"exit code 4 without a way out: {self._last}"
            return 0
        command = ["resolve", found[1], *self._here]
        before = len(self.road.made())
        code = self._run(command)
        if code != 4:
            return code
        time.sleep(DELAY)  # nobody looks at an account faster than a request can be on its way
        if len(self.road.made()) > self._made_before:
            return self._run(command)
        assert before == len(self.road.made())
        return self._run([*command, "--resubmit"])

    def _run(self, command: Sequence[str], **kill: Any) -> int:
        told = self.folder / f"{len(self.outcome.codes)}.told"
        told.touch()  # who is killed at once has said nothing
        if not self.outcome.codes:
            self._made_before = len(self.road.made())
        if "happened" in kill:
            kill["when"] = self.road.happened(self.case, kill.pop("happened"))
        run = {"command": ["jobs", *command], "told": told, "timeout": CLIENT_WAITS}
        code = self.submitter.run(**run, environment=self.road.environment(), **kill)
        self._last = told.read_text(encoding="utf-8")
        self.outcome.codes.append(code)
        self.outcome.said += f"$ {command[0]}: {code}\n{self._last}"
        return code


def find_mitmdump(given: str | None = None) -> str | None:
    """Where mitmdump is; None where there is none."""
    return shutil.which(given or os.environ.get("MITMDUMP", "mitmdump"))
