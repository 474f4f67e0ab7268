"""The last step of a fold: from what was summed up to the report and to the mendings that rules offer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from typing import cast

import xxhash

from ftprep.acceptance import accept
from ftprep.dataset import Dataset
from ftprep.engine import dataset_of
from ftprep.foreign import kind_and_words
from ftprep.model import Fault, Finding, Place, Severity
from ftprep.partial import Account, Partial, Places
from ftprep.plan import Plan
from ftprep.readers.base import Table
from ftprep.readers.packed import PACKINGS
from ftprep.readers.sources import open_source
from ftprep.report import (
    DatasetSummary,
    FindingView,
    FixOffer,
    InputView,
    Location,
    OfferView,
    Report,
    RowCounts,
    RuleCount,
    SkippedRule,
    Summary,
    TokenSummary,
)
from ftprep.rule import DatasetRule, Judgement, Proposal, RecordRule, RowRule
from ftprep.rules.sec import hidden

CHAT_OVERHEAD = "openai-chat"


@dataclass(frozen=True)
class Finished:
    """The report, the view of the set it was made from, and the proposals in the order of rules."""

    report: Report
    dataset: Dataset
    proposals: tuple[Proposal, ...]


@dataclass
class _Found:
    counts: Counter[str]
    findings: list[tuple[int, Finding]]


Hashes = Mapping[tuple[str, str], str]
"""SHA-256 by path and stamp: another stamp means another file."""


def finish(partial: Partial, plan: Plan, written: bool = False, hashes: Hashes | None = None) -> Finished:
    """The report of all that was seen, or of what was `written`: then without what only concerns the containers of the
    inputs, and without their hashes. `hashes` are those that are known already."""
    dataset = dataset_of(partial, plan, written)
    found = _Found(Counter(), [])
    _from_sources(partial, plan, found, written)
    _from_rows(partial, plan, found)
    crashed = _from_set(dataset, partial, plan, found)
    proposals = tuple(_proposals(dataset, plan, found.counts, crashed))
    # By source, then place: file names need not sort as the files were given.
    found.findings.sort(key=lambda f: (f[0], f[1].place.line, f[1].code, f[1].place.record, f[1].pointer, f[1].message))
    report = _report(dataset, partial, plan, found, proposals, None if written else hashes or {})
    return Finished(report, dataset, proposals)


def _from_sources(partial: Partial, plan: Plan, found: _Found, written: bool) -> None:
    of_tables = [(i, line, fault) for i, t in enumerate(plan.tables) for line, fault in t.faults]
    if not written:
        of_tables += [(i, 1, Fault("IO115", "there is no record")) for i in _hollow(partial, plan)]
    for source, line, fault in [*of_tables, *sorted(partial.source_faults, key=lambda f: f[:2])]:
        if fault.code in plan.silent or (written and fault.code not in plan.error_codes):
            continue
        found.counts[fault.code] += 1
        if found.counts[fault.code] <= plan.setting.kept:
            table = plan.tables[source]
            place = Place(table.name, max(1, line), 0, table.sheet, fault.column)
            mark = xxhash.xxh3_128_hexdigest(f"{fault.code}\0{fault.message}".encode("utf-8", "surrogatepass"))
            found.findings.append((source, _finding(place, fault, mark)))


def _hollow(partial: Partial, plan: Plan) -> Iterator[int]:
    """Tables in which all was skipped, with nothing said of it yet."""
    told = {source for source, _, _ in partial.source_faults}
    for source, table in enumerate(plan.tables):
        account = partial.accounts.get(source, Account())
        said = table.broken or source in told or any(f.code in plan.error_codes for _, f in table.faults)
        if account.read == account.skipped and not said:
            yield source


def _from_rows(partial: Partial, plan: Plan, found: _Found) -> None:
    places = Places(plan, partial.chunks)
    for code, rule in partial.tally.rules.items():
        found.counts[code] += rule.count
        for number, _, fault, mark in rule.items:
            place = places.of(number)
            if fault.column > 1:
                place = Place(place.source, place.line, place.record, place.sheet, fault.column)
            found.findings.append((places.source(number), _finding(place, fault, mark)))


def _from_set(dataset: Dataset, partial: Partial, plan: Plan, found: _Found) -> set[str]:
    if not dataset.examples:
        return set()
    places = Places(plan, partial.chunks)
    crashed: set[str] = set()
    judged: list[tuple[DatasetRule, Judgement]] = []
    for rule in plan.dataset_rules:
        code = rule.card.code
        try:
            judged += [(rule, judgement) for judgement in rule.judge(dataset)]
        except Exception as error:  # noqa: BLE001 - a rule's crash is a finding about it, the run goes on
            what = f"the rule {rule.card.name} crashed ({kind_and_words(error)}): this is a bug in ftprep"
            judged.append((rule, Judgement(what)))
            crashed.add(code)
    told = [number for _, judgement in judged if judgement.marks for number, _ in judgement.marks.items]
    said = dataset.surveys.keys.said(told) if told else {}
    for rule, judgement in judged:
        found.counts[rule.card.code] += judgement.marks.count if judgement.marks else 1
        found.findings.extend(_judged(judgement, rule, said, plan, places))
    return crashed


def _judged(
    judged: Judgement, rule: DatasetRule, said: dict[int, bytes], plan: Plan, places: Places
) -> Iterator[tuple[int, Finding]]:
    if judged.marks is None:
        table = plan.tables[0]
        mark = xxhash.xxh3_128_hexdigest(f"{rule.card.code}\0{judged.message}".encode("utf-8", "surrogatepass"))
        fault = rule.fault(judged.message, excerpt=judged.excerpt)
        yield 0, _finding(Place(table.name, 1, 0, table.sheet), fault, mark)
        return
    for number, detail in judged.marks.items:
        told = judged.message + detail if judged.tells else judged.message
        fault = rule.fault(told, excerpt="" if judged.tells else detail)
        mark = xxhash.xxh3_128_hexdigest(rule.card.code.encode() + b"\0" + said.get(number, b""))
        yield places.source(number), _finding(places.of(number), fault, mark)


def _finding(place: Place, fault: Fault, mark: str) -> Finding:
    return Finding(place, fault.code, fault.message, fault.pointer, fault.excerpt[:200], mark, fault.fixable)


def _proposals(dataset: Dataset, plan: Plan, counts: Counter[str], crashed: set[str]) -> Iterator[Proposal]:
    for rule in plan.rules:
        card = rule.card
        if not counts[card.code] or card.code in crashed:
            continue
        if isinstance(rule, DatasetRule):
            with suppress(Exception):  # what crashes here has no mending to offer; its finding stands
                yield from list(rule.propose(dataset))
        elif card.fix is not None:
            mend = rule.mend(plan.setting) if isinstance(rule, (RowRule, RecordRule)) else None
            yield Proposal(card.code, card.fix, card.mended, counts[card.code], (mend,) if mend else ())


def _report(
    dataset: Dataset, partial: Partial, plan: Plan, found: _Found, proposals: tuple[Proposal, ...], known: Hashes | None
) -> Report:
    severities: Counter[Severity] = Counter()
    rules: list[RuleCount] = []
    shown = Counter(f.code for _, f in found.findings)
    for code in sorted(found.counts):
        card = plan.card(code)
        severity = plan.severity(code)
        severities[severity] += found.counts[code]
        rules.append(
            RuleCount.model_construct(
                code=code, name=card.name, severity=severity, count=found.counts[code], shown=shown[code]
            )
        )
    findings = tuple(_view(f, plan) for _, f in found.findings)
    target = plan.setting.target
    return Report.model_construct(
        ok=not severities["error"],
        summary=Summary.model_construct(
            errors=severities["error"], warnings=severities["warning"], infos=severities["info"]
        ),
        inputs=tuple(_input(i, partial, plan, known) for i in range(len(plan.tables))),
        dataset=_dataset(dataset),
        tokens=_tokens(dataset, partial, plan),
        rules=tuple(rules),
        findings=findings,
        fixes=tuple(
            OfferView.model_construct(code=p.code, applicability=p.safety, message=p.message, rows=p.count)
            for p in proposals
        ),
        skipped=tuple(
            SkippedRule.model_construct(rule=code, reason=reason)
            for code, reason in (*plan.skipped, *_idle(dataset, plan))
        ),
        acceptance=accept(target, rules, findings, dataset.examples) if target else None,
    )


def _idle(dataset: Dataset, plan: Plan) -> Iterator[tuple[str, str]]:
    """The rules that could not judge this set, with reasons."""
    for rule in plan.dataset_rules:
        if reason := rule.idle(dataset):
            yield rule.card.code, reason


def _view(finding: Finding, plan: Plan) -> FindingView:
    """The finding as it is shown: a secret that stands where another rule found something is masked there too."""
    card = plan.card(finding.code)
    offer = (
        FixOffer.model_construct(applicability=card.fix, message=card.mended) if card.fix and finding.fixable else None
    )
    place = finding.place
    return FindingView.model_construct(
        code=card.code,
        name=card.name,
        severity=plan.severity(finding.code),
        message=hidden(finding.message),
        filename=place.source,
        location=Location.model_construct(row=place.line, column=place.column),
        sheet=place.sheet or None,
        record=place.record or None,
        json_pointer=finding.pointer,
        excerpt=hidden(finding.excerpt),
        fingerprint=finding.fingerprint,
        fix=offer,
    )


def _input(source: int, partial: Partial, plan: Plan, hashes: Hashes | None) -> InputView:
    table, shape, stamp = plan.tables[source], plan.shapes[source], plan.stamps[source]
    account = partial.accounts.get(source, Account())
    return InputView.model_construct(
        path=table.name,
        format=format_name(table),
        sheet=table.sheet or None,
        encoding=table.encoding,
        bytes=table.size,
        sha256=(hashes.get((table.path, stamp)) or sha256_of(table.path)) if hashes is not None and table.path else "",
        shape=shape.name if shape else None,
        read_as=plan.read_as[source],
        rows=RowCounts.model_construct(
            read=account.read, loaded=account.loaded, rejected=account.rejected, skipped=account.skipped
        ),
    )


def format_name(table: Table) -> str:
    """A table's format as users call it: csv, tsv, xlsx, txt, jsonl, json, with its compression: `jsonl.gz`."""
    plain = {"delimited": "tsv" if table.delimiter == "\t" else "csv", "workbook": "xlsx", "text": "txt"}
    name = plain.get(table.format, table.format)
    return name + PACKINGS[table.compression].suffix if table.compression else name


def sha256_of(path: str) -> str:
    """The SHA-256 of the stored bytes of a file or remote address, in hexadecimal; raises ReadError."""
    with open_source(path) as file:
        return hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()


def hashes_of(files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The SHA-256 of files of which path and stamp are given; raises ReadError."""
    return {(path, stamp): sha256_of(path) for path, stamp in files}


def _dataset(dataset: Dataset) -> DatasetSummary:
    used = dataset.separator if dataset.pairs else None
    stop = dataset.stop if dataset.pairs else None
    return DatasetSummary.model_construct(
        shape=dataset.shape,
        task=dataset.task.name,
        task_reasons=dataset.task.reasons,
        examples=dataset.examples,
        classes=dataset.task.classes,
        separator=used.ending if used and used.standing != "none" else None,
        stop=stop.ending if stop and stop.standing != "none" else None,
    )


def _tokens(dataset: Dataset, partial: Partial, plan: Plan) -> TokenSummary:
    lengths = dataset.surveys.lengths
    return TokenSummary.model_construct(
        encoding=plan.setting.encoding,
        encoding_reason=plan.setting.encoding_why,
        exact=partial.inexact == 0,
        overhead=CHAT_OVERHEAD if dataset.surveys.chats.chats else "",
        total=lengths.total,
        trainable=lengths.trainable,
        min=min(lengths.lengths, default=0),
        p50=lengths.percentile(0.5),
        p95=lengths.percentile(0.95),
        max=max(lengths.lengths, default=0),
    )
