"""Layouts: each as the sources state it, every text in it and in order, exactly the answers trained on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import A1, A2, COUNTER, TALK, TODAY, U1, U2, S, chats, trained

from ftprep.model import Chat, Function, Message, Reinforcement, ToolCall
from ftprep.rendering import LAYOUTS, Template, find_template, render

FOLDS = ("mistral-v1", "mistral-v3", "gemma-3")
"""Layouts in which the system text is part of a user's turn."""

IDENTITY = (
    "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
    "Current date: 2026-11-20\n\nReasoning: medium\n\n"
    "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>"
)
# Of TALK: system S, user U1, assistant A1, user U2, assistant A2.
STATED = {
    "chatml": (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
        "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\nA2<|im_end|>\n"
    ),
    "llama-3": (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nU1<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nA1<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nU2<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nA2<|eot_id|>"
    ),
    "mistral-v1": "<s> [INST] S\n\nU1 [/INST] A1</s> [INST] U2 [/INST] A2</s>",
    "mistral-v3": "<s>[INST] U1[/INST] A1</s>[INST] S\n\nU2[/INST] A2</s>",
    "mistral-v7": "<s>[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST] U1[/INST] A1</s>[INST] U2[/INST] A2</s>",
    "gemma-3": (
        "<bos><start_of_turn>user\nS\n\nU1<end_of_turn>\n<start_of_turn>model\nA1<end_of_turn>\n"
        "<start_of_turn>user\nU2<end_of_turn>\n<start_of_turn>model\nA2<end_of_turn>\n"
    ),
    "phi-3": (
        "<|system|>\nS<|end|>\n<|user|>\nU1<|end|>\n<|assistant|>\nA1<|end|>\n<|user|>\nU2<|end|>\n"
        "<|assistant|>\nA2<|end|>\n<|endoftext|>"
    ),
    "phi-4": (
        "<|im_start|>system<|im_sep|>S<|im_end|><|im_start|>user<|im_sep|>U1<|im_end|>"
        "<|im_start|>assistant<|im_sep|>A1<|im_end|><|im_start|>user<|im_sep|>U2<|im_end|>"
        "<|im_start|>assistant<|im_sep|>A2<|im_end|>"
    ),
    "deepseek": (
        "<｜begin▁of▁sentence｜>S<｜User｜>U1<｜Assistant｜>A1<｜end▁of▁sentence｜>"
        "<｜User｜>U2<｜Assistant｜>A2<｜end▁of▁sentence｜>"
    ),
    "harmony": (
        IDENTITY + "<|start|>developer<|message|># Instructions\n\nS\n\n<|end|><|start|>user<|message|>U1<|end|>"
        "<|start|>assistant<|channel|>final<|message|>A1<|end|><|start|>user<|message|>U2<|end|>"
        "<|start|>assistant<|channel|>final<|message|>A2<|return|>"
    ),
}
WAITING = {
    "chatml": "<|im_start|>assistant\n",
    "llama-3": "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma": "<start_of_turn>model\n",
    "phi-3": "<|assistant|>\n",
    "phi-4": "<|im_start|>assistant<|im_sep|>",
    "deepseek": "<｜Assistant｜><think>\n",
    "harmony": "<|start|>assistant",
}


@pytest.mark.parametrize("name", STATED)
def test_the_layout_is_as_stated(name: str) -> None:
    (text,) = render(TALK, find_template(name), COUNTER, today=TODAY)
    assert text.text == STATED[name]
    assert [s.text for s in text.segments if s.trained] == ["A1", "A2"]


def test_gemma_has_no_system_message() -> None:
    (text,) = render(TALK, find_template("gemma"), COUNTER)
    assert (text.refused, text.segments) == ("messages[0]: the layout gemma has no system message", ())
    (text,) = render(Chat([U1, A1]), find_template("gemma"), COUNTER)
    assert text.text == "<bos><start_of_turn>user\nU1<end_of_turn>\n<start_of_turn>model\nA1<end_of_turn>\n"


@pytest.mark.parametrize("name", WAITING)
def test_what_waits_for_an_answer_ends_with_the_prompt_for_it(name: str) -> None:
    (text,) = render(Reinforcement([U1, A1, U2]), find_template(name), COUNTER, today=TODAY)
    assert text.text.endswith(WAITING[name])
    assert not text.trained_tokens
    assert "no text of the record is trained on" in text.notes[-2] + text.notes[-1] + "".join(text.notes)


@given(chats(), st.sampled_from(sorted(LAYOUTS)))
def test_every_text_is_there_in_order_and_only_answers_are_trained(chat: Chat, name: str) -> None:
    if name == "gemma" or (name == "mistral-v3" and chat.messages[0].role == "system"):
        chat = Chat([m for m in chat.messages if m.role != "system"])
    (text,) = render(chat, Template(LAYOUTS[name]), COUNTER, today=TODAY)
    assert "".join(s.text for s in text.segments) == text.text
    at = 0
    for message in chat.messages:
        at = text.text.index(message.text, at) + len(message.text)
    learnt = [m.text for m in chat.messages if m.role == "assistant" and m.weight != 0 and m.text]
    assert [s.text for s in text.segments if s.trained] == learnt
    shown = [s.text for s in text.segments if s.kind == "text"]
    assert shown == [m.text for m in chat.messages if m.text]


@given(chats(), st.integers(1, 80), st.sampled_from(["openai-chat", "chatml", "mistral-v1"]))
def test_the_limit_cuts_the_end_and_nothing_else(chat: Chat, limit: int, name: str) -> None:
    (whole,) = render(chat, Template(LAYOUTS[name]), COUNTER)
    (text,) = render(chat, Template(LAYOUTS[name]), COUNTER, limit=limit)
    assert (text.text, text.tokens) == (whole.text, whole.tokens)
    flags = [s.cut for s in text.segments]
    assert flags == sorted(flags)
    assert bool(text.cut_tokens) == (whole.tokens > max(limit, whole.beside))
    assert whole.tokens - text.cut_tokens <= max(limit, whole.beside)
    first = next((n for n, s in enumerate(text.segments) if s.cut), 0)
    if first and text.segments[first].kind == "text" and text.segments[first - 1].kind == "text":
        assert whole.tokens - text.cut_tokens == limit
    assert all(s.text for s in text.segments)


def test_only_the_last_answer_or_everything() -> None:
    chatml = find_template("chatml")
    assert trained(TALK, chatml, train="last") == ["A2"]
    assert trained(TALK, chatml, train="all") == [STATED["chatml"]]
    weighted = Chat([U1, A1, U2, Message("assistant", "A2", weight=0)])
    assert trained(weighted, chatml, train="last") == []
    assert trained(weighted, chatml) == ["A1"]


def test_reasoning_is_in_harmony_of_the_last_answer_and_else_told_to_be_left_out() -> None:
    first, last = Message("assistant", "A1", reasoning_content="R1"), Message("assistant", "A2", thinking="R2")
    talk = Chat([U1, first, U2, last])
    (text,) = render(talk, find_template("harmony"), COUNTER, today=TODAY)
    assert (
        "<|channel|>analysis<|message|>R2<|end|><|start|>assistant<|channel|>final<|message|>A2<|return|>" in text.text
    )
    assert "R1" not in text.text
    assert any("reasoning of messages[1]" in n for n in text.notes)
    (text,) = render(talk, find_template("chatml"), COUNTER)
    assert [n for n in text.notes if "reasoning" in n] == [
        f"the reasoning of messages[{n}] has no place in this layout and is left out" for n in (1, 3)
    ]


def test_calls_are_shown_as_they_are_counted_and_refused_by_layouts_of_open_models() -> None:
    call = ToolCall("c", "function", Function("find", '{"x": 1}'))
    tool = {"type": "function", "function": {"name": "find", "description": "Finds."}}
    talk = Chat(
        [U1, Message("assistant", tool_calls=[call]), Message("tool", "42", tool_call_id="c"), A1], tools=[tool]
    )
    (text,) = render(talk, find_template(), COUNTER)
    assert [s.text for s in text.segments if s.kind == "call"] == ["find", '{"x": 1}']
    assert [s.text for s in text.segments if s.kind == "tools"] == ["find:Finds"]
    for name in sorted(set(LAYOUTS) - {"openai-chat"}):
        (text,) = render(talk, find_template(name), COUNTER)
        assert "messages[1] calls a tool" in text.refused, name


@pytest.mark.parametrize(
    ("name", "tokens"), [("llama-3", 1 + 5 * 5), ("chatml", 5 * 5), ("harmony", 61 + 3 * 4 + 2 * 6)]
)
def test_measured_overheads(name: str, tokens: int) -> None:
    (text,) = render(TALK, find_template(name), COUNTER, today=TODAY)
    words = sum(COUNTER.count(["S", "U1", "A1", "U2", "A2"]))
    assert text.tokens == words + tokens
    assert text.is_complete
    assert sum(m.tokens for m in text.by_message()) + (1 if name == "llama-3" else 61 if name == "harmony" else 0) == (
        text.tokens
    )


def test_an_empty_conversation_and_odd_ones() -> None:
    odd = Chat([A1, A2, Message("function", None, name="f"), Message("user", []), S, Message("developer", "D")])
    for name in LAYOUTS:
        for chat in (Chat([]), odd, Chat([S])):
            (text,) = render(chat, find_template(name), COUNTER)
            assert text.refused or text.text == "".join(s.text for s in text.segments)
