"""What each provider can do: one table of data (providers.toml), read once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ftprep.errors import UsageError
from ftprep.jobs.model import Status

HANDED_ON = ("mistral", "vertex", "bedrock")
"""Those that ftprep writes files and commands for, and does not talk to."""


@dataclass(frozen=True)
class Capabilities:
    """What one provider can do; providers.toml explains the fields. Sizes are bytes."""

    name: str
    title: str
    form: Literal["openai", "together", "fireworks"]
    target: str
    base_url: str = ""
    keys: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("supervised",)
    metadata: Literal["kept", "perhaps", "none"] = "none"
    tagged_suffix: bool = False
    client_ids: bool = False
    pause: bool = False
    resume: bool = False
    checkpoints: bool = False
    events: bool = False
    free: bool = False
    parts_above: int = 0
    part_bytes: int = 0
    hyper: Mapping[str, str] = field(default_factory=dict)
    normal: Mapping[str, Status] = field(default_factory=dict)

    def status(self, raw: str) -> Status:
        """Our word for the provider's status."""
        return self.normal.get(raw, "unknown")


@lru_cache(maxsize=1)
def providers() -> Mapping[str, Capabilities]:
    """All providers by name."""
    import tomllib

    tables = tomllib.loads(Path(__file__).with_name("providers.toml").read_text(encoding="utf-8"))
    return {name: _made(name, tables) for name in tables}


def _made(name: str, tables: Mapping[str, Any]) -> Capabilities:
    table = dict(tables[name])
    table = {**tables.get(table.pop("extends", ""), {}), **table}
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return Capabilities(name=name, **values)


def find_provider(name: str) -> Capabilities:
    """The provider of that name; raises UsageError with the nearest."""
    known = providers()
    wanted = name.strip().lower()
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, [*known, *HANDED_ON], 1)
    message = f"no provider is called {name!r}"
    raise UsageError(message, f"did you mean {near[0]!r}?" if near else f"known: {', '.join((*known, *HANDED_ON))}")
