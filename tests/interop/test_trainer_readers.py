"""What ftprep writes today, read by trainers' own libraries: datasets, TRL, Together's file check, mistral-common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import ftprep as ft
from ftprep.model import Chat, Message, Preference

# Their libraries warn of themselves as they are imported; what is asked here is what they make of our files.
pytestmark = pytest.mark.filterwarnings("ignore")

TEMPLATE = (
    "{% if tools %}<tools>{{ tools | tojson }}</tools>{% endif %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content or '' }}"
    "{% for c in m.tool_calls or [] %}<call>{{ c.function.name }}({{ c.function.arguments }}){% endfor %}</s>"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "find", "arguments": '{"q": "Mali"}'}}
TOOL = {
    "type": "function",
    "function": {
        "name": "find",
        "description": "Finds.",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
    },
}


def chat(number: int) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": "You know capitals."},
        {"role": "user", "content": f"What is the capital of country {number}, and since when has it been so?"},
        {"role": "assistant", "content": f"It is city {number}; since {1900 + number}.", "weight": number % 2},
        {"role": "user", "content": "And before that?"},
        {"role": "assistant", "content": f"Town {number} “of old”, 旧都, 🏛."},
    ]
    return {"messages": messages}


def tool_chat(number: int) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": f"Find the capital of country {number} for me, please."},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "abcdefghi", "content": f'{{"capital": "city {number}"}}'},
        {"role": "assistant", "content": f"It is city {number}."},
    ]
    return {"messages": messages, "tools": [TOOL]}


PLAIN, TOOLS = [chat(n) for n in range(20)], [tool_chat(n) for n in range(20)]
PAIRS = [{"question": f"How far is town {n} from here?", "answer": f"{n} miles to the north."} for n in range(20)]


def prepare(rows: list[dict[str, Any]], tmp_path: Path, **settings: Any) -> Path:
    """The file that `prepare` writes of rows, all of which are sound."""
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    written = ft.prepare(source, out=tmp_path / "out", **settings)
    (path,) = written.files("train")
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(rows)
    return path


def read_back(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_preferences(path: Path) -> Path:
    """Preferences in the wire form of the model."""
    rows = [
        Preference(
            Chat([Message("user", f"What is the capital of country {n}?")]),
            [Message("assistant", f"City {n}.")],
            [Message("assistant", "I do not care.")],
        )
        for n in range(20)
    ]
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    tokenizers: Any = pytest.importorskip("tokenizers")
    transformers: Any = pytest.importorskip("transformers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, chat_template=TEMPLATE, unk_token="<unk>")


def load(path: Path, tmp_path: Path) -> Any:
    datasets: Any = pytest.importorskip("datasets")
    return datasets.Dataset.from_json(str(path), cache_dir=str(tmp_path / "cache"))


def trl() -> Any:
    return pytest.importorskip("trl.data_utils", exc_type=ImportError)


@pytest.mark.parametrize("rows", [PLAIN, TOOLS], ids=["plain", "tools"])
def test_trl_renders_conversations(rows: list[dict[str, Any]], tmp_path: Path, tokenizer: Any) -> None:
    helpers = trl()
    loaded = load(prepare(rows, tmp_path), tmp_path)
    assert loaded.num_rows == len(rows)
    texts = []
    for row in loaded:
        assert helpers.is_conversational(row)
        texts.append(helpers.apply_chat_template(row, tokenizer, tools=row.get("tools"))["text"])
    for row, text in zip(rows, texts, strict=True):
        for message in row["messages"]:
            assert f"<{message['role']}>{message.get('content') or ''}" in text
    assert ('<call>find({"q": "Mali"})' in texts[0]) == (rows is TOOLS)
    assert ('"name": "find"' in texts[0]) == (rows is TOOLS)


def test_trl_renders_prompts_and_completions(tmp_path: Path, tokenizer: Any) -> None:
    helpers = trl()
    loaded = load(prepare(PAIRS, tmp_path), tmp_path)
    assert set(loaded.column_names) == {"prompt", "completion"}
    row = loaded[0]
    assert not helpers.is_conversational(row)
    assert helpers.maybe_apply_chat_template(row, tokenizer) == row
    assert "How far is town 0" in row["prompt"]
    assert "0 miles to the north." in row["completion"]


def test_trl_takes_preferences_apart(tmp_path: Path, tokenizer: Any) -> None:
    helpers = trl()
    loaded = load(write_preferences(tmp_path / "preferences.jsonl"), tmp_path)

    def rename(row: dict[str, Any]) -> dict[str, Any]:
        asked = row["input"]["messages"]
        return {"chosen": asked + row["preferred_output"], "rejected": asked + row["non_preferred_output"]}

    renamed = loaded.map(rename, remove_columns=loaded.column_names)
    split = renamed.map(helpers.maybe_extract_prompt)
    assert split[3]["prompt"] == [{"role": "user", "content": "What is the capital of country 3?"}]
    assert split[3]["chosen"] == [{"role": "assistant", "content": "City 3."}]
    rendered = helpers.apply_chat_template(split[3], tokenizer)
    assert rendered["prompt"] == "<user>What is the capital of country 3?</s><assistant>"
    assert rendered["rejected"] == "I do not care.</s>"
    unpaired = helpers.unpair_preference_dataset(split)
    assert (unpaired.num_rows, sum(unpaired["label"])) == (40, 20)


def together() -> Any:
    return pytest.importorskip("together.utils.files", exc_type=ImportError)


@pytest.mark.parametrize("form", ["chat", "pairs", "preferences", "text"])
def test_togethers_check_passes(form: str, tmp_path: Path) -> None:
    files = together()
    if form == "preferences":
        path = write_preferences(tmp_path / "preferences.jsonl")
    elif form == "text":
        from ftprep.model import Pair
        from ftprep.shapes.dialects.text import TextDialect

        path = tmp_path / "text.jsonl"
        texts = [TextDialect().write(Pair("", f"Text {n}")).record for n in range(20)]
        path.write_text("".join(json.dumps(t) + "\n" for t in texts), encoding="utf-8")
    else:
        path = prepare(PLAIN if form == "chat" else PAIRS, tmp_path)
    report = files.check_file(path)
    assert report["is_check_passed"], report
    assert report["num_samples"] == 20


def test_togethers_check_does_not_know_tool_messages(tmp_path: Path) -> None:
    """Its last full client check is older than its service, which takes them."""
    files = together()
    report = files.check_file(prepare(TOOLS, tmp_path))
    assert not report["is_check_passed"]
    assert "tool" in str(report["message"])


@pytest.mark.parametrize("rows", [PLAIN, TOOLS], ids=["plain", "tools"])
@pytest.mark.parametrize("version", ["V3", "V13"])
def test_mistral_common_takes_prepared_conversations(rows: list[dict[str, Any]], version: str, tmp_path: Path) -> None:
    requests: Any = pytest.importorskip("mistral_common.protocol.instruct.messages")
    validators: Any = pytest.importorskip("mistral_common.protocol.instruct.validator")
    pydantic: Any = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(requests.FinetuningMessage)
    validator = getattr(validators, f"MistralRequestValidator{version}")(validators.ValidationMode.finetuning)
    for row in read_back(prepare(rows, tmp_path)):
        validator.validate_messages([adapter.validate_json(json.dumps(m)) for m in row["messages"]])
