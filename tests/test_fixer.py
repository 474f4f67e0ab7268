"""Mending in place: only what a rule found, line by line, with a diff that tells all of it; twice the same as once."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import CAPITALS, COUNTRIES, as_records, jsonl, lines_of, pairs_in, sound, write

import ftprep as ft
from ftprep.errors import FtprepError, UsageError
from ftprep.rule import Proposal

HUNK = re.compile(r"@@ -(\d+) \+\d+(,0)? @@")
ENDLESS = "\\ No newline at end of file"


def physical(data: bytes) -> list[bytes]:
    """The lines of a file with their ends."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def patched(data: bytes, diff: list[str]) -> bytes:
    """What `patch` makes of a file: each hunk takes a line that must be there away, and puts the new ones there."""
    lines: list[list[bytes]] = [[line] for line in physical(data)]
    at, taken = 0, False
    for line in diff[2:]:
        hunk = HUNK.fullmatch(line)
        if hunk:
            at = int(hunk[1]) - 1
            assert bool(hunk[2]) is not any(later.startswith("+") for later in hunk_of(diff, line))
        elif line == ENDLESS:
            assert at == len(lines) - 1
            lines[at] = [part.removesuffix(b"\n") for part in lines[at]]
        elif line.startswith("-"):
            assert [line[1:].encode()] == [part.removesuffix(b"\n") for part in lines[at]]
            lines[at], taken = [], True
        else:
            assert taken
            lines[at] = [line[1:].encode() + b"\n"]
    return b"".join(part for line in lines for part in line)


def hunk_of(diff: list[str], head: str) -> list[str]:
    """The lines of one hunk."""
    after = diff[diff.index(head) + 1 :]
    return after[: next((i for i, line in enumerate(after) if HUNK.fullmatch(line)), len(after))]


def fix(path: Path, **settings: Any) -> tuple[ft.Fixed, list[str]]:
    """What would change, told without writing, then done; both must say the same."""
    before = path.read_bytes()
    told = ft.fix(path, write=False, **settings)
    assert path.read_bytes() == before
    done = ft.fix(path, **settings)
    assert [f.changes for f in told.files] == [f.changes for f in done.files]
    diff = list(told.files[0].diff())
    if not any("\\xff" in line for line in diff):  # a diff is text: bytes that are none stand in it as escapes
        assert patched(before, diff) == path.read_bytes()
    return done, diff


GOOD = jsonl(as_records(sound(8))).splitlines()


@pytest.mark.parametrize(
    ("line", "new", "mended"),
    [
        (b'{"prompt": "a ->", "completion": "b END"}', b'{"prompt": "a ->", "completion": " b END"}', ["SEP105"]),
        (b'{"prompt":"a ->","completion":"b END"}', b'{"prompt":"a ->","completion":" b END"}', ["SEP105"]),
        (b'{"id": 7, "completion": "b", "prompt": "a ->"}', None, ["SEP105", "SEP107"]),
        (b'{"prompt": "\\u00e9 ->", "completion": "b END"}', None, ["SEP105"]),
        (b'{"prompt": "a ->", "completion": 1.10}', None, ["FMT121", "SEP105", "SEP107"]),
        (b'{"prompt": "a", "completion": " b END"}', b'{"prompt": "a ->", "completion": " b END"}', ["SEP102"]),
        (b"", b"", ["IO108"]),
        (b"  ", b"", ["IO108"]),
    ],
)
def test_what_is_safe_is_mended(tmp_path: Path, line: bytes, new: bytes | None, mended: list[str]) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"".join(each + b"\n" for each in [*GOOD, line]))
    done, _ = fix(path)
    found = lines_of(path)
    assert found[:8] == GOOD
    assert sorted(done.mended) == mended
    if new is not None:
        assert found[8:] == [new] * bool(new)
        return
    was, now = json.loads(line), json.loads(found[8])
    assert list(now) == list(was)
    assert now == was | {"prompt": was["prompt"], "completion": now["completion"]}
    assert now["completion"] in (" b END", " 1.10 END")
    assert (b"\\u00e9" in line) is (b"\\u00e9" in found[8])


@pytest.mark.parametrize(
    "line",
    [
        b'{"prompt": "a ->", "completion": ""}',
        b'{"prompt": "a ->", "completion": null}',
        b'{"prompt": "a ->"}',
        b'{"oops',
        b"[1]",
        b"\xff",
        b'{"prompt": "a ->", "completion": " b END", "prompt": "c"}',
    ],
)
def test_a_line_with_a_fault_stays_as_it_is(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"".join(each + b"\n" for each in [*GOOD, line]))
    done, _ = fix(path, unsafe=True)
    assert lines_of(path) == [*GOOD, line]
    assert not done.changed
    assert not done.after.ok


def test_columns_keep_their_names(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b'{"Question": "a ->", "Answer": "b END"}\n{"Question": "c ->", "Answer": " d END"}\n')
    fix(path)
    assert lines_of(path)[0] == b'{"Question": "a ->", "Answer": " b END"}'


WORD = st.sampled_from(["Lima", " ->", " END", "\n", "é", "\u2028", " ", "YES", "\\", '"'])
TEXT = st.lists(WORD, max_size=3).map("".join)
ROW = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT}, optional={"id": st.integers(), "note": TEXT})
LINE = st.one_of(
    ROW.map(lambda r: json.dumps(r, ensure_ascii=False).encode()),
    ROW.map(lambda r: json.dumps(r, separators=(",", ":")).encode()),
    st.sampled_from(
        [b"", b" ", b"{", b"[1]", b"\xff", b'{"prompt": "x"}', b'{"prompt": 1, "completion": true}', b"NaN"]
    ),
)


@settings(max_examples=60)
@given(
    lines=st.lists(LINE, min_size=1, max_size=12).filter(lambda lines: lines.count(b"\xff") < 3),
    end=st.sampled_from([b"\n", b"\r\n"]),
    last=st.booleans(),
    mark=st.booleans(),
    unsafe=st.booleans(),
)
def test_the_laws_of_mending_in_place(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, last: bool, mark: bool, unsafe: bool
) -> None:
    path = tmp_path_factory.mktemp("fix") / "set.jsonl"
    lines = [*GOOD[:2], *lines]
    path.write_bytes(b"\xef\xbb\xbf" * mark + end.join(lines) + end * last)
    done, diff = fix(path, unsafe=unsafe)
    assert done.changed is bool(diff)
    kept = path.read_bytes()
    again = ft.fix(path, unsafe=unsafe)
    assert path.read_bytes() == kept
    assert not again.changed
    # Faulty lines stay as they were but for what is wrong with the form of all lines (returns, blank lines).
    left = [line.rstrip(b"\r\n") for line in physical(kept)]
    assert [line for line in left if not is_pair(line)] == [
        line for line in lines if line.strip() and not is_pair(line)
    ]


def is_pair(line: bytes) -> bool:
    try:
        record = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return False
    return isinstance(record, dict) and {"prompt", "completion"} <= record.keys()


@pytest.mark.parametrize("last", [b"", b"\n"])
def test_a_file_in_which_nothing_is_found_is_not_touched(tmp_path: Path, last: bytes) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(jsonl(as_records(sound(8))).rstrip(b"\n") + last)
    inode = path.stat().st_ino
    done, diff = fix(path, unsafe=True)
    assert (done.changed, done.mended, diff) == (False, {}, [])
    assert path.stat().st_ino == inode


def test_a_last_line_without_an_end_is_mended_without_one(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(jsonl(as_records([*sound(4), ("Mali ->", "Bamako END")])).rstrip(b"\n"))
    _, diff = fix(path)
    assert diff[2:] == [
        "@@ -5 +5 @@",
        '-{"prompt": "Mali ->", "completion": "Bamako END"}',
        ENDLESS,
        '+{"prompt": "Mali ->", "completion": " Bamako END"}',
        ENDLESS,
    ]


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("IO109", b"%s\r\n%s\r\n", b"%s\n%s\n"),
        ("IO102", b"\xef\xbb\xbf%s\n%s\n", b"%s\n%s\n"),
        ("IO108", b"%s\n\n \n%s\n", b"%s\n%s\n"),
    ],
)
def test_the_form_of_lines_is_mended_by_its_rule_and_left_alone_without_it(
    tmp_path: Path, code: str, before: bytes, after: bytes
) -> None:
    rows = tuple(lines_of(write(tmp_path, [("a ->", " b END"), ("c ->", " d END")])))
    path = tmp_path / "form.jsonl"
    path.write_bytes(before % rows)
    done, _ = fix(path, rules={"ignore": [code]})
    assert not done.changed
    assert path.read_bytes() == before % rows
    done, _ = fix(path)
    assert path.read_bytes() == after % rows
    assert set(done.mended) == {code}


def test_what_is_unsafe_waits_for_a_word(tmp_path: Path) -> None:
    rows = [*zip(COUNTRIES[:4], CAPITALS[:4], strict=True), (COUNTRIES[0], CAPITALS[0])]
    path = write(tmp_path, [(p, f" {c}") for p, c in rows])
    done, _ = fix(path)
    assert not done.changed
    assert {"DUP101", "SEP101", "SEP106"} <= done.after.counts().keys()

    def decide(proposal: Proposal) -> bool:
        return proposal.code == "DUP101"

    done, diff = fix(path, unsafe=decide)
    assert set(done.mended) == {"DUP101"}
    assert diff[2:] == ["@@ -5 +4,0 @@", '-{"prompt": "Peru", "completion": " Lima"}']
    done, _ = fix(path, unsafe=True)
    assert pairs_in(path) == [(f"{p} ->", f" {c}\n") for p, c in rows[:4]]
    assert not {"DUP101", "SEP101", "SEP106"} & done.after.counts().keys()


def test_several_files_are_one_set_and_change_together(tmp_path: Path) -> None:
    one = write(tmp_path, sound(6), "a.jsonl")
    two = write(tmp_path, [("Mali", "Bamako END"), sound(1)[0]], "b.jsonl")
    before = one.read_bytes()
    done = ft.fix([one, two], unsafe=True)
    assert one.read_bytes() == before
    assert pairs_in(two) == [("Mali ->", " Bamako END")]
    assert [len(f.changes) for f in done.files] == [0, 2]
    assert set(done.mended) == {"DUP101", "SEP102", "SEP105"}


def test_conversations_keep_keys_that_nobody_asked_to_drop(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    path.write_bytes(jsonl([{"messages": turns, "topic": "x"}, {"messages": turns[::-1][1:] + turns[1:]}]))
    before = path.read_bytes()
    done, _ = fix(path)
    assert not done.changed
    assert path.read_bytes() == before
    fix(path, unsafe=True, rules={"select": ["FMT110"]})
    assert [set(json.loads(line)) for line in lines_of(path)] == [{"messages"}] * 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("set.csv", b"prompt,completion\na,b\n"),
        ("set.json", b'[{"prompt": "a", "completion": "b"}]'),
        ("set.jsonl.gz", gzip.compress(jsonl(as_records(sound(2))))),
        ("set.jsonl", jsonl(as_records(sound(2))).decode().encode("utf-16")),
        ("set.txt", b"a\nb\n"),
    ],
)
def test_other_files_are_refused_with_the_way_to_go(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UsageError, match="only plain JSONL files in UTF-8 can be mended in place") as raised:
        ft.fix(path)
    assert f"ftprep prepare {path}" in raised.value.hint
    assert path.read_bytes() == data


def test_data_in_memory_cannot_be_mended_in_place() -> None:
    with pytest.raises(FtprepError):
        ft.fix(as_records(sound(2)))


def test_the_report_is_of_what_is_there_now(tmp_path: Path) -> None:
    path = write(tmp_path, [*sound(4), ("Mali ->", "Bamako END"), ("Togo ->", "")])
    done, _ = fix(path)
    assert done.after.counts() == ft.check(path).counts()
    assert "SEP105" not in done.after.counts()
    assert [f.location.row for f in done.after.findings if f.code == "SEP116"] == [6]
    would = ft.fix(write(tmp_path, [("a ->", "b END"), *sound(4)], "other.jsonl"), write=False)
    assert "SEP105" not in would.after.counts()


@pytest.mark.parametrize("linked", [False, True])
def test_what_was_stays_beside_what_is_mended(tmp_path: Path, linked: bool) -> None:
    bad, good = write(tmp_path, [*sound(4), ("Mali ->", "Bamako END")], "a.jsonl"), write(tmp_path, sound(4), "b.jsonl")
    before, inode = bad.read_bytes(), bad.stat().st_ino
    given = tmp_path / "link.jsonl" if linked else bad
    if linked:
        given.symlink_to(bad)
    assert ft.fix(given, write=False, backup=True).files[0].changes
    done = ft.fix([given, good], backup=True)
    kept = tmp_path.resolve() / "a.jsonl.bak"
    assert [f.backup for f in done.files] == [kept, None]
    assert (kept.read_bytes(), kept.stat().st_ino) == (before, inode)
    assert given.is_symlink() is linked
    assert bad.read_bytes() != before
    assert ft.fix(given, backup=True).files[0].backup is None
    bad.write_bytes(before)
    assert ft.fix(given, backup=True).files[0].backup == tmp_path.resolve() / "a.jsonl.bak2"
    assert kept.stat().st_ino == inode  # the first one is never written over


def test_nothing_is_kept_of_what_is_only_told(tmp_path: Path) -> None:
    bad = write(tmp_path, [*sound(4), ("Mali ->", "Bamako END")])
    assert ft.fix(bad, write=False, backup=True).files[0].backup is None
    assert [p.name for p in tmp_path.iterdir()] == [bad.name]
