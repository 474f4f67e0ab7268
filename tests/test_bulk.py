"""Work on many texts at once gives what work on each would, with numpy and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftprep import bulk
from ftprep.bulk import count_letters, holds, joined, squeeze


@pytest.fixture(params=[0, 1 << 60], ids=["numpy", "plain"], scope="module", autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways of counting and squeezing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "PAYS_AFTER", request.param)
        patch.setattr(bulk, "_seen", 0)
        yield


@given(st.lists(st.sampled_from([b" ", b"  ", b"a", b"\0", b"\n", b"\xe7\xad\x94"]), max_size=30).map(b"".join))
@example(b"")
@example(b" ")
@example(b"    ")
def test_runs_of_blanks_become_one(data: bytes) -> None:
    wanted = data
    while b"  " in wanted:
        wanted = wanted.replace(b"  ", b" ")
    assert squeeze(data) == wanted


@given(st.text(max_size=60))
@example("@AZ[`az{")
def test_letters_are_counted(text: str) -> None:
    plain = [c for c in text if c.isascii()]
    wanted = sum(map(str.isupper, plain)), sum(map(str.islower, plain))
    assert count_letters(text.encode("utf-8", "surrogatepass")) == wanted


@given(
    text=st.text(alphabet="#\n ->aé答", max_size=60),
    needle=st.text(alphabet="#\n ->aé答\u2028", min_size=1, max_size=7),
)
@example("-> ->", "->")
@example("> ->", " ->")
def test_a_needle_is_found_where_it_stands(text: str, needle: str) -> None:
    assert holds(text, needle) is (needle in text)
    assert holds(text * 40 + needle, needle)


@pytest.mark.parametrize("needle", ["\n\n###\n\n", " ->", "###", "##", "\n", " END", "答案"])
@pytest.mark.parametrize("between", ["#", "-", ">", "x", "\n# ", "->", "#\n\n##\n\n", "E N D", "答", "案"])
def test_a_needle_is_found_among_many_that_are_nearly_it(needle: str, between: str) -> None:
    text = (between + "x") * 5000
    assert holds(text, needle) is (needle in text)
    assert holds(text + needle, needle)


@given(st.lists(st.text(alphabet="aé答", max_size=5), max_size=8))
def test_texts_are_joined_by_their_width(texts: list[str]) -> None:
    plain, other = joined(texts, list(map(str.isascii, texts)))
    assert plain == "\1".join(t for t in texts if t.isascii())
    assert other == "\1".join(t for t in texts if not t.isascii())


def test_numpy_waits_until_there_is_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PAYS_AFTER", 10)
    monkeypatch.setattr(bulk, "_seen", 0)
    assert [bulk._numpy(4) is None for _ in range(5)] == [True, True, True, False, False]
