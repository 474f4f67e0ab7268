"""Addresses of files elsewhere (s3://bucket/key): which kinds are known, and how one is shown without its secrets."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from ftprep.errors import ReadError

EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "azure"),
    "hf": "hf",
    **dict.fromkeys(("https", "http", "memory"), "http"),
}
"""The schemes that can be read, each with the extra that brings what it needs."""

WEB = ("https", "http")
OTHERS = ("ftp", "ftps", "sftp", "ssh", "hdfs", "webhdfs", "dbfs", "wasb", "wasbs", "oss", "cos", "obs")
"""Schemes that are known for what they are, and neither read nor written."""

_HOST = re.compile(r"(\[[^]]*\]|[^:]*)(:\d+)?")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def scheme_of(name: str) -> str:
    """The scheme of an address in lower case, "" for a local path."""
    match = _ADDRESS.match(name)
    return match[1].lower() if match else ""


def is_remote(name: str) -> bool:
    """Whether a name is an address that is read from elsewhere."""
    return scheme_of(name) in EXTRAS


def shown(name: str) -> str:
    """An address as it may be printed: without user and password, and on the web without query and fragment, which in
    a presigned address are the key to the file. Local paths stay as they are."""
    scheme = scheme_of(name)
    if scheme not in EXTRAS and scheme not in OTHERS:
        return name
    rest = name[len(scheme) + 3 :]
    if scheme in WEB or scheme in OTHERS:
        rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    user, _, bare = host.rpartition("@")
    if user and (scheme in (*WEB, *OTHERS) or ":" in user):
        host = bare
    elif "@" in path and not _HOST.fullmatch(host) and ":" in host:  # a password with a slash in it
        host, slash, path = path.rpartition("@")[2].partition("/")
    return f"{scheme}://{host}{slash}{path}"


def local_path(name: str) -> str:
    """The path that a file:// address stands for, and any other name as it is; raises ReadError for another host."""
    if scheme_of(name) != "file":
        return name
    host, slash, path = name[len("file://") :].partition("/")
    if host not in ("", "localhost"):
        message = f"file://{host}/… is a file of another computer"
        raise ReadError(message, "file:///path names a file of this one")
    path = unquote(slash + path)
    return path[1:] if os.name == "nt" else path


def meant_as_address(path: str) -> str:
    """The address that a path was, before pathlib made one slash of its two; "" where it never was one."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\](?![/\\])", path)
    return f"{match[1]}://{path[match.end() :]}" if match and match[1].lower() in (*EXTRAS, *OTHERS, "file") else ""
