"""What is said of a run's trouble, without secrets: those of addresses, keys of known kinds, the environment's.

Messages of other libraries quote what they were given, and so do errors on the command line; so all that is told of an
error goes through here, tracebacks too. Data is another matter: what is written as data stays as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from ftprep.addresses import EXTRAS, OTHERS, shown

_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+):/{1,3}(?=[^\s/\"'<>])[^\s\"'<>]+")
# As the parameters of signed addresses are called, wherever they stand: a blank in an address parts it in two.
_SIGNED = re.compile(
    r"\b((?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|awsaccesskeyid|(?:access_|auth_)?token"
    r"|(?:api|access)[_-]?key|password|secret|client_secret)=)[^&\s\"'<>]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_NAMED = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|CONNECTION_STRING|SIGNATURE|_SAS\b|_PAT\b")
# Without one of these there is no key of a known kind, and the rules need not be loaded.
_SUSPECT = re.compile(r"[A-Za-z0-9_-]{16}|PRIVATE KEY|://[^/\s]*@")
_LEAST = 8
"""Characters of a secret in the environment; shorter ones are words such as `true`."""


def redacted(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text without secrets; what stands in their place says what they were."""
    for secret, name in sorted(_secrets(environment), reverse=True, key=lambda pair: len(pair[0])):
        text = text.replace(secret, f"[{name}]")
    text = _ADDRESS.sub(_bare, text)
    text = _BEARER.sub(r"\1 …", _SIGNED.sub(r"\1…", text))
    if not _SUSPECT.search(text):
        return text
    from ftprep.rules.sec import hidden

    return hidden(text)


def _secrets(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The values of variables that are called like secrets, as such and as addresses and JSON spell them."""
    from json import dumps
    from urllib.parse import quote, quote_plus

    for name, value in environment.items():
        bare = value.strip()
        if len(bare) < _LEAST or not _NAMED.search(name.upper()) or os.path.exists(bare):  # noqa: PTH110 - any text
            continue
        forms = {value, bare, repr(bare)[1:-1], dumps(bare)[1:-1], quote(bare, safe=""), quote_plus(bare)}
        yield from ((form, name) for form in forms if len(form) >= _LEAST)


def _bare(match: re.Match[str]) -> str:
    """An address without user, password, query and fragment."""
    address, scheme = match[0], match[1].lower()
    if "://" in address and (scheme in EXTRAS or scheme in OTHERS):
        return shown(address)
    path = re.split(r"[?#]", address[len(match[1]) + 1 :].lstrip("/"), maxsplit=1)[0]
    slashes = address[len(match[1]) : len(address) - len(address[len(match[1]) + 1 :].lstrip("/"))]
    host, slash, below = path.partition("/")
    if "@" in path and "@" not in host and ":" in host:  # a password with a slash in it
        host, slash, below = path.rpartition("@")[2].partition("/")
    return f"{match[1]}{slashes}{host.rpartition('@')[2]}{slash}{below}"
