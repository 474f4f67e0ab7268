"""Renders conversations with a model's own chat template, and finds in the result what is trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ftprep.foreign import words_of
from ftprep.model import ImagePart, Message, TextPart, Turn
from ftprep.rendering.locate import Span, spans_of_marks, split_text
from ftprep.rendering.script import Script
from ftprep.rendering.template_file import TemplateFile
from ftprep.rendering.template_run import Told, run_template
from ftprep.rendering.values import Kind, Rendered

_GENERATION = re.compile(r"\{%-?\s*generation\b")
_CONTROL = re.compile(r"<[^<>\s]*>|\[/?[A-Z_]+\]|[A-Za-z_]+(?=\n|<|\|>)")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass
class _Case:
    """One script on its way: what is asked of the template, and which marks stand for which texts."""

    script: Script
    request: Told
    texts: dict[str, tuple[int, Kind, str]]


def render_all(file: TemplateFile, scripts: Sequence[Script]) -> Iterator[Rendered]:
    """The scripts in order, tokens not yet counted. Raises MissingExtra and TemplateStopped."""
    cases = [_case(file, script) for script in scripts]
    if not cases:
        return
    retried: list[int] = []
    told: list[Told] = []
    for number, answer in enumerate(run_template(file, [c.request for c in cases])):
        told.append(answer)
        if "error" in answer and _has_arguments(cases[number].script):
            retried.append(number)
    if retried:  # DeepSeek wants the arguments of calls as text, all others as an object
        again = [_case(file, scripts[n], as_text=True) for n in retried]
        for number, case, answer in zip(retried, again, run_template(file, [c.request for c in again]), strict=True):
            if "error" not in answer:
                cases[number], told[number] = case, answer
    for case, answer in zip(cases, told, strict=True):
        yield _rendered(file, case, answer)


# -- what is asked ---------------------------------------------------------------------------------------------------


def _case(file: TemplateFile, script: Script, as_text: bool = False) -> _Case:
    texts: dict[str, tuple[int, Kind, str]] = {}
    messages, marked = [], []
    for number, message in enumerate(script.messages):
        plain = _as_dict(message, as_text)
        messages.append(plain)
        marked.append(_with_marks(plain, number, texts))
    request = {
        "template": file.first,
        "messages": messages,
        "marked": marked,
        "tools": list(script.tools),
        "prompt": script.waits,
        "answers": [n for n, role in enumerate(script.roles) if role == "assistant"],
        "size": sum([len(text) for m in script.messages for text in m.spoken()]),
    }
    return _Case(script, request, texts)


def _as_dict(message: Message | Turn, as_text: bool) -> Told:
    """A message as transformers hands it to a template; keys without a value are left out."""
    told: Told = {"role": message.role}
    if isinstance(message.content, str):
        told["content"] = message.content
    elif message.content is not None:
        told["content"] = [_part(p) for p in message.content]
    elif message.refusal:
        told["content"] = message.refusal
    if message.name:
        told["name"] = message.name
    if message.thought:
        told["reasoning_content"] = told["thinking"] = message.thought
    if message.tool_calls:
        told["tool_calls"] = [
            {"id": c.id, "type": c.type, "function": _function(c.function.name, c.function.arguments, as_text)}
            for c in message.tool_calls
        ]
    if message.tool_call_id:
        told["tool_call_id"] = message.tool_call_id
    return told


def _part(part: Any) -> Told:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image", "url": part.image_url.url[:200]} if isinstance(part, ImagePart) else {"type": "refusal"}


def _function(name: str, arguments: str, as_text: bool) -> Told:
    import json

    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError):
        given = None
    return {"name": name, "arguments": arguments if as_text or not isinstance(given, dict) else given}


def _has_arguments(script: Script) -> bool:
    return any(m.tool_calls for m in script.messages)


def _with_marks(plain: Mapping[str, Any], number: int, texts: dict[str, tuple[int, Kind, str]]) -> Told:
    """The message with a mark in place of each text, so that it shows where the template puts it."""

    def marked(text: str, kind: Kind) -> str:
        if not text.strip():
            return text  # templates ask whether there is anything
        mark = f"\ue0f2{len(texts)}\ue0f3"
        texts[mark] = (number, kind, text)
        return mark

    found = dict(plain)
    if isinstance(content := plain.get("content"), str):
        found["content"] = marked(content, "text")
    elif content:
        found["content"] = [p | {"text": marked(p["text"], "text")} if p["type"] == "text" else p for p in content]
    if thought := plain.get("reasoning_content"):
        found["reasoning_content"] = found["thinking"] = marked(thought, "reasoning")
    return found


# -- what came back --------------------------------------------------------------------------------------------------


def _rendered(file: TemplateFile, case: _Case, told: Told) -> Rendered:
    script = case.script
    start = Rendered(file.name, roles=script.roles, label=script.label)
    if "error" in told:
        return replace(start, refused=f"the template does not take it: {words_of(told['error'], 500)}")
    notes = list(script.notes)
    text: str = told["text"]
    words = spans_of_marks(text, told["marked"], case.texts)
    trained = _trained(file, case, told, words, notes)
    notes += _traps(case, told, words)
    segments = split_text(text, words or [], trained, _bounds(told, len(text), len(script.roles)))
    return replace(start, segments=tuple(segments), notes=tuple(dict.fromkeys(notes)))


def _bounds(told: Told, size: int, count: int) -> list[int] | None:
    """Where each message ends in the text, None where a beginning of the talk is none of its text."""
    upto = told.get("upto")
    if not upto or len(upto) != count or None in upto[:-1]:
        return None
    ends = [*upto[:-1], size]
    return ends if ends == sorted(ends) else None


def _trained(file: TemplateFile, case: _Case, told: Told, words: list[Span] | None, notes: list[str]) -> list[Span]:
    """Where the trained parts are, as surely as that can be told."""
    script = case.script
    answers: list[int] = case.request["answers"]
    if _GENERATION.search("".join(file.templates.values())):
        spans = [(a, b, _owner(a, b, words or (), answers)) for a, b in told["generations"]]
        if len(spans) == len(answers):
            spans = [(a, b, n) for (a, b, _), n in zip(spans, answers, strict=True)]
        states = {script.trained[n] for n in answers}
        if any(n is None for _, _, n in spans) and len(states) > 1:
            notes.append("which answer each part belongs to that the template marks as generated cannot be told")
            return []
        learnt = [Span(a, b, n, "text") for a, b, n in spans if (states == {True} if n is None else script.trained[n])]
        return learnt + _others(script, words, answers)
    found = list[Span]()
    for number, wanted in enumerate(script.trained):
        if not wanted:
            continue
        own = _own(case, told, words, number, notes)
        if own is None:
            what = (
                f"which part of the text is the answer of messages[{number}] cannot be told: it is shown as not trained"
            )
            notes.append(what)
        else:
            found += own
    return found


def _owner(begin: int, end: int, words: Sequence[Span], answers: list[int]) -> int | None:
    """The answer that a part marked as generated belongs to: whose words are in it, else those that stand before it."""
    inside = {s.message for s in words if s.start < end and s.stop > begin}
    owner = max([(s.stop, s.message or 0) for s in words if s.stop <= begin], default=(0, -1))[1]
    if len(inside) == 1:
        return next(iter(inside)) if inside <= set(answers) else None
    return owner if not inside and owner in answers else None


def _others(script: Script, words: list[Span] | None, answers: list[int]) -> list[Span]:
    """Trained texts of those who are no assistant (where all is trained)."""
    return [s for s in words or () if s.message not in answers and s.message is not None and script.trained[s.message]]


def _own(case: _Case, told: Told, words: list[Span] | None, number: int, notes: list[str]) -> list[Span] | None:
    """The parts of the text that one message is: its words where they show, else all from the prompt for an answer to
    its end, else the one place where its words stand; None where it cannot be told."""
    message = case.script.messages[number]
    calls = bool(message.tool_calls)
    if words is not None and not calls:
        return [s for s in words if s.message == number]
    answers: list[int] = case.request["answers"]
    upto, asked = told.get("upto"), told.get("asked")
    if upto and asked and number in answers:
        begin, end = asked[answers.index(number)], upto[number]
        before = upto[number - 1] if number else 0
        # Without a prompt for an answer the head of the turn would be taken for a part of it.
        if None not in (before, begin, end) and before < begin <= end:
            notes.append(
                f"messages[{number}] is shown as trained from the prompt for an answer to its end, end token included"
            )
            return [Span(begin, end, number, "call" if calls else "text")]
    text: str = told["text"]
    wanted = message.text.strip()
    if calls or not wanted or text.count(wanted) != 1:
        return None
    begin = text.index(wanted)
    return [Span(begin, begin + len(wanted), number, "text")]


def _traps(case: _Case, told: Told, words: list[Span] | None) -> Iterator[str]:
    """What a template does to an example without a word."""
    text: str = told["text"]
    if told["dated"]:
        yield "the text depends on today's date: the same record is another text tomorrow"
    shown = {(s.message, s.kind) for s in words or ()}
    for number, kind, own in case.texts.values():
        lost = (number, kind) not in shown if words is not None else own.strip() not in text
        if lost and own.strip() not in text:
            role = case.script.roles[number]
            what = "the reasoning" if kind == "reasoning" else f"the {role} text"
            yield f"{what} of messages[{number}] is lost: the template leaves it out"
    added = _added(case, text, words)
    if added:
        yield f"the template adds a text of its own in front: {added}"
    if _has_arguments(case.script) and case.request["messages"] != [_as_dict(m, False) for m in case.script.messages]:
        yield "the arguments of calls are given as text: as an object the template refuses them"


def _added(case: _Case, text: str, words: list[Span] | None) -> str:
    """Words in front of the first message that no message says: a default system prompt, a date."""
    if not words or case.script.tools or words[0].message != 0:
        return ""
    head = text[: words[0].start]
    rest = " ".join(_CONTROL.sub(" ", head).split())
    if len(_WORD.findall(rest)) < 3:
        return ""
    return f'"{rest[:77]}…"' if len(rest) > 80 else f'"{rest}"'
