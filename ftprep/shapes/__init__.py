"""Shapes of examples: which one a table has, and the way from its records to examples and back."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ftprep.errors import RecipeError, UsageError
from ftprep.model import Fault, ShapeName
from ftprep.recipe import Recipe
from ftprep.shapes.base import Detected, Shape
from ftprep.shapes.chat import CHAT_KEYS, ChatShape
from ftprep.shapes.columns import (
    Choice,
    choose_completion,
    choose_prompt,
    choose_text,
    find_named,
    match_template,
)
from ftprep.shapes.completion import PairShape
from ftprep.shapes.foreign import READS
from ftprep.shapes.quoting import list_names, quote
from ftprep.shapes.sight import CHAT, PAIR, all_dialects, dialect_called, sight, title_of
from ftprep.shapes.template import Template, from_column, parse_template
from ftprep.shapes.wire import DIALECT_OF, DialectShape, WireShape

__all__ = [
    "ChatShape",
    "Detected",
    "DialectShape",
    "PairShape",
    "Shape",
    "WireShape",
    "detect",
    "dialect_names",
    "wire_of",
    "writer_of",
]

Records = Sequence[Mapping[str, Any]]

_SHAPE_OF: dict[str | None, ShapeName] = {"dpo": "preference", "kto": "unpaired", "reinforcement": "reinforcement"}
"""What a method is trained on; supervised training takes prompt/completion examples and conversations."""

WAITING = 5
"""So many conversations that all wait for an answer, and no other, are taken for reinforcement data."""


def detect(records: Records, recipe: Recipe, header: Sequence[str] = ()) -> Detected:
    """The shape of a table from its first records and, where it has one, its header.

    Raises RecipeError where the recipe names a column that is not there or says a thing twice. A table that cannot be
    read has no shape, the reason, and a fault (FMT101) with the reason.
    """
    named = {key: column for key, column in recipe.columns if column is not None}
    if recipe.shape == "completion" or (recipe.shape == "auto" and named):
        return _detect_pairs(_columns_of(records, header), recipe)
    if recipe.keys is not None and recipe.shape in ("auto", "chat"):
        from ftprep.shapes.dialects.renamed import KeyMap

        return Detected(DialectShape(KeyMap(**recipe.keys.model_dump())), f"{KeyMap.title}: {recipe.keys.messages}")
    kinds = Counter(sight(r) for r in records)
    wanted = _SHAPE_OF.get(recipe.method) if recipe.shape == "auto" else recipe.shape
    if wanted is not None:
        return _as_wanted(wanted, records, recipe, kinds)
    if not kinds and not header:
        return _unknown("there is no record to tell the shape from")
    first = max(kinds, key=lambda k: (kinds[k], k == CHAT, k == PAIR), default=PAIR)
    if first == CHAT:
        return _chat(records, recipe, kinds)
    if first != PAIR:
        return _dialect(first, kinds)
    likely = [r for r in records if sight(r) == PAIR]
    detected = _detect_pairs(_columns_of(likely, header), recipe)
    if detected.shape is None:  # most records may lack a column and the others be sound
        rarer = _detect_pairs(tuple(dict.fromkeys(key for record in likely for key in record)) or (), recipe)
        detected = rarer if rarer.shape else detected
    if detected.shape is None and any("messages" in r for r in records):
        return _chat(records, recipe, kinds)
    return detected


def _as_wanted(wanted: ShapeName, records: Records, recipe: Recipe, kinds: Counter[str]) -> Detected:
    """The shape that the recipe or the method names, in the dialect that most records of that shape have."""
    known = [name for name, _ in kinds.most_common() if (d := dialect_called(name)) and d.shape == wanted]
    unasked = [d for d in all_dialects().values() if d.shape == wanted and d.name not in kinds and records]
    known += [d.name for d in unasked if all(map(d.fits, records))]
    if known:
        return _dialect(known[0], kinds)
    if wanted == "chat":
        return _chat(records, recipe, Counter({CHAT: len(records)}), "conversations, as the recipe says")
    return Detected(wire_of(wanted), f"{wanted} examples, as the recipe or the method says")


def wire_of(name: ShapeName) -> Shape:
    """A shape in its wire form."""
    if name == "completion":
        return PairShape()
    if name == "chat":
        return ChatShape()
    return WireShape(name, "record" if name == "reinforcement" else "")


def dialect_names() -> tuple[str, ...]:
    """What examples can be written as: the shapes, which stand for their wire forms, then all dialects by name."""
    return tuple(
        dict.fromkeys((*DIALECT_OF, *sorted({*DIALECT_OF.values(), *(d.name for d in all_dialects().values())})))
    )


def writer_of(name: str, lossy: bool = False) -> Shape:
    """What writes examples as `name`, a shape or a dialect; raises UsageError for a name that is none."""
    for shape, wire in DIALECT_OF.items():
        if name in (shape, wire):
            return wire_of(shape)
    dialect = dialect_called(name)
    if dialect is None:
        message = f"cannot convert to {name!r}"
        near = difflib.get_close_matches(name, dialect_names(), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(message, f"{hint}what can be written: {', '.join(dialect_names())}")
    return DialectShape(dialect, lossy)


def _dialect(name: str, kinds: Counter[str]) -> Detected:
    dialect = dialect_called(name)
    if dialect is None:
        return _unknown(f"this is {name}; {READS}")
    is_wire = DIALECT_OF[dialect.shape] == name
    shape = wire_of(dialect.shape) if is_wire else DialectShape(dialect)
    return Detected(shape, dialect.title + _others(name, kinds))


def _columns_of(records: Records, header: Sequence[str]) -> tuple[str, ...]:
    """The header, or the keys that at least half of the records have; all keys where no key is that frequent."""
    if header:
        return tuple(header)
    counts = Counter(key for record in records for key in record)
    return tuple(k for k, n in counts.items() if 2 * n >= len(records)) or tuple(counts)


def _unknown(reason: str) -> Detected:
    return Detected(None, reason, (Fault("FMT101", reason),))


def _chat(records: Records, recipe: Recipe, kinds: Counter[str], reason: str = "") -> Detected:
    if recipe.turns and recipe.turns.before:
        keys = tuple(dict.fromkeys(k for r in records for k in r))
        match_template(keys, parse_template(recipe.turns.before))
    if reason:
        return Detected(ChatShape(), reason)
    lists = [m for r in records if isinstance(m := r.get("messages"), list)]
    waiting = sum(map(_waits_for_answer, lists))
    all_wait = bool(lists) and waiting == len(lists)
    reason = title_of(CHAT)
    if (all_wait and waiting >= WAITING) or (2 * waiting > len(lists) and all(set(r) - CHAT_KEYS for r in records)):
        reason += f": {'every one' if all_wait else 'most'} wait for an answer, as in reinforcement data"
        return Detected(wire_of("reinforcement"), reason.replace("one wait", "one waits") + _others(CHAT, kinds))
    if all_wait:
        reason += "; every one ends with the user's turn, as in reinforcement data: there is no answer to learn from"
    return Detected(ChatShape(), reason + _others(CHAT, kinds))


def _others(name: str, kinds: Counter[str]) -> str:
    others = [f"{n} {title_of(kind)}" for kind, n in kinds.most_common() if kind != name]
    return f"; of the first {sum(kinds.values())} records these are not: {', '.join(others)}" if others else ""


def _waits_for_answer(messages: list[Any]) -> bool:
    roles = [m.get("role") for m in messages if isinstance(m, dict)]
    return bool(roles) and roles[-1] == "user" and "assistant" not in roles


def _detect_pairs(columns: tuple[str, ...], recipe: Recipe) -> Detected:
    completion = _named(columns, "completion", recipe.columns.completion, recipe.columns.completion_template)
    prompt = _named(columns, "prompt", recipe.columns.prompt, recipe.columns.prompt_template)
    if prompt is None and completion is None:
        completion = choose_completion(columns, ())
        prompt = choose_prompt(columns, completion.template.columns if completion else ())
    elif prompt is None and completion is not None:
        prompt = choose_prompt(columns, completion.template.columns) or _only_other(columns, completion)
    elif completion is None and prompt is not None:
        completion = choose_completion(columns, prompt.template.columns) or _only_other(columns, prompt)
    if prompt is None or completion is None:
        return _detect_text(columns, recipe, prompt, completion)
    return _pairs(columns, prompt, completion)


def _named(columns: tuple[str, ...], use: str, column: str | None, template: str | None) -> Choice | None:
    if column is not None and template is not None:
        raise RecipeError(f"both {use} and {use}-template are given", "keep one of them")
    if template is not None:
        matched = match_template(columns, parse_template(template))
        return Choice(matched, f"a template over {list_names(matched.columns)}")
    if column is not None:
        found = find_named(columns, column)
        return Choice(from_column(found), f"column {quote(found)}")
    return None


def _only_other(columns: tuple[str, ...], taken: Choice) -> Choice | None:
    """Where one of two columns is named, the other is the other."""
    rest = [c for c in columns if c not in taken.template.columns]
    if len(rest) != 1 or len(columns) != 2:
        return None
    return Choice(from_column(rest[0]), f"column {quote(rest[0])}, the only other one")


def _detect_text(
    columns: tuple[str, ...], recipe: Recipe, prompt: Choice | None, completion: Choice | None
) -> Detected:
    """Open-ended text, where there is nothing but a text; otherwise what is missing and how to say it."""
    text = completion if recipe.columns.completion or recipe.columns.completion_template else None
    anything = recipe.task == "open-ended"
    if text is None and not recipe.columns.prompt and not recipe.columns.prompt_template:
        text = choose_text(columns, anything)
    elif not anything:
        text = None
    if text is not None:
        return _pairs(columns, Choice(Template(), "nothing (open-ended text)"), text)
    return _unknown(_ask_for(columns, prompt, completion))


def _ask_for(columns: tuple[str, ...], prompt: Choice | None, completion: Choice | None) -> str:
    taken = {*(prompt.template.columns if prompt else ()), *(completion.template.columns if completion else ())}
    free = [c for c in columns if c not in taken]
    options = []
    for use, choice in (("prompt", prompt), ("completion", completion)):
        if choice is None:
            example = shlex.quote(free.pop(0)) if len(columns) == 2 and free else use.upper()
            options.append(f"--{use}-column {example}")
    known = [f"{use} from {c.words}" for use, c in (("prompt", prompt), ("completion", completion)) if c]
    missing = " and ".join(use for use, c in (("prompt", prompt), ("completion", completion)) if c is None)
    told = f"{known[0]}, but " if known else ""
    there = f"columns: {list_names(columns)}" if columns else "there are no columns"
    return f"{told}no column is known as {missing} ({there}); say which: {' '.join(options)}"


def _pairs(columns: tuple[str, ...], prompt: Choice, completion: Choice) -> Detected:
    shape = PairShape(prompt.template, completion.template)
    reason = f"prompt from {prompt.words}, completion from {completion.words}"
    for use, choice in (("prompt", prompt), ("completion", completion)):
        others = [c for c in choice.others if c not in shape.columns]
        if others:
            reason += f"; not taken as {use}: {list_names(others)}"
    extra = tuple(c for c in columns if c not in shape.columns)
    return Detected(shape, reason + (f"; not used: {list_names(extra)}" if extra else ""), extra=extra)
