"""Telling by sight what a record is: which dialect, a conversation, a pair of texts, or something that is not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ftprep.model import Fault
from ftprep.shapes.columns import choose_completion, choose_prompt
from ftprep.shapes.dialect import Dialect
from ftprep.shapes.foreign import READS, recognise
from ftprep.shapes.quoting import make_excerpt

Record = Mapping[str, Any]

CHAT, PAIR = "openai-chat", "openai-completion"

TITLES = {CHAT: "conversations (messages with roles)", PAIR: "prompt/completion examples"}

# Not told of one record: a conversation that waits for an answer, or a prompt, may be one that lacks it, and which
# column of a table is its text is told with its other columns.
_BY_TABLE = ("openai-reinforcement", "bedrock-reinforcement", "trl-prompt", "text")

_USUAL = frozenset(("role", "content"))
_ROLES = ("system", "developer", "user", "assistant")

# Beside messages of bare text, a dialect or a kind that is not read may claim a record by one of these alone.
_CLAIMS = frozenset((
    "available_tools", "chosen", "completions", "contents", "image", "images", "input_ids", "instances", "kto_tag",
    "label", "labels", "non_preferred_completion", "non_preferred_output", "only_last", "preferred_completion",
    "preferred_output", "rejected", "rejected_messages", "rejected_response", "schemaVersion", "system",
    "system_prompt",
))  # fmt: skip


@cache
def all_dialects() -> dict[str, Dialect]:
    """All dialects by name, in the order in which a record is asked whether it is one of them. Imported when first
    asked for: most sets need none of them."""
    from ftprep.shapes.dialects.catalogue import DIALECTS

    return {dialect.name: dialect for dialect in DIALECTS}


def dialect_called(name: str) -> Dialect | None:
    """The dialect of that name, None for one that is a shape of its own or is not known."""
    return None if name in TITLES else all_dialects().get(name)


def title_of(name: str) -> str:
    """What a kind of records is called in words."""
    if name in TITLES:
        return TITLES[name]
    dialect = all_dialects().get(name)
    return dialect.title if dialect else name


def sight(record: Record) -> str:
    """The name of the dialect that a record is written in, `openai-chat` and `openai-completion` among them; of what is
    not read, words that say what it is."""
    if usual := _usual(record):
        return usual
    for dialect in all_dialects().values():
        if (dialect.name not in _BY_TABLE or _is_asked(record)) and dialect.fits(record):
            return dialect.name
    foreign = recognise(record)
    if foreign:
        return foreign
    return CHAT if isinstance(record.get("messages"), (list, tuple, dict)) else PAIR


def _is_asked(record: Record) -> bool:
    """Whether a record is a prompt in messages, which is never a column that lacks its completion."""
    return isinstance(record.get("prompt"), (list, tuple))


def _usual(record: Record) -> str:
    """What a record is that no dialect claims, without asking: bare turns of text, or a prompt and a completion."""
    if record.keys() == {"prompt", "completion"} and all(isinstance(text, str) for text in record.values()):
        return PAIR
    messages = record.get("messages")
    if not isinstance(messages, list) or not messages or not _CLAIMS.isdisjoint(record):
        return ""
    bare = all(isinstance(m, dict) and m.keys() == _USUAL and isinstance(m["content"], str) for m in messages)
    return CHAT if bare and all(m["role"] in _ROLES for m in messages) else ""


def is_read(name: str) -> bool:
    """Whether what `sight` says is the name of a dialect."""
    return name in TITLES or name in all_dialects()


def strange(record: Record, own: str) -> Iterator[Fault]:
    """That a record among records of the dialect `own` is of another; nothing where it is not."""
    if own == "key-map":
        return  # the recipe says what these are
    in_messages = own in (CHAT, "openai-reinforcement", "bedrock-reinforcement")
    if in_messages and record.get("messages") is not None:
        return  # whatever is wrong in it, it was meant as one
    name = sight(record)
    if name == own or (in_messages and name == "renamed-chat") or (name == PAIR and not _is_pair(record)):
        return
    if is_read(name):
        message = f"{title_of(name)} among {title_of(own)}: keep one form in a file"
        yield Fault("FMT117", message, excerpt=make_excerpt(record))
    else:
        yield Fault("FMT101", f"this is {name}; {READS}", excerpt=make_excerpt(record))


def _is_pair(record: Record) -> bool:
    columns = [k for k in record if isinstance(k, str)]
    completion = choose_completion(columns, ())
    return completion is not None and choose_prompt(columns, completion.template.columns) is not None
