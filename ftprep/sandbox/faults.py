"""Trouble on demand: a plan of faults, and the layer around the server that carries them out.

A plan is a list of objects: {"fault": NAME, "method": "POST", "path": "/v1/fine_tuning/jobs", "times": 1 ...}.
`path` may hold * for anything; `times` is how often it strikes (null: always), `skip` how many requests pass before.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ftprep.errors import UsageError
from ftprep.sandbox.problems import Refusal

KINDS = {
    "refuse": "the connection is closed before anything is done",
    "status": "answered with `status` (and `retry_after`), nothing is done",
    "slow": "`delay` seconds pass first, then all is done as ever",
    "late": "done first, then `delay` seconds pass before the answer",
    "status_after": "done, and answered with `status`",
    "lost": "done, and the connection is closed without an answer",
    "truncate": "done, and the answer ends in the middle of its JSON",
    "cut": "done, and the connection is closed in the middle of the answer",
    "fail_job": "the job that the request creates fails half-way with `message`",
}
_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
_WORDS = {
    401: "Incorrect API key provided.",
    409: "The resource is in conflict with the request.",
    429: "Rate limit reached for requests.",
    500: "The server had an error while processing your request.",
    502: "Bad gateway.",
    503: "The server is overloaded.",
}


@dataclass
class Strike:
    """One fault of a plan; `times` and `skip` count down."""

    fault: str
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0
    status: int = 500
    retry_after: float | None = None
    delay: float = 1.0
    message: str = ""
    code: str | None = None

    def refusal(self) -> Refusal:
        """What it answers with."""
        headers = {} if self.retry_after is None else {"retry-after": f"{self.retry_after:g}"}
        message = self.message or _WORDS.get(self.status, "A fault that was asked for.")
        return Refusal(self.status, message, self.code or _CODES.get(self.status), None, headers)


class Faults:
    """The plan as it stands."""

    def __init__(self, plan: Sequence[Mapping[str, Any]] = ()) -> None:
        self._lock = threading.Lock()
        self._strikes: list[Strike] = []
        self.add(plan)

    def add(self, plan: Any) -> None:
        """Put more faults behind those that there are. Raises UsageError for what is none."""
        if isinstance(plan, Mapping):
            plan = plan.get("faults", [plan])
        if not isinstance(plan, Sequence) or isinstance(plan, str | bytes):
            raise UsageError("a plan of faults is a list of objects", _HINT)
        strikes = [_strike(each) for each in plan]
        with self._lock:
            self._strikes += strikes

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._strikes.clear()

    def left(self) -> list[dict[str, Any]]:
        """The faults still to come."""
        with self._lock:
            return [asdict(each) for each in self._strikes]

    def strike(self, method: str, path: str) -> Strike | None:
        """The fault that a request meets: the first of the plan that fits and is due."""
        with self._lock:
            for each in self._strikes:
                if each.method not in ("*", method) or not fnmatch.fnmatchcase(path, each.path):
                    continue
                if each.skip > 0:
                    each.skip -= 1
                    continue
                if each.times is not None:
                    each.times -= 1
                    if each.times <= 0:
                        self._strikes.remove(each)
                return each
        return None


_HINT = "docs/sandbox.md lists the faults and their keys"


def _strike(said: Any) -> Strike:
    known = Strike.__dataclass_fields__
    if not isinstance(said, Mapping) or said.get("fault") not in KINDS:
        raise UsageError(f"{said!r} is no fault: `fault` must be one of {', '.join(KINDS)}", _HINT)
    if unknown := [key for key in said if key not in known]:
        raise UsageError(f"a fault has no key {unknown[0]!r}", _HINT)
    numbers = {"times": (int,), "skip": (int,), "status": (int,), "delay": (int, float), "retry_after": (int, float)}
    for key, kinds in numbers.items():
        value, optional = said.get(key), key in ("times", "retry_after")
        if key in said and not (value is None and optional):
            if not isinstance(value, kinds) or isinstance(value, bool) or not 0 <= value <= 86_400:
                raise UsageError(f"a fault's {key!r} cannot be {value!r}", _HINT)
            if key == "status" and not 200 <= value <= 599:
                raise UsageError(f"a fault's status cannot be {value!r}", _HINT)
    if wrong := [key for key in ("method", "path", "message") if not isinstance(said.get(key, ""), str)]:
        raise UsageError(f"a fault's {wrong[0]!r} must be text", _HINT)
    strike = Strike(**said)
    strike.method = strike.method.upper()
    return strike


class FaultLayer:
    """An ASGI application around another, which carries out what the plan says and notes each request in a journal."""

    def __init__(self, app: Any, faults: Faults, journal: Any) -> None:
        self._app, self._faults, self._journal = app, faults, journal

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        strike = self._faults.strike(scope["method"], scope["path"])
        query = scope["query_string"].decode("latin-1")
        about = {"method": scope["method"], "path": scope["path"], "query": query}

        def note(status: int | None, answered: bool) -> None:
            fault = strike.fault if strike else ""
            self._journal.note("request", **about, status=status, fault=fault, answered=answered)

        heard = _Heard(send, note)
        try:
            if strike is None:
                await self._app(scope, receive, heard.pass_on)
            else:
                await self._carry_out(strike, scope, receive, heard)
        finally:
            heard.note_once(answered=False)

    async def _carry_out(self, strike: Strike, scope: dict[str, Any], receive: Any, heard: _Heard) -> None:
        if strike.fault == "refuse":
            heard.note_once(answered=False)
            await _hang_up(scope, receive)
            return
        if strike.fault == "status":
            await _drain(receive)
            await heard.say(strike.refusal())
            return
        if strike.fault == "slow":
            await asyncio.sleep(strike.delay)
        if strike.fault == "fail_job":
            scope["sandbox.doom"] = strike.message or "The job failed due to an internal error"
        if strike.fault in ("slow", "fail_job"):
            await self._app(scope, receive, heard.pass_on)
            return
        await self._app(scope, receive, heard.keep)
        if strike.fault == "late":
            await asyncio.sleep(strike.delay)
            await heard.release()
        elif strike.fault == "status_after":
            await heard.say(strike.refusal())
        elif strike.fault == "truncate":
            await heard.release(half=True, honest=True)
        else:
            if strike.fault == "cut":
                await heard.release(half=True, honest=False)
                await asyncio.sleep(0.05)  # so that the half is on its way
            heard.note_once(answered=False)
            await _hang_up(scope, receive)


class _Heard:
    """What the application inside says: passed on, or kept until it is known what to make of it."""

    def __init__(self, send: Any, note: Callable[[int | None, bool], None]) -> None:
        self._send, self._note = send, note
        self._start: dict[str, Any] = {}
        self._body = b""
        self._noted = False
        self.status: int | None = None

    def note_once(self, answered: bool) -> None:
        """Note the request before its answer goes out, so that whoever has the answer finds the note."""
        if not self._noted:
            self._noted = True
            self._note(self.status, answered)

    async def pass_on(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.note_once(answered=True)
        await self._send(message)

    async def keep(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self._start = message["status"], message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    async def say(self, refusal: Refusal) -> None:
        body = json.dumps(refusal.body()).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
        raw = [(key.encode(), value.encode()) for key, value in headers.items()]
        self._start = {"type": "http.response.start", "status": refusal.status, "headers": raw}
        self._body, self.status = body, refusal.status
        await self.release()

    async def release(self, half: bool = False, honest: bool = True) -> None:
        """Send what was kept: all, or half of it under its whole length or (`honest`) the length it then has."""
        body = self._body[: len(self._body) // 2] if half else self._body
        length = len(body) if honest else len(self._body)
        headers = [(key, value) for key, value in self._start["headers"] if key != b"content-length"]
        self.note_once(answered=honest)
        await self._send({**self._start, "headers": [*headers, (b"content-length", str(length).encode())]})
        await self._send({"type": "http.response.body", "body": body, "more_body": not honest})


async def _drain(receive: Any) -> None:
    """Read a request to its end, so that its sender is ready for the answer."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


async def _hang_up(scope: dict[str, Any], receive: Any) -> None:
    """Close the connection without a word more, and wait until it is closed."""
    connection = scope.get("state", {}).get("connection", {}).get("protocol")
    if connection is not None:
        connection.transport.abort()
    for _ in range(100):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
