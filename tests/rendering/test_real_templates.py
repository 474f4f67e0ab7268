"""Layouts held against the templates that trl ships, where trl is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from render_samples import A1, COUNTER, TALK, U1

from ftprep.model import Chat
from ftprep.rendering import find_template, render

_TRL = importlib.util.find_spec("trl")
FOLDER = Path(_TRL.origin or "").parent / "chat_templates" if _TRL else Path("nowhere")
BEGINS = {"llama-3": "<|begin_of_text|>", "gemma": "<bos>", "gemma-3": "<bos>", "deepseek": "<｜begin▁of▁sentence｜>"}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="trl is not installed")


@pytest.mark.parametrize(
    ("layout", "file", "chat"),
    [
        ("chatml", "qwen2_5", TALK),
        ("llama-3", "llama3", TALK),
        ("gemma", "gemma", Chat([U1, A1])),
        ("gemma-3", "gemma3", TALK),
        ("phi-3", "phi3", TALK),
        ("deepseek", "deepseekv3", TALK),
        ("harmony", "gptoss", TALK),
    ],
)
def test_a_layout_is_what_the_template_makes(layout: str, file: str, chat: Chat) -> None:
    (ours,) = render(chat, find_template(layout), COUNTER)
    (theirs,) = render(chat, find_template(str(FOLDER / f"{file}.jinja")), COUNTER)
    text = theirs.text.replace("<bos_token>", BEGINS.get(layout, "")).replace("<eos_token>", "<|endoftext|>")
    assert text == ours.text
    assert [s.text for s in theirs.segments if s.trained] == [s.text for s in ours.segments if s.trained]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*_training.jinja")), ids=lambda p: p.stem)
def test_training_templates_tell_what_is_trained(path: Path) -> None:
    (text,) = render(TALK if "gemma_" not in path.name else Chat([U1, A1]), find_template(str(path)), COUNTER)
    learnt = "".join(s.text for s in text.segments if s.trained)
    if text.refused or any("is lost" in n for n in text.notes):
        pytest.skip("the template takes content as parts")
    assert "A1" in learnt
    assert "U1" not in learnt
