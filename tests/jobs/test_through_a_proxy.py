"""Through mitmproxy, which lets the server act and then loses the answer: one job, and each event told once.

`tests/reliability/proxy.py` does the same at random, hundreds of times.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="jobs at OpenAI's form go through openai: pip install 'ftprep[openai]'")
pytest.importorskip("uvicorn", reason="the sandbox needs ftprep[sandbox]")

from killed import Submitter
from through_proxy import FAULTS, LIKE, MISSING, Road, User, find_mitmdump
from watch_proxy import PACE, followed

MITMDUMP = find_mitmdump()
pytest_plugins = ("job_fixtures",)
pytestmark = [
    pytest.mark.usefixtures("own_place"),
    pytest.mark.loopback,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
    pytest.mark.skipif(MITMDUMP is None, reason=MISSING),
]


@pytest.fixture(scope="module")
def submitter() -> Iterator[Submitter]:
    with Submitter() as started:
        yield started


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with Road(tmp_path_factory.mktemp("road"), str(MITMDUMP)) as started:
        yield started


@pytest.mark.parametrize("times", [1, 2], ids=["fresh", "repeated"])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_job_under_a_fault(road: Road, submitter: Submitter, fault: str, times: int, tmp_path: Path) -> None:
    case = f"{fault}-{times}"
    road.plan(case, fault, road.like.jobs, times)
    found = User(road, submitter, tmp_path / case, case).settled()
    assert (found.wrong, found.struck, found.jobs) == ("", True, 1), found.said


@pytest.mark.parametrize("fault", ["lost", "truncated", "502"])
@pytest.mark.parametrize("moment", ["arrived", "answered"])
def test_one_job_where_the_submit_is_killed_on_the_way(
    road: Road, submitter: Submitter, fault: str, moment: str, tmp_path: Path
) -> None:
    case = f"{fault}-{moment}"
    road.plan(case, fault, road.like.jobs, hold=0.2)
    found = User(road, submitter, tmp_path / case, case).settled([{"happened": moment}])
    assert found.codes[0] == -9, found.said
    assert (found.wrong, found.struck, found.jobs) == ("", True, 1), found.said


@pytest.mark.parametrize("fault", ["lost", "429"])
def test_one_job_under_a_fault_of_the_upload(road: Road, submitter: Submitter, fault: str, tmp_path: Path) -> None:
    case = f"{fault}-upload"
    road.plan(case, fault, road.like.files)
    found = User(road, submitter, tmp_path / case, case).settled()
    assert (found.wrong, found.struck, found.jobs) == ("", True, 1), found.said


@pytest.mark.parametrize("profile", [name for name in LIKE if name != "openai"])
def test_one_job_at_other_providers(profile: str, submitter: Submitter, tmp_path: Path) -> None:
    with Road(tmp_path / "road", str(MITMDUMP), profile) as road:
        for fault in ("lost", "slow"):
            road.plan(fault, fault, road.like.jobs)
            found = User(road, submitter, tmp_path / fault, fault).settled()
            assert (found.wrong, found.struck, found.jobs) == ("", True, 1), found.said


@pytest.mark.parametrize("way", ["SIGINT server", "SIGKILL server"])
def test_watching_goes_on_after_a_restart_of_both_and_tells_nothing_twice(way: str, tmp_path: Path) -> None:
    with Road(tmp_path / "road", str(MITMDUMP), options=PACE) as road:
        found = followed(road, tmp_path / "job", way)
    assert not found.wrong
    assert len(found.codes) == 2
    assert len(found.events) > 3
