"""The ASGI application: requests become calls, handlers run in threads, replies and refusals become answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from ftprep.errors import FtprepError
from ftprep.foreign import kind_and_words
from ftprep.sandbox.faults import FaultLayer, Faults
from ftprep.sandbox.house import Call, House, Reply, new_id
from ftprep.sandbox.problems import Refusal, bad

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")
HEALTH = "/_sandbox/health"
"""Told without a key."""

SIGNED = "/signed/"
"""Where addresses that let somebody upload without a key begin."""

MOST_BODY = 64 << 20
"""Bytes of a body that is not a form."""

Handler = Callable[[Call], Reply]
Route = tuple[str, str, Handler]


class Door:
    """What every request passes: the host it names, its key, its body; and how the answer goes out."""

    def __init__(self, house: House, key: str | None, open_to_all: bool) -> None:
        self.house, self._key, self._open = house, key, open_to_all
        self.last_seen = time.monotonic()

    def check_host(self, request: Request) -> None:
        """Refuse names that only a page in a browser, sent here by another site, would come with."""
        host = request.headers.get("host", "")
        name = host if host.endswith("]") or host.count(":") != 1 else host.rpartition(":")[0]
        if not self._open and name.lower() not in (*LOCAL, ""):
            raise Refusal(421, f"This sandbox answers to 127.0.0.1 and localhost, not to {name[:100]!r}")

    def check_key(self, request: Request) -> None:
        """Refuse requests without a key, or with another than the one that is wanted."""
        given = request.headers.get("api-key", "")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given = token.strip() or given
        if not given:
            told = "You didn't provide an API key. Any key will do for the sandbox: Authorization: Bearer KEY"
            raise Refusal(401, told, "invalid_api_key")
        if self._key is not None and given != self._key:
            raise Refusal(401, "Incorrect API key provided.", "invalid_api_key")

    async def answer(self, handler: Handler, request: Request) -> Response:
        """Serve one request with a handler."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import FileResponse, Response

        request_id, call = new_id("req_"), None
        self.last_seen = time.monotonic()
        try:
            self.check_host(request)
            if request.url.path != HEALTH and not request.url.path.startswith(SIGNED):
                self.check_key(request)
            call = await self._call(request)
            reply = await run_in_threadpool(handler, call)
        except Refusal as refusal:
            reply = Reply(refusal.body(), refusal.status, headers=refusal.headers)
        except Exception as error:  # noqa: BLE001 - a server answers, whatever happens
            what = error.message if isinstance(error, FtprepError) else kind_and_words(error)
            self.house.journal.note("trouble", path=request.url.path, error=what)
            reply = Reply(Refusal(500, f"The sandbox itself is in trouble: {what}", "sandbox_trouble").body(), 500)
        finally:
            self.last_seen = time.monotonic()
            await request.close()  # what a form has put into temporary files
            if call is not None and call.upload is not None:
                call.upload[1].close()
        headers = {"x-request-id": request_id, "openai-processing-ms": "1", **reply.headers}
        if isinstance(reply.content, Path):
            return FileResponse(reply.content, reply.status, headers, media_type=reply.kind)
        content = reply.content if isinstance(reply.content, bytes) else json.dumps(reply.content).encode()
        return Response(content, reply.status, headers, media_type=reply.kind)

    async def _call(self, request: Request) -> Call:
        names, query = request.path_params, dict(request.query_params)
        doom = request.scope.get("sandbox.doom", "")
        origin = str(request.base_url).rstrip("/")
        base = {
            "origin": origin,
            "method": request.method,
            "path": request.url.path,
            "names": names,
            "query": query,
            "doom": doom,
        }
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method in ("GET", "HEAD", "DELETE"):
            return Call(**base)
        if kind == "multipart/form-data":
            form, upload = await self._form(request)
            return Call(**base, form=form, upload=upload)
        if request.method == "PUT" and request.url.path.startswith(SIGNED):
            return Call(**base, upload=("", await self._spooled(request)))
        body = await self._body(request)
        if not body.strip():
            return Call(**base)
        try:
            return Call(**base, body=json.loads(body))
        except (ValueError, RecursionError):
            raise bad("We could not parse the JSON body of your request.") from None

    async def _form(self, request: Request) -> tuple[dict[str, str], tuple[str, IO[bytes]] | None]:
        from starlette.datastructures import UploadFile
        from starlette.exceptions import HTTPException

        try:
            form = await request.form(max_files=1, max_fields=50)
        except HTTPException as error:
            raise bad(f"The multipart body cannot be read: {error.detail}") from None
        fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        files = [(key, value) for key, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            return fields, None
        key, file = files[0]
        return {**fields, key: ""}, (file.filename or "", file.file)

    async def _spooled(self, request: Request) -> IO[bytes]:
        """The body as a file, in memory as long as it is small."""
        file: IO[bytes] = SpooledTemporaryFile(1 << 20)  # noqa: SIM115 - the handler reads it, its end closes it
        async for block in request.stream():
            file.write(block)
        file.seek(0)
        return file

    async def _body(self, request: Request) -> bytes:
        body = b""
        async for block in request.stream():
            body += block
            if len(body) > MOST_BODY:
                raise Refusal(413, f"The body has more than {MOST_BODY} bytes")
        return body


class Admin:
    """What the sandbox has beside the provider's API, under /_sandbox: state, faults, journal, clock."""

    def __init__(self, house: House, faults: Faults, about: Mapping[str, Any]) -> None:
        self._house, self._faults, self._about = house, faults, about

    def health(self, _call: Call) -> Reply:
        """Which sandbox this is."""
        return Reply(dict(self._about))

    def faults(self, call: Call) -> Reply:
        """GET the faults still to come, POST more, PUT others instead, DELETE all."""
        if call.method in ("PUT", "DELETE"):
            self._faults.clear()
        if call.method in ("PUT", "POST"):
            try:
                self._faults.add(call.body)
            except FtprepError as error:
                raise bad(error.message) from None
        return Reply({"faults": self._faults.left()})

    def journal(self, _call: Call) -> Reply:
        """The request journal, as JSON lines."""
        return Reply(self._house.journal.path.read_bytes(), 200, "application/x-ndjson")

    def clock(self, call: Call) -> Reply:
        """GET the time; POST {"advance": SECONDS} where the clock is one that is set by hand."""
        advance = getattr(self._house.clock, "advance", None)
        if call.method == "POST":
            seconds = call.json.get("advance")
            if advance is None:
                raise bad("The clock of this sandbox cannot be set: start it with --manual-clock")
            if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= 1e9:
                raise bad("'advance' must be a number of seconds, 0 or more", "advance")
            advance(seconds)
        return Reply({"now": self._house.clock(), "manual": advance is not None})


ADMIN = (
    ("GET", "/health", "health"),
    *((method, "/faults", "faults") for method in ("GET", "POST", "PUT", "DELETE")),
    ("GET", "/journal", "journal"),
    ("GET", "/clock", "clock"),
    ("POST", "/clock", "clock"),
)


def make_app(door: Door, routes: list[Route], admin: Admin, faults: Faults) -> Any:
    """The whole application: the provider's routes behind the layer of faults, and the sandbox's own."""
    from starlette.applications import Starlette
    from starlette.routing import Route as StarletteRoute

    def serving(handler: Handler) -> Any:
        async def endpoint(request: Request) -> Response:
            return await door.answer(handler, request)

        return endpoint

    def unknown(call: Call) -> Reply:
        raise Refusal(404, f"Invalid URL ({call.method} {call.path})", "unknown_url")

    found = [StarletteRoute(path, serving(handler), methods=[method]) for method, path, handler in routes]
    found += [
        StarletteRoute(f"/_sandbox{path}", serving(getattr(admin, name)), methods=[method])
        for method, path, name in ADMIN
    ]
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    found.append(StarletteRoute("/{rest:path}", serving(unknown), methods=every))
    return FaultLayer(Starlette(routes=found), faults, door.house.journal)


async def watch(door: Door, stop: Callable[[], bool], idle: float | None) -> None:
    """Wait until the server is to end: because it is told to, or since nobody has asked for `idle` seconds."""
    while not stop() and (idle is None or time.monotonic() - door.last_seen < idle):
        await asyncio.sleep(0.05)
