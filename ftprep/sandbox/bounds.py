"""What a request for a job may say: keys, and bounds of values as the facts of the target have them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ftprep.sandbox.problems import Refusal, bad
from ftprep.targets import Target

GRADERS = ("string_check", "text_similarity", "python", "score_model", "multi")
MOST_INTEGRATIONS = 5


def known_keys(body: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    """Refuse keys that the API does not have."""
    for key in body:
        if key not in known:
            name = f"{where}{key}"
            raise bad(f"Unrecognized request argument supplied: {name}", name, "unknown_parameter")


def text_of(body: Mapping[str, Any], key: str, required: bool = False) -> str | None:
    """A text that a request gives, None where it gives none."""
    value = body.get(key)
    if value is None and key not in body and not required:
        return None
    if value is None and not required:
        return None
    if not isinstance(value, str) or (required and not value):
        told = "you must provide a" if value is None else f"{value!r} is not a string: give a"
        raise bad(f"{told} {key} parameter".capitalize(), key, "missing_required_parameter" if value is None else None)
    return value


def number_within(target: Target, name: str, value: Any, param: str) -> None:
    """Refuse a value that the facts of a parameter do not allow; `auto` passes where there is such a thing."""
    facts = {path.rpartition(".")[2]: f.value for path, f in target.facts.items() if path.startswith(f"params.{name}.")}
    if facts.get("refused"):
        raise bad(f"{param} is not supported", param)
    if value is None or (value == "auto" and (facts.get("auto") or facts.get("default") == "auto")):
        return
    if value == facts.get("default") and not isinstance(value, bool):
        return
    if choices := facts.get("enum"):
        if value not in choices or (isinstance(value, bool) and not any(value is each for each in choices)):
            raise bad(f"Invalid value: {value!r}. Supported values are: {', '.join(map(str, choices))}.", param)
        return
    kind = facts.get("type")
    if kind not in ("integer", "number"):
        return
    is_number = isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    if not is_number or value != value:
        raise bad(f"Invalid type for '{param}': expected {kind}, got {value!r}.", param, "invalid_type")
    _inside(facts, value, param)


def _inside(facts: Mapping[str, Any], value: float, param: str) -> None:
    held: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        ("min", lambda bound: value >= bound, "greater than or equal to"),
        ("min_exclusive", lambda bound: value > bound, "greater than"),
        ("max", lambda bound: value <= bound, "less than or equal to"),
        ("max_exclusive", lambda bound: value < bound, "less than"),
    )
    for key, holds, words in held:
        if key in facts and not holds(facts[key]):
            message = f"Invalid '{param}': {value} must be {words} {facts[key]}."
            raise bad(message, param, "value_out_of_range")


def suffix_of(target: Target, body: Mapping[str, Any]) -> str | None:
    """The suffix, held to the target's facts."""
    suffix = text_of(body, "suffix")
    if suffix is None:
        return None
    most = target.facts["suffix.max"].value if "suffix.max" in target.facts else 64
    if not 1 <= len(suffix) <= most:
        raise bad(f"'suffix' must have 1 to {most} characters, and has {len(suffix)}", "suffix", "invalid_suffix")
    return suffix


def metadata_of(target: Target, body: Mapping[str, Any]) -> dict[str, str] | None:
    """Metadata, held to the target's facts."""
    given = body.get("metadata")
    if given is None:
        return None
    bound = {path: fact.value for path, fact in target.facts.items() if path.startswith("metadata.")}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise bad("'metadata' must be an object whose values are strings", "metadata")
    if len(given) > bound.get("metadata.max_pairs", 16):
        raise bad(f"'metadata' has {len(given)} pairs; at most 16 are allowed", "metadata")
    for key, value in given.items():
        if len(key) > bound.get("metadata.key_max", 64) or len(value) > bound.get("metadata.value_max", 512):
            raise bad(f"'metadata': the key or value of {key[:64]!r} is too long (64 and 512 characters)", "metadata")
    return given


def integrations_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Integrations: Weights & Biases only, with a project."""
    given = body.get("integrations")
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST_INTEGRATIONS:
        raise bad("'integrations' must be a list of at most 5", "integrations")
    for each in given:
        if not isinstance(each, dict) or each.get("type") != "wandb":
            raise bad("Only integrations of the type 'wandb' are supported", "integrations")
        known_keys(each, ("type", "wandb"), "integrations[].")
        wandb = each.get("wandb")
        if not isinstance(wandb, dict) or not isinstance(wandb.get("project"), str):
            raise bad("A wandb integration needs {'wandb': {'project': ...}}", "integrations")
        known_keys(wandb, ("project", "name", "entity", "tags"), "integrations[].wandb.")
    return given


def grader_of(method: Mapping[str, Any]) -> dict[str, Any]:
    """The grader of a reinforcement job."""
    grader = method.get("grader")
    if not isinstance(grader, dict) or grader.get("type") not in GRADERS:
        kinds = ", ".join(GRADERS)
        raise Refusal(400, f"A reinforcement job needs a grader of one of the types {kinds}", None, "method.grader")
    return grader
