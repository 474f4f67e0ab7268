"""Small conversations with tools, for the cards of the rules on them."""

from __future__ import annotations

import json
from typing import Any

from ftprep.rule import Sample
from ftprep.rules.fmt_messages import GOOD

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "capital",
        "description": "The capital of a country",
        "parameters": {"type": "object", "properties": {"country": {"type": "string"}}, "required": ["country"]},
    },
}


def call(arguments: object, name: str = "capital", number: str = "call_1") -> dict[str, Any]:
    """A call for a sample; what is no text is written as JSON text."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": number, "type": "function", "function": {"name": name, "arguments": text}}


def talk(*turns: object, tools: object = (TOOL,)) -> Sample:
    """A sample: two sound conversations, and one of these turns: a list is calls, a pair is an id and a tool's answer,
    other text the assistant's words."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Capital of Mali?"}]
    for turn in turns:
        if isinstance(turn, list):
            messages.append({"role": "assistant", "tool_calls": turn})
        elif isinstance(turn, tuple):
            messages.append({"role": "tool", "tool_call_id": turn[0], "content": turn[1]})
        else:
            messages.append({"role": "assistant", "content": turn})
    record = {"messages": messages} | ({"tools": tools} if tools else {})
    return Sample(text=GOOD + json.dumps(record) + "\n")


CALL = call({"country": "Mali"})
SOUND = talk([CALL], ("call_1", "Bamako"), "Bamako.")
