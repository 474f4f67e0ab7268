"""Examples with answers for the tests: read from the wire form with unknown keys aside, and made at random."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from ftprep.model import Chat, Message, Preference, Reinforcement, Stepwise, Unpaired
from ftprep.shapes.chat import CHAT_EXTRA, CHAT_KEYS, MESSAGE_KEYS

SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[2] / "shared") / "data"

KINDS: dict[str, type[msgspec.Struct]] = {
    "preference": Preference,
    "unpaired": Unpaired,
    "stepwise": Stepwise,
    "reinforcement": Reinforcement,
}

USER, REPLY, WORSE = Message("user", "Hi"), Message("assistant", "Hello."), Message("assistant", "Go away.")


def _aside(record: Any, known: frozenset[str] | set[str]) -> Any:
    if not isinstance(record, dict):
        return record
    told = {k: v for k, v in record.items() if k in known}
    extra = {k: v for k, v in record.items() if k not in known}
    return told | ({CHAT_EXTRA: extra} if extra else {})


def _messages(value: Any) -> Any:
    return [_aside(m, MESSAGE_KEYS) for m in value] if isinstance(value, (list, tuple)) else value


def read(record: dict[str, Any], shape: str) -> Any:
    """The example of a record in the wire form, unknown keys put aside; raises msgspec.ValidationError."""
    kind = KINDS[shape]
    told = _aside(record, {f.encode_name for f in msgspec.structs.fields(kind)} - {CHAT_EXTRA})
    if isinstance(told.get("input"), dict):
        told["input"] = _aside(told["input"], CHAT_KEYS)
        if "messages" in told["input"]:
            told["input"]["messages"] = _messages(told["input"]["messages"])
    for key in ("messages", "preferred_output", "non_preferred_output", "output"):
        if key in told:
            told[key] = _messages(told[key])
    return msgspec.convert(told, kind)


def resolves(record: Any, pointer: str) -> bool:
    """Whether a JSON pointer leads to something in a record."""
    here = record
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, Mapping) and key in here:
            here = here[key]
        elif isinstance(here, (list, tuple)) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            return False
    return True


TEXTS = st.text(max_size=5) | st.sampled_from(["Hi", "\n\nHuman: a\n\nAssistant: b", "a\nb", " x "])
CALLS = st.lists(
    st.builds(
        lambda n, name, text: {"id": n, "type": "function", "function": {"name": name, "arguments": text}},
        st.sampled_from(["call_1", "call_2", "x"]),
        st.sampled_from(["find", "say"]),
        st.sampled_from(["{}", '{"a": 1}', '{"a":1}', "no json"]),
    ),
    min_size=1,
    max_size=2,
)
PARTS = st.lists(
    st.builds(lambda t: {"type": "text", "text": t}, TEXTS)
    | st.sampled_from(
        [
            {"type": "image_url", "image_url": {"url": url}}
            for url in ("s3://b/a.jpg", "s3://b/a.jpeg", "https://a.b/c.png", "data:image/png;base64,AAAA")
        ]
    ),
    min_size=1,
    max_size=2,
)
_KEYS = {"name": st.just("ann"), "weight": st.sampled_from([0, 1]), "score": st.integers(0, 3)}


def messages(*roles: str) -> st.SearchStrategy[dict[str, Any]]:
    """Sound messages of some roles, as records have them."""
    plain = st.fixed_dictionaries({"role": st.sampled_from(roles), "content": TEXTS})
    rich = st.fixed_dictionaries({"role": st.sampled_from(roles), "content": TEXTS | PARTS}, optional=_KEYS)
    calls = st.fixed_dictionaries({"role": st.just("assistant"), "tool_calls": CALLS})
    answers = st.fixed_dictionaries(
        {"role": st.just("tool"), "content": TEXTS, "tool_call_id": st.sampled_from(["call_1", "call_2"])}
    )
    rare = st.one_of(*([rich] + [calls] * ("assistant" in roles) + [answers] * ("tool" in roles)))
    return st.one_of(plain, plain, plain, rare)


TOOLS = st.lists(
    st.sampled_from([{"type": "function", "function": {"name": "find"}}, {"name": "find", "strict": True}, {"x": 1}]),
    max_size=2,
)
INPUTS = st.fixed_dictionaries(
    {"messages": st.lists(messages("system", "developer", "user", "assistant", "tool"), max_size=4)},
    optional={"tools": TOOLS, "parallel_tool_calls": st.booleans(), "note": st.integers()},
)
OUTPUTS = st.lists(messages("assistant"), min_size=1, max_size=1) | st.lists(messages("assistant", "user", "tool"))
EXTRAS = {"id": st.integers(), "margin": st.floats(allow_nan=False), "chosen": st.text(max_size=2), "a/b": st.none()}
PREFERENCES = st.fixed_dictionaries(
    {"input": INPUTS, "preferred_output": OUTPUTS, "non_preferred_output": OUTPUTS}, optional=EXTRAS
)
UNPAIRED = st.fixed_dictionaries({"input": INPUTS, "output": OUTPUTS, "label": st.booleans()}, optional=EXTRAS)
STEPWISE = st.fixed_dictionaries(
    {"prompt": TEXTS, "completions": st.lists(TEXTS, max_size=3), "labels": st.lists(st.booleans(), max_size=3)},
    optional=EXTRAS,
)
REINFORCEMENT = st.fixed_dictionaries(
    {"messages": st.lists(messages("system", "developer", "user", "assistant", "tool"), min_size=1, max_size=4)},
    optional={"tools": TOOLS, "parallel_tool_calls": st.booleans(), "answer": TEXTS, **EXTRAS},
)
WIRE: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "preference": PREFERENCES,
    "unpaired": UNPAIRED,
    "stepwise": STEPWISE,
    "reinforcement": REINFORCEMENT,
}


def chat(*said: Message, **beside: Any) -> Chat:
    """A conversation."""
    return Chat(list(said), **beside)
