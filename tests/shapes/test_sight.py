"""What is told by a glance is what asking all dialects tells."""

from __future__ import annotations

import ast
import itertools
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

sight = import_module("ftprep.shapes.sight")  # the package has a function of this name
TALK = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
VALUES: tuple[Any, ...] = (
    *(
        "a text",
        "",
        7,
        0.5,
        True,
        None,
        [],
        ["a"],
        [1, 2],
        {"a": 1},
        [["a", "b"]],
        '[{"role": "user", "content": "x"}]',
    ),
    *([{"role": "user", "content": "x"}], [{"from": "human", "value": "x"}], {"role": "assistant", "content": "x"}),
)


def _keys_of_dialects() -> list[str]:
    """Every text in the code of the shapes that could be a key of a record."""
    files = Path(str(sight.__file__)).parent.rglob("*.py")
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted(text for text in texts if text.isidentifier() and text != "messages")


def _by_asking(record: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patched:
        patched.setattr(sight, "_usual", lambda record: "")
        return str(sight.sight(record))


def test_no_key_beside_messages_is_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = _keys_of_dialects()
    assert len(keys) > 100
    wrong = {}
    for key, value in itertools.product(keys, VALUES):
        record = {"messages": TALK, key: value}
        if sight._usual(record) not in ("", told := _by_asking(record, monkeypatch)):
            wrong[key] = told
    assert wrong == {}


def test_no_two_keys_are_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {}
    for one, two in itertools.combinations([k for k in _keys_of_dialects() if k not in sight._CLAIMS], 2):
        record = {"messages": TALK, one: ["a"], two: ["a"]}
        if sight._usual(record) not in ("", told := _by_asking(record, monkeypatch)):
            wrong[one, two] = told
    assert wrong == {}


def test_every_claim_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that no dialect asks for any more would cost a start-up for nothing."""
    pairs = {"chosen": "rejected", "rejected": "chosen", "completions": "labels", "labels": "completions"}
    for key in sight._CLAIMS:
        records = [{"messages": TALK, key: v, **({pairs[key]: v} if key in pairs else {})} for v in VALUES]
        assert any(_by_asking(r, monkeypatch) != sight.CHAT for r in records), key
