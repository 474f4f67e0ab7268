"""What counts as the same: blind to spacing where it should be, and to nothing else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep import bulk, keys
from ftprep.model import Chat, Pair

TEXT = st.text(max_size=30)
SPACES = st.sampled_from(["", " ", "  ", "\n", "\t ", "\u3000", "\x1f", "\u2028"])


def chat(*turns: tuple[str, str], tools: list[dict[str, object]] | None = None) -> Chat:
    return msgspec.convert(
        {"messages": [{"role": role, "content": text} for role, text in turns]} | ({"tools": tools} if tools else {}),
        Chat,
    )


@given(TEXT)
def test_folding_is_joining_words_with_one_blank(text: str) -> None:
    assert keys.fold(text) == " ".join(text.casefold().split()).encode()
    assert keys.pack(text) == "".join(text.split()).encode()


@given(words=st.lists(st.sampled_from(["Is", "it", "答案", "É"]), min_size=1, max_size=5), data=st.data())
def test_what_is_asked_is_blind_to_spacing_and_capitals(words: list[str], data: st.DataObject) -> None:
    def spelt() -> str:
        joined = "".join(data.draw(SPACES.filter(bool)) + data.draw(st.sampled_from([w, w.upper()])) for w in words)
        return data.draw(SPACES) + joined + data.draw(SPACES)

    assert keys.ask(Pair(spelt(), "a")) == keys.ask(Pair(spelt(), "b"))


@given(one=TEXT, other=TEXT)
def test_different_questions_have_different_keys(one: str, other: str) -> None:
    same = " ".join(one.casefold().split()) == " ".join(other.casefold().split())
    assert (keys.ask(Pair(one, "")) == keys.ask(Pair(other, ""))) is same


@pytest.mark.parametrize(
    ("prompt", "same"),
    [
        ("Peru ->", True),
        ("peru  ->", True),
        ("Peru\n\n###\n\n", True),
        ("Peru", True),
        ("Peru?", False),
        ("-> Peru", False),
        ("Peru -> ->", False),
    ],
)
def test_one_separator_at_the_end_makes_no_difference(prompt: str, same: bool) -> None:
    endings = keys.folded([" ->", "\n\n###\n\n"])
    assert (keys.ask(Pair(prompt, ""), endings) == keys.ask(Pair("Peru", ""), endings)) is same


def test_separators_are_compared_longest_first() -> None:
    assert keys.folded(["=>", "\n\n### =>\n\n", " =>", "|", " END"]) == (b"### =>", b"end", b"=>")
    endings = keys.folded(["=>", "\n\n### =>\n\n"])
    assert keys.ask(Pair("Peru\n\n### =>\n\n", ""), endings) == keys.ask(Pair("Peru", ""), endings)


@pytest.mark.parametrize("prompt", ["", " ", "\n\t"])
def test_asking_nothing(prompt: str) -> None:
    assert keys.ask(Pair(prompt, "x")) == keys.BLANK
    assert keys.ask(chat(("assistant", "Hello"))) == keys.BLANK


@given(one=st.tuples(TEXT, TEXT), other=st.tuples(TEXT, TEXT))
def test_the_exact_key_tells_every_character(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (keys.exact(Pair(*one)) == keys.exact(Pair(*other))) is (one == other)
    assert keys.exact(Pair(*one)) == keys.exact(Pair(*one, {"id": 1}))


def test_answers_are_blind_to_spacing_but_not_to_capitals() -> None:
    assert keys.answer(Pair("", " yes\n")) == keys.answer(Pair("", "yes"))
    assert keys.answer(Pair("", "yes")) != keys.answer(Pair("", "Yes"))


def test_conversations() -> None:
    one = chat(("system", "Be brief."), ("user", "Capital of Mali?"), ("assistant", "Bamako."))
    spaced = chat(("system", "Be  brief."), ("user", "capital of mali? "), ("assistant", " Bamako."))
    assert keys.ask(one) == keys.ask(spaced)
    assert keys.answer(one) == keys.answer(spaced)
    assert keys.exact(one) != keys.exact(spaced)
    assert keys.ask(one) != keys.ask(chat(("user", "Be brief."), ("user", "Capital of Mali?"), ("assistant", "x")))
    tool: dict[str, object] = {"type": "function", "function": {"name": "look"}}
    assert keys.exact(one) != keys.exact(chat(*[(m.role, m.text) for m in one.messages], tools=[tool]))


def test_joining_parts_cannot_confuse_them() -> None:
    assert keys.ask(chat(("user", "ab"), ("user", "c"))) != keys.ask(chat(("user", "a"), ("user", "bc")))


@given(asked=st.binary(min_size=8, max_size=8), one=st.binary(min_size=8, max_size=8))
def test_a_unit_of_question_and_answer(asked: bytes, one: bytes) -> None:
    assert keys.unit(asked, one) == keys.unit(asked, one)
    assert len(keys.unit(asked, one)) == 8
    assert (keys.unit(asked, one) == keys.unit(one, asked)) is (asked == one)


MANY = st.lists(st.text(alphabet="aB \n\0é’答\u3000\xa0İßẞΣКк\ud800", max_size=12), max_size=12)


@pytest.mark.parametrize("pays_after", [0, 1 << 60], ids=["numpy", "plain"])
@given(prompts=MANY, completions=MANY, known=st.booleans())
def test_many_pairs_have_the_keys_of_each(
    pays_after: int, prompts: list[str], completions: list[str], known: bool
) -> None:
    size = min(len(prompts), len(completions))
    prompts, completions = prompts[:size], completions[:size]
    pairs = [Pair(p, c) for p, c in zip(prompts, completions, strict=True)]
    endings = keys.folded(["aB", "\n答答", " a"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "PAYS_AFTER", pays_after)
        asked = keys.asks(prompts, endings)
        found = keys.of_pairs(prompts, completions, endings, asked if known else None)
    wanted = [[keys.ask(p, endings) for p in pairs], [keys.answer(p) for p in pairs], [keys.exact(p) for p in pairs]]
    assert list(found) == wanted
    assert asked == wanted[0]
    folds = [" ".join(p.casefold().split()).encode("utf-8", "surrogatepass") for p in prompts]
    assert keys.asks(prompts) == [keys.digest(f.decode("utf-8", "surrogatepass")) for f in folds]


def test_every_character_is_folded_as_str_folds_it() -> None:
    """What is folded in UTF-8 in bulk must be no white space and have no capitals; what is packed, no white space."""
    for code in range(0x110000):
        text = f"A{chr(code)} "
        wanted = " ".join(text.casefold().split())
        assert keys.fold(text) == wanted.encode("utf-8", "surrogatepass"), hex(code)
        assert keys.pack(text) == "".join(text.split()).encode("utf-8", "surrogatepass"), hex(code)
