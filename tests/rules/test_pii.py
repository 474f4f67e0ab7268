"""Rules on private data: what is found, what only looks like it, and that nothing of it is shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep
from ftprep.rules import find
from ftprep.rules.masking import mask
from ftprep.rules.pii import Private
from ftprep.rules.pii_numbers import is_card, is_iban, is_international, luhn

FOUND = {
    "PII101": ["ann.lee@lima-water.pe", "Mail to j_kuhn+x@uni-bonn.de, please"],
    "PII102": [
        "+51 1 613 4827",
        "+4930 901820",
        "call (415) 863-2671",
        "212-736-5000",
        "电话：13912345678",
        "+86 138 1234 5678",
    ],
    "PII103": ["4539 1488 0343 6467", "4539148803436467", "4539-1488-0343-6467"],
    "PII104": ["DE75 5121 0800 1245 1261 99", "DE75512108001245126199", "NO93 8601 1117 947"],
    "PII105": ["529.982.247-25", "532-14-8732", "11010119900307889X", "54362315K", "DNI 54362315-K"],
    "PII106": ["185.199.108.153", "at 2606:4700:4700::6810 now", "http://151.101.1.69/"],
    "PII107": ["/home/mvargas/a.txt", "C:\\Users\\Kuhn\\b", "/Users/annlee/c"],
}
SOUND = {
    "PII101": [
        "a@example.com",
        "x@test.org",
        "git@github.com:a/b",
        "icon@2x.png",
        "@app.route",
        "noreply@lima.pe",
        "a @ b",
    ],
    "PII102": [
        "+1 212 555 0123",
        "3+44790012",
        "x + 12345678",
        "472547338\n+960397912423",
        "2020-10-12",
        "12345678901",
        "1990-2000",
        "10 +1000000000 = 2",
    ],
    "PII103": [
        "4242424242424242",
        "4539 1488 0343 6468",
        "0.4539148803436467",
        "4212883012996",
        "1111 1111 1111 1111",
        "1234567890123456",
    ],
    "PII104": ["DE89 3704 0044 0532 0130 00", "DE75 5121 0800 1245 1261 98", "AB12 CDEF 0000 0000"],
    "PII105": ["123-45-6789", "000-12-3456", "529.982.247-24", "12345678Z", "110101199003078891"],
    "PII106": [
        "192.168.0.1",
        "123.45.67.89",
        "10.0.0.1",
        "8.8.8.8",
        "203.0.113.9",
        "Chrome/91.0.44.124",
        "1.2.3.4",
        "12:30:45",
        "999.1.1.1",
        "a::b",
    ],
    "PII107": ["/home/user/a", "/home/", "C:\\Users\\Public\\a", "https://a.b/home/page/", "/Users/you/c"],
}


def found(code: str, text: str) -> bool:
    rows = [{"prompt": "one ->", "completion": " fine"}, {"prompt": "two ->", "completion": f" {text} END"}]
    return code in ftprep.check(rows, {"rules": {"select": [code]}}).counts()


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in FOUND.items() for text in texts])
def test_what_is_found(code: str, text: str) -> None:
    assert found(code, text)


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SOUND.items() for text in texts])
def test_what_is_sound(code: str, text: str) -> None:
    assert not found(code, text)


@given(st.text(st.sampled_from("0123456789"), min_size=2, max_size=19), st.integers(0, 18))
def test_luhn_sees_each_wrong_digit(digits: str, place: int) -> None:
    check = next(c for c in "0123456789" if luhn(digits + c))
    right = digits + check
    at = place % len(right)
    wrong = right[:at] + str((int(right[at]) + 1) % 10) + right[at + 1 :]
    assert not luhn(wrong)


@given(st.integers(0, 10**18 - 1))
def test_ibans_have_the_right_check_digits_only(number: int) -> None:
    body = f"{number:018}"
    check = 98 - int(body + "131400") % 97
    assert is_iban(f"DE{check:02}{body}")
    assert not is_iban(f"DE{check % 97 + 2 if check != check % 97 + 2 else 50:02}{body}")


@given(st.text(max_size=60))
def test_a_mask_shows_a_third_at_most(text: str) -> None:
    shown = mask(text).replace("…", "", 1)
    assert len(shown) <= min(6, len(text) // 3) + text.count("…")


def test_numbers() -> None:
    assert is_card("4539148803436467")
    assert not is_card("4111111111111111")
    assert is_international("5116134827")
    assert not is_international("12125550123")


NEAR = ["a@", "aaaa@a.", "+1", "1 ", "0000 ", "4539", "DE75 ", "1.1.", "1:", "ab:", "/home/", "00-0000 ", "C:\\Users\\"]


@pytest.mark.parametrize("piece", NEAR)
def test_a_megabyte_of_near_misses_is_looked_at_fast(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    for rule in find("PII"):
        assert isinstance(rule, Private)
        start = time.process_time()
        list(rule.look(text))
        assert time.process_time() - start < 10, rule.card.code
