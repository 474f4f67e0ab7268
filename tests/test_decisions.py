"""Which proposals are made: what is safe or wanted unasked, the rest as decided, each rule once."""

from __future__ import annotations

import pytest

from ftprep.decisions import Decisions
from ftprep.mends import AddEnding, CutPrefix, LeadingSpace, Lower, Mend
from ftprep.model import Safety
from ftprep.rule import Proposal


def proposal(code: str, *mends: Mend, safety: Safety = "unsafe", drops: frozenset[int] = frozenset()) -> Proposal:
    return Proposal(code, safety, "does it", 1, mends, drops)


SPACE = proposal("SEP105", LeadingSpace(), safety="safe")
ENDING = proposal("SEP101", AddEnding("prompt", " ->"))


@pytest.mark.parametrize(
    ("given", "wanted", "answer", "accepted"),
    [
        (SPACE, frozenset(), False, True),
        (ENDING, frozenset(), False, False),
        (ENDING, frozenset(), True, True),
        (ENDING, frozenset({"SEP101"}), False, True),
    ],
)
def test_who_decides(given: Proposal, wanted: frozenset[str], answer: bool, accepted: bool) -> None:
    decisions = Decisions(lambda _: answer, wanted)
    assert decisions.take((given,)) is accepted
    assert (given.code in decisions.accepted) is accepted
    assert (given.code in decisions.declined) is not accepted
    assert decisions.made()["mends"] == (given.mends if accepted else ())


def test_a_rule_is_decided_on_once() -> None:
    asked: list[str] = []

    def decide(given: Proposal) -> bool:
        asked.append(given.code)
        return given.code == "DUP101"

    decisions = Decisions(decide, frozenset())
    assert decisions.take((ENDING, proposal("DUP101", drops=frozenset({1}))))
    assert decisions.take((ENDING, proposal("DUP101", drops=frozenset({1, 2}))))
    assert not decisions.take((ENDING, proposal("DUP101", drops=frozenset({2}))))
    assert asked == ["SEP101", "DUP101"]
    assert decisions.made()["drops"] == {1: "DUP101", 2: "DUP101"}
    assert decisions.made()["settled"] == {"DUP101"}


def test_mends_are_ordered_within_a_trip_and_later_trips_come_after() -> None:
    decisions = Decisions(lambda _: True, frozenset())
    decisions.take((SPACE, ENDING, proposal("SEP112", Lower("completion"))))
    first = (Lower("completion"), AddEnding("prompt", " ->"), LeadingSpace())
    assert decisions.made()["mends"] == first
    cut = CutPrefix("completion", " the ")
    assert decisions.take((SPACE, proposal("SEP110", cut)))
    assert decisions.made()["mends"] == (*first, cut)
    assert not decisions.take((SPACE, ENDING, proposal("SEP110", cut)))


def test_the_first_rule_that_drops_a_row_is_the_reason() -> None:
    decisions = Decisions(lambda _: True, frozenset())
    decisions.take((proposal("DUP101", drops=frozenset({1, 2})), proposal("DUP102", drops=frozenset({2, 3}))))
    assert decisions.made()["drops"] == {1: "DUP101", 2: "DUP101", 3: "DUP102"}
