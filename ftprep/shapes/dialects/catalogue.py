"""All dialects that are read and written, in the order in which a record is asked whether it is one of them."""

from __future__ import annotations

from ftprep.shapes.dialect import Dialect
from ftprep.shapes.dialects.alpaca import Alpaca
from ftprep.shapes.dialects.anthropic import Anthropic
from ftprep.shapes.dialects.clouds import CLOUDS
from ftprep.shapes.dialects.cohere import Cohere
from ftprep.shapes.dialects.encoded import EncodedChat
from ftprep.shapes.dialects.llama_factory import LlamaFactoryImages, LlamaFactoryParts
from ftprep.shapes.dialects.preferences import PREFERENCES
from ftprep.shapes.dialects.renamed import RenamedChat
from ftprep.shapes.dialects.rewards import REWARDS
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
    *CLOUDS,
    Anthropic(),
    Alpaca(),
    RenamedChat(),
)

DIALECTS: tuple[Dialect, ...] = (*PREFERENCES, *REWARDS, EncodedChat(_CHATS), *_CHATS)
"""Special before general: what has answers to choose from before what has messages alone."""
