"""What all desks of the sandbox share: store, clock, profile, journal, and how ids and lists are made."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any

from ftprep.sandbox.clocks import Clock, Pace
from ftprep.sandbox.journal import Journal
from ftprep.sandbox.problems import bad
from ftprep.sandbox.profiles import Profile
from ftprep.sandbox.store import Store

ORG = "sandbox"
_LETTERS = string.ascii_letters + string.digits


@dataclass
class House:
    """One sandbox."""

    store: Store
    clock: Clock
    profile: Profile
    pace: Pace
    journal: Journal
    base64_results: bool = False

    @property
    def patience(self) -> float:
        """Seconds that a request waits for a check or a fit that is due: long where time goes by requests or by hand,
        so that what is seen does not depend on how fast the machine is."""
        return 2.0 if self.pace.by == "clock" and not hasattr(self.clock, "advance") else 60.0

    @cached_property
    def models(self) -> dict[str, str]:
        """The base models by all their names."""
        from ftprep.targets import find_target
        from ftprep.targets.catalogue import models_of

        listed = models_of(find_target(self.profile.target))
        return {each: name for name, others in listed for each in (name, *others)}

    @property
    def now(self) -> int:
        """The time in whole seconds."""
        return int(self.clock())

    @property
    def file_delay(self) -> float:
        """How long a file is not ready."""
        return self.profile.file_delay if self.pace.file is None else self.pace.file


@dataclass(frozen=True)
class Call:
    """One request as its handler wants it. `form` has the fields of a multipart body, `upload` its file (or a body
    that is put as it is); `origin` is the address that the client reached us by."""

    method: str
    path: str
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    upload: tuple[str, IO[bytes]] | None = None
    origin: str = ""
    doom: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The body, which must be an object."""
        if not isinstance(self.body, dict):
            raise bad("We could not parse the JSON body of your request: an object is wanted")
        return self.body

    def limit(self, default: int, most: int) -> int:
        """How many objects of a list are wanted."""
        text = self.query.get("limit", str(default))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise bad(f"Invalid 'limit': {text!r} is not an integer from 1 to {most}.", "limit")
        return int(text)


@dataclass(frozen=True)
class Reply:
    """What a handler answers: `content` is an object to be sent as JSON, bytes, or the path of a file."""

    content: Any
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def new_id(prefix: str, length: int = 24) -> str:
    """An id that nobody has."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def page(items: Sequence[dict[str, Any]], after: str | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The items that follow `after`, and whether there are more."""
    start = 0
    if after:
        places = [at for at, each in enumerate(items) if each["id"] == after]
        if not places:
            raise bad(f"Invalid 'after': no object {after!r} in this list.", "after")
        start = places[0] + 1
    return list(items[start : start + limit]), len(items) > start + limit
