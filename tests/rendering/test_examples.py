"""Shapes of examples, which template holds for a target, and token counts that agree with those of a check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import A1, A2, COUNTER, MARKS, PLAIN, TALK, U1, U2, S, chats, template

from ftprep.errors import UsageError
from ftprep.model import Chat, Message, Pair, Preference, Stepwise, Unpaired
from ftprep.rendering import TRAIN, Template, find_template, render
from ftprep.rendering.measure import Vocabulary
from ftprep.rendering.template_file import read_template
from ftprep.targets import Fact, Target
from ftprep.tokens import chat_overhead


def marks(example: Any, **options: Any) -> list[tuple[str, list[str]]]:
    """Of each text of an example its label and what is trained on."""
    texts = render(example, find_template("chatml"), COUNTER, **options)
    return [(t.label, [s.text for s in t.segments if s.trained]) for t in texts]


def test_a_pair_goes_in_as_it_stands() -> None:
    (text,) = render(Pair("Is it? ->", " yes"), find_template(), COUNTER)
    assert [(s.text, s.kind, s.trained) for s in text.segments] == [
        ("Is it? ->", "text", False),
        (" yes", "text", True),
    ]
    assert (text.tokens, text.trained_tokens) == (sum(COUNTER.count(["Is it? ->", " yes"])), 1)
    (text,) = render(Pair("", "only this"), find_template("chatml"), COUNTER)
    assert [s.text for s in text.segments] == ["only this"]


def test_a_preference_has_two_texts() -> None:
    both = Preference(Chat([U1, A1, U2]), [A2], [Message("assistant", "Bad")])
    assert marks(both) == [("chosen", ["A2"]), ("rejected", ["Bad"])]
    assert marks(both, train="all")[0][1][0].startswith("<|im_start|>user")


@pytest.mark.parametrize(("label", "said"), [(True, "good"), (False, "bad")])
def test_an_unpaired_answer_has_its_label(label: bool, said: str) -> None:
    assert marks(Unpaired(Chat([S, U1]), [A1], label)) == [(said, ["A1"])]


def test_steps_are_trained_one_by_one() -> None:
    (text,) = render(Stepwise("What?", ["One.", "Two."], [True, False]), find_template(), COUNTER)
    assert text.text == "What?\nOne.\nTwo."
    assert text.roles == ("prompt", "step 1 (right)", "step 2 (wrong)")
    (text,) = render(Stepwise("What?", ["One.", "Two."], [True]), find_template(), COUNTER)
    assert text.roles == ("prompt", "step 1 (right)", "step")


@given(chats())
def test_the_sum_is_what_a_check_counts(chat: Chat) -> None:
    (text,) = render(chat, find_template(), COUNTER)
    words = [m.text for m in chat.messages] + [m.role for m in chat.messages]
    assert text.tokens == sum(COUNTER.count(words)) + chat_overhead(len(chat.messages), 0)


def test_names_tools_and_calls_are_counted_as_a_check_counts_them(tmp_path: Path) -> None:
    from ftprep import check
    from ftprep.plan import make_plan
    from ftprep.recipe import Recipe
    from ftprep.samples import samples_of

    record = {
        "messages": [
            {"role": "system", "content": "Be kind.", "name": "boss"},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "find", "arguments": '{"x": 1}'}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "42"},
            {"role": "assistant", "content": "It is 42."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "find",
                    "description": "Finds.",
                    "parameters": {"type": "object", "properties": {"x": {"type": "integer", "enum": [1, 2]}}},
                },
            }
        ],
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    counted = check(path).tokens
    (sample,) = samples_of(make_plan(str(path), Recipe())).examples
    (text,) = sample.texts
    assert (text.tokens, text.trained_tokens) == (counted.total, counted.trainable)


def _target(name: str, model: str | None = None, **facts: Any) -> Target:
    return Target(name, name, "supervised", model, facts={k.replace("__", "."): Fact(v) for k, v in facts.items()})


@pytest.mark.parametrize(
    ("target", "model", "layout", "rule"),
    [
        (None, None, "openai-chat", ""),
        (_target("openai", "gpt-4o-mini"), None, "openai-chat", ""),
        (_target("llmcomp-user", overhead__rule="llmcomp"), None, "openai-chat", "llmcomp"),
        (_target("trl"), None, "openai-chat", ""),
        (_target("trl"), "Qwen/Qwen2.5-7B-Instruct", "chatml", "qwen2.5"),
        (_target("trl", "meta-llama/Llama-3.1-8B-Instruct"), None, "llama-3", "llama-3.1"),
        (_target("llama-factory", "openai/gpt-oss-20b"), None, "harmony", "harmony"),
        (_target("axolotl", "mistralai/Mistral-7B-Instruct-v0.3"), None, "mistral-v3", ""),
        (_target("together", "google/gemma-3-4b-it"), None, "gemma-3", ""),
    ],
)
def test_the_template_of_a_target(target: Target | None, model: str | None, layout: str, rule: str) -> None:
    found = find_template("", target, model)
    assert (found.name, found.rule) == (layout, rule)
    is_open = target is not None and target.name in ("trl", "llama-factory", "axolotl", "together")
    assert any("--template gives" in n for n in found.notes) == is_open


def test_what_a_familys_template_adds_unseen_is_counted() -> None:
    (text,) = render(Chat([U1, A1]), find_template("", _target("trl", "Qwen/Qwen2.5-7B")), COUNTER)
    assert (text.beside, text.tokens) == (21, 21 + 2 * 5 + sum(COUNTER.count(["U1", "A1"])))
    (text,) = render(TALK, find_template("", _target("trl", "Qwen/Qwen2.5-7B")), COUNTER)
    assert text.beside == 0


def test_templates_are_found_in_the_files_of_a_model(tmp_path: Path) -> None:
    several = [{"name": "default", "template": PLAIN}, {"name": "tool_use", "template": MARKS}]
    found = template(tmp_path, several).file
    assert found
    assert (found.first, dict(found.special)) == ("default", {"bos_token": "<s>", "eos_token": "</s>"})
    assert set(found.templates) == {"default", "tool_use"}
    (tmp_path / "chat_template.jinja").write_text("of the file", encoding="utf-8")
    assert read_template(tmp_path).templates["default"] == "of the file"
    assert read_template(tmp_path / "tokenizer_config.json").templates["default"] == PLAIN
    assert read_template(tmp_path / "chat_template.jinja").special["bos_token"] == "<s>"


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"chat_template": 5}', '{"chat_template": [{"name": 1}]}', "{}", '{"chat_template": ""}', "\ud800"],
)
def test_files_without_a_template(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokenizer_config.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(UsageError):
        read_template(path)
    with pytest.raises(UsageError):
        read_template(tmp_path / "nothing")


def test_a_special_token_that_is_not_known_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.jinja"
    path.write_text(PLAIN, encoding="utf-8")
    found = find_template(str(path))
    assert found.file
    assert found.file.special == {"bos_token": "<bos_token>"}
    assert found.notes[0].startswith("bos_token is not known")


def _vocabulary(folder: Path) -> Path:
    """A tiny byte-level vocabulary with two control tokens."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "<user>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(["the cat sat on the mat"], trainer)
    made.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def test_a_vocabulary_counts_exactly(tmp_path: Path) -> None:
    path = _vocabulary(tmp_path)
    template(tmp_path, PLAIN)
    chat = Chat([Message("user", "the cat"), Message("assistant", "the mät \ud800")])
    chosen = find_template(str(tmp_path))
    (text,) = render(chat, chosen, COUNTER)
    starts = Vocabulary(path).starts(text.text)
    assert (text.tokens, text.exact, text.is_complete) == (len(starts), True, True)
    assert text.segments[0].tokens == 2  # <s> and <user>, each one token
    for limit in range(1, len(starts) + 2):
        (cut,) = render(chat, chosen, COUNTER, limit=limit)
        assert cut.text == text.text
        assert cut.tokens == len(starts)
        # A character of several tokens is cut off as a whole.
        assert min(limit, len(starts)) - 3 < cut.tokens - cut.cut_tokens <= limit


def test_a_file_that_is_no_vocabulary(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text('{"model": 5}', encoding="utf-8")
    with pytest.raises(UsageError, match="no tokenizer"):
        Vocabulary(tmp_path / "tokenizer.json")


def test_without_the_package_it_is_an_estimate_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    template(tmp_path, PLAIN)
    found = find_template(str(tmp_path))
    assert found.vocabulary is None
    assert any("ftprep[templates]" in n for n in found.notes)
    pytest.importorskip("jinja2")
    (text,) = render(TALK, found, COUNTER)
    assert (text.exact, text.is_complete) == (False, False)
    assert any("no vocabulary of an open model" in n for n in text.notes)


@given(chats(), st.sampled_from(TRAIN))
def test_values_are_json(chat: Chat, train: Any) -> None:
    (text,) = render(chat, Template(find_template("llama-3").layout), COUNTER, train=train, limit=20)
    told = json.loads(json.dumps(text.to_dict()))
    assert "".join(s["text"] for s in told["segments"]) == text.text
    assert told["trained_tokens"] == text.trained_tokens
