"""The shipped files: each loads, each fact has its source and date, and nothing is there that was not found."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

import ftprep
from ftprep import recipe
from ftprep.model import ShapeName
from ftprep.rules import CATALOGUE
from ftprep.targets import Fact, Target, find_target, target_names
from ftprep.targets.catalogue import DATA, models_of
from ftprep.targets.file import DATE
from ftprep.targets.model import METHODS
from ftprep.targets.paths import DERIVED, PATHS, SHAPES, find_path
from ftprep.tokens.encodings import ENCODING_NAMES as ENCODINGS
from ftprep.tokens.overheads import CHAT_RULES, TOOL_RULES

NAMES = target_names()
WANTED = [
    "axolotl",
    "azure",
    "bedrock-haiku",
    "bedrock-llama",
    "bedrock-nova",
    "bedrock-rft",
    "bedrock-titan",
    "cohere",
    "databricks",
    "fireworks",
    "generic",
    "llama-factory",
    "mistral",
    "openai",
    "together",
    "torchtune",
    "trl",
    "vertex",
]
# Of this round: rules that are written beside these files.
COMING = re.compile(r"TOOL1(0\d|1[0-2])|IMG10[1-8]|FMT13[0-6]|FMT17\d")
# Worked out, not read.
WITHOUT_SOURCE = {"model.known", "model.nearest"}


def all_targets() -> list[Target]:
    """Every target, for every method, for every model and without one."""
    found = []
    for name in NAMES:
        for method in METHODS:
            base = find_target(name, method)
            found.append(base)
            found += [find_target(f"{name}:{model}", method) for model, _ in models_of(base)]
    return found


ALL = all_targets()


def test_all_targets_are_there() -> None:
    assert list(NAMES) == WANTED


def test_words_are_those_of_the_recipe_and_the_model() -> None:
    assert get_args(recipe.Method) == METHODS
    assert set(SHAPES.split("|")) == set(get_args(ShapeName))


def test_every_fact_has_a_source_a_date_and_a_plain_value() -> None:
    for target in ALL:
        for path, fact in target.facts.items():
            where = f"{target.selector} {target.method} {path}"
            assert find_path(path), where
            plain = fact.value if isinstance(fact.value, tuple) else (fact.value,)
            assert all(isinstance(each, (bool, int, float, str, date)) for each in plain), where
            if path not in WITHOUT_SOURCE:
                assert fact.source in target.sources, where
                assert target.sources[fact.source].title, where
                assert re.fullmatch(DATE[1:-1], fact.date), f"{where}: {fact.date!r}"


def test_every_source_is_cited() -> None:
    for name in NAMES:
        text = (DATA / f"{name}.toml").read_text(encoding="utf-8")
        for source in tomllib.loads(text)["sources"]:
            assert text.count(f'"{source}"') >= 1, f"{name}: {source}"


def test_names_in_facts_are_names_that_there_are() -> None:
    for target in ALL:
        assert target.value("tokenizer.encoding", "o200k_base") in ENCODINGS
        assert target.value("overhead.rule", "openai-chat") in CHAT_RULES
        assert target.value("overhead.tools_rule", "openai-tools-4") in TOOL_RULES
        shapes = target.value("record.shapes", ())
        assert target.value("record.shape", shapes[0] if shapes else None) == (shapes[0] if shapes else None)
        assert set(target.value("job.terminal", ())) <= set(target.value("job.statuses", ()))
        for section in ("file", "images"):
            assert target.value(f"{section}.warn_bytes", 0) <= target.value(f"{section}.max_bytes", 1 << 60)


def test_codes_of_messages_are_codes_of_rules() -> None:
    known = {rule.card.code for rule in CATALOGUE}
    for target in ALL:
        for message in target.messages:
            assert all(code in known or COMING.fullmatch(code) for code in message.codes), message
            assert message.source in target.sources


@pytest.mark.parametrize("name", NAMES)
def test_every_method_that_is_offered_has_a_shape(name: str) -> None:
    for method in find_target(name).value("methods"):
        target = find_target(name, method)
        assert target.value("method.offered") is True
        wanted = {"dpo": "preference", "kto": "unpaired", "reinforcement": "reinforcement"}
        assert target.value("record.shape") in (
            wanted.get(method),
            *(("chat", "completion") * (method == "supervised")),
        )


@pytest.mark.parametrize(
    ("selector", "method", "path"),
    [
        *(("openai:gpt-4.1", m, "limits.context") for m in METHODS),
        *(("openai:gpt-4.1-mini", m, "limits.context") for m in METHODS),
        ("azure:gpt-4.1", "supervised", "limits.context"),
        ("azure", "supervised", "price.per_million"),
        ("azure:gpt-4.1", "supervised", "price.per_million"),
        ("openai", "supervised", "limits.context"),
        ("openai", "supervised", "file.bom"),
        ("openai", "supervised", "file.max_rows"),
        ("openai", "supervised", "name.pattern"),
        ("openai", "supervised", "roles.alternate"),
        ("openai:gpt-4.1", "supervised", "overhead.tools_rule"),
        ("together", "supervised", "price.per_million"),
        ("together", "supervised", "params.n_epochs.max"),
        ("fireworks", "supervised", "images.max_per_row"),
        ("fireworks", "supervised", "images.max_bytes"),
        ("fireworks", "supervised", "price.per_million"),
        ("vertex", "supervised", "file.min_rows"),
        ("vertex", "supervised", "price.per_million"),
        ("bedrock-nova", "supervised", "price.per_million"),
        ("bedrock-nova", "supervised", "params.batch_size.default"),
    ],
)
def test_what_was_not_found_is_not_there(selector: str, method: str, path: str) -> None:
    assert find_target(selector, method).get(path) is None


@pytest.mark.parametrize(
    ("selector", "method", "path", "value", "rejects"),
    [
        ("openai", None, "file.min_rows", 10, True),
        ("openai", None, "dates.last_new_job", date(2027, 1, 6), True),
        ("openai", None, "images.max_per_row", 10, True),
        ("openai", None, "record.extra", "reject", False),
        ("openai", None, "roles.last", ("assistant",), False),
        ("openai", None, "weight.last_not_zero", True, False),
        ("openai", None, "suffix.max", 64, True),
        ("openai", "dpo", "params.beta.min_exclusive", 0, True),
        ("openai", "dpo", "params.beta.max", 2, True),
        ("openai", "reinforcement", "file.validation", "required", True),
        ("openai", "reinforcement", "record.extra", "ignore", True),
        ("openai:gpt-4o-mini", None, "limits.context", 65536, True),
        ("openai:gpt-4o-mini", None, "price.per_million", 3.0, True),
        ("openai:gpt-3.5-turbo", None, "dates.off", date(2026, 10, 23), True),
        ("openai:babbage-002", None, "record.required", ("prompt", "completion"), True),
        ("azure", None, "file.bom", "required", True),
        ("azure", None, "images.max_per_row", 64, True),
        ("azure", None, "suffix.max", 64, True),
        ("azure", None, "suffix.warn_max", 18, False),
        ("azure:gpt-4o", None, "limits.context", 65536, False),
        ("azure:gpt-4.1", None, "dates.last_new_job", date(2027, 4, 14), False),
        ("together", None, "file.bom", "forbidden", True),
        ("together", None, "images.sources", ("data",), True),
        ("together:DeepSeek-V4-Flash", None, "limits.context", 131072, True),
        ("together:DeepSeek-V4-Flash", "dpo", "limits.context", 32768, True),
        ("together:gpt-oss-20b", None, "limits.context", 131072, False),
        ("together", "dpo", "preference.output_messages", 1, True),
        ("fireworks", None, "file.max_rows_times_epochs", 3_000_000, True),
        ("mistral", None, "tools.id_pattern", "^[a-zA-Z0-9]{9}$", False),
        ("vertex", None, "images.max_per_row", 30, False),
        ("bedrock-nova", None, "file.min_rows", 8, True),
        ("bedrock-nova:nova-micro", None, "images.allowed", False, True),
        ("bedrock-haiku", None, "reserved.words", ("\nHuman:", "\nAssistant:"), True),
        ("bedrock-rft", None, "record.shape", "reinforcement", True),
        ("bedrock-llama:llama-3.2-90b", None, "limits.context", 10000, True),
        ("databricks", None, "dates.off", date(2026, 8, 14), False),
        ("trl", None, "defaults.max_length", 1024, True),
        ("trl", "kto", "record.required", ("prompt", "completion", "label"), True),
        ("generic", None, "images.max_per_row", 10, False),
    ],
)
def test_facts_that_decide(selector: str, method: str | None, path: str, value: object, rejects: bool) -> None:
    fact = find_target(selector, method).get(path)
    assert isinstance(fact, Fact)
    assert (fact.value, fact.rejects) == (value, rejects)


def test_the_paths_are_documented() -> None:
    page = (Path(ftprep.__file__).parent.parent / "docs" / "targets.md").read_text(encoding="utf-8")
    for path in (*PATHS, *DERIVED):
        assert f"| `{path.pattern}` |" in page
        assert path.means in page
