"""What the sandbox answers when it refuses: a status and OpenAI's error envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Refusal(Exception):  # noqa: N818 - what a server says, not an error of its own
    """An answer other than 2xx: status, message, and what OpenAI's envelope has beside it."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The envelope."""
        kind = _TYPES.get(self.status) or ("server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def bad(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """A request that does not hold: 400."""
    return Refusal(400, message, code, param)


def missing(what: str, name: str, param: str | None = None, code: str | None = None) -> Refusal:
    """Something that there is not: 404."""
    return Refusal(404, f"No such {what}: {name}", code, param)
