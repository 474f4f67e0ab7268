"""What training costs: epochs by rule, billing by target, and no sum without a price that has a source and a date."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.costs import EPOCH_RULES, estimate
from ftprep.targets import Fact, Target


def target(name: str = "openai", **facts: Fact) -> Target:
    return Target(name, name, "supervised", "a-model", facts={k.replace("__", "."): v for k, v in facts.items()})


PRICE = Fact(25.0, source="a price list", date="2025-11-01")


# As the notebook itself works it out.
@given(st.integers(1, 60_000))
def test_the_epochs_of_the_cookbook(examples: int) -> None:
    epochs = 3
    if examples * 3 < 100:
        epochs = min(25, 100 // examples)
    elif examples * 3 > 25_000:
        epochs = max(1, 25_000 // examples)
    assert EPOCH_RULES["openai-cookbook"].of(examples)[0] == epochs


@pytest.mark.parametrize(
    ("examples", "epochs"), [(0, 3), (1, 25), (10, 10), (33, 3), (34, 3), (8_333, 3), (8_334, 2), (30_000, 1)]
)
def test_epochs_by_examples(examples: int, epochs: int) -> None:
    made = estimate(1_000, examples)
    assert (made.epochs, made.billed) == (epochs, 1_000 * epochs)
    assert "b774cbf" in made.epochs_why


def test_a_price_has_its_source_and_date() -> None:
    made = estimate(1_000_000, 100, target(price__per_million=PRICE), epochs=2)
    assert (made.total, made.price_source, made.price_date) == (Decimal("50.00"), "a price list", "2025-11-01")
    assert made.told() == (
        "2 epochs of 1,000,000 tokens are 2,000,000 billed tokens: about 50.00 USD at 25.0 USD per million "
        "(a price list, 2025-11-01)"
    )


@pytest.mark.parametrize(
    ("fact", "note"),
    [
        (None, "no price of openai:a-model is known: --price USD_PER_MILLION gives one"),
        (Fact(25.0, date="2025-11-01"), "has no source or date"),
        (Fact(25.0, source="a price list"), "has no source or date"),
        (Fact("unknown", source="x", date="y"), "no price of openai:a-model is known"),
        (Fact(None, source="x", date="y"), "no price of"),
        (Fact(-3, source="x", date="y"), "no price of"),
        (Fact(True, source="x", date="y"), "no price of"),
        (Fact(float("nan"), source="x", date="y"), "no price of"),
    ],
)
def test_no_sum_without_a_price_that_can_be_traced(fact: Fact | None, note: str) -> None:
    made = estimate(1_000, 100, target(price__per_million=fact) if fact else target())
    assert (made.price, made.total) == (None, None)
    assert any(note in n for n in made.notes)
    assert "USD" not in made.told()


def test_a_doubtful_price_is_said_to_be_one() -> None:
    doubtful = Fact(25.0, "third party", "a blog", "2025-11-01")
    assert any("not certain (third party)" in n for n in estimate(1, 1, target(price__per_million=doubtful)).notes)


def test_the_price_given_wins_and_is_named_as_such() -> None:
    made = estimate(2_000_000, 100, target(price__per_million=PRICE), epochs=1, price=Decimal("0.005"))
    assert (made.total, made.price_source, made.price_date) == (Decimal("0.01"), "the price you gave", "")


def test_hourly_prices_are_named_and_not_worked_out() -> None:
    hourly = Fact(100, source="a price list", date="2026-09-30")
    made = estimate(1_000, 100, target(price__per_hour=hourly))
    assert made.total is None
    assert "bills by the hour" in made.notes[0]
    assert "100 USD per hour (a price list, 2026-09-30)" in made.notes[0]


def test_evaluations_are_billed_where_the_target_does() -> None:
    facts = {"epochs__default": Fact(1, source="docs", date="2026-05-01")}
    made = estimate(1_000, 100, target("together", **facts), validation_tokens=200, evaluations=3)
    assert (made.epochs, made.billed) == (1, 1_600)
    assert made.epochs_why == "the default of together (docs, 2026-05-01)"
    assert estimate(1_000, 100, target("fireworks", **facts), validation_tokens=200, evaluations=3).billed == 1_000


@pytest.mark.parametrize("value", ["auto", None, 0, True, [3]])
def test_defaults_that_are_no_number_are_passed_over(value: Any) -> None:
    assert estimate(1, 1_000, target(epochs__default=Fact(value), epochs__rule=Fact(value))).epochs == 3


@given(st.integers(0, 10**12), st.integers(0, 10**7), st.decimals(0, 1000, places=3))
def test_sums_are_exact_and_json(tokens: int, examples: int, price: Decimal) -> None:
    made = estimate(tokens, examples, price=price, epochs=4)
    assert made.total is not None
    assert abs(made.total - price * tokens * 4 / 1_000_000) <= Decimal("0.005")
    assert json.loads(json.dumps(made.to_dict()))["tokens"] == tokens * 4
