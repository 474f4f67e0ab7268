"""Rules on what belongs to persons: addresses, telephone, card, account and identity numbers, folders with a name."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ftprep.later import later
from ftprep.rule import Card, Rule, Sample
from ftprep.rules import pii_numbers
from ftprep.rules.masking import masked
from ftprep.rules.sweep import Found, TextRule

_WHY = "A tuned model says again what it has learnt, to whoever asks. What is private should not be sent to a provider."
_NEVER_SHOWN = " Findings show its first characters only."


def _pair(completion: str) -> Sample:
    return Sample(text=json.dumps({"prompt": "Whom do I ask? ->", "completion": f" {completion} END"}) + "\n")


@dataclass(frozen=True)
class Private(TextRule):
    """Finds private texts of a kind; what it tells of them is masked."""

    thing: ClassVar[tuple[str, str]] = ("", "")

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        raise NotImplementedError

    def look(self, text: str) -> Iterator[Found]:
        """One finding for all of a text."""
        found = [text[start:end] for start, end in self.places(text)]
        if found:
            yield Found(*masked(len(found), self.thing[0], found[0], self.thing[1]))


_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,63})\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,6}([A-Za-z]{2,24})(?![A-Za-z0-9-])")
_NOT_DOMAINS = later(
    r"(?:^|\.)(?:example|(?:my|your|some|a|our|the)?-?(?:domain|company|email|website|site|server|host)|test|sample|"
    r"localhost|foo|bar|foobar|xyz|abc)\.[a-z]{2,6}$|\.(?:example|test|invalid|localhost|local|png|jpe?g|gif|svg|webp"
    r"|js|css|html|json|txt|py)$",
    re.IGNORECASE,
)
_NOBODY = later(
    r"(?:no-?reply|do-?not-?reply|git|you|your\.?_?-?(?:name|email|mail)|user\.?_?(?:name)?|username|name|email"
    r"|example|someone|somebody|foo|bar|test|x+|john\.?_?doe|jane\.?_?doe)\d{0,3}$",
    re.IGNORECASE,
)


class EMail(Private):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"@(?<=[A-Za-z0-9_+-]@)[A-Za-z0-9][A-Za-z0-9-]{0,62}\.[A-Za-z0-9]"),
    )
    thing: ClassVar[tuple[str, str]] = ("e-mail address", "e-mail addresses")
    card: ClassVar[Card] = Card(
        code="PII101",
        name="e-mail",
        severity="warning",
        finds="A text holds an e-mail address other than an example (example.com, your.name@, noreply@).",
        why=_WHY,
        bad=_pair("ann.lee@lima-water.pe"),
        good=_pair("ann@example.com, @decorator, icon@2x.png, git@github.com"),
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for mark in self.marks[0].finditer(text):
            at = mark.start()
            local, domain = _LOCAL.search(text, max(0, at - 64), at), _DOMAIN.match(text, at + 1)
            if local and domain and not _NOBODY.match(local[0]) and not _NOT_DOMAINS.search(domain[0]):
                yield local.start(), domain.end()


_PLUS = re.compile(
    r"\+(?<![\w)\]+]\+)(?<!\w \+)(?<!\d\n\+)[1-9](?:[ .()/-]{0,2}\d){7,14}(?!\d)(?![ ]?[+*/=^%]|[.,]\d)", re.ASCII
)
_NATIONAL = re.compile(r"(?<![\w.+-])\(?([2-9]\d{2})(?:\) ?|[-. ])([2-9]\d{2})-(\d{4})(?![\d-])", re.ASCII)
_MOBILE = re.compile(
    r"(?:电话|手机|联系方式|热线|致电|拨打|[Tt]el|[Pp]hone|[Mm]obile|[Cc]ell|WhatsApp)[^\d\n]{0,12}(1[3-9]\d{9})(?!\d)"
)


class Phone(Private):
    needles: ClassVar[tuple[bytes, ...]] = (b"00-0000", b"00000000")
    sought: ClassVar[tuple[re.Pattern[str], ...]] = (_PLUS,)
    thing: ClassVar[tuple[str, str]] = ("telephone number", "telephone numbers")
    card: ClassVar[Card] = Card(
        code="PII102",
        name="phone",
        severity="warning",
        finds="A text holds a telephone number: international with its plus, North American, or a Chinese mobile one "
        "after a word that says so.",
        why=_WHY,
        bad=_pair("+51 1 613 4827"),
        good=_pair("+1 212 555 0123, x + 12345678, 2020-10-12, 3+44790012"),
        status="preview",
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for found in _PLUS.finditer(text):
            digits = re.sub(r"\D", "", found[0])
            is_split = len(digits) < len(found[0]) - 1
            if pii_numbers.is_international(digits) and (is_split or 10 <= len(digits) <= 13):
                yield found.span()
        for found in _NATIONAL.finditer(text):
            if pii_numbers.is_north_american("".join(found.groups())):
                yield found.span()
        for found in _MOBILE.finditer(text):
            if len(set(found[1])) > 4 and found[1] != "13800138000":
                yield found.span(1)


_CARD = re.compile(
    r"(?<![\w.,+-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})(?![\w-]|[.,]\d)",
    re.ASCII,
)


class CardNumber(Private):
    needles: ClassVar[tuple[bytes, ...]] = (b"00000000", b"0000 0000", b"00-0000")
    thing: ClassVar[tuple[str, str]] = ("number of a payment card", "numbers of payment cards")
    card: ClassVar[Card] = Card(
        code="PII103",
        name="card",
        severity="warning",
        finds="A text holds the number of a payment card: prefix and length of a scheme, and a check digit that fits. "
        "Numbers that are published for tests are none.",
        why=_WHY,
        bad=_pair("4539 1488 0343 6467"),
        good=_pair("4242 4242 4242 4242, 4539 1488 0343 6468"),
        status="preview",
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for found in _CARD.finditer(text):
            if pii_numbers.is_card(re.sub(r"\D", "", found[0])):
                yield found.span()


_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])", re.ASCII)


class Iban(Private):
    needles: ClassVar[tuple[bytes, ...]] = (b"00000000", b"0000 0000")
    thing: ClassVar[tuple[str, str]] = ("account number (IBAN)", "account numbers (IBAN)")
    card: ClassVar[Card] = Card(
        code="PII104",
        name="iban",
        severity="warning",
        finds="A text holds an international bank account number: the length of its country, and check digits that "
        "fit. Known examples are none.",
        why=_WHY,
        bad=_pair("DE75 5121 0800 1245 1261 99"),
        good=_pair("DE89 3704 0044 0532 0130 00, DE75 5121 0800 1245 1261 98"),
        status="preview",
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for found in _IBAN.finditer(text):
            # A word in capitals may follow: the country says how long the number is.
            end, left = found.start(), pii_numbers.IBAN_LENGTHS.get(found[0][:2], 0)
            while left and end < found.end():
                left -= text[end] != " "
                end += 1
            if not left and pii_numbers.is_iban(text[found.start() : end].replace(" ", "")):
                yield found.start(), end


class NationalId(Private):
    needles: ClassVar[tuple[bytes, ...]] = (b"00-0000", b"00000000", b"000.000.000-00", b" 000 000 00")
    thing: ClassVar[tuple[str, str]] = ("identity number", "identity numbers")
    card: ClassVar[Card] = Card(
        code="PII105",
        name="national-id",
        severity="warning",
        finds="A text holds a national identity number: US (SSN), Chinese, Brazilian (CPF), Spanish (DNI), French "
        "(NIR) or South Korean, with a checksum that fits where there is one.",
        why=_WHY,
        bad=_pair("529.982.247-25"),
        good=_pair("123-45-6789, 529.982.247-24"),
        status="preview",
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for _, pattern, fits in pii_numbers.IDS:
            yield from (found.span() for found in pattern.finditer(text) if fits(found[0]))


_V4 = re.compile(
    r"(?<![\w.-])(?<![A-Za-z]/)(?<![Vv]ersion )(?<!Release )\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)", re.ASCII
)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?![\w:])", re.ASCII)
_EVERYBODY = frozenset(
    (
        *("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"),
        *("11.22.33.44", "12.34.56.78", "98.76.54.32", "123.45.67.89", "123.123.123.123"),
    )
)
"""Public name servers, and what people write who need some address."""


def _is_somewhere(text: str) -> bool:
    """Whether it is an address on the internet, not of a private net, an example, or a version."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    is_version = address.version == 4 and all(int(n) < 20 for n in text.split("."))
    many = address.version == 4 or len(text) >= 9
    return address.is_global and not address.is_multicast and text not in _EVERYBODY and many and not is_version


class IpAddress(Private):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"\.(?<=[0-9]\.)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"),
        re.compile(
            r":(?:(?<=[0-9a-fA-F]{4}:):?|(?<=[0-9a-fA-F]{2}:)[0-9a-fA-F]{1,4}:)[0-9a-fA-F]{0,4}:[0-9a-fA-F]{1,4}"
        ),
    )
    thing: ClassVar[tuple[str, str]] = ("public IP address", "public IP addresses")
    card: ClassVar[Card] = Card(
        code="PII106",
        name="ip-address",
        severity="warning",
        finds="A text holds the address of a machine on the internet; private nets, examples and public name servers "
        "are none.",
        why=_WHY,
        bad=_pair("185.199.108.153"),
        good=_pair("192.168.0.1, 127.0.0.1, 203.0.113.9, 8.8.8.8, version 4.12.0.1, Chrome/91.0.44.124"),
        status="preview",
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern in (_V4, _V6):
            yield from (found.span() for found in pattern.finditer(text) if _is_somewhere(found[0]))


_FOLDER = re.compile(
    r"(?:(?<![\w./-])/(?:home|Users)/|(?<![\w])[A-Za-z]:\\{1,2}(?:Users|Documents and Settings)\\{1,2})"
    r"([A-Za-z][\w.-]{1,31})(?=[/\\])",
    re.ASCII,
)
_ANYBODY = later(
    r"(?:user|username|user_?name|usr|name|you|your.*|my.*|me|ubuntu|debian|centos|fedora|vagrant|runner|root|docker"
    r"|ec2-user|(?:john|jane)_?(?:doe|smith)?|hadoop|spark|app|node|jovyan|pi|public|default|all|shared|x+"
    r"|admin|administrator|guest|test.*|example|foo|bar|dev|developer|student|alice|bob|john|jane|git|www|web|data|deploy|jenkins|postgres|mysql|oracle|colab|kaggle|lib|bin)\d*\Z",
    re.IGNORECASE,
)


class HomePath(Private):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"/(?:(?<=/home/)|(?<=/Users/))[A-Za-z]"),
        re.compile(r"\\(?:(?<=:\\)|(?<=:\\\\))(?:Users|Documents and Settings)\\"),
    )
    thing: ClassVar[tuple[str, str]] = ("home folder with somebody's name", "home folders with somebody's name")
    card: ClassVar[Card] = Card(
        code="PII107",
        name="home-path",
        severity="warning",
        finds="A text holds a path with the name of a user: `/home/NAME/`, `C:\\Users\\NAME\\`.",
        why=_WHY,
        bad=_pair("/home/mvargas/notes.txt"),
        good=_pair("/home/user/notes.txt, /usr/home, C:\\Users\\Public\\a.txt"),
        status="preview",
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        yield from (found.span(1) for found in _FOLDER.finditer(text) if not _ANYBODY.match(found[1]))


RULES: tuple[type[Rule], ...] = (EMail, Phone, CardNumber, Iban, NationalId, IpAddress, HomePath)
