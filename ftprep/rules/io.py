"""Rules on reading: the cards of what readers find in bytes, lines, headers and workbooks, and raise as faults."""

from __future__ import annotations

import codecs
import gzip
from typing import ClassVar

from ftprep.rule import Card, Rule, Sample
from ftprep.rules.io_workbooks import FORMULA, ONE_SHEET, TWO_SHEETS

_LINES = '{"prompt": "Peru ->", "completion": " Lima"}\n{"prompt": "Chad ->", "completion": " Ndjamena"}\n'
_TABLE = "prompt,completion\nPeru ->, Lima\nChad ->, Ndjamena\n"
_GOOD = Sample(text=_LINES)
_GOOD_TABLE = Sample(text=_TABLE, suffix=".csv")
_DEEP = '{"prompt": "Mali ->", "completion": " Bamako", "notes": ' + "[" * 70 + "]" * 70 + "}\n"


class NotDecodable(Rule):
    card: ClassVar[Card] = Card(
        code="IO101",
        name="not-decodable",
        severity="error",
        finds="Bytes that are not text in the encoding of the file, which is UTF-8 unless another one is named.",
        why="Guessing would train on letters that nobody wrote. Name the encoding (--encoding gb18030, cp1252 …).",
        bad=Sample(text=_LINES.encode() + b'{"prompt": "Caf\xe9 ->", "completion": " coffee"}\n'),
        good=Sample(text=_LINES + '{"prompt": "Café ->", "completion": " coffee"}\n'),
    )


class ByteOrderMark(Rule):
    card: ClassVar[Card] = Card(
        code="IO102",
        name="byte-order-mark",
        severity="warning",
        finds="A file starts with a UTF-8 byte-order mark, or a line does.",
        why="Most readers of JSON lines refuse the first line for it, and as a part of a column's name it hides the "
        "column.",
        bad=Sample(text=codecs.BOM_UTF8 + _LINES.encode()),
        good=_GOOD,
        fix="safe",
        mended="Writes the file without the mark.",
    )


class EncodingGuessed(Rule):
    card: ClassVar[Card] = Card(
        code="IO103",
        name="encoding-guessed",
        severity="warning",
        finds="A file is not UTF-8, and its encoding was told from its first bytes.",
        why="Training files have to be UTF-8. What was read is written so; look at a few rows to be sure.",
        bad=Sample(text=codecs.BOM_UTF16_LE + _TABLE.encode("utf-16-le"), suffix=".csv"),
        good=_GOOD_TABLE,
        fix="safe",
        mended="Writes the file in UTF-8.",
    )


class InvalidJson(Rule):
    card: ClassVar[Card] = Card(
        code="IO104",
        name="invalid-json",
        severity="error",
        finds="A line or record is not one JSON value.",
        why="Providers refuse the whole file for one such line. The message says what is wrong and at which column.",
        bad=Sample(text=_LINES + '{"prompt": "Mali ->", "completion": " Bamako",}\n'),
        good=_GOOD,
    )


class DuplicateKey(Rule):
    card: ClassVar[Card] = Card(
        code="IO105",
        name="duplicate-key",
        severity="error",
        finds="A key stands twice in one object, at any depth.",
        why="Readers keep one of the two values and drop the other without a word, and not all keep the same one.",
        bad=Sample(text=_LINES + '{"prompt": "Mali ->", "completion": " Bamako", "completion": " Sikasso"}\n'),
        good=_GOOD,
    )


class NotAJsonNumber(Rule):
    card: ClassVar[Card] = Card(
        code="IO106",
        name="not-a-json-number",
        severity="error",
        finds="NaN, Infinity, or a number with more digits than a reader keeps.",
        why="JSON has no such numbers; strict readers refuse the file and others change the value.",
        bad=Sample(text=_LINES + '{"prompt": "Mali ->", "completion": NaN}\n'),
        good=_GOOD,
    )


class LoneSurrogate(Rule):
    card: ClassVar[Card] = Card(
        code="IO107",
        name="lone-surrogate",
        severity="error",
        finds="Half of a surrogate pair, such as \\ud83d without its second half.",
        why="It is no character and cannot be written as UTF-8; a text was cut in the middle of one.",
        bad=Sample(text=_LINES + '{"prompt": "Mali \\ud83d ->", "completion": " Bamako"}\n'),
        good=Sample(text=_LINES + '{"prompt": "Mali \\ud83d\\ude00 ->", "completion": " Bamako"}\n'),
    )


class BlankLine(Rule):
    card: ClassVar[Card] = Card(
        code="IO108",
        name="blank-line",
        severity="info",
        finds="A blank line between records.",
        why="Some providers skip it, others refuse the file.",
        bad=Sample(text=_LINES.replace("\n", "\n\n", 1)),
        good=_GOOD,
        fix="safe",
        mended="Writes the file without blank lines.",
    )


class CarriageReturn(Rule):
    card: ClassVar[Card] = Card(
        code="IO109",
        name="carriage-return",
        severity="info",
        finds="Lines end in CR LF or CR instead of LF.",
        why="It is harmless between records of JSON, but tools that count bytes or lines disagree about it.",
        bad=Sample(text=_LINES.replace("\n", "\r\n")),
        good=_GOOD,
        fix="safe",
        mended="Ends lines in LF.",
    )


class WrongContainer(Rule):
    card: ClassVar[Card] = Card(
        code="IO110",
        name="wrong-container",
        severity="warning",
        finds="A file holds another format than its name says, and was read as what it is.",
        why="Providers go by the name or want JSON lines: an array in a .jsonl file is refused.",
        bad=Sample(text="[" + ",\n".join(_LINES.splitlines()) + "]\n"),
        good=_GOOD,
        fix="safe",
        mended="Writes the records as JSON lines.",
    )


class RaggedRow(Rule):
    card: ClassVar[Card] = Card(
        code="IO111",
        name="ragged-row",
        severity="error",
        finds="A row has more or fewer cells than the header.",
        why="An unquoted comma moves the rest of the row into the wrong columns; the row is set aside, not guessed.",
        bad=Sample(text=_TABLE + "Mali, in Africa ->, Bamako\n", suffix=".csv"),
        good=Sample(text=_TABLE + '"Mali, in Africa ->", Bamako\n', suffix=".csv"),
    )


class UnclosedQuote(Rule):
    card: ClassVar[Card] = Card(
        code="IO112",
        name="unclosed-quote",
        severity="error",
        finds="A quoted cell is never closed, or swallows the lines below it.",
        why="Everything up to the next quote would become one cell of one row.",
        bad=Sample(text=_TABLE + '"Mali ->, Bamako\nTogo ->, Lomé\n', suffix=".csv"),
        good=Sample(text=_TABLE + '"Mali ->", Bamako\nTogo ->, Lomé\n', suffix=".csv"),
    )


class Header(Rule):
    card: ClassVar[Card] = Card(
        code="IO113",
        name="header",
        severity="error",
        finds="A table has no usable header: none at all, one name twice, or the header once more among the rows.",
        why="Without names nobody can tell the columns apart; of two with one name, one would be dropped.",
        bad=Sample(text="prompt,prompt\nPeru ->, Lima\nChad ->, Ndjamena\n", suffix=".csv"),
        good=_GOOD_TABLE,
    )


class RecordTooLarge(Rule):
    card: ClassVar[Card] = Card(
        code="IO114",
        name="record-too-large",
        severity="error",
        finds="A record is longer than 16 MiB, nested deeper than 64 levels, or has too many columns.",
        why="No trainer takes such an example; most often a file of another kind was read, or a quote never closed.",
        bad=Sample(text=_LINES + _DEEP),
        good=_GOOD,
        aliases=("record-too-deep",),
    )


class EmptyInput(Rule):
    card: ClassVar[Card] = Card(
        code="IO115",
        name="empty-input",
        severity="error",
        finds="An input has no record: 0 bytes, blank lines, a header and nothing below it, an empty array.",
        why="There is nothing to train on; an export probably failed.",
        bad=Sample(text="prompt,completion\n", suffix=".csv"),
        good=_GOOD_TABLE,
    )


class Truncated(Rule):
    card: ClassVar[Card] = Card(
        code="IO116",
        name="truncated",
        severity="error",
        finds="A file ends inside a record, a quote or a compressed stream, or a part of it is damaged.",
        why="A copy or download broke off; rows are missing that nobody will miss until it is too late.",
        bad=Sample(text=gzip.compress(_LINES.encode(), mtime=0)[:-12], suffix=".jsonl.gz"),
        good=Sample(text=gzip.compress(_LINES.encode(), mtime=0), suffix=".jsonl.gz"),
    )


class Workbook(Rule):
    card: ClassVar[Card] = Card(
        code="IO117",
        name="workbook",
        severity="warning",
        finds="A workbook holds what is not read: other sheets, hidden rows, formulas without a value, merged cells.",
        why="What a person sees in the workbook is not what is trained on.",
        bad=Sample(text=TWO_SHEETS, suffix=".xlsx"),
        good=Sample(text=ONE_SHEET, suffix=".xlsx"),
    )


class ChangedWhileReading(Rule):
    """No file can show this on its own: it takes a second program that writes while the first one reads."""

    card: ClassVar[Card] = Card(
        code="IO118",
        name="changed-while-reading",
        severity="error",
        finds="Size, time or identity of a file changed while it was read.",
        why="Its beginning and its end may belong to two different versions; read it again when it is complete.",
        bad=_GOOD,
        good=_GOOD,
    )


class NotARow(Rule):
    card: ClassVar[Card] = Card(
        code="IO119",
        name="not-a-row",
        severity="error",
        finds="A record is a list, a text or a number instead of an object with named fields.",
        why="Without names nobody can tell the prompt from the completion.",
        bad=Sample(text=_LINES + '["Mali ->", " Bamako"]\n'),
        good=_GOOD,
        aliases=("data_type",),
    )


class NotThisFormat(Rule):
    card: ClassVar[Card] = Card(
        code="IO120",
        name="not-this-format",
        severity="error",
        finds="A file or line cannot be read as records: several on one line, one over several lines, several lists in "
        "one document, columns of different length; or it is no data at all, such as a web page.",
        why="Where one record ends and the next begins would be a guess.",
        bad=Sample(text=_LINES + '{"prompt": "Mali ->", "completion": " Bamako"} {"prompt": "Togo ->"}\n'),
        good=_GOOD,
    )


class HeaderAdjusted(Rule):
    card: ClassVar[Card] = Card(
        code="IO121",
        name="header-adjusted",
        severity="warning",
        finds="Lines above the header were passed over, or columns without a name were given one.",
        why="If these lines were data, they are not trained on; the message says which they are.",
        bad=Sample(text="Capitals of the world\n\n" + _TABLE, suffix=".csv"),
        good=_GOOD_TABLE,
    )


class CellWithoutValue(Rule):
    card: ClassVar[Card] = Card(
        code="IO122",
        name="cell-without-value",
        severity="error",
        finds="A cell of a workbook holds an error (#N/A) or a formula that was never calculated.",
        why="It reads as empty, although a person sees or means a value. The row is set aside; open the workbook in a "
        "spreadsheet program, mend the formula and save it.",
        bad=Sample(text=FORMULA, suffix=".xlsx"),
        good=Sample(text=ONE_SHEET, suffix=".xlsx"),
    )


class WorkerDied(Rule):
    """No file can show this on its own either: it takes a process that is killed."""

    card: ClassVar[Card] = Card(
        code="IO123",
        name="worker-died",
        severity="error",
        finds="The process that looked at some rows was killed each time it was tried.",
        why="Nearly always memory ran out. What stands in these rows is not known, so the report is not whole.",
        bad=_GOOD,
        good=_GOOD,
    )


RULES: tuple[type[Rule], ...] = (
    NotDecodable,
    ByteOrderMark,
    EncodingGuessed,
    InvalidJson,
    DuplicateKey,
    NotAJsonNumber,
    LoneSurrogate,
    BlankLine,
    CarriageReturn,
    WrongContainer,
    RaggedRow,
    UnclosedQuote,
    Header,
    RecordTooLarge,
    EmptyInput,
    Truncated,
    Workbook,
    ChangedWhileReading,
    NotARow,
    NotThisFormat,
    HeaderAdjusted,
    CellWithoutValue,
    WorkerDied,
)
