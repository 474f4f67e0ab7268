"""What tests of jobs share: a file to train on, a provider at a service of the test, a submit that does not wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fake_service import FakeService

from ftprep.jobs.api import Request, request
from ftprep.jobs.connect import connect
from ftprep.jobs.ledger import Ledger
from ftprep.jobs.model import Job
from ftprep.jobs.submit import Ways, submit
from ftprep.redaction import Secret

MODEL = "gpt-4o-mini-2024-07-18"


def chats(count: int = 12, word: str = "otter") -> str:
    """So many sound conversations as JSON lines."""
    rows = (
        {
            "messages": [
                {"role": "user", "content": f"What is the {word} no. {i} doing?"},
                {"role": "assistant", "content": f"It swims {i + 1} rounds."},
            ]
        }
        for i in range(count)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def training_file(folder: Path, word: str = "otter", name: str = "train.jsonl") -> Path:
    """A file of them."""
    path = folder / name
    path.write_text(chats(word=word), encoding="utf-8")
    return path


def asked(path: Path, base_url: str, provider: str = "sandbox", **settings: Any) -> Request:
    """A request that is settled; the data are not looked at."""
    settings = {"model": MODEL, "checks": False, **settings}
    return request(path, provider=provider, base_url=base_url, **settings)


def quick(**given: Any) -> Ways:
    """Ways without waiting: pauses are counted only."""
    return Ways(**{"looks": (0, 0, 0), "patience": 30.0, "sleep": lambda _seconds: None, **given})


def sent(
    one: Request, ledger: Ledger, ways: Ways | None = None, timeout: float = 10, can: Mapping[str, Any] | None = None
) -> Job:
    """Carry a request out, with a key that stands for one."""
    able = replace(one.can, **(can or {}))
    provider = connect(able, one.connection, key=Secret("sk-test-key-1234567"), timeout=timeout)
    return submit(one.spec, provider, ledger, one.entry, ways or quick())


def service_of(*faults: Any, **settings: Any) -> FakeService:
    """A service with these faults."""
    return FakeService(list(faults), **settings)
