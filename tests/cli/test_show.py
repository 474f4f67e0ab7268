"""`ftprep rule` and `ftprep recipe`, and the pages that are made from the cards of rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import Ran, compare

from ftprep.pages import FAMILIES, OptionPage, RulePage, SamplePage, pages_of
from ftprep.rules import CATALOGUE
from ftprep.views import page

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]
PAGE = RulePage(
    code="XYZ101",
    name="odd-thing",
    family="Odd things",
    severity="warning",
    finds="A thing that is odd.",
    why="Odd things are learnt as if they were even, and that is a long story which takes more than a line to tell.",
    fix="unsafe",
    mended="Makes it even.",
    options=(OptionPage("most", "int", 3), OptionPage("words", "str", "中\n")),
    bad=SamplePage('{"prompt": "\x1b[31m", "completion": "中"}\n' * 14, ".jsonl", {"token-limit": 3}),
    good=SamplePage("", ".xlsx", {}),
    aliases=("odd",),
    since="0.1.0",
    status="preview",
)


def test_a_page_in_full() -> None:
    compare("rule_page.txt", page.full(PAGE, width=80))
    assert "\x1b[33mwarning\x1b[0m" in page.full(PAGE, color=True)


def test_every_rule_has_a_page() -> None:
    pages = pages_of()
    assert [p.code for p in pages] == [r.card.code for r in CATALOGUE]
    for each in pages:
        text = page.full(each, width=60)
        assert text.startswith(f"{each.code} {each.name}  {each.severity}  ({each.family})\n")
        assert all(c.isprintable() or c == "\n" for c in text)
        assert each.family in FAMILIES.values()


def test_one_rule_by_each_of_its_names(cli: Cli) -> None:
    by_code = cli("rule", "SEP105")
    assert by_code.code == 0
    assert "What it finds" in by_code.out
    for name in ("sep105", "leading-space-missing"):
        assert cli("rule", name).out == by_code.out
    assert cli("rule", "SEP105", "--output-format", "json").json["name"] == "leading-space-missing"


@pytest.mark.parametrize("arguments", [("rule",), ("rule", "--all")])
def test_all_rules(cli: Cli, arguments: tuple[str, ...]) -> None:
    told = cli(*arguments).out
    assert all(f"  {r.card.code} " in told for r in CATALOGUE)
    assert max(map(len, told.splitlines())) <= 100
    assert [p["code"] for p in cli(*arguments, "--output-format", "json").json] == [r.card.code for r in CATALOGUE]


def test_a_family(cli: Cli) -> None:
    told = cli("rule", "SEP").out
    assert told.startswith("Prompts and completions\n  SEP101  ")
    assert "DUP101" not in told


def test_recipes_are_listed_and_shown(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = folder / "recipes"
    shipped.mkdir()
    text = 'description = "Tweets; \\"good\\" or bad"\ntask = "classification"\n'
    (shipped / "sentiment.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr("ftprep.recipe.recipe_folder", lambda: shipped)
    assert cli("recipe").out.startswith('sentiment  Tweets; "good" or bad\n')
    assert cli("recipe", "--output-format", "json").json == {"sentiment": 'Tweets; "good" or bad'}
    assert cli("recipe", "sentiment").out == text
    assert cli("recipe", "sentiment", "--output-format", "json").json["task"] == "classification"
    wrong = cli("recipe", "sentimant")
    assert (wrong.code, wrong.err.splitlines()[1]) == (2, "  did you mean 'sentiment'?")


def test_a_recipe_of_ones_own_is_shown_inert(cli: Cli, folder: Path) -> None:
    (folder / "mine.toml").write_text('task = "auto"  # \u202e odd\n', encoding="utf-8")
    assert cli("recipe", "mine.toml").out == 'task = "auto"  # \\u202e odd\n'
