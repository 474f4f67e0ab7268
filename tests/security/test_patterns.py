"""Patterns that users hand over cannot hang a run, wherever one is accepted (S14)."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import ftprep
from ftprep.__main__ import main
from ftprep.errors import RecipeError
from ftprep.targets import find_target

SECONDS = 2.0
EVIL = (
    r"^(a+)+$",
    r"^(a*)*$",
    r"^(a|a)*$",
    r"^(a|aa)+$",
    r"^([a-zA-Z]+)*$",
    r"^(.*a){20}$",
    r"^(a?){30}a{30}$",
    r"(x+x+)+y",
    r"^((a+)b?)+$",
    r"^(\w+\s?)*$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"^(?:a+){1,}$",
    r"^(?=(a+)+$)",
    r"(a{1,100}){1,100}{1,100}",
)
TEXT = "a" * 60 + "!"
PLACES = ("name.pattern", "tools.name_pattern", "tools.id_pattern", "media.name_pattern", "suffix.pattern")


@pytest.mark.parametrize("pattern", EVIL)
def test_in_a_target_of_ones_own(pattern: str, tmp_path: Path) -> None:
    begun = time.process_time()
    for place in PLACES:
        (tmp_path / "t.toml").write_text(f'extends = "openai"\n{place} = {json.dumps(pattern)}\n', encoding="utf-8")
        with pytest.raises(RecipeError) as caught:
            find_target(str(tmp_path / "t.toml"))
        assert place in str(caught.value)
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("pattern", ["^[a-z]{1,64}$", "^[a-zA-Z0-9_-]+$", "^(job|run)-[0-9]{1,9}$", r"^\w[\w.-]*$"])
def test_sound_patterns_are_taken(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(f"tools.name_pattern = {json.dumps(pattern)}\n", encoding="utf-8")
    assert find_target(str(tmp_path / "t.toml")).value("tools.name_pattern") == pattern


def talk(schema: object, arguments: object, name: str = "f") -> dict[str, object]:
    tool = {"type": "function", "function": {"name": name, "parameters": schema}}
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    return {"messages": messages, "tools": [tool]}


@pytest.mark.parametrize("pattern", EVIL)
def test_in_the_schema_of_a_tool(pattern: str) -> None:
    schemas = (
        ({"properties": {"a": {"pattern": pattern}}}, {"a": TEXT}),
        ({"patternProperties": {pattern: {"type": "null"}}}, {TEXT: 1}),
        ({"propertyNames": {"pattern": pattern}}, {TEXT: 1}),
        ({"patternProperties": {pattern: {}}, "additionalProperties": False}, {TEXT: 1}),
        ({"patternProperties": {pattern: {}}, "unevaluatedProperties": False}, {TEXT: 1}),
        ({"$defs": {"x": {"pattern": pattern}}, "properties": {"a": {"$ref": "#/$defs/x"}}}, {"a": TEXT}),
    )
    begun = time.process_time()
    for schema, arguments in schemas:
        ftprep.check([talk({"type": "object", **schema}, arguments)])
    assert time.process_time() - begun < SECONDS * len(schemas)


def test_a_name_of_a_megabyte_is_held_to_its_pattern_fast(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('tools.name_pattern = "^[a-z]*[a-z0-9]*$"\n', encoding="utf-8")
    begun = time.process_time()
    report = ftprep.check([talk({"type": "object"}, {}, "a" * 1_000_000 + "!")], target=str(tmp_path / "t.toml"))
    assert time.process_time() - begun < 5 * SECONDS
    assert report.rows.read == 1


@pytest.mark.parametrize("option", ["--separator", "--stop", "--prompt-template", "--select", "--ignore", "--sheet"])
def test_options_take_no_patterns(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"prompt": TEXT, "completion": TEXT}) + "\n", encoding="utf-8")
    begun = time.process_time()
    for pattern in EVIL:
        assert main(["check", str(tmp_path / "a.jsonl"), f"{option}={pattern}"]) in (0, 1, 2)
    assert "bug" not in capsys.readouterr().err
    assert time.process_time() - begun < SECONDS * len(EVIL)


def test_a_glob_of_many_stars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ("a" * 100 + ".jsonl")).write_text("{}\n", encoding="utf-8")
    begun = time.process_time()
    assert main(["check", str(tmp_path / ("a*" * 25 + "b"))]) == 2
    assert main(["check", str(tmp_path / ("**/" * 25 + "x"))]) == 2
    capsys.readouterr()
    assert time.process_time() - begun < 2 * SECONDS
