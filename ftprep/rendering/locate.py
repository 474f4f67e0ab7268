"""Where texts stand in what a template made of them, and the segments that follow from that."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ftprep.rendering.values import Kind, Segment

_MARK = re.compile("(\ue0f2[0-9]+\ue0f3)")


@dataclass(frozen=True, order=True)
class Span:
    """Characters from `start` up to `stop` of a text; `message` is None where it is none's alone."""

    start: int
    stop: int
    message: int | None
    kind: Kind


def spans_of_marks(text: str, marked: str | None, texts: Mapping[str, tuple[int, Kind, str]]) -> list[Span] | None:
    """Where each text stands, by what the template makes of the same conversation with marks for texts.

    It is proved by putting the texts in place of the marks again, as they are or without blanks at their ends, which
    must give `text`; None where it does not, because the template looks into texts.
    """
    if marked is None:
        return None
    spans, at = list[Span](), 0
    pieces = _MARK.split(marked)
    for number, piece in enumerate(pieces):
        if piece not in texts:
            if not text.startswith(piece, at):
                return None
            at += len(piece)
            continue
        message, kind, own = texts[piece]
        follows = pieces[number + 1]
        for form in dict.fromkeys((own, own.strip(), own.rstrip(), own.lstrip(), own.strip("\n"), own.lstrip("\n"))):
            if text.startswith(form + follows, at):
                spans.append(Span(at, at + len(form), message, kind))
                at += len(form)
                break
        else:
            return None
    return spans if at == len(text) else None


def split_text(text: str, words: Sequence[Span], trained: Sequence[Span], ends: Sequence[int] | None) -> list[Segment]:
    """The text in segments: words, trained parts, and what the template adds; `ends` is where each message ends, where
    that is known."""
    cuts = {0, len(text), *(ends or ())}
    for span in (*words, *trained):
        cuts |= {span.start, span.stop}
    edges = sorted(c for c in cuts if 0 <= c <= len(text))
    word_at, trained_at = _cover(words, edges), _cover(trained, edges)
    segments, message = list[Segment](), 0
    for begin, end in itertools.pairwise(edges):
        while ends and message < len(ends) - 1 and begin >= ends[message]:
            message += 1
        word, learnt = word_at.get(begin), trained_at.get(begin)
        kind: Kind = word.kind if word else "call" if learnt and learnt.kind == "call" else "template"
        owner = word.message if word else learnt.message if learnt else message if ends else None
        segments.append(Segment(text[begin:end], kind, owner, learnt is not None))
    return segments


def _cover(spans: Sequence[Span], edges: Sequence[int]) -> dict[int, Span]:
    """Of each edge the span that holds what begins there."""
    found: dict[int, Span] = {}
    todo = sorted(spans)
    for edge in edges:
        while todo and todo[0].stop <= edge:
            todo.pop(0)
        if todo and todo[0].start <= edge:
            found[edge] = todo[0]
    return found
