"""Which of the proposed mendings are made: each rule is decided on once, however often it proposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ftprep.mends import Mend, in_order
from ftprep.recipe import Recipe
from ftprep.rule import Proposal
from ftprep.rules import find

Decide = Callable[[Proposal], bool]


@dataclass
class Decisions:
    """Which proposals are accepted; each rule is decided once, however many trips there are.

    What a later trip proposes was found in mended text, so its mends come after all earlier ones.
    """

    decide: Decide
    wanted: frozenset[str]
    accepted: dict[str, Proposal] = field(default_factory=dict)
    declined: dict[str, Proposal] = field(default_factory=dict)
    mends: list[Mend] = field(default_factory=list)
    drops: dict[int, str] = field(default_factory=dict)

    @classmethod
    def asked_for(cls, recipe: Recipe, unsafe: bool | Decide) -> Decisions:
        """What the recipe accepts, and what `unsafe` says of the rest: all, none, or a function that decides."""
        wanted = frozenset(r.card.code for s in recipe.fix.accept for r in find(s))
        return cls(unsafe if callable(unsafe) else lambda _: bool(unsafe), wanted)

    def made(self) -> dict[str, Any]:
        """The fields of a `Writing` that carry the decisions out."""
        return {"mends": tuple(self.mends), "drops": dict(self.drops), "settled": frozenset(self.accepted)}

    def take(self, proposals: tuple[Proposal, ...]) -> bool:
        """Decide on what is new; True where there is more to do than before."""
        grew = False
        mends: list[Mend] = []
        for proposal in proposals:
            code = proposal.code
            if code in self.declined:
                continue
            if code not in self.accepted:
                if proposal.safety != "safe" and code not in self.wanted and not self.decide(proposal):
                    self.declined[code] = proposal
                    continue
                self.accepted[code] = proposal
            new = [m for m in proposal.mends if m not in self.mends]
            mends.extend(new)
            left = proposal.drops - self.drops.keys()
            self.drops.update(dict.fromkeys(left, code))
            grew = grew or bool(new) or bool(left)
        self.mends.extend(in_order(mends))
        return grew
