"""Tokens that a chat format adds around the text, as dated data with source: public rules of thumb, not a bill.

What a provider adds when it trains is not published, so a total that uses these is an estimate and names its rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from ftprep.errors import UsageError

Confidence = Literal["source read", "third party", "by definition"]
_READ: Final = date(2026, 11, 20)
_COOKBOOK: Final = "OpenAI cookbook, How_to_count_tokens_with_tiktoken.ipynb"


@dataclass(frozen=True, slots=True)
class ChatRule:
    """Tokens a rule adds per message, per `name` field and per example."""

    per_message: int
    per_name: int
    per_example: int
    source: str
    as_of: date
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True, slots=True)
class ToolRule:
    """Tokens a rule adds for tool definitions, beside the tokens of their text."""

    per_function: int
    properties_start: int  # once for a function that has properties
    per_property: int
    enum_start: int  # once for a property that has an enum
    per_enum_item: int
    end: int  # once for an example that has tools
    models: tuple[str, ...]
    source: str
    as_of: date
    confidence: Confidence


CHAT_RULES: Final[dict[str, ChatRule]] = {
    "openai-chat": ChatRule(
        3, 1, 3, _COOKBOOK, _READ, "source read", "gpt-3.5-turbo-0613 and later; by its own words an estimate"
    ),
    "openai-chat-0301": ChatRule(4, -1, 3, _COOKBOOK, _READ, "source read", "gpt-3.5-turbo-0301 only"),
    "openai-data-prep": ChatRule(
        3, 1, 3, "OpenAI cookbook, Chat_finetuning_data_prep.ipynb, commit b774cbf", _READ, "source read"
    ),
    "llmcomp": ChatRule(
        4, -1, 2, "llmcomp 1.6.0", _READ, "source read", "not OpenAI's; counts text values only, not tools or parts"
    ),
    "prompt-completion": ChatRule(
        0, 0, 0, "the format: prompt and completion go in as they stand", _READ, "by definition"
    ),
}


@dataclass(frozen=True, slots=True)
class TemplateRule:
    """Tokens a model's own template adds, as measured: all tokens of one rendered message less those of its text.

    `per_role` has the exceptions from `per_message`; `per_example` is the begin of the text, `prompt` what asks for an
    answer. `fixed` is what is added without being asked for: always, or (`default_system`) where no system message is
    given.
    """

    per_message: int
    per_example: int
    prompt: int
    source: str
    as_of: date
    confidence: Confidence
    per_role: Mapping[str, int] = field(default_factory=dict)
    fixed: int = 0
    default_system: bool = False
    note: str = ""

    def of(self, role: str) -> int:
        """Tokens around one message of a role."""
        return self.per_role.get(role, self.per_message)


_MEASURED: Final = "token ids of templates rendered with trl 1.16.0, in the models' own vocabularies"
_LLAMA: Final = {"tool": 6, "ipython": 6}

TEMPLATE_RULES: Final[dict[str, TemplateRule]] = {
    "llama-3": TemplateRule(5, 1, 4, _MEASURED, _READ, "source read", _LLAMA),
    "llama-3.1": TemplateRule(
        5,
        1,
        4,
        _MEASURED,
        _READ,
        "source read",
        _LLAMA,
        20,
        note="3.1 and 3.2: a date inside the system block, which is always there; in 3.2 it is today's",
    ),
    "chatml": TemplateRule(5, 0, 3, _MEASURED, _READ, "source read", note="ChatML with the vocabulary of Qwen"),
    "qwen2.5": TemplateRule(
        5, 0, 3, _MEASURED, _READ, "source read", fixed=21, default_system=True, note="adds a default system prompt"
    ),
    "harmony": TemplateRule(
        4,
        0,
        2,
        _MEASURED,
        _READ,
        "source read",
        {"assistant": 6},
        61,
        note="gpt-oss; a system block with today's date is always there; assistant turns in the channel final",
    ),
}

# What a model's name begins with, after the owner -> its layout, and the rule that its template's tokens follow.
FAMILIES: Final[tuple[tuple[str, str, str], ...]] = (
    ("meta-llama-3.1", "llama-3", "llama-3.1"),
    ("llama-3.1", "llama-3", "llama-3.1"),
    ("llama-3.2", "llama-3", "llama-3.1"),
    ("llama-3.3", "llama-3", "llama-3.1"),
    ("meta-llama-3", "llama-3", "llama-3"),
    ("llama-3", "llama-3", "llama-3"),
    ("qwen2.5", "chatml", "qwen2.5"),
    ("qwen", "chatml", "chatml"),
    ("gpt-oss", "harmony", "harmony"),
    ("mistral-7b-instruct-v0.1", "mistral-v1", ""),
    ("mistral-7b-instruct-v0.3", "mistral-v3", ""),
    ("gemma-3", "gemma-3", ""),
    ("gemma-2", "gemma", ""),
    ("gemma-7b", "gemma", ""),
    ("phi-3", "phi-3", ""),
    ("phi-4", "phi-4", ""),
    ("deepseek-v3", "deepseek", ""),
    ("deepseek-r1", "deepseek", ""),
)


def family_of(model: str | None) -> tuple[str, str]:
    """The layout that a model's family has and the rule for its tokens, ("", "") where the name tells neither.

    `Qwen/Qwen2.5-7B-Instruct` and the bare name say the same; each is "" where nothing was measured or read of it.
    """
    name = (model or "").strip().rstrip("/").rpartition("/")[2].lower()
    return next(((layout, rule) for start, layout, rule in FAMILIES if name.startswith(start)), ("", ""))


# Text that is counted with these: `name:description` of a function and `key:type:description` of a property, each
# without a final full stop of the description, and the values of an enum.
TOOL_RULES: Final[dict[str, ToolRule]] = {
    "openai-tools-4o": ToolRule(7, 3, 3, -3, 3, 12, ("gpt-4o", "gpt-4o-mini"), _COOKBOOK, _READ, "third party"),
    "openai-tools-4": ToolRule(10, 3, 3, -3, 3, 12, ("gpt-3.5-turbo", "gpt-4"), _COOKBOOK, _READ, "third party"),
}


def chat_overhead(messages_count: int, names_count: int, rule: str = "openai-chat") -> int:
    """Return the tokens that `rule` adds to one example with that many messages and `name` fields.

    Raises UsageError for a rule that is not in CHAT_RULES.
    """
    if rule not in CHAT_RULES:
        message = f"there is no rule named {rule!r} for the overhead of a chat"
        raise UsageError(message, f"known: {', '.join(CHAT_RULES)}")
    adds = CHAT_RULES[rule]
    return messages_count * adds.per_message + names_count * adds.per_name + adds.per_example


IMAGE_LOW: Final = 85
"""Tokens of a picture with detail "low" (OpenAI's vision guide); for others one must know its size."""


def tool_texts(tools: Sequence[Any], rule: str = "openai-tools-4o") -> tuple[list[str], int]:
    """Return the texts of tool definitions that are tokenised, and the tokens that `rule` adds to these.

    What is no function with a name is passed over: other rules speak of that. Raises UsageError for an unknown rule.
    """
    if rule not in TOOL_RULES:
        message = f"there is no rule named {rule!r} for the overhead of tools"
        raise UsageError(message, f"known: {', '.join(TOOL_RULES)}")
    adds, texts = TOOL_RULES[rule], list[str]()
    total = adds.end if tools else 0
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            continue
        total += adds.per_function
        texts.append(f"{function['name']}:{_told(function)}")
        parameters = function.get("parameters")
        properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
        if not isinstance(properties, Mapping) or not properties:
            continue
        total += adds.properties_start
        for key, value in properties.items():
            schema = value if isinstance(value, Mapping) else {}
            total += adds.per_property
            texts.append(f"{key}:{schema.get('type', '')}:{_told(schema)}")
            if isinstance(choices := schema.get("enum"), list):
                total += adds.enum_start + adds.per_enum_item * len(choices)
                texts.extend(map(str, choices))
    return texts, total


def _told(schema: Mapping[str, Any]) -> str:
    description = schema.get("description")
    return description.removesuffix(".") if isinstance(description, str) else ""
