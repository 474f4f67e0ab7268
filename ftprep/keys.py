"""What counts as the same: digests of what an example says, for duplicates, conflicts, splits and manifests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import xxhash

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


def fold(text: str, capitals: bool = True) -> bytes:
    """A text as it is compared: runs of white space are one blank, none at the ends, in small letters unless `capitals`
    count."""
    if not text.isascii():
        return " ".join((text if capitals else text.casefold()).split()).encode("utf-8", "surrogatepass")
    return _fold_ascii(text.encode(), _BLANKS if capitals else _SMALL_BLANKS)


def _fold_ascii(data: bytes, table: bytes) -> bytes:
    data = data.translate(table)
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.strip(b" ")


def ask(example: Example, endings: tuple[bytes, ...] = ()) -> bytes:
    """8-byte digest of what is asked, blind to spacing, capitals and one of the separators `endings` at the end."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[:8]
    data = fold(example.prompt, capitals=False)
    if endings and data.endswith(endings):
        data = next(data.removesuffix(e) for e in endings if data.endswith(e)).rstrip(b" ")
    return xxhash.xxh3_64_digest(data)


def answer(example: Example) -> bytes:
    """8-byte digest of what is answered, blind to spacing; a chat's calls count as part of the answer."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[8:16]
    return xxhash.xxh3_64_digest(fold(example.completion))


def exact(example: Example) -> bytes:
    """8-byte digest of everything that is trained on, to the character; extra columns do not count."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[16:]
    return digest(f"{len(example.prompt)}:{example.prompt}{example.completion}")


_BETWEEN: Final = " \0 "
"""Between two texts that are folded as one: what stands in no sane text, in blanks that folding leaves alone."""


def of_speech(speech: Speech, chat: Chat, may_hold_nul: bool = True) -> bytes:
    """`ask`, `answer` and `exact` of a conversation, one behind the other, in one walk over its texts."""
    texts, asked, opening = speech.texts, speech.asked, speech.cast.opening
    question, reply = _BETWEEN.join(texts[:asked]), _BETWEEN.join(texts[asked:])
    try:
        said, told = question.encode(), reply.encode()
    except UnicodeEncodeError:
        said, told = question.encode("utf-8", "surrogatepass"), reply.encode("utf-8", "surrogatepass")
    small = _fold_ascii(said, _SMALL_BLANKS) if question.isascii() else fold(question, capitals=False)
    blank = _fold_ascii(told, _BLANKS) if reply.isascii() else fold(reply)
    small += opening
    ask = xxhash.xxh3_64_digest(small + speech.beside.encode() if speech.beside else small) if asked else BLANK
    if speech.is_plain and not (may_hold_nul and any("\0" in text for text in texts)):
        whole = xxhash.xxh3_64_digest(b"%b\0\0%b\0%b" % (said, told, opening))
    else:
        parts = (chat.messages, chat.tools, chat.functions, chat.parallel_tool_calls)
        whole = xxhash.xxh3_64_digest(msgspec.json.encode(parts))
    return ask + xxhash.xxh3_64_digest(blank) + whole


def unit(asked: bytes, answered: bytes) -> bytes:
    """The key that a split never parts where most rows ask nothing or the same: what is asked and answered."""
    return xxhash.xxh3_64_digest(asked + answered)
