"""The fast lane of JSON Lines: lines that are an example and nothing else are decoded straight into it.

What a lane takes is what the ordinary way would have read, at a quarter of its cost: msgspec checks keys and types
while it decodes. All other lines, among them every faulty one, go the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, cast

import msgspec

from ftprep.model import Chat, Message, Pair, Row, Turn, plain_speech
from ftprep.shapes.base import Shape
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.completion import PairShape


class _Talk(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[Turn], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class Lane:
    """`decode` gives what a line says, or raises msgspec.MsgspecError for a line that must go the ordinary way; `enter`
    makes the rows' examples of it and tells how many quotation marks JSON needs to say them, each key written once."""

    decode: Callable[[bytes], Any]
    enter: Callable[[list[Row], list[Any]], int]


def lane_of(shape: Shape | None) -> Lane | None:
    """The lane of a shape, None where it has none."""
    if isinstance(shape, ChatShape):
        return _chat_lane()
    if isinstance(shape, PairShape) and all(columns := (shape.prompt.column, shape.completion.column)):
        return _pair_lane(*columns) if columns[0] != columns[1] else None
    return None


@cache
def _chat_lane() -> Lane:
    return Lane(msgspec.json.Decoder(_Talk).decode, _enter_chats)


def _enter_chats(rows: list[Row], said: list[_Talk | None]) -> int:
    talks = turns = 0
    for row, talk in zip(rows, said, strict=True):
        if talk is not None:
            row.example = Chat(cast("list[Message]", talk.messages))
            row.speech = plain_speech(talk.messages)
            talks += 1
            turns += len(talk.messages)
    return 2 * talks + 8 * turns


@cache
def _pair_lane(prompt: str, completion: str) -> Lane:
    keys = {"prompt": prompt, "completion": completion}
    line = msgspec.defstruct(
        "PairLine",
        [("prompt", str), ("completion", str)],
        rename=keys.__getitem__,
        forbid_unknown_fields=True,
        gc=False,
    )
    return Lane(msgspec.json.Decoder(line).decode, _enter_pairs)


def _enter_pairs(rows: list[Row], said: list[Any]) -> int:
    pairs = 0
    for row, pair in zip(rows, said, strict=True):
        if pair is not None:
            row.example = Pair(pair.prompt, pair.completion)
            pairs += 1
    return 8 * pairs
