"""What counts as the same: digests of what an example says, for duplicates, conflicts, splits and manifests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import compress
from typing import Final

import msgspec
import xxhash

from ftprep.bulk import squeeze
from ftprep.model import Chat, Example, Speech

BLANK = xxhash.xxh3_64_digest(b"")
"""The digest of asking nothing (an empty prompt)."""


def folded(endings: Iterable[str]) -> tuple[bytes, ...]:
    """Separators as prompts are compared: without case and outer blanks, each once, the longest first."""
    found = {fold(e, capitals=False) for e in endings}
    return tuple(sorted((f for f in found if len(f.decode("utf-8", "replace")) > 1), key=lambda f: (-len(f), f)))


def digest(text: str) -> bytes:
    """8-byte digest of a text."""
    return xxhash.xxh3_64_digest(text.encode("utf-8", "surrogatepass"))


# White space below 128 that str.split() knows, as blanks, and capitals as small letters.
_BLANKS: Final = bytes.maketrans(b"\t\n\v\f\r\x1c\x1d\x1e\x1f", b" " * 9)
_SMALL_BLANKS: Final = _BLANKS[:65] + bytes(range(97, 123)) + _BLANKS[91:]


# Text of such characters can be folded in UTF-8 as if it were ASCII, since beyond that they are no white space, and
# casefold() leaves them as they are: accented small letters, typographic marks, Hebrew to Burmese, Chinese, Japanese,
# Korean, full-width marks, pictures.
_TAME: Final = re.compile(
    "[\0-\x7f\xa1-\xb4\xb6-\xbf\xd7\xe0-\xff\u0430-\u045f\u0590-\u109f\u1100-\u11ff\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20cf\u2190-\u23ff\u2460-\u24b5\u2500-\u2bff\u3001-\ua63f\uac00-\ud7a3\ufe30-\ufe4f\uff01-\uff20"
    "\uff3b-\uff40\uff5b-\uffdc\U0001f000-\U0001faff\U00020000-\U0003ffff]*"
)
# As above where capitals count: all but white space.
_FILLED: Final = re.compile("[^\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*")


def fold(text: str, capitals: bool = True) -> bytes:
    """A text as it is compared: runs of white space are one blank, none at the ends, in small letters unless `capitals`
    count."""
    return _fold(text, _encoded([text])[0], capitals)


def _fold(text: str, encoded: bytes, capitals: bool) -> bytes:
    if text.isascii() or (_FILLED if capitals else _TAME).fullmatch(text):
        return _fold_tame(encoded, _BLANKS if capitals else _SMALL_BLANKS)
    return _fold_wild(text, capitals)


def _fold_wild(text: str, capitals: bool) -> bytes:
    return " ".join((text if capitals else text.casefold()).split()).encode("utf-8", "surrogatepass")


def _fold_tame(data: bytes, table: bytes) -> bytes:
    data = data.translate(table)
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.strip(b" ")


def _folds(texts: list[str], encoded: list[bytes], capitals: bool) -> list[bytes]:
    """`fold` of each of many texts, which are given in UTF-8 too."""
    matched = (_FILLED if capitals else _TAME).fullmatch
    tame = [text.isascii() or matched(text) is not None for text in texts]
    table = _BLANKS if capitals else _SMALL_BLANKS
    if all(tame):
        return _fold_all(encoded, table)
    folded = iter(_fold_all(list(compress(encoded, tame)), table))
    return [next(folded) if is_tame else _fold_wild(text, capitals) for text, is_tame in zip(texts, tame, strict=True)]


def _fold_all(encoded: list[bytes], table: bytes) -> list[bytes]:
    parts = squeeze(b"\0".join(encoded).translate(table)).split(b"\0") if encoded else []
    if len(parts) != len(encoded):  # a text holds NUL
        return [_fold_tame(data, table) for data in encoded]
    return list(map(bytes.strip, parts))


def _encoded(texts: list[str]) -> list[bytes]:
    try:
        return list(map(str.encode, texts))
    except UnicodeEncodeError:
        return [text.encode("utf-8", "surrogatepass") for text in texts]


def asks(prompts: list[str], endings: tuple[bytes, ...] = ()) -> list[bytes]:
    """`ask` of each of many prompts."""
    return _asks(prompts, _encoded(prompts), endings)


def _asks(prompts: list[str], encoded: list[bytes], endings: tuple[bytes, ...]) -> list[bytes]:
    folded = _folds(prompts, encoded, capitals=False)
    if endings:
        folded = [_without(data, endings) if data.endswith(endings) else data for data in folded]
    return list(map(xxhash.xxh3_64_digest, folded))


def of_pairs(
    prompts: list[str], completions: list[str], endings: tuple[bytes, ...] = (), asked: list[bytes] | None = None
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """`ask`, `answer` and `exact` of many pairs, at a fifth of the cost; `asked` is given where it is known."""
    questions, replies = _encoded(prompts), _encoded(completions)
    asked = asked or _asks(prompts, questions, endings)
    answered = list(map(xxhash.xxh3_64_digest, _folds(completions, replies, capitals=True)))
    return asked, answered, list(map(xxhash.xxh3_64_digest, replies, map(xxhash.xxh3_64_intdigest, questions)))


def ask(example: Example, endings: tuple[bytes, ...] = ()) -> bytes:
    """8-byte digest of what is asked, blind to spacing, capitals and one of the separators `endings` at the end."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[:8]
    data = fold(example.prompt, capitals=False)
    return xxhash.xxh3_64_digest(_without(data, endings) if endings and data.endswith(endings) else data)


def _without(data: bytes, endings: tuple[bytes, ...]) -> bytes:
    return next(data.removesuffix(e) for e in endings if data.endswith(e)).rstrip(b" ")


def answer(example: Example) -> bytes:
    """8-byte digest of what is answered, blind to spacing; a chat's calls count as part of the answer."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[8:16]
    return xxhash.xxh3_64_digest(fold(example.completion))


def exact(example: Example) -> bytes:
    """8-byte digest of everything that is trained on, to the character; extra columns do not count."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[16:]
    prompt, completion = _encoded([example.prompt, example.completion])
    return xxhash.xxh3_64_digest(completion, xxhash.xxh3_64_intdigest(prompt))


_BETWEEN: Final = " \0 "
"""Between two texts that are folded as one: what stands in no sane text, in blanks that folding leaves alone."""


def of_speech(speech: Speech, chat: Chat) -> bytes:
    """`ask`, `answer` and `exact` of a conversation, one behind the other, in one walk over its texts."""
    texts, asked, opening = speech.texts, speech.asked, speech.cast.opening
    question, reply = _BETWEEN.join(texts[:asked]), _BETWEEN.join(texts[asked:])
    try:
        said, told = question.encode(), reply.encode()
    except UnicodeEncodeError:
        said, told = question.encode("utf-8", "surrogatepass"), reply.encode("utf-8", "surrogatepass")
    small = _fold(question, said, capitals=False) + opening
    blank = _fold(reply, told, capitals=True)
    ask = xxhash.xxh3_64_digest(small + speech.beside.encode() if speech.beside else small) if asked else BLANK
    if speech.is_plain and said.count(0) + told.count(0) == len(texts) - 2 + (not asked or asked == len(texts)):
        whole = xxhash.xxh3_64_digest(b"%b\0\0%b\0%b" % (said, told, opening))
    else:
        parts = (chat.messages, chat.tools, chat.functions, chat.parallel_tool_calls)
        whole = xxhash.xxh3_64_digest(msgspec.json.encode(parts))
    return ask + xxhash.xxh3_64_digest(blank) + whole


def unit(asked: bytes, answered: bytes) -> bytes:
    """The key that a split never parts where most rows ask nothing or the same: what is asked and answered."""
    return xxhash.xxh3_64_digest(asked + answered)
