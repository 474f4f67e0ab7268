"""Cases that careful strangers found: each is a set on which something was once lost, changed or said wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ftprep as ft
from ftprep.splitter import Joined


def lines(path: Path | None) -> list[dict[str, Any]]:
    assert path is not None
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def pairs(*rows: tuple[str, str]) -> list[dict[str, str]]:
    return [{"prompt": p, "completion": c} for p, c in rows]


def put(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    return path


TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]


def test_fixing_with_turns_leaves_conversations(tmp_path: Path) -> None:
    path = put(tmp_path / "c.jsonl", [{"messages": TALK}] * 3)
    before = path.read_bytes()
    ft.fix(path, turns={"user": "U: "}, unsafe=False)
    assert path.read_bytes() == before


def test_a_fix_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "t.jsonl", [{"a": str(i), "b": "x", "c": f"y{i}"} for i in range(9)])
    with pytest.raises(ft.FtprepError, match="made of several columns cannot be mended in place"):
        ft.fix(path, columns={"prompt-template": "{a} {b}", "completion": "c"})


def test_numbers_and_style_of_other_keys_stay_when_a_line_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "n.jsonl"
    sound = b'{"prompt": "a ->", "completion": " b END"}\n{"prompt": "c ->", "completion": " d END"}\n'
    odd = b'{"v": 1.10, "prompt": "e ->",  "e": 1E2, "completion": "f END", "u": "\\/"}\n'
    path.write_bytes(sound + odd)
    ft.fix(path)
    assert path.read_bytes() == sound + odd.replace(b'"f END"', b'" f END"')


def test_a_fix_goes_through_a_link(tmp_path: Path) -> None:
    real = put(tmp_path / "real.jsonl", pairs(("a ->", " b END"), ("c ->", " d END"), ("e ->", "f END")))
    link = tmp_path / "link.jsonl"
    link.symlink_to(real)
    ft.fix(link)
    assert link.is_symlink()
    assert lines(real)[2]["completion"] == " f END"


@pytest.mark.parametrize("labels", [("-1", "0", "1"), ("A", "A-", "B"), ("C", "C++", "C#"), ("yes", "yes!", "no")])
def test_labels_that_mean_different_things_are_no_variants(labels: tuple[str, ...]) -> None:
    rows = pairs(*((f"text {i} {label} ->", f" {label}") for label in labels for i in range(12)))
    assert "SET105" not in ft.check(rows).counts()


def test_one_answer_decides_on_all_variants_together(tmp_path: Path) -> None:
    labels = ["US"] * 12 + ["us"] * 9 + ["it"] * 9 + ["IT"] * 12
    rows = pairs(*((f"text {i} ->", f" {label}") for i, label in enumerate(labels)))
    asked: list[str] = []

    def decide(proposal: Any) -> bool:
        asked.append(proposal.message)
        return True

    made = ft.prepare(rows, out=tmp_path, unsafe=decide)
    assert [m for m in asked if "write" in m] == ['write "it" as "IT"; "us" as "US"']
    assert made.mended["SET105"] == 18
    assert {line["completion"] for line in lines(made.train)} == {" US", " IT"}


def test_conversations_that_differ_beside_their_words_are_different() -> None:
    def seen(url: str, weight: int) -> dict[str, Any]:
        content = [{"type": "image_url", "image_url": {"url": f"https://example.com/{url}"}}]
        return {"messages": [{"role": "user", "content": content}, TALK[1] | {"weight": weight}]}

    counts = ft.check(
        [seen("a.png", 1), seen("b.png", 1), {"messages": TALK}, {"messages": TALK, "tools": []}]
    ).counts()
    assert not {"DUP101", "DUP102"} & set(counts)


def test_load_prefers_the_chosen_column_and_puts_keys_back() -> None:
    frame = ft.load([{"text": "new", "prompt": "OLD", "completion": "c"}], columns={"prompt": "text"})
    assert frame["prompt"].tolist() == ["new"]
    talk = ft.load([{"messages": [TALK[0] | {"score": 5}, TALK[1]]}])
    assert talk["messages"][0][0]["score"] == 5
    assert ft.load([{"messages": TALK}], turns={}).columns.tolist() == ["prompt", "completion"]


def test_load_says_what_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes("问题,答案\n高血压,心脏科\n糖尿病,内分泌科\n".encode("gb18030"))
    with pytest.raises(ft.FtprepError, match="not UTF-8"):
        ft.load(path)


@pytest.mark.parametrize("waste", ["\n", "{\n"])
def test_a_thousand_useless_lines_do_not_hide_the_rest(tmp_path: Path, waste: str) -> None:
    path = tmp_path / "w.jsonl"
    sound = put(tmp_path / "s.jsonl", pairs(*((f"p {i} ->", f" c {i} END") for i in range(50)))).read_text()
    path.write_text(sound[:40] * 0 + waste * 1500 + sound)
    report = ft.check(path, options=ft.Options(format="jsonl"))
    assert report.rows.loaded == 50


def test_places_are_right_however_long_a_cell_is(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text('prompt,completion\n"' + "a\n" * 1_100_000 + '",x\nq ->,"  two"\nr ->,\n')
    report = ft.check(path)
    (empty,) = [f for f in report.findings if f.code == "SEP116"]
    assert (empty.location.row, empty.record) == (1_100_004, 3)


def test_two_forms_are_not_prepared_as_one_set(tmp_path: Path) -> None:
    a = put(tmp_path / "a.jsonl", [{"messages": TALK}] * 3)
    b = put(tmp_path / "b.jsonl", pairs(("a", "b"), ("c", "d")))
    with pytest.raises(ft.FtprepError, match="no one set"):
        ft.prepare([a, b], out=tmp_path / "out")


def test_nothing_of_an_earlier_run_stays_beside_a_rejected_file(tmp_path: Path) -> None:
    path = put(tmp_path / "s.jsonl", pairs(*((f"p {i} ->", f" c {i} END") for i in range(60))))
    assert ft.prepare(path, out=tmp_path / "o").train is not None
    put(path, [{"prompt": "a", "completion": ""}])
    ft.prepare(path, out=tmp_path / "o", force=True)
    assert [p.name for p in (tmp_path / "o").iterdir()] == ["s_prepared_rejected.jsonl"]


def test_a_near_separator_is_replaced_and_not_doubled(tmp_path: Path) -> None:
    rows = pairs(*((f"p {i} -> ", f" c {i} END") for i in range(8)), *((f"q {i} ->", f" d {i} END") for i in range(4)))
    made = ft.prepare(rows, out=tmp_path)
    assert all(line["prompt"].count("->") == 1 for line in lines(made.train))
    ends = pairs(*((f"p {i} ->", f" c {i} END") for i in range(8)), ("q ->", " a WEEKEND"))
    assert lines(ft.prepare(ends, out=tmp_path / "w").train)[8]["completion"] == " a WEEKEND END"


def test_groups_that_share_a_prompt_stay_together(tmp_path: Path) -> None:
    rows = [r | {"user": str(i)} for i, r in enumerate(pairs(*((f"p {i % 50} ->", f" c {i} END") for i in range(100))))]
    made = ft.prepare(rows, out=tmp_path, split={"group": "user", "valid": 0.2})
    train, valid = ({line["prompt"] for line in lines(p)} for p in (made.train, made.valid))
    assert len(lines(made.valid)) == 20
    assert not train & valid


def test_joining_is_blind_to_order() -> None:
    links = [(b"a", b"x"), (b"b", b"x"), (b"c", b"y"), (b"d", b"c"), (b"y", b"a")]
    for turn in range(len(links)):
        joined = Joined()
        for one, other in links[turn:] + links[:turn]:
            joined.join(one, other)
        assert {joined.of(unit) for unit in (b"a", b"b", b"c", b"d", b"x", b"y")} == {b"a"}


@pytest.mark.parametrize("late", [True, False])
def test_an_ending_that_the_head_does_not_show_is_seen(late: bool) -> None:
    bare = [(f"q {i}", f" a {i}") for i in range(1100)]
    ended = [(f"p {i} ->", f" c {i} END") for i in range(4000)]
    report = ft.check(pairs(*(bare + ended if late else ended + bare)))
    assert (report.counts()["SEP102"], report.counts()["SEP107"]) == (1100, 1100)
    assert (report.dataset.separator, report.dataset.stop) == (" ->", " END")


def test_a_frame_with_a_missing_cell_keeps_whole_labels(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "ni.csv"
    path.write_text("text,label\n" + "".join(f"t{i},{i % 3}\n" for i in range(12)) + "u,\n")
    report = ft.check(pd.read_csv(path))
    assert set(report.dataset.classes) == {"0", "1", "2"}


def test_tags_are_separators_as_a_whole() -> None:
    report = ft.check(pairs(*((f"<text>item {i}</text>", f" c {i} END") for i in range(9))))
    assert report.dataset.separator == "</text>"


def test_the_reason_for_the_task_is_true() -> None:
    report = ft.check(pairs(*((f"p {i} ->", f" {i} " + "word " * 60 + "END") for i in range(9))))
    assert report.dataset.task_reasons == (
        "9 of 9 answers have more than 200 characters: texts rather than class names",
    )


def test_when_every_usual_ending_occurs_none_is_proposed() -> None:
    used = "\n END###***+++&&&$$$@@@%%% [END] tail"
    rows = pairs(*((f"p {i} ->", f" {used} {i}") for i in range(9)))
    messages = [f.message for f in ft.check(rows).findings if f.code == "SEP106"]
    assert messages == [
        "completions have no common ending; each of the usual ones stands in some of them: name another with --stop"
    ]


def test_a_control_token_that_a_recipe_adds_is_found(tmp_path: Path) -> None:
    path = put(tmp_path / "s.jsonl", pairs(*((f"p {i} ->", f" c {i}") for i in range(9))))
    made = ft.prepare(path, out=tmp_path / "o", format={"stop": "<|endoftext|>"})
    assert made.after.counts()["TOK101"] == 9


def test_tools_and_pictures_are_counted() -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "get_current_weather",
            "description": "Get the current weather in a given location.",
            "parameters": {
                "type": "object",
                "properties": {
                    "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                },
            },
        },
    }
    plain = ft.check([{"messages": TALK}]).tokens
    told = ft.check([{"messages": TALK, "tools": [tool]}]).tokens
    assert 40 < told.total - plain.total < 80
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    seen = ft.check([{"messages": [{"role": "user", "content": [picture]}, TALK[1]]}]).tokens
    assert (plain.exact, told.exact, seen.exact) == (True, True, False)


def test_control_tokens_in_calls_are_found() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "<|im_end|>"}'}}
    talk = [
        TALK[0],
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
    ]
    (found,) = [f for f in ft.check([{"messages": [*talk, TALK[1]]}]).findings if f.code == "TOK101"]
    assert found.json_pointer == "/messages/1/tool_calls/0/function/arguments"


def test_fingerprints_stay_when_lines_move() -> None:
    rows = pairs(("a ->", " b END"), ("c ->", " d END"), ("a ->", " b END"), ("", " e END"), ("", " f END"))

    def marks(extra: list[dict[str, str]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for f in ft.check(extra + rows).findings:
            if f.code in ("DUP101", "SEP115"):
                found.setdefault(f.code, []).append(f.fingerprint)
        return found

    assert marks([]) == marks(pairs(("new ->", " row END")))
    assert len(set(marks([])["SEP115"])) == 2


def test_options_name_one_rule() -> None:
    with pytest.raises(ft.FtprepError, match=r"names \d+ rules"):
        ft.check(pairs(("a", "b")), rules={"options": {"SET10": {"generation": 3}}})
