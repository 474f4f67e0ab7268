"""Keys: a value that never shows itself, where it may be sent, and the filter that takes keys out of texts."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ftprep.errors import UsageError

HIDDEN: Final = "[hidden]"
SHORTEST: Final = 12
"""Characters from which on a key is taken out of texts: "EMPTY" and "test" are no secrets, but words."""

LONGEST: Final = 64 << 10
"""Bytes of a key file that are read: no key is longer."""

# What keys look like: those that servers repeat in their answers need not be ours.
_KEYS = re.compile(
    r"(?i:\bbearer\s+)[^\s'\",;]{4,}"
    r"|\b(?:sk|fw|hf|wandb|tgp|pk|rk)[-_][A-Za-z0-9_*-]{6,}"
    r"|(?i:(?:api[-_]?key|authorization|wandb_api_key|hf_api_token)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;}]{4,}"
)
_known: set[str] = set()


class Secret:
    """A key. It is shown as `[hidden]` everywhere; `reveal` is called where it is sent, and nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= SHORTEST:
            _known.add(value)

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __reduce__(self) -> Any:
        message = "a key is not written anywhere"
        raise TypeError(message)


def scrub(text: str) -> str:
    """The text without any key: those in use, and what looks like one."""
    return _KEYS.sub(HIDDEN, hide_known(text))


def hide_known(text: str) -> str:
    """The text without the keys in use; what only looks like one stays."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def read_key(names: tuple[str, ...], file: str | os.PathLike[str] | None = None) -> Secret:
    """The key of a file (`-` is standard input), else that of the first environment variable that is set.

    Raises UsageError where there is none, or it is none that can be sent; the message never has the key.
    """
    if file is not None:
        return _checked(_first_line(file), f"--api-key-file {file}")
    for name in names:
        if value := os.environ.get(name, "").strip():
            return _checked(value, name)
    if not names:
        return Secret("")
    message = "there is no API key"
    raise UsageError(message, f"set {' or '.join(names)}, or give --api-key-file FILE (- reads standard input)")


def _first_line(file: str | os.PathLike[str]) -> str:
    try:
        if os.fspath(file) == "-":
            return sys.stdin.readline(LONGEST).strip()
        with Path(file).open("rb") as opened:
            return opened.read(LONGEST).decode("utf-8-sig").strip().partition("\n")[0].strip()
    except UnicodeDecodeError:
        message = f"--api-key-file {file}: not text"
        raise UsageError(message, "the file holds the key on its first line") from None
    except OSError as error:
        message = f"--api-key-file {file}: {error.strerror or 'cannot be read'}"
        raise UsageError(message, "name a file that holds the key on its first line") from None


def _checked(value: str, origin: str) -> Secret:
    if not value:
        message = f"{origin}: there is no key in it"
        raise UsageError(message, "it holds the key on its first line")
    if not value.isascii() or not value.isprintable() or " " in value:
        message = f"{origin}: this is no key, it has characters that cannot be sent"
        raise UsageError(message, "copy it once more, without blanks")
    return Secret(value)


def is_loopback(host: str) -> bool:
    """Whether a host is this computer."""
    bare = host.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def checked_address(url: str) -> str:
    """The address of a service without a slash at its end; raises UsageError for one that a key must not be sent to."""
    hint = "give an https:// address; http:// is for this computer alone (127.0.0.1, localhost)"
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        parts, port, host = urlsplit(""), None, ""
    if parts.scheme not in ("http", "https") or not host or port == 0:
        message = f"{scrub(url)!r} is not the address of a service"
        raise UsageError(message, hint)
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "the address of a service has no user, password or query"
        raise UsageError(message, "keys come from the environment or --api-key-file")
    if parts.scheme == "http" and not is_loopback(host):
        message = f"no key is sent to http://{host}: anybody on the way could read it"
        raise UsageError(message, hint)
    return url.strip().rstrip("/")
