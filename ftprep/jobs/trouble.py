"""What can go wrong with a provider, by what it means for the job: refused, not now, not reached, or not known."""

from __future__ import annotations

from ftprep.errors import FtprepError
from ftprep.redaction import redacted


class ProviderError(FtprepError):
    """Trouble with a provider. The texts never hold a key."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(redacted(message), redacted(hint))


class Refused(ProviderError):  # noqa: N818
    """The provider said no: nothing was made, and asking again does not help. `status` is that of HTTP."""

    def __init__(self, message: str, hint: str = "", status: int = 0, code: str = "") -> None:
        super().__init__(message, hint)
        self.status, self.code = status, code


class Throttled(ProviderError):  # noqa: N818
    """Too many requests: nothing was made. `wait` is the seconds that the provider asks for, None where it does not."""

    def __init__(self, message: str, hint: str = "", wait: float | None = None) -> None:
        super().__init__(message, hint)
        self.wait = wait


class Unreachable(ProviderError):  # noqa: N818
    """The request was certainly not sent."""


class Unclear(ProviderError):  # noqa: N818
    """The request was sent, and whether it was carried out is not known. `status` is that of HTTP, 0 for no answer."""

    def __init__(self, message: str, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class OutcomeUnknown(ProviderError):  # noqa: N818
    """A job may have been created; `key` finds its entry in the ledger. The exit code is 4."""

    exit_code = 4

    def __init__(self, message: str, hint: str = "", key: str = "") -> None:
        super().__init__(message, hint)
        self.key = key


class NotAccepted(ProviderError):  # noqa: N818
    """The set has errors for this target. The exit code is 1."""

    exit_code = 1


PASSING = (Throttled, Unreachable, Unclear)
"""What may be over the next time one asks, where asking changes nothing."""

_HINTS = {
    401: "the key is wrong, or is one of another service: look at the environment variable or file that it comes from",
    403: "the account may not do this",
    404: "look at the address, the model and the ids",
    413: "the file is too large for this way",
}
_QUOTA = ("insufficient_quota", "daily_rate_limit_exceeded", "billing_hard_limit_reached")
CLOSING = (
    "OpenAI closes self-serve fine-tuning: since 2026-05-07 no jobs of organisations that never had one, since "
    "2026-07-02 none of those without recent use, from 2027-01-06 none at all; Azure, Together and Fireworks stay"
)


def from_status(status: int, told: str, code: str, host: str, wait: float | None) -> ProviderError:
    """The trouble that an HTTP status means. 409 and what servers and gateways say of themselves settle nothing."""
    message = f"{host} answered {status}: {' '.join(told.split())[:600] or 'nothing'}"
    if status == 429:
        if code in _QUOTA:
            return Refused(message, "the quota is used up: raise it, or come back when it is new", status, code)
        return Throttled(message, "come back later", wait)
    if 300 <= status < 400:
        return Refused(message, "the address leads elsewhere; give the one that it leads to", status, code)
    if 400 <= status < 500 and status not in (408, 409):
        closed = host.endswith("openai.com") and (code == "training_not_available" or "winding down" in told)
        return Refused(message, CLOSING if closed else _HINTS.get(status, ""), status, code)
    return Unclear(message, "ask again: what has been carried out is looked for first", status)
