"""Templates of models: where the trained parts are and when that cannot be told, the traps, hostile templates."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render_samples import (
    A1,
    A2,
    ADDS_SYSTEM,
    CALLS,
    COUNTER,
    DATED,
    LOOKS_INSIDE,
    LOSES_SYSTEM,
    MARKS,
    PLAIN,
    REFUSES,
    REPEATS_UPPER,
    TALK,
    TRIMS,
    U1,
    U2,
    S,
    chats,
    template,
    trained,
)

from ftprep.errors import FtprepError
from ftprep.model import Chat, Function, Message, Reinforcement, TextPart, ToolCall
from ftprep.rendering import Rendered, find_template, render, render_many

pytest.importorskip("jinja2", reason="templates are rendered with jinja2")


def one(example: Chat, folder: Path, source: str, **options: object) -> Rendered:
    """The one text of an example."""
    (text,) = render(example, template(folder, source), COUNTER, **options)  # type: ignore[arg-type]
    return text


def test_a_template_and_its_special_tokens(tmp_path: Path) -> None:
    text = one(TALK, tmp_path, PLAIN)
    assert text.text == (
        "<s><system>S</system>\n<user>U1</user>\n<assistant>A1</assistant>\n<user>U2</user>\n<assistant>A2</assistant>\n"
    )
    assert [(s.text, s.message) for s in text.segments if s.kind == "text"] == [
        ("S", 0),
        ("U1", 1),
        ("A1", 2),
        ("U2", 3),
        ("A2", 4),
    ]
    assert [s.message for s in text.segments] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]


@pytest.mark.parametrize("source", [PLAIN, TRIMS, LOSES_SYSTEM, ADDS_SYSTEM, DATED])
def test_answers_are_found_without_a_tag(tmp_path: Path, source: str) -> None:
    assert trained(TALK, template(tmp_path, source)) == ["A1", "A2"]


@pytest.mark.parametrize(("weights", "learnt"), [((None, None), [0, 1]), ((0, 1), [1]), ((1, 0), [0]), ((0, 0), [])])
def test_the_tag_tells_the_trained_parts_and_weights_count(
    tmp_path: Path, weights: tuple[None, None], learnt: list[int]
) -> None:
    answers = [Message("assistant", a.content, weight=w) for a, w in zip((A1, A2), weights, strict=True)]
    chat = Chat([S, U1, answers[0], U2, answers[1]])
    marked = ["A1</assistant>", "A2</assistant>"]
    assert trained(chat, template(tmp_path, MARKS)) == [marked[n] for n in learnt]


def test_a_turn_with_two_marked_parts_belongs_to_one_answer(tmp_path: Path) -> None:
    source = MARKS.replace("</assistant>{% endgen", "{% endgeneration %}|{% generation %}</assistant>{% endgen")
    chat = Chat([S, U1, Message("assistant", "A1", weight=0), U2, A2])
    assert trained(chat, template(tmp_path, source)) == ["A2", "</assistant>"]


def test_blanks_that_a_template_takes_off(tmp_path: Path) -> None:
    chat = Chat([U1, Message("assistant", "  A1\n ")])
    assert trained(chat, template(tmp_path, TRIMS)) == ["A1"]
    assert trained(chat, template(tmp_path, PLAIN)) == ["  A1\n "]


def test_an_answer_that_stands_elsewhere_too_is_found_in_its_place(tmp_path: Path) -> None:
    chat = Chat(
        [Message("user", "a or user?"), Message("assistant", "a"), Message("user", "a"), Message("assistant", "a")]
    )
    text = one(chat, tmp_path, PLAIN)
    at, begins = 0, []
    for segment in text.segments:
        if segment.trained:
            begins.append(at)
        at += len(segment.text)
    assert begins == [text.text.index("<assistant>") + 11, text.text.rindex("<assistant>") + 11]


def test_a_template_that_looks_into_texts_is_followed_by_its_beginnings(tmp_path: Path) -> None:
    text = one(TALK, tmp_path, LOOKS_INSIDE)
    assert [s.text for s in text.segments if s.trained] == ["A1</assistant>", "last: A2</assistant>"]
    assert any("end token included" in n for n in text.notes)


def test_what_cannot_be_told_is_not_guessed(tmp_path: Path) -> None:
    chat = Chat([Message("user", "a ß"), Message("assistant", "Aß")])
    text = one(chat, tmp_path, REPEATS_UPPER)
    assert text.text == "A SS\nASS\n"
    assert not any(s.trained for s in text.segments)
    assert any("messages[1] cannot be told" in n for n in text.notes)


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (LOSES_SYSTEM, "the system text of messages[0] is lost: the template leaves it out"),
        (DATED, "the text depends on today's date: the same record is another text tomorrow"),
    ],
)
def test_traps_are_told(tmp_path: Path, source: str, note: str) -> None:
    assert note in one(TALK, tmp_path, source).notes
    assert note not in one(TALK, tmp_path, PLAIN).notes


def test_a_default_system_prompt_is_told(tmp_path: Path) -> None:
    told = 'the template adds a text of its own in front: "You are a most helpful robot."'
    assert told in one(Chat([U1, A1]), tmp_path, ADDS_SYSTEM).notes
    assert not any("of its own" in n for n in one(TALK, tmp_path, ADDS_SYSTEM).notes)


def test_reasoning_that_is_dropped_is_told(tmp_path: Path) -> None:
    chat = Chat([U1, Message("assistant", "A1", reasoning_content="because")])
    assert "the reasoning of messages[1] is lost: the template leaves it out" in one(chat, tmp_path, PLAIN).notes
    keeps = PLAIN.replace("{{ m.content }}", "{{ m.reasoning_content or '' }}{{ m.content }}")
    assert trained(chat, template(tmp_path, keeps)) == ["becauseA1"]


def test_what_a_template_refuses_is_the_reason_of_that_row_alone(tmp_path: Path) -> None:
    chosen = template(tmp_path, REFUSES)
    (refused,), (taken,) = render_many([TALK, Chat([U1, A1])], chosen, COUNTER)
    assert refused.refused == "the template does not take it: No system here"
    assert (taken.refused, [s.text for s in taken.segments if s.trained]) == ("", ["A1"])


def test_calls_are_trained_from_the_prompt_on(tmp_path: Path) -> None:
    call = ToolCall("c", "function", Function("find", '{"x": [1, "é"]}'))
    chat = Chat([U1, Message("assistant", tool_calls=[call]), Message("tool", "42", tool_call_id="c"), A2])
    assert trained(chat, template(tmp_path, CALLS)) == ['find({"x": [1, "é"]})<end>', "A2"]


def test_arguments_as_text_where_an_object_is_refused(tmp_path: Path) -> None:
    call = ToolCall("c", "function", Function("find", '{"x": 1}'))
    chat = Chat([U1, Message("assistant", "", tool_calls=[call]), Message("tool", "42"), A2])
    text = one(chat, tmp_path, CALLS.replace("c.function.arguments | tojson", "c.function.name + c.function.arguments"))
    assert 'find(find{"x": 1})' in text.text
    assert any("given as text" in n for n in text.notes)


def test_what_waits_for_an_answer_ends_with_the_prompt(tmp_path: Path) -> None:
    text = one(Reinforcement([U1]), tmp_path, PLAIN)
    assert text.text == "<s><user>U1</user>\n<assistant>"
    assert not any(s.trained for s in text.segments)


def test_parts_of_text_are_given_as_parts(tmp_path: Path) -> None:
    parts = PLAIN.replace("{{ m.content }}", "{% for p in m.content %}{{ p.text }};{% endfor %}")
    chat = Chat([Message("user", [TextPart("one"), TextPart("two")]), Message("assistant", [TextPart("A")])])
    assert one(chat, tmp_path, parts).text == "<s><user>one;two;</user>\n<assistant>A;</assistant>\n"
    assert trained(chat, template(tmp_path, parts)) == ["A"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(chats(), min_size=8, max_size=8))
def test_any_texts_are_rendered_and_found(tmp_path: Path, many: list[Chat]) -> None:
    for source, strips in ((PLAIN, False), (TRIMS, True)):
        for chat, (text,) in zip(many, render_many(many, template(tmp_path, source), COUNTER), strict=True):
            said = [m.text.strip() if strips else m.text for m in chat.messages]
            assert "".join(s.text for s in text.segments) == text.text
            learnt = [t for t, m in zip(said, chat.messages, strict=True) if m.is_trained and t.strip()]
            assert [s.text for s in text.segments if s.trained] == learnt


def test_line_ends_of_jinja_and_transformers_are_kept(tmp_path: Path) -> None:
    source = "  {% for m in messages %}\n{{ m.content }}\n  {% endfor %}\n"
    assert one(Chat([U1, A1]), tmp_path, source).text == "U1\nA1\n"


HOSTILE = {
    "many rounds": "{% for i in range(10**9) %}x{% endfor %}",
    "rounds in rounds": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "attributes": "{{ ''.__class__.__mro__ }}",
    "a long text": "{{ 'a' * 10**10 }}",
    "a long list": "{{ [1] * 10**10 }}",
    "doubling": "{% set n = namespace(a='x') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}{% endfor %}",
    "a power": "{{ 2 ** (10 ** 9) }}",
    "much output": "{% for i in range(99999) %}{{ 'x' * 999999 }}{% endfor %}",
    "a wide field": "{{ '%2000000000d' % 1 }}",
    "a wide line": "{{ 'x' | center(2000000000) }}",
    "format": "{{ '{:>2000000000}'.format(1) }}",
    "itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "depth": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "no template": "{% if %}",
    "files": "{% include '/etc/passwd' %}",
    "the messages": "{{ messages.clear() }}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_ends_soon_with_one_line(tmp_path: Path, name: str) -> None:
    chosen, began = template(tmp_path, HOSTILE[name]), time.monotonic()
    try:
        (text,), _ = render_many([TALK, TALK], chosen, COUNTER)
        told = text.refused
    except FtprepError as error:
        told = error.message
    assert time.monotonic() - began < 5  # two seconds on a machine that does nothing else
    assert told
    assert "\n" not in told


def test_what_is_unsafe_and_only_printed_prints_nothing(tmp_path: Path) -> None:
    text = one(TALK, tmp_path, "{{ ''.__class__ }}")
    assert text.text == ""
    assert len([n for n in text.notes if "is lost" in n]) == len(TALK.messages)


def test_nothing_of_a_template_is_taken_for_ours(tmp_path: Path) -> None:
    told = one(TALK, tmp_path, '{{ \'{"error": "late"}\' }}\n{"text": 1}')
    assert told.text == '{"error": "late"}\n{"text": 1}'


@pytest.mark.parametrize("name", ["chatmll", "no/such/file", "nothing.jinja"])
def test_a_name_that_is_neither(name: str) -> None:
    with pytest.raises(FtprepError) as caught:
        find_template(name)
    assert name in caught.value.message
