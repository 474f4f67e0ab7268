"""Conversations, templates and a tiny vocabulary that the tests of rendering share; a strategy for conversations."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from ftprep.model import Chat, Message
from ftprep.rendering import Template, render
from ftprep.rendering.template_file import read_template
from ftprep.tokens import Counter

COUNTER = Counter("o200k_base")
TODAY = date(2026, 11, 20)
S, U1, A1, U2, A2 = (
    Message("system", "S"),
    Message("user", "U1"),
    Message("assistant", "A1"),
    Message("user", "U2"),
    Message("assistant", "A2"),
)
TALK = Chat([S, U1, A1, U2, A2])

# Templates of our own, small enough to be read, each with one habit that real ones have.
PLAIN = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
TRIMS = "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}[end]{% endfor %}"
MARKS = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<assistant>{% generation %}{{ m.content }}</assistant>"
    "{% endgeneration %}{% else %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endif %}{% endfor %}"
)
LOSES_SYSTEM = "{% for m in messages if m.role != 'system' %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}"
ADDS_SYSTEM = "{% if messages[0].role != 'system' %}<system>You are a most helpful robot.</system>{% endif %}" + PLAIN
DATED = "<system>Today: {{ strftime_now('%d %b %Y') }}</system>" + PLAIN
REFUSES = "{% if messages[0].role == 'system' %}{{ raise_exception('No system here') }}{% endif %}" + PLAIN
LOOKS_INSIDE = (
    "{% for m in messages %}<{{ m.role }}>{% if m.content == 'A2' %}last: {% endif %}{{ m.content }}</{{ m.role }}>"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
REPEATS_UPPER = "{% for m in messages %}{{ m.content | upper }}\n{% endfor %}"
CALLS = (
    "{% for m in messages %}<{{ m.role }}>{% for c in m.tool_calls or [] %}"
    "{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{{ m.content or '' }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def template(folder: Path, source: Any = PLAIN, **settings: Any) -> Template:
    """A template in a folder with a tokenizer_config.json."""
    config = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": source} | settings
    folder.joinpath("tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return Template(file=read_template(folder))


def trained(example: Any, chosen: Template, **options: Any) -> list[str]:
    """The trained stretches of the one text of an example, neighbours joined."""
    (text,) = render(example, chosen, COUNTER, today=TODAY, **options)
    found, before = list[str](), False
    for segment in text.segments:
        if segment.trained and before:
            found[-1] += segment.text
        elif segment.trained:
            found.append(segment.text)
        before = segment.trained
    return found


words = st.text(st.characters(exclude_categories=()), max_size=30)


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    """Conversations that every layout takes but for their system message: in turns, with weights, any text."""
    count = draw(st.integers(1, 4))
    messages = [Message("system", draw(words))] if draw(st.booleans()) else []
    for _ in range(count):
        messages.append(Message("user", draw(words)))
        messages.append(Message("assistant", draw(words), weight=draw(st.sampled_from([None, 0, 1]))))
    return Chat(messages)
