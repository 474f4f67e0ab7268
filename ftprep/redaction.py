"""The one place that takes secrets out of texts: keys in use, the environment's, those of known kinds, of addresses.

Messages of other libraries quote what they were given, and so do errors on the command line and answers of servers; so
all that is told of an error goes through here, tracebacks too. Data is another matter: what is written as data stays as
it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ftprep.addresses import EXTRAS, OTHERS, shown

HIDDEN: Final = "[hidden]"
_in_use: set[str] = set()

_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+):/{1,3}(?=[^\s/\"'<>])[^\s\"'<>]+")
# As the parameters of signed addresses are called, wherever they stand: a blank in an address parts it in two.
_SIGNED = re.compile(
    r"\b((?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|awsaccesskeyid|(?:access_|auth_)?token"
    r"|(?:api|access)[_-]?key|password|secret|client_secret)=)[^&\s\"'<>]+",
    re.IGNORECASE,
)
# As servers and libraries quote what they were sent: `api_key: …`, `"Authorization": "…"`.
_QUOTED = re.compile(
    r"\b((?:api[-_]?key|authorization|wandb_api_key|hf_api_token)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
    r"(?!(?:bearer|basic)\s)(?:(?:token|key|apikey)\s)?[^\s\"',;}]{4,}",
    re.IGNORECASE,
)
# Prefixes of keys, and a digit or what a server has starred out: a word or the name of a file is none.
_LIKE_ONE = re.compile(
    r"(?<![\w*/\\.-])(?:sk|pk|rk|fw|hf|tgp|wandb)[-_](?=[A-Za-z_-]{0,64}[0-9*])[A-Za-z0-9_*-]{12,256}+(?![/\\]|\.[a-z])"
)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_NAMED = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|CONNECTION_STRING|SIGNATURE|_SAS\b|_PAT\b")
# Without one of these there is no key of a known kind, and the rules need not be loaded.
_SUSPECT = re.compile(r"[A-Za-z0-9_-]{16}|PRIVATE KEY|://[^/\s]*@")
_LEAST = 8
"""Characters of a secret; shorter ones are words such as `true`, "EMPTY" and "test"."""

_NO_WORD = 12
"""Characters from which on a key is taken out of data: a local service may well have `lm-studio` for its key."""


class Secret:
    """A key. It is shown as `[hidden]` everywhere; `reveal` is called where it is sent, and nowhere else.

    From its making on, no text that goes through here has it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= _LEAST:
            _in_use.add(value)

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


def redacted(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text without secrets; what stands in their place says what they were. Addresses keep host and path."""
    return _without_likely(_ADDRESS.sub(_bare, _without(text, _secrets(environment))))


def without_keys(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text of somebody else, such as an event of a job, without keys; its addresses stay as they are."""
    return _without_likely(_without(text, _secrets(environment)))


def _without_likely(text: str) -> str:
    """The text without what looks like a key, or is said to be one."""
    text = _LIKE_ONE.sub(HIDDEN, _BEARER.sub(r"\1 …", _QUOTED.sub(r"\1…", _SIGNED.sub(r"\1…", text))))
    if not _SUSPECT.search(text):
        return text
    from ftprep.rules.sec import hidden

    return hidden(text)


def without_keys_in_use(text: str) -> str:
    """Data that is kept, without the keys in use; what only looks like one stays, and so do keys that are short enough
    to be a word."""
    return _without(text, ((form, "hidden") for key in _in_use if len(key) >= _NO_WORD for form in _forms(key)))


def _without(text: str, secrets: Iterator[tuple[str, str]]) -> str:
    for secret, name in sorted(set(secrets), reverse=True, key=lambda pair: (len(pair[0]), pair[1] != "hidden", pair)):
        text = text.replace(secret, f"[{name}]")
    return text


def _secrets(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The keys in use, and the values of variables that are called like secrets."""
    for key in _in_use:
        yield from ((form, "hidden") for form in _forms(key))
    for name, value in environment.items():
        bare = value.strip()
        if len(bare) >= _LEAST and _NAMED.search(name.upper()) and not os.path.exists(bare):  # noqa: PTH110 - any text
            yield from ((form, name) for form in {value, *_forms(bare)} if len(form) >= _LEAST)


def _forms(secret: str) -> set[str]:
    """A secret as such, and as addresses and JSON spell it."""
    from json import dumps
    from urllib.parse import quote, quote_plus

    return {secret, repr(secret)[1:-1], dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)}


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
