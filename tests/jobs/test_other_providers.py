"""Azure's two routes, Together and Fireworks: what is sent, what comes back, and one job under every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_service import Fault
from job_samples import asked, quick, sent, service_of, training_file

from ftprep.errors import UsageError
from ftprep.jobs.api import find, news
from ftprep.jobs.connect import Connection, connect, settle
from ftprep.jobs.ledger import Ledger
from ftprep.jobs.trouble import OutcomeUnknown
from ftprep.jobs.watch import Watching
from ftprep.redaction import Secret

pytest_plugins = ("job_fixtures",)

pytestmark = [pytest.mark.usefixtures("own_place"), pytest.mark.loopback]
QUICK = Watching(first=0.0, longest=0.0, sleep=lambda _seconds: None)
LLAMA = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"
OTHERS: dict[str, dict[str, Any]] = {
    "together": {"model": LLAMA, "suffix": "otters"},
    "fireworks": {"model": "accounts/fireworks/models/llama-v3p1-8b-instruct", "account": "acme"},
}
PATHS = {"together": "/v1/fine-tunes", "fireworks": "/supervisedFineTuningJobs"}


@pytest.mark.parametrize("provider", OTHERS)
@pytest.mark.parametrize("kind", ["lost", "late", "502", "truncated"])
def test_a_lost_answer_makes_no_second_job(provider: str, kind: str, tmp_path: Path) -> None:
    with service_of(Fault(kind, PATHS[provider])) as service:
        one = asked(training_file(tmp_path), service.root, provider, **OTHERS[provider])
        ledger = Ledger(tmp_path / "jobs")
        first = sent(one, ledger, timeout=1)
        assert first.adopted
        assert sent(one, ledger).id == first.id
        assert sent(one, Ledger(tmp_path / "other")).id == first.id
        assert (service.created, len(service.files)) == (1, 1)


@pytest.mark.parametrize("kind", ["500", "dropped", "409"])
def test_together_does_not_guess(kind: str, tmp_path: Path) -> None:
    with service_of(Fault(kind, PATHS["together"])) as service:
        one, ledger = asked(training_file(tmp_path), service.root, "together", **OTHERS["together"]), Ledger("jobs")
        with pytest.raises(OutcomeUnknown):
            sent(one, ledger)
        sent(one, ledger, quick(resubmit=True))
        assert service.created == 1


@pytest.mark.parametrize("kind", ["500", "dropped"])
def test_fireworks_asks_again_by_the_same_id(kind: str, tmp_path: Path) -> None:
    with service_of(Fault(kind, PATHS["fireworks"])) as service:
        one, ledger = asked(training_file(tmp_path), service.root, "fireworks", **OTHERS["fireworks"]), Ledger("jobs")
        with pytest.raises(OutcomeUnknown):
            sent(one, ledger)
        sent(one, ledger)  # no --resubmit is needed: the id is ours
        assert service.created == 1


def test_what_together_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "wandb-canary-000111")
    hyper = {"epochs": 2, "lora_rank": 16, "learning_rate": 1e-4, "min_lr_ratio": 0.1, "train_on_inputs": False}
    with service_of() as service:
        settings = {"hyper": hyper, "seed": 3, "wandb": {"project": "p"}, **OTHERS["together"]}
        one, ledger = asked(training_file(tmp_path), service.root, "together", **settings), Ledger("jobs")
        job = sent(one, ledger)
        (body,) = service.bodies
        assert "authorization" in service.headers[0]
        told = list(news(find(job.id, ledger, key=Secret("k-12345678")), QUICK))
        results = find(None, ledger, key=Secret("k-12345678")).provider.results(job)
    assert body == {
        "training_file": "file-1",
        "model": LLAMA,
        "n_epochs": 2,
        "learning_rate": 1e-4,
        "batch_size": "max",
        "n_checkpoints": 1,
        "lr_scheduler": {"lr_scheduler_type": "cosine", "lr_scheduler_args": {"min_lr_ratio": 0.1}},
        "training_type": {"type": "Lora", "lora_r": 16, "lora_alpha": 32},
        "training_method": {"method": "sft", "train_on_inputs": False},
        "suffix": f"otters-{one.spec.key()[:8]}",
        "random_seed": 3,
        "wandb_project_name": "p",
        "wandb_key": "wandb-canary-000111",
    }
    assert [e.event.message for e in told if e.event] == ["Training started"]
    assert told[-1].job is not None
    assert told[-1].job.status == "succeeded"
    assert results[0][1].startswith(b'{"metrics"')
    assert not any(b"canary" in p.read_bytes() for p in Path("jobs").rglob("*") if p.is_file())


def test_what_fireworks_is_sent(tmp_path: Path) -> None:
    with service_of() as service:
        settings = {"hyper": {"epochs": 2, "lora_rank": 8}, "suffix": "otters", **OTHERS["fireworks"]}
        one = asked(training_file(tmp_path), service.root, "fireworks", **settings)
        job = sent(one, Ledger("jobs"))
        (body,) = service.bodies
    name = f"ftprep-{one.spec.train.sha256[:32]}"
    assert body == {
        "dataset": f"accounts/acme/datasets/{name}",
        "baseModel": "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "epochs": 2,
        "loraRank": 8,
        "outputModel": "accounts/acme/models/otters",
    }
    assert service.contents[name] == (tmp_path / "train.jsonl").read_bytes()
    assert job.id == f"supervisedFineTuningJobs/ftprep-{one.spec.key()[:24]}"
    assert job.status == "preparing"


def test_azure_by_its_older_route(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with service_of() as service:
        one = asked(training_file(tmp_path), service.root, "azure", api_version="2024-10-21")
        sent(one, Ledger("jobs"))
        assert ("POST", "/openai/fine_tuning/jobs") in service.journal
        posted = [h for h in service.headers if "api-key" in h]
        assert posted


def test_azure_by_its_newer_route(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with service_of(Fault("lost"), keeps_metadata=False) as service:
        one = asked(training_file(tmp_path), service.root, "azure", extra={"trainingType": "globalStandard"})
        assert sent(one, Ledger("jobs")).id == "ftjob-1"
        assert ("POST", "/openai/v1/fine_tuning/jobs") in service.journal
        assert service.bodies[0]["trainingType"] == "globalStandard"
        assert service.created == 1


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"provider": "azure", "base_url": "https://r.openai.azure.com/"}, "https://r.openai.azure.com/openai/v1"),
        (
            {"provider": "azure", "base_url": "https://r.openai.azure.com/openai/v1"},
            "https://r.openai.azure.com/openai/v1",
        ),
        ({"provider": "azure", "base_url": "https://r.a.com", "api_version": "x"}, "https://r.a.com"),
        ({"provider": "openai"}, "https://api.openai.com/v1"),
        ({"provider": "sandbox"}, "embedded"),
    ],
)
def test_addresses(given: dict[str, str], address: str) -> None:
    assert settle(**given)[1].base_url == address


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/v1",
        "http://127.0.0.1.evil.com",
        "ftp://x",
        "https://",
        "https://u:p@h/v1",
        "https://h/v1?key=1",
        "http://[::1",
        "http://localhost:0x",
        "http://10.0.0.1:80",
    ],
)
def test_no_key_goes_there(url: str) -> None:
    with pytest.raises(UsageError):
        settle("openai", url)


def test_a_connection_is_kept_without_a_key() -> None:
    can, connection = settle("together")
    connect(can, connection, key=Secret("tgp-secret-12345"))
    assert "secret" not in repr(connection.to_dict())
    assert Connection.kept(connection.to_dict()) == connection


def test_an_account_is_a_name() -> None:
    with pytest.raises(UsageError, match="account"):
        settle("fireworks")
    with pytest.raises(UsageError, match="no name"):
        settle("fireworks", account="a/../b")
