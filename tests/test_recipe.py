"""The one configuration: who has the last word, what is refused, and what is said then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import RecipeError
from ftprep.pipeline import settings
from ftprep.recipe import Recipe, find_recipe, merge, project_settings, read_settings, resolve, shipped_recipes

NAMES = ["token-limit", "description", "split", "format", "rules"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a folder below it that one stands in."""
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def test_overrides_win_over_the_recipe_and_that_over_the_project(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.ftprep]\ntoken-limit = 1\ndescription = "project"\n[tool.ftprep.split]\nseed = 1\nvalid = 0.5\n'
    )
    (project / "mine.toml").write_text('token-limit = 2\ndescription = "mine"\n[split]\nseed = 2\n')
    found = settings(str(project / "mine.toml"), token_limit=3)
    assert (found.token_limit, found.description, found.split.seed, found.split.valid) == (3, "mine", 2, 0.5)
    assert settings(None).token_limit == 1
    assert settings(None, token_limit=None).token_limit == 1
    assert settings({"token-limit": 7}).split.seed == 1


@pytest.mark.parametrize("name", ["ftprep.toml", "pyproject.toml"])
def test_the_nearest_configuration_holds(project: Path, name: str) -> None:
    head = "[tool.ftprep]\n" if name == "pyproject.toml" else ""
    (project / name).write_text(f"{head}token-limit = 10\n")
    assert settings(None).token_limit == 10
    (project / "below" / name).write_text(f"{head}token-limit = 20\n")
    assert settings(None).token_limit == 20
    _, origin = project_settings(project)
    assert origin == str(project / name)


def test_a_project_without_a_word_about_us_is_passed_over(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.ftprep]\ntoken-limit = 10\n")
    (project / "below" / "pyproject.toml").write_text('[project]\nname = "other"\n[tool.other]\nx = 1\n')
    assert settings(None).token_limit == 10


@pytest.mark.parametrize("said", ['recipe = "mine.toml"', 'recipe = "sentiment"', 'recipe = "deep/mine.json"'])
def test_the_recipe_that_a_project_names_is_found_from_anywhere_below(project: Path, said: str) -> None:
    (project / "deep").mkdir()
    (project / "mine.toml").write_text('task = "classification"\ntoken-limit = 9\n')
    (project / "deep" / "mine.json").write_text('{"task": "classification", "token-limit": 9}')
    (project / "ftprep.toml").write_text(f"{said}\ntoken-limit = 5\n")
    found = settings(None)
    assert (found.task, found.token_limit) == ("classification", 5)
    assert settings({"task": "generation"}).task == "generation"


def test_a_resolved_recipe_is_taken_as_it_is(project: Path) -> None:
    (project / "ftprep.toml").write_text("token-limit = 5\n")
    assert settings(Recipe()).token_limit is None


@pytest.mark.parametrize(
    ("given", "told", "hint"),
    [
        ({"tokn-limit": 3}, "unknown key 'tokn-limit'", "did you mean 'token-limit'?"),
        ({"split": {"sed": 3}}, "unknown key 'split.sed'", "did you mean 'seed'?"),
        ({"turns": {"usr": ""}}, "unknown key 'turns.usr'", "did you mean 'user'?"),
        ({"rules": {"option": {}}}, "unknown key 'rules.option'", "did you mean 'options'?"),
        ({"format": {"stp": ""}}, "unknown key 'format.stp'", "did you mean 'stop'?"),
        ({"xyz": 1}, "unknown key 'xyz'", "description, shape, task"),
        ({"token_limit": True}, "token-limit: Input should be a valid integer", ""),
        ({"token_limit": "100"}, "token-limit: Input should be a valid integer", ""),
        ({"token_limit": 0}, "token-limit: Input should be greater than or equal to 1", ""),
        ({"task": "regression"}, "task: Input should be 'auto', 'classification', 'generation' or 'open-ended'", ""),
        ({"columns": "prompt"}, "columns: Input should be a valid dictionary", ""),
        ({"fix": {"accept": "SEP101"}}, "fix.accept: Input should be a valid tuple", ""),
        ({"format": {"leading-space": "no"}}, "format.leading-space: Input should be a valid boolean", ""),
        ({"split": {"valid": True}}, "split.valid: Input should be a valid number; or: ", ""),
        ({"split": {"valid": "half"}}, "split.valid: Input should be a valid number; or: ", ""),
        ({"split": {"valid": 0}}, "split.valid: Input should be greater than 0; or: ", ""),
        ({"split": {"valid": 1.0}}, "split.valid: Input should be less than 1; or: ", ""),
        ({"split": {"valid": -3}}, "split.valid: Input should be greater than 0; or: ", ""),
        ({"limits": {"recrod": 1}}, "unknown key 'limits.recrod'", "did you mean 'record'?"),
        ({"limits": {"record": "64MB"}}, "limits.record: not a size", ""),
        ({"limits": {"record": 0}}, "limits.record: must be from 1 to 1,073,741,824", ""),
        ({"limits": {"depth": True}}, "limits.depth: not a whole number", ""),
        ({"limits": {"depth": "1MiB"}}, "limits.depth: not a whole number", ""),
        ({"limits": {"depth": 501}}, "limits.depth: must be from 1 to 500", ""),
        ({"limits": {"seconds": 1.5}}, "limits.seconds: not a whole number", ""),
        ({"limits": {"cells": [1]}}, "limits.cells: not a whole number", ""),
        ({"limits": {"cells": 10**5000}}, "limits.cells: ", ""),
        ({"limits": 3}, "limits: Input should be a valid dictionary", ""),
        ({"split": {"seed": 1.5}}, "split.seed: Input should be a valid integer", ""),
    ],
)
def test_what_does_not_hold_is_refused_with_its_key(given: dict[str, Any], told: str, hint: str) -> None:
    with pytest.raises(RecipeError) as raised:
        resolve(given, origin="mine.toml")
    assert raised.value.message.startswith(f"mine.toml: {told}")
    assert hint in raised.value.hint
    assert raised.value.hint
    assert "constrained" not in raised.value.message


@pytest.mark.parametrize("valid", [0.001, 0.1, 0.999, 1, 200, "none"])
def test_sizes_of_a_validation_set(valid: float | int | str) -> None:
    found = resolve({"split": {"valid": valid}}).split.valid
    assert found == valid
    assert type(found) is type(valid)


def test_keys_may_be_kebab_or_snake_case_and_tables_are_merged() -> None:
    merged = merge({"token_limit": 1, "format": {"leading_space": False, "stop": "a"}}, {"format": {"stop": "b"}})
    assert merged == {"token-limit": 1, "format": {"leading-space": False, "stop": "b"}}
    options = {"rules": {"options": {"too-few": {"generation": 3}}}}
    both = {"rules": {"options": {"too-few": {"generation": 3}, "SET101": {}}}}
    assert merge(options, {"rules": {"options": {"SET101": {}}}}) == both  # rule by rule, the later layer's last


LAYER = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(st.integers(), st.dictionaries(st.sampled_from(NAMES), st.integers(), max_size=3))
)


@given(layers=st.lists(LAYER, max_size=4))
def test_merging_is_associative_and_the_last_layer_wins(layers: list[dict[str, Any]]) -> None:
    whole = merge(*layers)
    assert merge(merge(*layers[:2]), *layers[2:]) == whole
    assert merge(whole, whole) == whole
    for key, value in (layers[-1] if layers else {}).items():
        if isinstance(value, dict):
            assert all(whole[key][k] == v for k, v in value.items())
        else:
            assert whole[key] == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", "token-limit = \n", "line 1"),
        ("a.json", '{"token-limit": }', "line 1 column 17"),
        ("a.json", "[1]", "a recipe is a table of keys"),
        ("a.toml", b"\xff\xfe", "cannot be read"),
        ("missing.toml", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, name: str, text: str | bytes | None, told: str) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecipeError) as raised:
        read_settings(path)
    assert raised.value.message.startswith(f"{path}: ")
    assert told in raised.value.message
    assert raised.value.hint


def test_files_with_a_byte_order_mark_and_odd_tools_are_read(tmp_path: Path) -> None:
    (tmp_path / "ftprep.toml").write_bytes(b"\xef\xbb\xbftoken-limit = 3\n")
    assert project_settings(tmp_path)[0] == {"token-limit": 3}
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "pyproject.toml").write_text("tool = 3\n")
    assert project_settings(tmp_path / "odd")[0] == {"token-limit": 3}


def test_a_wrong_name_gets_the_nearest_recipe() -> None:
    with pytest.raises(RecipeError, match="no recipe is called 'sentimet'") as raised:
        find_recipe("sentimet")
    assert raised.value.hint == "did you mean 'sentiment'?"
    with pytest.raises(RecipeError) as raised:
        find_recipe("qqqq")
    assert all(name in raised.value.hint for name in shipped_recipes())


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_recipe_says_the_same_as_toml_and_as_json(name: str, tmp_path: Path) -> None:
    found = find_recipe(name)
    (tmp_path / "same.json").write_text(json.dumps(found))
    assert resolve(find_recipe(str(tmp_path / "same.json"))) == resolve(found)
    dumped = resolve(found).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert resolve(dumped) == resolve(found)


def test_a_table_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["split"] = endless
    with pytest.raises(RecipeError, match="within each other without end"):
        resolve(endless)


def test_no_settings_are_the_defaults() -> None:
    found = resolve({}, {})
    assert found == Recipe()
    assert found.model_dump() == Recipe().model_dump()
    assert (found.model_fields_set, found.split.model_fields_set) == (set(), set())
