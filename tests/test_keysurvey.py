"""Digests of all rows: rows that ask the same are found, in memory and on disk alike."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep import bulk, keysurvey
from ftprep.keysurvey import SIZE, KeySurvey

# First bytes apart and alike, so that both parts and questions repeat.
DIGEST = st.sampled_from([b"a" * 8, b"ab" * 4, b"b" * 8, b"\0" * 8, b"\xff" * 8])
ENTRY = st.tuples(DIGEST, DIGEST, DIGEST)


def surveys(parts: list[list[tuple[bytes, ...]]]) -> tuple[list[KeySurvey], list[bytes]]:
    """A survey for each part, and all entries."""
    made, entries = [], list[bytes]()
    for part in parts:
        survey = KeySurvey()
        survey.see([b"".join(entry) + (len(entries) + n).to_bytes(8) for n, entry in enumerate(part)])
        entries += [
            entry for block in survey._blocks for entry in (block[i : i + SIZE] for i in range(0, len(block), SIZE))
        ]
        made.append(survey)
    return made, entries


@pytest.mark.parametrize("pays_after", [0, 1 << 60], ids=["numpy", "plain"])
@given(
    parts=st.lists(st.lists(ENTRY, max_size=5), max_size=6),
    bound=st.sampled_from([0, 3 * SIZE, 1 << 30]),
    shuffle=st.randoms(use_true_random=False),
)
def test_rows_that_ask_the_same_are_found(
    pays_after: int, parts: list[list[tuple[bytes, ...]]], bound: int, shuffle: object
) -> None:
    made, entries = surveys(parts)
    shuffle.shuffle(made)  # type: ignore[attr-defined]
    found = KeySurvey()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keysurvey, "MOST_IN_MEMORY", bound)
        patch.setattr(bulk, "PAYS_AFTER", pays_after)
        for part in made:
            found.merge(pickle.loads(pickle.dumps(part)))
        again = KeySurvey()
        again.merge(found)  # what lies on disk can be added to another
        asked = [e[:8] for e in entries]
        for survey in (found, again):
            assert len(survey) == len(entries)
            assert list(survey.repeated()) == sorted(e for e in entries if asked.count(e[:8]) > 1)
            many = survey.repeated_numbers()
            assert (many is None) is (pays_after > 0 or not bound or len(entries) * SIZE > bound or not entries)
            if many is not None:
                assert [b"".join(n.to_bytes(8) for n in entry) for some in many for entry in some.tolist()] == list(
                    survey.repeated()
                )
            assert survey.said([0, 3, 10**6]) == {n: e[:24] for n, e in enumerate(entries) if n in (0, 3)}
            assert survey.different(0) == min(2, len(set(asked)))
            assert survey.different(8) == min(2, len({e[8:16] for e in entries}))
            survey.clear()
            assert (len(survey), list(survey.repeated()), survey.different(0)) == (0, [], 0)
