"""From whole answers with probabilities to tokens: what a model does when it writes one token after the other.

The answers form a tree of tokens. The probability of a token is the share of the answers that go on with it, so the
product over the tokens of an answer is the probability of that answer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

END = b""
"""What follows the last token of an answer."""

FLOOR = 1e-12
"""The least probability that is told, since its logarithm must be a number."""


@dataclass(frozen=True)
class Wish:
    """How an answer is to be written; `bias` adds to the log-probability of tokens."""

    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float = 1.0
    top_p: float = 1.0
    top: int = 0
    bias: Mapping[bytes, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Token:
    """One token: its bytes, its log-probability, and the likeliest at its place."""

    data: bytes
    logprob: float
    top: tuple[tuple[bytes, float], ...] = ()

    @property
    def text(self) -> str:
        """The token as text; a token that is part of a character shows U+FFFD."""
        return self.data.decode("utf-8", "replace")


@dataclass(frozen=True)
class Written:
    """An answer as it was written: why it ends is `stop` or `length`; `whole` where nothing was cut off."""

    text: str
    tokens: tuple[Token, ...]
    finish: str
    whole: bool


Sequences = Sequence[tuple[tuple[bytes, ...], float]]
"""Answers as tokens, each with its probability."""


def write(answers: Sequences, wish: Wish, rng: random.Random) -> Written:
    """One answer: the likeliest token each time at temperature 0, else drawn."""
    left, at = [(tokens, max(p, FLOOR)) for tokens, p in answers], 0
    tokens: list[Token] = []
    while True:
        mass: dict[bytes, float] = {}
        for sequence, p in left:
            following = sequence[at] if at < len(sequence) else END
            mass[following] = mass.get(following, 0.0) + p
        logs = _logs(mass, wish.bias)
        chosen = _choose(logs, wish, rng)
        if chosen == END:
            return _done(tokens, "stop", whole=True)
        if wish.max_tokens is not None and len(tokens) >= wish.max_tokens:
            return _done(tokens, "length")
        best = sorted(((t, lp) for t, lp in logs.items() if t != END), key=lambda each: (-each[1], each[0]))
        tokens.append(Token(chosen, logs[chosen], tuple(best[: wish.top])))
        if (stopped := _stopped(tokens, wish.stop)) is not None:
            return stopped
        left = [(s, p) for s, p in left if at < len(s) and s[at] == chosen]
        at += 1


def _logs(mass: Mapping[bytes, float], bias: Mapping[bytes, float]) -> dict[bytes, float]:
    """Log-probabilities, that of the likeliest exactly what the others leave."""
    total = sum(mass.values())
    scores = {token: math.log(max(p / total, FLOOR)) + bias.get(token, 0.0) for token, p in mass.items()}
    highest = max(scores.values())
    norm = highest + math.log(sum(math.exp(score - highest) for score in scores.values()))
    return {token: min(score - norm, 0.0) for token, score in scores.items()}


def _choose(logs: Mapping[bytes, float], wish: Wish, rng: random.Random) -> bytes:
    ranked = sorted(logs.items(), key=lambda each: (-each[1], each[0]))
    if wish.temperature <= 0 or len(ranked) == 1:
        return ranked[0][0]
    kept, share = [], 0.0
    for token, log in ranked:
        kept.append((token, log))
        share += math.exp(log)
        if share >= wish.top_p:
            break
    weights = [math.exp((log - kept[0][1]) / wish.temperature) for _, log in kept]
    return rng.choices([token for token, _ in kept], weights)[0]


def _text(tokens: Sequence[Token]) -> str:
    return b"".join(token.data for token in tokens).decode("utf-8", "replace")


def _done(tokens: list[Token], finish: str, whole: bool = False) -> Written:
    return Written(_text(tokens), tuple(tokens), finish, whole)


def _stopped(tokens: list[Token], stops: Sequence[str]) -> Written | None:
    """What is left of an answer in which a stop sequence has come up: nothing from there on."""
    text = _text(tokens)
    places = [at for stop in stops if (at := text.find(stop)) >= 0]
    if not places:
        return None
    kept = text[: min(places)]
    count = 0
    while count < len(tokens) and len(_text(tokens[: count + 1])) <= len(kept):
        count += 1
    return Written(kept, tuple(tokens[:count]), "stop", whole=False)
