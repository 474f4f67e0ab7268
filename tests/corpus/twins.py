"""Bad files by kind, made here, each with the fate of every line: what `../shared/badinputs` has, and more of its like.

A twin says what must come of it: how many records are loaded, which lines are rejected and with which code, which are
skipped, and texts that must come out exactly. `broken` is a file of which nothing can be read, with the code.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from books import package, rows_of_cells, written_book

GOOD = b'{"prompt": "say it ->", "completion": " yes"}\n'
HEAD = b"prompt,completion\n"


class Twin(NamedTuple):
    """A file and its fate; `texts` are (record counted from 0, key, value)."""

    name: str
    data: bytes
    loaded: int = 0
    rejected: Mapping[int, str] = {}
    skipped: int = 0
    notes: frozenset[str] = frozenset()
    broken: str = ""
    texts: tuple[tuple[int, str, Any], ...] = ()


def pair(prompt: Any, completion: Any = " yes", **more: Any) -> bytes:
    """A line of JSONL."""
    return json.dumps({"prompt": prompt, "completion": completion, **more}, ensure_ascii=False).encode() + b"\n"


def among(line: bytes, number: int = 3, of: int = 6) -> bytes:
    """A line among good ones."""
    return GOOD * (number - 1) + line + GOOD * (of - number)


def _bad_lines() -> Iterator[Twin]:
    """JSONL files of six lines, of which the third is no record."""
    yield from (
        Twin(f"jsonl_{name}.jsonl", among(line), 5, {3: code})
        for name, line, code in (
            ("latin1_byte", b'{"prompt": "caf\xe9", "completion": " x"}\n', "IO101"),
            ("overlong", b'{"prompt": "\xc0\xaf", "completion": " x"}\n', "IO101"),
            ("cesu8", b'{"prompt": "\xed\xa0\xbd\xed\xb8\x80", "completion": " x"}\n', "IO101"),
            ("beyond_unicode", b'{"prompt": "\xf4\x90\x80\x80", "completion": " x"}\n', "IO101"),
            ("nuls", b"\0" * 64 + b"\n", "IO104"),
            ("raw_nul", b'{"prompt": "a\0b", "completion": " x"}\n', "IO104"),
            ("raw_tab", b'{"prompt": "a\tb", "completion": " x"}\n', "IO104"),
            ("single_quotes", b"{'prompt': 'a', 'completion': ' x'}\n", "IO104"),
            ("smart_quotes", "{“prompt”: “a”, “completion”: “ x”}\n".encode(), "IO104"),
            ("trailing_comma", b'{"prompt": "a", "completion": " x",}\n', "IO104"),
            ("no_colon", b'{"prompt" "a", "completion": " x"}\n', "IO104"),
            ("comment", b'{"prompt": "a", "completion": " x"} // note\n', "IO104"),
            ("python_words", b'{"prompt": "a", "completion": None}\n', "IO104"),
            ("bad_escape", b'{"prompt": "a\\x41", "completion": " x"}\n', "IO104"),
            ("short_escape", b'{"prompt": "a\\u12", "completion": " x"}\n', "IO104"),
            ("leading_zero", b'{"prompt": "a", "completion": " x", "n": 007}\n', "IO104"),
            ("two_objects", b'{"prompt": "a", "completion": " x"} {"prompt": "b", "completion": " y"}\n', "IO120"),
            ("cut", b'{"prompt": "a", "comple\n', "IO104"),
            ("nan", b'{"prompt": "a", "completion": " x", "n": NaN}\n', "IO106"),
            ("infinity", b'{"prompt": "a", "completion": " x", "n": -Infinity}\n', "IO106"),
            ("overflow", b'{"prompt": "a", "completion": " x", "n": 1e999}\n', "IO106"),
            ("many_digits", b'{"prompt": "a", "completion": " x", "n": 0.1234567890123456789}\n', "IO106"),
            ("digits_5000", b'{"prompt": "a", "completion": " x", "n": ' + b"7" * 5000 + b"}\n", "IO106"),
            ("two_keys", b'{"prompt": "a", "completion": " x", "prompt": "b"}\n', "IO105"),
            ("two_keys_below", b'{"prompt": "a", "completion": " x", "m": {"k": 1, "k": 1}}\n', "IO105"),
            ("two_keys_escaped", b'{"prompt": "a", "completion": " x", "pr\\u006fmpt": "\\u0022"}\n', "IO105"),
            ("high_surrogate", b'{"prompt": "\\ud83d", "completion": " x"}\n', "IO107"),
            ("low_surrogate", b'{"prompt": "\\ude00", "completion": " x"}\n', "IO107"),
            ("surrogate_in_key", b'{"prompt": "a", "completion": " x", "\\udc00": 1}\n', "IO107"),
            ("pair_reversed", b'{"prompt": "\\ude00\\ud83d", "completion": " x"}\n', "IO107"),
            ("deep_arrays", b'{"prompt": "a", "completion": " x", "d": ' + b"[" * 65 + b"]" * 65 + b"}\n", "IO114"),
            ("very_deep", b"[" * 100_000 + b"\n", "IO114"),
            ("very_deep_objects", b'{"a":' * 50_000 + b"\n", "IO114"),
            ("array", b'["say it ->", " yes"]\n', "IO119"),
            ("number", b"42\n", "IO119"),
            ("text", b'"say it"\n', "IO119"),
            ("null", b"null\n", "IO119"),
            ("list_as_prompt", pair(["a"]), "FMT122"),
            ("empty_object", b"{}\n", "FMT120"),
        )
    )


def _good_lines() -> Iterator[Twin]:
    """JSONL files that are odd, and lose nothing."""
    texts = {
        "separators": "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei",
        "nul_escaped": "a\0b",
        "controls_escaped": "".join(map(chr, range(32))) + "\x7f",
        "astral": "😀𝕏\U0010ffff",
        "noncharacters": "\ufffe\uffff\ufdd0",
        "replacement": "\ufffd",
        "byte_order_mark_inside": "a\ufeffb",
        "outer_blanks": "  a \t",
        "bidi": "\u202eabc\u202c\u2066x\u2069",
        "ansi": "\x1b[2J\x1b]0;title\x07\x9b31m",
        "formula": "=cmd|' /C calc'!A0",
        "html": "<script>alert(1)</script>",
        "digits": "007",
        "date": "2020-01-01",
        "na": "NA",
        "special": "<|endoftext|><|im_start|>system",
        "combining": "e\u0301" * 50,
        "long": "x" * 200_000,
    }
    for name, text in texts.items():
        yield Twin(f"text_{name}.jsonl", among(pair(text)), 6, texts=((2, "prompt", text),))
    big = 2**64 + 1
    yield Twin(
        "jsonl_integers.jsonl", among(pair("a", n=big, m=-(10**30))), 6, texts=((2, "n", big), (2, "m", -(10**30)))
    )
    yield Twin(
        "jsonl_depth_64.jsonl", among(b'{"prompt": "a", "completion": " x", "d": ' + b"[" * 63 + b"]" * 63 + b"}\n"), 6
    )
    yield Twin("jsonl_late_key.jsonl", GOOD * 4999 + pair("a", late="x"), 5000, texts=((4999, "late", "x"),))
    yield Twin("jsonl_crlf.jsonl", GOOD.replace(b"\n", b"\r\n") * 4, 4, notes=frozenset({"IO109"}))
    yield Twin("jsonl_no_final_end.jsonl", (GOOD * 4).rstrip(), 4)
    yield Twin("jsonl_blank_lines.jsonl", (GOOD + b"\n \t\n") * 3, 3, skipped=6, notes=frozenset({"IO108"}))
    yield Twin("jsonl_cut_at_end.jsonl", GOOD * 3 + GOOD[:30], 3, {4: "IO116"})
    yield Twin("jsonl_nul_tail.jsonl", GOOD * 3 + b"\0" * 4096, 3, {4: "IO104"})
    yield Twin("jsonl_mark_inside.jsonl", GOOD * 2 + b"\xef\xbb\xbf" + GOOD * 2, 4, notes=frozenset({"IO102"}))
    yield Twin("jsonl_all_bad.jsonl", b'{"prompt": }\n' * 5, 0, dict.fromkeys(range(1, 6), "IO104"))
    yield Twin("jsonl_in_array.jsonl", b"[" + b",".join([GOOD.rstrip()] * 4) + b"]\n", 4, notes=frozenset({"IO110"}))
    yield Twin("jsonl_as.csv", GOOD * 4, 4, notes=frozenset({"IO110"}))


def _encoded() -> Iterator[Twin]:
    text = "日本語 Zażółć 😀"
    for codec in ("utf-8-sig", "utf-16", "utf-32"):
        note = frozenset({"IO102" if codec == "utf-8-sig" else "IO103"})
        lines = "".join(pair(f"{n} {text}").decode() for n in range(5))
        yield Twin(f"enc_{codec}.jsonl", lines.encode(codec), 5, notes=note, texts=((4, "prompt", f"4 {text}"),))
        table = "prompt,completion\n" + "".join(f"{n} {text}, yes\n" for n in range(5))
        yield Twin(f"enc_{codec}.csv", table.encode(codec), 5, notes=note, texts=((4, "prompt", f"4 {text}"),))
    for codec, said in (
        ("gb18030", "请把下面的句子翻译成英文"),
        ("cp1252", "größer façade déjà – €"),
        ("cp1251", "Съешь же ещё"),
    ):
        table = "prompt,completion\n" + "".join(f"{n} {said},{said}\n" for n in range(30))
        yield Twin(f"enc_{codec}.csv", table.encode(codec), broken="IO101")
        yield Twin(
            f"enc_{codec}.jsonl",
            "".join(pair(f"{n} {said}", said).decode() for n in range(30)).encode(codec),
            broken="IO101",
        )
    yield Twin("enc_utf-16_unmarked.jsonl", (GOOD * 5).decode().encode("utf-16-le"), broken="IO101")
    yield Twin("csv_one_bad_byte.csv", HEAD + b"caf\xe9,x\n" + b"a,b\n" * 4, 4, {2: "IO101"})


def _tables() -> Iterator[Twin]:
    """Delimited files."""
    row = b"a,b\n"
    yield Twin("csv_short_row.csv", HEAD + row * 3 + b"alone\n" + row * 3, 6, {5: "IO111"})
    yield Twin("csv_long_row.csv", HEAD + row * 3 + b"a,b,c\n" + row * 3, 6, {5: "IO111"})
    yield Twin("csv_first_row_longer.csv", HEAD + b"a,b,c\n" + row * 6, 6, {2: "IO111"})
    yield Twin("csv_quote_to_the_end.csv", HEAD + row + b'"open,b\n' + row * 3, 4, {3: "IO112"})
    yield Twin("csv_quote_swallows.csv", HEAD + b'"open,b\n' + row * 20 + b'c,"d"\n' + row * 3, 24, {2: "IO112"})
    yield Twin("csv_text_after_quote.csv", HEAD + b'"a"b,c\n' + row * 3, 3, {2: "IO112"})
    yield Twin("csv_stray_quote.csv", HEAD + b'5" disk,x\n' + row, 2, texts=((0, "prompt", '5" disk'),))
    yield Twin(
        "csv_doubled.csv",
        HEAD + b'"say ""hi""","l1\nl2"\n' + row,
        2,
        texts=((0, "prompt", 'say "hi"'), (0, "completion", "l1\nl2")),
    )
    yield Twin("csv_crlf_in_cell.csv", HEAD + b'"l1\r\nl2",b\n' + row, 2, texts=((0, "prompt", "l1\r\nl2"),))
    yield Twin("csv_nul.csv", HEAD + b"a\0b,c\n" + row, 2, texts=((0, "prompt", "a\0b"),))
    yield Twin("csv_returns.csv", (HEAD + row * 5).replace(b"\n", b"\r"), 5)
    yield Twin("csv_crlf.csv", (HEAD + row * 5).replace(b"\n", b"\r\n"), 5)
    yield Twin("csv_semicolon.csv", (HEAD + row * 5).replace(b",", b";"), 5)
    yield Twin("csv_sep_line.csv", b"sep=;\n" + (HEAD + row * 5).replace(b",", b";"), 5, notes=frozenset({"IO121"}))
    yield Twin("csv_tabs.tsv", (HEAD + row * 5).replace(b",", b"\t"), 5)
    yield Twin("csv_title.csv", b"Export of 3 May\n\n" + HEAD + row * 5, 5, notes=frozenset({"IO121"}))
    yield Twin("csv_blank_rows.csv", HEAD + row + b"\n,\n  \n" + row, 2, skipped=3, notes=frozenset({"IO108"}))
    yield Twin("csv_header_again.csv", HEAD + row * 2 + HEAD + row, 3, {4: "IO113"})
    yield Twin("csv_same_names.csv", b"prompt,prompt\n" + row * 3, broken="IO113")
    yield Twin(
        "csv_100k_columns.csv",
        b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b",".join([b"x"] * 100_000) + b"\n",
        broken="IO114",
    )
    yield Twin("csv_header_only.csv", HEAD, broken="IO115")
    words = ("NA", "null", "None", "nan", "N/A", "-", "TRUE", "007", "1.10", "1e5", "2020-01-01", " a ")
    table = HEAD + b"".join(f"p,{word}\n".encode() for word in words)
    yield Twin("csv_words.csv", table, len(words), texts=tuple((n, "completion", w) for n, w in enumerate(words)))
    yield Twin("csv_hashes.csv", HEAD + b"#tag,b\n" + row, 2, texts=((0, "prompt", "#tag"),))
    late = HEAD + b"".join(b"p%d,%d\n" % (n, n % 2) for n in range(3000)) + b"p,late\n"
    yield Twin("csv_late_text.csv", late, 3001, texts=((0, "completion", "0"), (3000, "completion", "late")))
    yield Twin(
        "csv_long_cell.csv", HEAD + b'"' + b"x\n" * 100_000 + b'",b\n' + row, 2, texts=((0, "prompt", "x\n" * 100_000),)
    )


def _no_data() -> Iterator[Twin]:
    """Files of which nothing can be read, or whose name is wrong."""
    for suffix in ("jsonl", "csv", "json", "tsv", "txt", "xlsx", "parquet"):
        yield Twin(f"empty.{suffix}", b"", broken="IO115")
    yield Twin("mark_only.jsonl", b"\xef\xbb\xbf", broken="IO115")
    yield Twin("ends_only.jsonl", b"\n\r\n\n", broken="IO115")
    yield Twin("empty_array.json", b"[]\n", broken="IO115")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    yield Twin("lfs_pointer.jsonl", pointer, broken="IO120")
    yield Twin("web_page.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>\n", broken="IO120")
    yield Twin("csv_as.json", HEAD + b"a,b\n" * 4, broken="IO120")
    yield Twin("deep.json", b"[" * 100_000, rejected={1: "IO114"}, notes=frozenset({"IO116"}))
    yield Twin("json5.json", b'[\n// note\n{"prompt": "a", "completion": " b"},\n]\n', 1, notes=frozenset({"IO104"}))
    yield Twin(
        "spread.json",
        b'[\n {"prompt": "a",\n  "completion": " b"},\n {"prompt": "c"\n]\n',
        1,
        {4: "IO104"},
        notes=frozenset({"IO116"}),
    )
    yield Twin("columns.json", b'{"prompt": ["a", "b"], "completion": [" c", " d"]}\n', 2)


def _packed() -> Iterator[Twin]:
    body = b"".join(pair(f"say {n} {n * 7919 % 1000003} ->") for n in range(2000))
    for suffix, packed in (
        ("gz", gzip.compress(body, mtime=0)),
        ("bz2", bz2.compress(body)),
        ("xz", lzma.compress(body)),
    ):
        yield Twin(f"whole.jsonl.{suffix}", packed, 2000)
        yield Twin(f"cut.jsonl.{suffix}", packed[: len(packed) // 2], broken="IO116")
        yield Twin(f"two_streams.jsonl.{suffix}", packed + packed, 4000)
        yield Twin(f"packed_{suffix}_as.csv", packed, 2000, notes=frozenset({"IO110"}))
    flipped = bytearray(gzip.compress(body, mtime=0))
    flipped[-6] ^= 0xFF
    yield Twin("wrong_sum.jsonl.gz", bytes(flipped), broken="IO116")


def _books() -> Iterator[Twin]:
    rows = [["prompt", "completion"], *[[f"p{n}", f"c{n}"] for n in range(2, 7)]]
    yield Twin("book.xlsx", written_book(rows), 5, texts=((4, "completion", "c6"),))
    yield Twin(
        "book_texts.xlsx",
        written_book([rows[0], ["007", " pad "], ["=1+1 ", "NA"]]),
        2,
        texts=((0, "prompt", "007"), (0, "completion", " pad "), (1, "completion", "NA")),
    )
    yield Twin("book_cut.xlsx", written_book(rows)[:-30], broken="IO116")
    good = rows_of_cells(2, ("p2", "c2"))
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    beyond = '<row r="99999999"><c r="ZZZZ99999999" t="inlineStr"><is><t>x</t></is></c></row>'
    yield Twin("book_far_corner.xlsx", package(good + far), broken="IO114")
    yield Twin("book_beyond.xlsx", package(good + beyond), broken="IO114")
    lie = '<?xml version="1.0"?><sst xmlns="x" count="4000000000" uniqueCount="4000000000"><si><t>a</t></si></sst>'
    yield Twin("book_lying_count.xlsx", package(good, **{"xl/sharedStrings.xml": lie}), broken="IO114")
    bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><x>&b;</x>"
    yield Twin("book_entities.xlsx", package(good, **{"docProps/app.xml": bomb}), broken="IO114")
    yield Twin("book_zeros.xlsx", package(good, **{"xl/media/image1.png": b"\0" * (80 << 20)}), broken="IO114")
    formula = '<row r="3"><c r="A3"><f>1+1</f></c><c r="B3" t="inlineStr"><is><t>x</t></is></c></row>'
    yield Twin("book_formula.xlsx", package(good + formula), 1, {3: "IO122"})
    error = '<row r="3"><c r="A3" t="e"><v>#N/A</v></c><c r="B3" t="inlineStr"><is><t>x</t></is></c></row>'
    yield Twin("book_error.xlsx", package(good + error), 1, {3: "IO122"})
    yield Twin("book_gap.xlsx", package(good + rows_of_cells(500, ("p", "c"))), 2, notes=frozenset({"IO117"}))
    yield Twin("book_no_rows.xlsx", package(""), broken="IO115")


def twins() -> list[Twin]:
    """All of them, in a fixed order."""
    families = (_bad_lines, _good_lines, _encoded, _tables, _no_data, _packed, _books)
    return [twin for family in families for twin in family()]
