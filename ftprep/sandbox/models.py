"""Models: the base models of the provider, and what jobs made of them; how each answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftprep.sandbox.house import ORG, House
from ftprep.sandbox.jobs import Jobs
from ftprep.sandbox.problems import Refusal
from ftprep.sandbox.training import Training

BASE_SAYS = "stand-in: a base model that has learnt nothing"
_CREATED = 1_700_000_000
_CHECKPOINT = re.compile(r"(.+):ckpt-step-(\d+)")
_COMPLETION_ONLY = ("davinci-002", "babbage-002")


@dataclass(frozen=True)
class Speaker:
    """A model that answers: `says` is what it is; `answers` whole answers to a question, with probabilities."""

    name: str
    base: str
    says: str
    answers: Callable[[str], list[tuple[str, float]]]
    calls: Callable[[str], list[dict[str, Any]]]


class Models:
    """All models of the sandbox."""

    def __init__(self, house: House, jobs: Jobs, training: Training) -> None:
        self._house = house
        self._jobs = jobs
        self._training = training

    def all(self) -> list[dict[str, Any]]:
        """Base models, then tuned ones, as the API shows them."""
        self._jobs.refresh()
        base = [self._base(name) for name in dict.fromkeys(self._house.models.values())]
        return base + [_shown(each) for each in self._house.store.all("model")]

    def find(self, name: str) -> dict[str, Any]:
        """One model as the API shows it; raises 404."""
        tuned = self._tuned(name)
        if tuned is not None:
            return {**_shown(tuned[0]), "id": name}
        if self.base_of(name) is None:
            raise _unknown(name)
        return {**self._base(name)}

    def delete(self, name: str) -> None:
        """Let a tuned model go; base models stay."""
        model = self._house.store.get("model", name)
        if model is None:
            if self.base_of(name) is not None:
                raise Refusal(403, f"You cannot delete the model {name}: it is not yours", None, "model")
            raise _unknown(name)
        self._house.store.delete("model", name)
        self._training.drop(model["job"])

    def base_of(self, name: str) -> str | None:
        """The base model that a name stands for; None where there is none. Tuned models stand for their own base."""
        if name in self._house.models:
            return self._house.models[name]
        tuned = self._tuned(name)
        if tuned is not None:
            return str(tuned[1]["base"] or tuned[1]["model"])
        # Lists of open models grow by the week; of closed ones the list is what there is.
        return name.rpartition("/")[2] if self._house.profile.unknown_models and name else None

    def _tuned(self, name: str) -> tuple[dict[str, Any], dict[str, Any], int | None] | None:
        """A tuned model, its job, and for a checkpoint the epochs it has seen."""
        found = _CHECKPOINT.fullmatch(name)
        self._jobs.refresh()
        model = self._house.store.get("model", found[1] if found else name)
        if model is None:
            return None
        if found is None:
            return model, self._jobs.find(model["job"]), None
        for checkpoint in self._jobs.checkpoints(model["job"]):
            if checkpoint["model"] == name:
                return model, self._jobs.find(model["job"]), checkpoint["epoch"]
        return None

    def speaker(self, name: str, chat: bool) -> Speaker:
        """The model of that name, ready to answer; raises 404."""
        tuned = self._tuned(name)
        base = self.base_of(name)
        if base is None:
            raise _unknown(name)
        if self._house.profile.name == "openai" and (base in _COMPLETION_ONLY) == chat:
            here, other = ("chat/completions", "completions") if chat else ("completions", "chat/completions")
            kind = "not a chat model" if chat else "a chat model"
            told = f"This is {kind} and thus not supported in the v1/{here} endpoint. Did you mean to use v1/{other}?"
            raise Refusal(404, told, None, "model")
        if tuned is None:
            answer = f"This is the sandbox's stand-in for {name}: it has learnt nothing."
            return Speaker(name, base, BASE_SAYS, lambda _: [(answer, 1.0)], lambda _: [])
        fitted = self._training.tuned(tuned[1], tuned[2])
        return Speaker(name, base, fitted.says, fitted.answers, fitted.calls)

    def _base(self, name: str) -> dict[str, Any]:
        about = {"id": name, "object": "model", "created": _CREATED, "owned_by": self._house.profile.name}
        return {**about, "description": BASE_SAYS}


def _shown(model: dict[str, Any]) -> dict[str, Any]:
    about = {"id": model["id"], "object": "model", "created": model["created"], "owned_by": ORG}
    return {**about, "description": model["says"]}


def _unknown(name: str) -> Refusal:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(404, message, "model_not_found", "model")
