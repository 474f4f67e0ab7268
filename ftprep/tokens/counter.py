"""Counting tokens: exact, equal to tiktoken's `encode_ordinary`, by the engine that is faster for what there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal, get_args

from ftprep.errors import MissingExtra, UsageError
from ftprep.foreign import words_of
from ftprep.tokens import engines
from ftprep.tokens.encodings import encoding as load_encoding
from ftprep.tokens.encodings import find_spec
from ftprep.tokens.excerpt import MOST_BYTES, excerpt
from ftprep.tokens.longtext import LONG, encode_long, encode_pieces, repaired

if TYPE_CHECKING:
    import tiktoken

Engine = Literal["auto", "tiktoken", "fastokens", "gigatoken"]

# How the fast engine is held against tiktoken: the first texts, up to either bound, then one text in every _EVERY.
# At ten times the cost a text, one in 997 (a prime, so that no pattern in the data hides from it) costs one percent.
_FIRST_TEXTS: Final = 200
_FIRST_CHARACTERS: Final = 200_000
_EVERY: Final = 997


class Counter:
    """Counts the tokens of texts in one encoding; text that looks like a special token counts as ordinary text.

    `engine` is "tiktoken", "fastokens" or "gigatoken" (MissingExtra if it is not installed) or "auto": tiktoken until
    so much text has been counted that loading a fast engine pays, then the one that suits the text of those that are
    installed. `expected` is how many characters are to come, if that is known, so that "auto" need not wait. Raises
    UsageError for an unknown encoding or engine.

    What a fast engine counts is held against tiktoken on a sample; on any difference, or if it fails, tiktoken counts
    from there on and `note` says so. `inexact` is how many texts were estimated: those with a single word of more than
    two million characters, and those a fast engine had counted unchecked before it was found to differ. Lone surrogates
    count as tiktoken counts them, as U+FFFD.

    A Counter pickles as its arguments and loads where it is used; after `load` it may also be forked. Use one a thread.
    """

    def __init__(self, encoding: str, engine: Engine = "auto", expected: int = 0) -> None:
        find_spec(encoding)
        if engine not in get_args(Engine):
            message = f"there is no token engine named {engine!r}"
            raise UsageError(message, f"known: {', '.join(get_args(Engine))}")
        if engine not in ("auto", "tiktoken") and not engines.is_installed(engine):
            raise MissingExtra(f"counting with {engine}", "fast")
        self.encoding = encoding
        self.engine = engine
        self.expected = expected
        self.inexact = 0
        self.note = ""
        self._seen = 0
        self._fast: engines.Encoder | None = None
        self._fast_texts = 0
        self._settled = engine == "tiktoken"  # whether to think no more about changing the engine

    def __reduce__(self) -> tuple[type[Counter], tuple[str, Engine, int]]:
        return Counter, (self.encoding, self.engine, self.expected)

    @property
    def used(self) -> str:
        """The engine that counted last."""
        return self._fast.engine if self._fast else "tiktoken"

    def load(self, sample: str = "") -> None:
        """Load now what the next count would load, so that forked workers share it; `sample` is text as it is to
        come."""
        if not self._settled:
            self._start_fast([sample], fresh=True)
        load_encoding(self.encoding)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, in order."""
        if not self._settled and not self._start_fast(texts):
            self._seen += sum(map(len, texts))
        return self._count_fast(texts) if self._fast else self._count_plain(texts)

    def split(self, text: str) -> list[bytes]:
        """Return the bytes of each token of `text`; joined, they are the text in UTF-8."""
        decode = self._plain([text]).decode_single_token_bytes
        return [decode(token) for token in chain.from_iterable(ids for ids, _ in self._encode(text))]

    def pieces(self, text: str) -> list[str]:
        r"""Return each token of `text` to show to a person: bytes that are only part of a character show as \xNN."""
        return [token.decode("utf-8", "backslashreplace") for token in self.split(text)]

    def first_token(self, text: str) -> bytes:
        """Return the bytes of the first token of `text`; b"" if it is empty."""
        ids = next((ids for ids, _ in self._encode(text) if ids), [])
        return self._plain([text]).decode_single_token_bytes(ids[0]) if ids else b""

    def _plain(self, texts: Sequence[str]) -> tiktoken.Encoding:
        """tiktoken's encoding, as much of it as these texts need."""
        if self.expected > MOST_BYTES:
            return load_encoding(self.encoding)
        return excerpt(self.encoding).covering(texts)

    def _start_fast(self, texts: Sequence[str], fresh: bool = False) -> bool:
        """Load a fast engine for texts like these if that pays; whether to think no more about it."""
        engine: str | None = self.engine
        if engine == "auto":
            engine = engines.paying(self.encoding, max(self.expected, self._seen), texts, fresh)
        if engine is None:
            return False
        self._settled = True
        try:
            self._fast = engines.load(self.encoding, engine) if engine else None
        except BaseException as error:
            if not _is_failure(error):
                raise
            self.note = f"{engine} could not be loaded for {self.encoding} ({words_of(error)}); tiktoken counts"
        return True

    def _count_fast(self, texts: Sequence[str]) -> list[int]:
        if self._fast is None:
            return self._count_plain(texts)
        try:
            counts, estimated = self._fast.count(texts)
        except BaseException as error:
            if not _is_failure(error):
                raise
            self.note = f"{self.used} failed ({words_of(error)}); tiktoken counts from there on"
            self._fast = None
            return self._count_plain(texts)
        if difference := self._difference(texts, counts):
            self.inexact += self._fast_texts
            self.note = (
                f"{self.used} {difference}; tiktoken counts from there on, and {self._fast_texts} texts counted before "
                "may be off"
            )
            self._fast = None
            return self._count_plain(texts)
        self._fast_texts += len(texts)
        self.inexact += estimated
        return counts

    def _difference(self, texts: Sequence[str], counts: list[int]) -> str:
        """Count a sample of the texts with tiktoken too, and say how the first that differs differs."""
        for i in self._sample(texts):
            if (plain := sum(len(ids) for ids, _ in self._encode(texts[i]))) != counts[i]:
                return f"counted {counts[i]} tokens where tiktoken counts {plain}"
        return ""

    def _sample(self, texts: Sequence[str]) -> Iterator[int]:
        characters = 0
        checked_before = self._fast_texts
        for i in range(min(len(texts), max(0, _FIRST_TEXTS - checked_before))):
            yield i
            if (characters := characters + len(texts[i])) > _FIRST_CHARACTERS:
                break
        yield from range(-checked_before % _EVERY, len(texts), _EVERY)

    def _count_plain(self, texts: Sequence[str]) -> list[int]:
        # One by one: tiktoken's own batch call hands each text to a thread, 2.5 times as slow when texts are short.
        encode = self._plain(texts).encode_ordinary
        try:
            return [len(encode(text)) if len(text) < LONG else self._count_guarded(text) for text in texts]
        except BaseException as error:
            if not _is_panic(error):
                raise
        return [self._count_guarded(text) for text in texts]

    def _count_guarded(self, text: str) -> int:
        total, exact = 0, True
        for ids, is_exact in self._encode(text):
            total += len(ids)
            exact = exact and is_exact
        self.inexact += not exact
        return total

    def _encode(self, text: str) -> Iterator[tuple[list[int], bool]]:
        """Yield the token ids of any text in parts, each with whether it is exact."""
        plain = self._plain([text])
        if len(text) >= LONG:
            yield from encode_long(plain, text)
            return
        try:
            ids = plain.encode_ordinary(text)
        except BaseException as error:
            if not _is_panic(error):
                raise
            yield from encode_pieces(plain, repaired(text))
        else:
            yield ids, True


def _is_panic(error: BaseException) -> bool:
    """Rust code that panics raises this; its class has no public name, and is no Exception."""
    return type(error).__name__ == "PanicException"


def _is_failure(error: BaseException) -> bool:
    """Whatever stops the fast engine must not stop the count; a request to stop must."""
    return isinstance(error, Exception) or _is_panic(error)
