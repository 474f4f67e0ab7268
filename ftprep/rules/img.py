"""Rules on pictures: how many, where they are, who shows them, of which type and size. Nothing is fetched."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, ClassVar

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.model import Fault, Row, Severity
from ftprep.rule import Card, DatasetRule, Judgement, RowRule, Rule, Sample
from ftprep.rules.fmt_messages import GOOD
from ftprep.rules.talk import SPEAKING, parts_of, pictures_of, place_words, rich_rows
from ftprep.setting import Setting
from ftprep.shapes.quoting import make_excerpt, quote
from ftprep.targets import Fact

TYPES = ("jpeg", "png", "webp", "gif")
"""What any provider takes; of others none is known to take them."""

_PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
_BMP = "data:image/bmp;base64," + base64.b64encode(b"BM" + bytes(40)).decode()
_HTTP = "https://example.com/cat.png"


def shown(*urls: str, role: str = "user") -> dict[str, Any]:
    """A message with pictures for a sample."""
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": role, "content": [{"type": "text", "text": "Is this a cat?"}, *parts]}


def seen(*messages: dict[str, Any], target: str = "") -> Sample:
    """A sample: two sound conversations, and one of these messages and an answer."""
    record = {"messages": [*messages, {"role": "assistant", "content": "Yes."}]}
    return Sample(text=GOOD + json.dumps(record) + "\n", recipe={"target": target} if target else {})


class _PictureRule(RowRule):
    shapes: ClassVar[tuple[str, ...]] = SPEAKING

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows that are more than bare turns."""
        return rich_rows(batch)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        """The faults of each picture in turn."""
        for pointer, role, url in pictures_of(row.example):
            yield from self.look(pointer, role, url, setting)

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        """The faults of one picture."""
        raise NotImplementedError

    def of_url(self, pointer: str, message: str, url: str) -> Fault:
        """A fault of an address."""
        where = f"{pointer}/image_url/url"
        return self.fault(f"{place_words(pointer)}: {message}", where, make_excerpt(url))

    def known(self, setting: Setting, path: str) -> Fact | None:
        """What the target says, where it is a list or a number."""
        fact = setting.target.get(path) if setting.target else None
        return fact if fact is not None and isinstance(fact.value, (list, tuple, int)) else None


class TooManyImages(_PictureRule):
    fact: ClassVar[str] = "images.max_per_row"
    card: ClassVar[Card] = Card(
        code="IMG101",
        name="too-many-images",
        severity="error",
        finds="An example shows more pictures than the target takes.",
        why="Providers refuse the file, or leave the example out without a word. The limits are far apart: 10 to 64.",
        bad=seen(shown(*(f"https://example.com/{i}.png" for i in range(11))), target="openai"),
        good=seen(shown(_HTTP), target="openai"),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        fact = self.known(setting, self.fact)
        count = sum(1 for _ in pictures_of(row.example))
        if fact is not None and type(fact.value) is int and count > fact.value:
            message = f"{count} pictures; the most of one example is {setting.told(fact)}"
            yield self.fault(message, parts_of(row.example)[0][0])


class ImageUrlInvalid(_PictureRule):
    card: ClassVar[Card] = Card(
        code="IMG102",
        name="image-url-invalid",
        severity="error",
        finds="The address of a picture is neither https with a host nor a data URL: a path, another scheme, empty.",
        why="Nobody can fetch it: the provider refuses the file, or leaves the example out.",
        bad=seen(shown("data/cat.png")),
        good=seen(shown(_HTTP)),
    )

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.pictures import address_fault, source_of

        del role
        source = source_of(url)
        if setting.reads_paths and url.strip() and source in ("", "file"):
            return
        wrong = address_fault(url)
        if not wrong and source in ("s3", "gs") and self.known(setting, "images.sources") is None:
            wrong = f"an address of {source}:// is read by few providers: name the target that reads it, or use https"
        if wrong:
            yield self.of_url(pointer, wrong, url)


class ImageNotInUser(_PictureRule):
    card: ClassVar[Card] = Card(
        code="IMG103",
        name="image-not-in-user",
        severity="error",
        finds="A picture stands in a message that is not the user's.",
        why="Only the user's messages may show pictures; providers refuse the file.",
        bad=seen(shown(_HTTP, role="system"), {"role": "user", "content": "Well?"}),
        good=seen(shown(_HTTP)),
    )

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        fact = self.known(setting, "images.roles")
        roles = ("user",) if fact is None or isinstance(fact.value, int) else fact.value
        if role not in roles:
            where = place_words(pointer.rpartition("/content/")[0])
            yield self.fault(f"{where}: a picture in a message of the role {role}", pointer, make_excerpt(url))


class ImageTypeUnsupported(_PictureRule):
    card: ClassVar[Card] = Card(
        code="IMG104",
        name="image-type-unsupported",
        severity="warning",
        finds="A picture is of a type that the target, or any provider at all, does not take: by the first bytes of a "
        "data URL or, as long as no target is named, by how an address ends.",
        why="Providers refuse the file, or leave the example out without a word.",
        bad=seen(shown(_BMP)),
        good=seen(shown(_PNG, _HTTP)),
    )

    def severity(self, setting: Setting) -> Severity:
        """An error where a source says so."""
        fact = self.known(setting, "images.types")
        return "error" if fact is not None and fact.rejects else "warning"

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.pictures import read_data, source_of, suffix_of

        del role
        fact = self.known(setting, "images.types")
        types = TYPES if fact is None or isinstance(fact.value, int) else tuple(fact.value)
        source, kind, how = source_of(url), "", ""
        if source == "data":
            kind = read_data(url).kind
        elif self.severity(setting) != "error":  # a name is a hint, and no reason to set an example aside
            kind, how = suffix_of(url), ", by its name"
        if kind and kind not in types:
            message = f"the picture is of the type {quote(kind)}{how}, not one of {', '.join(types)}"
            yield self.of_url(pointer, message, url)


class ImageTooLarge(_PictureRule):
    fact: ClassVar[str] = "images.max_bytes"
    card: ClassVar[Card] = Card(
        code="IMG105",
        name="image-too-large",
        severity="error",
        finds="A picture in a data URL has more bytes than the target takes.",
        why="Providers refuse the file, or leave the example out without a word.",
        bad=seen(shown(_PNG), target="openai"),  # as if it went on for 14 million characters
        good=seen(shown(_PNG), target="openai"),
    )

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.pictures import read_data, source_of

        del role
        fact = self.known(setting, self.fact)
        size = read_data(url).size if source_of(url) == "data" else 0
        if fact is not None and type(fact.value) is int and size > fact.value:
            yield self.of_url(pointer, f"a picture of {size:,} bytes; the most is {setting.told(fact)}", url)


class ImageNearlyTooLarge(_PictureRule):
    fact: ClassVar[str] = "images.warn_bytes"
    card: ClassVar[Card] = Card(
        code="IMG109",
        name="image-nearly-too-large",
        severity="warning",
        finds="A picture in a data URL is so large that it is in doubt whether the target takes it.",
        why="Where a source says 10 MB it may mean 10,000,000 bytes or 10,485,760.",
        bad=seen(shown(_PNG), target="openai"),  # as if it went on for 13.5 million characters
        good=seen(shown(_PNG), target="openai"),
    )

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.pictures import read_data, source_of

        del role
        fact, most = self.known(setting, self.fact), self.known(setting, "images.max_bytes")
        size = read_data(url).size if source_of(url) == "data" else 0
        bound = most.value if most is not None and type(most.value) is int else size
        if fact is not None and type(fact.value) is int and fact.value < size <= bound:
            yield self.of_url(pointer, f"a picture of {size:,} bytes; in doubt from {setting.told(fact)} on", url)


class DataUrlBroken(_PictureRule):
    card: ClassVar[Card] = Card(
        code="IMG106",
        name="data-url-broken",
        severity="error",
        finds="A data URL is not in sound base64, is empty, or does not begin like the type that it declares.",
        why="Nobody can see the picture: the provider refuses the file, or leaves the example out.",
        bad=seen(shown(_PNG[:-3])),
        good=seen(shown(_PNG)),
    )

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.pictures import data_fault, source_of

        del role, setting
        if source_of(url) == "data" and (broken := data_fault(url)):
            yield self.of_url(pointer, broken, url)


class ImageSourceRefused(_PictureRule):
    fact: ClassVar[str] = "images.sources"
    card: ClassVar[Card] = Card(
        code="IMG107",
        name="image-source-refused",
        severity="error",
        finds="A picture is where the target does not read it from: at an address instead of inside a data URL, say.",
        why="Providers refuse the file. Together and Fireworks take data URLs alone, Bedrock its own buckets.",
        bad=seen(shown(_HTTP), target="together"),
        good=seen(shown(_PNG), target="together"),
    )

    def look(self, pointer: str, role: str, url: str, setting: Setting) -> Iterator[Fault]:
        from ftprep.rules.pictures import source_of

        del role
        fact = self.known(setting, self.fact)
        source = source_of(url)
        if fact is None or isinstance(fact.value, int) or source not in ("http", "https", "data", "s3", "gs"):
            return  # others are told of by IMG102
        if source not in fact.value and not (source == "https" and "http" in fact.value):
            words = setting.told(Fact(", ".join(map(str, fact.value)), fact.confidence, fact.source, fact.date))
            yield self.of_url(pointer, f"a picture by {source}, where only these are read: {words}", url)


class TooManyRowsWithImages(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = SPEAKING
    fact: ClassVar[str] = "images.max_rows"
    card: ClassVar[Card] = Card(
        code="IMG108",
        name="too-many-rows-with-images",
        severity="error",
        finds="More examples show pictures than the target takes.",
        why="Providers refuse the file.",
        bad=seen(shown(_HTTP), target="openai"),  # and 50,000 more
        good=seen(shown(_HTTP), target="openai"),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        setting, count = dataset.setting, dataset.surveys.chats.acts.pictured
        fact = setting.target.get(self.fact) if setting.target else None
        if fact is not None and type(fact.value) is int and count > fact.value:
            yield Judgement(f"{count:,} examples show pictures; the most is {setting.told(fact)}")


RULES: tuple[type[Rule], ...] = (
    TooManyImages,
    ImageUrlInvalid,
    ImageNotInUser,
    ImageTypeUnsupported,
    ImageTooLarge,
    DataUrlBroken,
    ImageSourceRefused,
    TooManyRowsWithImages,
    ImageNearlyTooLarge,
)
