"""Exactly one job: whatever happens to the request, the answer or the process, fresh and repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_service import Fault
from job_samples import asked, quick, sent, service_of, training_file

from ftprep.errors import WriteError
from ftprep.jobs.ledger import Ledger
from ftprep.jobs.trouble import OutcomeUnknown, Refused, Throttled, Unreachable
from ftprep.lock import FolderLock

pytest_plugins = ("job_fixtures",)

pytest.importorskip("openai", reason="jobs at OpenAI's form go through openai: pip install 'ftprep[openai]'")
pytestmark = [pytest.mark.usefixtures("own_place"), pytest.mark.loopback]

JOBS = "/fine_tuning/jobs"


@pytest.mark.parametrize("kind", ["lost", "late", "502", "truncated"])
def test_a_job_whose_answer_does_not_come_is_found_and_not_made_again(kind: str, tmp_path: Path) -> None:
    with service_of(Fault(kind)) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        first = sent(one, ledger, timeout=1)
        again = sent(one, ledger)
        assert (service.created, service.made(JOBS)) == (1, 1)
    assert first.adopted
    assert again.adopted
    assert first.id == again.id == "ftjob-1"


@pytest.mark.parametrize("kind", ["409", "500", "503", "408", "dropped"])
def test_what_did_not_happen_is_not_known_and_has_a_way_out(kind: str, tmp_path: Path) -> None:
    with service_of(Fault(kind)) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        with pytest.raises(OutcomeUnknown) as told:
            sent(one, ledger)
        assert told.value.exit_code == 4
        with pytest.raises(OutcomeUnknown):  # never a second POST by itself
            sent(one, ledger)
        assert service.created == 0
        assert ledger.entries()[0].state == "unknown"
        assert sent(one, ledger, quick(resubmit=True)).id == "ftjob-1"
        assert sent(one, ledger).id == "ftjob-1"
        assert service.created == 1


def test_a_job_that_shows_late_is_adopted_by_the_next_try(tmp_path: Path) -> None:
    with service_of(Fault("lost"), Fault("500", method="GET", times=3)) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        # The first look-up comes before the POST and is asked again until it is answered.
        service.faults[1].times = 0
        service.faults[1].path = JOBS
        pauses = iter(range(100))

        def sleep(_seconds: float) -> None:
            if next(pauses) == 0:
                service.faults[1].times = 3  # all looks after the POST fail

        with pytest.raises(OutcomeUnknown):
            sent(one, ledger, quick(sleep=sleep))
        assert service.created == 1
        assert sent(one, ledger).adopted
        assert service.created == 1


@pytest.mark.parametrize("header", ["1", ""])
def test_too_many_requests_are_waited_for(header: str, tmp_path: Path) -> None:
    waited: list[float] = []
    with service_of(Fault("429", times=2, retry_after=header)) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        sent(one, ledger, quick(sleep=waited.append))
        sent(one, ledger)
        assert service.created == 1
    assert sum(pause > 0 for pause in waited) == 2
    assert not header or waited.count(1.0) == 2


def test_who_asks_to_come_back_much_later_is_not_waited_for(tmp_path: Path) -> None:
    with service_of(Fault("429", retry_after="3000")) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        with pytest.raises(Throttled) as told:
            sent(one, ledger)
        assert told.value.wait == 3000
        assert ledger.entries()[0].state == "intent"
        sent(one, ledger)
        assert service.created == 1


def test_a_quota_that_is_used_up_is_refused_at_once(tmp_path: Path) -> None:
    body = {"error": {"message": "maximum of 2 requests per day", "code": "daily_rate_limit_exceeded"}}
    with service_of(Fault("429", body=body)) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        with pytest.raises(Refused, match="per day"):
            sent(one, ledger)
        sent(one, ledger)
        assert service.created == 1


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "422"])
def test_what_is_refused_can_be_asked_for_again(status: str, tmp_path: Path) -> None:
    with service_of(Fault(status)) as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        with pytest.raises(Refused) as told:
            sent(one, ledger)
        assert told.value.status == int(status)
        assert ledger.entries()[0].state == "refused"
        assert not sent(one, ledger).adopted
        assert service.created == 1


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with service_of(Fault("307")) as service:
        one = asked(training_file(tmp_path), service.url)
        with pytest.raises(Refused, match="307"):
            sent(one, Ledger(tmp_path / "jobs"))
        assert service.created == 0


def test_nobody_there(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "jobs")
    with service_of() as service:
        one = asked(training_file(tmp_path), service.url)
    with pytest.raises(Unreachable):
        sent(one, ledger)
    assert ledger.entries()[0].state == "intent"


def test_a_new_ledger_finds_the_job_of_another(tmp_path: Path) -> None:
    path = training_file(tmp_path)
    with service_of() as service:
        first = sent(asked(path, service.url), Ledger(tmp_path / "one"))
        for number in range(5):  # so that it is not on the first page
            sent(asked(path, service.url, seed=number), Ledger(tmp_path / "one"))
        second = sent(asked(path, service.url), Ledger(tmp_path / "two"))
        assert (second.id, second.adopted) == (first.id, True)
        assert service.created == 6


def test_other_content_or_settings_are_another_job(tmp_path: Path) -> None:
    path, ledger = training_file(tmp_path), Ledger(tmp_path / "jobs")
    moved = training_file(tmp_path, name="moved.jsonl")
    with service_of() as service:
        sent(asked(path, service.url), ledger)
        sent(asked(moved, service.url), ledger)  # the same content
        assert service.created == 1
        sent(asked(path, service.url, hyper={"epochs": 2}), ledger)
        sent(asked(path, service.url, suffix="x"), ledger)
        sent(asked(training_file(tmp_path, "heron", "h.jsonl"), service.url), ledger)
        assert service.created == 4
        assert service.made("/files") == 2


def test_a_second_job_on_purpose_is_made_once_for_each_time(tmp_path: Path) -> None:
    with service_of() as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        assert sent(one, ledger).id == "ftjob-1"
        assert sent(one, ledger, quick(new=True)).id == "ftjob-2"
        assert sent(one, ledger).id == "ftjob-1"
        service.faults.append(Fault("dropped"))
        with pytest.raises(OutcomeUnknown):
            sent(one, ledger, quick(new=True))
        with pytest.raises(OutcomeUnknown):  # the one that is open, not another
            sent(one, ledger, quick(new=True))
        assert sent(one, ledger, quick(new=True, resubmit=True)).id == "ftjob-3"
        assert service.created == 3


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_that_failed_stands_in_nobodys_way(end: str, tmp_path: Path) -> None:
    with service_of() as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        sent(one, ledger)
        service.jobs["ftjob-1"]["status"] = end
        assert sent(one, ledger).id == "ftjob-2"
        assert sent(one, ledger).id == "ftjob-2"
        assert sent(one, Ledger(tmp_path / "new")).id == "ftjob-2"  # by another ledger, too
        assert service.created == 2


def test_a_job_that_the_provider_does_not_know_is_not_made_again_unasked(tmp_path: Path) -> None:
    with service_of() as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        sent(one, ledger)
        service.jobs.clear()  # as with the key of another account
        with pytest.raises(Refused, match="does not know ftjob-1"):
            sent(one, ledger)
        assert service.created == 0
        sent(one, ledger, quick(new=True))
        assert service.created == 1


def test_files_are_used_again_by_their_content(tmp_path: Path) -> None:
    path = training_file(tmp_path)
    with service_of() as service:
        sent(asked(path, service.url), Ledger(tmp_path / "one"))
        sent(asked(path, service.url, seed=2), Ledger(tmp_path / "one"))
        sent(asked(path, service.url, seed=3), Ledger(tmp_path / "two"))
        assert service.made("/files") == 1
        del service.files["file-1"]
        sent(asked(path, service.url, seed=4), Ledger(tmp_path / "one"))
        assert service.made("/files") == 2


@pytest.mark.parametrize("kind", ["lost", "502", "truncated", "500", "429"])
def test_an_upload_whose_answer_is_lost(kind: str, tmp_path: Path) -> None:
    with service_of(Fault(kind, "/files")) as service:
        sent(asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs"))
        assert (len(service.files), service.created) == (1, 1)
        assert service.contents["file-1"] == (tmp_path / "train.jsonl").read_bytes()


def test_a_file_is_waited_for_until_it_is_ready(tmp_path: Path) -> None:
    with service_of() as service:
        service.waiting_polls = 3
        sent(asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs"))
        assert service.created == 1
        assert service.waiting_polls <= 0


@pytest.mark.parametrize("broken", ["500", "lost", "400"])
def test_a_large_file_goes_on_where_it_was_cut_off(broken: str, tmp_path: Path) -> None:
    path = training_file(tmp_path)
    size = path.stat().st_size
    can = {"parts_above": 10, "part_bytes": size // 4}
    with service_of(Fault(broken, "/uploads/upload-1/parts", times=0)) as service:
        one, ledger = asked(path, service.url), Ledger(tmp_path / "jobs")
        told: list[str] = []

        def tell(line: str) -> None:
            told.append(line)
            if "part 2 of" in line:
                service.faults[0].times = 1

        if broken == "400":  # the upload has expired: all of it is sent anew, by the next try
            with pytest.raises(Refused):
                sent(one, ledger, quick(told=tell), can=can)
        sent(one, ledger, quick(told=tell), can=can)
        assert service.contents["file-1"] == path.read_bytes()
        parts = sum(where.endswith("/parts") for _, where in service.journal)
        assert parts == {"500": 5, "lost": 6, "400": 7}[broken]
        assert service.created == 1


def test_metadata_that_is_dropped(tmp_path: Path) -> None:
    with service_of(Fault("lost"), keeps_metadata=False) as service:
        path, ledger = training_file(tmp_path), Ledger(tmp_path / "jobs")
        one = asked(path, service.url, "openai", suffix="otters")
        assert one.can.name == "compatible"
        first = sent(one, ledger)
        assert (first.id, first.adopted, service.created) == ("ftjob-1", True, 1)
        service.faults.append(Fault("lost"))
        assert sent(one, ledger, quick(new=True)).id == "ftjob-2"  # not the first, which is another's
        assert service.created == 2


def test_two_at_once_are_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftprep.lock.WAIT_SECONDS", 0.1)
    with service_of() as service:
        one, ledger = asked(training_file(tmp_path), service.url), Ledger(tmp_path / "jobs")
        folder = ledger.folder / one.entry.base
        folder.mkdir(parents=True)
        lock = FolderLock(folder)
        with pytest.raises(WriteError, match="another ftprep"):
            sent(one, ledger)
        lock.release()
        sent(one, ledger)
        assert service.created == 1


def test_what_is_sent(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "hyper": {"epochs": 3, "learning_rate_multiplier": "auto"},
        "suffix": "otters",
        "seed": 7,
        "wandb": {"project": "p"},
        "metadata": {"who": "me"},
        "extra": {"trainingType": "globalStandard"},
    }
    with service_of() as service:
        one = asked(training_file(tmp_path), service.url, **settings)
        sent(one, Ledger(tmp_path / "jobs"))
        (body,) = service.bodies
    assert body == {
        "model": one.spec.model,
        "training_file": "file-1",
        "method": {
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 3, "learning_rate_multiplier": "auto"}},
        },
        "suffix": "otters",
        "seed": 7,
        "integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
        "metadata": {"who": "me", "ftprep_key": one.spec.key()},
        "trainingType": "globalStandard",
    }
