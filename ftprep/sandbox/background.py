"""A sandbox as a process of its own, found again by its folder; it ends by itself when nobody has asked for a while."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ftprep.errors import FtprepError, UsageError
from ftprep.sandbox.server import STATE, need_packages

IDLE_SECONDS = 900.0
"""How long a background sandbox stays without a request."""

START_SECONDS = 30.0
_PAUSE = 0.05
_PORT = "port"
"""Name of the file that keeps the port from one start to the next, so that the address stays the same."""

LOG = "server.log"

_children: list[subprocess.Popen[bytes]] = []
"""Those that this process has started; it does not wait for them."""


@dataclass(frozen=True)
class Running:
    """A sandbox that answers: its process, its address, what a client takes as base address, and its profile."""

    pid: int
    url: str
    base_url: str
    profile: str
    folder: Path


def find_sandbox(folder: str | os.PathLike[str]) -> Running | None:
    """The sandbox that serves a folder now, None where there is none."""
    home = Path(folder).absolute()
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((home / STATE).read_text(encoding="utf-8"))
        found = Running(int(said["pid"]), str(said["url"]), str(said["base_url"]), str(said["profile"]), home)
        health = _health(found.url)
        # Another server may have got the port since.
        if health.get("folder") == str(home) and health.get("pid") == found.pid:
            return found
    return None


def start_sandbox(
    folder: str | os.PathLike[str], *, profile: str = "openai", idle: float = IDLE_SECONDS, wait: float = START_SECONDS
) -> Running:
    """The sandbox of a folder: the one that is running, or a new process in the background.

    Several callers at once get the same one. It ends after `idle` seconds without a request, and what it keeps stays in
    the folder. Raises UsageError where it does not answer within `wait` seconds, or serves another profile.
    """
    need_packages()
    home = Path(folder).absolute()
    child: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        found = find_sandbox(home)
        if found is not None:
            if child is not None and child.pid != found.pid:
                child.kill()  # it came too late, and waits for the folder to become free
                child.wait()
            if found.profile != profile:
                message = f"the sandbox of {home} is one of {found.profile}, not of {profile}"
                raise UsageError(message, "use another folder, or stop that one first")
            return found
        if child is None or child.poll() is not None:
            if child is not None and child.returncode and not _is_busy(home):
                break
            child = _spawn(home, profile, idle)
        time.sleep(_PAUSE)
    raise UsageError(f"the sandbox of {home} did not start{_last_words(home)}", f"{home / LOG} says more")


def stop_sandbox(folder: str | os.PathLike[str], wait: float = 10.0) -> bool:
    """End the background sandbox of a folder; whether there was one. Raises UsageError where it does not end."""
    found = find_sandbox(folder)
    if found is None:
        return False
    deadline = time.monotonic() + wait
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            time.sleep(_PAUSE)
            for child in _children:
                child.poll()  # one of ours stays a zombie until it is looked at
            if sys.platform == "win32" and find_sandbox(folder) is None:
                return True
            if sys.platform != "win32":
                os.kill(found.pid, 0)
    if find_sandbox(folder) is None:
        return True
    raise UsageError(f"the sandbox of {found.folder} (process {found.pid}) does not end", "end the process yourself")


def _spawn(home: Path, profile: str, idle: float) -> subprocess.Popen[bytes]:
    home.mkdir(parents=True, exist_ok=True)
    port = _last_port(home)
    command = [sys.executable, "-m", "ftprep", "sandbox", str(home), "--as", profile, "--idle", f"{idle:g}"]
    command += ["--port", str(port), "--any-port", "--quiet"]
    with (home / LOG).open("ab") as log:
        how: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        if sys.platform == "win32":
            how["creationflags"] = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            how["start_new_session"] = True  # Ctrl-C in the terminal is not meant for it
        child = subprocess.Popen(command, **how)  # noqa: S603 - our own program
    _children.append(child)
    return child


def _last_port(home: Path) -> int:
    with suppress(OSError, ValueError):
        port = int((home / _PORT).read_text(encoding="ascii"))
        if 0 < port < 65536:
            return port
    return 0


def keep_port(home: Path, port: int) -> None:
    """Remember the port for the next start."""
    with suppress(OSError):
        (home / _PORT).write_text(f"{port}\n", encoding="ascii")


def _health(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", "/_sandbox/health", headers={"authorization": "Bearer sandbox"})
        said = json.loads(connection.getresponse().read(10_000))
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return said if isinstance(said, dict) else {}


def _is_busy(home: Path) -> bool:
    """Whether a process that has just ended did so because another one had the folder."""
    return "is running in" in _last_words(home)


def _last_words(home: Path) -> str:
    with suppress(OSError, FtprepError):
        lines = (home / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        errors = [line for line in lines[-5:] if line.startswith("error: ")]
        if errors:
            return f": {errors[-1].removeprefix('error: ')}"
    return ""
