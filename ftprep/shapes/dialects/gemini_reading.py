"""Contents of Gemini data on their way to messages: texts, thoughts, pictures, calls and their answers."""

from __future__ import annotations

from typing import Any

from ftprep.shapes.dialects.pieces import MEDIA, Content, Script, beside, call, kind_of, name_role, say_json

_ROLES = {"user": "user", "model": "assistant"}
_CAMEL = {
    "file_data": "fileData",
    "inline_data": "inlineData",
    "function_call": "functionCall",
    "function_response": "functionResponse",
}
"""Protocol buffers are read from JSON with either spelling of a key."""

_FORM = "Gemini data"

Places = dict[str, str]


class _Turn:
    """What one content says; answers of functions become messages of their own."""

    def __init__(self, role: Any) -> None:
        self.role = role
        self.content = Content()
        self.thoughts: list[tuple[str, str]] = []
        self.calls: list[tuple[dict[str, Any], str, Places]] = []
        self.answers: list[tuple[dict[str, Any], str, Places]] = []
        self.media: dict[str, Any] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said but answers."""
        return self.is_mute and not self.thoughts

    @property
    def is_mute(self) -> bool:
        """Whether nothing is said aloud so far: thoughts come first."""
        return not (self.content.parts or self.calls)


class Reading(Script):
    """The messages of one record; `waiting` are the calls of the last turn that have no answer yet."""

    def __init__(self, contents: Any) -> None:
        super().__init__()
        self.waiting: list[tuple[str, str]] = []
        self.is_calling = False
        self.count = 0
        self.taken = {i for c in contents for i in _ids_in(c)}

    def read_system(self, said: Any, at: str) -> None:
        """The system instruction: an object with parts, or (as the SDK has it) a text. Its role is ignored."""
        if isinstance(said, dict):
            self._read(said, "system", at)
        else:
            self.add({"role": "system", "content": said}, at, {"/content": at})

    def read(self, content: Any, at: str) -> None:
        """One content: a message, or one for each answer in it."""
        if isinstance(content, dict):
            role = content.get("role")
            self._read(content, name_role(role, _ROLES, _FORM), at, is_model=role == "model")
        else:
            self.add(content, at)

    def _read(self, said: dict[Any, Any], role: Any, at: str, *, is_model: bool = False) -> None:
        rest = beside(said, ("role", "parts"), _FORM)
        parts = said.get("parts")
        start = {} if role is None else {"role": role}
        if not isinstance(parts, (list, tuple)):
            content = {"content": parts} if "parts" in said else {}
            self.add(start | content | rest, at, {"/content": f"{at}/parts"} if content else {})
            return
        turn = _Turn(role)
        for number, part in enumerate(parts):
            self._read_part(part, f"{at}/parts/{number}", turn, is_model=is_model)
        for message, origin, places in turn.answers:
            self.add(message | rest, origin, places)
            rest = {}
        if not (turn.answers and turn.is_empty):
            self._add_turn(turn, start, rest, at)

    def _read_part(self, part: Any, origin: str, turn: _Turn, *, is_model: bool) -> None:
        key, value = _look_at(part)
        if key == "text" and isinstance(value, str) and len(part) == 1:
            turn.content.add_text(value, origin)
            return
        if key == "text" and isinstance(value, str) and is_model and _is_thought(part) and turn.is_mute:
            turn.thoughts.append((value, f"{origin}/text"))
            return
        if isinstance(value, dict) and len(part) == 1:
            at = f"{origin}/{next(iter(part))}"
            if key == "functionCall" and self._read_call(value, origin, at, turn):
                return
            if key == "functionResponse" and not is_model and self._read_answer(value, origin, at, turn):
                return
            if key in ("fileData", "inlineData") and _read_picture(key, value, origin, at, turn):
                return
        turn.content.keep(part, origin, _FORM)

    def _read_call(self, value: dict[Any, Any], origin: str, at: str, turn: _Turn) -> bool:
        name, args, given = value.get("name"), value.get("args"), value.get("id")
        if not isinstance(name, str) or not isinstance(args, dict | None) or not isinstance(given, str | None):
            return False
        arguments = say_json(args or {})
        if arguments is None or not value.keys() <= {"name", "args", "id"}:
            return False
        if not self.is_calling:
            self.waiting, self.is_calling = [], True
        call_id = self._next_id() if given is None else given
        self.waiting.append((call_id, name))
        places = {
            "/type": at,
            "/function": at,
            "/function/name": f"{at}/name",
            "/id": at if given is None else f"{at}/id",
        }
        places["/function/arguments"] = f"{at}/args" if "args" in value else at
        turn.calls.append((call(name, arguments, call_id), origin, places))
        return True

    def _next_id(self) -> str:
        while True:
            self.count += 1
            if (made := f"call_{self.count}") not in self.taken:
                return made

    def _read_answer(self, value: dict[Any, Any], origin: str, at: str, turn: _Turn) -> bool:
        name, response, given = value.get("name"), value.get("response"), value.get("id")
        if not isinstance(name, str) or not isinstance(response, dict) or not isinstance(given, str | None):
            return False
        is_text = response.keys() == {"output"} and isinstance(response["output"], str)
        said = response["output"] if is_text else say_json(response)
        if said is None or not value.keys() <= {"name", "response", "id"}:
            return False
        self.is_calling = False
        met = next((w for w in self.waiting if (w[1] == name if given is None else w[0] == given)), None)
        if met:
            self.waiting.remove(met)
        message = {"role": "tool", "content": said}
        call_id = met[0] if met else given
        if call_id is not None:
            message["tool_call_id"] = call_id
        if not met or met[1] != name:
            message["name"] = name
        places = {"/role": at, "/tool_call_id": at if given is None else f"{at}/id", "/name": f"{at}/name"}
        places["/content"] = f"{at}/response/output" if is_text else f"{at}/response"
        turn.answers.append((message, origin, places))
        return True

    def _add_turn(self, turn: _Turn, message: dict[str, Any], rest: dict[Any, Any], at: str) -> None:
        parts, places = f"{at}/parts", {"/content": f"{at}/parts"}
        turn.content.put_into(message, places, parts)
        if turn.thoughts:
            message["reasoning_content"] = "".join(text for text, _ in turn.thoughts)
            places["/reasoning_content"] = turn.thoughts[0][1]
        if turn.calls:
            message["tool_calls"] = [made for made, _, _ in turn.calls]
            places["/tool_calls"] = parts
            for number, (_, origin, inside) in enumerate(turn.calls):
                places[f"/tool_calls/{number}"] = origin
                places.update({f"/tool_calls/{number}{k}": v for k, v in inside.items()})
        else:
            self.is_calling = False
        if turn.media and MEDIA not in rest:
            message[MEDIA] = turn.media
            places[f"/{MEDIA}"] = parts
        self.add(message | rest, at, places)


def _ids_in(content: Any) -> list[str]:
    """The ids that the calls of a content have."""
    parts = content.get("parts") if isinstance(content, dict) else None
    values = [_look_at(p) for p in parts] if isinstance(parts, (list, tuple)) else []
    ids = [v.get("id") for k, v in values if k == "functionCall" and isinstance(v, dict)]
    return [i for i in ids if isinstance(i, str)]


def _look_at(part: Any) -> tuple[Any, Any]:
    """The first key of a part, in camel case, and its value."""
    if not isinstance(part, dict) or not part:
        return "", None
    key, value = next(iter(part.items()))
    return _CAMEL.get(key, key), value


def _is_thought(part: dict[Any, Any]) -> bool:
    return part.keys() == {"text", "thought"} and part["thought"] is True


def _read_picture(key: str, value: dict[Any, Any], origin: str, at: str, turn: _Turn) -> bool:
    """Take in a picture; sound and films have no place in a conversation, and stay as they are."""
    mime = value.get("mimeType", value.get("mime_type"))
    names = ("data",) if key == "inlineData" else ("fileUri", "file_uri")
    name = next((n for n in names if isinstance(value.get(n), str)), None)
    if name is None or len(value) != 2 or not isinstance(mime, str) or not mime.startswith("image/"):
        return False
    url = value[name]
    if key == "inlineData":
        url = f"data:{mime};base64,{url}"
    elif url.startswith("data:"):
        return False
    elif kind_of(url) != mime:
        turn.media[str(len(turn.content.parts))] = {"mimeType": mime}
    turn.content.add_image(url, origin, f"{at}/{name}")
    return True
