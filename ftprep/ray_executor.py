"""Ordered maps over pieces of work on a Ray cluster; what comes out is what one process gives, whichever nodes die."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from types import ModuleType
from typing import Any, TypeVar

from ftprep.errors import FtprepError, MissingExtra, ReadError, UsageError, WriteError
from ftprep.executors import Job, sendable
from ftprep.foreign import words_of
from ftprep.model import Chunk
from ftprep.version import __version__

T = TypeVar("T")

RETRIES = 5
"""How often Ray begins a piece of work anew whose worker or node was lost, before it is given up."""

AHEAD = 4
"""Pieces on the way for each processor of the cluster, so that no node waits for the driver."""

LOOK_SECONDS = 5.0
"""How often the cluster is asked how many processors it has: nodes come and go while a run lasts."""

CONNECT_SECONDS = 10.0
"""How long the cluster's address may take to answer. Ray itself would wait for minutes, and then end the process."""


class RayExecutor:
    """Tasks on a Ray cluster, each with one piece of work at a time; lost ones are begun anew on nodes that live.

    `address` is HOST:PORT of the head of a cluster that this computer is a node of, or `auto` for the one that runs
    here; without one, the environment's RAY_ADDRESS holds, and without that a Ray of its own is started here and
    stopped at the end. A cluster that it did not start is left running; a Ray that the program has begun already is
    used as it is. `workers` bounds the pieces worked on at once. Raises MissingExtra without Ray, UsageError where
    there is no cluster, or where a node's ftprep is missing or another one.
    """

    tries = 1 + RETRIES

    def __init__(self, address: str = "", workers: int | str = "auto") -> None:
        self.address = address or os.environ.get("RAY_ADDRESS", "") or "local"
        self.workers = None if workers == "auto" else int(workers)
        self._ray = _ray()
        self._connected = False
        self._looked, self._room = 0.0, 1

    def map(self, job: Job[T], chunks: Iterable[Chunk], lost: Callable[[Chunk], T]) -> Generator[T, None, None]:
        """The results, in order, with a bounded number of chunks on the way."""
        ray = self._connect()
        options = {"max_retries": RETRIES, "retry_exceptions": False, "scheduling_strategy": "SPREAD"}
        task = ray.remote(_work).options(**options)
        # In a list, so that a worker fetches it once and keeps it; as an argument it would be unpacked for each piece.
        kept = [ray.put(job)]
        under_way: deque[tuple[Any, Chunk]] = deque()
        more = iter(chunks)
        try:
            while True:
                while len(under_way) < self._window() and (chunk := next(more, None)) is not None:
                    under_way.append((task.remote(kept, chunk, __version__), chunk))
                if not under_way:
                    return
                result = self._result(*under_way[0], lost)
                under_way.popleft()
                yield result
        finally:
            # Empty when all has gone well; else nobody wants the rest.
            for reference, _ in under_way:
                with suppress(Exception):
                    ray.cancel(reference, force=True)

    def rest(self) -> None:
        """The workers are the cluster's, and stay."""

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._connected:
            self._connected = False
            self._ray.shutdown()

    def _connect(self) -> ModuleType:
        ray = self._ray
        if ray.is_initialized():
            return ray
        named = {"num_cpus": self.workers} if self.address == "local" and self.workers else {}
        if self.address == "local":
            named["include_dashboard"] = False
        _reach(self.address)
        try:
            ray.init(address=self.address, log_to_driver=False, logging_level="ERROR", **named)
        except (ConnectionError, ValueError, RuntimeError, OSError, ray.exceptions.RayError) as error:
            raise _unreached(self.address, words_of(error, 300)) from error
        self._connected = True
        _hush()
        return ray

    def _window(self) -> int:
        """How many pieces may be on the way."""
        if self.workers:
            return self.workers
        if time.monotonic() - self._looked > LOOK_SECONDS:
            # A head without processors of its own may be about to get nodes: their tasks must be waiting for that.
            self._room = AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 0)))
            self._looked = time.monotonic()
        return self._room

    def _result(self, reference: Any, chunk: Chunk, lost: Callable[[Chunk], T]) -> T:
        known = self._ray.exceptions
        try:
            is_error, result = self._ray.get(reference)
        except (known.WorkerCrashedError, known.NodeDiedError, known.OutOfMemoryError, known.ObjectLostError):
            return lost(chunk)
        except known.RayTaskError as error:
            raise _unstarted(error) from error
        except known.RayError as error:
            message = f"the Ray cluster failed: {words_of(error, 300)}"
            raise FtprepError(message, "see to the cluster (`ray status`), and run again") from error
        if is_error:
            raise result
        made: T = result
        return made


def _ray() -> ModuleType:
    # Before ray is imported: it reads these once.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtra("working on a Ray cluster", "ray") from None
    return ray


def _hush() -> None:
    """Keep what Ray's own daemons tell of lost workers off standard output, where the report goes; `log_to_driver` does
    not, and there is no public switch. A Ray that has this one no more prints as it likes."""
    import ray._private.worker as driver

    if hasattr(driver, "_worker_logs_enabled"):
        driver._worker_logs_enabled = False  # noqa: SLF001


def _reach(address: str) -> None:
    """Raise UsageError where nobody answers at an address."""
    host, _, port = address.rpartition(":")
    if address in ("local", "auto"):
        return
    if not host or not (port.isascii() and port.isdigit()) or "/" in host:
        raise _unreached(address, "an address is HOST:PORT, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _unreached(address, words_of(error)) from error


def _unreached(address: str, why: str) -> UsageError:
    message = f"no Ray cluster at {address}: {why}"
    return UsageError(message, "`ray status` on its head tells the address; without --address one is started here")


def _unstarted(error: Exception) -> FtprepError:
    """Why a task did not even begin: what it says of itself comes back as a value."""
    last = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    message = f"a node of the cluster could not begin its work: {words_of(last, 300)}"
    return UsageError(message, f"install ftprep {__version__} and the same Python on every node")


# -- on the nodes ------------------------------------------------------------------------------------------------------

_KEPT: list[tuple[Any, Job[Any]]] = []
"""The job of this worker process, with its reference; what it loads (token tables) stays for all its pieces."""


def _work(kept: list[Any], chunk: Chunk, version: str) -> tuple[bool, Any]:
    """One piece of work: whether it failed, and the error or the result."""
    if version != __version__:
        message = f"the node {_node()} has ftprep {__version__}, this is {version}"
        return True, UsageError(message, "install the same version on every node")
    try:
        return False, _job(kept[0])(chunk)
    except ReadError as error:
        message = f"{error.message} (on the node {_node()})"
        hint = "every node must find the input at the same path: use a shared folder, or an address such as s3://"
        return True, ReadError(message, hint)
    except WriteError as error:
        return True, WriteError(f"{error.message} (on the node {_node()})", error.hint)
    except Exception as error:  # noqa: BLE001 - it is raised again where somebody can hear it
        return True, sendable(error)


def _job(reference: Any) -> Job[Any]:
    import ray

    if not _KEPT or _KEPT[0][0] != reference:
        _KEPT[:] = [(reference, ray.get(reference))]
    return _KEPT[0][1]


def _node() -> str:
    return socket.gethostname()
