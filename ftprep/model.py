"""The nouns: places, chunks, rows, examples, findings. Plain values that pickle fast and import nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From the gravest to the lightest."""

Safety = Literal["safe", "unsafe"]
ShapeName = Literal["completion", "chat"]
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
    last: bool = False


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text", forbid_unknown_fields=True):
    """A stretch of text in a message whose content is a list of parts."""

    text: str


class ImageUrl(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a picture is: an http(s) address or a data URL; `detail` is `auto`, `low` or `high`."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


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
    content: str | list[TextPart | ImagePart] | None = None
    name: str | None = None
    weight: Literal[0, 1] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: Function | None = None
    refusal: str | None = None
    extra: dict[str, Any] | None = msgspec.field(default=None, name=_EXTRA)

    @property
    def text(self) -> str:
        """The message's words: its content, or the text parts of it joined by line ends."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(p.text for p in self.content or () if isinstance(p, TextPart))

    @property
    def is_trained(self) -> bool:
        """Whether the loss looks at this message: assistant turns whose weight is not 0."""
        return self.role == "assistant" and self.weight != 0

    def spoken(self) -> Iterator[str]:
        """Every text of the message that the model reads: content, refusal, the names and arguments of calls."""
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


class Speech(NamedTuple):
    """The texts of a conversation in order: each message's role, name, words and calls.

    `trained` says of each text whether the loss looks at it, `names` counts the names, and the texts before `asked` are
    what the last assistant turn answers (all of them where there is none). `beside` is what makes two conversations
    different although their words are the same: tools, pictures, weights.
    """

    texts: list[str]
    trained: list[bool]
    names: int
    asked: int
    beside: str = ""


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
        texts: list[str] = []
        trained: list[bool] = []
        beside: list[Any] = [self.tools, self.functions]
        names, asked = 0, -1
        for message in self.messages:
            if message.role == "assistant":
                asked = len(texts)
            texts.append(message.role)
            trained.append(False)
            if message.name:
                names += 1
                texts.append(message.name)
                trained.append(False)
            said = list(message.spoken())
            if message.weight is not None:
                beside.append((message.role, message.weight))
            if isinstance(message.content, list):
                beside.extend(p.image_url.url for p in message.content if isinstance(p, ImagePart))
            texts += said
            trained += [message.is_trained] * len(said)
        extra = "" if beside == [None, None] else msgspec.json.encode(beside).decode()
        return Speech(texts, trained, names, asked if asked >= 0 else len(texts), extra)


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


class Preference(msgspec.Struct, frozen=True):
    """One question with a better and a worse answer, in OpenAI's wire form."""

    input: Chat
    preferred_output: list[Message]
    non_preferred_output: list[Message]
    extra: dict[str, Any] | None = None


Example = Pair | Chat
"""What the shapes of today give; `Preference` joins when its shape does."""


class Row:
    """One record on its way through a run.

    `record` stays what the file said; `raw` is its bytes where the container has them line by line, and `said` its
    bytes where they are no line to be written again (what could not be decoded, an element of a document). After
    shaping, `example` is set, or `faults` says why there is none (faults of a loaded row are warnings about it).
    `loose` marks an example that the record did not say word for word (a number read as text, an unknown key).
    `skipped` marks what is no record at all, such as a blank line. `offset` is the record's position in the chunk;
    `index` differs from it only where records become several examples and counts those. `asked` is the digest of what
    is asked, where it has been worked out, `unit` the key that a split does not part where it is not that. `speech` and
    `talk` keep what several steps or rules want of a conversation, worked out once.
    """

    __slots__ = (
        "asked",
        "example",
        "faults",
        "index",
        "line",
        "loose",
        "offset",
        "raw",
        "record",
        "said",
        "skipped",
        "speech",
        "talk",
        "tokens",
        "trainable",
        "unit",
    )

    def __init__(self, offset: int, line: int, record: Any = None, raw: bytes | None = None) -> None:
        self.offset = offset
        self.index = offset
        self.line = line
        self.record = record
        self.raw = raw
        self.said = b""
        self.example: Example | None = None
        self.faults: list[Fault] = []
        self.skipped = False
        self.speech: Speech | None = None
        self.talk: Any = None
        self.loose = False
        self.tokens = 0
        self.trainable = 0
        self.asked = b""
        self.unit = b""

    def __repr__(self) -> str:
        return f"Row(line={self.line}, record={self.record!r}, faults={self.faults!r})"
