"""Records of every dialect of conversations, what they are in OpenAI's form, and where things stand in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sample:
    """A record and what it is read as; `home` says of pointers into that where they lead. A sound one is written
    again and read the same; where it `comes_back`, what is written is the very record."""

    dialect: str
    record: dict[str, Any]
    wire: dict[str, Any]
    home: dict[str, str] = field(default_factory=dict)
    is_sound: bool = True
    comes_back: bool = True


def talk(*turns: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """A conversation in OpenAI's form."""
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


def call(name: str, arguments: str, number: int = 1, key: str = "") -> dict[str, Any]:
    """A call in OpenAI's form."""
    function = {"name": name, "arguments": arguments}
    return {"id": key or f"call_{number}", "type": "function", "function": function}


def picture(url: str) -> dict[str, Any]:
    """A picture in OpenAI's form."""
    return {"type": "image_url", "image_url": {"url": url}}


HI = (("user", "Hi"), ("assistant", "Hello."))
FIND = {"name": "find", "description": "Finds.", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FIND}
ASKED = '{"name": "find", "arguments": {"what": "日"}}'
CALL = call("find", '{"what": "日"}')
RESULT = {"role": "tool", "content": "4", "tool_call_id": "call_1"}
CALLED = {"role": "assistant", "tool_calls": [CALL]}
USER, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}

SHAREGPT = [
    Sample(
        "sharegpt",
        {"id": 7, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]},
        talk(*HI, id=7),
        {
            "/messages": "/conversations",
            "/messages/1": "/conversations/1",
            "/messages/1/content": "/conversations/1/value",
            "/messages/1/content/0": "/conversations/1/value/0",
            "/messages/0/role": "/conversations/0/from",
            "/messages/1/name": "/conversations/1/name",
            "/id": "/id",
        },
        comes_back=False,
    ),
    Sample(
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "Hi"},
                {"from": "gpt", "value": "Hello.", "weight": 0, "score": 5},
                {"from": "human", "value": "Hi"},
                {"from": "gpt", "value": "Hello.", "weight": 1},
            ],
            "system": "Be brief.",
        },
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                USER,
                {**REPLY, "weight": 0, "score": 5},
                USER,
                {**REPLY, "weight": 1},
            ]
        },
        {"/messages/0/content": "/system", "/messages/2/weight": "/conversations/1/weight", "/messages/0": "/system"},
    ),
    Sample(
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "Hi"},
                {"from": "function_call", "value": ASKED},
                {"from": "observation", "value": "4"},
                {"from": "gpt", "value": "Hello."},
                {"from": "human", "value": "Hi"},
                {"from": "function_call", "value": f"[{ASKED}, {ASKED}]"},
                {"from": "observation", "value": "5"},
                {"from": "observation", "value": "6"},
                {"from": "gpt", "value": "Hello."},
            ],
            "tools": json.dumps([FIND]),
        },
        {
            "messages": [
                USER,
                CALLED,
                RESULT,
                REPLY,
                USER,
                {"role": "assistant", "tool_calls": [{**CALL, "id": "call_2"}, {**CALL, "id": "call_3"}]},
                {"role": "tool", "content": "5", "tool_call_id": "call_2"},
                {"role": "tool", "content": "6", "tool_call_id": "call_3"},
                REPLY,
            ],
            "tools": [TOOL],
        },
        {
            "/messages/1/tool_calls/0/function/arguments": "/conversations/1/value",
            "/messages/5/tool_calls/1": "/conversations/5/value",
            "/messages/1/role": "/conversations/1/from",
            "/tools/0/function/parameters/properties": "/tools",
        },
    ),
    Sample(
        "sharegpt",
        {
            "dialog": [
                {"from": "user", "value": "Hi", "loss": None},
                {"from": "chatgpt", "value": "Hello.", "loss": False},
                {"from": "model", "value": "Hello.", "train": True, "weight": None},
                {"from": "Human", "value": 5},
                {"from": "function_call", "value": "find it"},
                {"value": "?"},
                "gpt",
            ],
            "system": "",
            "tools": "not JSON",
        },
        {
            "messages": [
                USER,
                {**REPLY, "weight": 0},
                {**REPLY, "weight": 1},
                {"role": "Human", "content": 5},
                {"role": "assistant", "tool_calls": "find it"},
                {"content": "?"},
                "gpt",
            ],
            "tools": "not JSON",
        },
        {
            "/messages/1/weight": "/dialog/1/loss",
            "/messages/3/role": "/dialog/3/from",
            "/messages/4/tool_calls": "/dialog/4/value",
            "/messages/6": "/dialog/6",
        },
        is_sound=False,
    ),
    Sample(
        "sharegpt",
        {
            "conversations": [{"from": "system", "value": "A"}, {"from": "human", "value": "Hi"}],
            "system": "B",
            "tools": [FIND],
        },
        talk(("system", "A"), ("user", "Hi"), system="B", tools=[TOOL]),
        {"/system": "/system", "/tools/0/function/name": "/tools/0/name", "/tools/0": "/tools/0"},
        is_sound=False,
    ),
    Sample(
        "sharegpt",
        {
            "image": "a.png",
            "conversations": [{"from": "human", "value": "<image>\nWho?"}, {"from": "gpt", "value": "Ann."}],
        },
        {
            "messages": [
                {"role": "user", "content": [picture("a.png"), {"type": "text", "text": "\nWho?"}]},
                {"role": "assistant", "content": "Ann."},
            ]
        },
        {
            "/messages/0/content/0/image_url/url": "/image",
            "/messages/0/content/1": "/conversations/0/value",
            "/messages/0/content/1/text": "/conversations/0/value",
        },
        comes_back=False,
    ),
]

ALPACA = [
    Sample(
        "alpaca",
        {
            "instruction": "Sum up.",
            "input": "1 + 1",
            "output": "2",
            "system": "Count.",
            "history": [["Hi", "Hello."]],
            "id": 1,
        },
        talk(("system", "Count."), *HI, ("user", "Sum up.\n1 + 1"), ("assistant", "2"), id=1),
        {
            "/messages/0/content": "/system",
            "/messages/1": "/history/0/0",
            "/messages/2/content": "/history/0/1",
            "/messages/3/content": "/instruction",
            "/messages/4/content": "/output",
            "/messages": "",
        },
        comes_back=False,
    ),
    Sample(
        "alpaca",
        {"instruction": "Hi", "input": "", "output": "Hello.", "system": "", "history": []},
        talk(*HI),
    ),
    Sample(
        "alpaca",
        {"instruction": "", "input": "Hi", "response": "Hello.", "history": None},
        talk(*HI),
        {"/messages/0/content": "/input", "/messages/1/content": "/response"},
        comes_back=False,
    ),
    Sample(
        "alpaca",
        {"instruction": "Hi", "input": 5, "output": None, "history": ["Hi", ["a"], ["q", None]], "tools": ""},
        {
            "messages": [
                "Hi",
                ["a"],
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": None},
                {"role": "user", "content": ["Hi", 5]},
                {"role": "assistant", "content": None},
            ]
        },
        {"/messages/0": "/history/0", "/messages/3/content": "/history/2/1", "/messages/5/content": "/output"},
        is_sound=False,
    ),
    Sample(
        "alpaca",
        {"instruction": None, "output": "Hello.", "system": None, "history": "none"},
        {"messages": [{"role": "user", "content": None}, REPLY], "history": "none"},
        is_sound=False,
    ),
]

SWIFT = [
    Sample(
        "swift",
        {"system": "Be brief.", "query": "Hi", "response": "Hello.", "history": [["Hi", "Hello."]]},
        talk(("system", "Be brief."), *HI, *HI),
        {"/messages/4/content": "/response", "/messages/3/content": "/query", "/messages/2": "/history/0/1"},
        comes_back=False,
    ),
    Sample(
        "swift",
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Let me see.", "loss": False},
                {"role": "tool_call", "content": ASKED, "loss": False},
                {"role": "tool_call", "content": ASKED, "loss": False},
                {"role": "tool_response", "content": "4"},
                {"role": "tool_response", "content": "5"},
                {"role": "assistant", "content": "Hello.", "loss": True},
            ],
            "tools": json.dumps([FIND]),
        },
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "Let me see.",
                    "tool_calls": [CALL, {**CALL, "id": "call_2"}],
                    "weight": 0,
                },
                RESULT,
                {"role": "tool", "content": "5", "tool_call_id": "call_2"},
                {**REPLY, "weight": 1},
            ],
            "tools": [TOOL],
        },
        {
            "/messages/1/tool_calls/1/function": "/messages/3/content",
            "/messages/2/content": "/messages/4/content",
            "/messages/4/weight": "/messages/6/loss",
        },
    ),
    Sample(
        "swift",
        {
            "messages": [
                {"role": "human", "content": "Hi", "loss": False},
                {"role": "tool_call", "content": {"name": "find", "arguments": {"what": "日"}}},
                {"role": "tool_call", "content": "find"},
                {"role": "bot", "content": "Hello.", "loss_scale": 0.5},
                5,
            ],
        },
        {
            "messages": [
                USER,
                CALLED,
                {"role": "assistant", "tool_calls": "find"},
                {**REPLY, "loss_scale": 0.5},
                5,
            ]
        },
        {"/messages/2/tool_calls": "/messages/2/content"},
        is_sound=False,
    ),
    Sample(
        "swift",
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello.", "loss_scale": 1.0},
            ]
        },
        {"messages": [USER, {**REPLY, "weight": 1}]},
        {"/messages/1/weight": "/messages/1/loss_scale"},
        comes_back=False,
    ),
]


def parts(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    """LLaMA-Factory's parts."""
    return [{"type": kind, "value": value} for kind, value in pairs]


LLAMA_FACTORY = [
    Sample(
        "llama-factory-parts",
        {
            "messages": [
                {"role": "user", "content": parts(("image_url", "a.png"), ("text", "Who?")), "loss_weight": 0.0},
                {"role": "assistant", "content": parts(("text", "Ann.")), "loss_weight": 0.0, "id": 1},
                {"role": "user", "content": parts(("text", "Hi")), "loss_weight": 0.0},
                {
                    "role": "assistant",
                    "content": parts(("reasoning", "Well."), ("text", "I look."), ("tool_call", ASKED)),
                    "loss_weight": 1.0,
                },
                {"role": "tool", "content": parts(("text", "4")), "loss_weight": 0.0},
            ],
            "tools": json.dumps([FIND]),
        },
        {
            "messages": [
                {"role": "user", "content": [picture("a.png"), {"type": "text", "text": "Who?"}]},
                {"role": "assistant", "content": "Ann.", "id": 1, "weight": 0},
                USER,
                {
                    "role": "assistant",
                    "content": "I look.",
                    "reasoning_content": "Well.",
                    "tool_calls": [CALL],
                },
                RESULT,
            ],
            "tools": [TOOL],
        },
        {
            "/messages/0/content/0/image_url/url": "/messages/0/content/0/value",
            "/messages/0/content/1/text": "/messages/0/content/1/value",
            "/messages/1/content": "/messages/1/content/0/value",
            "/messages/1/weight": "/messages/1/loss_weight",
            "/messages/3/tool_calls/0/function/name": "/messages/3/content/2/value",
            "/messages/3/reasoning_content": "/messages/3/content/0/value",
        },
    ),
    Sample(
        "llama-factory-parts",
        {
            "messages": [
                {"role": "user", "content": parts(("video_url", "a.mp4"), ("text", "Hi")), "loss_weight": 0.5},
                {"role": "assistant", "content": [{"type": "text"}, 5], "loss_weight": None},
                {"role": "assistant", "content": parts(("tool_call", "find"))},
                {"role": "assistant", "content": []},
                None,
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "video_url", "value": "a.mp4"}, {"type": "text", "text": "Hi"}],
                    "weight": 0.5,
                },
                {"role": "assistant", "content": [{"type": "text"}, 5]},
                {"role": "assistant", "tool_calls": ["find"]},
                {"role": "assistant", "content": []},
                None,
            ]
        },
        {"/messages/0/content/0": "/messages/0/content/0", "/messages/2/tool_calls/0": "/messages/2/content/0/value"},
        is_sound=False,
    ),
    Sample(
        "llama-factory-images",
        {
            "messages": [
                {"role": "user", "content": "<image>Who?<image>"},
                {"role": "assistant", "content": "Ann."},
                {"role": "user", "content": "And <image> or <image>?"},
            ],
            "images": ["a.png", "b.png", "c.png", "d.png"],
        },
        {
            "messages": [
                {"role": "user", "content": [picture("a.png"), {"type": "text", "text": "Who?"}, picture("b.png")]},
                {"role": "assistant", "content": "Ann."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "And "},
                        picture("c.png"),
                        {"type": "text", "text": " or "},
                        picture("d.png"),
                        {"type": "text", "text": "?"},
                    ],
                },
            ]
        },
        {
            "/messages/2/content/3/image_url/url": "/images/3",
            "/messages/2/content/0/text": "/messages/2/content",
            "/messages/1/content": "/messages/1/content",
        },
    ),
    Sample(
        "llama-factory-images",
        {"messages": [{"role": "user", "content": "<image><image>"}, REPLY], "images": ["a.png"], "system": "Look."},
        {
            **talk(("system", "Look."), ("user", "<image><image>"), HI[1]),
            "images": ["a.png"],
        },
        {"/messages/1/content": "/messages/0/content", "/images": "/images"},
        is_sound=False,
    ),
    Sample(
        "llama-factory-images",
        {"messages": [USER, REPLY], "images": [], "tools": [TOOL]},
        {"messages": [USER, REPLY], "tools": [TOOL]},
        comes_back=False,
    ),
]

ANTHROPIC = [
    Sample(
        "anthropic",
        {"system": "Be brief.", "messages": [USER, REPLY], "id": 1},
        talk(("system", "Be brief."), *HI, id=1),
        {"/messages/0": "/system", "/messages/2/content": "/messages/1/content"},
    ),
    Sample(
        "anthropic",
        {
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                        {"type": "text", "text": "Who?"},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"what": "日"}},
                        {"type": "tool_use", "id": "toolu_2", "name": "find", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "4", "is_error": True},
                        {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"type": "text", "text": "5"}]},
                        {"type": "text", "text": "Well?"},
                    ],
                },
                {"role": "assistant", "content": "Ann."},
            ],
            "tools": [{"name": "find", "description": "Finds.", "input_schema": FIND["parameters"]}],
        },
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        picture("data:image/png;base64,QUJD"),
                        picture("https://example.com/a.png"),
                        {"type": "text", "text": "Who?"},
                    ],
                },
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [call("find", '{"what": "日"}', key="toolu_1"), call("find", "{}", key="toolu_2")],
                },
                {"role": "tool", "content": "4", "tool_call_id": "toolu_1", "is_error": True},
                {"role": "tool", "content": "5", "tool_call_id": "toolu_2"},
                {"role": "user", "content": "Well?"},
                {"role": "assistant", "content": "Ann."},
            ],
            "tools": [TOOL],
        },
        {
            "/messages/1/content/1/image_url/url": "/messages/0/content/1/source",
            "/messages/2/content": "/messages/1/content/0/text",
            "/messages/2/tool_calls/1/function/arguments": "/messages/1/content/2/input",
            "/messages/3": "/messages/2/content/0",
            "/messages/4/tool_call_id": "/messages/2/content/1/tool_use_id",
            "/messages/4/content": "/messages/2/content/1/content/0/text",
            "/messages/5/content": "/messages/2/content/2/text",
            "/messages/6": "/messages/3",
            "/tools/0/function/name": "/tools/0/name",
        },
        comes_back=False,
    ),
    Sample(
        "anthropic",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}, 5]},
                {"role": "assistant", "content": [{"type": "tool_use", "input": "x"}, {"type": "thinking"}]},
                {"content": [{"type": "tool_result"}, {"type": "image", "source": {"type": "file"}}]},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}, 5]},
                {
                    "role": "assistant",
                    "content": [{"type": "thinking"}],
                    "tool_calls": [{"type": "function", "function": {"arguments": "x"}}],
                },
                {"role": "tool", "content": ""},
                {"content": [{"type": "image", "source": {"type": "file"}}]},
            ]
        },
        {"/messages/3/content/0": "/messages/2/content/1", "/messages/1/content/0": "/messages/1/content/1"},
        is_sound=False,
    ),
]

OTHERS = [
    Sample(
        "trl-prompt-completion",
        {
            "prompt": [USER, REPLY, USER],
            "completion": [{"role": "assistant", "tool_calls": [CALL]}, RESULT, REPLY],
            "tools": [TOOL],
            "id": 1,
        },
        {"messages": [USER, {**REPLY, "weight": 0}, USER, CALLED, RESULT, REPLY], "tools": [TOOL], "id": 1},
        {"/messages/1/weight": "/prompt/1", "/messages/5/content": "/completion/2/content", "/messages/2": "/prompt/2"},
    ),
    Sample(
        "trl-prompt-completion",
        {"prompt": [USER], "completion": []},
        {"messages": [USER]},
    ),
    Sample(
        "trl-prompt-completion",
        {"prompt": [USER, "x"], "completion": [{"role": "Assistant"}], "tools": "x"},
        {"messages": [USER, "x", {"role": "Assistant"}], "tools": "x"},
        is_sound=False,
    ),
    Sample(
        "cohere",
        {
            "messages": [
                {"role": "System", "content": "Be brief."},
                {"role": "User", "content": "Hi"},
                {"role": "Chatbot", "content": "Hello."},
            ]
        },
        talk(("system", "Be brief."), *HI),
        {"/messages/2/role": "/messages/2/role"},
    ),
    Sample(
        "renamed-chat",
        {"conversations": [USER, {**REPLY, "weight": 0, "score": 1}, REPLY], "tools": [TOOL], "id": 1},
        {"messages": [USER, {**REPLY, "weight": 0, "score": 1}, REPLY], "tools": [TOOL], "id": 1},
        {"/messages/1/weight": "/conversations/1/weight", "/messages": "/conversations"},
    ),
    Sample(
        "renamed-chat",
        {"chat": [USER, {"role": ["x"]}, "x"], "messages": None},
        {"messages": [USER, {"role": ["x"]}, "x"]},
        {"/messages/1/role": "/chat/1/role", "/messages/2": "/chat/2"},
        is_sound=False,
    ),
    Sample(
        "encoded-chat",
        {"messages": json.dumps([USER, REPLY]), "tools": json.dumps([TOOL]), "id": 1},
        {"messages": [USER, REPLY], "tools": [TOOL], "id": 1},
        {"/messages/1/content": "/messages", "/tools/0/function/name": "/tools", "/id": "/id"},
    ),
    Sample(
        "encoded-chat",
        {"conversations": str([{"from": "human", "value": "It's"}, {"from": "gpt", "value": 'a "b"\n'}]), "id": 1},
        talk(("user", "It's"), ("assistant", 'a "b"\n'), id=1),
        {"/messages/1/content": "/conversations", "/messages/0": "/conversations"},
        comes_back=False,
    ),
    Sample(
        "encoded-chat",
        {
            "messages": "[{'role': 'user', 'content': '} {'}\n "
            "{'role': 'assistant', 'content': \"it's\", 'weight': None}]"
        },
        {"messages": [{"role": "user", "content": "} {"}, {"role": "assistant", "content": "it's", "weight": None}]},
        {"/messages/1/weight": "/messages"},
        comes_back=False,
    ),
    Sample(
        "encoded-chat",
        {"instruction": "Hi", "output": "Hello.", "history": "[['Hi', 'Hello.']]"},
        talk(*HI, *HI),
        {"/messages/0/content": "/history", "/messages/2": "/instruction"},
        comes_back=False,
    ),
    Sample(
        "encoded-chat",
        {"prompt": json.dumps([USER]), "completion": json.dumps([REPLY])},
        talk(*HI),
        {"/messages/0/content": "/prompt", "/messages/1": "/completion"},
        comes_back=False,
    ),
]

SAMPLES: list[Sample] = [*SHAREGPT, *ALPACA, *SWIFT, *LLAMA_FACTORY, *ANTHROPIC, *OTHERS]
