"""Tokens that a chat format adds around the text, as dated data with source: public rules of thumb, not a bill.

What a provider adds when it trains is not published, so a total that uses these is an estimate and names its rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
