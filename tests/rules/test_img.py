"""IMG rules: addresses, data URLs, types, sizes, places and numbers of pictures, without fetching any."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep
from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.model import Chat, Chunk, Fault, Message, Place, Preference, Row
from ftprep.rule import RowRule
from ftprep.rules import img
from ftprep.rules.img import TooManyRowsWithImages
from ftprep.rules.pictures import address_fault, data_fault, read_data
from ftprep.rules.talk import rich_rows
from ftprep.setting import Setting
from ftprep.surveys import Surveys
from ftprep.targets import Fact, Target

ROW_RULES: tuple[RowRule, ...] = tuple(kind() for kind in img.RULES if issubclass(kind, RowRule))
HTTP = "https://example.com/cat.png"
MAGIC = {
    "jpeg": b"\xff\xd8\xff\xe0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "bmp": b"BM",
    "tiff": b"II*\0",
    "svg+xml": b"<svg xmlns='http://www.w3.org/2000/svg'>",
}


def data(kind: str, body: bytes | None = None, size: int = 40) -> str:
    whole = (MAGIC[kind] + bytes(size))[:size] if body is None else body
    return f"data:image/{kind};base64,{base64.b64encode(whole).decode()}"


def shown(*urls: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [{"type": "image_url", "image_url": {"url": url}} for url in urls]}


def chat(*messages: dict[str, Any]) -> Chat:
    reply: dict[str, Any] = {"role": "assistant", "content": "Yes."}
    return msgspec.convert({"messages": [*messages, reply]}, Chat)


def target(**facts: Any) -> Setting:
    known = {path.replace("__", "."): Fact(value) for path, value in facts.items()}
    return Setting(target=Target("test", "Test", "supervised", facts=known))


def found(example: Any, setting: Setting | None = None) -> list[Fault]:
    settled = setting or Setting()
    rules = [rule for rule in ROW_RULES if not rule.ready(settled)]
    batch = Batch([Row(0, 1, example=example)])
    return [f for rule in rules for row in rule.suspects(batch) for f in rule.check(row, settled)]


def told(url: str, setting: Setting | None = None) -> list[str]:
    return [f.code for f in found(chat(shown(url)), setting)]


@pytest.mark.parametrize("url", [HTTP, "http://example.com:8080/a?b=c#d", *map(data, ("jpeg", "png", "gif", "webp"))])
def test_sound_pictures_have_no_fault(url: str) -> None:
    assert told(url) == []


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("", ["IMG102"]),
        ("  ", ["IMG102"]),
        ("data/cat.jpg", ["IMG102"]),
        ("/home/ann/cat.jpg", ["IMG102"]),
        (r"C:\cats\cat.jpg", ["IMG102"]),
        ("file:///cat.jpg", ["IMG102"]),
        ("ftp://example.com/cat.jpg", ["IMG102"]),
        ("https:///cat.jpg", ["IMG102"]),
        ("https:example.com/cat.jpg", ["IMG102"]),
        ("https://exa mple.com/cat.jpg", ["IMG102"]),
        ("https://[::1/cat.jpg", ["IMG102"]),
        ("https://example.com:port/cat.jpg", ["IMG102"]),
        (f" {HTTP}", ["IMG102"]),
        ("s3://bucket/cat.jpg", ["IMG102"]),
        ("gs://bucket/cat.jpg", ["IMG102"]),
        ("https://example.com/cat.bmp", ["IMG104"]),
        ("https://example.com/cat.TIF?size=1", ["IMG104"]),
        (data("bmp"), ["IMG104"]),
        (data("svg+xml"), ["IMG104"]),
        ("data:text/plain;base64,aGVsbG8=", ["IMG104"]),
        ("data:image/png;base64,", ["IMG106"]),
        ("data:image/png", ["IMG106"]),
        ("data:image/png,hello", ["IMG106"]),
        (data("png")[:-2], ["IMG106"]),
        (data("png").replace("A", "-", 1), ["IMG106"]),
        (data("png")[:60] + "\n" + data("png")[60:], ["IMG106"]),
        (data("png") + "====", ["IMG106"]),
        (data("png", MAGIC["jpeg"] + bytes(40)), ["IMG106"]),
        (data("png", b"hello, there"), ["IMG106"]),
        (f"data:;base64,{data('png').partition(',')[2]}", ["IMG106"]),
        (data("png", MAGIC["bmp"] + bytes(40)), ["IMG104", "IMG106"]),
    ],
)
def test_each_fault_is_found_once(url: str, codes: list[str]) -> None:
    assert told(url) == codes


@pytest.mark.parametrize("kind", sorted(MAGIC))
def test_the_first_bytes_tell_the_type(kind: str) -> None:
    assert read_data(data(kind, size=100)).shown == kind.removesuffix("+xml")


@given(st.binary(min_size=1, max_size=200))
def test_the_size_is_that_of_the_decoded_bytes(body: bytes) -> None:
    url = data("png", body)
    assert read_data(url).size == len(body)
    assert "base64" not in data_fault(url)


@given(st.text(max_size=40).map(lambda t: "data:" + t) | st.text(max_size=40) | st.text(max_size=20).map(HTTP.__add__))
def test_any_address_is_looked_at(url: str) -> None:
    address_fault(url)
    for fault in found(chat(shown(url)), target(images__types=["png"], images__sources=["data"], images__max_bytes=9)):
        (fault.message + fault.excerpt).encode()


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_only_the_user_shows_pictures(role: str) -> None:
    (fault,) = found(chat(shown(HTTP, role=role)))
    assert (fault.code, fault.pointer) == ("IMG103", "/messages/0/content/0")
    tool = {**shown(HTTP, role="tool"), "tool_call_id": "call_1"}
    assert [f.code for f in found(chat(tool))] == ["IMG103"]
    assert found(chat(shown(HTTP, role=role)), target(images__roles=["user", role])) == []


def test_a_target_says_where_pictures_are_read_from() -> None:
    assert told(HTTP, target(images__sources=["data"])) == ["IMG107"]
    assert told(data("png"), target(images__sources=["s3"])) == ["IMG107"]
    assert told("s3://bucket/cat.png", target(images__sources=["s3"])) == []
    assert told("s3://bucket/cat.png", target(images__sources=["http"])) == ["IMG107"]
    assert told("s3:///cat.png", target(images__sources=["s3"])) == ["IMG102"]
    assert told(HTTP, target(images__sources=["http", "data"])) == []
    assert told("cat.png", target(images__sources=["data"])) == ["IMG102"]


def test_a_target_says_which_types_it_takes() -> None:
    setting = target(images__types=["png"])
    assert told(data("gif"), setting) == ["IMG104"]
    assert told(data("png"), setting) == []
    assert told("https://example.com/cat.gif", setting) == []  # a name is no reason for an error
    assert img.ImageTypeUnsupported().severity(setting) == "error"
    assert img.ImageTypeUnsupported().severity(Setting()) == "warning"


def test_sizes_are_held_to_the_target() -> None:
    setting = target(images__max_bytes=1000, images__warn_bytes=900)
    assert [told(data("png", size=n), setting) for n in (900, 901, 1000, 1001)] == [
        [],
        ["IMG109"],
        ["IMG109"],
        ["IMG105"],
    ]
    assert told(data("png", size=5000)) == []


def test_pictures_are_counted_over_all_messages() -> None:
    setting = target(images__max_per_row=2)
    assert found(chat(shown(HTTP, HTTP)), setting) == []
    (fault,) = found(chat(shown(HTTP, HTTP), shown(HTTP)), setting)
    assert (fault.code, fault.pointer) == ("IMG101", "/messages")
    question = Chat(msgspec.convert([shown(HTTP, HTTP, HTTP)], list[Message]))
    (fault,) = found(Preference(question, [Message("assistant", "A")], [Message("assistant", "B")]), setting)
    assert fault.pointer == "/input/messages"


def judged(rows: list[Row], setting: Setting) -> list[str]:
    surveys = Surveys(setting)
    surveys.see(Chunk(0, 0, 1, b""), Batch(rows), setting)
    dataset = Dataset(surveys, setting, lambda n: Place("set", n + 1))
    return [j.message for j in TooManyRowsWithImages().judge(dataset)]


def test_rows_with_pictures_are_counted() -> None:
    pictured, plain = chat(shown(HTTP, HTTP)), msgspec.convert({"messages": [{"role": "user", "content": "Hi"}]}, Chat)
    rows = [Row(i, i + 1, example=pictured if i % 2 else plain, index=i) for i in range(6)]
    assert judged(rows, target(images__max_rows=3)) == []
    assert judged(rows, target(images__max_rows=2)) == ["3 examples show pictures; the most is 2 (test)"]


def test_rows_without_pictures_are_passed_over() -> None:
    plain = msgspec.convert({"messages": [{"role": "user", "content": "Hi"}]}, Chat)
    assert rich_rows(Batch([Row(0, 1, example=plain)])) == []


def test_a_picture_of_ten_million_bytes_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    url, decode = data("png", size=10_000_000), base64.b64decode

    def little(text: str) -> bytes:
        assert len(text) <= 64
        return decode(text)

    monkeypatch.setattr(base64, "b64decode", little)
    assert told(url, target(images__max_bytes=9_999_999)) == ["IMG105"]


def test_the_way_of_a_run() -> None:
    record = {"messages": [shown("cat.jpg", HTTP), {"role": "assistant", "content": "Yes."}]}
    report = ftprep.check([record])
    assert [(f.code, f.json_pointer) for f in report.findings if f.code.startswith("IMG")] == [
        ("IMG102", "/messages/0/content/0/image_url/url")
    ]
