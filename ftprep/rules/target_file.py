"""Rules that hold the set as a whole to what the target accepts: rows, bytes, name, shape, dates, model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, ClassVar

from ftprep.dataset import Dataset
from ftprep.rule import Card, DatasetRule, Judgement, Sample
from ftprep.rules.fmt_messages import GOOD

_TEN = "".join(GOOD.splitlines(keepends=True)[0].replace("Peru", f"Peru {i}") for i in range(10))
_ALL = ("chat", "completion", "preference", "unpaired", "stepwise", "reinforcement")
_OPENAI = {"target": "openai"}


class _TargetRule(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = _ALL

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        """What the facts of the target say of the set."""
        if dataset.setting.target is not None:
            for message in self.look(dataset):
                yield Judgement(message)

    def look(self, dataset: Dataset) -> Iterator[str]:
        """One sentence for each thing that is found."""
        raise NotImplementedError


def _known(dataset: Dataset, path: str) -> Any:
    return dataset.setting.target.value(path) if dataset.setting.target else None


def _name(dataset: Dataset) -> str:
    return dataset.setting.target.name if dataset.setting.target else ""


def _source(dataset: Dataset, path: str) -> str:
    cited = dataset.setting.target.cite(path) if dataset.setting.target else ""
    return f" ({cited})" if cited else ""


class TooFewRows(_TargetRule):
    fact: ClassVar[str] = "file.min_rows"
    card: ClassVar[Card] = Card(
        code="FMT170",
        name="too-few-rows",
        severity="error",
        finds="There are fewer examples than the target takes.",
        why="The target refuses the file after the upload.",
        bad=Sample(text=GOOD, recipe=_OPENAI),
        good=Sample(text=_TEN, recipe=_OPENAI),
        aliases=("invalid_n_examples",),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        least = _known(dataset, self.fact)
        if dataset.examples < least:
            told = f"{dataset.examples:,} example{'s' * (dataset.examples != 1)}"
            yield f"{told}; {_name(dataset)} wants at least {least:,}{_source(dataset, self.fact)}"


class TooManyRows(_TargetRule):
    fact: ClassVar[str] = "file.max_rows"
    card: ClassVar[Card] = Card(
        code="FMT171",
        name="too-many-rows",
        severity="error",
        finds="There are more examples than the target takes.",
        why="The target refuses the file after the upload.",
        bad=Sample(text=_TEN * 1001, recipe={"target": "bedrock-haiku"}),
        good=Sample(text=_TEN, recipe={"target": "bedrock-haiku"}),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        most = _known(dataset, self.fact)
        if dataset.examples > most:
            told = f"{dataset.examples:,} examples; {_name(dataset)} takes at most {most:,}"
            yield told + _source(dataset, self.fact)


class FileTooLarge(_TargetRule):
    fact: ClassVar[str] = "file.max_bytes"
    card: ClassVar[Card] = Card(
        code="FMT172",
        name="file-too-large",
        severity="error",
        finds="A file has more bytes than the target takes.",
        why="The upload is refused, often only when it is nearly done.",
        bad=Sample(text=_TEN, recipe=_OPENAI),
        good=Sample(text=_TEN, recipe=_OPENAI),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        most = _known(dataset, self.fact)
        for file in dataset.files:
            if file.size > most and file.container in ("jsonl", "parquet"):
                told = f"{file.name} has {file.size:,} bytes; {_name(dataset)} takes at most {most:,}"
                yield f"{told}{_source(dataset, self.fact)}: split it, or leave examples out"


class Extension(_TargetRule):
    fact: ClassVar[str] = "file.extensions"
    card: ClassVar[Card] = Card(
        code="FMT173",
        name="extension",
        severity="warning",
        finds="A file's name does not end as the target wants it, or its container is not read there.",
        why="The upload is refused because of the name, whatever is in the file.",
        bad=Sample(text="prompt,completion\nPeru ->, Lima\n" * 3, suffix=".csv", recipe=_OPENAI),
        good=Sample(text=_TEN, recipe=_OPENAI),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        wanted = _known(dataset, self.fact)
        for file in dataset.files:
            if file.name and not PurePath(file.name).name.lower().endswith(tuple(wanted)):
                kinds = " or ".join(wanted)
                how = "rename it" if file.container == "jsonl" else "`ftprep prepare` writes JSONL"
                yield f"{_name(dataset)} takes files whose name ends in {kinds}, not {file.name}: {how}"


_SAME = {"bedrock-reinforcement": "openai-reinforcement", "titan": "openai-completion"}
"""Dialects whose records look the same."""


class ShapeNotAccepted(_TargetRule):
    about: ClassVar[tuple[str, ...]] = ("record.shape", "record.dialects")
    card: ClassVar[Card] = Card(
        code="FMT175",
        name="shape-not-accepted",
        severity="error",
        finds="The examples have a shape, or are written in a form, that the target does not read.",
        why="The target refuses the file at its first line, or misreads all of it.",
        bad=Sample(text=_TEN, recipe={"target": "vertex"}),
        good=Sample(text=_TEN, recipe=_OPENAI),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        shapes = _known(dataset, "record.shapes") or tuple(filter(None, (_known(dataset, "record.shape"),)))
        name, method = _name(dataset), dataset.setting.target.method if dataset.setting.target else ""
        if shapes and dataset.shape not in shapes and dataset.shape in _ALL:
            yield f"{name} takes {' or '.join(shapes)} examples for {method} training, not {dataset.shape} examples"
            return
        dialects = _known(dataset, "record.dialects")
        read = {_SAME.get(d, d) for d in dialects or ()}
        other = sorted({f.dialect for f in dataset.files if f.dialect and _SAME.get(f.dialect, f.dialect) not in read})
        if dialects and other:
            told = f"{name} does not read {' and '.join(other)}; it reads {', '.join(dialects)}"
            yield f"{told}: `ftprep convert --to {dialects[0]}` writes that"


class MarkByTarget(_TargetRule):
    fact: ClassVar[str] = "file.bom"
    card: ClassVar[Card] = Card(
        code="FMT176",
        name="byte-order-mark-by-target",
        severity="error",
        finds="A file has no byte-order mark although the target wants one, or has one that the target refuses.",
        why="The target's documentation says so; other targets refuse the very same mark.",
        bad=Sample(text=_TEN, recipe={"target": "azure"}),
        good=Sample(text="\ufeff" + _TEN, recipe={"target": "azure"}),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        wanted = _known(dataset, self.fact) == "required"
        for file in dataset.files:
            if file.container == "jsonl" and file.has_mark != wanted:
                told = "wants a byte-order mark at the start of" if wanted else "refuses the byte-order mark of"
                what = file.name or "the file"
                yield f"{_name(dataset)} {told} {what}{_source(dataset, self.fact)}: `ftprep prepare` sees to it"


class TargetClosed(_TargetRule):
    about: ClassVar[tuple[str, ...]] = ("dates.",)
    card: ClassVar[Card] = Card(
        code="FMT177",
        name="target-closed",
        severity="warning",
        finds="A date is past after which the target, or the model, takes no new jobs or is switched off.",
        why="The file may be sound and the job be refused all the same. Dates move: see the provider's own page.",
        bad=Sample(text=_TEN, recipe={"target": "cohere"}),
        good=Sample(text=_TEN, recipe={"target": "trl"}),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        target = dataset.setting.target
        if target is None:
            return
        for told, day, fact in target.dated(dataset.setting.today):
            if day <= dataset.setting.today:
                source = target.sources.get(fact.source)
                cited = ", ".join(filter(None, (source.title if source else fact.source, fact.date)))
                yield f"{_name(dataset)}: {told} {day}" + (f" ({cited})" if cited else "")


class ModelNotOffered(_TargetRule):
    about: ClassVar[tuple[str, ...]] = ("model.", "method.")
    card: ClassVar[Card] = Card(
        code="FMT178",
        name="model-not-offered",
        severity="warning",
        finds="The target does not list the model, or does not train by this method, or not this model by it.",
        why="The job would be refused; lists of models grow old, so look at the provider's own.",
        bad=Sample(text=_TEN, recipe={"target": "openai:gpt-9"}),
        good=Sample(text=_TEN, recipe=_OPENAI),
    )

    def look(self, dataset: Dataset) -> Iterator[str]:
        target = dataset.setting.target
        if target is None:
            return
        if target.value("model.known") is False:
            near = ", ".join(target.value("model.nearest") or ())
            yield f"{target.name} lists no model {target.model}" + (f"; near: {near}" if near else "")
        if target.value("method.offered") is False:
            yield f"{target.name} does not train by the method {target.method}"
        methods = target.value("model.methods")
        if methods and target.method not in methods:
            yield f"{target.name} trains {target.model} by {', '.join(methods)}, not by {target.method}"


RULES = (
    TooFewRows,
    TooManyRows,
    FileTooLarge,
    Extension,
    ShapeNotAccepted,
    MarkByTarget,
    TargetClosed,
    ModelNotOffered,
)
