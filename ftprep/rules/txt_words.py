"""Rules on wording: leftovers of HTML, placeholders, refusals, answers that repeat themselves or the prompt."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter
from typing import ClassVar

from ftprep.batch import Batch
from ftprep.later import later
from ftprep.model import Example, Fault, Pair, Preference, Row, Stepwise, Unpaired
from ftprep.rule import Card, RowRule, Rule, Sample
from ftprep.rules.refusals import LENGTH, OPENINGS, refusal
from ftprep.rules.sweep import ALL_SHAPES, Found, TextRule, around, times
from ftprep.rules.talk import parts_of
from ftprep.setting import Setting
from ftprep.shapes.quoting import quote


def _pair(prompt: str, completion: str) -> Sample:
    return Sample(text=json.dumps({"prompt": prompt, "completion": completion}) + "\n")


# Code between back-ticks is left alone; a fence that is never closed runs to the end.
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_TAG = later(
    r"</?(?:br|p|div|span|font|strong|em|b|i|u|li|ul|ol|h[1-6]|hr|td|tr|th|table|a|center|small|sup|sub|blockquote)"
    r"(?:\s[^<>]{0,200})?\s?/?>|&(?:amp|nbsp|lt|gt|quot|apos|rsquo|lsquo|rdquo|ldquo|ndash|mdash|hellip|#\d{2,6}"
    r"|#x[0-9a-f]{2,5});",
    re.IGNORECASE,
)
_IS_PAGE = later(
    r"[\"'`]\s?</?[a-z]|\becho |<\?php|\bfunction\b|innerHTML|<!doctype"
    r"|<(?:html|head|body|script|style|form|input|button|svg|section|nav|img|link|meta|label|title)\b"
    r"|\b(?:html|xml|css|javascript|jsx|react|xpath|tags?|web ?page|website)\b",
    re.IGNORECASE,
)


def without_code(text: str) -> str:
    """A text with what is marked as code blanked out."""
    return _CODE.sub(lambda m: " " * len(m[0]), text) if "`" in text else text


class MarkupLeft(TextRule):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"&(?:amp|nbsp|lt|gt|quot|apos|[lr][sd]quo|[nm]dash|hellip|#\d{2,6}|#x[0-9a-fA-F]{2,5});"),
        re.compile(r"</?(?:[bB][rR]|[pP]|div|span|font|strong|em|b|i|u|li|ul|td|tr)[\s/>]"),
    )
    card: ClassVar[Card] = Card(
        code="TXT106",
        name="markup-left",
        severity="info",
        finds="A text that does not speak of markup holds some that was left over from a web page: `<br>`, `&amp;`.",
        why="The model learns to write it. Where answers are meant to be HTML, switch the rule off.",
        bad=_pair("Peru ->", " Lima&nbsp;&amp; Cusco<br> END"),
        good=_pair("Peru ->", " Lima & Cusco, 1 < 2 > 0, `<br>` END"),
        status="preview",
    )

    def look(self, text: str) -> Iterator[Found]:
        if not any(mark.search(text) for mark in self.marks) or _IS_PAGE.search(text):
            return
        found = list(_TAG.finditer(without_code(text)))
        if found:
            kinds = ", ".join(list(dict.fromkeys(m[0][:20] for m in found))[:4])
            message = f"the text holds {times(len(found), 'piece')} of markup: {kinds}"
            yield Found(message, around(text, found[0].start(), found[0].end()))


_SLOT = re.compile(
    r"(?<![${])\{\{ ?[A-Za-z_][\w .-]{0,40} ?\}\}"
    r"|\[(?:YOUR|INSERT|ENTER|ADD|FILL IN) [A-Z][A-Z '/_-]{1,40}\]"
    r"|\[(?:[Yy]our|[Ii]nsert|[Ee]nter|[Aa]dd) (?:[\w'/-]{1,20} ){0,5}(?:[Nn]ame|[Aa]ddress|[Ee]mail|[Dd]ate|[Nn]umber"
    r"|[Tt]itle|[Cc]ompany|[Pp]hone|[Hh]ere|[Tt]ext|[Pp]osition|[Ll]ink|URL)\]"
    r"|<(?:[Ii]nsert|[Yy]our|INSERT|YOUR)[ _-][\w '/-]{1,40}>"
    r"|\A\s{0,8}[Ll]orem ipsum dolor\b",
)
_TODO = later(r"\s*[\[(<]?(?:TODO|TBD)[\])>]?\s*[.:!]?(?:\s.{0,60})?", re.DOTALL)


class Placeholder(TextRule):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"\{(?<=\{\{) ?[A-Za-z_][\w .-]{0,40} ?\}\}"),
        re.compile(r"\[(?:YOUR|[Yy]our|INSERT|[Ii]nsert|ENTER|[Ee]nter|ADD|[Aa]dd|FILL IN)\b"),
        re.compile(r"<(?:[Ii]nsert|[Yy]our|INSERT|YOUR)\b"),
        re.compile(r"L(?=orem ipsum dolor)"),
        re.compile(r"D(?:(?<=TOD)O|(?<=TBD))\b"),
    )
    card: ClassVar[Card] = Card(
        code="TXT107",
        name="placeholder",
        severity="warning",
        finds="A text holds a placeholder that was never filled in: `{{name}}`, `[YOUR NAME]`, `<insert date>`, or it "
        "is nothing but TODO or lorem ipsum.",
        why="The model learns to write the placeholder.",
        bad=_pair("Who are you? ->", " I am {{name}}. END"),
        good=_pair("Who are you? ->", " I am Ann; my template says `{{name}}`, # TODO later END"),
        status="preview",
    )

    def look(self, text: str) -> Iterator[Found]:
        if not any(mark.search(text) for mark in self.marks):
            return
        found = list(_SLOT.finditer(without_code(text)))
        if found:
            kinds = ", ".join(list(dict.fromkeys(m[0] for m in found))[:4])
            message = f"the text holds {times(len(found), 'placeholder')}: {kinds}"
            yield Found(message, around(text, found[0].start(), found[0].end()))
        elif len(text) < 80 and _TODO.fullmatch(text):
            yield Found("the text is still to be written", text)


def answers_of(example: Example | None) -> Iterator[tuple[str, str]]:
    """The texts to be learnt with their pointers: completions, steps, trained turns, the better answer."""
    if isinstance(example, Pair):
        yield "/completion", example.completion
    elif isinstance(example, Stepwise):
        yield from ((f"/completions/{i}", step) for i, step in enumerate(example.completions))
    elif isinstance(example, Unpaired) and not example.label:
        return
    lists = parts_of(example)
    for pointer, messages in lists[1:2] if isinstance(example, (Preference, Unpaired)) else lists:
        for place, message in enumerate(messages):
            if message.is_trained and message.text:
                yield f"{pointer}/{place}/content", message.text


@dataclass(frozen=True)
class _AnswerRule(RowRule):
    """Looks at the texts that are learnt."""

    shapes: ClassVar[tuple[str, ...]] = ALL_SHAPES

    def found(self, text: str) -> Found | None:
        raise NotImplementedError

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        for pointer, text in answers_of(row.example):
            found = self.found(text)
            if found:
                yield self.fault(found.message, pointer, found.excerpt)


_OPENING = itemgetter(slice(LENGTH))


@dataclass(frozen=True)
class Refusal(_AnswerRule):
    card: ClassVar[Card] = Card(
        code="TXT108",
        name="refusal",
        severity="info",
        finds="An answer begins by refusing: `As an AI language model, I cannot`, in eleven languages.",
        why="Few such answers make a model refuse much more. Sets that were written by another model are full of them.",
        bad=_pair("Tell me a joke ->", " As an AI language model, I cannot tell jokes. END"),
        good=_pair("Is it sure? ->", " I am afraid not. END"),
        status="preview",
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that begins as refusals do."""
        starts = map(OPENINGS.__contains__, map(_OPENING, batch.texts))
        numbers = compress(range(len(batch.texts)), starts)
        return batch.saying(number for number in numbers if refusal(batch.texts[number]))

    def found(self, text: str) -> Found | None:
        refused = refusal(text)
        return Found("the answer refuses", text[: refused.end() + 20].strip()) if refused else None


_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*|\n+")


@dataclass(frozen=True)
class RepeatsItself(_AnswerRule):
    """`often` is how many times the same sentence may stand in an answer, `least` how many characters it has."""

    often: int = 3
    least: int = 20
    card: ClassVar[Card] = Card(
        code="TXT110",
        name="repeats-itself",
        severity="info",
        status="preview",
        finds="An answer says the same sentence or line more than 3 times, and half of it is that.",
        why="The model learns to loop. Answers that another model wrote and could not end look like this.",
        bad=_pair("Why? ->", " It is because of the weather today." * 6 + " END"),
        good=_pair("Why? ->", " It is because of the weather today. It rained. END"),
    )

    def found(self, text: str) -> Found | None:
        if len(text) < self.least * (self.often + 1):
            return None
        said = Counter(s for s in map(str.strip, _SENTENCE.split(without_code(text))) if len(s) >= self.least)
        sentence, count = max(said.items(), key=lambda item: item[1] * len(item[0]), default=("", 0))
        if count > self.often and 2 * count * len(sentence) >= len(text):
            return Found(f"the answer says {count:,} times {quote(sentence[:40])}", sentence[:80])
        return None


def asked_and_said(row: Row) -> tuple[str, str]:
    """The last thing that is asked, and the answer to it."""
    if isinstance(row.example, Pair):
        return row.example.prompt, row.example.completion
    speech = row.speech
    if speech is None or not speech.asked or speech.asked > len(speech.texts):
        return "", ""
    return speech.texts[speech.asked - 1], speech.answer


_SHORTEST = 40


def _echoed(row: Row) -> bool:
    asked, said = asked_and_said(row)
    if len(said) < _SHORTEST:
        return False
    asked = asked.strip()
    return len(asked) >= _SHORTEST and said.lstrip().startswith(asked)


@dataclass(frozen=True)
class EchoesPrompt(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ALL_SHAPES
    card: ClassVar[Card] = Card(
        code="TXT111",
        name="echoes-prompt",
        severity="info",
        finds=f"The answer begins with the whole question again, of {_SHORTEST} characters or more.",
        why="The model learns to repeat the question, and the copy is paid for in each epoch and in each answer.",
        bad=_pair("Which city is the capital of Peru, please?", " Which city is the capital of Peru, please? Lima"),
        good=_pair("Which city is the capital of Peru, please?", " The capital of Peru is Lima"),
        status="preview",
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows whose answer begins as the question does."""
        said = [
            row for row in batch.chats if (s := row.speech) and s.texts and s.answer[:16] == s.texts[s.asked - 1][:16]
        ]
        pairs = [row for row, pair in batch.pairs if pair.completion[:40].lstrip()[:8] == pair.prompt[:40].lstrip()[:8]]
        return said + pairs

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        if _echoed(row):
            asked, said = asked_and_said(row)
            is_pair = isinstance(row.example, Pair)
            rest = len(said.strip()) - len(asked.strip())
            message = f"the answer repeats the question of {len(asked.strip()):,} characters, then says {rest:,} more"
            yield self.fault(message, "/completion" if is_pair else "", quote(asked.strip()[:20]))


_SCRIPTS = {
    "Latin": later("[A-Za-z\xc0-\u024f]+"),
    "Chinese": later("[\u4e00-\u9fff]+"),
    "kana": later("[\u3040-\u30ff]+"),
    "Korean": later("[\uac00-\ud7af]+"),
    "Cyrillic": later("[\u0400-\u04ff]+"),
    "Arabic": later("[\u0600-\u06ff]+"),
    "Greek": later("[\u0370-\u03ff]+"),
    "Hebrew": later("[\u0590-\u05ff]+"),
    "Devanagari": later("[\u0900-\u097f]+"),
    "Thai": later("[\u0e00-\u0e7f]+"),
}


def script(text: str) -> str:
    """The script that nearly all letters of a text are of, "" where it has few letters or several scripts."""
    if text.isascii():
        return "Latin" if sum(map(len, _SCRIPTS["Latin"].findall(text[:2000]))) >= _SHORTEST else ""
    counts = {name: sum(map(len, found.findall(text[:2000]))) for name, found in _SCRIPTS.items()}
    if counts["kana"]:
        counts["kana"] += counts.pop("Chinese")
    name, count = max(counts.items(), key=lambda item: item[1])
    least = _SHORTEST if name in ("Latin", "Cyrillic", "Greek") else 10
    return name if count >= max(least, 0.9 * sum(counts.values())) else ""


@dataclass(frozen=True)
class LanguageDiffers(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ALL_SHAPES
    card: ClassVar[Card] = Card(
        code="TXT112",
        name="language-differs",
        severity="info",
        status="preview",
        finds="The question is in one script and the answer in another.",
        why="Where that is not meant (a translation, code), the model learns to answer in the wrong language.",
        bad=_pair("秘鲁的首都是哪里？请简单回答我的问题。", " The capital of Peru is the beautiful city of Lima, sir."),
        good=_pair("秘鲁的首都是哪里？请简单回答我的问题。", " 秘鲁的首都是利马，谢谢你的提问。"),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        asked, said = map(script, asked_and_said(row))
        if asked and said and asked != said:
            is_pair = isinstance(row.example, Pair)
            message = f"the question is written in {asked} letters, the answer in {said}"
            yield self.fault(message, "/completion" if is_pair else "", asked_and_said(row)[1].strip()[:60])


RULES: tuple[type[Rule], ...] = (
    MarkupLeft,
    Placeholder,
    Refusal,
    RepeatsItself,
    EchoesPrompt,
    LanguageDiffers,
)
