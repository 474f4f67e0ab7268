"""The main job: nothing lost, nothing changed unasked, twice the same as once, all files or none."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import Pairs, as_records, classes, jsonl, lines_of, pairs_in, prepare, sound, write, written

import ftprep as ft
from ftprep.errors import FtprepError, RecipeError, UsageError, WriteError
from ftprep.rule import Proposal

WORDS = (
    "Lima",
    "Oslo",
    " END",
    "END",
    "->",
    " ->",
    "\n",
    "###",
    "Say:",
    "YES",
    "yes",
    " ",
    "  ",
    "é",
    "答案",
    "!",
    ".",
)
MORE = ("?", "the", "The", "x1", "12", '"', "}", "{", "\t", "-", "Is it", "1", "2", "3", "4", "5")
WORD = st.sampled_from(WORDS + MORE)
TEXT = st.lists(WORD, max_size=5).flatmap(lambda words: st.sampled_from(("".join(words), " ".join(words))))
FILLED = TEXT.filter(lambda text: bool(text.strip()))
ROWS = st.lists(st.tuples(FILLED, FILLED), min_size=2, max_size=24)
BEFORE = st.sampled_from(["", "P: ", "Say it: ", "Translate the next sentence: ", "DO THIS NOW: "])
CUE = st.sampled_from(["", " ->", "\n\n###\n\n", "?", "\nA:", "!\nSupported:"])
LEAD = st.sampled_from(["", " ", "  ", " The answer is ", '{"a": '])
STOP = st.sampled_from(["", " END", "\n", ".", "\n\n"])
CODE_STAYS = {"SEP111", "SEP112"}
"""Capitals in links and code are counted but not changed, so these may be offered again, for nothing."""


@pytest.fixture
def folders(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    """Each example of a property gets a folder of its own."""
    return tmp_path_factory


def whole(before: str, rows: Pairs, cue: str, lead: str, stop: str, capitals: int) -> Pairs:
    asked = [before + p + cue for p, _ in rows]
    answered = [lead + (c.upper() if capitals == 2 else c) + stop for _, c in rows]
    return list(zip([p.upper() for p in asked] if capitals == 1 else asked, answered, strict=True))


@settings(max_examples=80)
@given(rows=ROWS, before=BEFORE, cue=CUE, lead=LEAD, stop=STOP, capitals=st.integers(0, 3))
def test_mending_twice_is_mending_once(
    tmp_path_factory: pytest.TempPathFactory, rows: Pairs, before: str, cue: str, lead: str, stop: str, capitals: int
) -> None:
    folder = tmp_path_factory.mktemp("twice")
    once = prepare(folder, whole(before, rows, cue, lead, stop, capitals), unsafe=True, split={"valid": "none"})
    assert once.train is not None
    if once.rows["examples"] < 2:
        return  # what several rows show to be a separator, one row alone does not
    again = ft.prepare(once.train, out=folder / "again", unsafe=True, split={"valid": "none"})
    assert again.train is not None
    assert again.train.read_bytes() == once.train.read_bytes()
    assert again.mended.keys() <= CODE_STAYS
    assert again.rejected is None


LINES_OF_TWO = jsonl(as_records(sound(2)))
BROKEN = st.sampled_from(
    [b"", b"  ", b"{", b'{"prompt": "a ->"}', b"[1]", b'{"prompt": "a", "prompt": "b"}', b"\xff", b"NaN", b'"x"', b"{}"]
)
GOOD = st.tuples(TEXT, TEXT).map(lambda row: jsonl(as_records([row])).rstrip(b"\n"))
# With more lines that are not UTF-8, the file as a whole is taken to be in another encoding.
FILE = st.lists(st.one_of(GOOD, BROKEN), min_size=1, max_size=24).filter(lambda lines: lines.count(b"\xff") < 3)


@settings(max_examples=80)
@given(lines=FILE, unsafe=st.booleans(), held=st.sampled_from([0.3, "none"]))
def test_every_record_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], unsafe: bool, held: Any
) -> None:
    path = tmp_path_factory.mktemp("account") / "set.jsonl"
    lines = [*LINES_OF_TWO.splitlines(), *lines]
    path.write_bytes(b"\n".join(lines) + b"\n")
    prepared = ft.prepare(path, unsafe=unsafe, split={"valid": held})
    rows, out = prepared.rows, [*lines_of(prepared.train), *lines_of(prepared.valid)]
    assert rows["read"] == rows["written"] + rows["rejected"] + rows["skipped"] == len(lines)
    assert rows["examples"] == len(out)
    asides = [json.loads(line) for line in lines_of(prepared.rejected)]
    assert len(asides) == rows["rejected"]
    for aside in asides:
        assert set(aside) == {"place", "codes", "messages", "record"}
        assert aside["codes"]
        assert all(aside["messages"])
        assert aside["place"]["source"] == str(path)
        assert aside["record"] in (None, as_it_was(lines[aside["place"]["line"] - 1]))
    placed = [a["place"]["line"] for a in asides]
    assert placed == sorted(set(placed))
    for line in out:
        assert list(json.loads(line)) == ["prompt", "completion"]


def as_it_was(line: bytes) -> Any:
    """A line as JSON where it is some, else as text."""
    try:
        return json.loads(line) if line != b"NaN" else "NaN"
    except ValueError:
        return line.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("name", "data", "records"),
    [
        ("set.jsonl", LINES_OF_TWO + b'{"oops\n[1, 2]\n', [b'"{\\"oops"', b"[1, 2]"]),
        ("set.jsonl", LINES_OF_TWO + b'{"a": 1, "a": 2}\n', [b'{"a": 1, "a": 2}']),
        ("set.jsonl", LINES_OF_TWO + b"\xff\n", [b'"\\\\xff"']),
        ("set.json", b'[{"prompt": "a", "completion": "b"}, [1, 2]]', [b"[1, 2]"]),
        ("set.txt", b"a\n\xff\xfe\nb\n", [b'"\\\\xff\\\\xfe"']),
    ],
)
def test_what_could_not_be_read_is_kept_as_it_was(tmp_path: Path, name: str, data: bytes, records: list[bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    told = [line.rpartition(b'"record":')[2].removesuffix(b"}") for line in lines_of(ft.prepare(path).rejected)]
    assert told == records


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(TEXT, FILLED), min_size=3, max_size=20), seed=st.integers(0, 3), data=st.data())
def test_the_order_of_rows_has_no_say_in_who_is_held_back(
    tmp_path_factory: pytest.TempPathFactory, rows: Pairs, seed: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("order")
    rows = [(f"{p} {i % 7}", c) for i, (p, c) in enumerate(rows)]
    split = {"valid": 0.3, "seed": seed}
    one = ft.prepare(as_records(rows), out=folder / "one", split=split)
    other = ft.prepare(as_records(data.draw(st.permutations(rows))), out=folder / "other", split=split)
    assert Counter(pairs_in(one.train)) == Counter(pairs_in(other.train))
    assert Counter(pairs_in(one.valid)) == Counter(pairs_in(other.valid))
    assert one.valid is not None


def test_what_is_written_is_what_was_read_in_its_order(tmp_path: Path) -> None:
    rows = sound(40)
    prepared = prepare(tmp_path, rows, unsafe=True, split={"valid": 9})
    held = set(pairs_in(prepared.valid))
    assert pairs_in(prepared.valid) == [row for row in rows if row in held]
    assert pairs_in(prepared.train) == [row for row in rows if row not in held]
    assert len(held) == 9
    assert prepared.accepted == ()


def test_lines_that_need_no_mending_stay_byte_for_byte(tmp_path: Path) -> None:
    odd = [
        b'{ "prompt" :"Peru ->",  "completion": " Lima \\u00e9 \\/ END" }',
        b'{"prompt": "Chad ->", "completion": "Ndjamena END"}',
        b'{"completion": " Oslo END", "prompt": "Norway ->"}',
    ]
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\r\n".join(odd))
    first, second, third = lines_of(ft.prepare(path).train)
    assert first == odd[0]
    assert second == b'{"prompt":"Chad ->","completion":" Ndjamena END"}'
    assert third == b'{"prompt":"Norway ->","completion":" Oslo END"}'


def test_the_same_input_gives_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = [*classes({"yes": 300, "no": 200}), *[(f"text {rng.randrange(99)} on yes", "yes") for _ in range(100)]]
    path = write(tmp_path, rows)
    made = [ft.prepare(path, out=tmp_path / str(workers), unsafe=True, workers=workers) for workers in (1, 2)]
    for side in ("train", "valid", "rejected"):
        one, two = (getattr(prepared, side) for prepared in made)
        assert one.read_bytes() == two.read_bytes()
    manifests = [json.loads((m.manifest or path).read_text()) for m in made]
    assert manifests[0] == manifests[1]


def test_the_manifest_has_the_account_and_the_hash_of_every_file(tmp_path: Path) -> None:
    rows = [*sound(60), ("Peru", ""), sound(1)[0]]
    prepared = prepare(tmp_path, rows, unsafe=True, split={"seed": 4}, description="mine")
    assert prepared.manifest is not None
    manifest = json.loads(prepared.manifest.read_text())
    assert manifest["rows"] == prepared.rows
    assert manifest["rows"]["read"] == 62
    assert manifest["rows"]["rejected"] == 2
    assert manifest["seed"] == 4
    assert manifest["recipe"]["description"] == "mine"
    assert {m["code"] for m in manifest["mended"]} == set(prepared.mended)
    outputs = {o["path"]: o for o in manifest["outputs"]}
    assert set(outputs) == {"set_prepared_train.jsonl", "set_prepared_valid.jsonl", "set_prepared_rejected.jsonl"}
    for name, output in outputs.items():
        data = (tmp_path / "out" / name).read_bytes()
        assert output["sha256"] == hashlib.sha256(data).hexdigest()
        assert (output["bytes"], output["rows"]) == (len(data), data.count(b"\n"))
    (source,) = manifest["inputs"]
    assert source["sha256"] == hashlib.sha256((tmp_path / "set.jsonl").read_bytes()).hexdigest()


# -- files ---------------------------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("taken", ["set_prepared.jsonl", "set_prepared_rejected.jsonl", "set_prepared.manifest.json"])
def test_an_existing_output_is_refused_before_anything_is_written(tmp_path: Path, taken: str) -> None:
    path = write(tmp_path, sound(5))
    (tmp_path / taken).write_text("mine")
    with pytest.raises(WriteError, match="exists already"):
        ft.prepare(path)
    assert names(tmp_path) == sorted(["set.jsonl", taken])
    assert (tmp_path / taken).read_text() == "mine"


def test_force_replaces_and_leaves_nothing_of_an_earlier_run(tmp_path: Path) -> None:
    path = write(tmp_path, [*sound(60), ("Chad", "")])
    ft.prepare(path)
    assert len(names(tmp_path)) == 5
    write(tmp_path, sound(20))
    ft.prepare(path, force=True)
    assert names(tmp_path) == ["set.jsonl", "set_prepared.jsonl", "set_prepared.manifest.json"]


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    """Nor when a folder or a pattern named it."""
    data = tmp_path / "data"
    data.mkdir()
    path = write(data, sound(5), "data_prepared.jsonl")
    before = path.read_bytes()
    for source in (data, str(data / "*.jsonl")):
        with pytest.raises(FtprepError, match="input"):
            ft.prepare(source, force=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("valid", [5, 500, 0.5])
def test_a_split_that_cannot_be_leaves_nothing_behind(tmp_path: Path, valid: float) -> None:
    path = write(tmp_path, [sound(1)[0]] * 5)
    with pytest.raises(UsageError):
        ft.prepare(path, split={"valid": valid})
    assert names(tmp_path) == ["set.jsonl"]


def test_data_in_memory_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in memory"):
        ft.prepare(as_records(sound(3)))
    prepared = ft.prepare(as_records(sound(3)), out=tmp_path / "a" / "b", name="mine")
    assert prepared.train == tmp_path / "a" / "b" / "mine_prepared.jsonl"


def test_where_nothing_is_left_only_the_reasons_are_written(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, [("a ->", ""), ("b ->", " ")])
    assert (prepared.train, prepared.valid, prepared.manifest, prepared.ok) == (None, None, None, False)
    assert len(lines_of(prepared.rejected)) == 2
    assert prepared.notes == ("no example is left to write",)
    assert prepared.advice == ()
    assert len(prepared.frame()) == 0


# -- decisions -----------------------------------------------------------------------------------------------------


def test_without_a_word_only_what_is_safe_is_mended(tmp_path: Path) -> None:
    rows = [("Peru", "Lima"), ("Norway", "Oslo"), ("Chad", "Ndjamena"), ("Peru", "Lima")]
    prepared = prepare(tmp_path, rows)
    assert pairs_in(prepared.train) == [(p, f" {c}") for p, c in rows]
    assert set(prepared.mended) == {"SEP105"}
    assert {p.code for p in prepared.declined} == {"DUP101", "SEP101", "SEP106"}
    assert {"DUP101", "SEP101", "SEP106"} <= prepared.after.counts().keys()


def test_the_recipe_can_ask_for_what_is_unsafe(tmp_path: Path) -> None:
    rows = [("Peru", " Lima"), ("Norway", " Oslo"), ("Peru", " Lima")]
    prepared = prepare(tmp_path, rows, fix={"accept": ["exact-duplicate", "SEP101"]})
    assert pairs_in(prepared.train) == [(f"{p} ->", c) for p, c in rows[:2]]
    assert set(prepared.mended) == {"DUP101", "SEP101"}


def test_each_proposal_is_put_once_even_when_it_comes_up_again(tmp_path: Path) -> None:
    rows = [("Peru", " Lima"), ("Norway", " Oslo"), ("Chad", " Ndjamena")]
    asked: list[str] = []

    def decide(proposal: Proposal) -> bool:
        asked.append(proposal.code)
        return proposal.code == "SEP101"

    prepared = ft.prepare(as_records(rows), out=tmp_path, unsafe=decide)
    assert asked == ["SEP101", "SEP106"]
    assert written(prepared) == Counter((f"{p} ->", c) for p, c in rows)


def test_stopping_to_ask_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, [("Peru", " Lima"), ("Norway", " Oslo")])

    def stop(proposal: Proposal) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ft.prepare(path, unsafe=stop)
    assert names(tmp_path) == ["set.jsonl"]


@pytest.mark.parametrize("stop", ["", " END", "\n"])
def test_variants_of_a_label_become_one_whatever_stands_behind_them(tmp_path: Path, stop: str) -> None:
    rows = [(f"text {i} ->", f" {('yes', 'Yes', 'no', 'yes')[i % 4]}{stop}") for i in range(40)]
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert {c for _, c in pairs_in(prepared.train)} == {f" yes{stop}", f" no{stop}"}
    assert "SET105" not in prepared.after.counts()


def test_a_change_that_brings_forth_another_is_followed_up(tmp_path: Path) -> None:
    """Lower case makes a common beginning, and that cut makes two rows equal."""
    rows = [
        ("Peru ->", " THE CITY IS LIMA END"),
        ("Chad ->", " The city is NDJAMENA END"),
        ("Peru ->", " THE CITY IS Lima END"),
    ]
    prepared = prepare(tmp_path, rows, unsafe=True, rules={"ignore": ["DUP103"]})
    assert pairs_in(prepared.train) == [("Peru ->", " lima END"), ("Chad ->", " ndjamena END")]
    assert set(prepared.mended) == {"DUP101", "SEP110", "SEP112"}


# -- split ---------------------------------------------------------------------------------------------------------


def test_a_small_set_is_not_split_unless_asked(tmp_path: Path) -> None:
    small = prepare(tmp_path, sound(49))
    assert (small.split, small.valid) == (None, None)
    assert small.notes == ("49 examples are too few to hold some back; --valid SHARE does it all the same",)
    asked = ft.prepare(as_records(sound(49)), out=tmp_path / "asked", split={"valid": 0.1})
    assert asked.split is not None
    assert (asked.split.train, asked.split.valid) == (44, 5)
    large = ft.prepare(as_records(sound(50)), out=tmp_path / "large")
    assert large.split is not None
    assert (large.split.train, large.split.valid) == (45, 5)


def test_one_prompt_only_is_not_split_unless_asked(tmp_path: Path) -> None:
    rows = [("Tell me of Peru ->", " Lima is its capital END")] * 60
    prepared = prepare(tmp_path, rows)
    assert len(pairs_in(prepared.train)) == 60
    assert any("none can be held back" in note for note in prepared.notes)


def grouped(count: int) -> list[dict[str, Any]]:
    return [{"customer": i % 10, "kind": "ab"[i % 2], **row} for i, row in enumerate(as_records(sound(count)))]


def test_a_group_is_never_parted(tmp_path: Path) -> None:
    records = grouped(60)
    prepared = ft.prepare(records, out=tmp_path, split={"group": "customer", "valid": 0.2})
    of = {(r["prompt"], r["completion"]): r["customer"] for r in records}
    train, valid = ({of[row] for row in pairs_in(path)} for path in (prepared.train, prepared.valid))
    assert len(valid) == 2
    assert not train & valid


def test_a_column_can_be_what_the_split_goes_by(tmp_path: Path) -> None:
    prepared = ft.prepare(grouped(60), out=tmp_path, split={"stratify": "kind", "valid": 0.2})
    assert prepared.split is not None
    assert prepared.split.per_class == {"a": (24, 6), "b": (24, 6)}


@pytest.mark.parametrize("key", ["group", "stratify"])
@pytest.mark.parametrize("source", ["records", "csv", "chat"])
def test_a_column_to_split_by_that_is_not_there_is_named(tmp_path: Path, key: str, source: str) -> None:
    data: Any = grouped(60)
    if source == "csv":
        data = tmp_path / "set.csv"
        data.write_text(
            "customer,prompt,completion\n" + "".join(f"{i},{p},{c}\n" for i, (p, c) in enumerate(sound(60)))
        )
    elif source == "chat":
        turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
        data = [{"messages": turns, "customer": i} for i in range(60)]
    with pytest.raises(RecipeError) as raised:
        ft.prepare(data, out=tmp_path / "out", split={key: "custmer"})
    assert raised.value.message == f"split.{key}: no column is called 'custmer'"
    assert raised.value.hint == "did you mean 'customer'?"
    assert not list((tmp_path / "out").glob("*"))


def test_frames_have_what_was_written(tmp_path: Path) -> None:
    rows = [*sound(60), ("Chad", "")]
    prepared = prepare(tmp_path, rows)
    sides = [prepared.frame(side) for side in ("train", "valid")]
    assert [tuple(row) for side in sides for row in side[["prompt", "completion"]].itertuples(index=False)] == [
        *pairs_in(prepared.train),
        *pairs_in(prepared.valid),
    ]
    assert list(prepared.frame("rejected")["codes"]) == [["SEP116"]]


def test_sheets_and_files_are_named_in_what_was_set_aside(tmp_path: Path) -> None:
    one = write(tmp_path, [*sound(3), ("Chad ->", "")], "a.jsonl")
    two = tmp_path / "b.csv"
    two.write_text("prompt,completion\nMali ->, Bamako END\nTogo ->,\n")
    prepared = ft.prepare([one, two], out=tmp_path / "out")
    places = [json.loads(line)["place"] for line in lines_of(prepared.rejected)]
    assert places == [
        {"source": str(one), "line": 4, "record": 4},
        {"source": str(two), "line": 3, "record": 2},
    ]
    assert prepared.rows["read"] == 6


def test_a_target_that_takes_conversations_alone_gets_them(tmp_path: Path) -> None:
    rows = [{"prompt": f"Capital number {n}?\n\n###\n\n", "completion": f" Town {n} END"} for n in range(60)]
    source = tmp_path / "set.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = ft.prepare(source, target="openai", out=tmp_path / "out")
    assert made.train is not None
    written = [json.loads(line) for line in made.train.read_text(encoding="utf-8").splitlines()]
    number = written[0]["messages"][0]["content"].split()[-1].rstrip("?")
    assert written[0] == {
        "messages": [
            {"role": "user", "content": f"Capital number {number}?"},
            {"role": "assistant", "content": f"Town {number}"},
        ]
    }
    assert any("takes conversations alone" in note for note in made.notes)
    assert made.after.acceptance is not None
    assert made.after.acceptance.accepted
    assert ft.check(made.train, target="openai").acceptance == made.after.acceptance
    plain = ft.prepare(source, out=tmp_path / "plain")
    assert plain.train is not None
    assert b'"prompt"' in plain.train.read_bytes()
