"""What holds for every dialect: it never raises, its pointers lead somewhere, and nothing is lost in silence."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from answered import WIRE, read, resolves
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.model import Chat, Message
from ftprep.shapes.dialect import Dialect, locate
from ftprep.shapes.dialects.preferences import PREFERENCES
from ftprep.shapes.dialects.rewards import REWARDS

DIALECTS = (*PREFERENCES, *REWARDS)
EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)

KEYS = (
    *("input", "messages", "preferred_output", "non_preferred_output", "preferred_completion", "output", "label"),
    *("prompt", "chosen", "rejected", "conversations", "instruction", "system", "history", "tools", "kto_tag"),
    *("rejected_response", "rejected_messages", "contents", "completions", "labels", "completion", "references"),
    *("systemInstruction", "system_instruction", "schemaVersion", "role", "content", "from", "value", "parts", "text"),
    *("candidates", "preferenceLabel", "score", "image", "source", "bytes", "s3Location", "uri", "x", "a/b~c"),
)
WORDS = st.sampled_from(
    [
        *("user", "assistant", "human", "gpt", "observation", "function_call", "model", "preferred", "", "[]"),
        *("\n\nHuman: a\n\nAssistant: b", '{"name": "f", "arguments": {}}', '[{"name": "f"}]', "{", "true"),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | WORDS | st.text(max_size=3)
THINGS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
TURNS = st.lists(
    st.fixed_dictionaries({"from": WORDS, "value": THINGS})
    | st.fixed_dictionaries({"role": WORDS, "content": THINGS})
    | st.fixed_dictionaries({"role": WORDS, "parts": st.lists(st.fixed_dictionaries({"text": SCALARS}))})
    | THINGS,
    max_size=4,
)
RECORDS = st.dictionaries(st.sampled_from(KEYS), THINGS | TURNS, max_size=6)


@EACH
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_a_record_holds_it_is_read_and_every_pointer_leads_somewhere(dialect: Dialect, data: Any) -> None:
    record = data.draw(RECORDS)
    before = repr(record)
    dialect.fits(record)
    parsed = dialect.parse(record)
    assert repr(record) == before
    for inner, outer in parsed.paths.items():
        assert resolves(parsed.record, inner), inner
        assert resolves(record, outer), outer


@EACH
@settings(max_examples=40)
@given(data=st.data())
def test_nothing_is_lost_in_silence(dialect: Dialect, data: Any) -> None:
    example = read(data.draw(WIRE[dialect.shape]), dialect.shape)
    written = dialect.write(example)
    if not written.losses:
        assert read(dialect.parse(written.record).record, dialect.shape) == example
    assert len(set(written.losses)) == len(written.losses)
    assert all(loss and "\x7f" not in loss for loss in written.losses)


@settings(max_examples=200)
@given(RECORDS)
def test_two_dialects_fit_only_where_both_read_the_same(record: dict[str, Any]) -> None:
    fitting = [d for d in DIALECTS if d.fits(record)]
    assert len({d.shape for d in fitting}) < 2, [d.name for d in fitting]
    assert len({repr(d.parse(record)) for d in fitting}) < 2, [d.name for d in fitting]


DEEP: Any = "x"
for _ in range(100_000):
    DEEP = [DEEP]


@EACH
@pytest.mark.parametrize(
    "value", [DEEP, {1: 2, None: 3}, object(), {"role": DEEP}, [DEEP, {"from": [], "value": DEEP}]]
)
def test_odd_values_raise_nothing(dialect: Dialect, value: Any) -> None:
    for other in (value, [value], [value, {"role": "user", "content": "a"}]):
        record = dict.fromkeys(KEYS, other)
        dialect.fits(record)
        assert dialect.parse(record).record
        for key in KEYS:
            only: dict[Any, Any] = {k: v for k, v in record.items() if k != key} | {1: 2}
            dialect.fits(only)
            dialect.parse(only)


@EACH
def test_a_dialect_is_a_plain_value(dialect: Dialect) -> None:
    assert pickle.loads(pickle.dumps(dialect)) == dialect
    assert dialect.name == dialect.name.lower()
    assert dialect.title
    with pytest.raises(TypeError, match="convert the example first"):
        dialect.write(Chat([Message("user", "Hi")]))


def test_names_stand_once() -> None:
    assert len({d.name for d in DIALECTS}) == len(DIALECTS) == 16


def test_pointers_lead_back() -> None:
    record = json.loads('{"chosen": [{"role": "user"}, {"role": "assistant"}], "rejected": [{"role": "user"}, {}]}')
    dialect = next(d for d in PREFERENCES if d.fits(record))
    parsed = dialect.parse(record)
    assert locate(parsed.paths, "/input/messages/0/content") == "/chosen/0/content"
    assert locate(parsed.paths, "/preferred_output/0") == "/chosen/1"
    assert locate(parsed.paths, "/non_preferred_output/0/role") == "/rejected/1/role"
