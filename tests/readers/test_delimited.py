"""The reader of delimited text: every cell as it stands, faults at the right line, the same rows however it is cut."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ftprep.errors import UsageError
from ftprep.model import Fault, Row
from ftprep.readers import base, packed, sources
from ftprep.readers.base import Options, Table
from ftprep.readers.delimited import DelimitedReader
from ftprep.readers.delimited_cut import cutter

READER = DelimitedReader()


def table_of(data: bytes | str, folder: Path, name: str = "t.csv", **options: Any) -> Table:
    """The table of a file with these bytes."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    (table,) = READER.tables(name, str(path), path.read_bytes()[: sources.HEAD_BYTES], Options(**options))
    return table


def rows_of(table: Table) -> list[Row]:
    """All rows of a table, through chunks."""
    chunks = list(READER.chunks(table))
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    return [row for chunk in chunks for row in READER.decode(table, chunk)]


def read(data: bytes | str, folder: Path, name: str = "t.csv", **options: Any) -> list[Row]:
    """All rows of a file with these bytes."""
    return rows_of(table_of(data, folder, name, **options))


def told(rows: list[Row]) -> list[tuple[Any, ...]]:
    """What rows say, to compare them."""
    return [(row.line, row.record, row.skipped, [(f.code, f.message) for f in row.faults]) for row in rows]


def codes(rows: list[Row]) -> list[tuple[int, str]]:
    """Line and code of each fault that sets a row aside."""
    return [(row.line, fault.code) for row in rows for fault in row.faults if not row.skipped]


def records(rows: list[Row]) -> list[Any]:
    """The records that loaded."""
    return [row.record for row in rows if not row.faults]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        ("a,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
        ("a,b\r1,2\r3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("a,b\n1,2", [{"a": "1", "b": "2"}]),
        ('a,b\n"x, ""y""\r\nz",2\n', [{"a": 'x, "y"\r\nz', "b": "2"}]),
        ('a,b\r"x\ry\nz",2\r', [{"a": "x\ry\nz", "b": "2"}]),
        ('a,b\n5" disk,"2"\n', [{"a": '5" disk', "b": "2"}]),
        ('a,b\n5"" disk,"2"""\n', [{"a": '5"" disk', "b": '2"'}]),
        ('a,b\n5",6""\n"""",""\n', [{"a": '5"', "b": '6""'}, {"a": '"', "b": ""}]),
        ("a,b\n007, pad \n", [{"a": "007", "b": " pad "}]),
        ("a,b\nNA,1.0\nnull,\n", [{"a": "NA", "b": "1.0"}, {"a": "null", "b": ""}]),
        ("a,b\nx\0y,2\n", [{"a": "x\0y", "b": "2"}]),
        ("a,b\nx\u2028y\x85\x0b,2\n", [{"a": "x\u2028y\x85\x0b", "b": "2"}]),
        ("a,b\nx\ry,2\n", [{"a": "x\ry", "b": "2"}]),
        ('"a b",b\n1,2\n', [{"a b": "1", "b": "2"}]),
        (" a ,b\n1,2\n", [{" a ": "1", "b": "2"}]),
        ("value\n01\n", [{"value": "01"}]),
        ("a,b\n#x,y\n", [{"a": "#x", "b": "y"}]),
    ],
)
def test_cells_are_text_exactly_as_they_stand(text: str, want: list[dict[str, str]], tmp_path: Path) -> None:
    rows = read(text, tmp_path)
    assert records(rows) == want
    assert not codes(rows)


def test_a_cell_longer_than_the_limit_of_the_csv_module(tmp_path: Path) -> None:
    long = "x" * 200_000
    assert records(read(f"a,b\n{long},1\nlast,2\n", tmp_path)) == [{"a": long, "b": "1"}, {"a": "last", "b": "2"}]


@pytest.mark.parametrize(
    ("text", "name", "delimiter"),
    [
        ("prompt;completion\n1,5;2,5\n2,5;3,5\n", "t.csv", ";"),
        ("prompt\tcompletion\nWell, yes\tno\nOh, no\tyes\n", "t.csv", "\t"),
        ("prompt|completion\na|b\n", "t.txt", "|"),
        ('prompt,completion\n"a; b; c",d\n"e; f; g",h\n', "t.csv", ","),
        ('prompt,completion\n"one, two, three",d\n"four, five",h\n', "t.csv", ","),
        ("prompt,completion\na,b,c\nd,e,f\n", "t.csv", ","),
        ("text\nHello, you\nand, me\n", "t.csv", ","),
        ("text\nplain\n", "t.csv", ","),
        ("text\nplain\n", "t.tsv", "\t"),
        ("text;label\nHallo, Welt;gut\nja, nein;schlecht\n", "t.csv", ";"),
        ("a,b\n1,2\n", "t.tsv", ","),
        ("a,b\tc\n1,2\t3\n", "t.tsv", "\t"),
        ("a,b\tc\n1,2\t3\n", "t.csv", ","),
        ("sep=;\na;b\n1;2\n", "t.csv", ";"),
        ('sep="\na,b\n1,2\n', "t.csv", ","),  # no reader can tell such a delimiter from a quote, or a line end
        ("sep=\r\na,b\n1,2\n", "t.csv", ","),
        ("sep=\0\na,b\n1,2\n", "t.csv", ","),
    ],
)
def test_the_delimiter_is_found_by_content(text: str, name: str, delimiter: str, tmp_path: Path) -> None:
    assert table_of(text, tmp_path, name).delimiter == delimiter


@pytest.mark.parametrize("asked", ["tab", "\\t", "\t"])
def test_a_delimiter_that_the_user_names(asked: str, tmp_path: Path) -> None:
    assert records(read("a\tb,c\n1\t2\n", tmp_path, delimiter=asked)) == [{"a": "1", "b,c": "2"}]


def test_a_delimiter_beyond_ascii(tmp_path: Path) -> None:
    text = 'a¦b\n"x¦\ny"¦2\nÂ¦3\n"p""q"¦4\n'
    rows = read(text, tmp_path, delimiter="¦")
    assert records(rows) == [{"a": "x¦\ny", "b": "2"}, {"a": "Â", "b": "3"}, {"a": 'p"q', "b": "4"}]


@pytest.mark.parametrize("asked", ['"', "::", "\n"])
def test_what_cannot_be_a_delimiter(asked: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        table_of("a,b\n1,2\n", tmp_path, delimiter=asked)


@pytest.mark.parametrize(
    ("text", "code", "line", "says", "broken"),
    [
        ("", "IO115", 1, "no rows", True),
        ("\n\n", "IO115", 1, "no rows", True),
        ("a,b\n", "IO115", 1, "no row below", True),
        ("a,b\n\n,\n", "IO115", 1, "no row below", True),
        ("a,b,a\n1,2,3\n", "IO113", 1, "columns 1 and 3 are both called 'a'", True),
        ("a,,c\n1,2,3\n", "IO121", 1, "column 2", False),
        ("Sales 2021\n\na,b\n1,2\n", "IO121", 1, "line 3", False),
        ("# made by hand\na,b\n1,2\n", "IO121", 1, "line 2", False),
        ("sep=;\na;b\n1;2\n", "IO121", 1, "names the delimiter", False),
        ("Great film, really.,yes\nBad one.,no\nDull.,yes\n", "IO113", 1, "", False),
        ("Great film!,yes\nBad one.,no\nDull.,yes\n", "IO113", 1, "looks like data", False),
        ('"a"b,c\n1,2\n', "IO112", 1, "header", True),
        (",".join(f"c{n}" for n in range(10_001)) + "\n", "IO114", 1, "10001 columns", True),
        (b"a,\xff\n1,2\n3,4\n5,6\n", "IO101", 1, "could not be decoded", True),
        ("prompt,completion\né,2\n".encode("gb18030") * 9, "IO101", 2, "--encoding", True),
    ],
)
def test_what_is_wrong_with_a_table(
    text: bytes | str, code: str, line: int, says: str, broken: bool, tmp_path: Path
) -> None:
    table = table_of(text, tmp_path)
    assert table.broken is broken
    if says:
        assert [(at, f.code) for at, f in table.faults if says in f.message] == [(line, code)]


@pytest.mark.parametrize(
    ("text", "header", "line", "first"),
    [
        ("a,,c\n1,2,3\n", ("a", "column 2", "c"), 1, 2),
        ("column 2,\n1,2\n", ("column 2", "column 2'"), 1, 2),
        ("Sales 2021\n\na,b\n1,2\n", ("a", "b"), 3, 4),
        ("# x\n# y\na,b\n1,2\n", ("a", "b"), 3, 4),
        ('"a\nb",c\n1,2\n', ("a\nb", "c"), 1, 3),
        ('\n\n"a\r\nb",c\r\n1,2\r\n', ("a\r\nb", "c"), 3, 5),
        ("prompt\nHello, you\nAnd, me\n", ("prompt",), 1, 2),
        ("prompt,completion\na,b,c\nd,e,f\n", ("prompt", "completion"), 1, 2),
        ("My text\nHello, you\nAnd, me\n", ("My text",), 1, 2),
    ],
)
def test_the_header(text: str, header: tuple[str, ...], line: int, first: int, tmp_path: Path) -> None:
    table = table_of(text, tmp_path)
    assert (table.header, table.header_line) == (header, line)
    assert rows_of(table)[0].line == first


@pytest.mark.parametrize(
    ("text", "faults", "loaded"),
    [
        ("a,b\n1\n3,4\n", [(2, "IO111")], [3]),
        ("a,b\n1,2,3\n3,4\n", [(2, "IO111")], [3]),
        ('a,b\n"1\n2",3,4\n5,6\n', [(2, "IO111")], [4]),
        ('a,b\n1,2\n"never closed,x\n3,4\n5,6\n', [(3, "IO112")], [2, 4, 5]),
        ('a,b\n1,2\n"swallows,x\n3,4\n"5","6"\n7,8\n', [(3, "IO112")], [2, 4, 5, 6]),
        ('a,b\n"say "hi" now",x\n3,4\n', [(2, "IO112")], [3]),
        ('a,b\n"say \\"hi\\" now",x\n3,4\n', [(2, "IO112")], [3]),
        ('a,b\n"say "hi"\nand left",x\n3,4\n', [(2, "IO112")], [4]),
        ('a,b\n"open,x\n"multi\nline",y\n3,4\n', [(2, "IO112")], [3, 5]),
        ('a,b\n"x" y,1\n"z" w,2\n', [(2, "IO112"), (3, "IO112")], []),
        ('a,b\nx,"y\nz,"w\nv,"u\n', [(2, "IO112"), (3, "IO112"), (4, "IO112")], []),
        ('a,b\n1,"open\n', [(2, "IO112")], []),
        ('a,b\n1,"open', [(2, "IO112")], []),
        ("a,b\n1,2\na,b\n3,4\n", [(3, "IO113")], [2, 4]),
        ('a,b\r1,2\r"open,x\r3,4\r', [(3, "IO112")], [2, 4]),
    ],
)
def test_rows_that_are_set_aside(text: str, faults: list[tuple[int, str]], loaded: list[int], tmp_path: Path) -> None:
    rows = read(text, tmp_path)
    assert codes(rows) == faults
    assert [row.line for row in rows if not row.faults] == loaded
    assert all(row.record for row in rows)


def test_a_ragged_row_says_what_it_has_and_keeps_its_cells(tmp_path: Path) -> None:
    (row,) = read("prompt,completion\na,b,c\n", tmp_path)
    assert row.record == ["a", "b", "c"]
    want = "3 cells where the header has 2 (prompt, completion); an unquoted comma? put the cell in quotes"
    assert row.faults[0].message == want


def test_a_torn_record_keeps_its_text(tmp_path: Path) -> None:
    rows = read('a,b\n"x" "y\nz\n1,2\n', tmp_path)
    assert rows[0].record == '"x" "y\nz'
    assert "lines 2-3 are set aside" in rows[0].faults[0].message


def test_a_quote_that_swallows_rows_and_closes_by_chance(tmp_path: Path) -> None:
    inner = "".join(f"p{n},c{n}\n" for n in range(50))
    rows = read(f'a,b\n1,2\n"open,x\n{inner}5",y\n3,4\n', tmp_path)
    assert codes(rows) == [(3, "IO112")]
    assert [row.line for row in rows] == list(range(2, 56))


@pytest.mark.parametrize("line", ["def f(x):", "one, two, three, four", ""])
def test_a_long_cell_of_text_is_no_swallowed_table(line: str, tmp_path: Path) -> None:
    cell = "\n".join([line] * 150)
    assert records(read(f'a,b\n"{cell}",x\n3,4\n', tmp_path)) == [{"a": cell, "b": "x"}, {"a": "3", "b": "4"}]


def test_blank_rows_are_skipped_with_a_note(tmp_path: Path) -> None:
    rows = read("a,b\n\n1,2\n,\n  \n3,4\n", tmp_path)
    assert [(row.line, row.skipped) for row in rows] == [(2, True), (3, False), (4, True), (5, True), (6, False)]
    assert {f.code for row in rows for f in row.faults} == {"IO108"}


def test_bytes_that_do_not_decode_cost_one_record_each(tmp_path: Path) -> None:
    rows = read(b'a,b\n1,2\n3,\xff4\n"5\n\xe9",6\n7,8', tmp_path)
    assert [(row.line, bool(row.faults)) for row in rows] == [(2, False), (3, True), (4, True), (6, False)]
    assert "byte offset 2 " in rows[1].faults[0].message
    assert rows[2].faults[0].message.startswith("on line 5: ")
    assert {f.code for row in rows for f in row.faults} == {"IO101"}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_say_so(codec: str, tmp_path: Path) -> None:
    assert records(read("a,b\n日本,😀\n".encode(codec), tmp_path)) == [{"a": "日本", "b": "😀"}]


def test_an_encoding_that_the_user_names(tmp_path: Path) -> None:
    data = "a,b\n请把,翻译\n".encode("gb18030")
    assert records(read(data, tmp_path, encoding="gb18030")) == [{"a": "请把", "b": "翻译"}]


def test_a_line_that_is_too_long_is_set_aside_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 50)
    rows = read("a,b\n1,2\n" + "x" * 300 + ",y\n3,4\n", tmp_path)
    assert codes(rows) == [(3, "IO114")]
    assert records(rows) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_source_that_breaks_gives_what_was_read_and_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of("a,b\n1,2\n3,4\n", tmp_path)

    def broken(_: Table) -> Iterator[bytes]:
        yield b"a,b\n1,2\n3,"
        raise packed.SourceBroken(Fault("IO116", "cut"))

    monkeypatch.setattr(sources, "blocks", broken)
    chunks = list(READER.chunks(table))
    assert (chunks[-1].payload, chunks[-1].first_line) == (Fault("IO116", "cut"), 3)
    assert [row.record for chunk in chunks for row in READER.decode(table, chunk)] == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": ""},
    ]


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b'a,b\n"c', "more"),
        (b"a,b\nc,d\n", "plain"),
        (b'"c"d\n1,2\n', "torn"),
        (b'"c"d\n1,', "more"),
    ],
)
def test_the_cutter_waits_where_more_may_change_its_mind(data: bytes, want: str) -> None:
    stretches = list(cutter(",", 2, base.MAX_RECORD_BYTES).stretches(data, final=False))
    kinds = [stretch.kind for stretch in stretches] + ["more"] * (not stretches or stretches[-1].end < len(data))
    assert want in kinds


TEXT = st.text(st.sampled_from('ab",;\t|\r\n\0 \u2028\x85\ufeff#é😀') | st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_what_csv_writes_loads_back(table: list[list[str]], delimiter: str, line_end: str, quoting: Any) -> None:
    header = [f"c{n}" for n in range(len(table[0]))]
    if (
        quoting == csv.QUOTE_MINIMAL
    ):  # Python before 3.13 leaves the other line end unquoted, which nobody can tell apart
        assume(line_end != "\n" or not any(row[-1].endswith("\r") for row in table))
        assume(line_end != "\r" or not any("\n" in cell for row in table for cell in row))
    assume(header not in table)
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    lines, expected = [], []
    writer.writerow(header)
    for row in table:
        lines.append(_line(file.getvalue(), line_end))
        writer.writerow(row)
        expected.append(dict(zip(header, row, strict=True)))
    with tempfile.TemporaryDirectory() as folder:
        got = read(file.getvalue(), Path(folder), delimiter=delimiter, encoding="utf-8")
    assert [row.line for row in got] == lines
    assert [row.record for row in got] == [None if not any(r.values()) else r for r in expected]
    assert [row.skipped for row in got] == [not any(r.values()) for r in expected]


def _line(written: str, line_end: str) -> int:
    """The physical line on which what is written next starts."""
    return written.count(line_end[-1]) + 1


# The first two lines settle the dialect; what follows is as broken as can be.
MESS = st.lists(st.sampled_from(['"', '"', ",", ",", "\n", "\n", "\r\n", "\r", '""', "a", "bc", "é", "x,y\n"])).map(
    "".join
)


@settings(deadline=None)
@given(MESS, st.integers(1, 200), st.sampled_from([5, 9, 30, 1 << 24]), st.sampled_from(["\n", "\r"]))
def test_any_cutting_gives_the_same_rows(mess: str, size: int, limit: int, line_end: str) -> None:
    text = f"h,i{line_end}1,2{line_end}" * 2 + mess.replace("\n", line_end)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "MAX_RECORD_BYTES", limit)
        table = table_of(text, Path(folder), delimiter=",")
        whole = told(rows_of(table))
        patch.setattr(base, "CHUNK_BYTES", size)
        assert told(rows_of(table)) == whole


@settings(deadline=None)
@given(MESS, st.integers(1, 200), st.sampled_from([9, 30, 1 << 24]), st.sampled_from([("h", "i"), ("h", "i", "j")]))
def test_the_quick_way_gives_what_the_careful_one_gives(mess: str, size: int, limit: int, header: tuple[str]) -> None:
    text = "\n".join([",".join(header)] * 2) + "\n" + mess
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "MAX_RECORD_BYTES", limit)
        patch.setattr(base, "CHUNK_BYTES", size)
        table = table_of(text, Path(folder), delimiter=",")
        quick = told(rows_of(table))
        careful = cutter(",", len(header), base.MAX_RECORD_BYTES)
        assert careful.ordinary
        patch.setattr(careful, "ordinary", None)
        patch.setattr(careful, "_trusted", lambda data, at: -1)
        assert told(rows_of(table)) == quick


@settings(deadline=None)
@given(MESS)
def test_sound_files_read_as_csv_reader_reads_them(mess: str) -> None:
    mess = mess.replace("\r", "")
    try:
        want = list(csv.reader(io.StringIO(f"h,i\n{mess}", newline=""), strict=True))
    except csv.Error:
        assume(False)
    with tempfile.TemporaryDirectory() as folder:
        table = table_of(f"h,i\n{mess}", Path(folder), delimiter=",")
        got = [] if table.broken else rows_of(table)
    lists = [list(row.record.values()) if isinstance(row.record, dict) else row.record for row in got]
    assert [cells for cells in lists if cells] == [cells for cells in want[1:] if any(cells)]


@settings(deadline=None)
@given(MESS)
def test_no_line_is_lost(mess: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = table_of(f"h,i\n1,2\n{mess}", Path(folder), delimiter=",")
        got = rows_of(table)
    assert [row.line for row in got] == sorted(row.line for row in got)
    kept = "".join(str(row.record) for row in got if not row.skipped)
    assert kept.count("a") == mess.count("a")
    assert kept.count("bc") >= mess.count("bc")
