"""Which encoding a model uses: the table, fine-tuned names, and what is said of an unknown model."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date

import pytest
import tiktoken.model

from ftprep.errors import UsageError
from ftprep.tokens import ENCODING_NAMES, base_model, encoding_for_model
from ftprep.tokens.models import _entries

O200K, CL100K, P50K, R50K = "o200k_base", "cl100k_base", "p50k_base", "r50k_base"


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-5", O200K),
        ("gpt-5-mini", O200K),
        ("gpt-5.1", O200K),
        ("o1", O200K),
        ("o1-mini", O200K),
        ("o3-mini-2025-01-31", O200K),
        ("o4-mini-2025-04-16", O200K),
        ("gpt-4.5-preview", O200K),
        ("gpt-4.1", O200K),
        ("gpt-4.1-nano-2025-04-14", O200K),
        ("gpt-4o", O200K),
        ("gpt-4o-mini-2024-07-18", O200K),
        ("chatgpt-4o-latest", O200K),
        ("GPT-4o", O200K),
        ("gpt-4", CL100K),
        ("gpt-4-0613", CL100K),
        ("gpt-4-turbo", CL100K),
        ("gpt-3.5-turbo-0125", CL100K),
        ("gpt-35-turbo", CL100K),
        ("gpt-35-turbo-1106", CL100K),
        ("davinci-002", CL100K),
        ("babbage-002", CL100K),
        ("text-embedding-3-small", CL100K),
        ("gpt-oss-20b", "o200k_harmony"),
        ("openai/gpt-oss-120b", "o200k_harmony"),
        ("text-davinci-003", P50K),
        ("code-davinci-002", P50K),
        ("text-davinci-edit-001", "p50k_edit"),
        ("text-davinci-001", R50K),
        ("davinci", R50K),
        ("curie", R50K),
        ("babbage", R50K),
        ("ada", R50K),
        ("gpt2", "gpt2"),
        # fine-tuned, with and without a suffix, and checkpoints
        ("ft:gpt-4.1-mini-2025-04-14:org::id", O200K),
        ("ft:gpt-4.1-2025-04-14:org:suffix:id:ckpt-step-90", O200K),
        ("ft:gpt-4o-mini-2024-07-18:org:suffix:id", O200K),
        ("ft:gpt-4-0613:org::id", CL100K),
        ("ft:gpt-3.5-turbo-0125:org::id:ckpt-step-2000", CL100K),
        ("ft:davinci-002:org::id", CL100K),
        ("ft:babbage-002:org:my-suffix:id", CL100K),
        # fine-tuned in the older spelling
        ("ada:ft-org-2022-11-02-10-11-12", R50K),
        ("davinci:ft-org:suffix-2023-01-02-03-04-05", R50K),
        ("text-davinci-003:ft-org-2023-01-02-03-04-05", P50K),
        # fine-tuned on Azure
        ("gpt-4o-mini-2024-07-18.ft-0123456789abcdef-suffix", O200K),
        ("gpt-35-turbo-0613.ft-0123456789abcdef", CL100K),
    ],
)
def test_a_models_encoding(model: str, encoding: str) -> None:
    found = encoding_for_model(model)
    assert (found.model, found.encoding) == (model, encoding)


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("gpt-4o", "gpt-4o"),
        (" ft:gpt-4.1-mini-2025-04-14:org::id ", "gpt-4.1-mini-2025-04-14"),
        ("ada:ft-org-2022-11-02-10-11-12", "ada"),
        ("gpt-4o-2024-08-06.ft-0123-suffix", "gpt-4o-2024-08-06"),
    ],
)
def test_the_base_of_a_model(model: str, base: str) -> None:
    assert base_model(model) == base


def test_the_longest_match_wins_and_is_named() -> None:
    assert encoding_for_model("ft:gpt-4.1-mini-2025-04-14:org::id").matched == "gpt-4.1-"
    assert encoding_for_model("gpt-4.1").matched == "gpt-4.1"


def test_what_is_found_is_dated_and_cannot_change() -> None:
    found = encoding_for_model("gpt-4o")
    assert found.date >= date(2026, 11, 20)
    assert found.source
    with pytest.raises(FrozenInstanceError):
        found.encoding = "p50k_base"  # type: ignore[misc]


def test_the_table_holds_together() -> None:
    keys = [key for entry in _entries() for key in (*entry.names, *(f"{prefix}*" for prefix in entry.prefixes))]
    assert len(keys) == len(set(keys))
    assert {entry.encoding for entry in _entries()} <= set(ENCODING_NAMES)
    assert all(key == key.lower() for key in keys)


@pytest.mark.parametrize("model", [*tiktoken.model.MODEL_TO_ENCODING, *tiktoken.model.MODEL_PREFIX_TO_ENCODING])
def test_it_says_what_tiktoken_says(model: str) -> None:
    assert encoding_for_model(model).encoding == tiktoken.model.encoding_name_for_model(model)


def test_it_differs_from_tiktoken_where_tiktoken_is_wrong() -> None:
    tuned = "ft:gpt-4.1-2025-04-14:org::id"
    assert tiktoken.model.encoding_name_for_model(tuned) == CL100K
    assert encoding_for_model(tuned).encoding == encoding_for_model("gpt-4.1").encoding == O200K


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("gpt4o", "did you mean gpt-4o?"),
        ("ft:dvinci-002:org::id", "did you mean davinci-002?"),
        ("mistral-large", "name the encoding itself: o200k_base"),
        ("gpt-4.9", "name the encoding itself: o200k_base"),
        ("", "name the encoding itself: o200k_base"),
    ],
)
def test_an_unknown_model_is_told_what_to_do(model: str, hint: str) -> None:
    with pytest.raises(UsageError, match="no encoding is known for the model") as caught:
        encoding_for_model(model)
    assert repr(model) in caught.value.message
    assert hint in caught.value.hint
