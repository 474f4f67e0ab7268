"""Files of users: what they add and change, and what their mistakes are told as."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import FtprepError, RecipeError
from ftprep.targets import find_target
from ftprep.targets.kinds import misfit
from ftprep.targets.paths import PATHS, find_path


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    """The path of a file with this text."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_a_file_adds_to_a_target_and_changes_it(tmp_path: Path) -> None:
    mine = written(tmp_path, 'extends = "openai"\nfile.min_rows = 100\nlimits.context = 9\nname.pattern = "^[a-z]+$"\n')
    target = find_target(mine)
    fact = target.get("file.min_rows")
    assert fact is not None
    assert (fact.value, fact.confidence, fact.source) == (100, "source read", "own file")
    assert target.cite("file.min_rows") == mine
    assert (target.name, target.title, target.value("name.pattern")) == ("mine", "OpenAI fine-tuning", "^[a-z]+$")
    assert target.value("images.max_per_row") == 10
    # What a user says holds whatever is known of a method or model.
    model = find_target(f"{mine}:gpt-4o-mini", "supervised")
    assert (model.model, model.value("limits.context")) == ("gpt-4o-mini-2024-07-18", 9)
    assert model.with_method("dpo").value("limits.context") == 9
    assert model.value("price.per_million") == 3.0


def test_a_users_limit_holds_by_dpo_too(tmp_path: Path) -> None:
    mine = written(tmp_path, 'extends = "together"\nlimits.context = 9\n')
    assert find_target(f"{mine}:DeepSeek-V4-Flash", "dpo").value("limits.context") == 9


def test_files_extend_files(tmp_path: Path) -> None:
    written(tmp_path, 'extends = "openai"\nfile.min_rows = 100\nfile.max_rows = 200\n', "base.toml")
    top = written(tmp_path, 'extends = "base.toml"\ntitle = "Ours"\nfile.max_rows = 300\nmodels.own.aliases = ["o"]\n')
    target = find_target(f"{top}:o")
    assert (target.title, target.model, target.value("model.known")) == ("Ours", "own", True)
    assert [target.value(f"file.{key}") for key in ("min_rows", "max_rows", "validation")] == [100, 300, "optional"]


def test_a_file_of_its_own(tmp_path: Path) -> None:
    text = 'methods = ["kto"]\n[file]\nmin_rows = {value = 3, confidence = "excerpt", note = "heard"}\n'
    target = find_target(written(tmp_path, text))
    fact = target.get("file.min_rows")
    assert fact is not None
    assert (target.method, fact.value, fact.rejects, fact.note) == ("kto", 3, False, "heard")


def test_its_messages_come_first(tmp_path: Path) -> None:
    text = 'extends = "openai"\n[[messages]]\ncodes = ["FMT170"]\ntext = "only {count}"\n'
    said = find_target(written(tmp_path, text)).message_for("FMT170", count=2)
    assert said is not None
    assert said.text == "only 2"


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    mine = written(tmp_path, "file.min_rows = 3\n")
    assert find_target(mine).value("file.min_rows") == 3
    written(tmp_path, "file.min_rows = 30\n")
    assert find_target(mine).value("file.min_rows") == 30


WRONG = [
    ("file.min_row = 3", "unknown key 'file.min_row'", "did you mean 'file.min_rows'?"),
    ("flie.min_rows = 3", "unknown key 'flie'", "did you mean 'file'?"),
    ("titel = 'x'", "unknown key 'titel'", "did you mean 'title'?"),
    ("params.n_epochs.mim = 3", "unknown key 'params.n_epochs.mim'", "did you mean 'params.n_epochs.min'?"),
    ("file.min_rows = {vlaue = 3}", "unknown key 'file.min_rows.vlaue'", "did you mean 'value'?"),
    ("file.min_rows = {note = 'x'}", "file.min_rows: has no value", "write value ="),
    ("file.min_rows = '3'", "file.min_rows: '3' is not a whole number", "fewest examples"),
    ("file.min_rows = true", "file.min_rows: True is not a whole number", ""),
    ("file.bom = 'never'", "file.bom: 'never' is not one of: required, forbidden", ""),
    ("images.types = ['jpg']", "is not a list of some of: jpeg, png, webp, gif", ""),
    ("record.dialects = ['sharegtp']", "is not a list of some of", ""),
    ("tools.id_pattern = '['", "is not a regular expression", ""),
    ("dates.off = '2027-01-01'", "is not a date", ""),
    ("dates.off = 2027-01-01T10:00:00", "is not a date", ""),
    ("price.per_million = nan", "is not a number", ""),
    ("price.per_million = inf", "is not a number", ""),
    ("roles.last = []", "is not a list of texts", ""),
    ("file = 3", "file: a table of facts is wanted", ""),
    ("file.min_rows = {value = 3, source = 'X'}", "unknown source 'X'", ""),
    ("file.min_rows = {value = 3, source = 3}", "unknown source 3", ""),
    ("file.min_rows = {value = 3, confidence = 'sure'}", "'sure' is no confidence", ""),
    ("file.min_rows = {value = 3, note = 3}", "a text is wanted", ""),
    ("method.orpo.file.min_rows = 3", "unknown key 'method.orpo'", "known: supervised"),
    ("method = 3", "method: ", ""),
    ("method.dpo.file = 3", "unknown key 'file'", ""),
    ("models.a = 3", "models.'a': a table is wanted", ""),
    ("models.a.aliases = 'b'", "aliases: a list of names", ""),
    ("models.a.method = 3", "a table by method is wanted", ""),
    ("model.known = true", "unknown key 'model'", ""),
    ("sources.a.titel = 'x'", "sources.a", ""),
    ("sources.a = {title = 'x', date = 'lately'}", "sources.a.date", ""),
    ("messages = [{codes = ['X'], text = 'x'}]", "messages.0.codes.0", ""),
    ("messages = [{codes = ['FMT170'], txt = 'x'}]", "messages.0", ""),
    ("messages = [{codes = ['FMT170'], text = 'x', method = 'orpo'}]", "'orpo' is no method", ""),
    ("extends = 'opnai'", "extends: no target is called 'opnai'", "did you mean 'openai'?"),
    ("extends = 'bedrock'", "extends: bedrock stands for several", ""),
    ("extends = 'openai:gpt-4o'", "extends: a target is extended, not one model", ""),
    ("extends = 'mine.toml'", "leads back to this file", ""),
    ("a = [", "mine.toml: ", "correct the line named"),
]


@pytest.mark.parametrize(("text", "message", "hint"), WRONG, ids=[each[0] for each in WRONG])
def test_mistakes_are_told_by_file_key_and_nearest_word(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(RecipeError) as error:
        find_target(written(tmp_path, text + "\n"))
    assert message in error.value.message
    assert "mine.toml" in error.value.message
    assert hint in error.value.hint
    assert "\n" not in error.value.message or text == "a = ["


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match="cannot be read"):
        find_target(str(tmp_path / "mine.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(RecipeError, match="cannot be read"):
        find_target(str(tmp_path / "folder.toml"))


def test_a_shipped_file_must_cite(tmp_path: Path) -> None:
    from ftprep.targets.file import load

    with pytest.raises(RecipeError, match=r"file\.min_rows: no source is named"):
        load(Path(written(tmp_path, "file.min_rows = 3\n")), own=False)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(value=VALUES)
def test_any_value_is_judged_by_every_kind(value: Any) -> None:
    for path in PATHS:
        assert isinstance(misfit(path.kind, value), str)


@given(words=st.lists(st.sampled_from(["file", "min_rows", "models", "params", "x", "*", ""]), max_size=4))
def test_any_path_is_found_or_not(words: list[str]) -> None:
    entry = find_path(".".join(words))
    assert entry is None or len(entry.pattern.split(".")) == len(words)


@given(text=st.text(max_size=40))
def test_any_selector_is_a_target_or_an_error_of_ours(text: str) -> None:
    with suppress(FtprepError):
        assert find_target(text).name
