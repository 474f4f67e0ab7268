"""Plain text, and what the chat shape makes of the keys that Together and Fireworks have beside OpenAI's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Chat, Pair, Row
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.completion import PairShape
from ftprep.shapes.dialects.text import TextDialect

TEXT = TextDialect()


@given(st.text(), st.text())
def test_a_completion_alone_is_the_text(prompt: str, completion: str) -> None:
    written = TEXT.write(Pair("", completion))
    assert (written.record, written.losses) == ({"text": completion}, ())
    row = Row(0, 1, TEXT.parse(written.record).record)
    assert PairShape().read(row)
    assert row.example == Pair("", completion)
    both = TEXT.write(Pair(prompt, completion))
    assert both.record == {"text": prompt + completion}
    assert bool(both.losses) == bool(prompt)


def test_what_is_left_out_is_said() -> None:
    written = TEXT.write(Pair("Q: ", "A", {"topic": 3}))
    assert written.losses == ("where the prompt ends: it is trained on too", "the key 'topic'")
    assert written.record == {"text": "Q: A"}


def test_text_with_other_columns_is_left_to_the_columns() -> None:
    assert TEXT.fits({"text": "a"})
    assert not TEXT.fits({"text": "a", "label": 1})
    assert not TEXT.fits({"text": None})
    assert TEXT.parse({"text": "a", "completion": "b"}).record == {"text": "a", "completion": "b"}


USER = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content", "thinking"])
def test_thoughts_of_together_and_fireworks_need_no_dialect(key: str) -> None:
    record = {"messages": [USER, {"role": "assistant", "content": "Hello.", key: "Hm."}]}
    row = Row(0, 1, record)
    assert ChatShape().read(row)
    assert isinstance(row.example, Chat)
    assert row.example.messages[1].thought == getattr(row.example.messages[1], key) == "Hm."
    assert msgspec.json.decode(ChatShape().write(row.example)) == record


@pytest.mark.parametrize("weight", [0.5, 0, -1.5])
def test_the_weight_of_a_record_is_kept_beside_the_conversation(weight: float) -> None:
    record: dict[str, Any] = {"messages": [USER, {"role": "assistant", "content": "Hello."}], "weight": weight}
    assert not ChatShape().read(Row(0, 1, record)), "a rule says that OpenAI does not know the key"
    chat = ChatShape().read_loosely(record)
    assert isinstance(chat, Chat)
    assert chat.extra == {"weight": weight}
    assert msgspec.json.decode(ChatShape().write(chat)) == record
