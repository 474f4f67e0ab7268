"""The dialects: one value for each way in which providers and trainers write their records."""

from __future__ import annotations

from ftprep.shapes.dialect import Dialect
from ftprep.shapes.dialects.alpaca import Alpaca
from ftprep.shapes.dialects.anthropic import Anthropic
from ftprep.shapes.dialects.cohere import Cohere
from ftprep.shapes.dialects.encoded import EncodedChat
from ftprep.shapes.dialects.llama_factory import LlamaFactoryImages, LlamaFactoryParts
from ftprep.shapes.dialects.renamed import RenamedChat
from ftprep.shapes.dialects.sharegpt import ShareGPT
from ftprep.shapes.dialects.swift import Swift
from ftprep.shapes.dialects.trl_conversational import TrlPromptCompletion

_CHATS: tuple[Dialect, ...] = (
    ShareGPT(),
    TrlPromptCompletion(),
    Cohere(),
    LlamaFactoryParts(),
    Swift(),
    LlamaFactoryImages(),
    Anthropic(),
    Alpaca(),
    RenamedChat(),
)

DIALECTS: tuple[Dialect, ...] = (EncodedChat(_CHATS), *_CHATS)
"""In the order in which `fits` is asked: special before general."""
