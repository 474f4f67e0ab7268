"""What counts as the same: digests of what an example says, for duplicates, conflicts, splits and manifests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from xxhash import xxh3_64_digest as _hash

from ftprep.model import Chat, Example, Speech

BLANK = _hash(b"")
"""The digest of asking nothing (an empty prompt)."""


def folded(endings: Iterable[str]) -> tuple[bytes, ...]:
    """Separators as prompts are compared: without case and outer blanks, each once, the longest first."""
    found = {fold(e) for e in endings}
    return tuple(sorted((f for f in found if len(f.decode("utf-8", "replace")) > 1), key=lambda f: (-len(f), f)))


def digest(text: str) -> bytes:
    """8-byte digest of a text."""
    return _hash(text.encode("utf-8", "surrogatepass"))


# White space below 128 that str.split() knows, as blanks, and capitals as small letters.
_WHITE: Final = b" \t\n\v\f\r\x1c\x1d\x1e\x1f"
_BLANKS: Final = bytes.maketrans(_WHITE, b" " * len(_WHITE))
_SMALL_BLANKS: Final = _BLANKS[:65] + bytes(range(97, 123)) + _BLANKS[91:]


def fold(text: str) -> bytes:
    """A text as questions are compared: in small letters, runs of white space as one blank, none at the ends."""
    if not text.isascii():
        return " ".join(text.casefold().split()).encode("utf-8", "surrogatepass")
    return _fold_ascii(text.encode())


def _fold_ascii(data: bytes) -> bytes:
    data = data.translate(_SMALL_BLANKS)
    while (shorter := data.replace(b"  ", b" ")) is not data:  # the same object where there was nothing to replace
        data = shorter
    return data.strip(b" ")


def squeeze(text: str) -> bytes:
    """A text without its white space: enough to compare answers to one question, and cheaper than folding."""
    if not text.isascii():
        return "".join(text.split()).encode("utf-8", "surrogatepass")
    return text.encode().translate(None, _WHITE)


def ask(example: Example, endings: tuple[bytes, ...] = ()) -> bytes:
    """8-byte digest of what is asked, blind to spacing, capitals and one of the separators `endings` at the end."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[:8]
    data = fold(example.prompt)
    if endings and data.endswith(endings):
        data = next(data.removesuffix(e) for e in endings if data.endswith(e)).rstrip(b" ")
    return _hash(data)


def answer(example: Example) -> bytes:
    """8-byte digest of what is answered, blind to white space; a chat's calls count as part of the answer."""
    if isinstance(example, Chat):
        return of_speech(example.speech(), example)[8:16]
    return _hash(squeeze(example.completion))


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
    question = texts[0] if asked == 1 else _BETWEEN.join(texts[:asked])
    reply = texts[-1] if asked == len(texts) - 1 else _BETWEEN.join(texts[asked:])
    try:
        said, told = question.encode(), reply.encode()
    except UnicodeEncodeError:
        said, told = question.encode("utf-8", "surrogatepass"), reply.encode("utf-8", "surrogatepass")
    small = (_fold_ascii(said) if question.isascii() else fold(question)) + opening
    ask = BLANK if not asked else _hash(small + speech.beside.encode() if speech.beside else small)
    answer = _hash(told.translate(None, _WHITE) if reply.isascii() else squeeze(reply))
    if speech.is_plain and not (may_hold_nul and any("\0" in text for text in texts)):
        return ask + answer + _hash(said + opening + told)
    parts = (chat.messages, chat.tools, chat.functions, chat.parallel_tool_calls)
    return ask + answer + _hash(msgspec.json.encode(parts))


def unit(asked: bytes, answered: bytes) -> bytes:
    """The key that a split never parts where most rows ask nothing or the same: what is asked and answered."""
    return _hash(asked + answered)
