"""The nouns: places, chunks, rows, examples, findings. Plain values that pickle fast and import nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, ClassVar, Literal, cast

import msgspec

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From the gravest to the lightest."""

Safety = Literal["safe", "unsafe"]
ShapeName = Literal["completion", "chat", "preference", "unpaired", "stepwise", "reinforcement"]
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]

# Wire keys cannot be called this, so what a record says beyond the known keys is never mistaken for one of them.
_EXTRA = "\x7fextra"


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a record stands: given once by the reader and never renumbered.

    `line` is the 1-based physical line on which the record starts (the sheet row in a workbook), `record` its 1-based
    position among the records of the source, `column` a 1-based character in that line where one is known.
    """

    source: str
    line: int
    record: int = 0
    sheet: str = ""
    column: int = 1

    def __str__(self) -> str:
        sheet = f"[{self.sheet}]" if self.sheet else ""
        return f"{self.source}{sheet}:{self.line}:{self.column}"


class Fault(msgspec.Struct, frozen=True):
    """What a reader or shape found wrong with one record (or with its source): a finding without its place yet."""

    code: str
    message: str
    pointer: str = ""
    excerpt: str = ""
    column: int = 1
    fixable: bool = False


class Finding(msgspec.Struct, frozen=True, order=True):
    """One thing found: plain, ordered by place, picklable. Name, severity and page are looked up by `code`."""

    place: Place
    code: str
    message: str
    pointer: str = ""
    excerpt: str = ""
    fingerprint: str = ""
    fixable: bool = False


class Chunk(msgspec.Struct, frozen=True):
    """Neighbouring records of one source, not yet decoded: the unit of work and of shipping between processes.

    `number` orders all chunks of a run; `source` is the index of the table in the plan; `first_line` is the physical
    line on which the payload starts. The payload is bytes for line formats and a list of records for the others.
    """

    number: int
    source: int
    first_line: int
    payload: Any


class Range(msgspec.Struct, frozen=True):
    """Bytes of a file from `start` up to `stop`: the payload of a chunk that its worker reads by itself. It becomes
    several chunks, whose lines are counted from its first one."""

    start: int
    stop: int


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text", forbid_unknown_fields=True):
    """A stretch of text in a message whose content is a list of parts."""

    text: str


class ImageUrl(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a picture is: an http(s) address or a data URL; `detail` is `auto`, `low` or `high`."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


class RefusalPart(msgspec.Struct, frozen=True, tag_field="type", tag="refusal", forbid_unknown_fields=True):
    """What the assistant refuses with, as the one part of its content."""

    refusal: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image_url", forbid_unknown_fields=True):
    """A picture in a message whose content is a list of parts."""

    image_url: ImageUrl


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call names and passes: `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call of a tool by the assistant."""

    id: str
    type: Literal["function"]
    function: Function


class Message(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One turn of a conversation in OpenAI's wire form; `extra` keeps message keys that are not part of it."""

    role: Role
    content: str | list[TextPart | ImagePart | RefusalPart] | None = None
    name: str | None = None
    weight: Literal[0, 1] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: Function | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking: str | None = None
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def text(self) -> str:
        """The message's words: its content, or the text parts of it joined by line ends."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(p.text for p in self.content or () if isinstance(p, TextPart))

    @property
    def thought(self) -> str:
        """What the assistant thinks before it answers: `reasoning_content` (DeepSeek, Fireworks, Together),
        `reasoning` (Together) or `thinking` (Harmony, TRL)."""
        return self.reasoning_content or self.reasoning or self.thinking or ""

    @property
    def is_trained(self) -> bool:
        """Whether the loss looks at this message: assistant turns whose weight is not 0."""
        return self.role == "assistant" and self.weight != 0

    def spoken(self) -> Iterator[str]:
        """Every text of the message that the model reads: what it thinks, content, refusal, the names and arguments of
        calls."""
        if thought := self.thought:
            yield thought
        if self.content:
            yield self.content if isinstance(self.content, str) else self.text
        if self.refusal:
            yield self.refusal
        if self.function_call:
            yield self.function_call.name
            yield self.function_call.arguments
        for call in self.tool_calls or ():
            yield call.function.name
            yield call.function.arguments


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A message that has a role and text and nothing else, as nearly all have: stands in for a `Message` in the
    conversations of the fast lane, at a third of its cost."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str

    name: ClassVar[None] = None
    thought: ClassVar[str] = ""
    reasoning_content: ClassVar[None] = None
    reasoning: ClassVar[None] = None
    thinking: ClassVar[None] = None
    weight: ClassVar[None] = None
    tool_calls: ClassVar[None] = None
    tool_call_id: ClassVar[None] = None
    function_call: ClassVar[None] = None
    refusal: ClassVar[None] = None
    extra: ClassVar[None] = None

    @property
    def text(self) -> str:
        """The message's words."""
        return self.content

    @property
    def is_trained(self) -> bool:
        """Whether the loss looks at this message."""
        return self.role == "assistant"

    def spoken(self) -> Iterator[str]:
        """Every text of the message that the model reads."""
        if self.content:
            yield self.content


class Cast(msgspec.Struct, frozen=True):
    """Who speaks, in order; few sequences make up nearly all sets, so what follows from one is worked out once.

    `trained` says of each message whether the loss looks at it (weights apart), `asked` is how many messages stand
    before the last of the assistant (all where there is none), `opening` names their roles between two NULs.
    """

    roles: tuple[str, ...]
    trained: tuple[bool, ...]
    asked: int
    opening: bytes


@lru_cache(maxsize=10_000)
def cast_of(roles: tuple[str, ...]) -> Cast:
    """What follows from a sequence of roles."""
    trained = tuple([role == "assistant" for role in roles])
    asked = len(roles) - 1 - trained[::-1].index(True) if True in trained else len(roles)
    return Cast(roles, trained, asked, f"\0{' '.join(roles[:asked])}\0".encode())


class Speech(msgspec.Struct, gc=False):
    """The texts of a conversation in order: each message's name, words and calls.

    `trained` says of each text whether the loss looks at it, `names` counts the names, and the texts before `asked` are
    what the last assistant turn answers (all of them where there is none); `answer` is the words of that turn. `beside`
    is what makes two conversations different although their words are the same: tools, pictures, weights. `is_plain`
    tells a conversation of bare turns.
    """

    texts: list[str]
    trained: tuple[bool, ...]
    asked: int
    cast: Cast
    answer: str
    names: int = 0
    beside: str = ""
    is_plain: bool = False


def plain_speech(turns: list[Turn]) -> Speech:
    """The speech of a conversation of bare turns."""
    texts = [turn.content for turn in turns]
    who = cast_of(tuple([turn.role for turn in turns]))
    asked = who.asked
    return Speech(texts, who.trained, asked, who, texts[asked] if asked < len(texts) else "", 0, "", True)


class Chat(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A conversation to train on, in OpenAI's chat form; `extra` keeps the record's other keys."""

    shape: ClassVar[ShapeName] = "chat"
    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None
    functions: list[dict[str, Any]] | None = None
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def answer(self) -> str:
        """The words of the last assistant turn, "" where there is none."""
        return next((m.text for m in reversed(self.messages) if m.role == "assistant"), "")

    def speech(self) -> Speech:
        """All that is said, in one walk over the messages."""
        turns = cast("list[Turn | Message]", self.messages)
        if isinstance(turns[0], Turn):
            return plain_speech(cast("list[Turn]", turns))
        texts: list[str] = []
        trained: list[bool] = []
        beside: list[Any] = [self.tools, self.functions]
        names, asked, answer = 0, -1, ""
        for message in self.messages:
            if message.role == "assistant":
                asked, answer = len(texts), message.text
            if message.name:
                names += 1
                texts.append(message.name)
                trained.append(False)
            said = list(message.spoken())
            if message.weight is not None:
                beside.append((message.role, message.weight))
            if isinstance(message.content, list):
                beside.extend(p.image_url.url for p in message.content if isinstance(p, ImagePart))
            texts += said or [""]
            trained += [message.is_trained] * len(said or [""])
        extra = "" if beside == [None, None] else msgspec.json.encode(beside).decode()
        who = cast_of(tuple([m.role for m in self.messages]))
        is_plain = not names and not extra and len(texts) == len(self.messages) and all(map(_is_bare, self.messages))
        return Speech(texts, tuple(trained), asked if asked >= 0 else len(texts), who, answer, names, extra, is_plain)


def _is_bare(message: Message) -> bool:
    """Whether a message is what a `Turn` can say, however it was written."""
    calls = message.tool_calls, message.tool_call_id, message.function_call, message.refusal
    is_text = isinstance(message.content, str) and not message.thought
    return is_text and calls == (None, None, None, None) and message.role in _TURN_ROLES


_TURN_ROLES = frozenset(("system", "developer", "user", "assistant"))


class Pair(msgspec.Struct, frozen=True):
    """A prompt and the completion to train on; `extra` keeps the record's other columns."""

    shape: ClassVar[ShapeName] = "completion"
    prompt: str
    completion: str
    extra: dict[str, Any] | None = None

    @property
    def answer(self) -> str:
        """The completion."""
        return self.completion


class Reinforcement(Chat, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A conversation that waits for the model's answer, which a grader judges: what the grader reads of the record
    (`{{item.KEY}}`) is in `extra`."""

    shape: ClassVar[ShapeName] = "reinforcement"


class _Answered(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A question as a conversation, which may be empty, beside one answer or more."""

    input: Chat

    @property
    def answers(self) -> tuple[list[Message], ...]:
        """The answers, that which is learnt first."""
        raise NotImplementedError

    @property
    def answer(self) -> str:
        """The words of the first answer."""
        return "\n".join(m.text for m in self.answers[0])

    def speech(self) -> Speech:
        """All that is said: the question, then the answers in order."""
        asked = self.input.speech() if self.input.messages else plain_speech([])
        texts, trained = list(asked.texts), [False] * len(asked.texts)
        names, roles = asked.names, list(asked.cast.roles)
        for messages in self.answers:
            said = Chat(messages).speech() if messages else plain_speech([])
            texts += said.texts
            trained += said.trained
            names += said.names
            roles += said.cast.roles
        who = cast_of(tuple(roles))
        return Speech(texts, tuple(trained), len(asked.texts), who, self.answer, names, asked.beside, False)


class Preference(_Answered, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One question with a better and a worse answer, in OpenAI's wire form."""

    shape: ClassVar[ShapeName] = "preference"
    preferred_output: list[Message]
    non_preferred_output: list[Message]
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def answers(self) -> tuple[list[Message], ...]:
        """The better answer and the worse one."""
        return self.preferred_output, self.non_preferred_output


class Unpaired(_Answered, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One question with one answer and whether it is a good one, as KTO learns from. No provider has a wire form of its
    own for it; here it is `input`, `output` and `label`."""

    shape: ClassVar[ShapeName] = "unpaired"
    output: list[Message]
    label: bool
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def answers(self) -> tuple[list[Message], ...]:
        """The one answer."""
        return (self.output,)


class Stepwise(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A question, the steps of its solution, and of each whether it is right (TRL's stepwise supervision)."""

    shape: ClassVar[ShapeName] = "stepwise"
    prompt: str
    completions: list[str]
    labels: list[bool]
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def answer(self) -> str:
        """All steps."""
        return "\n".join(self.completions)

    def speech(self) -> Speech:
        """The question and the steps."""
        texts = [self.prompt, *self.completions]
        who = cast_of(("user", *["assistant"] * len(self.completions)))
        return Speech(texts, (False, *[True] * len(self.completions)), 1, who, self.answer)


Talk = Chat | Preference | Unpaired | Stepwise
"""Examples in which somebody speaks: all but bare pairs of texts."""

Example = Pair | Chat | Preference | Unpaired | Stepwise


class Row(msgspec.Struct, gc=False, eq=False):
    """One record on its way through a run.

    `record` stays what the file said; `raw` is its bytes where the container has them line by line, and `said` its
    bytes where they are no line to be written again (what could not be decoded, an element of a document). After
    shaping, `example` is set, or `faults` says why there is none (faults of a loaded row are warnings about it).
    `loose` marks an example that the record did not say word for word (a number read as text, an unknown key),
    `repaired` one of a record that was put right first.
    `skipped` marks what is no record at all, such as a blank line. `offset` is the record's position in the chunk;
    `index` differs from it only where records become several examples and counts those. `asked` is the digest of what
    is asked, where it has been worked out, `digests` those of all that a conversation says, `unit` the key that a split
    does not part where it is not that. `speech` keeps what several steps and rules want of a conversation.
    """

    offset: int
    line: int
    record: Any = None
    raw: bytes | None = None
    example: Example | None = None
    index: int = 0
    said: bytes = b""
    faults: list[Fault] = []
    skipped: bool = False
    speech: Speech | None = None
    loose: bool = False
    repaired: bool = False
    tokens: int = 0
    trainable: int = 0
    asked: bytes = b""
    digests: bytes = b""
    unit: bytes = b""
