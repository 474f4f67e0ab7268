"""Numbers that belong to persons: what they look like, and the checksums that tell them from other numbers."""

from __future__ import annotations

import re

from ftprep.later import later

# Card numbers: ISO/IEC 7812. Prefix, then the lengths that the scheme gives out.
_CARDS: tuple[tuple[re.Pattern[str], tuple[int, ...]], ...] = (
    (re.compile(r"4"), (16, 19)),  # Visa; its old numbers of 13 digits are no longer given out
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"6011|65|64[4-9]"), (16, 19)),  # Discover
    (re.compile(r"352[89]|35[3-8]"), (16,)),  # JCB
    (re.compile(r"36|38|39|30[0-5]"), (14,)),  # Diners Club
    (re.compile(r"62|81"), (16, 17, 18, 19)),  # UnionPay
)

# Numbers that payment services publish for tests.
_TEST_CARDS = frozenset(
    [
        "4111111111111111",
        "4242424242424242",
        "4012888888881881",
        "4000056655665556",
        "4000000000000002",
        "4222222222222",
        "5555555555554444",
        "5105105105105100",
        "5200828282828210",
        "2223003122003222",
        "2223000048400011",
        "5454545454545454",
        "378282246310005",
        "371449635398431",
        "378734493671000",
        "6011111111111117",
        "6011000990139424",
        "6011000000000004",
        "30569309025904",
        "38520000023237",
        "36227206271667",
        "3530111333300000",
        "3566002020360505",
        "6200000000000005",
        "4532015112830366",
        "4916338506082832",
        "4556737586899855",
        "4539578763621486",
    ]
)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Whether it is a number that a card may have, and none that is published for tests."""
    if digits in _TEST_CARDS or len(set(digits)) < 4:
        return False
    fits = any(len(digits) in lengths and prefix.match(digits) for prefix, lengths in _CARDS)
    return fits and luhn(digits)


# Lengths by country: SWIFT's IBAN registry, release 99.
IBAN_LENGTHS = {
    key: int(length)
    for key, length in (
        word.split(":")
        for word in [
            "AD:24",
            "AE:23",
            "AL:28",
            "AT:20",
            "AZ:28",
            "BA:20",
            "BE:16",
            "BG:22",
            "BH:22",
            "BI:27",
            "BR:29",
            "BY:28",
            "CH:21",
            "CR:22",
            "CY:28",
            "CZ:24",
            "DE:22",
            "DJ:27",
            "DK:18",
            "DO:28",
            "EE:20",
            "EG:29",
            "ES:24",
            "FI:18",
            "FK:18",
            "FO:18",
            "FR:27",
            "GB:22",
            "GE:22",
            "GI:23",
            "GL:18",
            "GR:27",
            "GT:28",
            "HN:28",
            "HR:21",
            "HU:28",
            "IE:22",
            "IL:23",
            "IQ:23",
            "IS:26",
            "IT:27",
            "JO:30",
            "KW:30",
            "KZ:20",
            "LB:28",
            "LC:32",
            "LI:21",
            "LT:20",
            "LU:20",
            "LV:21",
            "LY:25",
            "MC:27",
            "MD:24",
            "ME:22",
            "MK:19",
            "MN:20",
            "MR:27",
            "MT:31",
            "MU:30",
            "NI:28",
            "NL:18",
            "NO:15",
            "OM:23",
            "PK:24",
            "PL:28",
            "PS:29",
            "PT:25",
            "QA:29",
            "RO:24",
            "RS:22",
            "RU:33",
            "SA:24",
            "SC:31",
            "SD:18",
            "SE:24",
            "SI:19",
            "SK:24",
            "SM:27",
            "SO:23",
            "ST:25",
            "SV:28",
            "TL:23",
            "TN:24",
            "TR:26",
            "UA:29",
            "VA:22",
            "VG:24",
            "XK:20",
            "YE:30",
        ]
    )
}

# Those of the registry's and of banks' own pages.
_TEST_IBANS = frozenset(
    [
        "GB29NWBK60161331926819",
        "GB82WEST12345698765432",
        "GB33BUKB20201555555555",
        "DE89370400440532013000",
        "DE91100000000123456789",
        "FR1420041010050500013M02606",
        "FR7630006000011234567890189",
        "NL91ABNA0417164300",
        "ES9121000418450200051332",
        "IT60X0542811101000000123456",
        "BE68539007547034",
        "CH9300762011623852957",
        "AT611904300234573201",
        "PT50000201231234567890154",
        "PL61109010140000071219812874",
        "SE4550000000058398257466",
    ]
)


def is_iban(text: str) -> bool:
    """Whether it is an account number: length by country, remainder 1 by 97 (ISO 13616); examples are none."""
    if IBAN_LENGTHS.get(text[:2]) != len(text) or text in _TEST_IBANS:
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def _weighed(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def is_resident_id(text: str) -> bool:
    """Whether it is a Chinese resident's number (GB 11643-1999: ISO 7064, MOD 11-2), other than the standard's own."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    expected = "10X98765432"[_weighed(text[:17], weights) % 11]
    return text[17].upper() == expected and text.upper() not in ("11010519491231002X", "440524188001010014")


def is_cpf(text: str) -> bool:
    """Whether it is a Brazilian taxpayer's number: two check digits, and not one digit all over."""
    digits = re.sub(r"\D", "", text)
    first = _weighed(digits[:9], tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighed(digits[:10], tuple(range(11, 1, -1))) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}" and len(set(digits)) > 1 and digits != "12345678909"


def is_dni(text: str) -> bool:
    """Whether it is a Spanish identity number: eight digits and the letter that belongs to them."""
    number = text[:8]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1] and number != "12345678" and len(set(number)) > 2


def is_nir(text: str) -> bool:
    """Whether it is a French social security number: 13 characters and their key, 97 less the remainder."""
    bare = re.sub(r"\s", "", text)
    number = bare[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(bare[13:])


def is_rrn(text: str) -> bool:
    """Whether it is a South Korean resident's number with its check digit (given out so until October 2020)."""
    digits = text.replace("-", "")
    return (11 - _weighed(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(digits[12])


def is_ssn(text: str) -> bool:
    """Whether it may be a US social security number: not those that are never given out, nor the known examples."""
    area, group, serial = text.split("-")
    never = area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000"
    return not never and text not in ("078-05-1120", "219-09-9999", "123-45-6789", "111-11-1111", "123-12-1234")


_IDS = (
    ("US social security number", r"(?<![\d.-])\d{3}-\d{2}-\d{4}(?![\d-])", is_ssn),
    (
        "Chinese resident number",
        r"(?<![\d.])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])",
        is_resident_id,
    ),
    ("Brazilian CPF", r"(?<![\d.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)", is_cpf),
    ("Spanish DNI", r"(?<![\w.-])\d{8}-?[A-HJ-NP-TV-Z](?![\w-])", is_dni),
    (
        "French social security number",
        r"(?<![\d.])[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\d)",
        is_nir,
    ),
    (
        "South Korean resident number",
        r"(?<![\d-])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[1-8]\d{6}(?!\d)",
        is_rrn,
    ),
)
IDS = tuple((name, re.compile(pattern, re.ASCII), test) for name, pattern, test in _IDS)
"""Names, patterns and tests of national numbers that have a checksum or a form that nothing else has."""

# Calling codes of the ITU's E.164 list: all of one and two digits, and the beginnings of those of three.
_CALLING = later(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-69]\d|35\d|37\d|38\d|42[013]|50\d|59\d|67\d|68\d|69\d"
    r"|80\d|85\d|88\d|96\d|97\d|99\d"
)


def is_international(digits: str) -> bool:
    """Whether digits behind a plus are a telephone number (E.164: 8 to 15 with the calling code), not one for films."""
    if digits[0] == "1":
        return len(digits) == 11 and is_north_american(digits[1:])
    if digits[:2] == "86":
        return len(digits) in (12, 13)
    return bool(_CALLING.match(digits)) and 9 <= len(digits) <= 15 and len(set(digits)) > 3


def is_north_american(digits: str) -> bool:
    """Whether ten digits may be a number of the North American plan; 555 is kept for films and examples."""
    fits = digits[0] in "23456789" and digits[3] in "23456789" and digits[1:3] != "11" and digits[4:6] != "11"
    return fits and digits[3:6] != "555" and digits[:3] != "555" and digits not in ("2345678901", "2345678910")
