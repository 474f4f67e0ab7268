"""A chunk's examples together: what is told of all texts at once is what each of them would tell."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ftprep.batch import Batch
from ftprep.model import Chat, Message, Pair, Row

TEXT = st.sampled_from(["", " ", "\0", "a\0b", "Lima", "é\0", "答案", "<|im_end|>", "\u3000"])
MARKS = (re.compile(r"\|(?<=<\|)"), re.compile("答"))


def rows_of(parts: list[list[str]]) -> list[Row]:
    """Pairs where there are two texts, conversations elsewhere."""
    rows = []
    for n, texts in enumerate(parts):
        roles = ("user", "assistant")
        chat = Chat([Message(roles[i % 2], text) for i, text in enumerate(texts)])  # type: ignore[arg-type]
        rows.append(Row(n, n + 1, example=Pair(texts[0], texts[1]) if len(texts) == 2 else chat))
    return rows


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), max_size=6))
def test_what_is_told_of_all_texts(parts: list[list[str]]) -> None:
    batch = Batch([*rows_of(parts), Row(9, 9)])
    texts = [text for part in parts for text in part]
    assert batch.texts == texts
    assert batch.has_nul == any("\0" in text for text in texts)
    assert batch.holds(MARKS) == any(mark.search(text) for mark in MARKS for text in texts)
    chats = [part for part in parts if len(part) != 2]
    assert len(batch.hollow) == sum(any(not t or t.isspace() for t in part) for part in chats)
    assert sum(map(len, batch.casts)) == len(batch.chats) == len(chats)
    assert len(batch.of(("chat", "completion"))) == len(parts)
    assert len(batch.of(("completion",))) == len(batch.pairs) == len(parts) - len(chats)
