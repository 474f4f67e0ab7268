"""Finds the chat template of a model in the files that come with it, with its special tokens and its vocabulary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftprep.disk import small_text
from ftprep.errors import UsageError
from ftprep.foreign import words_of

CONFIG, JINJA, VOCABULARY = "tokenizer_config.json", "chat_template.jinja", "tokenizer.json"
MOST_BYTES = 64 * 1024 * 1024
_KINDS = "a folder with the model's tokenizer files, a tokenizer_config.json or a .jinja file"


@dataclass(frozen=True)
class TemplateFile:
    """Chat templates by name (`default`, `tool_use`), the special tokens that they may use, and where the vocabulary
    is that they are written for."""

    name: str
    templates: Mapping[str, str]
    special: Mapping[str, str] = field(default_factory=dict)
    vocabulary: Path | None = None

    @property
    def first(self) -> str:
        """The template that is used where no other is meant."""
        return "default" if "default" in self.templates else next(iter(self.templates))

    def lacks(self) -> list[str]:
        """Special tokens that the template asks for and that are not known."""
        source = self.templates[self.first]
        return [token for token in ("bos_token", "eos_token") if token in source and token not in self.special]


def read_template(path: Path) -> TemplateFile:
    """The template at a path: a folder, a tokenizer_config.json, a .jinja file; raises UsageError for none."""
    if not path.exists():
        raise UsageError(f"--template {path}: no such file, and no layout is called so", f"give a layout or {_KINDS}")
    folder = path if path.is_dir() else path.parent
    config = folder / CONFIG if path.is_dir() or path.suffix != ".json" else path
    settings = _json(config) if config.is_file() else {}
    templates = _templates(settings.get("chat_template"), config)
    jinja = folder / JINJA if path.suffix != ".jinja" else path
    if jinja.is_file() and (path.suffix != ".json" or not templates):
        templates = {**templates, "default": _text(jinja)}  # as transformers has it: this file wins over the setting
    if not templates:
        raise UsageError(f"{path} holds no chat template", f"give {_KINDS} that has one; a base model has none")
    vocabulary = folder / VOCABULARY
    return TemplateFile(str(path), templates, _special(settings), vocabulary if vocabulary.is_file() else None)


def _text(path: Path) -> str:
    try:
        return small_text(path, MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {words_of(error)}", "a template is a text in UTF-8") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        message = f"{path}: this is no JSON: {words_of(error)}"
        raise UsageError(message, "give the file as it came with the model") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: a tokenizer's settings are an object", "give the file as it came with the model")
    return found


def _templates(given: Any, path: Path) -> dict[str, str]:
    """The setting `chat_template`: a text, or a list of objects with name and template."""
    if given is None or isinstance(given, str):
        return {"default": given} if given else {}
    if isinstance(given, list) and all(isinstance(t, dict) for t in given):
        named = {t.get("name"): t.get("template") for t in given}
        if all(isinstance(text, str) for both in named.items() for text in both):
            return {str(name): str(text) for name, text in named.items()}
    message = f"{path}: chat_template is neither a text nor a list of name and template"
    raise UsageError(message, "give the file as it came with the model")


def _special(settings: Mapping[str, Any]) -> dict[str, str]:
    """The special tokens, each a text or an object with its content."""
    found = {}
    for name, value in settings.items():
        text = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(text, str):
            found[name] = text
    return found
