"""`ftprep target`: the list and the pages, as people and programs see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cli_runs import Ran, compare

from ftprep.targets import target_names
from ftprep.targets.page import page_of, summaries
from ftprep.views import targets as views

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]
TODAY = date(2026, 11, 20)


def test_the_list() -> None:
    text = views.listing(summaries(TODAY), width=100)
    compare("targets.txt", text)
    assert "\x1b[31mclosed" in views.listing(summaries(TODAY), color=True)


@pytest.mark.parametrize(
    ("file", "selector", "method", "every"),
    [
        ("target_openai.txt", "openai", None, False),
        ("target_model.txt", "azure:gpt-4.1", None, True),
        ("target_local.txt", "trl", "dpo", False),
        ("target_unknown_model.txt", "bedrock-titan:titan-premiere", "dpo", False),
    ],
)
def test_pages(file: str, selector: str, method: str | None, every: bool) -> None:
    compare(file, views.full(page_of(selector, method, TODAY, every), width=100))


@pytest.mark.parametrize("name", target_names())
@pytest.mark.parametrize("width", [80, 100])
def test_every_page_keeps_to_the_width(name: str, width: int) -> None:
    text = views.full(page_of(name, None, TODAY, every=True), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert all(line == line.rstrip() for line in text.splitlines())
    assert all(c.isprintable() or c == "\n" for c in text)


def test_what_is_shown_is_all_that_is_known() -> None:
    page = page_of("openai", None, TODAY)
    told = page.to_dict()
    assert set(told["facts"]) | {f"dates.{k}" for k in ("restricted", "restricted_unused", "last_new_job")} == set(
        page.target.facts
    )
    assert told["facts"]["file.min_rows"] == {
        "value": 10,
        "confidence": "source read",
        "source": "O-sft",
        "date": "after 2026-05-07",
        "note": "",
    }
    assert set(told["not_known"]) == {"file.bom", "file.max_rows", "roles.alternate", "name.pattern"}
    assert {s["title"] for s in told["sources"].values()} >= {"OpenAI guide supervised-fine-tuning"}


def test_by_the_command_line(cli: Cli) -> None:
    listed = cli("target")
    assert listed.code == 0
    assert all(f"\n{name} " in f"\n{listed.out}" for name in target_names())
    assert cli("target", "--all").out == listed.out
    assert [each["name"] for each in cli("target", "--output-format", "json").json] == list(target_names())
    page = cli("target", "openai:gpt-4o-mini", "--output-format", "json").json
    assert (page["model"], page["facts"]["limits.context"]["value"]) == ("gpt-4o-mini-2024-07-18", 65536)
    other = cli("target", "openai", "--all", "--output-format", "json").json["other_methods"]
    assert other["dpo"]["record.shape"]["value"] == "preference"
    assert cli("target", "gemini", "--method", "dpo").out.startswith("vertex  ")


def test_wrong_names(cli: Cli) -> None:
    wrong = cli("target", "opnai")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.splitlines()[1].startswith("  did you mean 'openai'?")
    assert cli("target", "--method", "dpo").code == 2


def test_a_file_of_ones_own_is_shown_inert(cli: Cli, folder: Path) -> None:
    text = 'extends = "trl"\n[file]\nmin_rows = {value = 3, note = "odd \\u202e \\u001b[31m"}\n'
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    told = cli("target", "mine.toml").out
    assert told.startswith("mine  local  TRL, on one's own computers\nFacts as of 2026-11-20, for supervised;")
    assert "own file" in told
    assert r"odd \u202e \x1b[31m" in told


def test_a_file_that_says_nothing_of_when(cli: Cli, folder: Path) -> None:
    (folder / "mine.toml").write_text("file.min_rows = 3\nmodels.big.limits.context = 9\n", encoding="utf-8")
    assert cli("target", "mine.toml:bigg").out.startswith(
        "mine:bigg  open  mine\nFacts for supervised.\nThe model bigg"
    )
    assert cli("target", "mine.toml", "--output-format", "json").json["as_of"] is None
