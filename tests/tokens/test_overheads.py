"""What chat formats add, by named and dated rules."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import UsageError
from ftprep.tokens import (
    CHAT_RULES,
    TEMPLATE_RULES,
    TOOL_RULES,
    Counter,
    chat_overhead,
    encoding_for_model,
    family_of,
)
from ftprep.tokens.overheads import FAMILIES, Confidence


@pytest.mark.parametrize(
    ("messages", "names", "rule", "tokens"),
    [
        (3, 0, "openai-chat", 12),
        (3, 2, "openai-chat", 14),
        (3, 2, "openai-chat-0301", 13),
        (2, 1, "openai-data-prep", 10),
        (2, 1, "llmcomp", 9),
        (2, 1, "prompt-completion", 0),
        (0, 0, "openai-chat", 3),
    ],
)
def test_the_overhead_of_an_example(messages: int, names: int, rule: str, tokens: int) -> None:
    assert chat_overhead(messages, names, rule) == tokens


# The example of the cookbook's notebook on counting tokens: role, name, content.
COOKBOOK_EXAMPLE = [
    (
        "system",
        "",
        "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    ),
    ("system", "example_user", "New synergies will help drive top-line growth."),
    ("system", "example_assistant", "Things working well together will increase revenue."),
    (
        "system",
        "example_user",
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    ),
    ("system", "example_assistant", "Let's talk later when we're less busy about how to do better."),
    ("user", "", "This late pivot means we don't have time to boil the ocean for the client deliverable."),
]


@pytest.mark.parametrize(("model", "tokens"), [("gpt-4o", 124), ("gpt-4o-mini", 124), ("gpt-4", 129)])
def test_the_cookbooks_example_counts_what_the_api_counted(model: str, tokens: int) -> None:
    counter = Counter(encoding_for_model(model).encoding)
    counts = counter.count([text for message in COOKBOOK_EXAMPLE for text in message])
    names = sum(1 for _, name, _ in COOKBOOK_EXAMPLE if name)
    assert sum(counts) + chat_overhead(len(COOKBOOK_EXAMPLE), names) == tokens


@given(st.sampled_from(sorted(CHAT_RULES)), st.integers(0, 99), st.integers(0, 99))
def test_messages_and_names_add_up(rule: str, messages: int, names: int) -> None:
    once = chat_overhead(0, 0, rule)
    assert chat_overhead(messages, names, rule) + once == chat_overhead(messages, 0, rule) + chat_overhead(
        0, names, rule
    )


def test_an_unknown_rule_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no rule named 'chatml'") as caught:
        chat_overhead(1, 0, "chatml")
    assert all(rule in caught.value.hint for rule in CHAT_RULES)


@pytest.mark.parametrize("rule", [*CHAT_RULES.values(), *TOOL_RULES.values()], ids=[*CHAT_RULES, *TOOL_RULES])
def test_every_rule_says_where_and_when_it_was_read(rule: object) -> None:
    assert getattr(rule, "source", "")
    assert getattr(rule, "confidence", "") in get_args(Confidence)
    assert getattr(rule, "as_of", date.min) >= date(2026, 11, 20)


def test_tool_rules_differ_only_in_what_a_function_costs() -> None:
    new, old = TOOL_RULES["openai-tools-4o"], TOOL_RULES["openai-tools-4"]
    assert (new.per_function, old.per_function) == (7, 10)
    assert (new.properties_start, new.per_property, new.enum_start, new.per_enum_item, new.end) == (3, 3, -3, 3, 12)
    assert "gpt-4o" in new.models
    assert "gpt-4" in old.models


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", ("llama-3", "llama-3")),
        ("Llama-3.2-1B", ("llama-3", "llama-3.1")),
        ("Qwen/Qwen2.5-0.5B-Instruct/", ("chatml", "qwen2.5")),
        ("qwen/qwen3-8b", ("chatml", "chatml")),
        ("unknown/model", ("", "")),
        ("", ("", "")),
        (None, ("", "")),
    ],
)
def test_the_family_of_a_model(model: str | None, family: tuple[str, str]) -> None:
    assert family_of(model) == family


def test_families_have_layouts_and_rules_that_there_are() -> None:
    from ftprep.rendering import LAYOUTS

    for start, layout, rule in FAMILIES:
        assert layout in LAYOUTS, start
        assert not rule or rule in TEMPLATE_RULES, start
    starts = [start for start, _, _ in FAMILIES]
    assert not [b for n, a in enumerate(starts) for b in starts[n + 1 :] if b.startswith(a)]
    assert {layout.rule for layout in LAYOUTS.values()} - {""} <= {*TEMPLATE_RULES, *CHAT_RULES}
