"""Examples as they are trained on, for people: each segment on lines of its own, with a mark that needs no colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ftprep.views.plain import Paint, columns, finish, safe, wrap
from ftprep.views.wording import counted, share

if TYPE_CHECKING:
    from ftprep.rendering import Rendered, Sample, Samples, Segment

LONGEST = 6000
"""Characters of a segment that are shown, half from each end; JSON has all."""

_NARROWEST = 30
_WHO = 16
_LINES = re.compile("[^\n]*\n|[^\n]+")
_MARKS = {True: ("▸", "✂", "│", "␣"), False: (">", "x", "|", "\\x20")}
_STYLES = {"template": ("cyan", "dim"), "trained": ("bold", "green"), "cut": ("red", "strike"), "read": ("dim",)}
_LABELS = {
    "chosen": "the chosen answer",
    "rejected": "the rejected answer",
    "good": "an answer marked as good",
    "bad": "an answer marked as bad",
}


def rendered_page(samples: Samples, *, color: bool, width: int, blocks: bool) -> str:
    """All examples; `blocks` says whether the terminal can show more than ASCII."""
    view = _View(Paint(color), max(width, _WHO + 12 + _NARROWEST), blocks)
    return finish(view.lines(samples))


class _View:
    def __init__(self, paint: Paint, width: int, blocks: bool) -> None:
        self.paint = paint
        self.width = width
        self.trained, self.cut, self.bar, self.blank = _MARKS[blocks]
        self.room = width - _WHO - 12

    def lines(self, samples: Samples) -> Iterator[str]:
        """The legend, the examples, what holds for all of them."""
        everything = [text for one in samples.examples for text in one.texts]
        if any(text.segments for text in everything):
            legend = f"{self.trained} trained on    {self.cut} cut off    all else is read only"
            yield from (legend, "")
        shared = _shared([r.notes for r in everything])
        for one in samples.examples:
            yield from self._sample(one, shared)
        for note in (*samples.notes, *shared):
            yield from wrap(f"note: {safe(note)}", self.width)
        if samples.missing:
            rows = ", ".join(map(str, samples.missing))
            yield from wrap(f"no such row: {rows}", self.width)

    def _sample(self, one: Sample, shared: tuple[str, ...]) -> Iterator[str]:
        place = f"{safe(one.source)}:{one.line}"
        if not one.texts:
            yield from wrap(f"{place}  no example: {safe(one.reason)}", self.width)
            yield ""
        for text in one.texts:
            head = f"{place}  {_LABELS[text.label]}" if text.label in _LABELS else place
            yield self.paint(head, "bold")
            yield from self._text(text)
            yield from (line for n in text.notes if n not in shared for line in wrap(f"note: {safe(n)}", self.width))
            yield ""

    def _text(self, text: Rendered) -> Iterator[str]:
        if text.refused:
            yield from wrap(safe(text.refused), self.width)
            return
        for segment in text.segments:
            yield from self._segment(segment, _who(segment, text))
        yield from wrap(_sum(text), self.width)

    def _segment(self, segment: Segment, who: str) -> Iterator[str]:
        mark = self.cut if segment.cut else self.trained if segment.trained else " "
        style = "cut" if segment.cut else "trained" if segment.trained else segment.kind
        styles = _STYLES.get(style, _STYLES["read"])
        is_told = segment.tokens is not None and (segment.tokens or segment.kind != "template")
        tokens = f"{segment.tokens:,}" if is_told else ""
        for number, line in enumerate(self._folded(segment.text)):
            gutter = f"{mark} {who if not number else '':<{_WHO}} {tokens if not number else '':>6} {self.bar} "
            yield (gutter + self.paint(line, *styles)).rstrip()

    def _folded(self, text: str) -> Iterator[str]:
        r"""The text in lines of the room there is, all of it: line ends as \n and a new line, blanks at ends marked."""
        if len(text) > LONGEST:
            half, left = LONGEST // 2, len(text) - LONGEST
            text = f"{text[:half]}\n… {left:,} characters are not shown …\n{text[-half:]}"
        for part in _LINES.findall(text):
            line, used, word = "", 0, 0  # `word` is where the last word begins, in characters of the line
            for char in part:
                piece = safe(char)
                size = columns(piece)
                if used + size > self.room:
                    stop = word or len(line)
                    yield line[:stop]
                    line, word = line[stop:], 0
                    used = columns(line)
                line, used = line + piece, used + size
                word = len(line) if char == " " else word
            yield self._ended(line)

    def _ended(self, line: str) -> str:
        """A line whose last blanks can be seen."""
        bare = line.rstrip(" ")
        return bare + self.blank * (len(line) - len(bare))


def _who(segment: Segment, text: Rendered) -> str:
    if segment.message is None:
        return segment.kind
    role = safe(text.roles[segment.message])[: _WHO - 4] if segment.message < len(text.roles) else ""
    return f"{segment.message} {role}" if segment.kind != "template" else "  template"


def _sum(text: Rendered) -> str:
    """What each message takes, and all together."""
    parts = []
    for one in text.by_message():
        around = f" + {one.template:,}" if one.template is not None else ""
        parts.append(f"{safe(one.role)} {one.words:,}{around}")
    if text.beside:
        parts.append(f"example {text.beside:,}")
    about = "" if text.exact else "about "
    least = "" if text.is_complete else "at least "
    told = f"tokens: {', '.join(parts)}: {least or about}{text.tokens:,} in all, {text.trained_tokens:,} trained on"
    if text.trained_tokens:
        told += f" ({share(text.trained_tokens, text.tokens)})"
    if text.cut_tokens:
        told += f"; {counted(text.cut_tokens, 'token')} beyond the limit of {text.limit:,} cut off"
        if not text.trained_tokens:
            told += ", and with them all that would be trained on"
    return f"{told}. Counted: {safe(text.counting)}."


def _shared(all_notes: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The notes that every text has, which are said once."""
    if len(all_notes) < 2:
        return all_notes[0] if all_notes else ()
    return tuple(n for n in all_notes[0] if all(n in notes for notes in all_notes))
