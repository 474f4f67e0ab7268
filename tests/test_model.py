"""Examples as values: what is said in each shape, and what makes two of them different."""

from __future__ import annotations

import msgspec
import pytest

from ftprep import keys
from ftprep.model import Chat, Example, Message, Preference, Reinforcement, Stepwise, Unpaired


def _chat(*texts: str) -> Chat:
    return Chat([Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)])


def _reply(text: str) -> list[Message]:
    return [Message("assistant", text)]


BETTER = Preference(_chat("Capital of Peru?"), _reply("Lima."), _reply("Quito."))
UNPAIRED = Unpaired(_chat("Capital of Peru?"), _reply("Lima."), True)
STEPS = Stepwise("6 * 7 + 1?", ["6 * 7 = 42", "42 + 1 = 43"], [True, True])


@pytest.mark.parametrize(
    ("example", "texts", "trained"),
    [
        (BETTER, ["Capital of Peru?", "Lima.", "Quito."], (False, True, True)),
        (UNPAIRED, ["Capital of Peru?", "Lima."], (False, True)),
        (STEPS, ["6 * 7 + 1?", "6 * 7 = 42", "42 + 1 = 43"], (False, True, True)),
        (Preference(Chat([]), _reply("Lima."), []), ["Lima."], (True,)),
        (Chat([Message("assistant", "43", reasoning_content="6 * 7 + 1")]), ["6 * 7 + 1", "43"], (True, True)),
    ],
)
def test_all_that_is_said_is_in_the_speech(
    example: Chat | Preference | Unpaired | Stepwise, texts: list[str], trained: tuple[bool, ...]
) -> None:
    speech = example.speech()
    assert speech.texts == texts
    assert speech.trained == trained


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BETTER, msgspec.structs.replace(BETTER, preferred_output=_reply("Quito."))),
        (BETTER, Preference(BETTER.input, BETTER.non_preferred_output, BETTER.preferred_output)),
        (UNPAIRED, msgspec.structs.replace(UNPAIRED, label=False)),
        (STEPS, msgspec.structs.replace(STEPS, labels=[True, False])),
        (_chat("a", "b"), Chat([Message("user", "a"), Message("assistant", "b", thinking="c")])),
    ],
)
def test_what_is_learnt_differently_is_another_example(one: Example, other: Example) -> None:
    assert keys.exact(one) != keys.exact(other)
    assert keys.exact(one) == keys.exact(msgspec.structs.replace(one))


def test_what_is_asked_is_the_same_whatever_the_answer_is() -> None:
    assert keys.ask(UNPAIRED) == keys.ask(msgspec.structs.replace(UNPAIRED, output=_reply("Quito."), label=False))


def test_a_reinforcement_example_is_a_conversation_of_another_shape() -> None:
    example = Reinforcement([Message("user", "6 * 7?")], extra={"reference": 42})
    assert isinstance(example, Chat)
    assert example.shape == "reinforcement"
