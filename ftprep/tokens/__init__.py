"""Tokens: the encodings shipped with the package, which model uses which, exact counts, and what chat formats add."""

from ftprep.tokens.counter import Counter, Engine
from ftprep.tokens.encodings import ENCODING_NAMES, encoding
from ftprep.tokens.models import ModelEncoding, base_model, encoding_for_model
from ftprep.tokens.overheads import (
    CHAT_RULES,
    IMAGE_LOW,
    TEMPLATE_RULES,
    TOOL_RULES,
    ChatRule,
    TemplateRule,
    ToolRule,
    chat_overhead,
    family_of,
    tool_texts,
)

__all__ = [
    "CHAT_RULES",
    "ENCODING_NAMES",
    "IMAGE_LOW",
    "TEMPLATE_RULES",
    "TOOL_RULES",
    "ChatRule",
    "Counter",
    "Engine",
    "ModelEncoding",
    "TemplateRule",
    "ToolRule",
    "base_model",
    "chat_overhead",
    "encoding",
    "encoding_for_model",
    "family_of",
    "tool_texts",
]
