"""What can be done to an example: exactly that and nothing else, and twice the same as once."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.mends import (
    AddEnding,
    CutPrefix,
    Field,
    LeadingSpace,
    Lower,
    Mend,
    Relabel,
    TextMend,
    ToChat,
    apply_all,
    apply_to_all,
    has_two_spaces,
    in_order,
    keeps_asks,
)
from ftprep.model import Chat, Example, Message, Pair

CHAT = Chat([Message("user", "HELLO"), Message("assistant", "  HI")])
TEXT = st.text(alphabet="aB é \n\t->END_./`答İΣ", max_size=24)
FIELDS: tuple[Field, ...] = ("prompt", "completion")
FIELD = st.sampled_from(FIELDS)
MENDS: st.SearchStrategy[Mend] = st.one_of(
    st.builds(AddEnding, FIELD, st.sampled_from([" ->", "\n", " END", "\n\n###\n\n"])),
    st.builds(Lower, FIELD, st.sampled_from([(), (" END",), (" ->", "\n")])),
    st.builds(LeadingSpace),
    st.builds(Relabel, st.just({"B": "a", "aB": "a"}), st.sampled_from(["", " END"])),
)


def done(mend: Mend, prompt: str, completion: str) -> tuple[str, str]:
    mended = mend.apply(Pair(prompt, completion, {"id": 1}))
    assert isinstance(mended, Pair)
    assert mended.extra == {"id": 1}
    return mended.prompt, mended.completion


@given(mends=st.lists(MENDS, max_size=4), prompt=TEXT, completion=TEXT)
def test_twice_is_once(mends: list[Mend], prompt: str, completion: str) -> None:
    for mend in mends:
        once = mend.apply(Pair(prompt, completion))
        assert mend.apply(once) is once
    added = [m for m in mends if isinstance(m, AddEnding)]
    spared = all(a.ending in m.spare for a in added for m in mends if isinstance(m, Lower) and m.field == a.field)
    # Two different endings would each be missing behind the other, and one in capitals has to be spared.
    if len(added) < 2 and spared:
        once = apply_all(Pair(prompt, completion), in_order(mends))
        again = apply_all(once, in_order(mends))
        assert again == once or any(isinstance(m, Relabel) for m in mends)


@given(mend=MENDS, prompt=TEXT, completion=TEXT)
def test_where_nothing_is_to_do_the_example_is_the_same_object(mend: Mend, prompt: str, completion: str) -> None:
    pair = Pair(prompt, completion)
    mended = mend.apply(pair)
    assert (mended is pair) is (mended == pair)
    assert mend.apply(CHAT) is CHAT
    assert pickle.loads(pickle.dumps(mend)) == mend


@given(field=FIELD, prefix=TEXT, prompt=TEXT, completion=TEXT)
def test_cutting_never_leaves_nothing_and_loses_only_the_prefix(
    field: Field, prefix: str, prompt: str, completion: str
) -> None:
    pair = Pair(prompt, completion)
    mended = CutPrefix(field, prefix).apply(pair)
    assert isinstance(mended, Pair)
    before, after = getattr(pair, field), getattr(mended, field)
    assert bool(after.strip()) is bool(before.strip())
    if mended is not pair:
        assert before in (prefix + after, prefix + after.removeprefix(" "))


@pytest.mark.parametrize(
    ("mend", "given", "wanted"),
    [
        (CutPrefix("prompt", "Say: "), ("Say: yes", "x"), ("yes", "x")),
        (CutPrefix("prompt", "Say: "), ("Say: ", "x"), ("Say: ", "x")),
        (CutPrefix("prompt", "Say: "), ("say: yes", "x"), ("say: yes", "x")),
        (CutPrefix("completion", " It is "), ("p", " It is Lima"), ("p", " Lima")),
        (CutPrefix("completion", " It is"), ("p", " It is Lima"), ("p", " Lima")),
        (CutPrefix("completion", "It is "), ("p", "It is Lima"), ("p", "Lima")),
        (AddEnding("prompt", " ->"), ("Peru", "x"), ("Peru ->", "x")),
        (AddEnding("prompt", " ->"), ("Peru ->", "x"), ("Peru ->", "x")),
        (AddEnding("prompt", " ->"), (" ", "x"), (" ", "x")),
        (AddEnding("completion", " END"), ("p", ""), ("p", "")),
        (LeadingSpace(), ("p", "Lima"), ("p", " Lima")),
        (LeadingSpace(), ("p", " Lima"), ("p", " Lima")),
        (LeadingSpace(), ("p", "  Lima"), ("p", " Lima")),
        (LeadingSpace(), ("p", "   Lima"), ("p", "   Lima")),
        (LeadingSpace(), ("p", "  a\n  b"), ("p", "  a\n  b")),
        (LeadingSpace(), ("p", "\tLima"), ("p", "\tLima")),
        (LeadingSpace(), ("p", "  "), ("p", "  ")),
        (Lower("completion", (" END",)), ("P", " THE END END"), ("P", " the end END")),
        (Lower("prompt"), ("SEE HTTPS://A.B/C NOW", "X"), ("see HTTPS://A.B/C now", "X")),
        (Lower("prompt"), ("RUN `LS -L` AND C:\\DIR\\A, MAX_LEN", "X"), ("run `LS -L` and C:\\DIR\\A, MAX_LEN", "X")),
        (Lower("prompt"), ("A ` B", "X"), ("a ` b", "X")),
        (Relabel({"Yes": "yes"}), ("p", " Yes"), ("p", " yes")),
        (Relabel({"Yes": "yes"}), ("p", " Yes please"), ("p", " Yes please")),
        (Relabel({"Yes": "yes"}, " END"), ("p", " Yes END"), ("p", " yes END")),
        (Relabel({"Yes": "yes"}, " END"), ("p", " Yes"), ("p", " yes")),
        (Relabel({"Yes. ": "yes"}, "\n"), ("p", "\tYes. \n"), ("p", "\tyes\n")),
        (Relabel({"yes": "Yes"}), ("p", " Yes"), ("p", " Yes")),
    ],
)
def test_mends(mend: Mend, given: tuple[str, str], wanted: tuple[str, str]) -> None:
    assert done(mend, *given) == wanted


def test_a_pair_becomes_a_conversation_without_its_marks() -> None:
    mended = ToChat("Be brief.", " ->", " END").apply(Pair("Peru ->", " Lima END"))
    assert isinstance(mended, Chat)
    said = [("system", "Be brief."), ("user", "Peru"), ("assistant", "Lima")]
    assert [(m.role, m.content) for m in mended.messages] == said
    assert ToChat().apply(CHAT) is CHAT


@pytest.mark.parametrize("completion", ["", "  ", " END", "END"])
def test_a_pair_that_answers_nothing_makes_no_conversation(completion: str) -> None:
    stop = "END" if completion == "END" else " END"
    assert ToChat("Be brief.", " ->", stop).apply(Pair("Peru ->", completion)) == Pair("Peru ->", "")


@pytest.mark.parametrize(
    ("completion", "has"),
    [("  a", True), (" a", False), ("   a", False), ("  ", False), ("  a\nb", False), ("  a\n", True)],
)
def test_two_spaces(completion: str, has: bool) -> None:
    assert has_two_spaces(completion) is has


def test_order_is_fixed_and_each_is_made_once() -> None:
    mends: list[Mend] = [LeadingSpace(), AddEnding("prompt", " ->"), CutPrefix("prompt", "x"), LeadingSpace()]
    assert in_order(mends) == (CutPrefix("prompt", "x"), AddEnding("prompt", " ->"), LeadingSpace())
    assert keeps_asks(in_order(mends[:2]))
    assert not keeps_asks(in_order(mends))
    assert keeps_asks(())


@given(
    mends=st.lists(st.one_of(MENDS, st.builds(CutPrefix, FIELD, TEXT), st.just(ToChat("", " ->", " END"))), max_size=4),
    texts=st.lists(st.one_of(st.tuples(TEXT, TEXT), st.none()), max_size=8),
)
def test_all_at_once_is_one_by_one(mends: list[Mend], texts: list[tuple[str, str] | None]) -> None:
    examples: list[Example] = [CHAT if said is None else Pair(*said, {"id": 1}) for said in texts]
    wanted = [apply_all(example, tuple(mends)) for example in examples]
    found = apply_to_all(examples, tuple(mends))
    assert found == wanted
    assert [a is b for a, b in zip(found, examples, strict=True)] == [
        a is b for a, b in zip(wanted, examples, strict=True)
    ]


@given(mend=MENDS, texts=st.lists(TEXT, max_size=8))
def test_many_texts_are_mended_as_each_is(mend: Mend, texts: list[str]) -> None:
    assert isinstance(mend, TextMend)
    assert mend.texts(texts) == [mend.text(text) for text in texts]
