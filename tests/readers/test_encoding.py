"""Encodings: proved by a mark, said by the user, or UTF-8; else refused with what it may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import UsageError
from ftprep.readers.encoding import KEEP, is_wide, settle, undecodable

CHINESE = "请把下面的句子翻译成英文，今天的天气很好"
WESTERN = "Résumé déjà vu – “naïve”, 5 € größer, façade"
RUSSIAN = "Переведите следующее предложение на английский"
SAMPLES = [
    ("gb18030", CHINESE, "gb18030"),
    ("gbk", CHINESE, "gb18030"),
    ("gb2312", CHINESE, "gb18030"),
    ("big5", "請把下面的句子翻譯成英文，今天的天氣很好", "big5"),
    ("cp932", "次の文を英語に訳してください", "cp932"),
    ("euc_jp", "次の文を英語に訳してください", "euc-jp"),
    ("euc_kr", "다음 문장을 영어로 번역하세요", "cp949"),
    ("cp1252", WESTERN, "cp1252"),
    ("latin-1", "Voilà l'été à la plage, garçon, El niño está aquí", "cp1252"),
    ("cp1250", "Zażółć gęślą jaźń, příliš žluťoučký kůň", "cp1250"),
    ("cp1251", RUSSIAN, "cp1251"),
    ("koi8-r", RUSSIAN, "koi8-r"),
    ("utf-16-le", "quick brown fox", "utf-16-le"),
    ("utf-16-be", "quick brown fox", "utf-16-be"),
    ("utf-16-le", CHINESE, "utf-16-le"),
]


@pytest.mark.parametrize("rows", [1, 30])
@pytest.mark.parametrize(("codec", "text", "best"), SAMPLES)
def test_another_encoding_is_refused_and_named(codec: str, text: str, best: str, rows: int) -> None:
    head = "".join(f'{{"prompt": "{i} {text}"}}\n' for i in range(rows)).encode(codec)
    encoding = settle(head, "a.jsonl")
    assert encoding.refused
    ((line, fault),) = encoding.faults
    assert (line, fault.code) == (1, "IO101")
    assert fault.message.endswith(f"use --encoding {best}")
    assert text[:6] in fault.message or "quick" in fault.message or codec == "utf-16-le"
    assert "\ufffd" not in fault.message


@pytest.mark.parametrize(
    ("codec", "said", "codes"),
    [
        ("utf-8-sig", "utf-8", ["IO102"]),
        ("utf-16", "utf-16-le", ["IO103"]),
        ("utf-32", "utf-32-le", ["IO103"]),
    ],
)
def test_a_byte_order_mark_decides(codec: str, said: str, codes: list[str]) -> None:
    head = f"{CHINESE}\n".encode(codec)
    encoding = settle(head, "a.txt")
    assert (encoding.codec, encoding.refused) == (said, False)
    assert head[encoding.bom :].decode(said) == f"{CHINESE}\n" == encoding.glance(head)
    assert [(line, fault.code, fault.fixable) for line, fault in encoding.faults] == [(1, code, True) for code in codes]


def test_a_mark_decides_against_what_was_asked_and_says_so() -> None:
    encoding = settle(b"\xef\xbb\xbfabc", "a.txt", "gb18030")
    assert encoding.codec == "utf-8"
    assert "although gb18030 was asked for" in encoding.faults[0][1].message
    assert settle("\ufeffabc".encode("utf-16-be"), "a.txt", "utf-16").faults == ()


@pytest.mark.parametrize(
    ("declared", "codec"), [("UTF8", "utf-8"), ("gb2312", "gb2312"), ("latin-1", "iso8859-1"), ("utf-16", "utf-16-le")]
)
def test_what_the_user_says_wins(declared: str, codec: str) -> None:
    text = "plain words\n"
    encoding = settle(text.encode(codec), "a.txt", declared)
    assert (encoding.codec, encoding.refused, encoding.faults) == (codec, False, ())
    assert encoding.glance(text.encode(codec)) == text


def test_what_the_user_says_is_refused_where_it_does_not_fit() -> None:
    encoding = settle((CHINESE + "\n").encode("gb18030") * 10, "a.txt", "utf-8")
    assert encoding.refused
    assert "use --encoding gb18030" in encoding.faults[0][1].message


def test_a_mark_of_the_declared_encoding_is_no_text() -> None:
    head = "\ufeffabc".encode("gb18030")
    encoding = settle(head, "a.txt", "gb18030")
    assert encoding.glance(head) == "abc"


@pytest.mark.parametrize(("name", "near"), [("gb2321", "gb2312"), ("uft-8", "utf-8"), ("qqq", "for example utf-8")])
def test_an_unknown_encoding_is_a_usage_error(name: str, near: str) -> None:
    with pytest.raises(UsageError, match="unknown encoding") as caught:
        settle(b"abc", "a.txt", name)
    assert near in caught.value.hint


@pytest.mark.parametrize("name", ["rot13", "base64", "zlib", "unicode_escape", "idna", "hex", "a\0b"])
def test_codecs_that_are_no_encodings_of_files_are_unknown(name: str) -> None:
    with pytest.raises(UsageError):
        settle(b"abc", "a.txt", name)


@pytest.mark.parametrize("bad", [1, 3])
def test_a_few_damaged_lines_do_not_make_another_encoding(bad: int) -> None:
    lines = [b"plain\n"] * 20
    lines[4 : 4 + bad] = [b"caf\xe9 cr\xe8me br\xfbl\xe9e\n"] * bad
    assert settle(b"".join(lines), "a.txt") == settle(b"plain\n", "a.txt")


def test_damage_in_less_than_half_of_the_lines_beyond_ascii_is_damage() -> None:
    good, bad = f"{CHINESE}\n".encode(), b"\xff\xfe\xfd damaged \xe9\xe8\xe7\n"
    assert not settle(b"a\n" + good * 11 + bad * 10, "a.txt").refused
    assert settle(b"a\n" + good * 9 + bad * 10, "a.txt").refused


@given(st.text(st.characters(codec="utf-8", min_codepoint=0x80), min_size=4, max_size=30), st.integers(1, 3))
def test_utf8_cut_inside_a_character_is_utf8(text: str, cut: int) -> None:
    head = text.encode()[:-cut] if cut < len(text.encode()) else b""
    assert not settle(b"ab\n" + head, "a.txt").refused


def test_the_place_of_the_first_bad_byte_is_named() -> None:
    head = b"\xef\xbb\xbfabc\n" + f"x {CHINESE}\n".encode("gb18030") * 9
    line, fault = settle(head, "a.txt").faults[-1]
    assert (line, fault.column) == (2, 3)
    assert f"byte 0x{head[9]:02X} at byte offset 9 (line 2)" in fault.message


def test_bytes_of_no_encoding_are_said_to_be_damaged() -> None:
    head = bytes(range(0x80, 0x100)) * 4 + b"\n"
    message = settle(head * 9, "a.txt", "ascii").faults[0][1].message
    assert "ascii" in message


@pytest.mark.parametrize(
    ("line", "column", "byte", "offset"),
    [
        (b'{"a":"caf\xe9 x"}', 10, "e9", 9),
        ("ä".encode() + b"\xed\xa0\x80", 2, "ed", 2),
        (b"abc\xc3", 4, "c3", 3),
    ],
)
def test_the_fault_of_one_line(line: bytes, column: int, byte: str, offset: int) -> None:
    fault = undecodable(line)
    assert (fault.code, fault.column) == ("IO101", column)
    assert fault.message == f"byte 0x{byte.upper()} at byte offset {offset} of the record is not UTF-8"
    assert f"\\x{byte}" in fault.excerpt


def test_what_is_kept_of_undecodable_bytes_is_never_utf8() -> None:
    kept = b"a\x81\xffb".decode("gb18030", KEEP).encode("utf-8", "surrogateescape")
    with pytest.raises(UnicodeDecodeError):
        kept.decode("utf-8")
    assert undecodable(kept, "gb18030").message == "bytes that are not gb18030 at column 2"


@pytest.mark.parametrize(
    ("head", "wide"), [("abc".encode("utf-16-le"), True), (b"\xff\xfe1", True), (b"a\0b", False), (b"\0" * 9, False)]
)
def test_wide_text_is_told_from_binary(head: bytes, wide: bool) -> None:
    assert is_wide(head) is wide
