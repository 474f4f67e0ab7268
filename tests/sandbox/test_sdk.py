"""The official SDK alone as the client: the whole road, right and wrong, call by call."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import chats, finished, tuned, uploaded

openai = pytest.importorskip("openai", reason="the official SDK is the client here: pip install openai")

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback


def test_files_come_go_and_are_listed_in_pages(client: Any) -> None:
    ids = [uploaded(client, chats(10 + at)) for at in range(5)]
    client.files.create(file=("notes.txt", b"words"), purpose="user_data")
    assert [each.id for each in client.files.list(purpose="fine-tune", limit=2)] == ids[::-1]
    assert [each.id for each in client.files.list(purpose="fine-tune", order="asc")] == ids
    first = client.files.list(limit=1)
    assert first.has_more
    assert client.files.retrieve(ids[0]).status == "processed"
    assert client.files.content(ids[0]).read() == chats(10)
    assert client.files.delete(ids[0]).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(ids[0])
    with pytest.raises(openai.NotFoundError):
        client.files.content(ids[0])


def test_a_file_has_a_purpose_a_content_and_may_expire(client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(file=("a.jsonl", chats()), purpose="nonsense")
    assert caught.value.param == "purpose"
    with pytest.raises(openai.BadRequestError, match="empty"):
        client.files.create(file=("a.jsonl", b""), purpose="fine-tune")
    expires = {"anchor": "created_at", "seconds": 3600}
    about = {"file": ("a.jsonl", chats()), "purpose": "fine-tune"}
    # As part of the body, since old SDKs have no name for it.
    file = client.files.create(**about, extra_body={"expires_after": expires})
    assert file.expires_at == file.created_at + 3600
    with pytest.raises(openai.BadRequestError, match="expires_after"):
        client.files.create(**about, extra_body={"expires_after": expires | {"seconds": 1}})


def test_a_file_that_is_no_jsonl_is_in_error_and_no_job_takes_it(client: Any) -> None:
    file = client.files.create(file=("a.csv", b"prompt,completion\na,b\n"), purpose="fine-tune")
    assert file.status == "error"
    assert "Line 1" in file.status_details
    with pytest.raises(openai.BadRequestError, match="Line 1"):
        client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id)


def test_an_upload_in_parts_is_put_together_in_the_order_given(client: Any) -> None:
    data = chats(30)
    upload = client.uploads.create(filename="big.jsonl", purpose="fine-tune", bytes=len(data), mime_type="text/jsonl")
    assert upload.status == "pending"
    second = client.uploads.parts.create(upload.id, data=data[1000:])
    first = client.uploads.parts.create(upload.id, data=data[:1000])
    with pytest.raises(openai.BadRequestError, match="bytes"):
        client.uploads.complete(upload.id, part_ids=[first.id])
    with pytest.raises(openai.BadRequestError, match="md5"):
        client.uploads.complete(upload.id, part_ids=[first.id, second.id], md5="0" * 32)
    md5 = hashlib.md5(data).hexdigest()
    done = client.uploads.complete(upload.id, part_ids=[first.id, second.id], md5=md5)
    assert done.status == "completed"
    assert client.files.content(done.file.id).read() == data
    with pytest.raises(openai.BadRequestError, match="completed"):
        client.uploads.parts.create(upload.id, data=b"more")
    wrong = client.uploads.create(filename="big.jsonl", purpose="fine-tune", bytes=5, mime_type="text/jsonl")
    with pytest.raises(openai.BadRequestError, match="does not fit"):
        client.uploads.parts.create(wrong.id, data=b"more than five")
    assert client.uploads.cancel(wrong.id).status == "cancelled"
    with pytest.raises(openai.NotFoundError):
        client.uploads.cancel("upload_nowhere")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")  # of old SDKs
def test_the_sdks_own_chunked_upload(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(chats(50))
    named = {"mime_type": "text/jsonl", "purpose": "fine-tune", "part_size": 1500}
    upload = client.uploads.upload_file_chunked(file=path, **named)
    assert client.files.content(upload.file.id).read() == chats(50)


def test_a_job_goes_from_state_to_state_and_leaves_results(client: Any) -> None:
    train, valid = uploaded(client), uploaded(client, chats(12))
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}}
    about = {"suffix": "mood", "metadata": {"run": "7"}, "method": method}
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=train, validation_file=valid, **about)
    assert (job.status, job.model, job.fine_tuned_model) == ("validating_files", "gpt-4o-mini-2024-07-18", None)
    states = [client.fine_tuning.jobs.retrieve(job.id).status for _ in range(4)]
    assert states == ["queued", "running", "running", "succeeded"]
    job = client.fine_tuning.jobs.retrieve(job.id)
    assert job.fine_tuned_model.startswith("ft:gpt-4o-mini-2024-07-18:sandbox:mood:")
    assert job.trained_tokens > 0
    assert job.trained_tokens % 4 == 0
    assert (job.hyperparameters.n_epochs, job.metadata) == (4, {"run": "7"})
    table = client.files.content(job.result_files[0]).text.splitlines()
    assert table[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    losses = [float(line.split(",")[1]) for line in table[1:]]
    assert losses[-1] < losses[0]
    kept = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    assert [each.step_number for each in kept] == sorted((each.step_number for each in kept), reverse=True)
    assert len(kept) == 3
    assert kept[0].fine_tuned_model_checkpoint == job.fine_tuned_model
    assert kept[1].metrics.full_valid_loss is not None


def test_events_are_newest_first_stable_and_paged(client: Any) -> None:
    job = tuned(client)
    whole = client.fine_tuning.jobs.list_events(job.id, limit=100).data
    assert len({each.id for each in whole}) == len(whole)
    assert [each.id for each in client.fine_tuning.jobs.list_events(job.id, limit=3)] == [each.id for each in whole]
    assert "successfully completed" in whole[0].message
    assert whole[-1].message.startswith("Created fine-tuning job")
    assert [each.created_at for each in whole] == sorted((each.created_at for each in whole), reverse=True)
    metrics = [each for each in whole if each.type == "metrics"]
    assert {"step", "train_loss", "total_steps", "train_mean_token_accuracy"} <= metrics[0].data.keys()
    with pytest.raises(openai.BadRequestError, match="after"):
        client.fine_tuning.jobs.list_events(job.id, after="ftevent-nowhere")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "gpt-99"}, "model"),
    "no file": ({"training_file": "file-nowhere"}, "training_file"),
    "no validation file": ({"validation_file": "file-nowhere"}, "validation_file"),
    "epochs": ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs"),
    "epochs as text": ({"hyperparameters": {"n_epochs": "3"}}, "hyperparameters.n_epochs"),
    "batch": ({"hyperparameters": {"batch_size": 0}}, "hyperparameters.batch_size"),
    "rate": ({"hyperparameters": {"learning_rate_multiplier": 0}}, "hyperparameters.learning_rate_multiplier"),
    "hyper key": ({"hyperparameters": {"epochs": 3}}, "hyperparameters.epochs"),
    "beta": ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}}, "method.dpo.hyperparameters.beta"),
    "method": ({"method": {"type": "kto"}}, "method.type"),
    "grader": ({"method": {"type": "reinforcement", "reinforcement": {"grader": {"type": "x"}}}}, "method.grader"),
    "suffix": ({"suffix": "s" * 65}, "suffix"),
    "empty suffix": ({"suffix": ""}, "suffix"),
    "seed": ({"seed": -1}, "seed"),
    "metadata": ({"metadata": {str(at): "x" for at in range(17)}}, "metadata"),
    "metadata value": ({"metadata": {"k": "v" * 513}}, "metadata"),
    "integration": ({"integrations": [{"type": "mlflow"}]}, "integrations"),
    "unknown key": ({"extra_body": {"epochs": 3}}, "epochs"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_makes_no_job_and_names_the_parameter(client: Any, case: str) -> None:
    wrong, param = WRONG[case]
    right = {"model": "gpt-4o-mini", "training_file": uploaded(client)}
    with pytest.raises(openai.BadRequestError) as caught:
        client.fine_tuning.jobs.create(**right | wrong)
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"
    assert client.fine_tuning.jobs.list().data == []


def test_a_file_of_another_purpose_is_refused(client: Any) -> None:
    file = client.files.create(file=("a.jsonl", chats()), purpose="batch")
    with pytest.raises(openai.BadRequestError, match="batch"):
        client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"messages": [{"role": "usr", "content": "a"}, {"role": "assistant", "content": "b"}]}', "unknown role"),
        (b"{broken", "invalid-json"),
        (b'{"messages": 3}', "messages-not-a-list"),
    ],
)
def test_data_that_does_not_hold_fails_the_job_and_the_line_is_named(client: Any, line: bytes, told: str) -> None:
    lines = chats(14).splitlines()
    lines[3] = line
    job = tuned(client, b"\n".join(lines))
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_training_file", "training_file")
    assert "line 4" in job.error.message
    assert told in job.error.message
    assert "set.jsonl" in job.error.message
    assert client.fine_tuning.jobs.list_events(job.id).data[0].level == "error"
    assert job.fine_tuned_model is None
    assert job.result_files == []


def test_nine_examples_are_too_few(client: Any) -> None:
    job = tuned(client, chats(9))
    assert job.status == "failed"
    assert job.error.code == "invalid_n_examples"
    assert "9 example(s), but must have at least 10" in job.error.message


def test_a_validation_file_that_does_not_hold_is_named_as_such(client: Any) -> None:
    bad = uploaded(client, b'{"messages": []}\n')
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=uploaded(client), validation_file=bad)
    error = finished(client, job.id).error
    assert (error.code, error.param) == ("invalid_validation_file", "validation_file")


def test_jobs_are_cancelled_paused_and_resumed_while_they_live(client: Any) -> None:
    jobs = client.fine_tuning.jobs
    job = jobs.create(model="gpt-4o-mini", training_file=uploaded(client))
    with pytest.raises(openai.BadRequestError, match="paused"):
        jobs.pause(job.id)
    jobs.retrieve(job.id)
    assert jobs.pause(job.id).status == "paused"
    assert [jobs.retrieve(job.id).status for _ in range(5)] == ["paused"] * 5
    assert jobs.resume(job.id).status == "queued"
    assert jobs.retrieve(job.id).status == "running"
    assert jobs.cancel(job.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="cannot be cancelled"):
        jobs.cancel(job.id)
    assert finished(client, job.id).finished_at is not None
    with pytest.raises(openai.NotFoundError):
        jobs.cancel("ftjob-nowhere")


def test_jobs_are_listed_newest_first_and_found_by_metadata(client: Any) -> None:
    file = uploaded(client)
    ids = [
        client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file, metadata={"n": str(at), "all": "x"}).id
        for at in range(4)
    ]
    assert [each.id for each in client.fine_tuning.jobs.list(limit=3)] == ids[::-1]
    assert [each.id for each in client.fine_tuning.jobs.list(metadata={"n": "2"})] == [ids[2]]
    assert [each.id for each in client.fine_tuning.jobs.list(metadata={"n": "2", "all": "y"})] == []
    with pytest.raises(openai.BadRequestError, match="limit"):
        client.fine_tuning.jobs.list(limit=0)


def test_preferences_train_by_dpo_and_only_by_it(client: Any) -> None:
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": f"Greet {at} people"}]},
            "preferred_output": [{"role": "assistant", "content": f"Hello to all {at} of you!"}],
            "non_preferred_output": [{"role": "assistant", "content": f"hi {at}"}],
        }
        for at in range(12)
    ]
    data = "\n".join(map(json.dumps, rows)).encode()
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    job = tuned(client, data, "gpt-4.1", method=method)
    assert job.status == "succeeded"
    assert job.method.dpo.hyperparameters.beta == 0.2
    said = client.chat.completions.create(
        model=job.fine_tuned_model, messages=[{"role": "user", "content": "Greet 7 people"}], temperature=0
    )
    assert said.choices[0].message.content == "Hello to all 7 of you!"
    assert tuned(client, data, "gpt-4.1").status == "failed"
