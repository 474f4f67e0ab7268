"""What holds for every view: the table of formats, inert output whatever the data, and cheap imports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_reports import CLASSES, PARTIAL, SAMPLES, SUPPORT, finding, report_of, severities

from ftprep.errors import UsageError
from ftprep.report import FixOffer, OfferView, Report, SkippedRule
from ftprep.views import FORMATS, STATISTICS, render, safe
from ftprep.views.notebook import fragment
from ftprep.views.plain import HIDDEN

_SGR = re.compile(r"\x1b\[(?:1|2|3[1236]|1;3[1236])m|\x1b\[0m")

# Random text, and text dense in what matters here.
anything = st.text(max_size=60) | st.text(st.sampled_from("\x1b\x9b\u202e\u200b\u2028\n\r\t\x7f\ud800:#[];% 中a"))


def outside(text: str) -> Report:
    """A report with one text from outside wherever one can stand."""
    offer = FixOffer(applicability="safe", message=text)
    rows = [
        finding(
            ("FMT105", "message-not-object", "error"),
            text,
            3,
            filename=text,
            sheet=text,
            excerpt=text,
            json_pointer=text,
            fix=offer,
        ),
        finding(PARTIAL, text + "x", 4, filename=text, excerpt=text, record=None),
    ]
    view = SUPPORT.model_copy(update={"path": text, "sheet": text, "read_as": text, "encoding": text})
    data = CLASSES.model_copy(
        update={"classes": {text: 2, text + "y": 1}, "separator": text, "stop": text, "task_reasons": (text,)}
    )
    fixes = (OfferView(code=PARTIAL[0], applicability="unsafe", message=text, rows=1),)
    skipped = (SkippedRule(rule="TOK102", reason=text),)
    return report_of(rows, inputs=(view, SUPPORT), dataset=data, fixes=fixes, skipped=skipped)


def shown(report: Report) -> dict[str, str]:
    """Every text that may reach a terminal, a log or a browser."""
    told = {name: render(report, name) for name in FORMATS}
    told |= {f"statistics {name}": render(report, name, statistics=True) for name in STATISTICS}
    return told | {"repr": repr(report), "notebook": fragment(report)}


@settings(max_examples=60)
@given(anything)
def test_no_view_lets_data_drive_a_terminal(text: str) -> None:
    for name, told in shown(outside(text)).items():
        assert not HIDDEN.search(told.replace("\n", "")), name
        told.encode()  # lone surrogates cannot be printed


@settings(max_examples=60)
@given(anything)
def test_colour_is_the_only_escape(text: str) -> None:
    for name in ("full", "concise"):
        told = render(outside(text), name, color=True)
        assert _SGR.sub("", told) == render(outside(text), name)


@settings(max_examples=60)
@given(anything)
def test_no_view_but_githubs_gives_a_ci_commands(text: str) -> None:
    told = shown(outside("::error::" + text + "\n ::add-mask::x ##[add-mask]x"))
    for name, view in told.items():
        if name not in ("github", "notebook"):
            assert not any(line.lstrip().startswith("::") for line in view.split("\n")), name
            assert "##[" not in view, name
    for line in told["github"].splitlines():
        assert re.match(r"::(error|warning|notice) title=ftprep[^:]*::", line)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_output_ends_with_one_line_end_or_is_empty(sample: str, name: str) -> None:
    told = render(SAMPLES[sample](), name)
    assert told == "" or (told.endswith("\n") and not told.endswith("\n\n"))


@pytest.mark.parametrize(("given_name", "hint"), [("jsn", "'json'"), ("consise", "'concise'"), ("xyz", "json-lines")])
def test_unknown_format_names_the_nearest(given_name: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        render(severities(), given_name)
    assert given_name in raised.value.message
    assert hint in raised.value.hint


def test_statistics_are_refused_where_there_are_none() -> None:
    with pytest.raises(UsageError, match="github"):
        render(severities(), "github", statistics=True)


def test_statistics_are_sorted_by_count_and_tell_what_can_be_mended() -> None:
    rows: list[dict[str, Any]] = json.loads(render(severities(), "json", statistics=True))
    assert [r["count"] for r in rows] == sorted((r["count"] for r in rows), reverse=True)
    assert {r["code"]: r["fixable"] for r in rows} == {
        "SEP102": "safe",
        "FMT105": None,
        "SEP105": "safe",
        "LBL102": None,
        "SEP109": "unsafe",
    }
    lines = render(severities(), "json-lines", statistics=True).splitlines()
    assert [json.loads(line) for line in lines] == rows


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain text, 中文, é, 🙂", "plain text, 中文, é, 🙂"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"),
        ("\x7f\x85\x9b", "\\x7f\\x85\\x9b"),
        ("\u202e\u2066\u200f\u200e", "\\u202e\\u2066\\u200f\\u200e"),
        ("\u200b\u200d\ufeff\u2028\u2029", "\\u200b\\u200d\\ufeff\\u2028\\u2029"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("C:\\data", "C:\\data"),
    ],
)
def test_safe_shows_what_cannot_be_seen(text: str, wanted: str) -> None:
    assert safe(text) == wanted


@settings(max_examples=100)
@given(anything)
def test_safe_applied_twice_does_the_same_as_once(text: str) -> None:
    assert safe(safe(text)) == safe(text)


def test_views_are_cheap_to_import() -> None:
    heavy = "{'rich', 'pandas', 'numpy', 'jsonlines', 'tiktoken', 'sklearn', 'click'}"
    code = f"import sys, ftprep.views, ftprep.views.text; sys.exit(str({heavy} & set(sys.modules) or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
