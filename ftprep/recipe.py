"""The one configuration: what a set is, how its rows become examples, what to check, mend and split. Frozen values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ftprep.disk import small_text
from ftprep.errors import RecipeError
from ftprep.foreign import words_of

Shape = Literal["auto", "chat", "completion", "preference", "unpaired", "reinforcement", "stepwise"]
Method = Literal["supervised", "dpo", "kto", "reinforcement"]
Task = Literal["auto", "classification", "generation", "open-ended"]


_FLAT = "a recipe is a table of tables of values; see `ftprep config schema`"


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Frozen(BaseModel):
    # Built when something is validated, which a run without settings need not do.
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_kebab, validate_by_name=True, defer_build=True
    )


class Columns(_Frozen):
    """Which columns or keys of a record become the example; what is left out is matched by name and known aliases."""

    prompt: str | None = Field(None, description="Column that holds the prompt.")
    completion: str | None = Field(None, description="Column that holds the completion.")
    prompt_template: str | None = Field(
        None, description='Prompt made of several columns: "Item={Item}, Color={Color}->". {{ and }} are braces.'
    )
    completion_template: str | None = Field(None, description="Completion made of several columns, in the same way.")


class Keys(_Frozen):
    """What records of conversations call the messages, their role and their content, and what their roles mean."""

    messages: str = Field("messages", description="Key of the list of turns.")
    role: str = Field("role", description="Key of who speaks.")
    content: str = Field("content", description="Key of what is said.")
    roles: dict[str, str] = Field(
        default_factory=dict, description='What each role means: {"client": "user", "agent": "assistant"}.'
    )


class Format(_Frozen):
    """How a prompt/completion example is delimited."""

    separator: str | None = Field(None, description="Ending of every prompt; found or proposed where left out.")
    stop: str | None = Field(None, description="Ending of every completion; found or proposed where left out.")
    leading_space: bool = Field(True, strict=True, description="Whether each completion starts with one space.")


class Turns(_Frozen):
    """How a conversation becomes prompt/completion examples: one example for each reply of the assistant."""

    system: str = Field("", description='What stands before the system message, for example "Summary: ".')
    user: str = Field("User: ", description="What stands before a user turn.")
    assistant: str = Field("Assistant: ", description="What stands before an assistant turn.")
    before: str = Field("", description='Template of columns put before the conversation: "Summary: {summary}".')
    between: str = Field("\n", description="What stands between two turns.")


class Split(_Frozen):
    """Which share of the examples is held back for validation, and what must not be parted."""

    # Strict, since a `true` that counts as 1 would hold one example back without a word.
    valid: (
        Annotated[float, Field(gt=0, lt=1, strict=True)] | Annotated[int, Field(ge=1, strict=True)] | Literal["none"]
    ) = Field(0.1, description="Share (0.1) or number (200) of validation examples, or none.")
    seed: int = Field(
        0, strict=True, description="Another seed gives another split; the same seed always gives the same one."
    )
    group: str | None = Field(None, description="Column whose equal values must stay on one side.")
    stratify: str = Field("auto", description="auto (by class in classification), none, or a column.")


class Rules(_Frozen):
    """Which rules run, and their options."""

    select: tuple[str, ...] = Field((), description="Only these: code, family letters or name.")
    ignore: tuple[str, ...] = Field((), description="Not these.")
    extend_select: tuple[str, ...] = Field((), description="These too (preview rules).")
    options: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Options by rule code or name.")


class Fix(_Frozen):
    """Which unsafe mendings the recipe asks for, so that `prepare -y` makes them."""

    accept: tuple[str, ...] = Field((), description="Codes or names of rules whose unsafe fix is wanted.")


class Limits(_Frozen):
    """Bounds of what is read, each as `--limit NAME=VALUE` sets it, which wins; docs/inputs.md has those built in."""

    record: int | str | None = Field(None, description='Bytes of a record: 67108864 or "64MiB".')
    depth: int | str | None = Field(None, description="Levels that a record may be nested.")
    columns: int | str | None = Field(None, description="Columns of a table.")
    cells: int | str | None = Field(None, description="Cells that a sheet may span.")
    document: int | str | None = Field(None, description='Bytes of a document that is read as a whole: "4GiB".')
    expansion: int | str | None = Field(None, description="Times its size that compressed data may unpack to.")
    seconds: int | str | None = Field(None, description="Processor time for parsing a workbook or opening Parquet.")

    @field_validator("*", mode="before")
    @classmethod
    def _checked(cls, value: Any, about: ValidationInfo) -> int | None:
        from pydantic_core import PydanticCustomError

        from ftprep.readers.limits import bound_of

        try:
            return None if value is None else bound_of(str(about.field_name), str(value))
        except ValueError as error:
            raise PydanticCustomError("limit", "{told}", {"told": error.args[0]}) from None


class Recipe(_Frozen):
    """A way to prepare one kind of set; every value left out is found out from the data or has the default shown."""

    name: str = Field("", description="What the recipe is called.")
    description: str = Field("", description="What it is for, in one line.")
    shape: Shape = Field("auto", description="Form of the examples.")
    task: Task = Field("auto", description="What is learnt; inferred, with reasons, where auto.")
    model: str | None = Field(None, description="Model to be tuned: settles the encoding that tokens are counted in.")
    target: str | None = Field(None, description="Who will train: openai, azure:gpt-4.1, trl, ...")
    method: Method | None = Field(None, description="How it is trained; told by the shape where left out.")
    encoding: str | None = Field(None, description="Token encoding, where no model is named (default o200k_base).")
    token_limit: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        None, description="Most tokens of one example."
    )
    columns: Columns = Columns.model_construct()
    keys: Keys | None = Field(None, description="Set for conversations whose keys have other names.")
    format: Format = Format.model_construct()
    turns: Turns | None = Field(None, description="Set to make prompt/completion examples out of conversations.")
    split: Split = Split.model_construct()
    rules: Rules = Rules.model_construct()
    fix: Fix = Fix.model_construct()
    limits: Limits | None = Field(None, description="Bounds of what is read, where the built-in ones do not fit.")


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Layers of settings as one: later ones win, tables are merged key by key; keys may be kebab or snake case."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            name = _kebab(key)
            if name == "options" and isinstance(value, Mapping):
                # Rules are named by code or name, whose spelling is theirs.
                merged[name] = {**merged.get(name, {}), **value}
            elif isinstance(value, Mapping):
                before = merged.get(name)
                merged[name] = merge(before if isinstance(before, dict) else {}, value)
            else:
                merged[name] = value
    return merged


def resolve(*layers: Mapping[str, Any], origin: str = "recipe") -> Recipe:
    """The recipe that the layers make together; raises RecipeError that names the key, and the nearest right one."""
    try:
        merged = merge(*layers)
        return Recipe.model_validate(merged) if merged else Recipe.model_construct()
    except RecursionError:
        raise RecipeError(f"{origin}: tables or lists within each other without end", _FLAT) from None
    except ValidationError as error:
        found = error.errors(include_url=False)
        first, where = found[0], _key_at(found[0]["loc"])
        if first["type"] == "extra_forbidden":
            where = ".".join(map(str, first["loc"]))
            raise RecipeError(f"{origin}: unknown key {where!r}", _nearest(first["loc"])) from None
        told = "; or: ".join(dict.fromkeys(e["msg"] for e in found if _key_at(e["loc"]) == where))
        raise RecipeError(f"{origin}: {where}: {told}", "`ftprep config schema` lists keys and types") from None


def _key_at(location: tuple[int | str, ...]) -> str:
    """The key as users write it; pydantic adds which of several types it tried."""
    tried = ("float", "int", "literal[", "constrained-")
    return ".".join(str(p) for p in location if not str(p).startswith(tried))


def _nearest(location: tuple[int | str, ...]) -> str:
    model: Any = Recipe
    for part in location[:-1]:
        kind = model.model_fields[str(part).replace("-", "_")].annotation
        model = next(k for k in (kind, *get_args(kind)) if isinstance(k, type))
    names = [_kebab(n) for n in model.model_fields]
    near = difflib.get_close_matches(str(location[-1]), names, 1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(names)}"


def recipe_folder() -> Path:
    """Where the shipped recipes are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "recipes"


def shipped_recipes() -> dict[str, Path]:
    """Names of the shipped recipes and their files, sorted."""
    return {path.stem: path for path in sorted(recipe_folder().glob("*.toml"))}


def find_recipe(name: str) -> dict[str, Any]:
    """The settings of a recipe by shipped name or file path (TOML or JSON); raises RecipeError."""
    shipped = shipped_recipes()
    if name in shipped:
        return read_settings(shipped[name])
    path = Path(name)
    if path.suffix in (".toml", ".json") or path.exists():
        return read_settings(path)
    near = difflib.get_close_matches(name, shipped, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"shipped recipes: {', '.join(shipped)}; or give a .toml file"
    raise RecipeError(f"no recipe is called {name!r}", hint)


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in a TOML or JSON file; raises RecipeError with the place of a syntax error."""
    import tomllib

    try:
        text = small_text(path)
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise RecipeError(
            f"{path}: no such file", "give a recipe's name or the path of a .toml or .json file"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"{path}: cannot be read: {words_of(error)}", "a recipe is a small TOML or JSON file in UTF-8"
        ) from None
    except ValueError as error:
        raise RecipeError(f"{path}: {words_of(error)}", "correct the line named") from None
    except RecursionError:
        raise RecipeError(f"{path}: tables or lists within each other without end", _FLAT) from None
    if not isinstance(data, dict):
        raise RecipeError(f"{path}: a recipe is a table of keys", "see `ftprep config schema`")
    return data


def project_settings(start: Path) -> tuple[dict[str, Any], str]:
    """`ftprep.toml` or `[tool.ftprep]` of the nearest parent folder: its settings and its path, ({}, "") where none."""
    for folder in (start, *start.parents):
        own = folder / "ftprep.toml"
        if own.is_file():
            return _anchored(read_settings(own), folder), str(own)
        project = folder / "pyproject.toml"
        if project.is_file():
            tools = read_settings(project).get("tool")
            table = tools.get("ftprep") if isinstance(tools, dict) else None
            if isinstance(table, dict):
                return _anchored(table, folder), str(project)
    return {}, ""


def _anchored(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Settings in which the files of a recipe and a target are found from the folder of the configuration, wherever one
    stands."""
    found = dict(settings)
    recipe, target = settings.get("recipe"), settings.get("target")
    if isinstance(recipe, str) and recipe not in shipped_recipes() and (folder / recipe).is_file():
        found["recipe"] = str(folder / recipe)
    if isinstance(target, str) and ".toml" in target:
        file, suffix, model = target.partition(".toml")
        if (folder / (file + suffix)).is_file():
            found["target"] = str(folder / (file + suffix)) + model
    return found
