"""Rules on reading: the cards of what readers find in bytes, lines, headers and workbooks, and raise as faults."""

from __future__ import annotations

import base64
import codecs
import gzip
from typing import ClassVar

from ftprep.rule import Card, Rule, Sample

_LINES = '{"prompt": "Peru ->", "completion": " Lima"}\n{"prompt": "Chad ->", "completion": " Ndjamena"}\n'
_TABLE = "prompt,completion\nPeru ->, Lima\nChad ->, Ndjamena\n"
_GOOD = Sample(text=_LINES)
_GOOD_TABLE = Sample(text=_TABLE, suffix=".csv")
_DEEP = '{"prompt": "Mali ->", "completion": " Bamako", "notes": ' + "[" * 70 + "]" * 70 + "}\n"

# Workbooks of two rows: with one sheet, Data, and with a second one, Old.
_ONE_SHEET = base64.b64decode(
    "UEsDBBQAAAAIAAAAIQAibSaJ1QAAAOcBAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbK2RsVLDMAyGXyXntVerdGDgmi7AShl4AeEojS+25bPUEt4e"
    "J5SFK52YbOv/f33Seff2mUmaKYYkrRlU8wOAuIEiiuVMqSo9l4han+UIGd2IR4LtZnMPjpNS0rXOPcx+90Q9noI2z1Mti+fUmkJBTPP4bZxZrcGc"
    "g3eoVYdz6n5R1heCrcnFI4PPsqoGA1cJs/I34JI7nKkU31HzikVfMFYXTAE+uIzvzKO93eTKlNz33lHH7hRrxEouhJ0MRBqDXU4b0afVbb7c/TN5"
    "Xmi5/4Bh+d/9F1BLAwQUAAAACAAAACEA/luGcooAAADwAAAACwAAAF9yZWxzLy5yZWxzjc8xDsIwDAXQq1Q+QF0YGFDaiaUr4gImddqqTRw5QZTb"
    "k7EgBkbrf70vmyuvlGcJaZpjqja/htTClHM8IyY7sadUS+RQEifqKZdTR4xkFxoZj01zQt0b0Jm9WfVDC9oPB6hur8j/2OLcbPki9uE55B8TX40i"
    "k46cW9hWfIoud5GlLihgZ/Djwe4NUEsDBBQAAAAIAAAAIQB189QdjwAAAOIAAAAPAAAAeGwvd29ya2Jvb2sueG1sjY8xDoMwDEWvEvkANXTogICJ"
    "pcdwwTQRJI7sVO3xi6Dsnez/v/y+3L5Fl4fI4j5xTdaBLyU3iDZ6jmQXyZy2ZBaNVDapT7SsTJN55hJXvFbVDSOFBAeh0X8YMs9h5EHGV+RUDojy"
    "SiVIMh+yQd/uDfabLlHkDgYqBG537lMHNThtwrbofaoB+xbPIzz/6r9QSwMEFAAAAAgAAAAhABZLMqmHAAAA4gAAABoAAAB4bC9fcmVscy93b3Jr"
    "Ym9vay54bWwucmVsc43POw7CMBAE0KtEPkA2oaBAtiuatIgLWM76o8QfeRcBt8dlkCgoRyO90cgb7oZjyRRipeGV9kxKBOZ6ASAbMBkaS8XcG1da"
    "Mtxj81CN3YxHOE3TGdrREFoezWFZlWjLOovh/q74j12cixavxT4SZv4xAc/SNgqI3FHTPLISNI+dEaAlfF3SH1BLAwQUAAAACAAAACEAmpSBVscA"
    "AADdAQAACQAAAHhsL3MxLnhtbH2R24oCMQyGX6X0Yu/W6AheuJ3CHi5FBJ8gzGSd6vRAmkUf3yoy7ILdu+QPXz5IzDnyKQ9Eoi5+DLnVg0haA+Ru"
    "II95FhOFMvmO7FFKywfIiQn7O+RHaObzFXh0QVtzz75Q0BqOZ8WtXpS0uxXvC62k1S6MLtBeuOQuWyM2cfRJDIg1cEugexAfNaIrwEjiYvhLQXFO"
    "4mYSN5U1O+If9fpykLdn8hqlNs7jP97l5F1WNnwO2Ne9NUpt+yN6Ck/d8OvwMH3UXgFQSwECFAMUAAAACAAAACEAIm0midUAAADnAQAAEwAAAAAA"
    "AAAAAAAAgAEAAAAAW0NvbnRlbnRfVHlwZXNdLnhtbFBLAQIUAxQAAAAIAAAAIQD+W4ZyigAAAPAAAAALAAAAAAAAAAAAAACAAQYBAABfcmVscy8u"
    "cmVsc1BLAQIUAxQAAAAIAAAAIQB189QdjwAAAOIAAAAPAAAAAAAAAAAAAACAAbkBAAB4bC93b3JrYm9vay54bWxQSwECFAMUAAAACAAAACEAFksy"
    "qYcAAADiAAAAGgAAAAAAAAAAAAAAgAF1AgAAeGwvX3JlbHMvd29ya2Jvb2sueG1sLnJlbHNQSwECFAMUAAAACAAAACEAmpSBVscAAADdAQAACQAA"
    "AAAAAAAAAAAAgAE0AwAAeGwvczEueG1sUEsFBgAAAAAFAAUANgEAACIEAAAAAA=="
)
_TWO_SHEETS = base64.b64decode(
    "UEsDBBQAAAAIAAAAIQDergDG2gAAAGACAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbLWSsVLDMAyGXyXntVerdGDgmi7ACgy8gHCUxhfb8llqCW+P"
    "EzpxpSww2db///qkO+9ePzJJM8WQpDWDar4DEDdQRLGcKVWl5xJR67McIKMb8UCw3WxuwXFSSrrWuYfZ7x6ox2PQ5nGqZfGcWlMoiGnuv4wzqzWY"
    "c/AOtepwSt03yvpMsDW5eGTwWVbVYOAiYVZ+BpxzzycqxXfUvGDRJ4zVBVOAdy7jG/Norze5MCX3vXfUsTvGGrGSC2EnA5HGYJfTRvRpdZ0vN39M"
    "nhda7r+Bt/8NhuVj7T8BUEsDBBQAAAAIAAAAIQD+W4ZyigAAAPAAAAALAAAAX3JlbHMvLnJlbHONzzEOwjAMBdCrVD5AXRgYUNqJpSviAiZ12qpN"
    "HDlBlNuTsSAGRut/vS+bK6+UZwlpmmOqNr+G1MKUczwjJjuxp1RL5FASJ+opl1NHjGQXGhmPTXNC3RvQmb1Z9UML2g8HqG6vyP/Y4txs+SL24Tnk"
    "HxNfjSKTjpxb2FZ8ii53kaUuKGBn8OPB7g1QSwMEFAAAAAgAAAAhANO5evScAAAADQEAAA8AAAB4bC93b3JrYm9vay54bWyNkE0OgkAMRq8y6QEs"
    "sHBBgBUbVp6hMkUmzF+mY/T4okiCO1dtv768Jm0eIS3XEBb1dNZLC3POsUaUcWZHcgqR/bqZQnKU1zHdUGJi0jIzZ2exKoozOjIeNkOd/nGEaTIj"
    "92G8O/Z5kyS2lE3wMpso0DWfC/KtypPjFnrKBOqTDLqFElSqzdqkQZeAv+zF6gNaHdDqjeLux/0F3QtQSwMEFAAAAAgAAAAhAHpsyTORAAAAYAEA"
    "ABoAAAB4bC9fcmVscy93b3JrYm9vay54bWwucmVsc7XQPQrDMAyG4asEHyBKMnQoSaYuWUsvYBzZDol/kFTa3r5eCilk6NJRfPC8oP6Km5YlRfZL"
    "5uoZtsiD8iL5DMDGY9Bcp4yxLDZR0FJOcpC1WbVD6JrmBLQ31NjvzWqaB0XT3Krq9sr4i52sXQxekrkHjHKQgEeilT2iFFSTQxkUt3VhFBzXu3/X"
    "u08dvh46vgFQSwMEFAAAAAgAAAAhAJqUgVbHAAAA3QEAAAkAAAB4bC9zMS54bWx9kduKAjEMhl+l9GLv1ugIXridwh4uRQSfIMxkner0QJpFH98q"
    "MuyC3bvkD18+SMw58ikPRKIufgy51YNIWgPkbiCPeRYThTL5juxRSssHyIkJ+zvkR2jm8xV4dEFbc8++UNAajmfFrV6UtLsV7wutpNUujC7QXrjk"
    "LlsjNnH0SQyINXBLoHsQHzWiK8BI4mL4S0FxTuJmEjeVNTviH/X6cpC3Z/IapTbO4z/e5eRdVjZ8DtjXvTVKbfsjegpP3fDr8DB91F4BUEsDBBQA"
    "AAAIAAAAIQDtBmS3rgAAAGEBAAAJAAAAeGwvczIueG1sdZDPCsIwDIdfpfTgTeN28KBdQfHoQfAJSq1bsf9II/Px7YYMhe2W/MKXj0T0EZ+5M4bY"
    "27uQG94RpT1A1p3xKm9iMqFMHhG9otJiCzmhUfcR8g7q7XYHXtnApRizsyIlBcaeYcOrkuqhOFacUcNtcDaYG2HJbZaCZMLoEwkgKWBIQH+J0xKh"
    "C+AM2Rj+KSjOSVxP4nphzdXgi61XLR3m5EsUu1iv5rzwczxMX5UfUEsBAhQDFAAAAAgAAAAhAN6uAMbaAAAAYAIAABMAAAAAAAAAAAAAAIABAAAA"
    "AFtDb250ZW50X1R5cGVzXS54bWxQSwECFAMUAAAACAAAACEA/luGcooAAADwAAAACwAAAAAAAAAAAAAAgAELAQAAX3JlbHMvLnJlbHNQSwECFAMU"
    "AAAACAAAACEA07l69JwAAAANAQAADwAAAAAAAAAAAAAAgAG+AQAAeGwvd29ya2Jvb2sueG1sUEsBAhQDFAAAAAgAAAAhAHpsyTORAAAAYAEAABoA"
    "AAAAAAAAAAAAAIABhwIAAHhsL19yZWxzL3dvcmtib29rLnhtbC5yZWxzUEsBAhQDFAAAAAgAAAAhAJqUgVbHAAAA3QEAAAkAAAAAAAAAAAAAAIAB"
    "UAMAAHhsL3MxLnhtbFBLAQIUAxQAAAAIAAAAIQDtBmS3rgAAAGEBAAAJAAAAAAAAAAAAAACAAT4EAAB4bC9zMi54bWxQSwUGAAAAAAYABgBtAQAA"
    "EwUAAAAA"
)
# The same with one sheet whose last cell is a formula that was never calculated.
_FORMULA = base64.b64decode(
    "UEsDBBQAAAAIAAAAIQAibSaJ1QAAAOcBAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbK2RsVLDMAyGXyXntVerdGDgmi7AShl4AeEojS+25bPUEt4e"
    "J5SFK52YbOv/f33Seff2mUmaKYYkrRlU8wOAuIEiiuVMqSo9l4han+UIGd2IR4LtZnMPjpNS0rXOPcx+90Q9noI2z1Mti+fUmkJBTPP4bZxZrcGc"
    "g3eoVYdz6n5R1heCrcnFI4PPsqoGA1cJs/I34JI7nKkU31HzikVfMFYXTAE+uIzvzKO93eTKlNz33lHH7hRrxEouhJ0MRBqDXU4b0afVbb7c/TN5"
    "Xmi5/4Bh+d/9F1BLAwQUAAAACAAAACEA/luGcooAAADwAAAACwAAAF9yZWxzLy5yZWxzjc8xDsIwDAXQq1Q+QF0YGFDaiaUr4gImddqqTRw5QZTb"
    "k7EgBkbrf70vmyuvlGcJaZpjqja/htTClHM8IyY7sadUS+RQEifqKZdTR4xkFxoZj01zQt0b0Jm9WfVDC9oPB6hur8j/2OLcbPki9uE55B8TX40i"
    "k46cW9hWfIoud5GlLihgZ/Djwe4NUEsDBBQAAAAIAAAAIQB189QdjwAAAOIAAAAPAAAAeGwvd29ya2Jvb2sueG1sjY8xDoMwDEWvEvkANXTogICJ"
    "pcdwwTQRJI7sVO3xi6Dsnez/v/y+3L5Fl4fI4j5xTdaBLyU3iDZ6jmQXyZy2ZBaNVDapT7SsTJN55hJXvFbVDSOFBAeh0X8YMs9h5EHGV+RUDojy"
    "SiVIMh+yQd/uDfabLlHkDgYqBG537lMHNThtwrbofaoB+xbPIzz/6r9QSwMEFAAAAAgAAAAhABZLMqmHAAAA4gAAABoAAAB4bC9fcmVscy93b3Jr"
    "Ym9vay54bWwucmVsc43POw7CMBAE0KtEPkA2oaBAtiuatIgLWM76o8QfeRcBt8dlkCgoRyO90cgb7oZjyRRipeGV9kxKBOZ6ASAbMBkaS8XcG1da"
    "Mtxj81CN3YxHOE3TGdrREFoezWFZlWjLOovh/q74j12cixavxT4SZv4xAc/SNgqI3FHTPLISNI+dEaAlfF3SH1BLAwQUAAAACAAAACEA9VJNDssA"
    "AADIAQAACQAAAHhsL3MxLnhtbH2RzaoCMQxGX6V04e4anQEX2imod3kXgk8Qxo5TnP6Q5qKPb0dkULDuki+cHEjUNdAl9cawuLnBp0b2zHENkNre"
    "OEzzEI3Pky6QQ84tnSFFMnh6QG6AarFYgUPrpVaP7BcZtaJwFdTIZU7bsdgupeBGWj9Yb45MObdJK9aRgousgLWCMYH2SexKRJuBwbAN/p2C7JzE"
    "1SSuCmsOhv7Fz+zMm0/yEiX+rMMv3nry1oUN+x5PZe/Id3pbz9DFjRQ3qaB71cDLjWF6nr4DUEsBAhQDFAAAAAgAAAAhACJtJonVAAAA5wEAABMA"
    "AAAAAAAAAAAAAIABAAAAAFtDb250ZW50X1R5cGVzXS54bWxQSwECFAMUAAAACAAAACEA/luGcooAAADwAAAACwAAAAAAAAAAAAAAgAEGAQAAX3Jl"
    "bHMvLnJlbHNQSwECFAMUAAAACAAAACEAdfPUHY8AAADiAAAADwAAAAAAAAAAAAAAgAG5AQAAeGwvd29ya2Jvb2sueG1sUEsBAhQDFAAAAAgAAAAh"
    "ABZLMqmHAAAA4gAAABoAAAAAAAAAAAAAAIABdQIAAHhsL19yZWxzL3dvcmtib29rLnhtbC5yZWxzUEsBAhQDFAAAAAgAAAAhAPVSTQ7LAAAAyAEA"
    "AAkAAAAAAAAAAAAAAIABNAMAAHhsL3MxLnhtbFBLBQYAAAAABQAFADYBAAAmBAAAAAA="
)


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
        finds="A file ends inside a record, a quote or a compressed stream.",
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
        bad=Sample(text=_TWO_SHEETS, suffix=".xlsx"),
        good=Sample(text=_ONE_SHEET, suffix=".xlsx"),
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
        bad=Sample(text=_FORMULA, suffix=".xlsx"),
        good=Sample(text=_ONE_SHEET, suffix=".xlsx"),
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
)
