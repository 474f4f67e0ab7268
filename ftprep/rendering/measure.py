"""Counts the tokens of what was rendered, and marks what lies beyond the limit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ftprep.errors import MissingExtra, UsageError
from ftprep.foreign import words_of
from ftprep.rendering.values import Rendered, Segment
from ftprep.tokens import Counter

MOST_BYTES = 256 * 1024 * 1024
"""Of a tokenizer.json; the largest known have 33 MB."""


def count_words(rendered: Rendered, counter: Counter) -> Rendered:
    """The same with the tokens of its words by an encoding of OpenAI; those of the template stay as they are."""
    words = [n for n, s in enumerate(rendered.segments) if s.tokens is None and s.kind != "template"]
    counts = counter.count([rendered.segments[n].text for n in words])
    found = dict(zip(words, counts, strict=True))
    segments = tuple(replace(s, tokens=found[n]) if n in found else s for n, s in enumerate(rendered.segments))
    how = f"words with {counter.encoding}"
    if rendered.counting:
        how += f", the template by {rendered.counting}"
    elif any(s.tokens is None for s in segments):
        how += "; the template's control tokens are not counted: that encoding has none of them"
    return replace(rendered, segments=segments, counting=how)


class Vocabulary:
    """The vocabulary of a model, from its tokenizer.json; raises MissingExtra and UsageError."""

    def __init__(self, path: Path) -> None:
        try:
            import tokenizers
        except ImportError:
            raise MissingExtra("counting with a tokenizer.json", "templates") from None
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than any tokenizer", "give the tokenizer.json of the model")
        self.path = path
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(path))
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
        except BaseException as error:
            if not _is_failure(error):
                raise
            message = f"{path}: no tokenizer could be read: {words_of(error)}"
            raise UsageError(message, "give the one of the model") from None

    def starts(self, text: str) -> list[int]:
        """The character in the text at which each token starts."""
        clean = text.encode("utf-8", "replace").decode() if not text.isascii() else text
        found = self._tokenizer.encode(clean, add_special_tokens=False)
        return [start for start, _ in found.offsets]


def _is_failure(error: BaseException) -> bool:
    """Whether it is a failure of the package: its panics are no Exceptions."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def count_exactly(rendered: Rendered, vocabulary: Vocabulary, limit: int | None) -> Rendered:
    """The same with all tokens by the model's own vocabulary, each where it starts, cut at `limit` tokens."""
    starts = vocabulary.starts(rendered.text)
    segments = list(rendered.segments)
    if limit is not None and len(starts) > limit:
        segments = list(_cut_at(segments, starts[limit]))
    counted, begin, before = [], 0, 0
    for segment in segments:
        begin += len(segment.text)
        upto = bisect_right(starts, begin - 1)
        counted.append(replace(segment, tokens=upto - before))
        before = upto
    how = f"exactly with {vocabulary.path.name}"
    return replace(rendered, segments=tuple(counted), counting=how, exact=True, beside=0, limit=limit)


def _cut_at(segments: Sequence[Segment], at: int) -> Iterator[Segment]:
    """The segments, all from this character on marked as cut."""
    begin = 0
    for segment in segments:
        end = begin + len(segment.text)
        if begin < at < end:
            yield replace(segment, text=segment.text[: at - begin], tokens=None)
            yield replace(segment, text=segment.text[at - begin :], tokens=None, cut=True)
        else:
            yield replace(segment, cut=begin >= at)
        begin = end


def cut_words(rendered: Rendered, counter: Counter, limit: int | None) -> Rendered:
    """The same, with what the limit cuts off the end marked: by the tokens that are known, which may be too few."""
    if limit is None or rendered.tokens <= limit:
        return replace(rendered, limit=limit)
    left, segments = max(0, limit - rendered.beside), list[Segment]()
    for segment in rendered.segments:
        size = segment.tokens or 0
        if left >= size and (left or not size):
            segments.append(replace(segment, cut=not left and bool(segments) and segments[-1].cut))
        elif not left or segment.kind in ("template", "image"):
            segments.append(replace(segment, cut=True))
        else:
            segments += _parted(segment, counter, left)
        left = max(0, left - size) if not segments[-1].cut else 0
    return replace(rendered, segments=tuple(segments), limit=limit)


def _parted(segment: Segment, counter: Counter, kept: int) -> Iterator[Segment]:
    """A segment in two after so many tokens; a character that the limit splits is cut off."""
    tokens = counter.split(segment.text)
    head = b"".join(tokens[:kept]).decode("utf-8", "ignore")
    if not head:
        yield replace(segment, cut=True)
        return
    yield replace(segment, text=segment.text[: len(head)], tokens=kept)
    yield replace(segment, text=segment.text[len(head) :], tokens=len(tokens) - kept, cut=True)
