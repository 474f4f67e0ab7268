"""What counts as the same: digests of what an example says, for duplicates, conflicts, splits and manifests."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import xxhash

from ftprep.model import Chat, Example, Pair, Speech

BLANK = xxhash.xxh3_64_digest(b"")
"""The digest of asking nothing (an empty prompt)."""


def fold(text: str) -> str:
    """The text with runs of white space as one blank and none at the ends."""
    text = text.strip()
    # The blank is the only white space that is printable, so such a text has nothing to fold: five times faster.
    return text if text.isprintable() and "  " not in text else " ".join(text.split())


def folded(endings: Iterable[str]) -> tuple[str, ...]:
    """Separators as prompts are compared: without case and outer blanks, each once, the longest first."""
    found = {fold(e.casefold()) for e in endings}
    return tuple(sorted((f for f in found if len(f) > 1), key=lambda f: (-len(f), f)))


def digest(text: str) -> bytes:
    """8-byte digest of a text."""
    return xxhash.xxh3_64_digest(text.encode("utf-8", "surrogatepass"))


def _folded(texts: list[str]) -> str:
    # Folded all at once; the character between two texts is no white space and stands in no sane text.
    joined = " ".join("\0".join(texts).split())
    return joined.replace(" \0", "\0").replace("\0 ", "\0")


def ask(example: Example, endings: tuple[str, ...] = ()) -> bytes:
    """8-byte digest of what is asked, blind to spacing, capitals and one of the separators `endings` at the end."""
    if isinstance(example, Pair):
        text = fold(example.prompt.casefold())
        for ending in endings:
            if text.endswith(ending):
                text = text[: -len(ending)].rstrip()
                break
        return digest(text)
    return ask_in(example.speech())


def answer(example: Example) -> bytes:
    """8-byte digest of what is answered, blind to spacing; a chat's calls count as part of the answer."""
    if isinstance(example, Pair):
        return digest(fold(example.completion))
    return answer_in(example.speech())


def ask_in(speech: Speech) -> bytes:
    """`ask` of a conversation whose speech is at hand."""
    if not speech.asked:
        return BLANK
    return digest(f"{_folded(speech.texts[: speech.asked]).casefold()}\0{speech.beside}")


def answer_in(speech: Speech) -> bytes:
    """`answer` of a conversation whose speech is at hand."""
    return digest(_folded(speech.texts[speech.asked :]))


def exact(example: Example) -> bytes:
    """8-byte digest of everything that is trained on, to the character; extra columns do not count."""
    if isinstance(example, Chat):
        said = msgspec.json.encode((example.messages, example.tools, example.functions, example.parallel_tool_calls))
        return xxhash.xxh3_64_digest(said)
    return digest(f"{len(example.prompt)}:{example.prompt}{example.completion}")


def unit(asked: bytes, answered: bytes) -> bytes:
    """The key that a split never parts where most rows ask nothing or the same: what is asked and answered."""
    return xxhash.xxh3_64_digest(asked + answered)
