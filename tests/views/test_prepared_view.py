"""The account of `prepare` as text and as HTML, on accounts made by hand."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sample_reports import finding, report_of

from ftprep.prepared import Prepared
from ftprep.report import Report, RowCounts
from ftprep.rule import Proposal
from ftprep.splitter import Split
from ftprep.views.prepared import CLASSES, FINDINGS, NOTES, as_dict, fragment, summary, verdict

GOLDEN = Path(__file__).parents[1] / "cli" / "golden"
ERROR = ("FMT120", "prompt-or-completion-missing", "error")
SPACE = ("SEP105", "leading-space-missing", "warning")
FEW = ("SET101", "too-few", "info")
BOOK = ("IO117", "workbook", "warning")
HOSTILE = "\x1b[31m<script>alert(1)</script>\u202e & http://x\n::error::##[group]"
SPLIT = Split(frozenset(), 96, 24, {"yes": (60, 15), "no": (36, 9)}, ())
ACCEPTED = (
    Proposal("SEP105", "safe", "Puts one space at the start.", 118),
    Proposal("DUP101", "unsafe", "leave out exact duplicates", 1, drops=frozenset({4})),
)
DECLINED = (Proposal("SEP101", "unsafe", 'add the separator " ->" to the end of all prompts', 118),)


def prepared(**others: Any) -> Prepared:
    before = report_of(
        [
            finding(ERROR, "completion column 'completion' is missing", 7),
            finding(SPACE, "completion does not start with a space", 1),
            finding(BOOK, "sheets not read: 'More'", 1),
        ]
    )
    after = report_of(
        [finding(("SEP101", "separator-missing", "warning"), "no common ending", 1), finding(FEW, "120 examples", 1)]
    )
    given: dict[str, Any] = {
        "before": before,
        "after": after,
        "train": Path("out", "a_prepared_train.jsonl"),
        "valid": Path("out", "a_prepared_valid.jsonl"),
        "rejected": Path("out", "a_prepared_rejected.jsonl"),
        "manifest": Path("out", "a_prepared.manifest.json"),
        "rows": {"read": 122, "written": 118, "rejected": 3, "skipped": 1, "examples": 120},
        "mended": {"SEP105": 118},
        "split": SPLIT,
        "accepted": ACCEPTED,
        "declined": DECLINED,
        "notes": ("validation has 24 examples, not 12",),
        "advice": ("Pass max_tokens=1: each of the 2 classes is one token.",),
    }
    return Prepared(**(given | others))


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("FTPREP_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


def test_the_whole_account() -> None:
    compare("prepared.txt", summary(prepared(), width=100))
    compare("prepared_narrow.txt", summary(prepared(), width=50))


def test_colours_mark_and_change_no_words() -> None:
    colored = summary(prepared(), color=True, width=100)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == summary(prepared(), width=100)


WROTE = "Wrote 96 training and 24 validation examples. 3 of 122 rows set aside."


def clean(*severities: str) -> Report:
    return report_of([finding((f"XYZ10{i}", "odd", s), "odd", i) for i, s in enumerate(severities, 1)])


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"after": clean()}, f"{WROTE} Ready to train on."),
        ({"after": clean("info")}, f"{WROTE} Ready to train on."),
        (
            {"after": clean("warning")},
            f"{WROTE} Can be trained on, but look at the warning first.",
        ),
        (
            {"after": clean("warning", "warning"), "split": None, "valid": None},
            "Wrote 120 examples. 3 of 122 rows set aside. Can be trained on, but look at the 2 warnings first.",
        ),
        (
            {"after": clean("error", "warning"), "split": None, "valid": None},
            "Wrote 120 examples. 3 of 122 rows set aside. 1 error left in it: not ready to train on yet.",
        ),
        ({"train": None}, "Nothing to train on: 3 of 3 rows were set aside."),
        ({"train": None, "rows": {}}, "Nothing to train on: no rows."),
    ],
)
def test_verdicts(others: dict[str, Any], expected: str) -> None:
    if others.get("train", 1) is None:
        others = {"rows": {"read": 3, "rejected": 3}} | others
    assert verdict(prepared(**others)) == expected
    assert summary(prepared(**others)).startswith(expected[:60])


def test_a_set_with_nothing_to_say_is_short() -> None:
    told = summary(
        prepared(
            before=clean(),
            after=clean(),
            rejected=None,
            split=None,
            valid=None,
            accepted=(),
            declined=(),
            notes=(),
            advice=(),
            rows={"read": 120, "written": 120, "rejected": 0, "skipped": 0, "examples": 120},
        )
    )
    titles = [line for line in told.splitlines() if line and not line.startswith(" ")][1:]
    assert titles == ["Files", "What was read", "Rows", "What the set is", "What to do next"]


def test_what_was_set_aside_by_a_mending_is_told_once() -> None:
    told = summary(prepared())
    assert told.count("leave out exact duplicates") == 1
    assert told.index("Why rows were set aside") < told.index("leave out exact duplicates") < told.index("was mended")


def test_what_is_true_of_the_input_alone_is_not_lost() -> None:
    assert "sheets not read: 'More'" in summary(prepared())
    cut = clean("error")
    told = summary(prepared(before=cut, rows={"read": 5, "written": 5, "rejected": 0, "skipped": 0, "examples": 5}))
    assert "error XYZ101 odd" in told


def test_many_classes_findings_and_notes_are_bounded() -> None:
    classes = {f"class {i}": (9, 1) for i in range(50)}
    codes = Counter({f"XYZ{i:03}": 1 for i in range(100, 150)})
    after = report_of([finding((c, "odd", "info"), "odd", 1) for c in codes])
    told = summary(prepared(split=Split(frozenset(), 450, 50, classes, ()), after=after, notes=("note",) * 99))
    assert told.count("to train on, 1 held back") == CLASSES
    assert "and 40 more classes, the rarest with 10 examples" in told
    assert told.count("info XYZ") == FINDINGS
    assert told.count("  note\n") == NOTES
    assert len(told.splitlines()) < 100


def hostile() -> Prepared:
    after = report_of([finding(("XYZ101", "odd", "warning"), HOSTILE, 1)])
    split = Split(frozenset(), 96, 24, {HOSTILE: (96, 24)}, ())
    proposal = Proposal("SEP101", "unsafe", HOSTILE, 3)
    return prepared(
        after=after,
        before=after,
        train=Path(HOSTILE.replace("/", "")),
        split=split,
        notes=(HOSTILE,),
        advice=(HOSTILE,),
        accepted=(proposal,),
        declined=(proposal,),
    )


def test_text_from_data_is_inert() -> None:
    told = summary(hostile(), width=60)
    assert all(c.isprintable() or c == "\n" for c in told)
    assert "##[" not in told
    assert not re.search(r"^\s*::", told, re.MULTILINE)


class Tags(HTMLParser):
    """The names of all tags, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.open.append(tag)
        assert {name for name, _ in attrs} <= {"class", "style", "dir", "colspan"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("account", [prepared(), hostile(), prepared(train=None, rows=dict(RowCounts()))])
def test_html_is_whole_and_inert(account: Prepared) -> None:
    html = fragment(account)
    tags = Tags()
    tags.feed(html)
    assert not tags.open
    assert tags.names <= {"div", "p", "strong", "table", "tbody", "tr", "td", "bdi", "code"}
    assert not re.search(r"(src|href|url)\s*[=(]", html)
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert html == account._repr_html_()


def test_a_notebook_and_a_prompt_show_the_same() -> None:
    account = prepared()
    text = re.sub(r"<[^>]+>", " ", fragment(account))
    for words in ("118 rows", "held back", "max_tokens=1", "ftprep rule", "read 122 = written 118"):
        assert words in text
        assert words in repr(account)


def test_the_account_as_values() -> None:
    told = json.loads(json.dumps(as_dict(prepared())))
    assert told["files"]["valid"] == str(Path("out", "a_prepared_valid.jsonl"))
    assert told["split"] == {
        "train": 96,
        "valid": 24,
        "classes": {"yes": {"train": 60, "valid": 15}, "no": {"train": 36, "valid": 9}},
    }
    assert told["mended"][0] == {
        "code": "SEP105",
        "applicability": "safe",
        "message": "Puts one space at the start.",
        "rows": 118,
    }
    assert told["before"]["summary"]["errors"] == 1
    nothing = as_dict(prepared(train=None, valid=None, split=None))
    assert (nothing["files"]["train"], nothing["split"], nothing["ok"]) == (None, None, False)
