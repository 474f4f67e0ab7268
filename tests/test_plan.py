"""What is settled before a run: tables, shapes, endings to watch for, rules that run and why others do not."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from sample_sets import as_records, classes, sound, write

from ftprep.engine import Look, fold
from ftprep.errors import FtprepError, RecipeError, UsageError
from ftprep.finish import finish
from ftprep.mends import AddEnding, LeadingSpace
from ftprep.plan import HEAD_RECORDS, Plan, make_plan
from ftprep.readers.base import Options
from ftprep.recipe import resolve
from ftprep.rule import DatasetRule, RecordRule, RowRule

CHAT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}


def plan_of(source: Any, options: Options | None = None, **settings: Any) -> Plan:
    return make_plan(source, resolve(settings), options)


def test_a_plan_travels_to_workers_without_the_data(tmp_path: Path) -> None:
    records = as_records(classes({"yes": 9, "no": 9}))
    plan = plan_of(records)
    shipped = pickle.loads(pickle.dumps(plan.shipped()))
    assert plan.tables[0].records is not None
    assert shipped.tables[0].records is None
    partials = [Look(shipped)(chunk) for chunk in plan.chunks()]
    assert finish(fold(iter(partials), plan), plan).report.dataset.classes == {"no": 9, "yes": 9}


def test_chunks_of_all_tables_are_numbered_through(tmp_path: Path) -> None:
    paths = [write(tmp_path, sound(3), "a.jsonl"), write(tmp_path, sound(4), "b.jsonl")]
    (tmp_path / "empty.jsonl").write_bytes(b"")
    plan = plan_of([paths[0], tmp_path / "empty.jsonl", paths[1]])
    chunks = list(plan.chunks())
    assert [c.number for c in chunks] == list(range(len(chunks)))
    assert [c.source for c in chunks] == [0, 2]
    assert plan.tables[1].broken
    assert plan.shapes[1] is None
    assert plan.unread[1]


@pytest.mark.parametrize(
    ("records", "settings", "shapes"),
    [
        (as_records(sound(3)), {}, {"completion"}),
        ([CHAT], {}, {"chat"}),
        ([CHAT], {"turns": {}}, {"completion"}),
        ([CHAT], {"shape": "completion", "columns": {"prompt": "messages", "completion": "messages"}}, {"completion"}),
    ],
)
def test_shapes(records: list[Any], settings: dict[str, Any], shapes: set[str]) -> None:
    assert plan_of(records, **settings).setting.shapes == shapes


def test_the_endings_of_the_head_are_watched_and_those_that_mends_add() -> None:
    plan = plan_of(as_records(sound(6)))
    assert plan.setting.prompt_endings[0] == " ->"
    assert plan.setting.completion_endings == (" END",)
    added = plan.with_endings([AddEnding("prompt", "\n###\n"), LeadingSpace(), AddEnding("completion", " END")])
    assert added.setting.prompt_endings == (*plan.setting.prompt_endings, "\n###\n")
    assert added.setting.completion_endings == (" END",)
    named = plan_of(as_records(sound(6)), format={"separator": "|||", "stop": "~~~"})
    assert named.setting.prompt_endings[0] == "|||"
    assert named.setting.completion_endings[0] == "~~~"


def test_only_the_head_is_looked_at_and_what_comes_later_is_read_the_same() -> None:
    rows = [*sound(HEAD_RECORDS), *[(p + "###", c) for p, c in sound(5)]]
    plan = plan_of(as_records(rows))
    assert "###" not in plan.setting.prompt_endings
    partial = fold(map(Look(plan), plan.chunks()), plan)
    assert partial.surveys.prompts.texts == len(rows)
    assert partial.surveys.prompts.endings[" ->"].count == HEAD_RECORDS


def test_rules_run_where_they_fit_and_say_why_they_do_not() -> None:
    plan = plan_of(as_records(sound(3)))
    running = {r.card.code for r in plan.rules}
    assert dict(plan.skipped)["TOK102"].startswith("no token limit is known")
    assert "TOK102" not in running
    assert "TOK102" in {r.card.code for r in plan_of(as_records(sound(3)), token_limit=9).rules}
    assert all(isinstance(r, RowRule) for r in plan.row_rules)
    assert all(isinstance(r, DatasetRule) for r in plan.dataset_rules)
    assert {r.card.code for r in plan.record_rules} == {r.card.code for r in plan.rules if isinstance(r, RecordRule)}
    pairs_only = {r.card.code for r in plan.rules if getattr(r, "shapes", ()) == ("completion",)}
    assert "SEP101" in pairs_only
    assert not pairs_only & {r.card.code for r in plan_of([CHAT]).rules}


def test_a_rule_that_is_ignored_is_silent_and_reading_stays_as_strict() -> None:
    plan = plan_of(as_records(sound(3)), rules={"ignore": ["FMT120", "SEP116", "DUP"]})
    assert {"FMT120", "SEP116", "DUP101"} <= plan.silent
    assert "FMT120" in plan.error_codes
    assert "SEP116" not in plan.error_codes


@pytest.mark.parametrize(
    ("source", "settings", "options", "error"),
    [
        ([], {}, None, UsageError),
        ({"prompt": "a"}, {}, None, UsageError),
        (3, {}, None, UsageError),
        ("no-such-file.jsonl", {}, None, FtprepError),
        (as_records(sound(2)), {"columns": {"prompt": "promt"}}, None, RecipeError),
        (as_records(sound(2)), {"encoding": "o300k"}, None, UsageError),
        (as_records(sound(2)), {"rules": {"select": ["SEPP"]}}, None, UsageError),
        (as_records(sound(2)), {}, Options(sheet="Data"), UsageError),
        (as_records(sound(2)), {}, Options(delimiter=";"), UsageError),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_hint(
    source: Any, settings: dict[str, Any], options: Options | None, error: type[FtprepError]
) -> None:
    with pytest.raises(error) as raised:
        plan_of(source, options, **settings)
    assert raised.value.message
    assert "\n" not in raised.value.message


def test_the_encoding_and_where_it_comes_from() -> None:
    records = as_records(sound(2))
    assert plan_of(records).setting.encoding == "o200k_base"
    assert plan_of(records, encoding="cl100k_base", model="gpt-4o").setting.encoding == "cl100k_base"
    setting = plan_of(records, model="gpt-3.5-turbo").setting
    assert setting.encoding == "cl100k_base"
    assert setting.encoding_why.startswith("gpt-3.5-turbo: ")


def test_files_are_those_that_are_read(tmp_path: Path) -> None:
    write(tmp_path, sound(2), "a.jsonl")
    write(tmp_path, sound(2), "b.jsonl")
    (tmp_path / "notes.md").write_text("no data")
    assert sorted(p.name for p in plan_of(tmp_path).files) == ["a.jsonl", "b.jsonl"]
    assert [p.name for p in plan_of(str(tmp_path / "a*.jsonl")).files] == ["a.jsonl"]
    assert plan_of(as_records(sound(2))).files == []
