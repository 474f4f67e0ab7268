"""The official SDK alone as the client: models, what they answer, keys, and Azure's way."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from sandbox_runs import Make, chats, finished, tuned

openai = pytest.importorskip("openai", reason="the official SDK is the client here: pip install openai")

pytest_plugins = ("sandbox_fixtures",)
pytestmark = pytest.mark.loopback


def test_models_are_listed_fetched_and_deleted(client: Any) -> None:
    name = tuned(client).fine_tuned_model
    assert {"gpt-4o-mini-2024-07-18", name} <= {each.id for each in client.models.list()}
    assert client.models.retrieve(name).owned_by == "sandbox"
    assert client.models.retrieve("gpt-4o-mini").id == "gpt-4o-mini"
    assert client.models.delete(name).deleted
    for call in (client.models.retrieve, client.models.delete):
        with pytest.raises(openai.NotFoundError):
            call(name)
    with pytest.raises(openai.PermissionDeniedError):
        client.models.delete("gpt-4o-mini")


def test_one_continues_from_a_tuned_model(client: Any) -> None:
    name = tuned(client).fine_tuned_model
    again = tuned(client, model=name)
    assert again.status == "succeeded"
    assert again.model == name
    assert again.fine_tuned_model != name


def test_a_tuned_model_answers_and_says_what_it_is(client: Any) -> None:
    name = tuned(client).fine_tuned_model
    asked = [{"role": "user", "content": "Item 900: it was superb"}]
    about = {"model": name, "messages": asked, "temperature": 0, "logprobs": True, "top_logprobs": 2}
    said = client.chat.completions.create(**about, max_tokens=1)
    assert said.choices[0].message.content == "positive"
    assert "stand-in: linear classifier over 2 classes" in said.system_fingerprint
    token = said.choices[0].logprobs.content[0]
    assert sum(math.exp(each.logprob) for each in token.top_logprobs) == pytest.approx(1, abs=1e-6)
    assert said.usage.completion_tokens == 1
    several = client.chat.completions.create(model=name, messages=asked, n=3, seed=5)
    assert len(several.choices) == 3
    base = client.chat.completions.create(model="gpt-4o-mini", messages=asked)
    assert "stand-in" in base.choices[0].message.content
    pieces = client.chat.completions.create(model=name, messages=asked, temperature=0, stream=True)
    assert "".join(each.choices[0].delta.content or "" for each in pieces) == "positive"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="ft:nobody", messages=asked)
    with pytest.raises(openai.NotFoundError, match="chat model"):
        client.completions.create(model=name, prompt="x")
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(model=name, messages=asked, temperature=3)


def test_text_completions_with_stop_and_logprobs(client: Any) -> None:
    rows = [{"prompt": f"Item {at} ->", "completion": f" {'yes' if at % 2 else 'no'} END"} for at in range(20)]
    name = tuned(client, "\n".join(map(json.dumps, rows)).encode(), "babbage-002").fine_tuned_model
    said = client.completions.create(model=name, prompt=["Item 3 ->", "Item 4 ->"], stop=[" END"], temperature=0)
    assert [each.text for each in said.choices] == [" yes", " no"]
    assert {each.finish_reason for each in said.choices} == {"stop"}
    first = client.completions.create(model=name, prompt="Item 3 ->", max_tokens=1, logprobs=2, temperature=0)
    choice = first.choices[0]
    assert (choice.text, choice.finish_reason) == (" yes", "length")
    assert choice.logprobs.token_logprobs[0] == max(choice.logprobs.top_logprobs[0].values())
    with pytest.raises(openai.NotFoundError, match="not a chat model"):
        client.chat.completions.create(model=name, messages=[{"role": "user", "content": "x"}])


def test_without_a_key_nobody_gets_in(make: Make) -> None:
    server = make(key="the-only-one")
    with openai.OpenAI(base_url=server.base_url, api_key="another", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.files.list()
        assert caught.value.code == "invalid_api_key"
        assert client.with_options(api_key="the-only-one").files.list().data == []
    assert "the-only-one" not in (server.folder / "journal.jsonl").read_text()


def test_results_may_come_as_base64(make: Make) -> None:
    import base64

    server = make(base64_results=True)
    with openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
        job = tuned(client)
        content = client.files.content(job.result_files[0]).read()
        assert base64.b64decode(content, validate=True).startswith(b"step,")


def test_azure_has_its_own_words(make: Make) -> None:
    server = make(profile="azure")
    with openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0) as client:
        file = client.files.create(file=("a.jsonl", b"\xef\xbb\xbf" + chats()), purpose="fine-tune")
        assert file.status == "pending"
        with pytest.raises(openai.BadRequestError, match="completed file import"):
            client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id)
        assert [client.files.retrieve(file.id).status for _ in range(2)] == ["pending", "processed"]
        extra = {"trainingType": "globalStandard"}
        job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file.id, extra_body=extra)
        assert (job.status, job.organization_id, job.result_files) == ("pending", None, None)
        job = finished(client, job.id)
        assert job.fine_tuned_model.startswith("gpt-4o-mini-2024-07-18.ft-")
        first, second = (client.fine_tuning.jobs.list_events(job.id).data[0].id for _ in range(2))
        assert first != second
    named = {"azure_endpoint": server.url, "api_version": "2024-10-21", "api_key": "any", "max_retries": 0}
    with openai.AzureOpenAI(**named) as old:
        assert old.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
        said = old.chat.completions.create(
            model=job.fine_tuned_model, messages=[{"role": "user", "content": "it was awful"}], temperature=0
        )
        assert said.choices[0].message.content == "negative"
