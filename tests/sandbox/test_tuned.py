"""The stand-in model learns what is in the training file, and no file can make it fail."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ftprep.sandbox.curves import word_curve
from ftprep.sandbox.examples import Learnt, read_examples
from ftprep.sandbox.tuned import UNKNOWN, Plan, Tuned


def plan(epochs: int = 3, classes: bool = True) -> Plan:
    return Plan(epochs, 4, 1, classes)


def moods(count: int, seed: int) -> list[Learnt]:
    rng = random.Random(seed)
    words = {"good": ["fine", "lovely", "superb"], "bad": ["awful", "sad", "poor"], "so-so": ["plain", "usual", "okay"]}
    found = []
    for _ in range(count):
        name = rng.choice(list(words))
        other = " ".join(rng.choice(["the", "film", "book", "seat", "was", "day"]) for _ in range(8))
        found.append(Learnt(f"{other} {rng.choice(words[name])}", name))
    return found


def test_a_classifier_is_right_about_what_it_has_not_seen_and_its_curve_falls() -> None:
    tuned = Tuned(moods(200, 1), moods(60, 2), plan())
    held = moods(100, 3)
    right = sum(tuned.answers(each.question)[0][0] == each.answer for each in held)
    assert right >= 95
    assert abs(sum(p for _, p in tuned.answers("whatever")) - 1) < 1e-9
    assert tuned.curve[0].train_loss == math.log(3)
    last = tuned.curve[-1]
    assert last.epoch_ends
    assert last.valid_loss is not None
    assert last.valid_loss < 0.3
    assert sum(step.epoch_ends for step in tuned.curve) == 3


def test_fewer_epochs_give_the_same_model_as_it_was_then() -> None:
    train = moods(80, 1)
    whole, early = Tuned(train, [], plan(3)), Tuned(train, [], plan(1))
    assert early.curve[0] == whole.curve[0]
    assert early.answers("a lovely day") != whole.answers("a lovely day")
    assert Tuned(train, [], plan(3)).answers("a lovely day") == whole.answers("a lovely day")


def test_texts_are_answered_by_the_nearest_question() -> None:
    train = [Learnt(f"What is the capital of {a}?", b) for a, b in (("France", "Paris"), ("Peru", "Lima"))]
    tuned = Tuned(train, [], plan(classes=False))
    assert tuned.answers("the capital of peru?")[0][0] == "Lima"
    assert tuned.answers("the capital of peru?")[0][1] >= 0.5
    assert tuned.answers("zzz")[0] == (UNKNOWN, 1.0)
    assert "generates nothing" in tuned.says


def test_scripts_without_spaces_have_words_too() -> None:
    train = [Learnt("这部电影很好看", "好"), Learnt("这部电影很难看", "坏")] * 10
    tuned = Tuned(train, [], plan())
    assert tuned.answers("好看的电影")[0][0] == "好"


def test_calls_of_tools_come_back_as_calls(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    talk = [{"role": "user", "content": "look it up"}, {"role": "assistant", "tool_calls": [call]}]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"messages": talk}) + "\n")
    tuned = Tuned(read_examples(path), [], plan(classes=False))
    assert tuned.calls(tuned.answers("user: look it up")[0][0]) == [call]


def test_each_trained_answer_of_a_talk_is_learnt(tmp_path: Path) -> None:
    turns = [("user", "one", None), ("assistant", "1", 0), ("user", "two", None), ("assistant", "2", 1)]
    messages = [{"role": r, "content": c, **({} if w is None else {"weight": w})} for r, c, w in turns]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"messages": messages}).encode())
    assert read_examples(path) == [Learnt("user: one\nassistant: 1\nuser: two", "2")]


def test_a_set_without_answers_teaches_nothing() -> None:
    tuned = Tuned([], [], plan())
    assert tuned.answers("x") == [(UNKNOWN, 1.0)]
    assert "learnt nothing" in tuned.says


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "prompt", "completion", "text", "input", "role", "content", "tool_calls", "weight", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(records=st.lists(JSON, max_size=6))
def test_no_record_makes_reading_or_fitting_fail(records: list[object]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes("\n".join(json.dumps(each) for each in records).encode() + b"\n\xff\xfe\n[[[")
        found = read_examples(path)
        assert all(isinstance(each.question, str) and isinstance(each.answer, str) for each in found)
    word_curve(found, [], 2, 1) if found else None


@given(pairs=st.lists(st.tuples(st.text(max_size=10), st.text(min_size=1, max_size=5)), min_size=1, max_size=8))
def test_any_texts_can_be_learnt(pairs: list[tuple[str, str]]) -> None:
    train = [Learnt(*pair) for pair in pairs]
    for classes in (True, False):
        tuned = Tuned(train, train, plan(1, classes))
        answers = tuned.answers(pairs[0][0])
        assert abs(sum(p for _, p in answers) - 1) < 1e-6
        assert all(math.isfinite(step.train_loss) and step.train_loss >= 0 for step in tuned.curve)
