"""Converting and splitting: the texts come back, what cannot be carried over is told, and nothing else changes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_sets import Pairs, as_records, classes, jsonl, lines_of, pairs_in, sound, write

import ftprep as ft
from ftprep.errors import FtprepError, UsageError, WriteError

BARE = {"user": "", "assistant": "", "between": ""}
WORDS = st.lists(
    st.sampled_from(["Lima", "é", "答案", '"', "\\", "a\nb", "x: y", "a\u2028b", "1.10", "END"]), min_size=1, max_size=4
)
TEXT = WORDS.map(" ".join)


def said(path: Path | None) -> list[list[tuple[str, str]]]:
    """Role and words of every turn of every conversation in a file."""
    return [[(m["role"], m["content"]) for m in json.loads(line)["messages"]] for line in lines_of(path)]


def chats(*turns: list[tuple[str, str]], **others: Any) -> list[dict[str, Any]]:
    return [{"messages": [{"role": role, "content": text} for role, text in each], **others} for each in turns]


def test_pairs_become_conversations_without_their_marks(tmp_path: Path) -> None:
    path = write(tmp_path, [("Peru ->", " Lima END"), ("Chad -> ->", "  a\nb END"), ("", " alone END")])
    made = ft.convert(path, "chat", tmp_path / "chat.jsonl", system="Be brief.")
    assert said(made.train) == [
        [("system", "Be brief."), ("user", "Peru"), ("assistant", "Lima")],
        [("system", "Be brief."), ("user", "Chad ->"), ("assistant", " a\nb")],
        [("system", "Be brief."), ("assistant", "alone")],
    ]
    assert made.rejected is None
    assert ft.check(made.train).dataset.shape == "chat"


@settings(max_examples=50)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6),
    separator=st.sampled_from([" ->", "\n\n###\n\n"]),
    stop=st.sampled_from([" [END]", "\n\n---\n"]),
    lead=st.booleans(),
)
def test_to_conversations_and_back_gives_the_texts(
    tmp_path_factory: pytest.TempPathFactory, rows: Pairs, separator: str, stop: str, lead: bool
) -> None:
    folder = tmp_path_factory.mktemp("back")
    whole = [(p + separator, " " * lead + c + stop) for p, c in rows]
    form = {"separator": separator, "stop": stop, "leading-space": lead}
    chat = ft.convert(write(folder, whole), "chat", folder / "chat.jsonl", format=form)
    assert said(chat.train) == [[("user", p), ("assistant", c)] for p, c in rows]
    bare = ft.convert(chat.train, "completion", folder / "bare.jsonl", turns=BARE, format={"leading-space": False})
    assert pairs_in(bare.train) == rows
    back = ft.convert(chat.train, "completion", folder / "back.jsonl", turns=BARE, format=form)
    assert pairs_in(back.train) == whole


def test_each_reply_becomes_an_example(tmp_path: Path) -> None:
    talk = [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "Bye"),
        ("assistant", "Bye-bye."),
    ]
    path = tmp_path / "chat.jsonl"
    path.write_bytes(jsonl(chats(talk)))
    made = ft.convert(path, "completion", tmp_path / "pairs.jsonl")
    assert pairs_in(made.train) == [
        ("Be brief.\nUser: Hi\nAssistant:", " Hello."),
        ("Be brief.\nUser: Hi\nAssistant: Hello.\nUser: Bye\nAssistant:", " Bye-bye."),
    ]
    assert made.rows == {"read": 1, "written": 1, "rejected": 0, "skipped": 0, "examples": 2}


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
SEE = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
ASK, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
CALLS, RESULT = {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "1", "tool_call_id": "1"}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"messages": [ASK, REPLY], "tools": [TOOL]}, "tools have no place"),
        ({"messages": [ASK, CALLS, RESULT, REPLY], "tools": [TOOL]}, "tools have no place"),
        ({"messages": [{"role": "user", "content": SEE}, REPLY]}, "pictures have no place"),
        ({"messages": [{"role": "user", "content": "Hi", "name": "ann"}, REPLY]}, "the name 'ann' has no place"),
    ],
)
def test_what_a_text_cannot_carry_is_set_aside_with_the_reason(
    tmp_path: Path, record: dict[str, Any], told: str
) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_bytes(jsonl([{"messages": [ASK, REPLY]}, record]))
    made = ft.convert(path, "completion", tmp_path / "pairs.jsonl", turns=BARE)
    assert pairs_in(made.train) == [("Hi", " Hello.")]
    (aside,) = [json.loads(line) for line in lines_of(made.rejected)]
    assert made.rejected == tmp_path / "pairs_rejected.jsonl"
    assert (aside["codes"], aside["record"]) == (["FMT118"], record)
    assert told in aside["messages"][0]


def test_a_pair_that_answers_nothing_is_set_aside(tmp_path: Path) -> None:
    path = write(tmp_path, [*sound(4), ("Mali ->", " END"), ("Togo ->", "")])
    made = ft.convert(path, "chat", tmp_path / "chat.jsonl")
    assert len(said(made.train)) == 4
    assert [json.loads(line)["place"]["line"] for line in lines_of(made.rejected)] == [5, 6]
    assert [json.loads(line)["codes"] for line in lines_of(made.rejected)] == [["FMT118"]] * 2
    assert "ROLE109" not in ft.check(made.train).counts()


def test_a_separator_that_most_have_is_taken_off_where_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, [*sound(4), ("Mali", " Bamako END")])
    made = ft.convert(path, "chat", tmp_path / "chat.jsonl")
    assert [turns[0][1] for turns in said(made.train)] == [*(p.removesuffix(" ->") for p, _ in sound(4)), "Mali"]


def test_other_columns_stay_with_their_example(tmp_path: Path) -> None:
    """They are not trained on; what is kept of them is told by a check of the new file."""
    records = [{"id": i, **r} for i, r in enumerate(as_records(sound(3)))]
    made = ft.convert(records, "chat", tmp_path / "chat.jsonl")
    assert [set(json.loads(line)) for line in lines_of(made.train)] == [{"messages"}] * 3


@pytest.mark.parametrize("to", ["chat", "completion"])
def test_what_has_the_shape_already_goes_out_as_it_came(tmp_path: Path, to: Any) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(
        jsonl(chats([("user", "Hi"), ("assistant", "Hello.")])) if to == "chat" else jsonl(as_records(sound(3)))
    )
    made = ft.convert(path, to, tmp_path / "out.jsonl")
    assert made.train is not None
    assert made.train.read_bytes() == path.read_bytes()


def test_conversion_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    path = write(tmp_path, sound(3))
    with pytest.raises(UsageError, match="cannot convert to 'prefrence'") as caught:
        ft.convert(path, "prefrence", tmp_path / "out.jsonl")
    assert "did you mean preference?" in caught.value.hint
    with pytest.raises(WriteError, match="is an input of this run"):
        ft.convert(path, "chat", path, force=True)
    ft.convert(path, "chat", tmp_path / "out.jsonl")
    with pytest.raises(WriteError, match="exists already"):
        ft.convert(path, "chat", tmp_path / "out.jsonl")
    made = ft.convert(path, "chat", tmp_path / "out.jsonl", force=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.jsonl", "out.manifest.json", "set.jsonl"]
    assert made.manifest == tmp_path / "out.manifest.json"


# -- split ---------------------------------------------------------------------------------------------------------


ODD = b'{ "completion":"no space, \\u00e9 \\/", "prompt": "x"%s}\n'


@pytest.mark.parametrize("odd", [ODD % b"", ODD % b',  "id": 1.10'])
def test_splitting_keeps_every_line_byte_for_byte(tmp_path: Path, odd: bytes) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(jsonl(as_records(sound(30))) + odd + jsonl([{"prompt": "Mali ->", "completion": ""}]))
    made = ft.split(path)
    outputs = ["set_train.jsonl", "set_train.manifest.json", "set_valid.jsonl"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set.jsonl", *outputs]
    lines = lines_of(path)
    assert Counter([*lines_of(made.train), *lines_of(made.valid)]) == Counter(lines)
    assert len(lines_of(made.valid)) == 3
    assert [line for line in lines if line in set(lines_of(made.train))] == lines_of(made.train)
    assert made.mended == {}


def test_only_what_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(jsonl(as_records(sound(20))) + b'{"oops\n\n' + jsonl([{"prompt": "a"}]))
    made = ft.split(path, split={"valid": 4})
    assert made.rows == {"read": 23, "written": 20, "rejected": 2, "skipped": 1, "examples": 20}
    assert [json.loads(line)["codes"] for line in lines_of(made.rejected)] == [["IO104"], ["FMT120"]]
    assert made.rejected == tmp_path / "set_rejected.jsonl"


def test_classes_groups_and_conversations_are_split_by_the_same_laws(tmp_path: Path) -> None:
    made = ft.split(as_records(classes({"yes": 40, "no": 20})), out=tmp_path / "a", split={"valid": 0.2})
    assert made.split is not None
    assert made.split.per_class == {"no": (16, 4), "yes": (32, 8)}
    talks = chats(*[[("user", f"Hi {i % 10}"), ("assistant", f"Hello {i}.")] for i in range(40)])
    parted = ft.split(talks, out=tmp_path / "b", split={"valid": 0.2})
    train, valid = ({turns[0] for turns in said(path)} for path in (parted.train, parted.valid))
    assert len(valid) == 2
    assert not train & valid


def test_a_prepared_set_is_split_as_prepare_would(tmp_path: Path) -> None:
    rows = as_records(classes({"yes": 60, "no": 40}))
    prepared = ft.prepare(rows, out=tmp_path / "a", split={"valid": 0.1})
    alone = ft.split(rows, out=tmp_path / "b", split={"valid": 0.1})
    assert pairs_in(prepared.valid) == pairs_in(alone.valid)


@pytest.mark.parametrize("valid", ["none", 100, 0.5])
def test_a_split_that_cannot_be_is_refused(tmp_path: Path, valid: Any) -> None:
    path = write(tmp_path, [("a ->", " b END")] * 3)
    with pytest.raises(FtprepError):
        ft.split(path, split={"valid": valid})
    assert [p.name for p in tmp_path.iterdir()] == ["set.jsonl"]


PHRASES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(PHRASES, PHRASES), min_size=1, max_size=5))
def test_prompts_and_completions_come_back_from_conversations(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    rows = [{"prompt": prompt, "completion": " " + reply.lstrip()} for prompt, reply in pairs]
    source = tmp_path / "set.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    chats = ft.convert(source, "chat", tmp_path / "chat.jsonl", force=True, rules={"ignore": ["SEP"]})
    assert chats.train is not None
    back = ft.convert(chats.train, "completion", tmp_path / "back.jsonl", force=True)
    assert [json.loads(line) for line in lines_of(back.train)] == rows


@pytest.mark.parametrize("middle", ["trl-preference", "llama-factory-dpo", "gemini-preference"])
def test_preferences_come_back_from_other_dialects(tmp_path: Path, middle: str) -> None:
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": f"Capital of {country}?"}]},
            "preferred_output": [{"role": "assistant", "content": town}],
            "non_preferred_output": [{"role": "assistant", "content": "I do not know."}],
        }
        for country, town in (("Peru", "Lima"), ("Mali", "Bamako"))
    ]
    source = tmp_path / "set.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    other = ft.convert(source, middle, tmp_path / "other.jsonl")
    assert other.train is not None
    back = ft.convert(other.train, "preference", tmp_path / "back.jsonl")
    assert [json.loads(line) for line in lines_of(back.train)] == rows


def test_preferences_become_good_and_bad_answers_and_with_a_loss_conversations(tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "input": {"messages": [{"role": "user", "content": "Capital of Peru?"}]},
        "preferred_output": [{"role": "assistant", "content": "Lima"}],
        "non_preferred_output": [{"role": "assistant", "content": "Quito"}],
    }
    source = tmp_path / "set.jsonl"
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    unpaired = ft.convert(source, "unpaired", tmp_path / "unpaired.jsonl")
    assert [json.loads(line)["label"] for line in lines_of(unpaired.train)] == [True, False]
    assert unpaired.rows == {"read": 1, "written": 1, "rejected": 0, "skipped": 0, "examples": 2}
    refused = ft.convert(source, "chat", tmp_path / "chat.jsonl")
    assert [json.loads(line)["messages"] for line in lines_of(refused.rejected)] == [
        ["the worse answer has no place in a conversation"]
    ]
    lossy = ft.convert(source, "chat", tmp_path / "lossy.jsonl", lossy=True)
    assert [json.loads(line) for line in lines_of(lossy.train)] == [
        {"messages": [*row["input"]["messages"], *row["preferred_output"]]}
    ]
