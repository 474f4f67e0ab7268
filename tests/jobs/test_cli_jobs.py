"""The commands on jobs as users see them: what they print, how they end, what they never print."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fake_service import FakeService, Fault
from job_samples import MODEL, chats, service_of, training_file

from ftprep.__main__ import main

pytest_plugins = ("job_fixtures",)
pytestmark = pytest.mark.usefixtures("own_place")

ROOT = Path(__file__).resolve().parents[2]
openai = pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("openai"), reason="pip install 'ftprep[openai]'"
)
CANARY = "sk-canary-5f3a9b7c2d"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["jobs", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def service() -> Iterator[FakeService]:
    with service_of() as started:
        yield started


def at(service: FakeService, *more: str) -> tuple[str, ...]:
    return ("submit", "train.jsonl", "--provider", "sandbox", "--base-url", service.url, "--model", MODEL, *more)


@pytest.mark.loopback
@openai
def test_the_whole_road(run: Run, service: FakeService, tmp_path: Path) -> None:
    training_file(tmp_path)
    code, out, err = run(*at(service, "--epochs", "2", "--classes", "2", "--positive-class", " yes", "--betas", "1,2"))
    assert (code, out.splitlines()[0]) == (0, "ftjob-1: preparing")
    assert "uploading train.jsonl" in err
    assert "ftprep jobs watch ftjob-1" in err
    code, out, err = run(*at(service, "--epochs", "2"))
    assert code == 0
    assert "there already: ftjob-1" in err
    code, out, _ = run("watch", "--every", "0.02")
    assert code == 0
    assert "Step 3/3: training loss=1.00" in out
    assert out.splitlines()[-1].startswith("train_loss")
    code, out, _ = run("list")
    assert out.splitlines()[1].split() == ["ftjob-1", "sandbox", "succeeded", MODEL, f"ft:{MODEL}:org:x:ftjob-1"]
    assert run("get", "ftjob-1", "--output-format", "json")[0] == 0
    code, out, _ = run("checkpoints", "--output-format", "json")
    assert json.loads(out)[0]["model"] == "ft:m:org::c:ckpt-step-2"
    assert run("events")[1].splitlines()[0].endswith("Created fine-tuning job")
    code, out, _ = run("results", "-o", "got")
    assert code == 0
    assert sorted(p.name for p in Path("got").iterdir()) == [
        "file-result.csv",
        "job.json",
        "loss.svg",
        "metrics.csv",
        "metrics.jsonl",
    ]
    with_png(run)
    (entry,) = Path(".ftprep/jobs").glob("*/0.json")
    kept = json.loads(entry.read_text())["classification"]
    assert kept == {"n_classes": 2, "positive_class": " yes", "betas": [1.0, 2.0]}
    # going on from what it made
    code, out, err = run(*at(service)[:6], "--continue", "ftjob-1", "-y")
    assert code == 0
    assert "divide the learning rate" in err
    assert service.bodies[-1]["model"] == f"ft:{MODEL}:org:x:ftjob-1"


def with_png(run: Run) -> None:
    """The plot as PNG too, or what to install for it, and nothing written."""
    code, out, err = run("results", "-o", "drawn", "--png")
    drawn = Path("drawn/loss.png")
    if code == 0:
        assert drawn.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert "loss.png" in out
    else:
        assert code == 2
        assert "ftprep[png]" in err or "library cairo" in err
        assert not drawn.parent.exists()


def test_what_the_target_would_refuse_is_said_once_with_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"prompt": "a ->", "completion": " b END"}\n' * 12, encoding="utf-8")
    code, out, err = run("submit", "train.jsonl", "--provider", "sandbox", "--model", MODEL, "--epochs", "99")
    assert (code, out) == (1, "")
    assert err.count("takes chat examples") == 1
    assert err.count("n_epochs = 99") == 1
    assert "`ftprep prepare --target openai" in err.splitlines()[-1]


@pytest.mark.loopback
@openai
def test_a_job_that_is_over_is_not_to_be_followed(run: Run, service: FakeService, tmp_path: Path) -> None:
    training_file(tmp_path)
    run(*at(service))
    assert run("watch", "--every", "0.02")[0] == 0
    code, _, err = run(*at(service))
    assert code == 0
    assert "`ftprep jobs results ftjob-1` fetches its figures; --new" in err
    assert "jobs watch" not in err


def test_an_empty_ledger_says_how_to_fill_it(run: Run) -> None:
    for command in ("get", "watch", "results"):
        code, _, err = run(command)
        assert code == 2
        assert "`ftprep jobs submit` makes one" in err


@pytest.mark.parametrize("kind", ["csv", "json", "gz", "utf-16"])
@pytest.mark.parametrize("provider", ["together", "sandbox"])
def test_a_file_that_is_no_jsonl_is_not_sent_as_one(kind: str, provider: str, run: Run, tmp_path: Path) -> None:
    import gzip

    made = {
        "csv": ("prompt,completion\n" + "a ->, b END\n" * 20).encode(),
        "json": json.dumps([json.loads(line) for line in chats().splitlines()]).encode(),
        "gz": gzip.compress(chats().encode()),
        "utf-16": chats().encode("utf-16"),
    }
    (tmp_path / f"train.{kind}").write_bytes(made[kind])
    code, out, _ = run("submit", f"train.{kind}", "--provider", provider, "--model", MODEL, "--dry-run")
    assert code == 1
    assert f"train.{kind} is not JSONL: `ftprep prepare` writes it" in out


@pytest.mark.loopback
@openai
def test_changing_jobs(run: Run, service: FakeService, tmp_path: Path) -> None:
    training_file(tmp_path)
    run(*at(service))
    assert run("pause", "ftjob-1")[1].startswith("ftjob-1: paused")
    assert run("resume", "ftjob-1")[1].startswith("ftjob-1: running")
    assert run("cancel", "ftj")[0] == 2  # too short to begin a name
    assert run("cancel", "ftjob")[1].startswith("ftjob-1: cancelled")
    code, out, _ = run("watch")
    assert (code, out.splitlines()[-1]) == (1, "ftjob-1: cancelled")
    code, _, err = run("cancel")
    assert code == 2
    assert "needs a job" in err
    listed = json.loads(run("list", "--provider", "sandbox", "--base-url", service.url, "--output-format", "json")[1])
    assert [each["id"] for each in listed] == ["ftjob-1"]


@pytest.mark.loopback
@openai
def test_an_answer_that_is_not_known_has_its_own_code_and_way_out(
    run: Run, service: FakeService, tmp_path: Path
) -> None:
    training_file(tmp_path)
    service.faults.append(Fault("dropped"))
    code, _, err = run(*at(service, "--look-for", "0"))
    assert code == 4
    key = json.loads(next(Path(".ftprep/jobs").glob("*/0.json")).read_text())["key"]
    assert f"ftprep jobs resolve {key[:12]}" in err
    assert "not known" in run("list")[1]
    assert run("resolve", key[:12], "--look-for", "0")[0] == 4
    assert run("watch")[0] == 2
    code, out, _ = run("resolve", key[:12], "--look-for", "0", "--resubmit")
    assert (code, out.splitlines()[0]) == (0, "ftjob-1: preparing")
    assert run("resolve", key[:12])[0] == 0
    assert service.created == 1


def test_a_dry_run_opens_no_socket_and_needs_no_key(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    path = training_file(tmp_path)
    for provider, more in (
        ("openai", ("--wandb-project", "p")),
        ("azure", ("--base-url", "https://r.openai.azure.com", "--extra", "trainingType=globalStandard")),
        ("together", ("--suffix", "x")),
        ("fireworks", ("--account", "acme")),
        ("sandbox", ()),
    ):
        monkeypatch.setenv("WANDB_API_KEY", CANARY)
        arguments = ("submit", str(path), "--provider", provider, "--model", MODEL, "--dry-run", *more)
        code, out, err = run(*arguments, "--output-format", "json")
        assert code in (0, 1), err
        plan = json.loads(out)
        assert plan["files"]["train"]["rows"] == 12
        assert len(plan["files"]["train"]["sha256"]) == 64
        assert CANARY not in out + err
        assert run(*arguments)[1].endswith("nothing was sent\n")
    assert not Path(".ftprep").exists()


def test_what_the_target_would_not_take_is_not_sent(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    path = tmp_path / "bad.jsonl"
    path.write_text(chats(12) + '{"messages": [{"role": "user"}]}\n', encoding="utf-8")
    code, _, err = run("submit", str(path), "--provider", "openai", "--model", MODEL, "-y")
    assert code == 1
    assert "bad.jsonl:13" in err
    code, _, err = run("submit", str(path), "--provider", "openai", "--model", MODEL, "--epochs", "77", "--no-check")
    assert code == 2  # nobody is there to say yes
    assert "warning: n_epochs = 77: at most 50" in err
    assert "give -y" in err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("--epochs", "51"), "n_epochs = 51: at most 50"),
        (("--batch-size", "0"), "batch_size = 0: at least 1"),
        (("--learning-rate-multiplier", "0"), "learning_rate_multiplier = 0: more than 0"),
        (("--seed", "-1"), "seed = -1: at least 0"),
        (("--suffix", "x" * 65), "the suffix has 65 characters; at most 64"),
        (("--metadata", f"{'k' * 65}=v"), "at most 64 characters for a key"),
        (("--method", "kto"), "does not train by kto"),
        (("--method", "reinforcement"), "needs a grader"),
        (("--valid-file", "train.jsonl"), "are the same"),
    ],
)
def test_bounds(run: Run, settings: tuple[str, ...], told: str, tmp_path: Path) -> None:
    training_file(tmp_path)
    arguments = ("submit", "train.jsonl", "--provider", "openai", "--model", MODEL, "--dry-run", *settings)
    code, out, _ = run(*arguments)
    assert code == 1
    assert told in out


def test_closing_dates_are_warnings(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    code, out, _ = run("submit", "train.jsonl", "--provider", "openai", "--model", MODEL, "--dry-run")
    assert code == 0
    assert "warning: OpenAI fine-tuning: no new jobs" in out


FAILURES = ("401", "400", "403", "429", "500", "502", "truncated", "lost", "dropped")


@pytest.mark.loopback
@openai
@pytest.mark.parametrize(
    ("fault", "origin"), [*((f, "environment") for f in FAILURES), *((f, "file") for f in ("401", "lost", "truncated"))]
)
def test_no_key_is_ever_shown(
    fault: str, origin: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_file(tmp_path)
    key = tmp_path.parent / f"{tmp_path.name}.key"
    key.write_text(f"{CANARY}\n", encoding="utf-8")
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    for name in ("OPENAI_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY", "WANDB_API_KEY"):
        if origin == "environment":
            monkeypatch.setenv(name, CANARY)
    body = {"error": {"message": f"Incorrect API key provided: {CANARY}. Authorization: Bearer {CANARY}", "code": "x"}}
    paths = {
        "openai": ("/files", "/jobs", "/ftjob-1"),
        "together": ("/upload", "/fine-tunes"),
        "fireworks": ("/datasets", "TuningJobs"),
    }
    said = ""
    with service_of() as service:
        for provider, place in (("openai", service.url), ("together", service.root), ("fireworks", service.root)):
            reached: tuple[str, ...] = ("--provider", provider, "--base-url", place, "-v", "--debug")
            reached += ("--account", "acme") if provider == "fireworks" else ()
            reached += ("--api-key-file", str(key)) if origin == "file" else ()
            for number, path in enumerate(paths[provider]):
                service.faults = [Fault(fault, path, 8, method, "", body) for method in ("GET", "POST")]
                submit = (
                    "submit",
                    "train.jsonl",
                    "--model",
                    MODEL,
                    "-y",
                    "--look-for",
                    "0",
                    "--no-check",
                    "--wandb-project",
                    "p",
                    "--seed",
                    str(number),
                )
                asked = (("get",), ("cancel",), ("results",), ("watch", "--timeout", "0"), ("checkpoints",))
                for command in (submit, ("list",), *((name, "ftjob-1", *more) for name, *more in asked)):
                    said += "".join(map(str, run(*command, *reached)))
        assert any(CANARY in h.get("authorization", "") for h in service.headers)
    assert "Traceback" in said
    assert CANARY not in said
    for kept in tmp_path.rglob("*"):
        assert not kept.is_file() or CANARY.encode() not in kept.read_bytes(), kept


def test_a_key_of_a_file(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    (tmp_path / "key").write_text(f"{CANARY} with blanks\n", encoding="utf-8")
    arguments = ("submit", "train.jsonl", "--provider", "together", "--model", "m", "-y", "--no-check", "--debug")
    code, out, err = run(*arguments, "--api-key-file", "key")
    assert code == 2
    assert CANARY not in out + err
    assert "cannot be sent" in err
    assert run(*arguments, "--api-key-file", "none")[0] == 2
    code, _, err = run(*arguments)
    assert "TOGETHER_API_KEY" in err


def test_a_key_among_the_settings_is_not_sent(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training_file(tmp_path)
    monkeypatch.setenv("TOGETHER_API_KEY", CANARY)
    arguments = ("submit", "train.jsonl", "--provider", "together", "--model", "m", "-y", "--no-check")
    code, out, err = run(*arguments, "--extra", f"hf_api_token={CANARY}")
    assert code == 2
    assert CANARY not in out + err
    assert not Path(".ftprep").exists()


@pytest.mark.loopback
@openai
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_leaves_the_job_running(service: FakeService, run: Run, tmp_path: Path) -> None:
    import signal

    training_file(tmp_path)
    service.polls = 10_000
    run(*at(service))
    command = [sys.executable, "-m", "ftprep", "jobs", "watch", "--every", "0.05"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while service.asked.get("ftjob-1", 0) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the job goes on; `ftprep jobs watch ftjob-1` follows it again" in err
    assert "Step 1/" in out
    assert service.jobs["ftjob-1"]["status"] != "cancelled"
    before = set(out.splitlines())
    code, lines, _ = run("watch", "--json", "--timeout", "0")
    assert code == 2
    events = [json.loads(line) for line in lines.splitlines()]
    assert not [e for e in events if e["type"] == "event" and any(e["message"] in line for line in before)]


def test_models(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ftprep.sandbox", None)
    assert main(["models"]) == 2
    assert main(["models", "list"]) == 2
    assert "give --provider" in capsys.readouterr().err
    assert main(["models", "delete", "m", "--provider", "sandbox"]) == 2


def test_a_sandbox_that_is_not_there_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training_file(tmp_path)
    monkeypatch.setitem(sys.modules, "ftprep.sandbox", None)
    code, _, err = run("submit", "train.jsonl", "--provider", "sandbox", "--model", MODEL)
    assert code == 2
    assert "ftprep[sandbox]" in err


def test_without_openai_it_says_what_to_install(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training_file(tmp_path)
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    code, _, err = run("submit", "train.jsonl", "--provider", "openai", "--model", MODEL, "-y", "--no-check")
    assert code == 2
    assert "ftprep[openai]" in err


@pytest.mark.loopback
@openai
def test_from_python(service: FakeService, tmp_path: Path) -> None:
    import ftprep as ft

    (tmp_path / "set.jsonl").write_text(chats(60), encoding="utf-8")
    prepared = ft.prepare("set.jsonl", out="data")
    job = ft.submit(prepared, provider="sandbox", model=MODEL, base_url=service.url, hyper={"epochs": 2})
    assert isinstance(job, ft.Job)
    assert service.bodies[0]["validation_file"] == "file-2"
    assert prepared.manifest
    manifest = ft.submit(prepared.manifest, provider="sandbox", model=MODEL, base_url=service.url, hyper={"epochs": 2})
    assert manifest.id == job.id
    assert job.watch(tell=lambda _news: None, first=0.01).status == "succeeded"
