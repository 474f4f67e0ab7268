"""SIGKILL at each step and at random moments: whatever is left on disk, there is one job in the end."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import FakeService, Fault
from job_samples import service_of, training_file
from killed import POINTS, Submitter

pytest_plugins = ("job_fixtures",)

pytest.importorskip("openai", reason="jobs at OpenAI's form go through openai: pip install 'ftprep[openai]'")
pytestmark = [
    pytest.mark.usefixtures("own_place"),
    pytest.mark.loopback,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

KILLED = -9


@pytest.fixture(scope="module")
def submitter() -> Iterator[Submitter]:
    with Submitter() as started:
        yield started


def held(submitter: Submitter, service: FakeService, folder: Path, **kill: object) -> tuple[int, int]:
    """Kill a submit, and submit again until it is settled; the code of the first, and the jobs there are."""
    asked = {"file": training_file(folder), "url": service.url, "ledger": folder / "jobs"}
    first = submitter.run(**asked, **kill)
    assert submitter.until_settled(**asked) == 0
    assert submitter.run(**asked) == 0
    assert service.made("/fine_tuning/jobs") == service.created
    return first, service.created


@pytest.mark.parametrize("fault", [None, "lost", "truncated"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_step(submitter: Submitter, point: str, fault: str | None, tmp_path: Path) -> None:
    with service_of(*([Fault(fault)] if fault else [])) as service:
        assert held(submitter, service, tmp_path, at=point) == (KILLED, 1)


@pytest.mark.parametrize("number", range(6))
def test_killed_at_a_random_moment(submitter: Submitter, number: int, tmp_path: Path) -> None:
    after = random.Random(number).uniform(0.005, 0.2)  # a submit takes some 0.2 s
    with service_of() as service:
        first, jobs = held(submitter, service, tmp_path, after=after)
    assert first in (KILLED, 0)
    assert jobs == 1
