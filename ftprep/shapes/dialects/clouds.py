"""The dialects of hosted providers whose records are not OpenAI's: Gemini, Bedrock Converse, Mistral, plain text."""

from __future__ import annotations

from ftprep.shapes.dialect import Dialect
from ftprep.shapes.dialects.converse import ConverseDialect
from ftprep.shapes.dialects.gemini import GeminiDialect
from ftprep.shapes.dialects.mistral import MistralDialect
from ftprep.shapes.dialects.text import TextDialect

CLOUDS: tuple[Dialect, ...] = (GeminiDialect(), ConverseDialect(), MistralDialect(), TextDialect())
"""None is needed for Bedrock's Titan and Llama 3.1, which want prompt and completion as they are, nor for Together and
Fireworks, which want OpenAI's chat form."""
