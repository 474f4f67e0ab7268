"""Examples of a set as they are trained on: which rows, what is said of those that are none, ignored weights."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ftprep import targets
from ftprep.plan import make_plan
from ftprep.recipe import Recipe, resolve
from ftprep.rendering import LAYOUTS, Samples, find_template
from ftprep.samples import samples_of
from ftprep.targets import Fact, Target

SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[2] / "shared") / "data"


def rows(*records: Any, **recipe: Any) -> Samples:
    """The samples of records in memory."""
    return samples_of(make_plan(list(records), resolve(recipe)), 99)


def talk(*said: tuple[str, str], **last: Any) -> dict[str, Any]:
    """A record with these messages; `last` are keys of the last one."""
    messages = [{"role": role, "content": content} for role, content in said]
    messages[-1] |= last
    return {"messages": messages}


GOOD = talk(("user", "Hi"), ("assistant", "Hello"))


def test_the_first_that_are_examples() -> None:
    found = rows(GOOD, {"messages": 5}, GOOD)
    assert [s.line for s in found.examples] == [1, 3]
    assert [t.trained_tokens for s in found.examples for t in s.texts] == [1, 1]


def test_rows_that_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n{\n" + json.dumps(GOOD) + "\n", encoding="utf-8")
    found = samples_of(make_plan(str(path), Recipe()), rows=[4, 3, 2, 9])
    assert [(s.line, bool(s.texts)) for s in found.examples] == [(2, False), (3, False), (4, True)]
    assert [s.reason.split(":")[0] for s in found.examples] == ["a blank line", "IO104", ""]
    assert found.missing == (9,)
    assert json.loads(json.dumps(found.to_dict()))["missing_rows"] == [9]


def test_conversations_that_become_pairs() -> None:
    found = rows(talk(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")), turns={})
    assert [t.text for s in found.examples for t in s.texts] == [
        "User: a\nAssistant:b",
        "User: a\nAssistant: b\nUser: c\nAssistant:d",
    ]


@pytest.mark.parametrize(("name", "is_told"), [("trl", True), ("openai", False)])
def test_weights_that_a_trainer_does_not_heed(monkeypatch: pytest.MonkeyPatch, name: str, is_told: bool) -> None:
    target = Target(name, name, "supervised", facts={"limits.context": Fact(9, source="docs", date="2026-01-01")})
    monkeypatch.setattr(targets, "find_target", lambda *_: target)
    record = talk(("user", "Hi"), ("assistant", "No"), ("user", "Hm"), ("assistant", "Hello"))
    record["messages"][1]["weight"] = 0
    found = rows(record, target=name)
    assert any("does not heed the weight" in n for n in found.notes) == is_told
    assert found.examples[0].texts[0].limit == 9
    assert any("takes 9 tokens of one example (docs, 2026-01-01)" in n for n in found.notes)
    assert rows(record, target=name, **{"token-limit": 5}).examples[0].texts[0].limit == 5


FILES = (
    "chat_gsm8k_train.jsonl",
    "chat_kdconv_travel_zh.jsonl",
    "tools_openai_stock.jsonl",
    "chat_toy_cookbook_head4.jsonl",
)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", FILES)
def test_real_files_in_every_layout(name: str) -> None:
    plan = make_plan(str(SHARED / name), Recipe())
    for layout in LAYOUTS:
        found = samples_of(plan, 500, template=find_template(layout), limit=200)
        for sample in found.examples:
            for text in sample.texts:
                assert text.refused or text.text == "".join(s.text for s in text.segments)
                flags = [s.cut for s in text.segments]
                assert flags == sorted(flags)
