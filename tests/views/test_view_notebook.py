"""The notebook fragment: sound HTML, nothing that runs or is fetched, data escaped, small whatever the report."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_reports import CLASSES, MARKUP, NO_OBJECT, SAMPLES, SUPPORT, finding, many, report_of, severities

from ftprep.report import Report, SkippedRule
from ftprep.views.notebook import LIMIT, fragment

_TAGS = {"div", "p", "span", "strong", "table", "thead", "tbody", "tr", "th", "td", "bdi", "br", "details", "summary"}
_TAGS |= {"code"}
_ATTRIBUTES = {"style", "class", "dir", "scope"}


class _Reader(HTMLParser):
    """Collects the text, and holds tags and attributes to what a fragment may have, properly nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS
        assert {name for name, _ in attrs} <= _ATTRIBUTES
        assert not any("url(" in (value or "") for _, value in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert data.isspace() or not {"div", "table", "tr"} & set(self.open[-1:])
        self.text.append(data)


def text_of(html: str) -> str:
    return "".join(_Reader(html).text)


@pytest.mark.parametrize("sample", SAMPLES)
def test_fragment_runs_nothing_and_fetches_nothing(sample: str) -> None:
    html = fragment(SAMPLES[sample]())
    _Reader(html)
    assert "<script" not in html.lower()
    assert "http" not in html.lower()


def test_data_is_escaped_and_has_its_own_direction() -> None:
    html = fragment(SAMPLES["hostile"]())
    assert "&lt;script&gt;" in html
    assert '<bdi dir="auto">&lt;script&gt;' in html
    assert MARKUP in text_of(html)


@settings(max_examples=60)
@given(st.text(st.sampled_from("<>&\"'/= abimgscrpt\n-!")) | st.text(max_size=40))
def test_data_never_becomes_markup(text: str) -> None:
    view = SUPPORT.model_copy(update={"path": text, "sheet": text, "read_as": text})
    data = CLASSES.model_copy(update={"classes": {text: 1}, "separator": text, "task_reasons": (text,)})
    rows = [finding(NO_OBJECT, text, 3, filename=text, excerpt=text, json_pointer=text)]
    _Reader(fragment(report_of(rows, inputs=(view,), dataset=data, skipped=(SkippedRule(rule="X", reason=text),))))


def test_fragment_tells_verdict_counts_set_and_findings() -> None:
    text = text_of(fragment(severities()))
    assert "2 errors, 1,212 warnings and 1 info: not ready to train on yet." in text
    assert "card_arrival: 503 (41 %)" in text
    assert '"\\n\\n###\\n\\n" ends the prompts' in text
    assert "support.csv:7 /messages/1" in text
    assert "… and 1,202 more" in text
    assert "TOK102, TOK103: no token limit is known" in text
    assert fragment(severities()).count("<details") == len(severities().rules)


def test_counts_stay_true_where_findings_are_left_out() -> None:
    html = fragment(many())
    assert "<details" in html
    assert "1,204,100" in html
    assert "… and 1,204,090 more" in html


def swollen() -> Report:
    """More rules, longer texts and wider characters than any set has."""
    long = "&" * 3000 + "中" * 3000 + "e" + "\u0301" * 3000
    view = SUPPORT.model_copy(update={"path": long, "sheet": long, "read_as": long})
    data = CLASSES.model_copy(
        update={"classes": {f"{n}{long}": 1 for n in range(2000)}, "separator": long, "task_reasons": (long,) * 9}
    )
    rows = [
        finding(("TXT" + str(n % 400), long, "warning"), long, n, filename=long, excerpt=long, json_pointer=long)
        for n in range(4000)
    ]
    skipped = tuple(SkippedRule(rule=long, reason=f"{n}{long}") for n in range(50))
    return report_of(rows, inputs=(view,) * 50, dataset=data, skipped=skipped)


def test_fragment_is_small_whatever_the_report() -> None:
    html = fragment(swollen())
    _Reader(html)
    assert len(html.encode()) < 200_000
    assert len(fragment(many()).encode()) < LIMIT
    assert re.search(r"… and \d+ rules more", html)


def test_report_shows_itself_in_a_notebook() -> None:
    assert severities()._repr_html_() == fragment(severities())
