"""Holds every shipped recipe to what the fine-tuning guide says of its case, on a sample with the usual warts."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ftprep as ft
from ftprep.recipe import recipe_folder, shipped_recipes
from ftprep.tokens import Counter

RECIPES = tuple(shipped_recipes())
SAMPLES = recipe_folder() / "samples"
LARGEST_SAMPLE = 60_000
"""Bytes; a sample is read by people."""

HASHES = "\n\n###\n\n"


@dataclass(frozen=True)
class Fact:
    """What holds of one recipe and its sample.

    `rows` are records read, written and rejected, and examples made of them; `cue` says that the separator is the last
    line of the prompt and may stand earlier as well; `mended` are the rules that had something to do.
    """

    separator: str
    stop: str
    share: float
    rows: tuple[int, int, int, int]
    prompt: str
    mended: str
    classes: tuple[str, ...] = ()
    max_tokens: int = 1
    positive: str = ""
    cue: bool = False


FACTS = {
    "untrue-ads": Fact(
        separator="\nSupported:",
        stop="",
        share=0.2,
        rows=(82, 80, 2, 80),
        prompt=r"Company: [^\n]+\nProduct: [^\n]+\nAd:[^\n]+\nSupported:",
        mended="DUP101 SEP105 SET105",
        classes=("no", "yes"),
        positive="yes",
    ),
    "sentiment": Fact(
        separator=" ->",
        stop="",
        share=0.2,
        rows=(98, 96, 2, 96),
        prompt=r"[^\n]+ ->",
        mended="DUP101 SEP101 SEP105 SET105",
        classes=("negative", "positive"),
        positive="positive",
    ),
    "email-triage": Fact(
        separator=HASHES,
        stop="",
        share=0.2,
        rows=(66, 65, 1, 65),
        prompt=r"Subject: [^\n]+\nFrom:\S+@\S+\nTo:\S+@\S+\nDate:2021-0[56]-\d\d\nContent:(?s:.+)\n\n###\n\n",
        mended="DUP101 SEP105",
        classes=("1", "2", "3", "4", "5"),
        max_tokens=2,
    ),
    "wikipedia-ad": Fact(
        separator=HASHES,
        stop=" END",
        share=0.1,
        rows=(62, 60, 2, 60),
        prompt=r"[^\n]+\n[^\n]+\n\n###\n\n",
        mended="DUP101 SEP101 SEP105 SEP106",
    ),
    "entities": Fact(
        separator=HASHES,
        stop=" END",
        share=0.1,
        rows=(63, 61, 2, 61),
        prompt=r"[^\n]+\.\n\n###\n\n",
        mended="DUP101 SEP101 SEP105 SEP106",
    ),
    "support-chatbot": Fact(
        separator="\nAgent:",
        stop="\n",
        share=0.1,
        rows=(23, 22, 1, 52),
        prompt=r"Summary: [^\n]+\n\nSpecific information:[^\n]+\n\n###\n\n"
        r"Customer: [^\n]+(\nAgent: [^\n]+\nCustomer: [^\n]+)*\nAgent:",
        mended="DUP101 SEP105 SEP106",
        cue=True,
    ),
    "product-description": Fact(
        separator="->",
        stop=".",
        share=0.1,
        rows=(64, 63, 1, 63),
        prompt=r"Item=\w+, Color=\w+, price=\$\d+, size=[\w-]+->",
        mended="DUP101 SEP105 SEP107",
    ),
    "classification": Fact(
        separator=" ->",
        stop="",
        share=0.2,
        rows=(81, 80, 1, 80),
        prompt=r"[^\n]+ ->",
        mended="DUP101 SEP101 SEP105 SET105",
        classes=("business", "culture", "science", "sport"),
    ),
    "generation": Fact(
        separator=" ->",
        stop="\n",
        share=0.1,
        rows=(62, 60, 2, 60),
        prompt=r"[^\n]+\? ->",
        mended="DUP101 SEP104 SEP105 SEP106",
    ),
}


@dataclass(frozen=True)
class Made:
    """One recipe carried out on its sample."""

    name: str
    fact: Fact
    result: ft.Prepared
    sides: dict[str, list[dict[str, str]]]

    @property
    def lines(self) -> list[dict[str, str]]:
        """The examples of both sides."""
        return self.sides["train"] + self.sides["valid"]


def sample_of(name: str) -> Path:
    """The one sample of a recipe."""
    (found,) = SAMPLES.glob(f"{name}.*")
    return found


def read(path: Path | None) -> list[dict[str, str]]:
    """The lines of a written file."""
    assert path
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def label(line: dict[str, str]) -> str:
    """The class in a line."""
    return line["completion"].removeprefix(" ")


@pytest.fixture(scope="module", params=RECIPES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Every recipe of the folder on its sample."""
    name: str = request.param
    result = ft.prepare(sample_of(name), recipe=name, out=tmp_path_factory.mktemp(name))
    return Made(name, FACTS[name], result, {"train": read(result.train), "valid": read(result.valid)})


def test_every_recipe_has_a_sample_and_facts() -> None:
    assert set(RECIPES) == set(FACTS)
    assert sorted(p.stem for p in SAMPLES.iterdir()) == sorted(RECIPES)
    assert {p.suffix for p in SAMPLES.iterdir()} >= {".csv", ".tsv", ".xlsx", ".json", ".jsonl"}
    assert [p.name for p in SAMPLES.iterdir() if p.stat().st_size > LARGEST_SAMPLE] == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is_for_and_why(name: str) -> None:
    text = shipped_recipes()[name].read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert settings["name"] == name
    assert settings["description"].endswith(".") or settings["description"].endswith("?")
    assert settings["token-limit"] == 2048
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for told in (f"samples/{sample_of(name).name}", "Using the model:", "2,048", "--token-limit", "Aim for about"):
        assert told in comments
    assert all(len(line) <= 120 for line in text.splitlines())


def test_all_rows_are_read_and_accounted_for(made: Made) -> None:
    read_, written, rejected, examples = made.fact.rows
    (source,) = made.result.before.inputs
    assert (source.rows.read, source.rows.loaded) == (read_, read_)
    assert made.result.rows == {
        "read": read_,
        "written": written,
        "rejected": rejected,
        "skipped": 0,
        "examples": examples,
    }
    assert read_ == written + rejected
    assert len(made.lines) == examples
    places = [json.dumps(line["place"]) for line in read(made.result.rejected)]
    assert len(set(places)) == rejected


def test_what_is_written_has_no_fault(made: Made) -> None:
    assert made.result.ok
    after = made.result.after
    assert (after.summary.errors, after.summary.warnings) == (0, 0)
    assert set(after.counts()) <= {"SET101", "SET106", "TOK104", "TOK105"}  # advice: a sample is small
    assert sorted(made.result.mended) == made.fact.mended.split()
    assert made.result.declined == ()


def test_a_written_file_is_found_to_be_delimited_as_the_recipe_says(made: Made) -> None:
    assert made.result.train
    # A full stop is no stop sequence unless a recipe says so; all others are recognised by themselves.
    stop = made.fact.stop if made.fact.stop == "." else None
    report = ft.check(made.result.train, format={"stop": stop})
    assert (report.summary.errors, report.summary.warnings) == (0, 0)
    assert report.dataset.separator == made.fact.separator
    assert (report.dataset.stop or "") == made.fact.stop


def test_each_prompt_ends_with_the_separator_and_holds_it_nowhere_else(made: Made) -> None:
    for line in made.lines:
        prompt = line["prompt"]
        assert re.fullmatch(made.fact.prompt, prompt), prompt
        assert prompt.endswith(made.fact.separator)
        assert prompt.count(made.fact.separator) == 1 or made.fact.cue


def test_each_completion_is_one_space_the_answer_and_the_stop(made: Made) -> None:
    for line in made.lines:
        assert list(line) == ["prompt", "completion"]
        completion = line["completion"]
        assert re.match(r" \S", completion), completion
        if made.fact.classes:
            assert label(line) in made.fact.classes
        else:
            assert completion.endswith(made.fact.stop)
            assert completion.count(made.fact.stop) == 1
            assert completion[: -len(made.fact.stop)].strip()


def test_the_split_has_its_share_and_every_class_on_both_sides(made: Made) -> None:
    count = len(made.lines)
    assert abs(len(made.sides["valid"]) - made.fact.share * count) <= 1
    prompts = {side: {line["prompt"] for line in lines} for side, lines in made.sides.items()}
    assert not prompts["train"] & prompts["valid"]
    if made.fact.classes:
        for lines in made.sides.values():
            assert {label(line) for line in lines} == set(made.fact.classes)


def test_the_advice_says_how_to_call_the_model(made: Made) -> None:
    fact, told = made.fact, "\n".join(made.result.advice)
    quoted = json.dumps
    assert f"End every prompt with the separator {quoted(fact.separator)}" in told
    assert "begin with a space" in told
    if fact.classes:
        assert f"max_tokens={fact.max_tokens}" in told
        assert (f"logprobs={len(fact.classes)}" in told) == (fact.max_tokens == 1)
        assert "stop=" not in told
    else:
        assert f"stop=[{quoted(fact.stop)}]" in told
        assert "max_tokens" not in told
    assert (f"positive class is {quoted(' ' + fact.positive)}" in told) == bool(fact.positive)


def test_classes_are_single_tokens_where_the_guide_wants_it(made: Made) -> None:
    # The guide's models count with r50k_base; a space and a digit are one token there and two in the encodings since.
    counter = Counter("r50k_base" if made.name == "email-triage" else "o200k_base", "tiktoken")
    assert [c for c in made.fact.classes if len(counter.pieces(" " + c)) != 1] == []


def test_no_example_is_longer_than_the_limit(made: Made) -> None:
    assert made.result.after.tokens.max <= 2048
    shortened = ft.check(sample_of(made.name), recipe=made.name, token_limit=12)
    assert shortened.counts()["TOK102"] > 0


def test_twice_by_name_and_by_file_gives_the_same_bytes(made: Made, tmp_path: Path) -> None:
    sample = sample_of(made.name)
    before = hashlib.sha256(sample.read_bytes()).digest()
    assert made.result.train
    first = {p.name: p.read_bytes() for p in made.result.train.parent.iterdir()}
    for recipe in (made.name, shipped_recipes()[made.name]):
        out = tmp_path / Path(recipe).suffix.lstrip(".")
        ft.prepare(sample, recipe=recipe, out=out, force=True)
        assert {p.name: p.read_bytes() for p in out.iterdir()} == first
    assert hashlib.sha256(sample.read_bytes()).digest() == before


def prepared(name: str, folder: Path, source: Any = None, **overrides: Any) -> list[dict[str, str]]:
    """The lines of both sides that a recipe makes of its sample, or of another source."""
    result = ft.prepare(sample_of(name) if source is None else source, recipe=name, out=folder, **overrides)
    return read(result.train) + (read(result.valid) if result.valid else [])


def conversations() -> list[dict[str, Any]]:
    """The sample's conversations, each once."""
    lines = sample_of("support-chatbot").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in dict.fromkeys(lines)]


def replies(conversation: dict[str, Any]) -> list[tuple[str, str]]:
    """The examples that the guide makes of one conversation: a reply each, after all that was said before it."""
    facts = (conversation["summary"], conversation["information"])
    said = "Summary: {}\n\nSpecific information:{}\n\n###\n\n".format(*facts)
    found = []
    for message in conversation["messages"]:
        if message["role"] == "assistant":
            found.append((f"{said}Agent:", f" {message['content']}\n"))
            said += f"Agent: {message['content']}\n"
        else:
            said += f"Customer: {message['content']}\n"
    return found


def test_a_conversation_becomes_one_example_for_each_reply(tmp_path: Path) -> None:
    wanted = [reply for conversation in conversations() for reply in replies(conversation)]
    lines = prepared("support-chatbot", tmp_path)
    assert sorted((line["prompt"], line["completion"]) for line in lines) == sorted(wanted)


def test_a_conversation_is_not_parted_by_the_split(tmp_path: Path) -> None:
    result = ft.prepare(sample_of("support-chatbot"), recipe="support-chatbot", out=tmp_path)
    held = {line["prompt"] for line in read(result.valid)}
    assert held
    for conversation in conversations():
        assert len({prompt in held for prompt, _ in replies(conversation)}) == 1


def test_a_product_is_written_as_the_guide_writes_it(tmp_path: Path) -> None:
    description = (
        "This stylish small green handbag will add a unique touch to your look, without costing you a fortune."
    )
    line = {"prompt": "Item=handbag, Color=army_green, price=$99, size=S->", "completion": f" {description}"}
    result = ft.prepare(sample_of("product-description"), recipe="product-description", out=tmp_path)
    written = json.dumps(line, separators=(",", ":")).encode()
    assert result.train
    assert result.valid
    assert written in (result.train.read_bytes() + result.valid.read_bytes()).splitlines()


def test_a_product_may_be_a_sentence_as_in_the_guide(tmp_path: Path) -> None:
    sentence = "Item is a {Item}. Colour is {Color}. Price is {price}. Size is {size}.->"
    assert sentence in shipped_recipes()["product-description"].read_text(encoding="utf-8")
    lines = prepared("product-description", tmp_path, columns={"prompt-template": sentence})
    assert "Item is a backpack. Colour is navy. Price is $65. Size is L.->" in {line["prompt"] for line in lines}


def test_an_untrue_ad_is_written_as_the_guide_writes_it(tmp_path: Path) -> None:
    rows = [
        ("BHFF insurance", "allround insurance", "One stop shop for all your insurance needs!", "yes"),
        ("Loft conversion specialists", "-", "Straight teeth in weeks!", "no"),
    ]
    frame = pd.DataFrame(rows, columns=["company", "product", "ad", "supported"])
    assert prepared("untrue-ads", tmp_path, frame, split={"valid": "none"}) == [
        {
            "prompt": "Company: BHFF insurance\nProduct: allround insurance\n"
            "Ad:One stop shop for all your insurance needs!\nSupported:",
            "completion": " yes",
        },
        {
            "prompt": "Company: Loft conversion specialists\nProduct: -\nAd:Straight teeth in weeks!\nSupported:",
            "completion": " no",
        },
    ]


def test_an_email_keeps_its_lines(tmp_path: Path) -> None:
    (line,) = [x for x in prepared("email-triage", tmp_path) if x["prompt"].startswith("Subject: Update my address\n")]
    content = (
        "Content:Hi,\nI would like to update my billing address to match my delivery address.\n\n"
        "Please let me know once done.\n\nThanks\n\n###\n\n"
    )
    assert line["prompt"].endswith(content)
    assert line["completion"] == " 4"


def test_the_number_of_an_email_is_one_token_for_the_models_of_the_guide(tmp_path: Path) -> None:
    result = ft.prepare(sample_of("email-triage"), recipe="email-triage", out=tmp_path, encoding="r50k_base")
    told = "\n".join(result.advice)
    assert "max_tokens=1: each of the 5 classes is one token" in told
    assert "logprobs=5" in told


def test_entities_stand_in_their_text_in_order(tmp_path: Path) -> None:
    for line in prepared("entities", tmp_path):
        at = -1
        for entity in label(line).removesuffix(" END").split("\n"):
            found = line["prompt"].find(entity, at + 1)
            assert found > at, line
            at = found


def test_a_sentiment_set_may_be_a_frame_with_other_names(tmp_path: Path) -> None:
    with sample_of("sentiment").open(encoding="utf-8", newline="") as file:
        frame = pd.DataFrame(list(csv.reader(file))[1:], columns=["Review", "Label"])
    assert prepared("sentiment", tmp_path / "frame", frame) == prepared("sentiment", tmp_path / "file")


def test_an_own_separator_is_kept_by_the_general_recipes(tmp_path: Path) -> None:
    for name, stop in (("classification", ""), ("generation", " END")):
        rows = [
            {"prompt": f"text {i}\n\n===\n\n", "completion": f" {'yes' if i % 2 else 'no'}{stop}"} for i in range(60)
        ]
        if stop:
            rows = [row | {"completion": f" the long answer to number {i}{stop}"} for i, row in enumerate(rows)]
        lines = prepared(name, tmp_path / name, rows)
        assert sorted(map(str, lines)) == sorted(map(str, rows))
