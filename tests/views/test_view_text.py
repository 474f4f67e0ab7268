"""The views for people: layout, counts, order, and that everything an analyst needs is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_reports import (
    CLASSES,
    NO_OBJECT,
    PARTIAL,
    PREFIX,
    SAMPLES,
    SUPPORT,
    chinese,
    clean,
    finding,
    many,
    report_of,
    severities,
    unreadable,
)

from ftprep.report import Report
from ftprep.views import render
from ftprep.views.plain import columns, cut, quoted, wrap
from ftprep.views.wording import groups, label, next_steps, share, verdict


def first_line(report: Report) -> str:
    return render(report, "full").splitlines()[0]


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        (clean(), "Looks good."),
        (report_of([finding(PREFIX, "m", 1)]), "Looks good. 1 info to consider."),
        (
            report_of([finding(PARTIAL, "m", 1)], {"SEP102": 12}),
            "12 warnings, no errors: can be trained on, but look at the warnings first.",
        ),
        (
            report_of([finding(NO_OBJECT, "m", 1), finding(PARTIAL, "m", 1)], {"FMT105": 3, "SEP102": 1200}),
            "3 errors and 1,200 warnings: not ready to train on yet.",
        ),
        (unreadable(), "2 errors: nothing to train on, no example could be read."),
    ],
)
def test_verdict_comes_first(report: Report, wanted: str) -> None:
    assert first_line(report) == verdict(report) == wanted


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s != "hostile"])
@pytest.mark.parametrize("width", [80, 100, 120])
def test_full_keeps_within_the_width(sample: str, width: int) -> None:
    too_wide = [line for line in render(SAMPLES[sample](), "full", width=width).splitlines() if columns(line) > width]
    assert not too_wide


def test_full_says_how_the_input_was_read() -> None:
    told = render(severities(), "full")
    assert "csv, 1,240 rows: 1,236 loaded, 3 rejected, 1 skipped" in told
    assert 'column "question" as the prompt, column "answer" as the completion' in told


def test_full_names_encoding_and_sheet_and_sums_up_several_inputs() -> None:
    told = render(chinese(), "full")
    assert "数据/客服对话.xlsx[第一页]" in told
    assert "csv in gb18030" in told
    assert "together 2,480 rows: 2,472 loaded, 6 rejected, 2 skipped" in told


def test_full_shows_the_first_places_and_counts_the_rest_exactly() -> None:
    told = render(many(), "full")
    assert "info TXT101 rule-number-101, 1,204,100 times" in told
    assert "… and 1,204,095 more" in told
    assert told.count(" is not as it should be") == 19 * 5
    assert told.count("part-13.jsonl  ") == 0
    assert "… and 4 more\n  together 17,360 rows" in told


def test_a_message_that_all_places_share_is_said_once() -> None:
    told = render(severities(), "full")
    assert told.count('prompt does not end with the separator " ->"') == 1
    assert "support.csv:21  | Where is my new card, please?" in told


def test_what_does_not_fit_beside_a_long_path_stands_below() -> None:
    path = "a/folder/with/a/long/name/support.csv"
    same = [finding(PARTIAL, "same", n, filename=path, excerpt="excerpt") for n in (7, 8)]
    assert f"    {path}:7  | excerpt\n" in render(report_of(same), "full", width=80)
    different = [finding(PARTIAL, f"message {n}", n, filename=path, excerpt="excerpt") for n in (7, 8)]
    assert f"    {path}:7  message 7\n" in render(report_of(different), "full", width=100)
    assert f"    {path}:7\n      message 7\n      | excerpt\n" in render(report_of(different), "full", width=80)


def test_a_finding_on_the_whole_of_the_only_input_has_no_place() -> None:
    told = render(severities(), "full")
    assert "    the commonest class has 503 of 1,236 examples, the rarest 3\n" in told


def test_full_says_whether_a_rule_can_be_mended() -> None:
    told = render(severities(), "full")
    assert 'Can be mended (safe): add the separator " ->" to the prompts (1,209 rows)' in told
    assert 'Can be mended when asked (may change what is learnt): cut "Classify: " off all prompts' in told
    assert "Can be mended (safe): Puts one space at the start." in told
    assert "Cannot be mended automatically." in told


def test_rules_come_gravest_first_then_commonest() -> None:
    assert [g.rule.code for g in groups(severities())] == ["FMT105", "SEP102", "SEP105", "LBL102", "SEP109"]


def test_severity_is_said_in_words_with_and_without_colour() -> None:
    for color in (False, True):
        told = render(severities(), "full", color=color)
        assert all(word in told for word in ("error", "warning", "info"))
    assert "\x1b" not in render(severities(), "full")


def test_classes_have_counts_shares_and_bars() -> None:
    told = render(severities(), "full")
    assert "card_arrival         503   41 %  ####################\n" in told
    assert "… and 2 more, the rarest with 3 examples" in told


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("yes", "yes"), ("", '""'), (" yes", '" yes"'), ("x" * 50, "x" * 33 + "…"), ("a\nb", "a\\nb")],
)
def test_label(name: str, wanted: str) -> None:
    assert label(name) == wanted


@pytest.mark.parametrize(
    ("count", "total", "wanted"), [(1, 3, "33 %"), (3, 3, "100 %"), (1, 10_000, "<1 %"), (1, 100, "1 %")]
)
def test_share(count: int, total: int, wanted: str) -> None:
    assert share(count, total) == wanted


def test_open_ended_sets_have_no_separator() -> None:
    data = CLASSES.model_copy(update={"task": "open-ended", "classes": {}, "separator": None, "stop": " END"})
    told = render(report_of([], dataset=data), "full")
    assert "separator" not in told
    assert 'stop       " END" ends the completions' in told


def test_next_steps_quote_paths_and_name_the_gravest_rule() -> None:
    view = SUPPORT.model_copy(update={"path": "my data/a b.csv"})
    steps = next_steps(report_of([finding(PARTIAL, "m", 1), finding(NO_OBJECT, "m", 2)], inputs=(view, view)))
    assert [command for command, _ in steps] == ["ftprep prepare 'my data/a b.csv'", "ftprep rule FMT105"]


@pytest.mark.parametrize(("count", "wanted"), [(1, "ftprep prepare 0.csv"), (4, "ftprep prepare PATH…")])
def test_next_steps_name_only_a_few_paths(count: int, wanted: str) -> None:
    inputs = tuple(SUPPORT.model_copy(update={"path": f"{n}.csv"}) for n in range(count))
    assert next_steps(report_of([], inputs=inputs))[0][0] == wanted


def test_next_steps_for_data_in_memory_are_python() -> None:
    view = SUPPORT.model_copy(update={"path": "data", "bytes": 0, "sha256": ""})
    assert next_steps(report_of([], inputs=(view,)))[0][0] == "ftprep.prepare(data)"


def test_nothing_is_prepared_where_nothing_was_read() -> None:
    assert "ftprep prepare" not in render(unreadable(), "full")


def test_concise_is_one_line_a_finding() -> None:
    lines = render(severities(), "concise").splitlines()
    assert lines[1] == (
        "support.csv:9:14: error FMT105 message-not-object: message 1 is null where an object is wanted"
    )
    assert lines[-1] == "… and 1,202 more: warning SEP102 separator-partial"
    assert len(lines) == len(severities().findings) + 1
    assert render(clean(), "concise") == ""


def test_concise_names_the_input_where_a_finding_has_no_file() -> None:
    report = report_of([finding(PARTIAL, "m", 1, filename="", record=None)])
    assert render(report, "concise") == "support.csv:1:1: warning SEP102 separator-partial: m\n"


def test_short_is_what_a_prompt_shows() -> None:
    assert repr(clean()) == "ftprep report: Looks good.\n  1,236 examples (completion, classification) from 1,236 rows"
    assert len(repr(many()).splitlines()) == 8


@pytest.mark.parametrize(("text", "size"), [("abc", 3), ("中文", 4), ("é", 1), ("e\u0301", 1), ("🙂", 2), ("ｆ", 2)])
def test_columns(text: str, size: int) -> None:
    assert columns(text) == size


@pytest.mark.parametrize(
    ("text", "most", "wanted"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("中文中文", 7, "中文中…"), ("a\x1bb", 5, "a…")],
)
def test_cut(text: str, most: int, wanted: str) -> None:
    assert cut(text, most) == wanted


@settings(max_examples=100)
@given(st.text(), st.integers(2, 50))
def test_cut_keeps_within_the_columns_and_bounds_the_characters(text: str, most: int) -> None:
    shown = cut(text, most)
    assert columns(shown) <= most
    assert len(cut("a" + "\u0301" * 10_000, most)) <= 2 * most + 1


@settings(max_examples=100)
@given(st.text(st.sampled_from("ab é中文🙂 ")), st.integers(2, 20))
def test_wrap_keeps_width_and_words(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(columns(line) <= width and line.strip() for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrap_parts_at_blanks() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("中文没有空格", 5) == ["中文", "没有", "空格"]
    assert wrap("", 5) == []


def test_quoted_tells_a_line_end_from_two_letters() -> None:
    assert quoted("\n") == '"\\n"'
    assert quoted("\\n") == '"\\\\n"'
    assert quoted('"') == '"\\""'
