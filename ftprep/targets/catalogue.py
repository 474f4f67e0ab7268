"""Finding a target by name, model and method: the facts of its files put upon each other, once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftprep.errors import RecipeError, UsageError
from ftprep.targets.model import Fact, Target

if TYPE_CHECKING:
    from ftprep.targets.file import Layer, Model

DATA = Path(__file__).parent / "data"
_OWN = re.compile(r"(.+\.toml)(?::(.*))?", re.IGNORECASE | re.DOTALL)
_LISTED = "`ftprep target` lists them; a file of your own is given as path/to/it.toml"


def target_names() -> tuple[str, ...]:
    """The names of all targets, sorted."""
    return tuple(sorted(path.stem for path in DATA.glob("*.toml")))


def find_target(selector: str, method: str | None = None) -> Target:
    """The target that `NAME`, `NAME:MODEL`, `FILE.toml` or `FILE.toml:MODEL` names, for one method.

    Without a method it is "supervised", or the first that target and model have where they do not train by that. Models
    may be named by an alias, by `org/name`, or by the name of a model tuned from them (`ft:BASE:org::id`).
    Raises UsageError for a name that there is not, with the nearest; RecipeError for a file that does not hold.
    """
    name, model = _parted(selector)
    chain = _chain(name)
    known = _find_model(chain, model) if model is not None else None
    offered = next((each.facts["methods"] for each in reversed(chain) if "methods" in each.facts), None)
    trained = _model_methods(chain, known) or (offered.value if offered else ())
    chosen = method or ("supervised" if not trained or "supervised" in trained else trained[0])
    facts = _merged(chain, chosen, known)
    if offered is not None:
        facts["method.offered"] = replace(offered, value=chosen in offered.value)
    if model is not None:
        facts |= _of_model(chain, model, known)
    own = _OWN.fullmatch(name) is not None
    sources = {key: source for layer in chain for key, source in layer.sources.items()}
    messages = tuple(each for layer in reversed(chain) for each in layer.messages)
    cited = {fact.source for fact in facts.values()} | {each.source for each in messages}
    as_of = max((layer.as_of for layer in chain), default=date.min)
    return Target(
        Path(name).stem if own else name,
        next((layer.title for layer in reversed(chain) if layer.title), Path(name).stem),
        chosen,
        known or model,
        as_of,
        facts,
        messages,
        {key: source for key, source in sources.items() if key in cited},
        selector=f"{name}:{model}" if model is not None else name,
    )


def _merged(chain: tuple[Layer, ...], method: str, model: str | None) -> dict[str, Fact]:
    """The facts of all layers: those of a method over those of the target, those of a model over both."""
    facts: dict[str, Fact] = {}
    for layer in chain:
        own = {**layer.facts, **layer.methods.get(method, {})}
        if model and (its := layer.models.get(model)):
            own |= {**its.facts, **its.methods.get(method, {})}
        if method == "dpo" and "limits.context_dpo" in own:
            own["limits.context"] = own["limits.context_dpo"]
        facts |= own
    return facts


def models_of(target: Target) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The models that a target lists, each with its other names, in the order of its file."""
    listed = {model.name: model.aliases for layer in _chain(_parted(target.selector)[0]) for model in _models(layer)}
    return tuple(listed.items())


def _parted(selector: str) -> tuple[str, str | None]:
    """The name (or path) and the model of a selector; raises UsageError where one of them is empty."""
    text = selector.strip()
    if own := _OWN.fullmatch(text):
        name, model = own[1], own[2]
    else:
        name, colon, rest = text.partition(":")
        name, model = _full_name(name.strip()), rest if colon else None
    if model is not None and not (model := model.strip()):
        message = f"{selector!r} names no model after the colon"
        raise UsageError(message, f"give {name}:MODEL, or {name} alone for what holds for all its models")
    return name, model


@lru_cache(maxsize=1)
def _names() -> dict[str, Any]:
    import tomllib

    return tomllib.loads((Path(__file__).parent / "aliases.toml").read_text(encoding="utf-8"))


def _full_name(name: str) -> str:
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    if wanted in (known := target_names()):
        return wanted
    if wanted in _names()["aliases"]:
        return str(_names()["aliases"][wanted])
    if wanted in _names()["groups"]:
        message = f"{name} stands for several targets: {', '.join(_names()['groups'][wanted])}"
        raise UsageError(message, "name one of them")
    near = difflib.get_close_matches(wanted, [*known, *_names()["aliases"]], 1)
    having = [each for each in known if _find_model(_chain(each), name)] if name and not near else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    hint += f"it is a model: {', '.join(f'{each}:{name}' for each in having)}; " if having else ""
    raise UsageError(f"no target is called {name!r}", hint + _LISTED)


def _chain(name: str) -> tuple[Layer, ...]:
    """The files that make a target, from the one that others extend to the one that is named."""
    own = _OWN.fullmatch(name) is not None
    path = Path(name) if own else DATA / f"{name}.toml"
    layers: list[Layer] = []
    seen: list[Path] = []
    while True:
        layer = _load(path, own, _stamp(path))
        layers.insert(0, layer)
        seen.append(path.resolve())
        if layer.extends is None:
            return tuple(layers)
        try:
            below, model = _parted(layer.extends)
        except UsageError as error:
            raise RecipeError(f"{path}: extends: {error.message}", error.hint) from None
        if model is not None:
            raise RecipeError(
                f"{path}: extends: a target is extended, not one model of it", f"write extends = {below!r}"
            )
        own = _OWN.fullmatch(below) is not None
        inner = path.parent / below if own else DATA / f"{below}.toml"
        if inner.resolve() in seen:
            raise RecipeError(f"{path}: extends: {layer.extends!r} leads back to this file", "extend a shipped target")
        path = inner


def _stamp(path: Path) -> tuple[int, int]:
    """What tells that a file is still the same; raises UsageError where there is none."""
    try:
        stat = path.stat()
    except OSError:
        message = f"{path}: no such file"
        raise UsageError(
            message, "a target is a name, or the path of a .toml file; `ftprep target` lists the names"
        ) from None
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=64)
def _load(path: Path, own: bool, _stamp: tuple[int, int]) -> Layer:
    from ftprep.targets.file import load

    return load(path, own=own)


def _models(layer: Layer) -> Iterator[Model]:
    yield from layer.models.values()


def _spellings(model: str) -> tuple[str, ...]:
    """How a listed model may be meant: as said, without the house before it, as the base of a tuned model.

    Tuned models are called `ft:BASE:org:suffix:id`, by an older way `BASE:ft-org-date`, at Azure `BASE.ft-id`.
    """
    said = model.strip().lower()
    base = said.removeprefix("ft:").split(":")[0] if said.startswith("ft:") else re.split(r":ft-|\.ft-", said)[0]
    return tuple(dict.fromkeys((said, base, base.rpartition("/")[2])))


def _find_model(chain: tuple[Layer, ...], model: str) -> str | None:
    """The listed name of a model, None where it is not listed."""
    listed: dict[str, str] = {}
    for layer in chain:
        for each in _models(layer):
            listed |= {name.lower(): each.name for name in (*each.aliases, each.name)}
    return next((listed[spelling] for spelling in _spellings(model) if spelling in listed), None)


def _model_methods(chain: tuple[Layer, ...], known: str | None) -> tuple[str, ...]:
    for layer in reversed(chain):
        if known and (its := layer.models.get(known)) and "model.methods" in its.facts:
            methods: tuple[str, ...] = its.facts["model.methods"].value
            return methods
    return ()


def _of_model(chain: tuple[Layer, ...], model: str, known: str | None) -> dict[str, Fact]:
    """What is to be said of a model as such; nothing where the target lists no models."""
    names = list(dict.fromkeys(each.name for layer in chain for each in _models(layer)))
    if not names:
        return {}
    as_of = max(layer.as_of for layer in chain)
    day = str(as_of) if as_of > date.min else ""
    # Lists of models grow: that one is not on it is a reason to warn, and nothing more.
    facts = {"model.known": Fact(known is not None, "excerpt", "", day)}
    if known is None:
        lower = {name.lower(): name for name in names}
        near = difflib.get_close_matches(_spellings(model)[-1], lower, 3, 0.5)
        facts["model.nearest"] = Fact(tuple(lower[each] for each in near), "excerpt", "", day)
    return facts
