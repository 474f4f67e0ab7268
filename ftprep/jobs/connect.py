"""From a name and an address to a provider that can be spoken to, on the command line and from the ledger alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ftprep.errors import MissingExtra, UsageError
from ftprep.jobs.capabilities import Capabilities, find_provider
from ftprep.jobs.fireworks import Fireworks
from ftprep.jobs.http import Http
from ftprep.jobs.model import Provider
from ftprep.jobs.openai_form import TIMEOUT, OpenAIForm
from ftprep.jobs.secret import checked_address, read_key
from ftprep.jobs.together import Together
from ftprep.redaction import Secret

EMBEDDED = "embedded"
"""Stands for the address of the sandbox that is started when it is needed."""


@dataclass(frozen=True)
class Connection:
    """How a provider is reached; all but the key, which is read anew each time."""

    provider: str
    base_url: str = ""
    api_version: str = ""
    account: str = ""
    organization: str = ""
    project: str = ""

    @classmethod
    def kept(cls, said: Mapping[str, Any]) -> Connection:
        """The one that an entry of the ledger tells of."""
        return cls(**{name: str(said.get(name, "")) for name in cls.__dataclass_fields__})

    def to_dict(self) -> dict[str, str]:
        """The values as JSON."""
        return asdict(self)

    @property
    def who(self) -> str:
        """Whose account: what tells two jobs of the same content apart."""
        return " ".join(filter(None, (self.account, self.organization, self.project)))


def settle(
    provider: str,
    base_url: str = "",
    api_version: str = "",
    account: str = "",
    organization: str = "",
    project: str = "",
) -> tuple[Capabilities, Connection]:
    """What a provider can do and how it is reached, completed from the environment. Raises UsageError."""
    can = find_provider(provider)
    named = base_url or _variable(can.address)
    named = checked_address(named) if named else ""
    if can.name == "openai" and named and not _is_openai(named):
        can = find_provider("compatible")
    if can.name == "sandbox" and not named:
        address = EMBEDDED
    elif not (address := named or can.base_url):
        message = f"--provider {can.name} needs an address"
        hint = f"set {can.address[0]}, or give --base-url" if can.address else "give --base-url"
        raise UsageError(message, hint)
    if can.name == "azure":
        address = _azure(address, api_version)
    account = account or _variable(can.account)
    if can.account and not account:
        message = f"--provider {can.name} needs the name of your account"
        raise UsageError(message, f"set {can.account[0]}, or give --account")
    if account and not account.replace("-", "").replace("_", "").isalnum():
        message = f"{account!r} is no name of an account"
        raise UsageError(message, "it has letters, digits and hyphens")
    if can.name == "openai":
        organization = organization or os.environ.get("OPENAI_ORG_ID", "")
        project = project or os.environ.get("OPENAI_PROJECT_ID", "")
    return can, Connection(can.name, address, api_version, account, organization, project)


def connect(
    can: Capabilities,
    connection: Connection,
    key_file: str | os.PathLike[str] | None = None,
    key: Secret | None = None,
    folder: Path | None = None,
    timeout: float = TIMEOUT,
) -> Provider:
    """The provider itself. Raises UsageError without a key, MissingExtra without the package it needs."""
    address = _embedded(folder or Path()) if connection.base_url == EMBEDDED else checked_address(connection.base_url)
    if key is None:
        key = read_key(can.keys, key_file)
    if can.form == "openai":
        return OpenAIForm(
            can, address, key, connection.api_version, connection.organization, connection.project, timeout
        )
    wandb = Secret(os.environ.get("WANDB_API_KEY", "").strip())
    http = Http(address, key, timeout)
    if can.form == "together":
        return Together(can, http, wandb)
    return Fireworks(can, http, connection.account, wandb)


def offline(can: Capabilities, connection: Connection) -> Provider:
    """A provider that only tells what it would send: without a key, and nothing is started."""
    shown = replace(connection, base_url="http://127.0.0.1:9") if connection.base_url == EMBEDDED else connection
    return connect(can, shown, key=Secret(""))


def _variable(names: tuple[str, ...]) -> str:
    return next((os.environ[name].strip() for name in names if os.environ.get(name, "").strip()), "")


def _is_openai(address: str) -> bool:
    host = (urlsplit(address).hostname or "").lower()
    return host == "openai.com" or host.endswith(".openai.com")


def _azure(address: str, api_version: str) -> str:
    """The address of a resource on the newer route (below /openai/v1), or on the older one, which has a version."""
    root = address.removesuffix("/openai/v1").removesuffix("/openai")
    return root if api_version else f"{root}/openai/v1"


def _embedded(folder: Path) -> str:
    """The address of the sandbox in a folder, which is started where it does not run."""
    from importlib import import_module

    try:  # by name: the sandbox stands beside all this, as any other service would
        start = import_module("ftprep.sandbox").start_sandbox
    except ImportError:
        raise MissingExtra("--provider sandbox without --base-url", "sandbox") from None
    return checked_address(str(start(folder / "sandbox").base_url))
