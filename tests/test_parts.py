"""What a kept result is named for: the same in every process, and another as soon as anything it depends on is."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ftprep.errors import WriteError
from ftprep.lines import Writing
from ftprep.mends import AddEnding, LeadingSpace
from ftprep.model import Chunk
from ftprep.partial import Output, Partial
from ftprep.parts import DONE, Parts, key_of
from ftprep.plan import Plan, make_plan
from ftprep.recipe import Recipe, Rules

PROGRAM = """
import sys
from ftprep.lines import Writing
from ftprep.mends import LeadingSpace
from ftprep.parts import key_of
from ftprep.plan import make_plan
from ftprep.recipe import Recipe
plan = make_plan(sys.argv[1], Recipe())
print(key_of(plan, Writing((LeadingSpace(),), {7: "DUP101", 3: "DUP102"}, settled=frozenset(("a", "b", "c"))), True))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "set.jsonl"
    made.write_text('{"prompt": "a ->", "completion": " b END"}\n' * 9)
    return made


def plan_of(path: Path, **others: object) -> Plan:
    return make_plan(path, Recipe.model_validate(others))


def test_the_key_is_the_same_in_every_process(path: Path) -> None:
    writing = Writing((LeadingSpace(),), {3: "DUP102", 7: "DUP101"}, settled=frozenset(("c", "b", "a")))
    keys = {key_of(plan_of(path), writing, True)}
    for seed in ("1", "2"):
        command = [sys.executable, "-c", PROGRAM, str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": seed}, check=True
        )
        keys.add(done.stdout.strip())
    assert len(keys) == 1


def test_the_key_is_another_for_whatever_matters(path: Path, tmp_path: Path) -> None:
    plan = plan_of(path)
    other = tmp_path / "other.jsonl"
    other.write_bytes(path.read_bytes())
    writings = (
        Writing(),
        Writing((LeadingSpace(),)),
        Writing((AddEnding("prompt", " ->"),)),
        Writing((AddEnding("completion", " ->"),)),
        Writing(drops={1: "DUP101"}),
        Writing(drops={2: "DUP101"}),
        Writing(settled=frozenset(("DUP101",))),
        Writing(verbatim=True),
        Writing(group="a"),
        None,
    )
    keys = [key_of(plan, writing, True) for writing in writings]
    keys.append(key_of(plan, None, False))
    plans = [plan_of(other), plan_of(path, task="generation"), plan_of(path, encoding="cl100k_base")]
    plans += [plan_of(path, rules=Rules(ignore=("DUP",))), replace(plan, stamps=("another",))]
    plans.append(make_plan([path, other], Recipe()))
    keys += [key_of(each, None, True) for each in plans]
    assert len(set(keys)) == len(keys) == 17


def test_nothing_is_written_where_the_folder_is_missing(path: Path, tmp_path: Path) -> None:
    """On another computer that does not share the folder, making it would lose what is written."""
    plan = plan_of(path)
    job = Parts(lambda _: Partial(plan), tmp_path / "nowhere")
    with pytest.raises(WriteError, match="is not there"):
        job(Chunk(0, 0, 1, b"{}"))
    assert not (tmp_path / "nowhere").exists()


def test_a_piece_is_done_once_and_another_payload_is_another_piece(path: Path, tmp_path: Path) -> None:
    plan, calls = plan_of(path), list[bytes]()

    def look(chunk: Chunk) -> Partial:
        calls.append(chunk.payload)
        made = Partial(plan)
        made.output = Output(data=chunk.payload + b"\n", count=1, units=bytearray(b"12345678"))
        return made

    (tmp_path / "kept" / DONE).mkdir(parents=True)
    job = Parts(look, tmp_path / "kept")
    for payload in (b"a", b"b", b"a", b"b"):
        output = job(Chunk(0, 0, 1, payload)).output
        assert output
        assert output.data == b""
        assert (tmp_path / output.part).read_bytes() == payload + b"\n"
    assert calls == [b"a", b"b"]
