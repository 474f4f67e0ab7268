"""The sandbox as a server in a thread of this process: bound to the loopback, with what it keeps in a folder."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ftprep.disk import told
from ftprep.errors import MissingExtra, UsageError, WriteError
from ftprep.foreign import words_of
from ftprep.lock import FolderLock
from ftprep.sandbox.clocks import Clock, Pace
from ftprep.sandbox.profiles import PROFILES

HOST = "127.0.0.1"
STATE = "server.json"
"""Name of the file, in the sandbox's folder, that says where the server of that folder is."""

START_SECONDS = 20.0
STOP_SECONDS = 10.0


class Sandbox:
    """A local look-alike of a provider's API; a context manager.

    `folder` keeps everything and may be used again. `port` 0 takes a free one. `profile` is openai, azure, together or
    fireworks; `clock` tells the time (seconds since 1970), `pace` how long the phases of a job take; `faults` is a plan
    (docs/sandbox.md); with `key` only that key is let in; results come as base64 with `base64_results`. `host` other
    than the loopback lets others in. `idle` ends the server after so many seconds without a request.

    Raises UsageError for a port that is taken or an unknown profile, WriteError for a folder that is in use,
    MissingExtra without starlette and uvicorn.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        port: int = 0,
        *,
        profile: str = "openai",
        clock: Clock = time.time,
        pace: Pace | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
        base64_results: bool = False,
        host: str = HOST,
        idle: float | None = None,
    ) -> None:
        if profile not in PROFILES:
            raise UsageError(f"no profile is called {profile!r}", f"there are {', '.join(PROFILES)}")
        self.folder = Path(folder).absolute()
        self._profile, self._clock, self._pace = PROFILES[profile], clock, pace or Pace()
        self._plan, self._key, self._base64 = faults, key, base64_results
        self._wanted, self._idle = (host, port), idle
        self._thread: threading.Thread | None = None
        self._server: Any = None
        self._stopping = threading.Event()
        self.port = port

    @property
    def url(self) -> str:
        """Address of the server: `http://127.0.0.1:PORT`."""
        host = self._wanted[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What a client of this provider is given as its base address."""
        # The SDKs of Together and Fireworks add the version themselves.
        return self.url if self._profile.name in ("together", "fireworks") else self.url + self._profile.prefixes[0]

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def use_any_port(self) -> None:
        """Take a free port at the next start."""
        self._wanted = (self._wanted[0], 0)

    def start(self) -> None:
        """Serve from now on; returns when requests are answered."""
        need_packages()
        with told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        line = _bound(*self._wanted)
        self.port = line.getsockname()[1]
        try:
            self._lock = _lock(self.folder)
            try:
                self._serve(line)
            except BaseException:
                self._lock.release()
                raise
        except BaseException:
            line.close()
            raise

    def _serve(self, line: socket.socket) -> None:
        from ftprep.sandbox.build import Building

        self._building = Building(self, self._clock, self._pace, self._profile, self._key, self._plan)
        self._server = self._building.server(self._base64, is_open=self._wanted[0] not in (HOST, "::1", "localhost"))
        ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(line, ended), name="ftprep-sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started and not ended.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not self._server.started:
            self.stop()
            raise UsageError("the sandbox did not start", "look at other messages, or try another folder")
        self._write_state()

    def _run(self, line: socket.socket, ended: threading.Event) -> None:
        import asyncio

        try:
            asyncio.run(self._until_stopped(line))
        finally:
            ended.set()
            self._stopping.set()

    async def _until_stopped(self, line: socket.socket) -> None:
        import asyncio

        from ftprep.sandbox.app import watch

        serving = asyncio.create_task(self._server.serve(sockets=[line]))
        await watch(self._building.door, self._stopping.is_set, self._idle)
        self._server.should_exit = True
        await serving

    def _write_state(self) -> None:
        state = {"pid": os.getpid(), "url": self.url, "base_url": self.base_url, "profile": self._profile.name}
        path = self.folder / STATE
        temp = path.with_suffix(".tmp")
        with told(path):
            temp.write_text(json.dumps({**state, "folder": str(self.folder)}) + "\n", encoding="utf-8")
            temp.replace(path)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the server has been asked to end, or has been idle for too long; whether it has."""
        return self._stopping.wait(seconds)

    def ask_to_stop(self) -> None:
        """Let `wait` return; may be called from a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """Answer what is under way, and end; may be called again."""
        self._stopping.set()
        if self._thread is None:
            return
        self._thread.join(STOP_SECONDS)
        self._thread = None
        with suppress(OSError):
            (self.folder / STATE).unlink(missing_ok=True)
        self._building.close()
        self._lock.release()


def need_packages() -> None:
    """Raise MissingExtra where what the sandbox is made of is not installed."""
    try:
        import python_multipart  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise MissingExtra("the sandbox", "sandbox") from None


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens; raises UsageError."""
    line = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind((host, port))
        line.listen(128)
    except (OSError, OverflowError) as error:
        line.close()
        hint = "choose another with --port, or --port 0 for one that is free"
        raise UsageError(f"cannot listen on {host}:{port}: {words_of(error)}", hint) from None
    return line


def _lock(folder: Path) -> FolderLock:
    try:
        return FolderLock(folder, wait=1.0)
    except WriteError as error:
        message = f"a sandbox is running in {folder} already ({error.message})"
        raise WriteError(message, "use it, or another folder") from None
