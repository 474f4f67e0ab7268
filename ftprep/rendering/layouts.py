"""The layouts of chats that are simple enough to be data: what stands around each text, by role, with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

ANY: Final = "*"
"""Role that stands for all which a layout does not name; `{role}` in its texts is the role itself."""


@dataclass(frozen=True)
class Layout:
    """One layout of a chat.

    `turns` has what stands before and after a text of each role; a role that is not in it is refused. `begin` and `end`
    stand at the ends of the whole, `prompt` where the model is to answer. `system` says where the system text goes;
    where it is folded into a user's turn, `glue` stands between the two. `last` stands in place of what follows the
    last answer, `thinks` around the reasoning of the last one. `fixed` is a block that is always there, with `{today}`.
    `rule` names how its tokens are counted, "" where nothing was measured.
    """

    name: str
    title: str
    turns: Mapping[str, tuple[str, str]]
    begin: str = ""
    end: str = ""
    prompt: str = ""
    system: Literal["turn", "first user", "last user", "refused"] = "turn"
    glue: str = "\n\n"
    last: str | None = None
    thinks: tuple[str, str] | None = None
    fixed: str = ""
    rule: str = ""
    shows_tools: bool = False
    source: str = "rendered with templates of trl 1.16.0 and axolotl 0.19.0"
    notes: tuple[str, ...] = field(default=())


_MISTRAL: Final = "encoded with mistral-common 1.13.1"
_SEP: Final = "<｜"

LAYOUTS: Final[dict[str, Layout]] = {
    layout.name: layout
    for layout in (
        Layout(
            "openai-chat",
            "OpenAI chats, as far as public: how the text is laid out is not published",
            {ANY: ("<|im_start|>{role}\n", "<|im_end|>\n")},
            rule="openai-chat",
            shows_tools=True,
            source="OpenAI cookbook, How_to_count_tokens_with_tiktoken.ipynb",
            notes=(
                (
                    "the layout is a stand-in: OpenAI does not publish what a tuned chat looks like; "
                    "its tokens are an estimate by the rule openai-chat"
                ),
            ),
        ),
        Layout(
            "chatml",
            "ChatML",
            {ANY: ("<|im_start|>{role}\n", "<|im_end|>\n")},
            prompt="<|im_start|>assistant\n",
            rule="chatml",
        ),
        Layout(
            "llama-3",
            "Llama 3",
            {
                ANY: ("<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>"),
                "tool": ("<|start_header_id|>ipython<|end_header_id|>\n\n", "<|eot_id|>"),
            },
            begin="<|begin_of_text|>",
            prompt="<|start_header_id|>assistant<|end_header_id|>\n\n",
            rule="llama-3",
            notes=("Llama 3.1 and 3.2 add a date to the system block, which this layout has not",),
        ),
        Layout(
            "mistral-v1",
            "Mistral, tokenizer v1",
            {"user": (" [INST] ", " [/INST]"), "assistant": (" ", "</s>")},
            begin="<s>",
            system="first user",
            source=_MISTRAL,
        ),
        Layout(
            "mistral-v3",
            "Mistral, tokenizers v2 and v3",
            {"user": ("[INST] ", "[/INST]"), "assistant": (" ", "</s>")},
            begin="<s>",
            system="last user",
            source=_MISTRAL,
        ),
        Layout(
            "mistral-v7",
            "Mistral, tokenizer v7",
            {
                "system": ("[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"),
                "user": ("[INST] ", "[/INST]"),
                "assistant": (" ", "</s>"),
            },
            begin="<s>",
            source=_MISTRAL,
        ),
        Layout(
            "gemma",
            "Gemma 1 and 2",
            {
                "user": ("<start_of_turn>user\n", "<end_of_turn>\n"),
                "assistant": ("<start_of_turn>model\n", "<end_of_turn>\n"),
            },
            begin="<bos>",
            prompt="<start_of_turn>model\n",
            system="refused",
        ),
        Layout(
            "gemma-3",
            "Gemma 3",
            {
                "user": ("<start_of_turn>user\n", "<end_of_turn>\n"),
                "assistant": ("<start_of_turn>model\n", "<end_of_turn>\n"),
            },
            begin="<bos>",
            prompt="<start_of_turn>model\n",
            system="first user",
        ),
        Layout(
            "phi-3",
            "Phi 3 and 3.5",
            {role: (f"<|{role}|>\n", "<|end|>\n") for role in ("system", "user", "assistant")},
            end="<|endoftext|>",
            prompt="<|assistant|>\n",
        ),
        Layout(
            "phi-4",
            "Phi 4",
            {ANY: ("<|im_start|>{role}<|im_sep|>", "<|im_end|>")},
            prompt="<|im_start|>assistant<|im_sep|>",
        ),
        Layout(
            "deepseek",
            "DeepSeek V3 and R1",
            {
                "system": ("", ""),
                "user": (f"{_SEP}User｜>", ""),
                "assistant": (f"{_SEP}Assistant｜>", f"{_SEP}end▁of▁sentence｜>"),
            },
            begin=f"{_SEP}begin▁of▁sentence｜>",
            prompt=f"{_SEP}Assistant｜><think>\n",
        ),
        Layout(
            "harmony",
            "Harmony (gpt-oss), without tools",
            {
                "system": ("<|start|>developer<|message|># Instructions\n\n", "\n\n<|end|>"),
                "developer": ("<|start|>developer<|message|># Instructions\n\n", "\n\n<|end|>"),
                "user": ("<|start|>user<|message|>", "<|end|>"),
                "assistant": ("<|start|>assistant<|channel|>final<|message|>", "<|end|>"),
            },
            prompt="<|start|>assistant",
            last="<|return|>",
            thinks=("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>"),
            fixed=(
                "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
                "Knowledge cutoff: 2024-06\nCurrent date: {today}\n\nReasoning: medium\n\n"
                "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>"
            ),
            rule="harmony",
            notes=(
                "the block in front is always added and holds today's date: the same record is another text tomorrow",
            ),
        ),
    )
}
"""By name. What is not in a layout (tool calls, pictures) needs the model's own template."""
