"""Finding a target: names, models, methods, dates, messages; and that it travels."""

from __future__ import annotations

import pickle
import time
from datetime import date

import pytest

from ftprep.errors import UsageError
from ftprep.targets import Message, find_target
from ftprep.targets.catalogue import DATA, _load
from ftprep.targets.file import load

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("selector", "name", "model"),
    [
        ("openai", "openai", None),
        (" OpenAI ", "openai", None),
        ("gemini", "vertex", None),
        ("azure_openai", "azure", None),
        ("openai:gpt-4o-mini", "openai", "gpt-4o-mini-2024-07-18"),
        ("openai:GPT-4o-Mini-2024-07-18", "openai", "gpt-4o-mini-2024-07-18"),
        ("openai:ft:gpt-4o-mini-2024-07-18:org::id", "openai", "gpt-4o-mini-2024-07-18"),
        ("openai:ft:gpt-4.1-2025-04-14:org:name:id:ckpt-step-9", "openai", "gpt-4.1-2025-04-14"),
        ("openai:babbage-002:ft-org-2023-01-01", "openai", "babbage-002"),
        ("azure:gpt-4o-2024-08-06.ft-0e208cf3", "azure", "gpt-4o-2024-08-06"),
        ("together:deepseek-ai/DeepSeek-V3.1", "together", "DeepSeek-V3.1"),
        ("fireworks:accounts/fireworks/models/qwen3-8b", "fireworks", "qwen3-8b"),
        ("bedrock-nova:amazon.nova-lite-v1:0:300k", "bedrock-nova", "amazon.nova-lite-v1:0:300k"),
    ],
)
def test_names_and_models(selector: str, name: str, model: str | None) -> None:
    target = find_target(selector)
    assert (target.name, target.model) == (name, model)
    assert target.value("model.known") is (None if model is None else True)


@pytest.mark.parametrize(
    ("selector", "message", "hint"),
    [
        ("opnai", "no target is called 'opnai'", "did you mean 'openai'?"),
        ("", "no target is called ''", "`ftprep target` lists them"),
        ("gpt-4o-mini", "no target is called 'gpt-4o-mini'", "openai:gpt-4o-mini"),
        ("bedrock", "stands for several", "name one of them"),
        ("openai:", "names no model", "openai alone"),
        ("none.toml", "no such file", "`ftprep target` lists"),
        ("../data/openai", "no target is called", "lists them"),
    ],
)
def test_wrong_names(selector: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        find_target(selector)
    assert message in error.value.message
    assert hint in error.value.hint


def test_bedrock_names_the_five() -> None:
    with pytest.raises(UsageError, match="bedrock-nova, bedrock-titan, bedrock-llama, bedrock-rft, bedrock-haiku"):
        find_target("bedrock:x")


def test_a_model_that_is_not_listed_is_told_not_refused() -> None:
    target = find_target("openai:gpt-4o-mimi")
    known, near = target.get("model.known"), target.get("model.nearest")
    assert known is not None
    assert near is not None
    assert (target.model, known.value, known.rejects) == ("gpt-4o-mimi", False, False)
    assert "gpt-4o-mini-2024-07-18" in near.value
    assert target.value("file.min_rows") == 10
    # A trainer lists no models, so of none anything can be said.
    assert find_target("trl:anything").get("model.known") is None


def test_the_method_is_that_asked_for_or_the_first_there_is() -> None:
    assert find_target("openai").method == "supervised"
    assert find_target("bedrock-rft").method == "reinforcement"
    assert find_target("openai:o4-mini").method == "reinforcement"
    refused = find_target("openai", "kto")
    assert (refused.method, refused.value("method.offered")) == ("kto", False)
    assert refused.get("record.shape") is None


def test_another_method_of_the_same_target_and_model() -> None:
    target = find_target("together:DeepSeek-V4-Flash")
    other = target.with_method("dpo")
    assert (other.name, other.model, other.method) == (target.name, target.model, "dpo")
    assert (target.value("record.shape"), other.value("record.shape")) == ("chat", "preference")
    assert other.with_method("supervised") == target
    assert target.with_method("supervised") is target


def test_a_target_travels_and_can_be_a_key() -> None:
    for selector in ("openai:gpt-4o-mini", "together", "trl"):
        target = find_target(selector)
        data = pickle.dumps(target)
        assert pickle.loads(data) == target
        assert hash(target) == hash(find_target(selector))
        assert len(data) < 20_000


def test_dates_past_and_to_come() -> None:
    dated = find_target("openai").dated(TODAY)
    assert [each[1] for each in dated] == [date(2026, 5, 7), date(2026, 7, 2), date(2027, 1, 6)]
    assert [each[0] for each in dated] == [
        "no new jobs for newcomers since",
        "no new jobs for idle organisations since",
        "no new jobs from",
    ]
    assert find_target("openai").dated(date(2027, 1, 6))[-1][0] == "no new jobs since"
    assert find_target("trl").dated(TODAY) == []


@pytest.mark.parametrize(
    ("selector", "today", "state"),
    [
        ("openai", TODAY, "closes on 2027-01-06"),
        ("openai", date(2027, 1, 6), "closed since 2027-01-06"),
        ("openai:gpt-4.1-nano", TODAY, "closed since 2026-10-23"),
        ("cohere", TODAY, "closed since 2025-09-15"),
        ("databricks", TODAY, "closed since 2026-08-14"),
        ("bedrock-haiku", TODAY, "closed since 2026-03-10"),
        ("together", TODAY, "open"),
        ("mistral", TODAY, "deprecated"),
        ("trl", TODAY, "local"),
    ],
)
def test_states(selector: str, today: date, state: str) -> None:
    assert find_target(selector).state(today) == state


def test_what_a_provider_says() -> None:
    target = find_target("openai")
    said = target.message_for("FMT131", record=3, key="{line}")
    assert isinstance(said, Message)
    assert said.text.endswith('Example 3 contains an extra "{line}".')
    assert said.confidence == "third party"
    assert target.cite(said).startswith("error texts quoted")
    assert target.message_for("SEP101") is None
    assert target.message_for("TOK101") == target.message_for("TOK101", other=1)
    few = target.message_for("FMT170")
    assert few is not None
    assert few.text.startswith("Training file has … example(s)")


def test_what_it_says_depends_on_the_method() -> None:
    chat, preference = find_target("openai"), find_target("openai", "dpo")
    told = [t.message_for("FMT175", record=1) for t in (chat, preference)]
    assert [each and each.text for each in told] == [
        "Invalid file format. Example 1 is missing key 'messages'",
        "Invalid file format. Example 1 is missing key 'input'.",
    ]
    full = chat.message_for("FMT106", record=1, message=2)
    assert full is not None
    assert full.text == "Invalid file format. Example 1, message 2 Discriminator 'role' is missing in value"


def test_braces_that_are_no_place_stay() -> None:
    said = find_target("bedrock-titan").message_for("FMT101", place="line 3")
    assert said is not None
    assert said.text == 'Input data at line 3 must follow \'{"prompt":…,"completion":…}\' format'


def test_where_a_fact_is_from_in_words() -> None:
    target = find_target("openai")
    assert target.cite("file.min_rows") == "OpenAI guide supervised-fine-tuning, after 2026-05-07"
    assert target.cite("no.such") == ""
    assert target.value("no.such", 5) == 5


def test_loading_is_fast() -> None:
    load(DATA / "trl.toml", own=False)  # what it imports is not meant
    best = []
    for _ in range(5):
        _load.cache_clear()
        start = time.perf_counter()
        find_target("openai:gpt-4o-mini")
        best.append(time.perf_counter() - start)
    assert min(best) < 0.03
