"""Rules on what only the record of a dialect can say: calls in texts, history, places of pictures, printed lists.

What reads dialects is imported where it is used, since most sets need none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar

from ftprep.model import Fault
from ftprep.rule import Card, RecordRule, Rule, Sample
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind, quote
from ftprep.shapes.sight import dialect_called

_PICTURED = ("sharegpt", "swift", "llama-factory-images", "alpaca")


class _DialectRule(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat",)
    of_original: ClassVar[bool] = True


def _turns(record: dict[str, Any]) -> tuple[str, str, str]:
    """The keys of the turns, of their roles and of their contents, in ShareGPT's form or in that of messages."""
    from ftprep.shapes.dialects.sharegpt import turns_key

    key = turns_key(record)
    return (key, "from", "value") if key else ("messages", "role", "content")


def _sharegpt(*turns: tuple[str, str]) -> str:
    said = ", ".join(f'{{"from": "{who}", "value": {make_excerpt(text)}}}' for who, text in turns)
    return f'{{"conversations": [{said}]}}\n'


_ASK, _REPLY = ("human", "Capital of Mali?"), ("gpt", "Bamako.")
_CALL, _RESULT = ("function_call", '{"name": "find", "arguments": {"of": "Mali"}}'), ("observation", "Bamako")


class FunctionCallNotJson(_DialectRule):
    card: ClassVar[Card] = Card(
        code="FMT160",
        name="function-call-not-json",
        severity="error",
        finds="A function_call turn (tool_call in ms-swift) is not JSON with name and arguments, or a list of such.",
        why="The trainer stops at it, or learns a call that no program can make.",
        bad=Sample(text=_sharegpt(_ASK, ("function_call", "find(Mali)"), _RESULT, _REPLY)),
        good=Sample(text=_sharegpt(_ASK, _CALL, _RESULT, _REPLY)),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The faults of the calls."""
        from ftprep.shapes.dialects.wire import CALLERS, is_list

        key, role, content = _turns(record)
        for place, turn in enumerate(record[key] if is_list(record.get(key)) else ()):
            who = turn.get(role) if isinstance(turn, dict) else None
            if isinstance(who, str) and who in CALLERS and (wrong := _wrong_call(turn.get(content))):
                pointer = make_pointer(key, place, *([content] if content in turn else []))
                what = f"{key}[{place}]: the {who} {wrong}"
                yield self.fault(what, pointer, make_excerpt(turn.get(content)))


def _wrong_call(said: Any) -> str:
    from ftprep.shapes.dialects.wire import decode, is_list

    value = decode(said) if isinstance(said, str) else said
    if isinstance(said, str) and value is None:
        return "is no JSON"
    calls = value if is_list(value) else [value]
    if not calls:
        return "is an empty list"
    for call in calls:
        if not isinstance(call, dict):
            return f"is {name_kind(call)}, not an object with name and arguments"
        inner = call["function"] if isinstance(call.get("function"), dict) else call
        missing = [key for key in ("name", "arguments") if inner.get(key) is None]
        if missing:
            return f"has no {' and no '.join(missing)}"
    return ""


class HistoryNotPairs(_DialectRule):
    card: ClassVar[Card] = Card(
        code="FMT161",
        name="history-not-pairs",
        severity="error",
        finds="The history beside an instruction or query is not a list of pairs of texts: question, answer.",
        why="Who said what cannot be told; trainers stop at it or leave the earlier turns out.",
        bad=Sample(
            text='{"instruction": "And Mali?", "input": "", "output": "Bamako.", "history": ["Hi", "Hello."]}\n'
        ),
        good=Sample(
            text='{"instruction": "And Mali?", "input": "", "output": "Bamako.", "history": [["Hi", "Hello."]]}\n'
        ),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The faults of the history."""
        from ftprep.shapes.dialects.encoded import open_text
        from ftprep.shapes.dialects.wire import is_list

        history = record.get("history")
        if history is None or not ("instruction" in record or "query" in record):
            return
        pairs = open_text(history)[0] if isinstance(history, str) else history
        if not is_list(pairs):
            what = f"history is {name_kind(history)}, not a list of pairs"
            yield self.fault(what, make_pointer("history"), make_excerpt(history))
            return
        for place, pair in enumerate(pairs):
            if not (is_list(pair) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
                pointer = make_pointer("history", *([] if isinstance(history, str) else [place]))
                yield self.fault(f"history[{place}] is not a pair of texts", pointer, make_excerpt(pair))


class PlaceholderCount(_DialectRule):
    card: ClassVar[Card] = Card(
        code="FMT162",
        name="placeholder-count",
        severity="error",
        finds="There are not as many pictures beside a conversation as its texts have places for them (<image>).",
        why="Which picture belongs where cannot be told; trainers stop, or show the model the wrong one.",
        bad=Sample(
            text='{"messages": [{"role": "user", "content": "<image>Who?"}, {"role": "assistant", "content": "Ann."}], '
            '"images": ["a.png", "b.png"]}\n'
        ),
        good=Sample(
            text='{"messages": [{"role": "user", "content": "<image>Who?"}, {"role": "assistant", "content": "Ann."}], '
            '"images": ["a.png"]}\n'
        ),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The fault of the pictures: those that reading could not put in their places."""
        from ftprep.shapes.dialects.wire import IMAGE, IMAGE_KEYS, objects, read_urls

        key = next((k for k in IMAGE_KEYS if record.get(k) is not None), "")
        dialect = next((d for d in map(dialect_called, _PICTURED) if d and d.fits(record)), None) if key else None
        told = dialect.parse(record).record if dialect else {}
        if told.get(key) is None:
            return
        urls = read_urls(record[key])
        if urls is None:
            what = f"{key} holds something else than addresses of pictures"
        else:
            texts = [m.get("content") for m in objects(told.get("messages")) if m.get("role") != "system"]
            places = sum(text.count(IMAGE) for text in texts if isinstance(text, str))
            what = f"{len(urls)} in {key}, but {places} times {IMAGE} in the texts"
        yield self.fault(what, make_pointer(key), make_excerpt(record[key]))


class PythonText(_DialectRule):
    card: ClassVar[Card] = Card(
        code="FMT163",
        name="python-text",
        severity="warning",
        finds="A column of messages is text as Python or numpy print a list ([{'role': ...}]), not JSON.",
        why="It is read here, but other tools refuse it, and pandas leaves out the middle of long lists as '...'.",
        bad=Sample(text="{\"messages\": \"[{'role': 'user', 'content': 'Hi'}]\"}\n"),
        good=Sample(text='{"messages": "[{\\"role\\": \\"user\\", \\"content\\": \\"Hi\\"}]"}\n'),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The columns that are such texts."""
        from ftprep.shapes.dialects.encoded import COLUMNS, open_text
        from ftprep.shapes.dialects.wire import objects

        for key in COLUMNS:
            text = record.get(key)
            if not isinstance(text, str):
                continue
            value, spelling = open_text(text)
            encoded = dialect_called("encoded-chat")
            if spelling == "python" and (objects(value) or key == "history") and encoded and encoded.fits(record):
                what = f"{quote(key)} is text that Python printed, not JSON: write it with json.dumps"
                yield self.fault(what, make_pointer(key), make_excerpt(text))


class TurnsOutOfStep(_DialectRule):
    card: ClassVar[Card] = Card(
        code="FMT164",
        name="turns-out-of-step",
        severity="warning",
        finds="In ShareGPT data an observation stands next to another observation or a turn of the user.",
        why="LLaMA-Factory wants a turn of the model between them; it leaves the record out, with a warning only.",
        bad=Sample(text=_sharegpt(_ASK, _CALL, _RESULT, _RESULT, _REPLY)),
        good=Sample(text=_sharegpt(_ASK, _CALL, _RESULT, _REPLY)),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The places where two turns of the user's side meet; two users in a row are told by a rule on roles."""
        from ftprep.shapes.dialects.sharegpt import turns_key

        key = turns_key(record)
        turns = record[key] if key else ()
        for place, pair in enumerate(pairwise(turns), start=1):
            before, here = (t.get("from") if isinstance(t, dict) else None for t in pair)
            if (before, here) in (("observation", "observation"), ("observation", "human"), ("human", "observation")):
                what = f"{key}[{place}]: {here} directly after {before}"
                yield self.fault(what, make_pointer(key, place))


RULES: tuple[type[Rule], ...] = (FunctionCallNotJson, HistoryNotPairs, PlaceholderCount, PythonText, TurnsOutOfStep)
