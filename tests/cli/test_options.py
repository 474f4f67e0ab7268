"""Options: what is given becomes the settings, and only that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from cli_runs import Ran
from hypothesis import given
from hypothesis import strategies as st

from ftprep.cli.check import check
from ftprep.cli.options import EXECUTORS, FINDING_FORMATS, METHODS, SEVERITIES, SHAPES, unescaped
from ftprep.cli.request import Request

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]


def overrides(*arguments: str) -> dict[str, Any]:
    with check.make_context("check", ["a.jsonl", *arguments]) as context:
        return Request.of(context).overrides


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), {}),
        (("--task", "classification"), {"task": "classification"}),
        (("--shape", "auto"), {"shape": "auto"}),
        (("--model", "gpt-4o", "--token-limit", "9"), {"model": "gpt-4o", "token-limit": 9}),
        (("--token-encoding", "cl100k_base"), {"encoding": "cl100k_base"}),
        (("--separator", r"\n\n###\n\n"), {"format": {"separator": "\n\n###\n\n"}}),
        (("--separator", "->", "--stop", " END"), {"format": {"separator": "->", "stop": " END"}}),
        (("--prompt-column", "Text"), {"columns": {"prompt": "Text"}}),
        (("--prompt-template", r"{a}\t{b}"), {"columns": {"prompt-template": "{a}\t{b}"}}),
        (("--select", "SEP,IO", "--select", "DUP101"), {"rules": {"select": ("SEP", "IO", "DUP101")}}),
        (("--ignore", "SEP101, IO"), {"rules": {"ignore": ("SEP101", "IO")}}),
        (("--extend-select", "A"), {"rules": {"extend-select": ("A",)}}),
    ],
)
def test_only_what_is_given_is_handed_on(arguments: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert overrides(*arguments) == expected


def test_options_of_reading_and_paths() -> None:
    arguments = ["a", "-", "--encoding", "gb18030", "--sheet", "all", "--delimiter", r"\t", "--stdin-filename", "x.csv"]
    with check.make_context("check", arguments) as context:
        request = Request.of(context)
    assert request.paths == ["a", "-"]
    assert request.reading == {"encoding": "gb18030", "sheet": "all", "delimiter": "\t"}
    assert request.stdin_name == "x.csv"


@pytest.mark.parametrize(
    ("text", "expected"),
    [(r"\n", "\n"), (r"a\tb\r", "a\tb\r"), (r"\\n", r"\n"), (r"\u4e2d", "中"), (r"C:\dir", r"C:\dir"), ("\\", "\\")],
)
def test_backslash_escapes(text: str, expected: str) -> None:
    assert unescaped(text) == expected


@given(st.text())
def test_any_text_can_be_given(text: str) -> None:
    assert unescaped(text.replace("\\", "\\\\")) == text


@pytest.mark.parametrize(
    ("said", "meant"),
    [("0.1", 0.1), ("10%", 0.1), ("12.5%", 0.125), ("200", 200), ("1", 1), ("none", "none"), (".5", 0.5)],
)
def test_sizes_of_the_validation_set(cli: Cli, said: str, meant: float | int | str) -> None:
    assert cli("config", "show", "--valid", said, "--output-format", "json").json["settings"]["split"]["valid"] == meant


@pytest.mark.parametrize("said", ["0", "1.0", "100%", "-1", "nan", "inf", "1e-400%%", "", "x", "٣", "0%", "1/10"])
def test_sizes_that_are_none(cli: Cli, said: str) -> None:
    ran = cli("config", "show", "--valid", said)
    assert ran.code == 2
    assert ran.err.startswith(f"error: --valid: {said!r} is neither a share (0.1 or 10%) nor a number")


def test_the_names_of_formats_and_severities_are_those_of_the_library() -> None:
    from ftprep.executors import NAMES
    from ftprep.model import SEVERITIES as KNOWN
    from ftprep.recipe import Method, Shape
    from ftprep.views import FORMATS

    assert tuple(FORMATS) == FINDING_FORMATS
    assert (*KNOWN, "never") == SEVERITIES
    assert NAMES == EXECUTORS
    assert get_args(Shape) == SHAPES
    assert get_args(Method) == METHODS


def test_every_key_of_an_option_is_a_key_of_the_recipe() -> None:
    from ftprep.cli.commands import HOMES, command
    from ftprep.cli.kinds import Option
    from ftprep.readers.base import Options
    from ftprep.recipe import Recipe

    known = Recipe().model_dump(by_alias=True)
    options = [o for name in HOMES for o in command(name).params if isinstance(o, Option)]
    for key in {o.key for o in options if o.key}:
        place: Any = known
        for part in key.split("."):
            assert part in place, key
            place = place[part]
    assert {o.reads for o in options if o.reads} <= set(Options.__struct_fields__)


def test_config_show_tells_where_each_setting_comes_from(cli: Cli, folder: Path) -> None:
    (folder / "ftprep.toml").write_text('task = "generation"\n[split]\nseed = 7\n', encoding="utf-8")
    (folder / "mine.toml").write_text("[split]\nvalid = 200\n", encoding="utf-8")
    lines = cli("config", "show", "-r", "mine.toml", "--separator", r"\n").out.splitlines()
    assert f'task = "generation"  # {folder / "ftprep.toml"}' in lines
    assert f"seed = 7  # {folder / 'ftprep.toml'}" in lines
    assert "valid = 200  # recipe mine.toml" in lines
    assert r'separator = "\n"  # command line' in lines
    assert 'shape = "auto"' in lines


def test_config_show_is_toml_that_means_the_same(cli: Cli, folder: Path) -> None:
    import tomllib

    recipe = '[rules]\nselect = ["SEP"]\n[rules.options.TOK103]\nshare = 0.5\n[turns]\nuser = "Q: "\n'
    (folder / "mine.toml").write_text(recipe, encoding="utf-8")
    text = cli("config", "show", "-r", "mine.toml", "--stop", '\x7f\t"中').out
    (folder / "again.toml").write_text(text, encoding="utf-8")
    tomllib.loads(text)
    again = cli("config", "show", "-r", "again.toml", "--output-format", "json").json
    assert again["settings"]["rules"] == {
        "select": ["SEP"],
        "ignore": [],
        "extend-select": [],
        "options": {"TOK103": {"share": 0.5}},
    }
    assert again["settings"]["format"]["stop"] == '\x7f\t"中'
    assert again["settings"]["turns"]["user"] == "Q: "


def test_the_schema_holds_for_a_recipe_in_use(cli: Cli) -> None:
    import jsonschema

    schema = cli("config", "schema").json
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema).is_valid
    assert check({"task": "generation", "split": {"valid": 0.2}, "rules": {"extend-select": ["SEP"]}})
    assert not check({"taks": "generation"})
    assert "$schema" in json.dumps(schema)
