"""Rules on characters in texts: control, replacement, invisible and direction characters, mojibake."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import ClassVar

from ftprep.batch import Batch
from ftprep.characters import MISREAD
from ftprep.later import later
from ftprep.model import Row
from ftprep.rule import Card, Rule, Sample
from ftprep.rules import mojibake, txt_words
from ftprep.rules.sweep import Found, OddRule, TextRule, around, times

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HIGH = re.compile("[\x80-\x9f]")
_C1 = frozenset(map(chr, range(0x80, 0xA0)))


def pair(prompt: str, completion: str) -> Sample:
    """A set of one pair."""
    return Sample(text=json.dumps({"prompt": prompt, "completion": completion}, ensure_ascii=True) + "\n")


def named(characters: Iterable[str]) -> str:
    """Characters by their numbers, the commonest first, four at most."""
    kinds = Counter(characters)
    told = ", ".join(f"U+{ord(c):04X}" for c, _ in kinds.most_common(4))
    return told + (f" and {len(kinds) - 4} more" if len(kinds) > 4 else "")


class ControlCharacters(TextRule):
    card: ClassVar[Card] = Card(
        code="TXT101",
        name="control-characters",
        severity="warning",
        finds="A text holds control characters: C0 other than tab and line ends, DEL, or C1.",
        why="They come from terminals, broken exports or wrong encodings. The model learns to write them, and they "
        "break readers further on.",
        bad=pair("Peru ->", " Li\x1bma END"),
        good=pair("Peru ->", " Li\tma\r\n END"),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that holds one."""
        if batch.has_controls:
            return self.guilty(batch, (number for number, text in enumerate(batch.texts) if _CONTROL.search(text)))
        return self.guilty(batch, batch.parts[1].matching(_HIGH)) if batch.odd & _C1 else []

    def look(self, text: str) -> Iterator[Found]:
        misread = {at for start, end, _ in mojibake.runs(text) for at in range(start, end)}  # TXT102 tells of those
        found = [m for m in _CONTROL.finditer(text) if m.start() not in misread]
        if found:
            kinds = named(m[0] for m in found)
            message = f"the text holds {times(len(found), 'control character')}: {kinds}"
            yield Found(message, around(text, found[0].start(), found[0].end()))


class Mojibake(TextRule):
    card: ClassVar[Card] = Card(
        code="TXT102",
        name="mojibake",
        severity="warning",
        finds="A text holds UTF-8 that was read in another encoding: `cafÃ©`, `donâ€™t`. Read back, it makes sense.",
        why="The model learns to write it so. Whatever wrote the file read its source in the wrong encoding.",
        bad=pair("Where? ->", " in a caf\u00c3\u00a9, don\u00e2\u20ac\u2122t ask END"),
        good=pair("Where? ->", " in a café; N\u00c3O PODE, S\u00c3O PAULO, \u00c2ngela END"),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that may hold some."""
        return self.guilty(batch, batch.parts[1].matching(mojibake.MAYBE)) if batch.texts.kinds & MISREAD else []

    def look(self, text: str) -> Iterator[Found]:
        found = list(mojibake.runs(text))
        if found:
            start, end, meant = found[0]
            many = f", {times(len(found), 'place')}" if len(found) > 1 else ""
            message = f"the text was read in a wrong encoding: {text[start:end][:20]!r} is {meant[:20]!r}{many}"
            yield Found(message, around(text, start, end))


class ReplacementCharacter(OddRule):
    odd: ClassVar[frozenset[str]] = frozenset("\ufffd")
    card: ClassVar[Card] = Card(
        code="TXT103",
        name="replacement-character",
        severity="warning",
        finds="A text holds U+FFFD, which stands where a character could not be read.",
        why="What stood there is lost, and the model learns to write it. Get the text from its source again.",
        bad=pair("Where? ->", " in a caf\ufffd END"),
        good=pair("Where? ->", " in a café END"),
    )

    def look(self, text: str) -> Iterator[Found]:
        count = text.count("\ufffd")
        if count:
            at = text.index("\ufffd")
            message = f"{times(count, 'character was', 'characters were')} lost before: the text holds U+FFFD"
            yield Found(message, around(text, at, at + 1))


# Scripts that need joiners or breaks that are not seen: Arabic, Syriac, N'Ko, those of India, Thai, Lao, Tibetan,
# Burmese, Khmer, Mongolian, Tai, Balinese, Javanese and others of South-East Asia.
_JOINING = (
    "\u0600-\u08ff\u0900-\u109f\u1780-\u18af\u1900-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U00011fff"
)
_RIGHT_TO_LEFT = later("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_EMOJI = "\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff"
_NEEDED = later(
    f"(?<=[{_JOINING}])[\u200b-\u200d]|[\u200b-\u200d](?=[{_JOINING}])"
    f"|(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])"
    "|(?<=[\u1800-\u18af])\u180e|\u180e(?=[\u1800-\u18af])"
    "|[\u115f\u1160](?=[\u1100-\u11ff])|(?<=[\u1100-\u11ff])[\u115f\u1160]"
    "|(?<=\U0001f3f4)[\U000e0020-\U000e007e]{1,7}\U000e007f"
    "|(?<![\U000e0100-\U000e01ef])[\U000e0100-\U000e01ef](?![\U000e0100-\U000e01ef])"
)
_HIDDEN = (
    "\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\U000e0000-\U000e01ef"
)
_INVISIBLE = re.compile(f"[{_HIDDEN}]+")
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f]")


class InvisibleCharacters(OddRule):
    card: ClassVar[Card] = Card(
        code="TXT104",
        name="invisible-characters",
        severity="warning",
        finds="A text holds characters that are not seen (zero-width, soft hyphens, tags, a byte-order mark) where its "
        "script does not need them.",
        why="Words with them are other tokens than the words one sees. They come from web pages and word processors, "
        "or hide instructions or a watermark.",
        bad=pair("Peru ->", " Li\u200bma END"),
        good=pair("Peru ->", " می\u200cخواهم 👩\u200d🚀 END"),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that holds one."""
        if not any(map(_INVISIBLE.match, batch.odd)):
            return []
        return self.guilty(batch, batch.parts[1].matching(_INVISIBLE))

    def look(self, text: str) -> Iterator[Found]:
        if text.isascii() or not _INVISIBLE.search(text):
            return
        needed = {place for m in _NEEDED.finditer(text) for place in range(m.start(), m.end())}
        if _RIGHT_TO_LEFT.search(text):
            needed |= {m.start() for m in _DIRECTION_MARKS.finditer(text)}
        hidden = [at for m in _INVISIBLE.finditer(text) for at in range(m.start(), m.end()) if at not in needed]
        if hidden:
            kinds = named(text[at] for at in hidden)
            message = f"the text holds {times(len(hidden), 'character')} that cannot be seen: {kinds}"
            yield Found(message, around(text, hidden[0], hidden[0] + 1))


_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OPENS, _CLOSES = (
    "\u202a\u202b\u202d\u202e\u2066\u2067\u2068",
    {"\u202c": "\u202a\u202b\u202d\u202e", "\u2069": "\u2066\u2067\u2068"},
)


def _is_balanced(controls: list[str]) -> bool:
    stack: list[str] = []
    for control in controls:
        if control in _OPENS:
            stack.append(control)
        elif not stack or stack.pop() not in _CLOSES[control]:
            return False
    return not stack


class BidiOverride(OddRule):
    odd: ClassVar[frozenset[str]] = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    card: ClassVar[Card] = Card(
        code="TXT105",
        name="bidi-override",
        severity="warning",
        finds="A text holds characters that turn its direction: overrides, or embeddings and isolates that are not "
        "closed or stand in a text without letters that run from right to left.",
        why="The text that one reads is not the text that the model learns (CVE-2021-42574, Trojan Source).",
        bad=pair("Peru ->", " Li\u202eam\u202c END"),
        good=pair("Peru ->", " \u202bלימה\u202c END"),
    )

    def look(self, text: str) -> Iterator[Found]:
        if text.isascii():
            return
        found = list(_BIDI.finditer(text))
        controls = [m[0] for m in found]
        if not found:
            return
        turns = "\u202d" in controls or "\u202e" in controls
        if turns or not _is_balanced(controls) or not _RIGHT_TO_LEFT.search(text):
            message = f"the text holds {times(len(found), 'character')} that turn its direction: {named(controls)}"
            yield Found(message, around(text, found[0].start(), found[0].end()))


RULES: tuple[type[Rule], ...] = (
    ControlCharacters,
    Mojibake,
    ReplacementCharacter,
    InvisibleCharacters,
    BidiOverride,
    *txt_words.RULES,
)
