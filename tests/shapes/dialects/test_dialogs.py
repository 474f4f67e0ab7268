"""What single dialects of conversations do beyond the laws: names, losses in words, texts that Python printed."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from ftprep.errors import UsageError
from ftprep.model import Chat, Function, ImagePart, ImageUrl, Message, TextPart, ToolCall, Turn
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.dialects.alpaca import Alpaca
from ftprep.shapes.dialects.anthropic import Anthropic
from ftprep.shapes.dialects.catalogue import DIALECTS
from ftprep.shapes.dialects.encoded import LONGEST_LITERAL, EncodedChat, open_text
from ftprep.shapes.dialects.llama_factory import LlamaFactoryImages, dataset_info
from ftprep.shapes.dialects.renamed import KeyMap
from ftprep.shapes.dialects.sharegpt import ShareGPT
from ftprep.shapes.dialects.swift import Swift
from ftprep.shapes.dialects.trl_conversational import TrlPromptCompletion

HI, HELLO = Message("user", "Hi"), Message("assistant", "Hello.")


def called(*names: str, arguments: str = '{"a": 1}', content: str | None = None) -> Message:
    """A message of the assistant with calls of these ids."""
    calls = [ToolCall(name, "function", Function("find", arguments)) for name in names]
    return Message("assistant", content, tool_calls=calls)


@pytest.mark.parametrize(
    ("messages", "losses"),
    [
        ([HI, HELLO], ()),
        ([HI, called("call_1"), Message("tool", "4", tool_call_id="call_1"), HELLO], ()),
        ([HI, called("a"), Message("tool", "4", tool_call_id="a"), HELLO], ("the id 'a' of a call of messages[1]",)),
        (
            [HI, called("call_1", "call_2"), Message("tool", "4", tool_call_id="call_2"), HELLO],
            ("the id of the call that is answered of messages[2]",),
        ),
        ([HI, called("call_1", arguments='{"a":1}')], ("the spelling of the arguments of messages[1]",)),
        ([HI, called("call_1", content="I look.")], ("that the text and the calls are one turn of messages[1]",)),
        ([Message("developer", "Be brief."), HI], ("the role developer of messages[0]",)),
        ([Message("user", "Hi", name="ann"), HELLO], ("the name of messages[0]",)),
        ([HI, Message("assistant", "4", reasoning_content="2 + 2")], ("the reasoning_content of messages[1]",)),
        ([HI, Message("assistant", "Hello.", extra={"from": 1, "id": 2})], ("the key 'from' of messages[1]",)),
        (
            [Message("user", [TextPart("Look: <image>"), ImagePart(ImageUrl("a.png", "low"))]), HELLO],
            (
                "the detail of a picture of messages[0]",
                "that the word <image> stands for itself in the text of messages[0]",
            ),
        ),
    ],
)
def test_what_sharegpt_has_no_place_for_is_said(messages: list[Message], losses: tuple[str, ...]) -> None:
    assert ShareGPT().write(Chat(messages)).losses == losses


def test_no_text_is_left_out_where_a_turn_is_parted() -> None:
    record = ShareGPT().write(Chat([HI, called("call_1", content="I look.")])).record
    assert [t["from"] for t in record["conversations"]] == ["human", "gpt", "function_call"]
    assert record["conversations"][1]["value"] == "I look."


def test_the_turns_of_the_fast_lane_are_written_too() -> None:
    turns: Any = [Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello.")]
    said = [Message("system", "Be brief."), HI, HELLO]
    for dialect in DIALECTS:
        if dialect.shape == "chat":
            assert dialect.write(Chat(turns)) == dialect.write(Chat(said))


def test_an_answer_to_a_call_that_is_past_has_no_id() -> None:
    asked = {"from": "function_call", "value": '{"name": "find", "arguments": {}}'}
    told = {"from": "observation", "value": "4"}
    turns = [asked, {"from": "gpt", "value": "?"}, asked, told, told]
    messages = ShareGPT().parse({"conversations": turns}).record["messages"]
    assert [m.get("tool_call_id") for m in messages] == [None, None, None, "call_2", None]


def test_a_call_keeps_an_id_of_its_own() -> None:
    asked = {"from": "function_call", "value": '{"id": "x", "type": "function", "function": {"name": "find"}}'}
    messages = ShareGPT().parse({"conversations": [asked, {"from": "tool", "value": "4"}]}).record["messages"]
    assert messages[0]["tool_calls"] == [{"id": "x", "type": "function", "function": {"name": "find"}}]
    assert messages[1]["tool_call_id"] == "x"


def test_what_is_called_like_a_key_of_the_wire_form_is_kept_under_another_name() -> None:
    turns = [{"from": "human", "value": "Hi", "role": "boss", "content": None}]
    parsed = ShareGPT().parse({"conversations": turns})
    assert parsed.record["messages"] == [{"role": "user", "content": "Hi", "role_": "boss"}]
    mapped = KeyMap("turns", "who", "text").parse({"turns": [{"who": "user", "text": "Hi"}], "messages": 5})
    assert mapped.record == {"messages": [{"role": "user", "content": "Hi"}], "messages_": 5}
    assert mapped.paths["/messages_"] == "/messages"


def test_alpaca_has_texts_and_their_order_only() -> None:
    written = Alpaca().write(Chat([HI, HELLO, HI, HI, Message("assistant", "4", weight=0), called("call_1")]))
    assert written.record["history"] == [["Hi", "Hello."], ["Hi", ""], ["Hi", "4"]]
    assert "the weight of messages[4]" in written.losses
    assert "the calls of messages[5]" in written.losses
    assert any("order of messages[3]" in loss or "no answer" in loss for loss in written.losses)


def test_swift_joins_calls_as_it_trains_them() -> None:
    chat = Chat([HI, HELLO, called("call_1"), called("call_2")])
    assert Swift().write(chat).losses == tuple(
        f"that the calls stand apart from the turn before of messages[{place}]" for place in (2, 3)
    )


def test_trl_learns_the_completion_alone() -> None:
    silent = Message("assistant", "Hello.", weight=0)
    written = TrlPromptCompletion().write(Chat([HI, silent, HI, called("x"), Message("tool", "4"), HELLO]))
    assert written.losses == ()
    assert [len(written.record[side]) for side in ("prompt", "completion")] == [3, 3]
    assert TrlPromptCompletion().write(Chat([HI, HELLO, HI, HELLO])).losses == (
        "that it is learnt: the weight of messages[1]",
    )


def test_anthropic_puts_results_and_the_next_question_into_one_message() -> None:
    tools = [Message("tool", text, tool_call_id=name) for name, text in (("a", "4"), ("b", "5"))]
    written = Anthropic().write(Chat([HI, called("a", "b", content="I look."), *tools, HI, HELLO]))
    assert written.losses == ()
    roles = [m["role"] for m in written.record["messages"]]
    assert roles == ["user", "assistant", "user", "assistant"]
    assert [p["type"] for p in written.record["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_a_recipe_can_say_what_things_are_called() -> None:
    keys = KeyMap("dialogue", "author", "message", {"client": "user", "agent": "assistant", "bot": "assistant"})
    record = {"dialogue": [{"author": "client", "message": "Hi"}, {"author": "bot", "message": "Hello.", "at": 5}]}
    assert keys.fits(record)
    chat = ChatShape().read_loosely(dict(keys.parse(record).record))
    assert chat == Chat([HI, Message("assistant", "Hello.", extra={"at": 5})])
    assert isinstance(chat, Chat)
    again = keys.write(chat)
    assert again.losses == ()
    assert again.record["dialogue"][1] == {"author": "agent", "message": "Hello.", "at": 5}
    assert keys.write(Chat([Message("user", "Hi", extra={"author": 1})])).losses == ("the key 'author' of messages[0]",)


# -- texts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "spelling"),
    [
        ('[{"a": 1}]', [{"a": 1}], "json"),
        (' [{"a": null}]\n', [{"a": None}], "json"),
        ("[{'a': None, 'b': True}]", [{"a": None, "b": True}], "python"),
        ("[{'a': 'x} {y'}\n {'a': \"it's\"}]", [{"a": "x} {y"}, {"a": "it's"}], "python"),
        ("[{'a': '\\'} {'}\r\n  {'b': 1}]", [{"a": "'} {"}, {"b": 1}], "python"),
        ("[['a', 'b'], ('c', 'd')]", [["a", "b"], ("c", "d")], "python"),
    ],
)
def test_lists_in_texts_are_read(text: str, value: Any, spelling: str) -> None:
    assert open_text(text) == (value, spelling)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[1] See below.",
        "Hi [1]",
        "[NaN]",
        "[1e999]",
        "[{1: 2}]",
        '[{"a": 1, "a": 2}]',
        "[{'a': None, 'a': 2}]",
        "[{'a': {1, 2}}]",
        "[b'a']",
        "[1j]",
        "[...]",
        "['\\ud800']",
        "[array([{'a': 1}], dtype=object)]",
        "[__import__('os').getcwd()]",
        "[{'a': 1} for a in range(10**9)]",
        "[9**9**9]",
        "['" + "a" * LONGEST_LITERAL + "']",
        "[" * 70 + "'a'" + "]" * 70,
        "[" * 100_000 + "]" * 100_000,
        "[{'a': '\\x00\\'}]",
        "['a'\x00]",
        "[" + "-" * 5000 + "1]",
        "[" + "'a' " * 1000,
        "[" + "9" * 5000 + ", 'a']",
    ],
)
def test_other_texts_stay_and_nothing_is_run(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_text(text) == (None, "")


def test_a_text_that_looks_like_a_list_is_no_conversation_by_itself() -> None:
    encoded = next(d for d in DIALECTS if isinstance(d, EncodedChat))
    assert not encoded.fits({"prompt": "[INST] Hi [/INST]", "completion": "[{'a': 1}]"})
    assert not encoded.fits({"prompt": '["a"]', "completion": '[{"a": 1}]'})
    broken = {"messages": "[{'role': 'user'"}
    assert not encoded.fits(broken)
    assert encoded.parse(broken).record == broken


# -- dataset_info.json ---------------------------------------------------------------------------------------------


def test_the_entry_of_a_file_names_what_is_in_it() -> None:
    told = dataset_info("talks", "sharegpt", "talks.jsonl", ("system", "tools", "id"))
    assert told["talks"]["formatting"] == "sharegpt"
    assert told["talks"]["columns"] == {"messages": "conversations", "system": "system", "tools": "tools"}
    assert told["talks"]["tags"]["function_tag"] == "function_call"
    plain = dataset_info("rows", "alpaca", "rows.json")["rows"]
    assert plain["columns"] == {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "history": "history",
    }
    assert "tags" not in plain
    written = LlamaFactoryImages().write(Chat([HI, HELLO])).record
    columns = dataset_info("looks", "llama-factory-images", "looks.jsonl")["looks"]["columns"]
    assert set(columns.values()) == set(written)
    json.dumps(told)


def test_a_dialect_that_llama_factory_does_not_read_is_refused() -> None:
    with pytest.raises(UsageError, match="no formatting for cohere"):
        dataset_info("a", "cohere", "a.jsonl")
