"""`ftprep tokens`: counts, histogram and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from cli_runs import BROKEN, Ran, animals, compare, jsonl
from hypothesis import given
from hypothesis import strategies as st

from ftprep.cli.lengths import BINS, Lengths, bins_of
from ftprep.costs import estimate

pytest_plugins = ("cli_fixtures",)
Cli = Callable[..., Ran]
CHAT = jsonl(
    {"messages": [{"role": "user", "content": "Fur or not? Otter."}, {"role": "assistant", "content": "Fur."}]}
)


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    (folder / "a.jsonl").write_text(animals(), encoding="utf-8")
    (folder / "b.jsonl").write_text(BROKEN, encoding="utf-8")
    (folder / "chat.jsonl").write_text(CHAT, encoding="utf-8")


def test_the_page(cli: Cli) -> None:
    ran = cli("tokens", "a.jsonl", "b.jsonl", "chat.jsonl", "--epochs", "4", "--price", "3.5")
    assert (ran.code, ran.err) == (0, "")
    compare("tokens.txt", ran.out)


def test_counts_are_tiktokens(cli: Cli) -> None:
    import json

    import tiktoken

    from ftprep.tokens import encoding

    exact: tiktoken.Encoding = encoding("cl100k_base")
    rows = [json.loads(line) for line in animals().splitlines()]
    prompts = sum(len(exact.encode_ordinary(r["prompt"])) for r in rows)
    completions = sum(len(exact.encode_ordinary(r["completion"])) for r in rows)
    told = cli("tokens", "a.jsonl", "--token-encoding", "cl100k_base", "--output-format", "json").json
    assert told["total"]["total"] == prompts + completions
    assert told["total"]["trainable"] == completions
    assert told["total"]["examples"] == 60
    assert told["encoding"] == "cl100k_base"
    assert told["cost"] is None


def test_a_folder_is_counted_file_by_file(cli: Cli) -> None:
    told = cli("tokens", ".", "--model", "gpt-4", "--output-format", "json", "--epochs", "1").json
    assert [f["path"] for f in told["files"]] == ["./a.jsonl", "./b.jsonl", "./chat.jsonl"]
    assert sum(f["total"] for f in told["files"]) == told["total"]["total"] == told["cost"]["tokens"]
    assert told["total"]["unread_rows"] == 2
    assert told["overhead"] == "openai-chat"
    assert told["encoding"] == "cl100k_base"
    assert told["encoding_reason"].startswith("gpt-4: ")


@pytest.mark.parametrize("price", ["-1", "x", "nan", "inf", "1e9"])
def test_prices_that_are_none(cli: Cli, price: str) -> None:
    assert cli("tokens", "a.jsonl", "--price", price).code == 2


@pytest.mark.parametrize(
    ("tokens", "epochs", "price", "usd"),
    [(1_000_000, 3, "3", "9.00"), (1_500, 1, "10", "0.02"), (1_400, 1, "10", "0.01"), (0, 3, "3", "0.00")],
)
def test_costs(tokens: int, epochs: int, price: str, usd: str) -> None:
    assert estimate(tokens, 100, epochs=epochs, price=Decimal(price)).to_dict()["usd"] == usd


@given(st.dictionaries(st.integers(0, 200_000), st.integers(1, 1_000), min_size=1, max_size=20).map(Counter))
def test_bins_hold_every_length_once(lengths: Counter[int]) -> None:
    bins = bins_of(lengths)
    assert sum(count for _, _, count in bins) == sum(lengths.values())
    assert all(count == sum(n for size, n in lengths.items() if low <= size <= high) for low, high, count in bins)
    assert all(b[0] == a[1] + 1 for a, b in pairwise(bins))
    assert 1 <= len(bins) <= BINS + 2


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 1.0]))
def test_percentiles_are_the_nearest_rank(sizes: list[int], part: float) -> None:
    import math

    told = Lengths("x", Counter(sizes)).percentile(part)
    assert told == sorted(sizes)[math.ceil(part * len(sizes)) - 1]


def test_long_paths_keep_their_end(cli: Cli, folder: Path) -> None:
    deep = folder / ("d" * 60)
    deep.mkdir()
    (deep / "one.jsonl").write_text(animals(3), encoding="utf-8")
    line = cli("tokens", f"{deep.name}/one.jsonl").out.splitlines()[1]
    assert line.startswith("…dddd")
    assert "/one.jsonl " in line


# -- what is trained on --------------------------------------------------------------------------------------------

TALK = jsonl(
    {"messages": [{"role": "user", "content": "Hi\x1b[31m\u202e"}]},
    {
        "messages": [
            {"role": "system", "content": "Answer in one word.  "},
            {"role": "user", "content": "Which animal has a trunk,\nbig ears, and is said never to forget? " * 2},
            {"role": "assistant", "content": "Ant", "weight": 0},
            {"role": "user", "content": "No."},
            {"role": "assistant", "content": " Elephant, of course; what else could it be that has all of these?"},
        ]
    },
    {"messages": "none"},
)


@pytest.fixture
def talk(folder: Path) -> Path:
    path = folder / "talk.jsonl"
    path.write_text(TALK, encoding="utf-8")
    return path


@pytest.mark.parametrize("color", ["never", "always"])
def test_what_is_trained_on(cli: Cli, talk: Path, color: str) -> None:
    ran = cli("tokens", talk.name, "--show", "5", "--token-limit", "80", "--color", color)
    assert (ran.code, ran.err) == (0, "")
    compare(f"show_{color}.txt", ran.out)
    assert "\x1b[31m\u202e" not in ran.out


def test_rows_by_their_numbers(cli: Cli, talk: Path) -> None:
    ran = cli("tokens", talk.name, "--show-rows", "3, 1,99", "--template", "gemma")
    assert ran.code == 0
    compare("show_rows.txt", ran.out)


def test_all_of_it_as_json(cli: Cli, talk: Path) -> None:
    told = cli("tokens", talk.name, "--show", "2", "--template", "chatml", "--output-format", "json").json
    (text,) = told["examples"][1]["texts"]
    assert [told["examples"][n]["row"] for n in (0, 1)] == [1, 2]
    whole = "".join(s["text"] for s in text["segments"])
    assert whole.startswith("<|im_start|>system\nAnswer in one word.  <|im_end|>")
    assert [s["text"] for s in text["segments"] if s["trained"]] == [
        " Elephant, of course; what else could it be that has all of these?"
    ]
    assert text["messages"][0] == {"message": 0, "role": "system", "tokens": 11, "words": 6, "template": 5}
    assert text["tokens"] == sum(m["tokens"] for m in text["messages"])


def test_pairs_as_they_stand(cli: Cli) -> None:
    ran = cli("tokens", "a.jsonl", "--show", "1")
    assert "▸ 1 completion          1 │  fur\n" in ran.out
    assert "  0 prompt              7 │ otter no. 0 ->\n" in ran.out
    assert "prompt 7, completion 1: 8 in all, 1 trained on (12 %)" in ran.out


def test_a_templates_mistake_is_one_line(cli: Cli, folder: Path, talk: Path) -> None:
    pytest.importorskip("jinja2")
    (folder / "t.jinja").write_text("{% for i in range(10**9) %}{% endfor %}", encoding="utf-8")
    ran = cli("tokens", talk.name, "--show", "1", "--template", "t.jinja")
    assert ran.code == 0
    assert "the template does not take it: OverflowError: Range too big." in ran.out
    (folder / "t.jinja").write_text("{{ 'x' | center(10**11) }}", encoding="utf-8")
    ran = cli("tokens", talk.name, "--show", "1", "--template", "t.jinja")
    assert ran.code == 2
    assert "t.jinja: the template takes too much memory" in ran.err


def test_without_jinja_it_says_what_to_install(
    cli: Cli, talk: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftprep.rendering import template_run

    (folder / "t.jinja").write_text("x", encoding="utf-8")
    monkeypatch.setattr(template_run, "folder_of", lambda _package: "")
    ran = cli("tokens", talk.name, "--show", "1", "--template", "t.jinja")
    assert ran.code == 2
    assert "pip install 'ftprep[templates]'" in ran.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--show", "0"),
        ("--show-rows", "x"),
        ("--show-rows", "0"),
        ("--show", "1", "--template", "chatmll"),
        ("--epochs", "0"),
        ("--epochs", "many"),
        ("--show", "1", "--train", "none"),
    ],
)
def test_wrong_ways_to_ask(cli: Cli, wrong: tuple[str, ...]) -> None:
    assert cli("tokens", "a.jsonl", *wrong).code == 2


def test_a_path_is_needed(cli: Cli) -> None:
    ran = cli("tokens")
    assert ran.code == 2
    assert "PATH" in ran.err


def test_overheads_are_listed_with_sources(cli: Cli) -> None:
    from ftprep.rendering import TRAIN
    from ftprep.tokens import CHAT_RULES, TEMPLATE_RULES, TOOL_RULES

    ran = cli("tokens", "--overheads")
    assert ran.code == 0
    compare("overheads.txt", ran.out)
    told = cli("tokens", "--overheads", "--output-format", "json").json
    assert [set(told[kind]) for kind in ("chats", "templates", "tools")] == [
        set(CHAT_RULES),
        set(TEMPLATE_RULES),
        set(TOOL_RULES),
    ]
    assert all(
        rule["source"] and rule["as_of"] for kind in ("chats", "templates", "tools") for rule in told[kind].values()
    )
    from ftprep.cli.samples import TRAIN as OFFERED

    assert OFFERED == TRAIN


# -- with a target -------------------------------------------------------------------------------------------------


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    from ftprep import targets
    from ftprep.targets import Fact, Target

    facts = {
        "price.per_million": Fact(25.0, source="a price list", date="2025-11-01"),
        "limits.context": Fact(20, source="a guide", date="2025-09-01"),
    }
    target = Target("openai", "OpenAI", "supervised", "gpt-4o", facts=facts)
    monkeypatch.setattr(targets, "find_target", lambda *_: target)


@pytest.mark.usefixtures("priced")
def test_the_targets_price_and_limit(cli: Cli) -> None:
    told = cli("tokens", "chat.jsonl", "--target", "openai:gpt-4o", "--output-format", "json").json["cost"]
    assert told["usd_per_million"] == "25.0"
    assert (told["price_source"], told["price_date"]) == ("a price list", "2025-11-01")
    assert (told["epochs"], told["tokens"]) == (25, 25 * 22)
    ran = cli("tokens", "chat.jsonl", "--target", "openai:gpt-4o", "--show", "1")
    told = " ".join(ran.out.split())
    assert "2 tokens beyond the limit of 20 cut off" in told
    assert "openai takes 20 tokens of one example (a guide, 2025-09-01); more is cut off the end" in told


@pytest.mark.usefixtures("priced")
def test_what_training_costs_stands_in_the_closing_text_of_prepare(cli: Cli) -> None:
    ran = cli("prepare", "a.jsonl", "--target", "openai:gpt-4o", "-y")
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if "Training:" in line]
    assert "3 epochs of about" in line
    assert "USD" in ran.out
    assert "(a price list, 2025-11-01)" in " ".join(ran.out.split())
