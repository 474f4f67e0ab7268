"""What can go wrong with a file elsewhere: the exceptions of a dozen libraries in one line each, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ftprep.addresses import EXTRAS, WEB, scheme_of, shown
from ftprep.errors import FtprepError, MissingExtra, ReadError
from ftprep.foreign import words_of


class Trouble(ReadError):  # noqa: N818 - reads as what it says
    """A ReadError that says of which kind it is, and whether it may pass by itself."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.kind = kind

    @property
    def passes(self) -> bool:
        """Whether asking again may help."""
        return self.kind in ("broken", "slow", "busy")


class _Kind(NamedTuple):
    name: str
    classes: frozenset[str]
    statuses: frozenset[int]
    words: str


def _kind(name: str, words: str, classes: str, *statuses: int) -> _Kind:
    return _Kind(name, frozenset(classes.split()), frozenset(statuses), words)


# By the names of the classes, since the libraries need not be installed.
_KINDS = (
    _kind("downgrade", "leads from https to http, where anybody on the way can change it", "DowngradeError"),
    _kind("changed", "changed while it was read", "FileExpired", 412),
    _kind(
        "denied",
        "not allowed to read {}",
        "PermissionError NoCredentialsError PartialCredentialsError CredentialRetrievalError ProfileNotFound "
        "UnauthorizedSSOTokenError SSOTokenLoadError ClientAuthenticationError DefaultCredentialsError RefreshError "
        "GatedRepoError LocalTokenNotFoundError NoAuthTokenError InvalidAccessKeyId",
        401,
        403,
        407,
    ),
    _kind(
        "missing",
        "no such file: {}",
        "FileNotFoundError NotADirectoryError NoSuchBucket NoSuchKey RepositoryNotFoundError EntryNotFoundError "
        "RevisionNotFoundError ResourceNotFoundError",
        404,
        410,
    ),
    _kind(
        "slow",
        "{} does not answer in time",
        "TimeoutError FSTimeoutError ConnectTimeoutError ReadTimeoutError ServerTimeoutError ConnectionTimeoutError "
        "SocketTimeoutError ConnectTimeout ReadTimeout",
        408,
        504,
    ),
    _kind("busy", "the server of {} is busy or out of order", "", 429, 500, 502, 503, 509),
    _kind(
        "unreachable",
        "cannot connect to {}",
        "EndpointConnectionError ClientConnectorError ClientConnectorDNSError ClientConnectorCertificateError "
        "ClientConnectorSSLError ConnectionRefusedError gaierror ConnectError NewConnectionError SSLError "
        "ProxyConnectionError ServiceRequestError ClientProxyConnectionError",
    ),
    _kind(
        "broken",
        "the connection to {} breaks off",
        "ConnectionResetError BrokenPipeError ConnectionAbortedError ConnectionError ClientPayloadError "
        "ServerDisconnectedError ClientOSError ConnectionClosedError IncompleteRead IncompleteReadError "
        "ResponseStreamingError RemoteProtocolError ProtocolError ChunkedEncodingError ServiceResponseError",
    ),
)

CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; FSSPEC_S3_ANON=true for a public bucket",
    "gcs": "set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
    "azure": "set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "hf": "set HF_TOKEN, or run: hf auth login",
    "http": "has the address run out, or does it need a user or token?",
}
_HINTS = {
    "downgrade": "name the https address that has the file, or the http one if you trust the way to it",
    "missing": "check bucket and name",
    "changed": "run again when it is complete",
    "slow": "run again; or fetch the file first and name the copy",
    "busy": "run again later; or fetch the file first and name the copy",
    "unreachable": "is there a network, and is the name of the server right?",
    "broken": "nothing was written; run again, or fetch the file first and name the copy",
}


def told(address: str, error: Exception) -> FtprepError:
    """The error to raise for one that a library raised while it dealt with an address."""
    if isinstance(error, FtprepError):
        return error
    scheme = scheme_of(address)
    name, extra = shown(address), EXTRAS[scheme]
    if isinstance(error, ImportError):
        return MissingExtra(f"reading {scheme}:// addresses", extra)
    if found := _found(error):
        hint = CREDENTIALS[extra] if found.name == "denied" else _HINTS[found.name]
        if found.name == "missing" and scheme in WEB:
            hint = "check the address"
        words = found.words if "{}" in found.words else f"{{}} {found.words}"
        return Trouble(found.name, words.format(name), hint)
    first = next(iter(str(error).splitlines()), "")
    reason = "" if scheme in WEB or not first else words_of(first, 200)
    return Trouble("other", f"cannot read {name}: {reason or type(error).__name__}")


def _found(error: BaseException) -> _Kind | None:
    """The kind of trouble: what lies at the bottom tells most, since libraries call much "not found" above it."""
    for one in reversed(list(_chain(error))):
        status = _status(one)
        names = {kind.__name__ for kind in type(one).__mro__}
        for kind in _KINDS:
            if status in kind.statuses or names & kind.classes:
                return kind
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what caused it."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _status(error: BaseException) -> int:
    """The HTTP status that an exception carries, 0 for none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        response = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    for value in (getattr(error, "status", None), getattr(error, "status_code", None), response):
        if isinstance(value, int):
            return value
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else 0
