"""The views for programs: JSON that reads back, GitHub commands escaped and limited as GitHub has it."""

from __future__ import annotations

import io
import json
from collections import Counter

import jsonlines
import pytest
from sample_reports import NO_OBJECT, PARTIAL, PREFIX, SAMPLES, clean, finding, many, report_of

from ftprep.report import FindingView, Report
from ftprep.views import render
from ftprep.views.machine import command


@pytest.mark.parametrize("sample", SAMPLES)
def test_json_reads_back_as_the_report(sample: str) -> None:
    report = SAMPLES[sample]()
    assert Report.model_validate_json(render(report, "json")) == report
    assert json.loads(render(report, "json")) == report.to_dict()


@pytest.mark.parametrize("sample", SAMPLES)
def test_json_lines_read_back_as_the_findings(sample: str) -> None:
    report = SAMPLES[sample]()
    with jsonlines.Reader(io.StringIO(render(report, "json-lines"))) as reader:
        assert tuple(FindingView.model_validate(line) for line in reader) == report.findings


def test_json_lines_are_compact_utf8() -> None:
    line = render(report_of([finding(PARTIAL, "中文", 7)]), "json-lines")
    assert line.startswith('{"code":"SEP102","name":"separator-partial","severity":"warning","message":"中文",')
    assert line.count("\n") == 1


def test_github_command_is_escaped_as_the_toolkit_does() -> None:
    # What core.error of @actions/core 3.0.1 wrote for the same values.
    properties: dict[str, str | int] = {"title": "x:y,", "file": "a,b.jsonl", "line": 7, "endLine": 7, "col": 1}
    wanted = "::error title=x%3Ay%2C,file=a%2Cb.jsonl,line=7,endLine=7,col=1::a%25b%0Ac:d,"
    assert command("error", "a%b\nc:d,", properties) == wanted
    assert command("error", "\r;", {"title": "%\r\n;"}) == "::error title=%25%0D%0A;::%0D;"


def test_github_annotation_has_rule_and_place() -> None:
    report = report_of([finding(NO_OBJECT, "message 2 is text", 7, column=3)])
    assert render(report, "github") == (
        "::error title=ftprep (FMT105 message-not-object),file=support.csv,line=7,col=3::message 2 is text\n"
    )


def test_github_annotation_without_a_file_has_no_place() -> None:
    report = report_of([finding(PARTIAL, "m", 1, filename="")])
    assert render(report, "github") == "::warning title=ftprep (SEP102 separator-partial)::m\n"


def test_github_shows_ten_errors_ten_warnings_and_how_many_more() -> None:
    lines = render(many(), "github").splitlines()
    assert Counter(line.split(" ")[0] for line in lines) == {"::error": 10, "::warning": 10, "::notice": 1}
    assert lines == sorted(lines, key=lambda line: ["::error", "::warning", "::notice"].index(line.split(" ")[0]))
    assert "and 1,205,880 more" in lines[-1]
    # All six rules of errors are seen, though each has a hundred findings.
    assert len({line.split("(")[1].split(" ")[0] for line in lines[:10]}) == 6


def test_github_says_that_there_is_advice_alone() -> None:
    report = report_of([finding(PREFIX, "m", 1)])
    assert render(report, "github").startswith("::notice title=ftprep::1 for information")
    assert render(clean(), "github") == ""
