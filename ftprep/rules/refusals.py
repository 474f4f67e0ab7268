"""How answers that refuse begin, in eleven languages."""

from __future__ import annotations

import re
from functools import cache

_CANNOT = r"[^.!?\n]{0,120}?(?:n['’]t\b|\bnot\b|\bunable\b|\bcannot\b|\bno (?:access|ability|opinions?)\b)"
_MODEL = r"(?:AI|artificial intelligence|(?:large )?language model)"

_ENGLISH = (
    rf"As an? (?:{_MODEL}|virtual assistant)\b{_CANNOT}",
    rf"(?:I['’]m|I am) (?:just |only )?an? {_MODEL}\b{_CANNOT}",
    rf"(?:I['’]m|I am) (?:so |very |really )?sorry,? (?:but )?as an? {_MODEL}\b",
    r"(?:I['’]m|I am) (?:so |very )?sorry,? (?:but )?I (?:can['’]?t|cannot|can not|won['’]t|am not able|am unable)",
    r"(?:I['’]m|I am) (?:so |very |really )?sorry,? (?:but )?I['’]m (?:not able|unable)",
    r"Sorry,? (?:but )?(?:I (?:can['’]?t|cannot|am (?:not able|unable))|I['’]m (?:not able|unable))",
    r"I apologi[sz]e,? but (?:as an? |I (?:can['’]?t|cannot|am (?:not able|unable))|I['’]m (?:not able|unable))",
    r"I (?:can['’]?t|cannot|can not|won['’]t) (?:assist|help|fulfill|comply|engage in|create content|generate content)",
    r"I['’]m (?:unable|not able) to (?:assist|help|fulfill|comply|provide|answer|access|browse)",
)

_EASTERN = (
    r"(?:很?抱歉|对不起)[，,]?(?:但)?(?:作为|我(?:不能|无法|没有办法)|我是一个?(?:AI|人工智能|语言模型))",
    r"(?:作为|我(?:只)?是)(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型)[^。！？\n]{0,60}(?:不能|无法|没有|不具备|不会)",
    r"申し訳(?:ありません|ございません)[^。]{0,60}(?:できません|出来ません)",
    r"(?:죄송합니다|죄송하지만)[^.]{0,40}수 없습니다",
    r"(?:Извините|Простите|К сожалению),? (?:но )?(?:я не могу|как (?:ИИ|языковая модель))",
    r"(?:عذر[اً]{1,2}|آسف)،? ?(?:لكن )?(?:لا (?:أستطيع|يمكنني))",
)

_EUROPEAN = (
    r"Lo siento,? (?:pero )?(?:como (?:IA|modelo|inteligencia)|no puedo)|Como (?:IA|modelo de lenguaje),? no\b",
    r"(?:Desculpe|Sinto muito|Lamento),? (?:mas )?(?:como (?:IA|um modelo)|não posso)|Como uma? (?:IA|modelo),? não\b",
    r"(?:Je suis désolée?|Désolée?),? (?:mais )?(?:en tant qu[e'’]|je ne (?:peux|suis) pas)",
    r"Mi dispiace,? (?:ma )?(?:come (?:IA|modello)|non posso)",
    r"(?:Es tut mir leid|Entschuldigung|Tut mir leid),? (?:aber )?(?:als KI|ich kann (?:dir |Ihnen |das )?nicht)",
)

LENGTH = 3
"""How many characters of an answer tell whether it may refuse."""

_WORDS = (
    *(
        "As ",
        "I'm",
        "I’m",
        "I a",
        "I c",
        "I w",
        "Sor",
        "很抱歉",
        "抱歉，",
        "抱歉,",
        "抱歉但",
        "抱歉我",
        "对不起",
        "作为一",
        "作为A",
    ),
    *(
        "作为人",
        "作为语",
        "作为大",
        "我是一",
        "我是A",
        "我是人",
        "我是语",
        "我是大",
        "我只是",
        "申し訳",
        "죄송합",
        "죄송하",
        "Lo ",
        "Com",
    ),
    *("Des", "Sin", "Lam", "Je ", "Dés", "Mi ", "Es ", "Ent", "Tut", "Изв", "Про", "К с", "عذر", "آسف"),
)

OPENINGS = frozenset((lead + word)[:LENGTH] for word in _WORDS for lead in ("", " ", "\n"))
"""What every refusal begins with: looked for first, since that is fast."""


@cache
def _refusal() -> re.Pattern[str]:
    return re.compile(r"\s{0,10}(?:" + "|".join((*_ENGLISH, *_EASTERN, *_EUROPEAN)) + ")")


def refusal(text: str) -> re.Match[str] | None:
    """How an answer refuses, None where it does not."""
    return _refusal().match(text)
