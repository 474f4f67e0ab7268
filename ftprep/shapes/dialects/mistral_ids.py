"""Ids of calls as Mistral wants them: nine letters or digits, the same for a call and its answer."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

import xxhash

from ftprep.model import Message

_RIGHT = re.compile(r"[a-zA-Z0-9]{9}")
_LETTERS = string.ascii_letters + string.digits
LENGTH = 9


def choose_ids(messages: Iterable[Message]) -> dict[str, str]:
    """A right id for each one of a conversation: itself where it is right, else one that follows from it alone (and,
    where two would meet, from their order). No two become one."""
    said: dict[str, None] = {}
    for message in messages:
        said.update(dict.fromkeys(call.id for call in message.tool_calls or ()))
        if message.tool_call_id is not None:
            said[message.tool_call_id] = None
    chosen = {one: one for one in said if _RIGHT.fullmatch(one)}
    taken = set(chosen)
    for one in said:
        if one not in chosen:
            chosen[one] = next(new for n in range(len(said) + 1) if (new := _derive(one, n)) not in taken)
            taken.add(chosen[one])
    return chosen


def _derive(one: str, attempt: int) -> str:
    # Half of a surrogate pair may be in it.
    told = f"{attempt}\0{one}".encode("utf-8", "surrogatepass")
    number = xxhash.xxh3_128_intdigest(told)
    letters = []
    for _ in range(LENGTH):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)
