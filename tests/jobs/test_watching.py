"""Watching: nothing told twice, breaks of the network waited out, and all of it from the ledger alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import FakeService, Fault
from hypothesis import given
from hypothesis import strategies as st
from job_samples import asked, sent, service_of, training_file

from ftprep.jobs.api import Found, find, news, watch
from ftprep.jobs.ledger import Ledger
from ftprep.jobs.model import Event, Job
from ftprep.jobs.trouble import Refused
from ftprep.jobs.watch import News, Seen, Watching, points

pytest_plugins = ("job_fixtures",)
pytestmark = pytest.mark.usefixtures("own_place")

QUICK = Watching(first=0.0, longest=0.0, sleep=lambda _seconds: None)


def pages(events: list[Event], size: int = 3) -> Iterator[list[Event]]:
    turned = events[::-1]
    return (turned[i : i + size] for i in range(0, len(turned), size))


EVENTS = st.builds(
    Event,
    st.integers(0, 3).map(float),
    st.sampled_from(("info", "error")),
    st.text(max_size=3),
    st.dictionaries(st.sampled_from(("step", "train_loss")), st.integers(0, 3), max_size=2),
    st.uuids().map(str),
)


@given(st.lists(EVENTS, max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_every_event_is_told_once(events: list[Event], cuts: list[int]) -> None:
    events.sort(key=lambda event: event.created)
    seen = Seen(None)
    told: list[Event] = []
    for cut in [*sorted(cuts), len(events)]:
        told += seen.telling(seen.new_of(pages(events[:cut], 100)))
    assert len(told) == len({e.content() for e in told})
    assert {e.content() for e in told} == {e.content() for e in events}


def test_a_restart_and_a_torn_line_tell_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    events = [Event(float(i), "info", f"no. {i}", {"step": i}, str(i)) for i in range(6)]
    first = Seen(path)
    assert len(list(first.telling(first.new_of(pages(events[:4]))))) == 4
    with path.open("ab") as file:
        file.write(b'{"created": 4.0, "lev')  # killed while it wrote
    second = Seen(path)
    assert [e.message for e in second.telling(second.new_of(pages(events)))] == ["no. 4", "no. 5"]
    assert Seen(path).new_of(pages(events)) == []
    assert [row["step"] for row in points(Seen(path).events)] == [0, 1, 2, 3, 4, 5]


def made(service: FakeService, folder: Path) -> tuple[Job, Found]:
    pytest.importorskip("openai")
    ledger = Ledger(folder / "jobs")
    job = sent(asked(training_file(folder), service.url), ledger)
    return job, find(job.id, ledger)


def lines(told: list[News]) -> list[str]:
    return [each.event.message if each.event else f"{each.kind}" for each in told]


@pytest.mark.loopback
def test_a_job_is_followed_to_its_end_and_taken_up_again(tmp_path: Path) -> None:
    with service_of(polls=6) as service:
        _, found = made(service, tmp_path)
        first = list(itertools.islice(news(found, QUICK), 5))
        later = list(news(find(None, Ledger(tmp_path / "jobs")), QUICK))
        messages = [each.event.message for each in (*first, *later) if each.event]
        assert len(messages) == len(set(messages)) == 7
        assert later[-1].job is not None
        assert later[-1].job.status == "succeeded"
        again = list(news(find(None, Ledger(tmp_path / "jobs")), QUICK))
    assert lines(again) == ["status"]
    (entry,) = Ledger(tmp_path / "jobs").entries()
    assert (entry.status, entry.model_out) == ("succeeded", f"ft:{entry.spec['model']}:org:x:ftjob-1")


@pytest.mark.loopback
def test_who_is_interrupted_among_many_events_is_told_the_others_later(tmp_path: Path) -> None:
    with service_of(polls=1) as service:
        _, found = made(service, tmp_path)
        service.extra_events = [{"created_at": 9, "level": "info", "message": f"{i}", "data": None} for i in range(9)]
        first = list(itertools.islice(news(found, QUICK), 4))
        later = list(news(find(None, Ledger(tmp_path / "jobs")), QUICK))
    messages = [each.event.message for each in (*first, *later) if each.event]
    assert len(messages) == len(set(messages)) == 11


@pytest.mark.loopback
@pytest.mark.parametrize("kind", ["500", "dropped", "429", "truncated", "lost"])
@pytest.mark.parametrize("path", ["/fine_tuning/jobs/ftjob-1", "/fine_tuning/jobs/ftjob-1/events"])
def test_a_break_of_the_network_is_told_and_waited_out(kind: str, path: str, tmp_path: Path) -> None:
    with service_of(polls=6) as service:
        _, found = made(service, tmp_path)
        service.faults.append(Fault(kind, path, times=3, method="GET"))
        told = list(news(found, QUICK))
        asked_for = [each for each in told if each.event]
    assert sum(each.kind == "network" for each in told) == 4
    assert told[3].message.endswith("answers again")
    assert len(asked_for) == 7
    assert told[-1].job is not None
    assert told[-1].job.status == "succeeded"


@pytest.mark.loopback
def test_a_job_that_is_gone_ends_it(tmp_path: Path) -> None:
    with service_of() as service:
        _, found = made(service, tmp_path)
        service.jobs.clear()
        with pytest.raises(Refused):
            list(news(found, QUICK))


@pytest.mark.loopback
def test_a_status_that_nobody_knows_goes_on(tmp_path: Path) -> None:
    with service_of(polls=2) as service:
        job, found = made(service, tmp_path)
        service.jobs[job.id] |= {"status": "thinking", "result_files": None, "hyperparameters": None}
        assert [e.job.status for e in itertools.islice(news(found, QUICK), 9) if e.kind == "status" and e.job]


@pytest.mark.loopback
def test_events_that_say_the_same_in_one_second_are_one(tmp_path: Path) -> None:
    with service_of(polls=2) as service:
        _, found = made(service, tmp_path)
        service.extra_events = [{"created_at": 9, "level": "warn", "message": "twice", "data": None}] * 2
        told = lines(list(news(found, QUICK)))
    assert told.count("twice") == 1


@pytest.mark.loopback
@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_a_job_of_the_library_watches_itself(end: str, tmp_path: Path) -> None:
    with service_of() as service:
        service.ends_as = end
        job, _ = made(service, tmp_path)
        told: list[News] = []
        over = job.watch(tell=told.append, first=0.0, longest=0.0)
        assert over.status == end
        assert json.dumps([each.to_dict() for each in told])
        assert watch(over, tell=told.append, timeout=0).done
