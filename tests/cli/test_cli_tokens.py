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

from ftprep.cli.lengths import BINS, Cost, Lengths, bins_of

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
    assert Cost(tokens, epochs, Decimal(price)).to_dict()["usd"] == usd


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
