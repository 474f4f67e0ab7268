"""The fold that every run is: look at a chunk, merge what was seen, finish with a report. Same bytes in any order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import xxhash

from ftprep import keys
from ftprep.dataset import Dataset
from ftprep.lines import Lines, Writing, as_json
from ftprep.mends import apply_all, keeps_asks
from ftprep.model import Chat, Chunk, Fault, ImagePart, Pair, Row
from ftprep.partial import Account, ChunkInfo, Partial, Places
from ftprep.plan import Plan
from ftprep.readers.strict_json import number_text
from ftprep.rule import RecordRule, RowRule
from ftprep.shapes.convert import CannotConvert, to_pairs
from ftprep.surveys import ordinal
from ftprep.tokens import IMAGE_LOW, chat_overhead, tool_texts


@dataclass(frozen=True)
class Look:
    """The job that executors map over chunks; picklable, shipped once to each worker. `counts`: whether tokens are."""

    plan: Plan
    writing: Writing | None = None
    counts: bool = True

    def __call__(self, chunk: Chunk) -> Partial:
        """Decode, shape, mend, count, check and sum up one chunk."""
        partial = Partial(self.plan)
        if isinstance(chunk.payload, Fault):
            partial.source_faults.append((chunk.source, chunk.first_line, chunk.payload))
            return partial
        rows = self.examples(chunk)
        account = partial.accounts[chunk.source] = Account()
        for row in rows:
            account.read += 1
            account.skipped += row.skipped
            account.rejected += not row.skipped and row.example is None
        account.loaded = account.read - account.skipped - account.rejected
        examples = self.expand(rows)
        expanded = len(examples) != len(rows)
        offsets = array("L", [r.offset for r in examples]) if expanded else None
        one_a_line = all(r.line - r.offset == chunk.first_line for r in examples)
        lines = None if one_a_line else array("L", [r.line for r in examples])
        partial.chunks[chunk.number] = ChunkInfo(chunk.source, chunk.first_line, len(rows), offsets, lines)
        originals = [r.example for r in examples]
        if self.writing:
            self._mend(examples)
        if self.counts:
            self._count_tokens(examples, partial)
        self._check(examples, chunk)
        if self.writing and self.writing.in_place:
            partial.output = Lines(self.plan, self.writing).rewrite(examples, originals, chunk)
        elif self.writing:
            partial.output = Lines(self.plan, self.writing).write(examples, originals, chunk)
            examples = [r for r in examples if r.example is not None]
        self._note(examples, chunk, partial)
        partial.surveys.see(chunk, [r for r in examples if r.example is not None], self.plan.setting)
        return partial

    def examples(self, chunk: Chunk) -> list[Row]:
        """The rows of one chunk, shaped and nothing more."""
        rows = [] if isinstance(chunk.payload, Fault) else list(self.plan.decode(chunk))
        for position, row in enumerate(rows):
            row.offset = row.index = position
            self._shape(row, chunk.source)
        return rows

    # -- from record to example ------------------------------------------------------------------------------------

    def _shape(self, row: Row, source: int) -> None:
        shape = self.plan.shapes[source]
        if row.skipped or row.record is None or self._has_error(row.faults):
            return
        if shape is None:
            if source not in self.plan.told:
                row.faults.append(Fault("FMT101", self.plan.unread[source]))
            return
        if shape.read(row):
            return
        row.faults.extend(shape.faults(row.record))
        for rule in self.plan.record_rules:
            if shape.name in rule.shapes:
                row.faults.extend(self._run(rule, row.record))
        if self._has_error(row.faults):
            return
        # A label 1.10 must not become 1.1: where the line is at hand, numbers are read as they are written there.
        said = row.said if row.raw is None else row.raw
        record = number_text(said) if said and shape.name == "completion" else row.record
        loose = shape.read_loosely(record)
        if isinstance(loose, str):
            row.faults.append(Fault("FMT101", loose))
        else:
            row.example, row.loose = loose, True

    def expand(self, rows: list[Row]) -> list[Row]:
        """The rows, or, where the recipe makes pairs of conversations, one row for each reply."""
        turns = self.plan.setting.recipe.turns
        if turns is None or not any(isinstance(r.example, Chat) for r in rows):
            return rows
        expanded: list[Row] = []
        for row in rows:
            pairs: list[Pair] = []
            if isinstance(row.example, Chat):
                try:
                    pairs = to_pairs(row.example, turns, row.example.extra)
                except CannotConvert as reason:
                    row.faults.append(Fault("FMT118", str(reason)))
                    row.example = None
            if not pairs:
                expanded.append(row)
            for pair in pairs:
                one = Row(row.offset, row.line, row.record)
                one.example, one.loose = pair, True
                # Every prompt of a conversation begins as its first one does, so that keeps all of it on one side, and
                # with it other conversations that begin the same.
                one.unit = keys.ask(pairs[0], self.plan.folded_endings)
                if pair is pairs[0]:
                    one.faults = [f for f in row.faults if f.code not in _OF_CHATS]
                expanded.append(one)
        for index, row in enumerate(expanded):
            row.index = index
        return expanded

    def _mend(self, rows: list[Row]) -> None:
        writing = self.writing or Writing()
        same_asks = keeps_asks(writing.mends)
        for row in rows:
            if row.example is None:
                continue
            if same_asks:
                row.asked = keys.ask(row.example, self.plan.folded_endings)
            if writing.settled and row.faults:
                row.faults = [f for f in row.faults if f.code not in writing.settled]
            if isinstance(row.example, Pair) and row.example.extra and not (writing.in_place or writing.verbatim):
                row.example = Pair(row.example.prompt, row.example.completion)
            row.example = apply_all(row.example, writing.mends)

    # -- tokens and rules ------------------------------------------------------------------------------------------

    def _count_tokens(self, rows: list[Row], partial: Partial) -> None:
        texts: list[str] = []
        spans: list[tuple[Row, list[bool], int]] = []
        for row in rows:
            example = row.example
            if isinstance(example, Pair):
                texts += (example.prompt, example.completion)
                spans.append((row, _PAIR_TRAINED, 0))
            elif example is not None:
                speech = row.speech = example.speech()
                texts += speech.texts
                trained, overhead = speech.trained, chat_overhead(len(example.messages), speech.names)
                if speech.beside:
                    told, adds, guessed = beside(example)
                    texts += told
                    trained = trained + [False] * len(told)
                    overhead += adds
                    partial.inexact += guessed
                spans.append((row, trained, overhead))
        counter = self.plan.counter
        before = counter.inexact
        counts = iter(counter.count(texts))
        partial.inexact += counter.inexact - before
        for row, trained, total in spans:
            trainable = 0
            for is_trained in trained:
                tokens = next(counts)
                total += tokens  # noqa: PLW2901 - it starts as the overhead
                if is_trained:
                    trainable += tokens
            row.tokens, row.trainable = total, trainable

    def _check(self, rows: list[Row], chunk: Chunk) -> None:
        setting = self.plan.setting
        payload = chunk.payload if isinstance(chunk.payload, bytes) else None
        by_shape: dict[str, list[Row]] = {}
        for row in rows:
            if row.example is not None:
                by_shape.setdefault(row.example.shape, []).append(row)
        for rule in self.plan.row_rules:
            if rule.marks and payload is not None and self._is_quiet(rule, chunk.number, payload):
                continue
            for shape in rule.shapes:
                for row in _suspects(rule, by_shape.get(shape, [])):
                    try:
                        found = list(rule.check(row, setting))
                    except Exception as error:  # noqa: BLE001 - a rule's crash is a finding about it, the run goes on
                        found = [_crashed(rule, error)]
                    if found:
                        row.faults = row.faults + found

    def _is_quiet(self, rule: RowRule, number: int, payload: bytes) -> bool:
        # A JSON escape may hide a mark, so a chunk with escapes is never skipped.
        known = self.plan.quiet
        added = self.writing.added if self.writing else b""
        if added and any(mark in added for mark in rule.marks):
            return False  # an ending that is being added may be one
        if (rule.card.code, number) in known:
            return True
        if b"\\u" in payload or any(mark in payload for mark in rule.marks):
            return False
        known.add((rule.card.code, number))
        return True

    def _run(self, rule: RecordRule, record: dict[str, Any]) -> list[Fault]:
        try:
            return list(rule.check(record))
        except Exception as error:  # noqa: BLE001 - as above
            return [_crashed(rule, error)]

    def _has_error(self, faults: list[Fault]) -> bool:
        return any(f.code in self.plan.error_codes for f in faults)

    def _note(self, rows: list[Row], chunk: Chunk, partial: Partial) -> None:
        for row in rows:
            if not row.faults:
                continue
            number = ordinal(chunk, row)
            for position, fault in enumerate(row.faults):
                if fault.code in self.plan.silent:
                    continue
                mark = fingerprint(fault, row) if partial.tally.wants(fault.code) else ""
                partial.tally.add(number, position, fault, mark)


# Unknown keys of a chat record are no matter once it has become prompts and completions.
_OF_CHATS = frozenset(("FMT110", "FMT111"))

_PAIR_TRAINED = [False, True]


def beside(chat: Chat) -> tuple[list[str], int, int]:
    """What tools and pictures cost: texts to count, tokens on top, and how many pictures of unknown size there are."""
    texts, tokens = tool_texts([*(chat.tools or ()), *(chat.functions or ())])
    parts = [p for m in chat.messages if isinstance(m.content, list) for p in m.content]
    pictures = [p.image_url for p in parts if isinstance(p, ImagePart)]
    return texts, tokens + IMAGE_LOW * len(pictures), sum(p.detail != "low" for p in pictures)


def fingerprint(fault: Fault, row: Row) -> str:
    """A name for a finding that stays when lines move: from the code, the pointer and what the record says."""
    said = row.raw if row.raw is not None else as_json(row)
    return xxhash.xxh3_128_hexdigest(f"{fault.code}\0{fault.pointer}\0".encode() + said)


def _crashed(rule: RowRule | RecordRule, error: Exception) -> Fault:
    what = f"the rule {rule.card.name} crashed here ({type(error).__name__}: {error}): this is a bug in ftprep"
    return Fault(rule.card.code, what)


def _suspects(rule: RowRule, rows: list[Row]) -> list[Row]:
    try:
        return rule.suspects(rows)
    except Exception:  # noqa: BLE001 - then each row is looked at, and what is wrong shows there
        return rows


def fold(partials: Iterator[Partial], plan: Plan) -> Partial:
    """All partials as one."""
    total = Partial(plan)
    for partial in partials:
        total.merge(partial)
    return total


def dataset_of(partial: Partial, plan: Plan) -> Dataset:
    """The set as the dataset rules judge it."""
    return Dataset(partial.surveys, plan.setting, Places(plan, partial.chunks).of, len(plan.tables))
