"""What OpenAI's `fine_tunes.prepare_data` got wrong, each defect as a small set of our own: it does not come back."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sample_sets import (
    CAPITALS,
    COUNTRIES,
    as_records,
    classes,
    jsonl,
    lines_of,
    pairs_in,
    prepare,
    sound,
    write,
    written,
)

import ftprep as ft
from ftprep.errors import FtprepError
from ftprep.tokens import Counter as TokenCounter

ROOT = Path(ft.__file__).parents[1]
NA_WORDS = ("NA", "null", "None", "NULL", "nan", "NaN", "N/A", "n/a", "<NA>", "#N/A")


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    """An Excel workbook with these cells."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return buffer.getvalue()


def cli(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line, with nothing to read from standard input."""
    return subprocess.run(
        [sys.executable, "-m", "ftprep", *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


def asides(prepared: ft.Prepared) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(prepared.rejected)]


# -- data lost or corrupted ----------------------------------------------------------------------------------------


def test_d01_cutting_a_prefix_leaves_each_row_its_own_text(tmp_path: Path) -> None:
    """Cutting a prefix that began with a space put the printed column into every row."""
    rows = [(f"{a} ->", f" The capital is {b} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)]
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert pairs_in(prepared.train) == [(f"{a} ->", f" {b} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)]


def test_d02_the_long_row_goes_and_no_other(tmp_path: Path) -> None:
    """After empty or equal rows had been dropped, an innocent row was deleted in place of the long one."""
    rows = sound(12)
    rows[1:3] = [("Chad ->", ""), rows[0]]
    rows[6] = (rows[6][0], " long" * 400 + " END")
    prepared = prepare(tmp_path, rows, unsafe=True, token_limit=200)
    assert pairs_in(prepared.train) == [row for i, row in enumerate(rows) if i not in (1, 2, 6)]
    assert {a["place"]["line"]: a["codes"] for a in asides(prepared)} == {2: ["SEP116"], 3: ["DUP101"], 7: ["TOK102"]}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_d03_no_label_is_lost(tmp_path: Path, kind: str) -> None:
    """Labels that look like missing values (NA, null, None) were dropped with their rows."""
    table: list[list[Any]] = [["prompt", "completion"]]
    table += [[f"text {i} {word}", word] for word in NA_WORDS for i in range(5)]
    if kind == "csv":
        path = put(tmp_path, "set.csv", "".join(f"{a},{b}\n" for a, b in table))
    else:
        path = put(tmp_path, "set.xlsx", workbook({"Data": table}))
    prepared = ft.prepare(path, unsafe=False, split={"valid": "none"})
    assert Counter(c for _, c in pairs_in(prepared.train)) == dict.fromkeys((f" {w}" for w in NA_WORDS), 5)
    frame = ft.load(path)
    assert list(frame["completion"]) == [b for _, b in table[1:]]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ('{"prompt": "Mali ->"}', "FMT120"),
        ('{"prompt": "Mali ->", "completion": null}', "FMT120"),
        ('{"prompt": null, "completion": " Bamako END"}', "FMT120"),
        ('{"prompt": "Mali ->", "completion": ["Bamako"]}', "FMT122"),
        ('{"prompt": "Mali ->", "completion": {"city": "Bamako"}}', "FMT122"),
    ],
)
def test_d04_what_is_missing_or_no_text_is_set_aside(tmp_path: Path, record: str, code: str) -> None:
    """A missing key or null became the text `nan` or `None`, a list its Python repr, and was trained on."""
    path = put(tmp_path, "set.jsonl", jsonl(as_records(sound(4))) + record.encode() + b"\n")
    prepared = ft.prepare(path, unsafe=True)
    assert pairs_in(prepared.train) == sound(4)
    (aside,) = asides(prepared)
    assert (aside["codes"], aside["place"]["line"]) == ([code], 5)
    assert aside["record"] == json.loads(record)


def test_d04_one_huge_number_does_not_stop_the_file(tmp_path: Path) -> None:
    """One integer beyond 64 bits had the whole file refused."""
    huge = "9" * 400
    path = put(
        tmp_path, "set.jsonl", jsonl(as_records(sound(4))) + f'{{"prompt": "n ->", "completion": {huge}}}\n'.encode()
    )
    prepared = ft.prepare(path, unsafe=True, format={"stop": " END"})
    assert pairs_in(prepared.train) == [*sound(4), ("n ->", f" {huge} END")]


def test_d05_a_clean_json_array_becomes_jsonl(tmp_path: Path) -> None:
    """A JSON array was called ready for training as it was."""
    path = put(tmp_path, "set.json", json.dumps(as_records(sound(6)), indent=1))
    prepared = ft.prepare(path)
    assert prepared.train == tmp_path / "set_prepared.jsonl"
    assert pairs_in(prepared.train) == sound(6)


@pytest.mark.parametrize(
    ("prompts", "left"),
    [
        (("Translate into French: Window", "Translate into French: Water"), ("Window", "Water")),
        (("Tell me about the theatre", "Tell me about the thing"), ("theatre", "thing")),
        (("What do you know of the O'Briens", "What do you know of the O'Haras"), ("O'Briens", "O'Haras")),
        (("Read this text now: snake_case", "Read this text now: snake_oil"), ("snake_case", "snake_oil")),
        (("Tell me all about e-mail", "Tell me all about e-commerce"), ("e-mail", "e-commerce")),
        (("The meeting starts at 12:30", "The meeting starts at 12:45"), ("12:30", "12:45")),
        (
            ("Please read all https://a.org/b", "Please read all https://a.org/c"),
            ("https://a.org/b", "https://a.org/c"),
        ),
        (("Find the file C:\\dir\\one", "Find the file C:\\dir\\two"), ("C:\\dir\\one", "C:\\dir\\two")),
        (("把下面的句子翻译成法语请认真一点：你好", "把下面的句子翻译成法语请认真一点：你们"), ("你好", "你们")),
    ],
)
def test_d06_a_prefix_is_never_cut_inside_a_word(
    tmp_path: Path, prompts: tuple[str, str], left: tuple[str, str]
) -> None:
    """The shared beginning was cut by characters: `French: W` took the W of `Window` and `Water`."""
    rows = [(f"{p} ->", f" word {i} END") for i, p in enumerate(prompts)]
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert [p for p, _ in pairs_in(prepared.train)] == [f"{word} ->" for word in left]


def test_d06_a_prefix_does_not_tear_json_apart(tmp_path: Path) -> None:
    """A cut inside a value left brackets and quotes that close nothing."""
    rows = [(f"{a} ->", f' {{"country": "{a}", "capital": "{b}"}}') for a, b in zip(COUNTRIES, CAPITALS, strict=True)]
    prepared = prepare(tmp_path, rows, unsafe=True)
    told = [json.loads(completion) for _, completion in pairs_in(prepared.train)]
    assert [t["capital"] for t in told] == list(CAPITALS)


def test_d07_a_prefix_is_never_cut_to_nothing(tmp_path: Path) -> None:
    """A completion that was nothing but the prefix became empty, and the program crashed."""
    answers = ("", " unknown", *(f" {b}" for b in CAPITALS))
    rows = [(f"{a} ->", f" The answer is{b}") for a, b in zip(COUNTRIES, answers, strict=False)]
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert [c for _, c in pairs_in(prepared.train)] == [f" is{b}\n" for b in answers[: len(rows)]]


def test_d07_a_class_whose_name_others_begin_with_stays(tmp_path: Path) -> None:
    """The classes `class`, `class A`, `class B` ended in an IndexError."""
    prepared = prepare(tmp_path, classes({"class": 10, "class A": 10, "class B": 10}), unsafe=True)
    assert {c for _, c in pairs_in(prepared.train)} == {" class", " class A", " class B"}


def test_d08_lower_case_spares_stops_links_code_and_other_scripts(tmp_path: Path) -> None:
    """Lower-casing changed stop sequences, labels, code and single Latin words in Chinese text."""
    tail = " SEE https://Example.com/A OR `X.Y` OR MAX_SIZE END"
    rows = [(f"{a} ->", f" THE CITY OF {b.upper()}{tail}") for a, b in zip(COUNTRIES, CAPITALS, strict=True)]
    prepared = prepare(tmp_path, rows, unsafe=True)
    kept = " see https://Example.com/A or `X.Y` or MAX_SIZE END"
    assert pairs_in(prepared.train)[0][1] in (f" the city of lima{kept}", f" lima{kept}")
    chinese = [(f"第{i}题 ->", f" 他说 Hello 之后在第{i}天离开了这座城市 END") for i in range(12)]
    assert "SEP112" not in ft.check(as_records(chinese)).counts()


def test_d08_labels_keep_their_capitals(tmp_path: Path) -> None:
    """Class names were lower-cased with the rest."""
    prepared = prepare(tmp_path, classes({"NASA": 12, "FIFA": 12}), unsafe=True)
    assert {c for _, c in pairs_in(prepared.train)} == {" NASA", " FIFA"}


def test_d08_rows_that_lower_case_makes_equal_are_found(tmp_path: Path) -> None:
    """Lower-casing came after the search for duplicates, so that it made new ones."""
    rows = [(f"{a} ->", f" THE CITY IS {b.upper()} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)]
    rows.append((rows[0][0], rows[0][1].removesuffix(" END").lower() + " END"))
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert len(set(pairs_in(prepared.train))) == prepared.rows["written"] == len(COUNTRIES)
    assert not {"DUP101", "DUP102"} & prepared.after.counts().keys()


def test_d09_half_a_surrogate_pair_is_told_and_kept(tmp_path: Path) -> None:
    """Half of a surrogate pair was deleted without a word."""
    bad = '{"prompt": "smile \\ud83d ->", "completion": " yes END"}'
    path = put(tmp_path, "set.jsonl", jsonl(as_records(sound(4))) + bad.encode() + b"\n")
    prepared = ft.prepare(path, unsafe=True)
    assert pairs_in(prepared.train) == sound(4)
    (line,) = lines_of(prepared.rejected)
    assert b"IO107" in line
    assert b"\\ud83d" in line.lower()


def test_d09_a_slash_is_written_as_a_slash(tmp_path: Path) -> None:
    """Every `/` was written as `\\/`."""
    rows = [(p, c.replace("its", "https://its/")) for p, c in sound(6, stop="")]
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert all(b"https://its/" in line and b"\\/" not in line for line in lines_of(prepared.train))


def test_d10_other_sheets_are_named_and_a_title_above_the_header_is_passed_over(tmp_path: Path) -> None:
    """Only the first sheet was read, and a header below a title was not found."""
    table = [["Capitals of the world"], [], ["prompt", "completion"], *map(list, sound(5))]
    path = put(tmp_path, "set.xlsx", workbook({"Data": table, "Old ones": [["prompt", "completion"], ["a", "b"]]}))
    report = ft.check(path)
    assert report.rows.loaded == 5
    assert any(f.code == "IO117" and "Old ones" in f.message for f in report.findings)
    assert any(f.code == "IO121" and f.location.row in (1, 3) for f in report.findings)
    both = ft.check(path, options=ft.Options(sheet="all"))
    assert both.rows.loaded == 6


# -- wrong advice --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "completions",
    [
        (" positive", " negative"),
        (" spam", " ham"),
        (" spam",),
        (" C++", " C++", " C++", " Go"),
        *[tuple(f" The {word} bag is small and green." for word in CAPITALS)],
    ],
)
def test_d11_no_stop_that_cuts_the_answer(tmp_path: Path, completions: tuple[str, ...]) -> None:
    """It advised stop=["tive"], ["am"], [" spam"] and ["."]: the shared last letters."""
    answers = completions if isinstance(completions, tuple) else (completions,)
    rows = [(f"{a} {i} ->", answers[i % len(answers)]) for i, a in enumerate(COUNTRIES * 4)]
    prepared = prepare(tmp_path, rows)
    assert prepared.after.dataset.stop is None
    assert not any("stop=" in line for line in prepared.advice)


@pytest.mark.parametrize(
    "answer",
    [" ['{}', 'and more']", ' {{"city": "{}"}}', ' {{\n  "city": "{}"\n}}', " ```\nprint('{}')\n```", " <p>{}</p>"],
)
def test_d11_what_closes_the_answer_is_no_stop(tmp_path: Path, answer: str) -> None:
    """It advised stop=["']"] for lists: the closing bracket would be missing from every answer."""
    rows = [(f"{a} ->", answer.format(b)) for a, b in zip(COUNTRIES, CAPITALS, strict=True)]
    report = ft.check(as_records(rows))
    assert report.dataset.stop is None
    assert "SEP106" in report.counts()


@pytest.mark.parametrize(
    ("prompts", "separator", "code"),
    [
        (["Is {} far?", "Where is {}?"], None, "SEP104"),
        (["{} prime ->", "A {} prime ->"], " ->", None),
        (["Buy {}!\nSupported:", "Come to {}!\nSupported:"], "\nSupported:", None),
        (["User: {}?\nAgent: Yes.\nUser: And?\nAgent:", "User: Hi {}\nAgent:"], "\nAgent:", None),
    ],
)
def test_d12_a_separator_is_no_chance_ending(prompts: list[str], separator: str | None, code: str | None) -> None:
    """Any shared last characters were taken for the separator: `?`, ` prime ->`, `!\\nSupported:`."""
    rows = [(prompts[i % 2].format(a), f" word {i} END") for i, a in enumerate(COUNTRIES)]
    report = ft.check(as_records(rows))
    assert report.dataset.separator == separator
    assert {c for c in report.counts() if c in ("SEP101", "SEP102", "SEP103", "SEP104")} == ({code} if code else set())


def test_d13_one_class_is_an_error() -> None:
    """One class only was accepted as a classification."""
    report = ft.check(as_records(classes({"spam": 20})))
    assert not report.ok
    assert "SET102" in report.counts()


@pytest.mark.parametrize(
    "answers",
    [
        ("We are very sorry to hear that and will refund you.", "Your refund is on its way and takes some days."),
        ("您的退款将在三到五个工作日内到账，请耐心等待。", "非常抱歉给您带来不便，我们会尽快为您处理。"),
    ],
)
def test_d13_canned_answers_are_not_classes(answers: tuple[str, str]) -> None:
    """Two stock answers to forty complaints were taken for two classes."""
    rows = [(f"Order {i} is late ->", f" {answers[i % 2]}") for i in range(40)]
    report = ft.check(as_records(rows))
    assert report.dataset.task == "generation"
    assert report.dataset.classes == {}


@pytest.mark.parametrize(
    ("counts", "positive"),
    [
        ({"yes": 5, "no": 15}, " yes"),
        ({"yes": 15, "no": 5}, " yes"),
        ({"是": 5, "否": 15}, " 是"),
        ({"a": 4, "b": 9}, " a"),
    ],
)
def test_d14_the_positive_class_is_the_one_that_is_looked_for(
    tmp_path: Path, counts: dict[str, int], positive: str
) -> None:
    """The most frequent class was called the positive one: ` no`."""
    prepared = prepare(tmp_path, classes(counts))
    (line,) = [line for line in prepared.advice if "positive class" in line]
    assert f'is "{positive}" (' in line


def test_d15_an_empty_prompt_gets_no_separator_and_a_blank_answer_is_set_aside(tmp_path: Path) -> None:
    """Empty prompts became ` ->`, and answers of white space got a stop sequence."""
    rows = [*[(p.removesuffix(" ->"), c) for p, c in sound(6)], ("", " Nothing asked END"), ("Chad", "  ")]
    prepared = prepare(tmp_path, rows, unsafe=True)
    assert pairs_in(prepared.train) == [*sound(6), ("", " Nothing asked END")]
    assert [f.location.row for f in prepared.before.findings if f.code == "SEP115"] == [7]
    assert [(a["codes"], a["place"]["line"]) for a in asides(prepared)] == [(["SEP116"], 8)]


@pytest.mark.parametrize("text", ["天地玄黄宇宙洪荒" * 30, "the quick brown fox " * 30, "ğüşöçİ" * 30])
def test_d16_a_limit_is_counted_in_tokens(text: str) -> None:
    """2048 tokens were judged as 10,000 characters, whatever the language."""
    tokens = sum(TokenCounter("o200k_base").count([text, " yes"]))
    rows = as_records([(text, " yes")])
    assert "TOK102" not in ft.check(rows, token_limit=tokens).counts()
    (finding,) = [f for f in ft.check(rows, token_limit=tokens - 1).findings if f.code == "TOK102"]
    assert finding.message == f"{tokens:,} tokens, 1 more than the limit of {tokens - 1:,}"


def test_d17_no_advice_about_nothing(tmp_path: Path) -> None:
    """Where all changes were declined, it told to end prompts with ``."""
    rows = [(a, b) for a, b in zip(COUNTRIES, CAPITALS, strict=True)]
    prepared = prepare(tmp_path, rows, rules={"ignore": ["SEP105"]})
    assert prepared.advice == ()


def test_d18_extra_columns_are_named_and_left_out(tmp_path: Path) -> None:
    """A warning that always came said that the extra column would be used instead."""
    records = [{"id": i, **r, "prompt source": "web"} for i, r in enumerate(as_records(sound(4)))]
    path = put(tmp_path, "set.jsonl", jsonl(records))
    prepared = ft.prepare(path)
    (finding,) = [f for f in prepared.before.findings if f.code == "SEP117"]
    assert finding.message == 'not trained on and not written: "id", "prompt source"'
    assert pairs_in(prepared.train) == sound(4)
    assert all(set(json.loads(line)) == {"prompt", "completion"} for line in lines_of(prepared.train))


def test_d18_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """The second column of a name was renamed and dropped."""
    report = ft.check(put(tmp_path, "set.csv", "prompt,prompt,completion\na,b,c\n"))
    assert not report.ok
    assert any(f.code == "IO113" and "prompt" in f.message for f in report.findings)


def test_d19_conflicts_and_spacing_duplicates_are_told() -> None:
    """Different answers to one prompt, and rows that differ only in spacing, went by."""
    rows = [*sound(6), ("Peru  0 ->", " Lima is its  capital 0 END"), ("norway 0 ->", " Bergen END")]
    found = {f.code: (f.location.row, f.message) for f in ft.check(as_records(rows)).findings if f.code[:3] == "DUP"}
    assert found["DUP102"][0] == 7
    assert found["DUP102"][1].endswith("from line 1")
    assert found["DUP104"] == (8, "another answer to the same prompt stands at line 2")


# -- split ---------------------------------------------------------------------------------------------------------


def test_d20_classes_stand_on_both_sides(tmp_path: Path) -> None:
    """The split did not look at classes: a rare one was missing from one side, and the job was refused."""
    prepared = prepare(tmp_path, classes({"common": 90, "seldom": 3, "rare": 2, "single": 1}))
    assert prepared.split is not None
    sides = prepared.split.per_class
    assert all(train and valid for name, (train, valid) in sides.items() if name != "single")
    assert sides["single"] == (1, 0)
    assert (prepared.split.train, prepared.split.valid) == (86, 10)


def test_d21_the_same_prompt_stands_on_one_side_only(tmp_path: Path) -> None:
    """Rows that differ only in spacing or capitals stood on both sides."""
    rows = [(f"{'Text' if i % 2 else 'text '} {i // 2} ->", f" answer {i}  of many END") for i in range(120)]
    prepared = prepare(tmp_path, rows, split={"valid": 0.2})
    train, valid = ({" ".join(p.lower().split()) for p, _ in pairs_in(f)} for f in (prepared.train, prepared.valid))
    assert len(train) + len(valid) == 60
    assert not train & valid


@pytest.mark.parametrize("count", [100, 600])
def test_d22_a_row_stays_on_its_side_when_others_come_and_go(tmp_path: Path, count: int) -> None:
    """Membership went by position: without its first row, two thirds of the validation set were others."""
    rows = sound(count)
    whole = set(pairs_in(prepare(tmp_path, rows).valid))
    assert len(whole) == count // 10
    reverse = ft.prepare(as_records(rows[::-1]), out=tmp_path / "reverse")
    assert set(pairs_in(reverse.valid)) == whole
    without = ft.prepare(as_records(rows[1:]), out=tmp_path / "without")
    assert len(whole - set(pairs_in(without.valid))) <= 1


def test_d23_a_split_is_there_for_generation_with_share_count_and_seed(tmp_path: Path) -> None:
    """A split was offered for inferred classifications only, and nothing about it could be set."""
    rows = as_records(sound(100))
    sides = []
    for number, split in enumerate([{"valid": 0.3}, {"valid": 7}, {"valid": 7, "seed": 1}, {"valid": "none"}]):
        prepared = ft.prepare(rows, out=tmp_path / str(number), split=split)
        sides.append(set(pairs_in(prepared.valid)))
    assert [len(side) for side in sides] == [30, 7, 7, 0]
    assert sides[1] != sides[2]


# -- reading -------------------------------------------------------------------------------------------------------

LINES = jsonl(as_records(sound(5)))
TABLE = "prompt,completion\n" + "".join(f"{p},{c}\n" for p, c in sound(5))
CHINESE = "prompt,completion\n" + "".join(f"中国的第{i}个城市在哪里,在中国的东部或者西部{i}\n" for i in range(5))

OPAQUE = {
    "one bad line": ("set.jsonl", LINES + b'{"prompt": "a ->" "completion": " b"}\n', 5, "IO104", 6),
    "UTF-16 table": ("set.tsv", TABLE.replace(",", "\t").encode("utf-16"), 5, "IO103", 1),
    "lines with a byte-order mark": ("set.jsonl", b"\xef\xbb\xbf" + LINES, 5, "IO102", 1),
    "ragged table": ("set.csv", TABLE.encode() + b"Chad ->, Ndjamena, extra END\n", 5, "IO111", 7),
    "semicolons": ("set.csv", TABLE.replace(",", ";").encode(), 5, None, 1),
    "an empty file": ("set.csv", b"", 0, "IO115", 1),
    "one record": ("set.jsonl", LINES.split(b"\n")[0], 1, None, 1),
    "one object": ("set.json", LINES.split(b"\n")[0], 1, None, 1),
    "an indented array called JSONL": ("set.jsonl", json.dumps(as_records(sound(5)), indent=2).encode(), 5, "IO110", 1),
    "a blank before a name": ("set.csv", TABLE.replace(",completion", ", completion").encode(), 5, None, 1),
    "carriage returns": ("set.txt", b"one\r\ntwo\r\n\r\nthree\r\n", 3, "IO109", 1),
    "compressed": ("set.jsonl.gz", gzip.compress(LINES, mtime=0), 5, None, 1),
}


@pytest.mark.parametrize("case", OPAQUE)
def test_d24_what_is_wrong_is_said_with_its_line_and_the_rest_is_read(tmp_path: Path, case: str) -> None:
    """One odd byte had the whole file refused, without a line and without a reason."""
    name, data, loaded, code, line = OPAQUE[case]
    report = ft.check(put(tmp_path, name, data))
    assert report.rows.loaded == loaded
    found = {f.code: f.location.row for f in report.findings if f.code.startswith(("IO", "FMT"))}
    if code is None:
        assert found == {}
    else:
        assert found[code] == line


@pytest.mark.parametrize(("name", "rows"), [("set.csv", 5), ("set.txt", 6)])
def test_d24_another_encoding_is_named_and_can_be_said(tmp_path: Path, name: str, rows: int) -> None:
    """GBK files were refused as `not in valid CSV format`."""
    path = put(tmp_path, name, CHINESE.encode("gbk"))
    (finding,) = [f for f in ft.check(path).findings if f.code == "IO101"]
    assert "byte 0xD6" in finding.message
    assert "--encoding gb18030" in finding.message
    assert finding.location.row == 2
    assert ft.check(path, options=ft.Options(encoding="gb18030")).rows.loaded == rows


# -- robustness ----------------------------------------------------------------------------------------------------


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("notes.txt", "no workbook")
    return buffer.getvalue()


TROUBLE = {
    "truncated workbook": ("set.xlsx", workbook({"Data": [["prompt", "completion"], *map(list, sound(5))]})[:1500]),
    "zip that is no workbook": ("set.xlsx", _zip()),
    "text called a workbook": ("set.xlsx", b"no workbook at all"),
    "not there": ("", b""),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_d25_no_traceback(tmp_path: Path, case: str) -> None:
    """Damaged workbooks, missing input and odd headers ended in tracebacks."""
    name, data = TROUBLE[case]
    path = put(tmp_path, name, data) if name else tmp_path / "missing.jsonl"
    done = cli("check", path)
    assert done.returncode in (1, 2)
    assert b"Traceback" not in done.stderr + done.stdout
    assert str(path).encode() in done.stderr + done.stdout


def test_d25_a_column_called_by_a_number(tmp_path: Path) -> None:
    """A header cell 2021 ended in a TypeError."""
    path = put(tmp_path, "set.xlsx", workbook({"Data": [["prompt", "completion", 2021], ["a ->", " b", 7]]}))
    report = ft.check(path)
    assert report.rows.loaded == 1
    assert any(f.code == "SEP117" and '"2021"' in f.message for f in report.findings)


def test_d25_nobody_to_ask_and_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    """Without standard input it crashed; on an ASCII terminal it wrote the file and crashed then."""
    path = write(tmp_path, [(f"città {i}", f"è qui {i * 7}") for i in range(12)])
    done = cli("prepare", path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    done.stdout.decode("ascii")
    assert len(pairs_in(tmp_path / "set_prepared.jsonl")) == 12


@pytest.mark.parametrize("text", ["prompt,completion\n", "prompt,completion\na ->,\nb ->, \n"])
def test_d26_without_rows_nothing_is_called_ready(tmp_path: Path, text: str) -> None:
    """A header alone, or empty answers only, gave a file with one blank line and the word that all was well."""
    path = put(tmp_path, "set.csv", text)
    done = cli("prepare", path)
    assert done.returncode != 0
    assert not (tmp_path / "set_prepared.jsonl").exists()
    assert not (tmp_path / "set_prepared.manifest.json").exists()


CHAT = {"messages": [{"role": "user", "content": "Capital of Mali?"}, {"role": "assistant", "content": "Bamako."}]}


def test_d27_conversations_are_read(tmp_path: Path) -> None:
    """Chat data was refused for want of a prompt column; a file with both lost the conversations."""
    path = put(tmp_path, "set.jsonl", jsonl([CHAT] * 3))
    prepared = ft.prepare(path)
    assert prepared.after.dataset.shape == "chat"
    assert lines_of(prepared.train) == lines_of(path)
    both = put(tmp_path, "both.jsonl", jsonl([CHAT, CHAT, *as_records(sound(1))]))
    (aside,) = asides(ft.prepare(both))
    assert (aside["codes"], aside["record"]) == (["FMT117"], as_records(sound(1))[0])


@pytest.mark.parametrize("row", [("Peru", "Lima"), ("Peru ->", " Lima END"), ("", " Once upon a time\n")])
def test_d28_one_row_is_a_set(tmp_path: Path, row: tuple[str, str]) -> None:
    """A file of one row was refused since all its prompts are identical."""
    prepared = prepare(tmp_path, [row], unsafe=True)
    assert not {"SEP113", "SEP114"} & prepared.before.counts().keys()
    assert prepared.rows["written"] == 1
    ((prompt, completion),) = pairs_in(prepared.train)
    assert prompt in (row[0], f"{row[0]} ->")
    assert completion.startswith(" ")
    assert row[1].strip() in completion


def test_d29_each_change_is_decided_on_its_own(tmp_path: Path) -> None:
    """All suggestions were taken or none."""
    rows = list(zip(COUNTRIES, CAPITALS, strict=True))
    asked: list[str] = []

    def decide(proposal: Any) -> bool:
        asked.append(proposal.code)
        return bool(proposal.code == "SEP106")

    prepared = ft.prepare(as_records(rows), out=tmp_path, unsafe=decide)
    assert asked == ["SEP101", "SEP106"]
    assert pairs_in(prepared.train) == [(a, f" {b}\n") for a, b in rows]
    assert [p.code for p in prepared.declined] == ["SEP101"]


def test_d30_utf8_is_utf8_in_every_locale(tmp_path: Path) -> None:
    """With LC_ALL=C, text in UTF-8 was refused."""
    lines = [f"{i}: l'été à Zürich, 北京, 🙂" for i in range(12)]
    path = put(tmp_path, "set.txt", "\n".join(lines))
    done = cli("prepare", path, "--unsafe-fixes", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0, done.stderr
    found = pairs_in(tmp_path / "set_prepared.jsonl")
    assert [c.strip() for _, c in found] == lines


def test_no_file_that_is_there_is_overwritten(tmp_path: Path) -> None:
    """What it did well stays: an existing file is never overwritten."""
    path = write(tmp_path, sound(4))
    first = ft.prepare(path)
    assert first.train is not None
    before = first.train.read_bytes()
    with pytest.raises(FtprepError, match="exists already"):
        ft.prepare(path, unsafe=True)
    assert first.train.read_bytes() == before
    assert written(ft.prepare(path, force=True)) == Counter(sound(4))
