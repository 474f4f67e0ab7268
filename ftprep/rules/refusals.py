"""How answers that refuse begin, in eleven languages: data."""

from __future__ import annotations

import re

# Apostrophes and white space as they come; `{ai}` is what a model calls itself.
_WAYS: tuple[str, ...] = (
    # English
    r"As an? (?:AI|artificial intelligence|(?:large )?language model|virtual assistant)\b",
    r"(?:I['’]m|I am) (?:just |only )?an? (?:AI|artificial intelligence|(?:large )?language model)\b",
    r"(?:I['’]m|I am) (?:so |very |really )?sorry,? (?:but )?(?:as an? |I (?:can['’]?t|cannot|can not|am (?:not able|unable)"
    r"|['’]m (?:not able|unable)|won['’]t|am an AI)|I['’]m (?:not able|unable))",
    r"Sorry,? (?:but )?(?:I (?:can['’]?t|cannot|am (?:not able|unable))|I['’]m (?:not able|unable))",
    r"I apologi[sz]e,? but (?:as an? |I (?:can['’]?t|cannot|am (?:not able|unable))|I['’]m (?:not able|unable))",
    r"I (?:can['’]?t|cannot|can not|won['’]t) (?:assist|help|fulfill|comply|provide (?:information|instructions|medical)|"
    r"engage|create content|generate content|participate in)",
    r"I['’]m (?:unable|not able) to (?:assist|help|fulfill|comply|provide|answer|access|browse)",
    # Chinese, Japanese, Korean
    r"(?:很?抱歉|对不起)[，,]?(?:但)?(?:作为|我(?:不能|无法|没有办法)|我是一个?(?:AI|人工智能|语言模型))",
    r"(?:作为|我(?:只)?是)(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型)",
    r"(?:申し訳(?:ありません|ございません)[がけ、。]?[^。]{0,30}(?:できません|出来ません)|私はAI(?:言語モデル)?)",
    r"(?:죄송합니다|죄송하지만)[^.]{0,40}(?:수 없습니다|AI)|저는 AI (?:언어 )?모델",
    # Spanish, Portuguese, French, Italian, German, Russian, Arabic
    r"Lo siento,? (?:pero )?(?:como (?:IA|modelo|inteligencia)|no puedo)|Como (?:IA|modelo de lenguaje)\b",
    r"(?:Desculpe|Sinto muito|Lamento),? (?:mas )?(?:como (?:IA|um modelo)|não posso)|Como (?:uma IA|um modelo de "
    r"linguagem)\b",
    r"(?:Je suis désolée?|Désolée?),? (?:mais )?(?:en tant qu[e'’]|je ne (?:peux|suis) pas)|En tant qu[e'’] ?(?:IA|"
    r"intelligence artificielle|modèle de langage)",
    r"Mi dispiace,? (?:ma )?(?:come (?:IA|modello)|non posso)|Come (?:IA|modello linguistico|intelligenza artificiale)\b",
    r"(?:Es tut mir leid|Entschuldigung|Tut mir leid),? (?:aber )?(?:als KI|ich kann (?:dir |Ihnen |das |dabei )?nicht)|Als "
    r"(?:KI|künstliche Intelligenz|(?:ein )?(?:großes )?Sprachmodell)\b",
    r"(?:Извините|Простите|К сожалению),? (?:но )?(?:я не могу|как (?:ИИ|языковая модель))|Как (?:ИИ|языковая модель)",
    r"(?:عذر[اً]{1,2}|آسف)،? ?(?:لكن )?(?:لا (?:أستطيع|يمكنني))",
)

REFUSAL = re.compile(r"\s{0,10}(?:" + "|".join(_WAYS) + ")")

_WORDS = (
    *(
        "As a",
        "I'm ",
        "I’m ",
        "I am ",
        "Sorry",
        "I ap",
        "I can",
        "I won",
        "很抱歉",
        "抱歉",
        "对不起",
        "作为",
        "我是",
        "我只是",
    ),
    *("申し訳", "私はAI", "죄송", "저는 AI", "Lo siento", "Como ", "Desculpe", "Sinto muito", "Lamento", "Je suis dés"),
    *("Désol", "En tant qu", "Mi dispiace", "Come ", "Es tut mir", "Entschuldigung", "Tut mir", "Als ", "Извините"),
    *("Простите", "К сожалению", "Как ", "عذر", "آسف"),
)

OPENINGS: tuple[str, ...] = (*_WORDS, *(" " + w for w in _WORDS), *("\n" + w for w in _WORDS))
"""What every refusal begins with: looked for first, since that is fast."""
