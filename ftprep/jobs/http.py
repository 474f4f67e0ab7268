"""A small HTTP client: one request, no redirects, no repeats, and trouble told by what it means for the job."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from ftprep.errors import ReadError
from ftprep.jobs.secret import is_loopback
from ftprep.jobs.trouble import Unclear, Unreachable, from_status
from ftprep.redaction import Secret

BLOCK = 1 << 20
MOST_BYTES = 1 << 30
"""Bytes of an answer that are read; results are files of figures, far smaller."""


class Body:
    """What is sent: its bytes in blocks, and how many they are."""

    def __init__(self, kind: str, size: int, blocks: Iterator[bytes]) -> None:
        self.kind, self.size, self.blocks = kind, size, blocks


def as_json(value: Any) -> Body:
    """A value as JSON."""
    data = json.dumps(value, ensure_ascii=False).encode()
    return Body("application/json", len(data), iter((data,)))


def as_form(fields: Mapping[str, str], file: Path, name: str) -> Body:
    """A file and fields as multipart/form-data, read from disk as it is sent."""
    edge = secrets.token_hex(16)
    head = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    head += f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += "Content-Type: application/jsonl\r\n\r\n"
    first, last = head.encode(), f"\r\n--{edge}--\r\n".encode()
    size = len(first) + file.stat().st_size + len(last)

    def blocks() -> Iterator[bytes]:
        yield first
        yield from blocks_of(file)
        yield last

    return Body(f"multipart/form-data; boundary={edge}", size, blocks())


def as_bytes(file: Path) -> Body:
    """A file as it is."""
    return Body("application/octet-stream", file.stat().st_size, blocks_of(file))


def blocks_of(file: Path, start: int = 0, size: int = -1) -> Iterator[bytes]:
    """The bytes of a file, or of a part of it, in blocks; raises ReadError."""
    try:
        with file.open("rb") as opened:
            opened.seek(start)
            while block := opened.read(BLOCK if size < 0 else min(BLOCK, size)):
                size = size if size < 0 else size - len(block)
                yield block
    except OSError as error:
        raise ReadError(f"{file}: {error.strerror or error}") from None


def retry_after(value: str | None) -> float | None:
    """The seconds of a Retry-After header, which may also be a date; None where there is none."""
    if not value:
        return None
    with suppress(ValueError):
        return max(0.0, float(value))
    with suppress(ValueError, TypeError):
        import time

        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return None


class Http:
    """Requests to one service, each with its key."""

    def __init__(self, base_url: str, key: Secret, timeout: float = 60.0) -> None:
        parts = urlsplit(base_url)
        self.host, self._base, self._key, self._timeout = parts.hostname or "", base_url, key, timeout

    def ask(self, method: str, path: str, body: Body | None = None, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON of an answer, None for an empty one. Raises ProviderError."""
        raw = self.raw(method, path, body, query)
        try:
            return json.loads(raw) if raw.strip() else None
        except ValueError:
            raise Unclear(f"{self.host} answered with something that is no JSON: {raw[:200]!r}") from None

    def raw(self, method: str, path: str, body: Body | None = None, query: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of an answer. Raises ProviderError."""
        address = self._base + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._key.reveal()}"} if self._key else {}
        return self._exchange(method, address, body, headers)[0]

    def elsewhere(self, method: str, address: str, body: Body | None = None) -> tuple[bytes, Mapping[str, str]]:
        """An exchange with an address that the provider named: without the key."""
        parts = urlsplit(address)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise Unreachable(f"{self.host} names an address that is not https://, where no data is sent")
        return self._exchange(method, address, body, {})

    def seek(self, method: str, path: str, body: Body, status: int) -> Mapping[str, str]:
        """The headers of an answer with this one status, such as 302. Raises ProviderError for any other."""
        headers = {"Authorization": f"Bearer {self._key.reveal()}"} if self._key else {}
        return self._exchange(method, self._base + path, body, headers, status)[1]

    def _exchange(
        self, method: str, address: str, body: Body | None, headers: Mapping[str, str], wanted: int = 0
    ) -> tuple[bytes, Mapping[str, str]]:
        parts = urlsplit(address)
        host = parts.hostname or ""
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {"Accept": "application/json", "User-Agent": "ftprep", **headers}
        if body is not None or method in ("POST", "PUT"):
            sent |= {"Content-Length": str(body.size if body else 0)}
            sent |= {"Content-Type": body.kind} if body else {}
        connection = self._connection(parts.scheme, host, parts.port)
        with closing(connection):
            try:
                connection.connect()
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"{host} cannot be reached: {error}", "is there a network?") from None
            try:
                connection.request(method, target, body.blocks if body else None, sent)
                answer = connection.getresponse()
                data = answer.read(MOST_BYTES)
            except (OSError, http.client.HTTPException, ValueError) as error:
                told = f"{type(error).__name__}: {error}"
                raise Unclear(f"the answer of {host} did not come: {told}") from None
        if answer.status == wanted or (not wanted and 200 <= answer.status < 300):
            return data, {k.lower(): v for k, v in answer.getheaders()}
        told, code = told_by(data)
        raise from_status(answer.status, told, code, host, retry_after(answer.headers.get("Retry-After")))

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        proxy = "" if is_loopback(host) or proxy_bypass(host) else getproxies().get(scheme, "")
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or None)
        if not proxy:
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
        through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        made = http.client.HTTPSConnection(
            through.hostname or "", through.port or 8080, timeout=self._timeout, context=context
        )
        made.set_tunnel(host, port or 443)
        return made


def told_by(data: bytes) -> tuple[str, str]:
    """What an answer says is wrong, and its code, in the forms that services use."""
    try:
        said = json.loads(data)
    except ValueError:
        return data[:600].decode("utf-8", "replace"), ""
    inner = said.get("error", said) if isinstance(said, dict) else said
    if isinstance(inner, dict):
        message = inner.get("message") or inner.get("detail") or json.dumps(inner, ensure_ascii=False)
        return str(message), str(inner.get("code") or "")
    return str(inner), ""
