"""What is settled before the first row is looked at, and therefore the same for every chunk and worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from ftprep.model import ShapeName
from ftprep.recipe import Recipe
from ftprep.targets import Fact, Target

FIRST_KEPT = 1000
"""Findings kept of each rule; the counts stay exact. Enough for any screen, small enough for ten million bad lines."""


LOCAL = frozenset(("alpaca", "llama-factory-images", "llama-factory-parts", "sharegpt", "swift"))
"""Dialects of trainers that open pictures by their path (LLaMA-Factory 0.9.5, ms-swift 4.6.0)."""


@dataclass(frozen=True)
class Setting:
    """The resolved recipe and what the heads of the inputs told.

    `encoding` is the name of the token encoding and `encoding_why` where it comes from. `prompt_endings` and
    `completion_endings` are the candidates that the run counts as separator and stop sequence; of the proposals it only
    notes whether they occur, and of the known ones together how many texts end in one. `kept` findings of each rule are
    remembered; `sample_size` is how many texts are kept for rules that read texts again at the end (0: none does), and
    `whole_size` up to how many examples all are kept whole for rules that compare them with each other.
    `dialects` are those of the tables. `target` is what the set is checked against, None where none is named; `today`
    is what its dates are compared with. `writes` names the dialects in which examples are written that are not written
    in the wire form, with `lossy` even where that loses something; `becomes` is the shape that all are converted to.
    """

    recipe: Recipe = field(default_factory=Recipe)
    encoding: str = "o200k_base"
    encoding_why: str = ""
    shapes: frozenset[str] = frozenset({"completion"})
    prompt_endings: tuple[str, ...] = ()
    completion_endings: tuple[str, ...] = ()
    prompt_proposals: tuple[str, ...] = ()
    completion_proposals: tuple[str, ...] = ()
    prompt_known: tuple[str, ...] = ()
    completion_known: tuple[str, ...] = ()
    kept: int = FIRST_KEPT
    sample_size: int = 0
    whole_size: int = 0
    dialects: frozenset[str] = frozenset()
    target: Target | None = None
    today: date = field(default_factory=date.today)
    writes: tuple[str, ...] = ()
    lossy: bool = False
    becomes: ShapeName | None = None

    @property
    def limit_fact(self) -> Fact | None:
        """What the target says of the most tokens of one example, where the recipe names no limit."""
        fact = self.target.get("limits.context") if self.target and self.recipe.token_limit is None else None
        return fact if fact is not None and type(fact.value) is int and fact.value > 0 else None

    @property
    def token_limit(self) -> int | None:
        """Most tokens of one example: the recipe's, else the target's; None where no limit is known."""
        fact = self.limit_fact
        return self.recipe.token_limit if fact is None else fact.value

    def told(self, fact: Fact) -> str:
        """A fact of the target with its source, in words: `65,536 (openai, gpt-4o: O-ctx, late 2024)`."""
        value = f"{fact.value:,}" if type(fact.value) is int else str(fact.value)
        who = ", ".join(filter(None, (self.target.name, self.target.model))) if self.target else ""
        where = ", ".join(filter(None, (fact.source, fact.date)))
        return f"{value} ({': '.join(filter(None, (who, where)))})" if who or where else value

    @property
    def reads_paths(self) -> bool:
        """Whether who trains can open a path: a trainer on one's own computer, named as the target or told by the
        dialect that is written or read."""
        if self.target is not None:
            return bool(self.target.value("service.state") == "local")
        dialects = frozenset(self.writes) or self.dialects
        return bool(dialects) and dialects <= LOCAL

    @property
    def marks(self) -> bool:
        """Whether what is written for the target begins with a byte-order mark."""
        return self.target is not None and self.target.value("file.bom") == "required"
