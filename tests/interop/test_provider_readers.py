"""What the dialects write, read by the providers' own libraries. Each part runs where its library is installed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ftprep.model import Chat, Function, ImagePart, ImageUrl, Message, TextPart, ToolCall
from ftprep.shapes.dialects.converse import ConverseDialect
from ftprep.shapes.dialects.gemini import GeminiDialect
from ftprep.shapes.dialects.mistral import MistralDialect

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "A city"},
        "days": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["city"],
}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": PARAMETERS}},
    {"type": "function", "function": {"name": "time"}},
]


def call(call_id: str, name: str, arguments: str) -> ToolCall:
    return ToolCall(call_id, "function", Function(name, arguments))


SYSTEM, ASK, REPLY = Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello.")
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
CALLS = Message(
    "assistant", tool_calls=[call("call_x", "weather", '{"city": "Bamako", "days": [1]}'), call("call_y", "time", "{}")]
)
ANSWERS = [Message("tool", '{"degrees": 31}', tool_call_id="call_x"), Message("tool", "noon", tool_call_id="call_y")]
CHATS: dict[str, Chat] = {
    "plain": Chat([SYSTEM, ASK, REPLY]),
    "weights": Chat([ASK, Message("assistant", "a", weight=0), ASK, Message("assistant", "b", weight=1)]),
    "parts": Chat([Message("user", [TextPart("One"), TextPart("two")]), REPLY]),
    "developer": Chat([Message("developer", "Be brief."), ASK, REPLY]),
    "tools": Chat([SYSTEM, ASK, CALLS, *ANSWERS, Message("assistant", "Hot, at noon.")], tools=TOOLS),
    "last is a call": Chat([ASK, CALLS], tools=TOOLS),
    "names": Chat([Message("user", "Hi", name="ann"), REPLY], parallel_tool_calls=False),
}
THINKS = Chat([ASK, Message("assistant", "Hello.", reasoning_content="A greeting.")])
STORED = Chat([Message("user", [TextPart("What?"), ImagePart(ImageUrl("s3://bucket/a.png"))]), REPLY])
CLOUD = Chat([Message("user", [TextPart("What?"), ImagePart(ImageUrl("gs://bucket/a.png"))]), REPLY])
INLINE = Chat([Message("user", [TextPart("What?"), ImagePart(ImageUrl(f"data:image/png;base64,{PIXEL}"))]), REPLY])


def read_mistral(record: dict[str, Any], version: str) -> None:
    """As mistral-finetune reads a record: its messages in finetuning mode, then its tools."""
    validators: Any = pytest.importorskip("mistral_common.protocol.instruct.validator")
    messages: Any = pytest.importorskip("mistral_common.protocol.instruct.messages")
    tools = pytest.importorskip("mistral_common.protocol.instruct.tool_calls")
    pydantic: Any = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(messages.FinetuningMessage)
    told = [adapter.validate_json(json.dumps(message)) for message in record["messages"]]
    validator = getattr(validators, f"MistralRequestValidator{version}")(validators.ValidationMode.finetuning)
    validator.validate_messages(told)
    validator._validate_tools([tools.Tool.model_validate(t) for t in record.get("tools", [])])


MISTRAL = [(name, version) for name in [*CHATS, "image", "thinks"] for version in ("V3", "V5", "V11", "V13")]


@pytest.mark.parametrize(("name", "version"), [m for m in MISTRAL if m[0] != "thinks" or m[1] in ("V11", "V13")])
def test_mistral_common_takes_what_is_written(name: str, version: str) -> None:
    chat = {**CHATS, "image": INLINE, "thinks": THINKS}[name]
    read_mistral(MistralDialect().write(chat).record, version)


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a", "name": "x"}]},
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [
            {"id": "call_x", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}]},
    ],
    ids=["a name", "no answer", "a long id"],
)  # fmt: skip
def test_mistral_common_refuses_what_is_wrong(record: dict[str, Any]) -> None:
    pytest.importorskip("mistral_common")
    with pytest.raises(Exception, match=r"name|Expected last role|length of 9"):
        read_mistral(record, "V3")


def complain_converse(record: dict[str, Any]) -> str:
    """What botocore, which holds requests to the service model of Bedrock, says of a record as a request."""
    loaders = pytest.importorskip("botocore.loaders")
    models = pytest.importorskip("botocore.model")
    validate = pytest.importorskip("botocore.validate")
    model = models.ServiceModel(loaders.Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
    shape = model.operation_model("Converse").input_shape
    request = {k: v for k, v in record.items() if k != "schemaVersion"}
    return str(validate.ParamValidator().validate({"modelId": "m", **request}, shape).generate_report())


@pytest.mark.parametrize("chat", [*CHATS.values(), THINKS, STORED, INLINE], ids=[*CHATS, "thinks", "stored", "inline"])
def test_bedrocks_service_model_takes_what_is_written(chat: Chat) -> None:
    assert complain_converse(ConverseDialect().write(chat).record) == ""


def test_bedrocks_service_model_refuses_what_is_wrong() -> None:
    assert "content" in complain_converse({"messages": [{"role": "user", "content": "Hi"}]})
    assert "type" in complain_converse({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("chat", [*CHATS.values(), CLOUD, INLINE], ids=[*CHATS, "cloud", "inline"])
def test_googles_sdk_takes_what_is_written(chat: Chat) -> None:
    types = pytest.importorskip("google.genai.types")
    record = json.loads(json.dumps(GeminiDialect().write(chat).record))
    contents = [types.Content.model_validate(c) for c in record["contents"]]
    assert {c.role for c in contents} <= {"user", "model"}
    for tool in record.get("tools", []):
        read = types.Tool.model_validate(tool)
        assert [d.name for d in read.function_declarations] == ["weather", "time"]
        assert read.function_declarations[0].parameters.type == types.Type.OBJECT
    if "systemInstruction" in record:
        assert types.Content.model_validate(record["systemInstruction"]).parts[0].text == "Be brief."
    called = [p.function_call for c in contents for p in c.parts or () if p.function_call]
    answered = [p.function_response for c in contents for p in c.parts or () if p.function_response]
    if answered:
        assert [c.name for c in called] == [a.name for a in answered] == ["weather", "time"]
        assert called[0].args == {"city": "Bamako", "days": [1]}
        assert [a.response for a in answered] == [{"degrees": 31}, {"output": "noon"}]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_googles_sdk_refuses_what_is_wrong() -> None:
    types = pytest.importorskip("google.genai.types")
    with pytest.raises(ValueError, match="content"):
        types.Content.model_validate({"role": "user", "content": "Hi"})
