"""Rules on the single messages of a conversation: roles, contents, keys, names, weights and calls."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, ClassVar, get_args

import msgspec

from ftprep.mends import Mend
from ftprep.model import Fault, ImagePart, RefusalPart, Role, TextPart
from ftprep.rule import Card, RecordRule, Sample
from ftprep.rules.spots import TALKS, Spot, edited, talks_of
from ftprep.setting import Setting
from ftprep.shapes.chat import MESSAGE_KEYS, NAME, DropKeys, explain, has_calls
from ftprep.shapes.quoting import make_excerpt, name_kind, quote
from ftprep.targets import Fact, Target

ROLES: tuple[str, ...] = get_args(Role)

OTHER_ROLES = {
    **dict.fromkeys(("human", "customer", "client", "prompter", "用户"), "user"),
    **dict.fromkeys(("gpt", "chatgpt", "bot", "chatbot", "model", "ai", "agent", "assistent", "助手"), "assistant"),
    **dict.fromkeys(("observation", "observations", "tool_response", "tool_result", "ipython"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), "assistant"),
}
"""What other formats call the roles."""

_CALLS = frozenset(("function_call", "tool_call"))
"""What stands under these is a call in another form, so the role alone does not make it one."""

GOOD = (
    '{"messages": [{"role": "user", "content": "Capital of Peru?"}, {"role": "assistant", "content": "Lima."}]}\n'
    '{"messages": [{"role": "user", "content": "Capital of Chad?"}, {"role": "assistant", "content": "Ndjamena."}]}\n'
)


def with_messages(*messages: str) -> str:
    """A tiny dataset: two sound conversations and one of these messages (JSON text each)."""
    return GOOD + '{"messages": [' + ", ".join(messages) + "]}\n"


ASK = '{"role": "user", "content": "Capital of Mali?"}'
REPLY = '{"role": "assistant", "content": "Bamako."}'
CALL = '{"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}'


def meant_role(role: object) -> str:
    """The role that a word stands for: itself, or the right one by case, spelling or another format's name; "" if
    none is near."""
    if not isinstance(role, str):
        return ""
    if role in ROLES:
        return role
    word = role.strip().casefold()[:40]
    if word in ROLES:
        return word
    near = difflib.get_close_matches(word, ROLES, 1, 0.8)
    return OTHER_ROLES.get(word) or (near[0] if near else "")


def sure_role(role: object) -> str:
    """The role that a word is without doubt: by case and outer blanks, or another format's exact name; "" otherwise."""
    word = role.strip().casefold() if isinstance(role, str) else ""
    return word if word in ROLES else OTHER_ROLES.get(word, "") if word not in _CALLS else ""


class MessageRule(RecordRule):
    """A rule that looks at each message by itself."""

    shapes: ClassVar[tuple[str, ...]] = TALKS

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """The faults of each message in turn."""
        for spot, message in talks_of(record):
            yield from self.look(message, spot)

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        """The faults of one message."""
        raise NotImplementedError

    def at(self, spot: Spot, key: str, message: str, value: object = None, fixable: bool = True) -> Fault:
        """A fault at a key of a message."""
        pointer = spot.pointer(key) if key else spot.pointer()
        return self.fault(f"{spot}: {message}", pointer, "" if value is None else make_excerpt(value), fixable)


class MissingRole(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT106",
        name="missing-role",
        severity="error",
        finds="A message has no role.",
        why="Without a role nobody can tell who speaks; providers refuse the file.",
        bad=Sample(text=with_messages('{"content": "Capital of Mali?"}', REPLY)),
        good=Sample(text=GOOD),
        aliases=("message_missing_key",),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        if message.get("role") is None:
            hint = "; there is 'from', as in ShareGPT data" if "from" in message else ""
            yield self.at(spot, "", f"no role{hint}", message)


class UnknownRole(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT107",
        name="unknown-role",
        severity="error",
        finds="A role is none of system, developer, user, assistant, tool, function.",
        why="Roles are compared letter by letter: 'Assistant' is refused, or worse, its replies are not trained on.",
        bad=Sample(text=with_messages(ASK, '{"role": "Assistant", "content": "Bamako."}')),
        good=Sample(text=GOOD),
        fix="safe",
        mended="Writes the role as it is spelt: 'user' for 'User' or 'human'.",
        aliases=("unrecognized_role",),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        role = message.get("role")
        if role is None or (isinstance(role, str) and role in ROLES):
            return
        near = meant_role(role)
        hint = f"; write {near!r}" if near else f"; one of {', '.join(ROLES)}"
        said = quote(role) if isinstance(role, str) else name_kind(role)
        yield self.at(spot, "role", f"unknown role {said}{hint}", role, fixable=bool(sure_role(role)))

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with the roles that are known without doubt."""
        wrong = ((spot.path, message.get("role")) for spot, message in talks_of(record))
        roles = {(*path, "role"): sure_role(role) for path, role in wrong if role not in ROLES}
        return edited(record, {path: role for path, role in roles.items() if role})


class MissingContent(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT108",
        name="missing-content",
        severity="error",
        finds="A message has no content, and no call or refusal in its place.",
        why="A message that says nothing teaches nothing; providers refuse the file.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant"}')),
        good=Sample(text=with_messages(ASK, f'{{"role": "assistant", "tool_calls": [{CALL}]}}')),
        aliases=("missing_content",),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        if "content" not in message and not has_calls(message):
            hint = next((f"; there is {k!r}" for k in ("text", "value", "message", "contents") if k in message), "")
            yield self.at(spot, "", f"no content{hint}", message)


class ContentType(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT109",
        name="content-type",
        severity="error",
        finds="A content is neither text nor a list of text and image_url parts, or null without a call.",
        why="A number, an object or a part of another kind is refused, or turned into text that nobody wrote.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant", "content": 42}')),
        good=Sample(text=with_messages(ASK, '{"role": "assistant", "content": [{"type": "text", "text": "Bamako."}]}')),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        content = message.get("content", "")
        if isinstance(content, str):
            return
        if content is None:
            if not has_calls(message):
                yield self.at(spot, "content", "content is null, and there is no call or refusal in its place")
        elif isinstance(content, (list, tuple)):
            if not content:
                yield self.at(spot, "content", "content is an empty list", content)
            for number, part in enumerate(content):
                wrong = _wrong_part(part)
                if wrong:
                    what = f"{spot}: content part {number}: {wrong}"
                    yield self.fault(what, spot.pointer("content", number), make_excerpt(part))
        else:
            yield self.at(spot, "content", f"content is {name_kind(content)}, not text or a list of parts", content)


_PARTS: dict[str, type[msgspec.Struct]] = {"text": TextPart, "image_url": ImagePart, "refusal": RefusalPart}


def _wrong_part(part: object) -> str:
    """What is wrong with one part of a content, "" if nothing is."""
    if not isinstance(part, dict):
        return f"{name_kind(part)}, not an object"
    kind = part.get("type")
    if not (isinstance(kind, str) and kind in _PARTS):
        return f"type {quote(kind)}, not 'text' or 'image_url'" if "type" in part else "no type"
    if kind not in part:
        there = next((f"; there is {k!r}" for k in ("value", "content", "url") if k in part), "")
        return f"no {kind}{there}"
    return unlike(part, _PARTS[kind])


def unlike(value: object, kind: type[msgspec.Struct]) -> str:
    """Why a value is none of a kind, in words; "" if it is."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return explain(error)
    return ""


class ExtraMessageKey(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT111",
        name="extra-message-key",
        severity="warning",
        finds="A message has a key that the chat format does not know.",
        why="Some providers refuse such files, others drop the key without a word: what it says is not learnt.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant", "content": "Bamako.", "score": 5}')),
        good=Sample(text=GOOD),
        fix="unsafe",
        mended="Leaves the unknown keys out of the messages.",
        aliases=("message_unrecognized_key",),
    )

    def refused_by(self, target: Target) -> Fact | None:
        extra, exact = target.get("message.extra"), target.get("message.exact_keys")
        return extra if extra and extra.value == "reject" else exact if exact and exact.value else None

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        for key, value in message.items():
            if key not in MESSAGE_KEYS:
                yield self.at(spot, str(key), f"unknown key {quote(key)}", value)

    def mend(self, setting: Setting) -> Mend | None:
        """Leaves the keys out."""
        del setting
        return DropKeys("messages")


class NameInvalid(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT112",
        name="name-invalid",
        severity="error",
        finds="A message's name has other characters than letters a-z, digits, _ and -, or more than 64 of them.",
        why="Providers refuse the file, and few checkers say why.",
        bad=Sample(text=with_messages('{"role": "user", "name": "Ann Lee", "content": "Capital of Mali?"}', REPLY)),
        good=Sample(text=with_messages('{"role": "user", "name": "ann_lee", "content": "Capital of Mali?"}', REPLY)),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        name = message.get("name")
        if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
            yield self.at(spot, "name", "the name does not match ^[a-zA-Z0-9_-]{1,64}$", name)


class WeightValue(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT113",
        name="weight-value",
        severity="error",
        finds="A weight is neither 0 nor 1.",
        why="A weight switches the training of a reply off (0) or on (1); nothing in between is accepted.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant", "content": "Bamako.", "weight": 0.5}')),
        good=Sample(text=with_messages(ASK, '{"role": "assistant", "content": "Bamako.", "weight": 1}')),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        weight = message.get("weight")
        if weight is not None and (type(weight) is not int or weight not in (0, 1)):
            yield self.at(spot, "weight", f"the weight is {make_excerpt(weight)}, not 0 or 1", weight)


class WeightOnOtherRole(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT114",
        name="weight-on-other-role",
        severity="error",
        finds="A message that is not the assistant's has a weight.",
        why="Only replies of the assistant are trained on, so only they may have a weight; providers refuse the file.",
        bad=Sample(text=with_messages('{"role": "user", "content": "Capital of Mali?", "weight": 0}', REPLY)),
        good=Sample(text=with_messages(ASK, '{"role": "assistant", "content": "Bamako.", "weight": 1}')),
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        if message.get("weight") is not None and meant_role(message.get("role")) not in ("assistant", ""):
            yield self.at(spot, "weight", f"a weight on a {message['role']} message", message["weight"])


RULES: tuple[type[RecordRule], ...] = (
    MissingRole,
    UnknownRole,
    MissingContent,
    ContentType,
    ExtraMessageKey,
    NameInvalid,
    WeightValue,
    WeightOnOtherRole,
)
