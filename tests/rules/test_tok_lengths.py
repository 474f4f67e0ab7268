"""TOK102, 103, 107, 108: limits of recipe and target, what is left of an answer, and how severe that is."""

from __future__ import annotations

from typing import Any

import pytest

import ftprep
from ftprep.model import Chat, Fault, Message, Pair, Preference, Row
from ftprep.recipe import Recipe
from ftprep.rule import RowRule
from ftprep.rules import tok_lengths
from ftprep.setting import Setting
from ftprep.targets import Fact, Target
from ftprep.tokens import Counter, chat_overhead

RULES: dict[str, RowRule] = {kind.card.code: kind() for kind in tok_lengths.RULES}


def known(limit: int | None = None, token_limit: int | None = None, **facts: Fact) -> Setting:
    told = {path.replace("__", "."): fact for path, fact in facts.items()}
    if limit is not None:
        told["limits.context"] = Fact(limit, source="O-ctx", date="late 2024")
    recipe = Recipe(token_limit=token_limit)
    return Setting(recipe, target=Target("openai", "OpenAI", "supervised", "gpt-4o", facts=told))


def counted(example: Any) -> Row:
    """A row with its tokens, counted as a run does."""
    row = Row(0, 1, example=example)
    counter = Counter("o200k_base", "tiktoken")
    if isinstance(example, Pair):
        row.trainable = sum(counter.count([example.completion]))
        row.tokens = row.trainable + sum(counter.count([example.prompt]))
        return row
    row.speech = speech = example.speech()
    own = counter.count(speech.texts)
    row.trainable = sum(n for n, trained in zip(own, speech.trained, strict=True) if trained)
    roles = speech.cast.roles
    row.tokens = sum(own) + chat_overhead(len(roles), speech.names) + sum(counter.count(roles))
    return row


def found(code: str, example: Any, setting: Setting) -> list[Fault]:
    return list(RULES[code].check(counted(example), setting))


def test_the_recipe_goes_before_the_target() -> None:
    assert known(100).token_limit == 100
    assert known(100, 50).token_limit == 50
    assert known(100, 50).limit_fact is None
    assert known().token_limit is None
    assert known(limits__context=Fact("unknown")).token_limit is None
    assert Setting().token_limit is None


def test_the_message_names_the_source() -> None:
    (fault,) = found("TOK102", Pair("a", " once" * 200), known(100))
    assert fault.message == "201 tokens, 101 more than the limit of 100 (openai, gpt-4o: O-ctx, late 2024)"
    (fault,) = found("TOK102", Pair("a", " once" * 200), known(token_limit=100))
    assert fault.message == "201 tokens, 101 more than the limit of 100"
    (fault,) = found("TOK103", Pair("a", " once" * 97), known(100))
    assert fault.message.endswith("the limit is 100 (openai, gpt-4o: O-ctx, late 2024)")


@pytest.mark.parametrize(
    ("confidence", "severities"),
    [("source read", ["error", "info", "error"]), ("conflict", ["warning", "info", "warning"])],
)
def test_only_what_was_read_in_a_source_makes_an_error(confidence: Any, severities: list[str]) -> None:
    setting = known(limits__context=Fact(100, confidence))
    assert [RULES[code].severity(setting) for code in ("TOK102", "TOK103", "TOK107")] == severities
    assert RULES["TOK102"].severity(known(token_limit=5)) == "error"


def test_what_is_missing_is_said() -> None:
    assert "--token-limit" in RULES["TOK102"].ready(Setting())
    assert "openai" in RULES["TOK102"].ready(known())
    assert RULES["TOK107"].ready(known(10)) == ""
    assert "start" in RULES["TOK107"].ready(known(10, limits__cut=Fact("start")))
    assert RULES["TOK108"].ready(Setting())


def test_a_prompt_that_fills_the_limit() -> None:
    long = " once" * 100
    assert found("TOK107", Pair(long, " END"), known(100))[0].message.startswith("the prompt alone has 100 tokens")
    assert found("TOK107", Pair(long, " END"), known(101)) == []
    assert found("TOK107", Pair("a", long), known(50)) == []


def talk(*said: tuple[str, str]) -> list[Message]:
    return [Message(role, text) for role, text in said]  # type: ignore[arg-type]


def test_what_stands_before_the_first_reply() -> None:
    one = Chat(talk(("user", " once" * 100), ("assistant", "No.")))
    (fault,) = found("TOK107", one, known(104))  # the words, the role, and three tokens of the message
    assert fault.message.startswith("before the first reply stand 104 tokens")
    assert found("TOK107", one, known(105)) == []
    later = Chat(talk(("user", "a"), ("assistant", "No."), ("user", " once" * 200), ("assistant", "Yes.")))
    assert found("TOK107", later, known(100)) == []  # the first reply is whole
    held = Chat(
        [Message("user", "a"), Message("assistant", " once" * 200, weight=0), *talk(("user", "b"), ("assistant", "c"))]
    )
    assert len(found("TOK107", held, known(100))) == 1
    nothing = Chat(talk(("user", " once" * 200)))
    assert found("TOK107", nothing, known(100)) == []


def test_the_question_of_a_preference() -> None:
    question = Chat(talk(("user", " once" * 100)))
    pair = Preference(question, talk(("assistant", "A")), talk(("assistant", "B")))
    assert len(found("TOK107", pair, known(104))) == 1
    assert found("TOK107", pair, known(105)) == []


def test_answers_that_are_longer_than_a_model_gives() -> None:
    setting = known(limits__output=Fact(50, source="C", date="2024"))
    (fault,) = found("TOK108", Pair("a", " once" * 51), setting)
    assert fault.message == "an answer of 51 tokens, the most is 50 (openai, gpt-4o: C, 2024)"
    assert found("TOK108", Pair("a", " once" * 50), setting) == []
    many = talk(("user", "a"), ("assistant", " once" * 40), ("user", "b"), ("assistant", " once" * 60))
    assert [f.pointer for f in found("TOK108", Chat(many), setting)] == ["/messages/3"]
    pair = Preference(Chat(many[:3]), many[3:], talk(("assistant", "B")))
    assert [f.pointer for f in found("TOK108", pair, setting)] == ["/preferred_output/0"]


def test_counts_agree_with_those_of_a_run() -> None:
    record = {"messages": [{"role": "user", "content": " once" * 100}, {"role": "assistant", "content": "No."}]}
    report = ftprep.check([record], {"token-limit": 104})
    assert {f.code for f in report.findings} >= {"TOK102", "TOK107"}
    assert "TOK107" not in {f.code for f in ftprep.check([record], {"token-limit": 105}).findings}
