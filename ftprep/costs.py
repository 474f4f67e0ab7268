"""What training takes and costs: tokens times epochs by the target's rule, at a price that has a source and a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final, Literal

from ftprep.targets import Fact, Target

CENT: Final = Decimal("0.01")


@dataclass(frozen=True)
class EpochRule:
    """How often each example is trained on where nobody says: so often that there are neither too few nor too many
    examples in all."""

    epochs: int
    fewest: int  # examples x epochs
    most: int
    lowest: int  # epochs
    highest: int
    source: str
    as_of: date

    def of(self, examples: int) -> tuple[int, str]:
        """The epochs for so many examples, and why."""
        if 0 < examples * self.epochs < self.fewest:
            epochs = min(self.highest, self.fewest // examples)
            return (
                epochs,
                f"so that {examples:,} examples are trained on at least {self.fewest:,} times ({self.source})",
            )
        if examples * self.epochs > self.most:
            epochs = max(self.lowest, self.most // examples)
            return epochs, f"so that {examples:,} examples are trained on at most {self.most:,} times ({self.source})"
        return self.epochs, f"the usual number ({self.source})"


EPOCH_RULES: Final[Mapping[str, EpochRule]] = {
    "openai-cookbook": EpochRule(
        3,
        100,
        25_000,
        1,
        25,
        "an estimate of OpenAI's cookbook, Chat_finetuning_data_prep, commit b774cbf",
        date(2026, 11, 20),
    ),
}
DEFAULT_RULE: Final = "openai-cookbook"

BILLED_VALIDATION: Final = frozenset(("together",))
"""Targets that bill the tokens of each evaluation, too (Together's page on preparing data)."""


@dataclass(frozen=True)
class Estimate:
    """What training takes: `tokens` of the file `epochs` times are `billed` tokens; `total` USD at `price` per million.

    `price` and `total` are None where no price is known, `price_per_hour` where it is billed by the hour, which is
    named and not worked out. A price has its source and, unless the user gave it, its date.
    """

    tokens: int
    epochs: int
    epochs_why: str
    billed: int
    price: Decimal | None = None
    price_source: str = ""
    price_date: str = ""
    total: Decimal | None = None
    notes: tuple[str, ...] = ()
    exact: bool = True

    def told(self) -> str:
        """The estimate as one line."""
        about = "" if self.exact else "about "
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs:,} epochs"
        line = f"{epochs} of {about}{self.tokens:,} tokens are {about}{self.billed:,} billed tokens"
        if self.total is None or self.price is None:
            return line
        dated = f", {self.price_date}" if self.price_date else ""
        return f"{line}: about {self.total:,} USD at {self.price} USD per million ({self.price_source}{dated})"

    def to_dict(self) -> dict[str, Any]:
        """The estimate as JSON values; money is text, so that no digit is lost."""
        return {
            "epochs": self.epochs,
            "epochs_why": self.epochs_why,
            "tokens": self.billed,
            "file_tokens": self.tokens,
            "exact": self.exact,
            "usd_per_million": None if self.price is None else str(self.price),
            "price_source": self.price_source or None,
            "price_date": self.price_date or None,
            "usd": None if self.total is None else str(self.total),
            "notes": list(self.notes),
        }


def estimate(
    tokens: int,
    examples: int,
    target: Target | None = None,
    *,
    epochs: int | Literal["auto"] = "auto",
    price: Decimal | None = None,
    validation_tokens: int = 0,
    evaluations: int = 0,
    exact: bool = True,
) -> Estimate:
    """What training on a file of so many tokens and examples takes and costs.

    `epochs` and `price` (USD per million tokens) win over what is known of the target. `validation_tokens` are billed
    by each of `evaluations` where the target bills these. A price without a source or a date is not used.
    """
    count, why = (epochs, "as asked for") if epochs != "auto" else _epochs(examples, target)
    notes: list[str] = []
    billed = tokens * count
    if evaluations and target and target.name in BILLED_VALIDATION:
        billed += validation_tokens * evaluations
        notes.append(f"{target.name} bills {evaluations:,} evaluations of {validation_tokens:,} validation tokens, too")
    amount, source, dated = (price, "the price you gave", "") if price is not None else _price(target, notes)
    total = None if amount is None else (amount * billed / 1_000_000).quantize(CENT, ROUND_HALF_UP)
    if total is not None:
        notes.append("providers bill all tokens of the training file for each epoch, and some have a smallest charge")
    return Estimate(tokens, count, why, billed, amount, source, dated, total, tuple(notes), exact)


def _epochs(examples: int, target: Target | None) -> tuple[int, str]:
    """The epochs by the target's own number or rule, else by the public one."""
    fact = target.get("epochs.default") if target else None
    if target and fact and isinstance(fact.value, int) and not isinstance(fact.value, bool) and fact.value > 0:
        return fact.value, f"the default of {target.name} ({_where(fact, target) or 'no source'})"
    named = target.value("epochs.rule", DEFAULT_RULE) if target else DEFAULT_RULE
    rule = EPOCH_RULES.get(named) if isinstance(named, str) else None
    return (rule or EPOCH_RULES[DEFAULT_RULE]).of(examples)


def _price(target: Target | None, notes: list[str]) -> tuple[Decimal | None, str, str]:
    """The price of a target with its source and date; what stands in the way of one goes to the notes."""
    if target is None:
        notes.append("no price is known: --price USD_PER_MILLION gives one, and --target says whose")
        return None, "", ""
    hourly = target.get("price.per_hour")
    fact = target.get("price.per_million")
    amount = _amount(fact.value) if fact else None
    if fact is None or amount is None:
        if hourly is not None:
            told = f"{hourly.value} USD per hour ({_where(hourly, target) or 'no source'})"
            notes.append(f"{target.name} bills by the hour, which cannot be told from the file: {told}")
        else:
            whose = f"{target.name}:{target.model}" if target.model else target.name
            notes.append(f"no price of {whose} is known: --price USD_PER_MILLION gives one")
        return None, "", ""
    dated = fact.date or (target.as_of.isoformat() if target.as_of != date.min else "")
    if not fact.source or not dated:
        notes.append(f"the price of {target.name} has no source or date, so it is not used: --price gives one")
        return None, "", ""
    if not fact.rejects:
        notes.append(f"the price is not certain ({fact.confidence}): look it up, and give it with --price")
    return amount, fact.source, dated


def _amount(value: Any) -> Decimal | None:
    """A price as it was written, None for what is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 and not isinstance(value, bool) else None


def _where(fact: Fact, target: Target) -> str:
    dated = fact.date or (target.as_of.isoformat() if target.as_of != date.min else "")
    return ", ".join(part for part in (fact.source, dated) if part)
