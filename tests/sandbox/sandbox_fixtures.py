"""Sandboxes for the tests: on 127.0.0.1, stopped at the end, with phases counted in polls so that no test waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import POLLS, Make

from ftprep.sandbox.server import Sandbox


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes sandboxes that stop with the test; each in a folder of its own unless one is named."""
    made: list[Sandbox] = []

    def start(name: str = "", **named: Any) -> Sandbox:
        named.setdefault("pace", POLLS)
        server = Sandbox(tmp_path / (name or f"sandbox{len(made)}"), **named)
        made.append(server)
        server.start()
        return server

    yield start
    for server in made:
        server.stop()


@pytest.fixture
def server(make: Make) -> Sandbox:
    return make()


@pytest.fixture
def client(server: Sandbox) -> Iterator[Any]:
    openai = pytest.importorskip("openai", reason="the official SDK is the client here: pip install openai")
    with openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as made:
        yield made
