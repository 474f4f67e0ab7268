"""Rules on the characters and the words of texts: what is found, what is not, in every shape, and never slowly."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep
from ftprep.rules import find, mojibake
from ftprep.rules.refusals import LENGTH, OPENINGS, refusal
from ftprep.rules.sweep import TextRule
from ftprep.rules.txt_words import script


def found(code: str, text: str) -> bool:
    """Whether a rule finds something in an answer, the whole way through a check."""
    rows = [{"prompt": f"What is it, number {i}? ->", "completion": " fine END"} for i in range(3)]
    rows.append({"prompt": "And this one? ->", "completion": text})
    return code in ftprep.check(rows, {"rules": {"select": [code]}}).counts()


FOUND = {
    "TXT101": ["a\x00b", "a\x01b", "bell\x07", "\x7f", "x\x85y", "é\x9f"],
    "TXT102": [
        *(
            "cafÃ©",
            "donâ€™t",
            "18 Â°C",
            "Ã‰tat",
            "ðŸ˜€",
            "ÐŸÑ€Ð¸Ð²ÐµÑ‚",
            "ä½\xa0å¥½",
            "Viá»‡t Nam",
            "â\x80\x94",
            "ï»¿start",
        ),
        *("锟斤拷", "Ã¼ber", "maÃ±ana", "PrzyszÅ‚oÅ›Ä‡"),
    ],
    "TXT103": ["caf\ufffd", "\ufffd"],
    "TXT104": [
        "Li\u200bma",
        "\ufeffHello",
        "in\u00adfor\u00admation",
        "a\u200db",
        "hi\U000e0041\U000e0042",
        "a\u2060b",
        "x\u200ey",
    ],
    "TXT105": ["a\u202eb", "a\u202ab", "a\u202ab\u202c", "שלום \u202b"],
    "TXT106": ["Lima<br>Cusco", "R&amp;B", "one&nbsp;two", "<p>Hello</p>", "don&#39;t"],
    "TXT107": [
        "I am {{name}}.",
        "Dear [YOUR NAME],",
        "Yours, [Your Name]",
        "<insert date>",
        "TODO",
        "TBD.",
        "Lorem ipsum dolor sit",
    ],
    "TXT108": [
        *(
            "As an AI language model, I cannot do that.",
            "I'm sorry, but I can't assist with that.",
            " I’m unable to help",
        ),
        *(
            "作为一个人工智能，我无法回答。",
            "很抱歉，我无法",
            "Lo siento, no puedo",
            "Es tut mir leid, aber ich kann nicht",
        ),
    ],
}
SOUND = {
    "TXT101": ["a\tb\r\nc", "é", "日本"],
    "TXT102": [
        *(
            "café",
            "NÃO",
            "SÃO PAULO",
            "Ângela",
            "IRMÃ»",
            "Âm nhạc",
            "„Ä“",
            "«Ya está»…",
            "le café…»",
            "Å–",
            "Trời ơi, Việt Nam",
        ),
        *("Привет", "你好，世界", "ção à noite", "été — déjà", "naïve façade", "MAÇÃ", "ÐÞ", "£5 ±1°"),
    ],
    "TXT103": ["?", "\ufffc"],
    "TXT104": [
        "می\u200cخواهم",
        "👩\u200d🚀",
        "क्\u200dष",
        "❤\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
    "TXT105": ["שלום \u202bעולם\u202c", "plain", "مرحبا \u2067abc\u2069"],
    "TXT106": [
        "1 < 2 and 3 > 2",
        "`<br>` breaks",
        "A & B",
        "```html\n<p>x</p>\n```",
        "The HTML tag <p> is a paragraph",
        'echo "<br>"',
    ],
    "TXT107": ["`{{name}}`", "# TODO: later\nprint(1)", "${{ github.ref }}", "[1, 2]", "f'{{{x}}}'", "[your] turn"],
    "TXT108": [
        "I am an AI assistant created by Ann.",
        "I am afraid so.",
        "As a matter of fact, no.",
        "Sorry to hear that!",
    ],
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in FOUND.items() for text in texts])
def test_what_is_found(code: str, text: str) -> None:
    assert found(code, text)


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SOUND.items() for text in texts])
def test_what_is_sound(code: str, text: str) -> None:
    assert not found(code, text)


BAD = "caf\ufffd \x07 {{name}}"
SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "chat": (
        {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": BAD}]},
        "/messages/1/content",
    ),
    "pair": ({"prompt": "?", "completion": BAD}, "/completion"),
    "preference": (
        {
            "input": {"messages": [{"role": "user", "content": "?"}]},
            "preferred_output": [{"role": "assistant", "content": "yes"}],
            "non_preferred_output": [{"role": "assistant", "content": BAD}],
        },
        "/non_preferred_output/0/content",
    ),
    "stepwise": ({"prompt": "?", "completions": ["a", BAD], "labels": [True, False]}, "/completions/1"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_with_its_pointer(shape: str) -> None:
    record, pointer = SHAPES[shape]
    report = ftprep.check([record], {"rules": {"select": ["TXT101", "TXT103", "TXT107"]}})
    assert {(f.code, f.json_pointer) for f in report.findings} == {(c, pointer) for c in ("TXT101", "TXT103", "TXT107")}


def test_one_finding_for_a_text_and_the_count_in_words() -> None:
    report = ftprep.check([{"prompt": "a", "completion": "\x07\x07\x1b"}], {"rules": {"select": ["TXT101"]}})
    assert [f.message for f in report.findings] == ["the text holds 3 control characters: U+0007, U+001B"]


# `Âµ` is a micro sign that was misread, whatever stands around it.
LETTERS = st.characters(min_codepoint=0xA0, max_codepoint=0x24F, categories=["Ll", "Lu"], exclude_characters="µ")


@given(st.text(LETTERS, max_size=40))
def test_letters_that_are_right_are_not_mojibake(text: str) -> None:
    assert not list(mojibake.runs(text))


def test_a_micro_sign_that_was_misread() -> None:
    assert [found.meant for found in mojibake.runs("10 Âµg")] == ["µ"]


@given(st.text(st.sampled_from("àâçèéêëîïôùûäöüßñ"), min_size=1, max_size=20))
def test_what_was_misread_is_found_and_read_back(text: str) -> None:
    misread = "x" + text.encode().decode("latin-1") + "y"
    assert "".join(meant for _, _, meant in mojibake.runs(misread)) == text


@given(st.text(max_size=60), st.sampled_from([r.card.code for r in find("TXT")]))
def test_no_text_breaks_a_rule(text: str, code: str) -> None:
    counts = ftprep.check([{"prompt": "a", "completion": text}], {"rules": {"select": [code]}})
    assert not [f for f in counts.findings if "bug in ftprep" in f.message]


@pytest.mark.parametrize("text", FOUND["TXT108"])
def test_each_refusal_has_its_opening(text: str) -> None:
    assert refusal(text)
    assert text[:LENGTH] in OPENINGS


def test_scripts() -> None:
    assert script("The capital of Peru is the city of Lima, my friend, and so on.") == "Latin"
    assert script("秘鲁的首都是利马，谢谢你的提问。") == "Chinese"
    assert script("これはとても簡単な日本語の文章です。") == "kana"
    assert script("1 + 1 = 2") == ""


NEAR = ["{{ a", "[YOUR ", "<p ", "&#1", "Ã", "é…", "\u200d", "\u202b", "<insert ", "```", "`a"]


@pytest.mark.parametrize("piece", NEAR)
def test_a_megabyte_of_near_misses_is_looked_at_fast(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    for rule in find("TXT"):
        if isinstance(rule, TextRule):
            start = time.process_time()
            list(rule.look(text))
            assert time.process_time() - start < 10, rule.card.code
