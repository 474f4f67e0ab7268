"""What counts as the same: digests of what an example says, for duplicates, conflicts, splits and manifests."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress, repeat
from operator import add
from typing import Final

import msgspec
from xxhash import xxh3_64_digest as _hash
from xxhash import xxh3_64_intdigest as _number

from ftprep.bulk import squeeze
from ftprep.characters import ALL, SETS, TAME, WHITE, WILD
from ftprep.later import later
from ftprep.model import Chat, Example, Pair, Speech, Talk

BLANK = _hash(b"")
"""The digest of asking nothing (an empty prompt)."""


def folded(endings: Iterable[str]) -> tuple[bytes, ...]:
    """Separators as prompts are compared: without case and outer blanks, each once, the longest first."""
    found = {fold(e) for e in endings}
    return tuple(sorted((f for f in found if len(f.decode("utf-8", "replace")) > 1), key=lambda f: (-len(f), f)))


def digest(text: str) -> bytes:
    """8-byte digest of a text."""
    return _hash(_encoded(text))


# White space below 128 that str.split() knows, as blanks, and capitals as small letters.
_WHITE: Final = b" \t\n\v\f\r\x1c\x1d\x1e\x1f"
_BLANKS: Final = bytes.maketrans(_WHITE, b" " * len(_WHITE))
_SMALL_BLANKS: Final = _BLANKS[:65] + bytes(range(97, 123)) + _BLANKS[91:]


# Text of such characters can be folded in UTF-8 as if it were ASCII, since beyond that they are no white space, and
# casefold() leaves them as they are.
_TAME: Final = later(f"[{TAME}]*")
# Text without white space beyond ASCII.
_FILLED: Final = later(f"[^{SETS[WHITE]}]*")


def fold(text: str) -> bytes:
    """A text as questions are compared: in small letters, runs of white space as one blank, none at the ends."""
    return _fold(text, _encoded(text))


def _fold(text: str, encoded: bytes) -> bytes:
    return _fold_tame(encoded) if text.isascii() or _TAME.fullmatch(text) else _fold_wild(text)


def _fold_wild(text: str) -> bytes:
    return _encoded(" ".join(text.casefold().split()))


def _fold_tame(data: bytes) -> bytes:
    data = data.translate(_SMALL_BLANKS)
    while (shorter := data.replace(b"  ", b" ")) is not data:  # the same object where there was nothing to replace
        data = shorter
    return data.strip(b" ")


def _folds(texts: list[str], encoded: list[bytes], kinds: int = ALL) -> list[bytes]:
    """`fold` of each of many texts, which are given in UTF-8 too, with characters of these sets at most."""
    if not kinds & WILD:
        return _fold_all(encoded)
    tame = [text.isascii() or _TAME.fullmatch(text) is not None for text in texts]
    if all(tame):
        return _fold_all(encoded)
    folded = iter(_fold_all(list(compress(encoded, tame))))
    return [next(folded) if is_tame else _fold_wild(text) for text, is_tame in zip(texts, tame, strict=True)]


_NOWHERE: Final = b"\xff"
"""A byte that is in no UTF-8, to tell texts apart."""


def _fold_all(encoded: list[bytes]) -> list[bytes]:
    if not encoded:
        return []
    return list(map(bytes.strip, squeeze(_NOWHERE.join(encoded).translate(_SMALL_BLANKS)).split(_NOWHERE)))


def pack(text: str) -> bytes:
    """A text without its white space: enough to compare answers to one question, and cheaper than folding."""
    return _packs([text], [_encoded(text)])[0]


def _packs(texts: list[str], encoded: list[bytes], kinds: int = ALL) -> list[bytes]:
    """`pack` of each of many texts, which are given in UTF-8 too, with characters of these sets at most."""
    if not kinds & WHITE:
        return _packs_filled(encoded)
    filled = [text.isascii() or _FILLED.fullmatch(text) is not None for text in texts]
    if not all(filled):
        simple = list(compress(encoded, filled))
        packed = iter(_packs_filled(simple))
        return [next(packed) if fits else _pack_wide(text) for text, fits in zip(texts, filled, strict=True)]
    return _packs_filled(encoded)


def _packs_filled(encoded: list[bytes]) -> list[bytes]:
    return _NOWHERE.join(encoded).translate(None, _WHITE).split(_NOWHERE) if encoded else []


def _pack_wide(text: str) -> bytes:
    return _encoded("".join(text.split()))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _all_encoded(texts: list[str]) -> list[bytes]:
    try:
        return list(map(str.encode, texts))  # no call of ours for each
    except UnicodeEncodeError:  # surrogates
        return list(map(_encoded, texts))


def asks(prompts: list[str], endings: tuple[bytes, ...] = ()) -> list[bytes]:
    """`ask` of each of many prompts."""
    return _asks(prompts, _all_encoded(prompts), endings)


def _asks(prompts: list[str], encoded: list[bytes], endings: tuple[bytes, ...], kinds: int = ALL) -> list[bytes]:
    folded = _folds(prompts, encoded, kinds)
    if endings:
        folded = [_without(data, endings) if data.endswith(endings) else data for data in folded]
    return list(map(_hash, folded))


def of_pairs(
    prompts: list[str],
    completions: list[str],
    endings: tuple[bytes, ...] = (),
    asked: list[bytes] | None = None,
    kinds: int = ALL,
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """`ask`, `answer` and `exact` of many pairs, at a fifth of the cost; `asked` is given where it is known, `kinds`
    are the sets of characters of which one may stand in them."""
    questions, replies = _all_encoded(prompts), _all_encoded(completions)
    asked = asked or _asks(prompts, questions, endings, kinds)
    answered = list(map(_hash, _packs(completions, replies, kinds)))
    return asked, answered, list(map(_hash, replies, map(_number, questions)))


def ask(example: Example, endings: tuple[bytes, ...] = ()) -> bytes:
    """8-byte digest of what is asked, blind to spacing, capitals and one of the separators `endings` at the end."""
    if not isinstance(example, Pair):
        return of_speech(example.speech(), example)[:8]
    data = fold(example.prompt)
    return _hash(_without(data, endings) if endings and data.endswith(endings) else data)


def _without(data: bytes, endings: tuple[bytes, ...]) -> bytes:
    return next(data.removesuffix(e) for e in endings if data.endswith(e)).rstrip(b" ")


def answer(example: Example) -> bytes:
    """8-byte digest of what is answered, blind to white space; a chat's calls count as part of the answer."""
    if not isinstance(example, Pair):
        return of_speech(example.speech(), example)[8:16]
    return _hash(pack(example.completion))


def exact(example: Example) -> bytes:
    """8-byte digest of everything that is trained on, to the character; extra columns do not count."""
    if not isinstance(example, Pair):
        return of_speech(example.speech(), example)[16:]
    return _hash(_encoded(example.completion), _number(_encoded(example.prompt)))


_BETWEEN: Final = " \0 "
"""Between two texts that are folded as one: what stands in no sane text, in blanks that folding leaves alone."""


def of_speech(speech: Speech, talk: Talk) -> bytes:
    """`ask`, `answer` and `exact` of what is no pair, one behind the other."""
    return of_speeches([speech], [talk])[0]


def of_speeches(speeches: list[Speech], talks: list[Talk], may_hold_nul: bool = True, kinds: int = ALL) -> list[bytes]:
    """`of_speech` of many, at half the cost; `may_hold_nul` is False where it is known that no text holds NUL, `kinds`
    are the sets of characters of which one may stand in them."""
    questions = [s.texts[0] if s.asked == 1 else _BETWEEN.join(s.texts[: s.asked]) for s in speeches]
    replies = [s.texts[-1] if s.asked == len(s.texts) - 1 else _BETWEEN.join(s.texts[s.asked :]) for s in speeches]
    said, told = _all_encoded(questions), _all_encoded(replies)
    openings = [s.cast.opening for s in speeches]
    small = list(map(add, _folds(questions, said, kinds), openings))
    asked = [
        (_hash(question + speech.beside.encode()) if speech.beside else _hash(question)) if speech.asked else BLANK
        for speech, question in zip(speeches, small, strict=True)
    ]
    whole = [
        _hash(
            asks + opening + answers
            if speech.is_plain and not (may_hold_nul and _holds_nul(speech))
            else _everything(talk)
        )
        for speech, talk, asks, opening, answers in zip(speeches, talks, said, openings, told, strict=True)
    ]
    return list(map(bytes.join, repeat(b""), zip(asked, map(_hash, _packs(replies, told, kinds)), whole, strict=True)))


def _holds_nul(speech: Speech) -> bool:
    return "\0" in "".join(speech.texts)


def _everything(talk: Talk) -> bytes:
    """All that is trained on, without the record's other keys."""
    if isinstance(talk, Chat):
        return msgspec.json.encode((talk.messages, talk.tools, talk.functions, talk.parallel_tool_calls))
    return msgspec.json.encode(msgspec.structs.replace(talk, extra=None))


def unit(asked: bytes, answered: bytes) -> bytes:
    """The key that a split never parts where most rows ask nothing or the same: what is asked and answered."""
    return _hash(asked + answered)
