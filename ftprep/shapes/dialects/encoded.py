"""Conversations inside a text column, as JSON or as Python prints them, from CSV, Parquet or double encoding."""

from __future__ import annotations

import ast
import math
import re
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec

from ftprep.model import Example, ShapeName
from ftprep.shapes.chat import CHAT_KEYS, MESSAGE_KEYS
from ftprep.shapes.dialect import Dialect, Parsed, Record, Written, locate
from ftprep.shapes.dialects.ledger import Ledger, to_chat
from ftprep.shapes.dialects.renamed import KEYS
from ftprep.shapes.dialects.wire import IMAGE_KEYS, cover, decode, is_list, objects, read_tools, spell
from ftprep.shapes.quoting import make_pointer

COLUMNS = ("messages", *KEYS, "prompt", "completion", "history")
"""Columns that hold a list of messages, or of pairs, where they are no text."""

LONGEST_LITERAL = 1_000_000
"""Characters of Python text that are read: its parser takes some hundred bytes for each (CPython 3.11)."""

DEEPEST_LITERAL = 64

Spelling = Literal["json", "python", ""]

# Texts, brackets, and what numpy prints between the objects of an array: a blank instead of a comma.
_TOKENS = re.compile(r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|\}\s+(?=\{)|[\[\](){}]""", re.DOTALL)


@dataclass(frozen=True)
class EncodedChat:
    """Columns whose text is a list of messages; the record with the lists is read by the dialect that fits it, or as
    it is. A text that cannot be decoded stays, for a rule to name."""

    dialects: tuple[Dialect, ...] = ()

    name: ClassVar[str] = "encoded-chat"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "chat data whose messages are JSON inside a text"

    def fits(self, record: Record) -> bool:
        """Whether a column of messages is such a text."""
        told = {k: v[0] for k, v in _decoded(record).items()}
        if not told:
            return False
        opened = {**record, **told}
        own = any("role" in m for m in objects(told.get("messages")))
        return own or any(d.fits(opened) for d in self.dialects)

    def parse(self, record: Record) -> Parsed:
        """The conversation; all that was inside a text stands where the text does."""
        told = _decoded(record)
        if not told:
            return Parsed(dict(record))
        opened = {**record, **{k: v[0] for k, v in told.items()}}
        if isinstance(opened.get("tools"), str):
            opened["tools"] = read_tools(opened["tools"])
        dialect = next((d for d in self.dialects if d.fits(opened)), None)
        parsed = dialect.parse(opened) if dialect else Parsed(opened)
        texts = {make_pointer(key) for key in opened if opened[key] is not record.get(key)}
        every: dict[str, str] = {}
        for key in (k for k in parsed.record if k in CHAT_KEYS or k in told):
            cover(every, make_pointer(key), parsed.record[key], "")
        paths = {at: f"/{locate(parsed.paths, at).split('/')[1]}" for at in every if "/" in locate(parsed.paths, at)}
        return Parsed(parsed.record, {**parsed.paths, **{at: to for at, to in paths.items() if to in texts}})

    def write(self, example: Example) -> Written:
        """The conversation with messages and tools as JSON text."""
        chat = to_chat(example)
        ledger = Ledger(chat, *CHAT_KEYS)
        data = msgspec.to_builtins(chat)
        turns = []
        for place, message in enumerate(data["messages"]):
            turn = {k: v for k, v in message.items() if k in MESSAGE_KEYS}
            turns.append(ledger.put_turn_extra(turn, chat.messages[place], place))
        record = {k: v for k, v in data.items() if k in CHAT_KEYS} | {"messages": spell(turns)}
        if chat.tools is not None:
            record["tools"] = spell(chat.tools)
        if decode(record["messages"] or "") != turns or read_tools(record.get("tools")) != chat.tools:
            ledger.lose("the form of the tools or messages")
        elif any(dialect.fits({"messages": turns}) for dialect in self.dialects):
            ledger.lose("keys of messages that mean something else elsewhere")
        return ledger.finish(record, *COLUMNS, *IMAGE_KEYS, "system", "instruction", "query")


def open_text(text: str) -> tuple[Any, Spelling]:
    """The list that a text says, and how it is spelt: as JSON, or as Python or numpy print it; None and "" for
    another text."""
    start = text[:80].lstrip()[:1]
    if start != "[" or text[-80:].rstrip()[-1:] != "]":
        return None, ""
    value = decode(text)
    if is_list(value):
        return value, "json"
    value = _literal(text)
    return (value, "python") if is_list(value) else (None, "")


def _decoded(record: Record) -> dict[str, tuple[Any, Spelling]]:
    """The columns that are texts of lists."""
    found: dict[str, tuple[Any, Spelling]] = {}
    for key in COLUMNS:
        text = record.get(key)
        if isinstance(text, str):
            value, spelling = open_text(text)
            if spelling and (key == "history" or objects(value)):
                found[key] = value, spelling
    return found


def _literal(text: str) -> Any:
    """What a Python literal says, if JSON can say it too; None else. Nothing is run."""
    if len(text) > LONGEST_LITERAL:
        return None
    depth = deepest = 0
    for found in _TOKENS.finditer(text):
        depth += (found[0] in ("[", "(", "{")) - (found[0][0] in "])}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST_LITERAL:
        return None
    listed = _TOKENS.sub(lambda m: "}, " if len(m[0]) > 1 and m[0][0] == "}" else m[0], text.strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(listed, mode="eval")
            if any(_repeats_key(node) for node in ast.walk(tree)):
                return None
            value = ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if _is_plain(value) else None


def _repeats_key(node: ast.AST) -> bool:
    keys = [k.value for k in node.keys if isinstance(k, ast.Constant)] if isinstance(node, ast.Dict) else []
    return len(set(keys)) < len(keys)


def _is_plain(value: Any) -> bool:
    """Whether JSON can say a value of a literal."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if not all(isinstance(k, str) for k in found):
                return False
            waiting += [*found, *found.values()]
        elif isinstance(found, (list, tuple)):
            waiting += found
        elif isinstance(found, str):
            if not found.isascii() and any("\ud800" <= c <= "\udfff" for c in found):
                return False
        elif isinstance(found, float):
            if not math.isfinite(found):
                return False
        elif found is not None and not isinstance(found, (bool, int)):
            return False
    return True
