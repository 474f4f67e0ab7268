"""Rules on secrets in texts: keys of services, private keys, passwords in addresses and assignments."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from ftprep.batch import Batch
from ftprep.bulk import long_words
from ftprep.later import later
from ftprep.model import Row
from ftprep.rule import Card, Rule, Sample
from ftprep.rules.masking import mask, masked
from ftprep.rules.pii import Private
from ftprep.rules.secret_kinds import KINDS, MARKS
from ftprep.rules.sweep import Found, times

_WHY = "Whoever gets the file, or asks the tuned model, has the secret. Take it out, and have its issuer revoke it."


def _pair(completion: str) -> Sample:
    return Sample(text=json.dumps({"prompt": "How do I log in? ->", "completion": f" {completion} END"}) + "\n")


_STANDS_FOR_ONE = later(
    r"example|xxxx|your|placeholder|dummy|fake|redacted|changeme|insert|secret_?key|api_?key|my_?key|\*\*\*|\.\.\."
    r"|12345678|23456789|abcdefg|0000000|aaaaaa",
    re.IGNORECASE,
)


def entropy(text: str) -> float:
    """Bits a character, from how often each stands there."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


def is_made_up(secret: str) -> bool:
    """Whether it stands for a secret only: it says so, or has too few different characters."""
    return bool(_STANDS_FOR_ONE.search(secret)) or entropy(secret[-32:]) < 2.8


@cache
def _kinds() -> re.Pattern[str]:
    one_of = "|".join(f"(?P<k{i}>{pattern})" for i, (_, pattern) in enumerate(KINDS))
    return re.compile(f"(?<![A-Za-z0-9_-])(?:{one_of})(?![A-Za-z0-9_-])", re.ASCII)


@cache
def _marks() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(mark, re.ASCII) for mark in MARKS)


_AZURE = re.compile("K(?<=AccountK)ey=")
_LONGEST = 40
_WORD = re.compile(r"[A-Za-z0-9_-]*")


def _starts(text: str, at: int) -> Iterator[int]:
    """Where a key that has its mark at a place may begin: with the word, or with that before a colon."""
    length = _WORD.match(text[max(0, at - _LONGEST) : at][::-1])
    start = at - (length.end() if length else 0)
    if at - start < _LONGEST:
        yield start
        if text[start - 1 : start] == ":" and start < at + 1:
            number = _WORD.match(text[max(0, start - 12) : start - 1][::-1])
            yield start - 1 - (number.end() if number else 0)


class ApiKey(Private):
    card: ClassVar[Card] = Card(
        code="SEC101",
        name="api-key",
        severity="warning",
        finds=f"A text holds a key or token of one of {len(KINDS)} kinds, told by prefix and length. Examples from "
        "documentation and what stands for a key (`sk-xxxx`, YOUR_API_KEY) are none.",
        why=_WHY,
        bad=_pair("Use the key hf" + "_QmWvTzKcRbYxLpNsHdGfJaEuOiPqMnBvCx."),
        good=_pair("Use sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, AKIAIOSFODNN7EXAMPLE or YOUR_API_KEY."),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a key: all kinds but one have a long word."""
        numbers = (part.at_bytes(long_words(part.said)) for part in batch.parts)
        return self.guilty(batch, batch.matching((_AZURE,)).union(*numbers))

    def _found(self, text: str) -> Iterator[re.Match[str]]:
        starts = {start for mark in _marks() for m in mark.finditer(text) for start in _starts(text, m.start())}
        done = 0
        for start in sorted(starts):
            found = _kinds().match(text, start) if start >= done else None
            if found and not is_made_up(found[0]):
                done = found.end()
                yield found

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        yield from (found.span() for found in self._found(text))

    def look(self, text: str) -> Iterator[Found]:
        found: dict[str, list[str]] = {}
        for each in self._found(text):
            found.setdefault(KINDS[int((each.lastgroup or "k0")[1:])][0], []).append(each[0])
        for kind, secrets in found.items():
            yield Found(*masked(len(set(secrets)), kind, secrets[0]))


_HEADER = re.compile(
    r"-----BEGIN (?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|SSH2 ENCRYPTED) )?PRIVATE KEY-----"
    r"|-----BEGIN PGP PRIVATE KEY BLOCK-----|PuTTY-User-Key-File-[23]: "
)
_BODY = re.compile(r"(?:\\[nr]|[\s\"'+>]){0,8}(?:[A-Za-z-]{1,20}: [^\n]{0,100}\n\s{0,4}){0,6}([A-Za-z0-9+/=]{32,76})")
_FOOTER = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")


class PrivateKey(Private):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (
        re.compile(r"K(?:(?<= PRIVATE K)EY(?: BLOCK)?-----|(?<=PuTTY-User-K)ey-File-)"),
    )
    card: ClassVar[Card] = Card(
        code="SEC102",
        name="private-key",
        severity="warning",
        finds="A text holds a private key: the header of a PEM, OpenSSH, PGP or PuTTY file and the key behind it.",
        why=_WHY,
        bad=_pair(
            "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDHk3f8Zp1sQwYt\n"
        ),
        good=_pair("It begins with -----BEGIN PRIVATE " + "KEY----- and then comes the key."),
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for header in _HEADER.finditer(text):
            body = _BODY.match(text, header.end())
            if "PuTTY" in header[0] or (body and not is_made_up(body[1])):
                footer = _FOOTER.search(text, header.end(), header.end() + 5_000)
                yield header.start(), footer.end() if footer else body.end() if body else header.end()

    def look(self, text: str) -> Iterator[Found]:
        found = [text[start:end] for start, end in self.places(text)]
        if found:
            kind = found[0].strip("-").split("-----")[0][:40].removeprefix("BEGIN ")
            yield Found(f"the text holds {times(len(found), 'private key')}: {kind}", f"-----BEGIN {kind}-----…")


_SCHEME = later(r"\b[a-z][a-z0-9+.-]{1,20}://([^\s:/@\"'<>]{0,64}):([^\s/@\"'<>]{1,128})\Z", re.IGNORECASE)
_NO_PASSWORD = later(
    r"(?:pass(?:word|wd)?|pwd|pw|secret|user(?:name)?|token|key|admin|root|guest|test|postgres|mysql|example|changeme|hunter2"
    r"|foo|bar|abc|my.*|your.*|x+|\d{1,6}|\*+|<.*|\$.*|\{.*|%.*|\[.*|\.+|…)\d{0,4}\Z",
    re.IGNORECASE,
)


class PasswordInUrl(Private):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (re.compile(r"@(?<=[^\s@/]@)[A-Za-z0-9\[]"),)
    thing: ClassVar[tuple[str, str]] = ("password in an address", "passwords in addresses")
    card: ClassVar[Card] = Card(
        code="SEC103",
        name="password-in-url",
        severity="warning",
        finds="A text holds an address with a password: `postgres://user:password@host`.",
        why=_WHY,
        bad=_pair("postgres://app:" + "v9Tq-27xLmz@db.lima-water.pe/main"),
        good=_pair("postgres://user:password@localhost, https://user:$TOKEN@host, git@github.com:a/b"),
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for mark in self.marks[0].finditer(text):
            at = mark.start()
            window = text[max(0, at - 220) : at]
            scheme = window.rfind("://")
            found = _SCHEME.search(window, max(0, scheme - 22)) if scheme > 0 else None
            if found and not _NO_PASSWORD.match(found[2]) and not is_placeholder_host(text[at + 1 : at + 40]):
                yield at - len(found[2]), at


def is_placeholder_host(host: str) -> bool:
    """Whether the machine that a password is for is an example."""
    return bool(re.match(r"(?:[\w-]{1,30}\.)?(?:example|host|hostname|localhost|server|127\.0\.0\.1|your)\b", host))


_ASSIGNED = re.compile(
    r"(?:password|passwd|pwd|secret|token|api_?key|access_?key|auth)[\"']?\s{0,3}(?:=>|[:=])\s{0,3}[\"']"
    r"([^\"'\s<>{}$()]{12,100})[\"']",
    re.IGNORECASE,
)


class AssignedSecret(Private):
    marks: ClassVar[tuple[re.Pattern[str], ...]] = (_ASSIGNED,)
    thing: ClassVar[tuple[str, str]] = ("secret in an assignment", "secrets in assignments")
    card: ClassVar[Card] = Card(
        code="SEC104",
        name="assigned-secret",
        severity="warning",
        status="preview",
        finds='A text gives a password, token or key a value that looks random: `password = "…"`.',
        why=_WHY,
        bad=_pair('password = "' + 'v9Tq27xLmzR4w"'),
        good=_pair('password = "correct-horse", token = "your_token_here", key = os.environ["KEY"]'),
    )

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        for found in _ASSIGNED.finditer(text):
            value = found[1]
            kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", r"\d"))
            if kinds >= 2 and re.search(r"\d", value) and entropy(value) >= 3.2 and not is_made_up(value):
                yield found.span(1)


def hidden(text: str) -> str:
    """A short text without what the rules on secrets find in it: how others may show it."""
    for rule in (PrivateKey(), ApiKey(), PasswordInUrl()):
        for start, end in reversed(list(rule.places(text))):
            text = text[:start] + mask(text[start:end]) + text[end:]
    return text


RULES: tuple[type[Rule], ...] = (ApiKey, PrivateKey, PasswordInUrl, AssignedSecret)
