"""Where keys come from, and where they may be sent. What keeps them out of texts is ftprep/redaction.py."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ftprep.errors import UsageError
from ftprep.redaction import Secret, redacted

LONGEST: Final = 64 << 10
"""Bytes of a key file that are read: no key is longer."""


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
        message = f"{redacted(url)!r} is not the address of a service"
        raise UsageError(message, hint)
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "the address of a service has no user, password or query"
        raise UsageError(message, "keys come from the environment or --api-key-file")
    if parts.scheme == "http" and not is_loopback(host):
        message = f"no key is sent to http://{host}: anybody on the way could read it"
        raise UsageError(message, hint)
    return url.strip().rstrip("/")
