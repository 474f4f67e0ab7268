"""The fold that every run is: look at a chunk, merge what was seen, finish with a report. Same bytes in any order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import xxhash

from ftprep import keys
from ftprep.dataset import Dataset, label_of
from ftprep.mends import Mend, apply_all, keeps_asks
from ftprep.model import Chat, Chunk, Example, Fault, Pair, Row
from ftprep.partial import Account, Aside, ChunkInfo, Output, Partial, Places
from ftprep.plan import Plan
from ftprep.readers.strict_json import number_text
from ftprep.rule import RecordRule, RowRule
from ftprep.shapes.completion import PairShape
from ftprep.shapes.convert import CannotConvert, to_pairs
from ftprep.surveys import ordinal
from ftprep.tokens import chat_overhead


@dataclass(frozen=True)
class Writing:
    """What a writing run does beyond looking.

    `mends` in order, `drops` (ordinal to rule) are left out; `settled` are rules whose findings reading or mending has
    dealt with, so that the report of what was written is silent on them. The next five say what a split goes by.
    `in_place` rewrites lines of the same file, `verbatim` writes examples as they came, faults and all.
    """

    mends: tuple[Mend, ...] = ()
    drops: dict[int, str] = field(default_factory=dict)
    group: str = ""
    by_class: bool = False
    class_column: str = ""
    stop: str = ""
    by_answer: bool = False
    settled: frozenset[str] = frozenset()
    in_place: bool = False
    verbatim: bool = False


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
        examples = self._expand(rows)
        expanded = len(examples) != len(rows)
        offsets = tuple(r.offset for r in examples) if expanded else ()
        partial.chunks[chunk.number] = ChunkInfo(chunk.source, chunk.first_line, len(rows), offsets)
        originals = [r.example for r in examples]
        if self.writing:
            self._mend(examples)
        if self.counts:
            self._count_tokens(examples, partial)
        self._check(examples, chunk)
        if self.writing and self.writing.in_place:
            partial.output = self._rewrite(examples, originals, chunk)
        elif self.writing:
            partial.output = self._write(examples, originals, chunk)
            examples = [r for r in examples if r.example is not None]
        self._note(examples, chunk, partial)
        partial.surveys.see(chunk, [r for r in examples if r.example is not None], self.plan.setting)
        return partial

    def examples(self, chunk: Chunk) -> list[Row]:
        """The rows of one chunk, shaped and nothing more."""
        rows = [] if isinstance(chunk.payload, Fault) else list(self.plan.decode(chunk))
        for row in rows:
            self._shape(row, chunk.source)
        return rows

    # -- from record to example ------------------------------------------------------------------------------------

    def _shape(self, row: Row, source: int) -> None:
        shape = self.plan.shapes[source]
        if row.skipped or row.record is None or shape is None or self._has_error(row.faults):
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
        record = number_text(row.raw) if row.raw is not None and shape.name == "completion" else row.record
        loose = shape.read_loosely(record)
        if isinstance(loose, str):
            row.faults.append(Fault("FMT101", loose))
        else:
            row.example, row.loose = loose, True

    def _expand(self, rows: list[Row]) -> list[Row]:
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
            if isinstance(row.example, Pair) and row.example.extra and not writing.in_place:
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
                pieces, trained, overhead = spoken(example)
                texts += pieces
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
            if rule.marks and payload is not None and b"\\u" not in payload and not _any(rule.marks, payload):
                continue
            for shape in rule.shapes:
                for row in rule.suspects(by_shape.get(shape, [])):
                    try:
                        found = list(rule.check(row, setting))
                    except Exception as error:  # noqa: BLE001 - a rule's crash is a finding about it, the run goes on
                        found = [_crashed(rule, error)]
                    if found:
                        row.faults = row.faults + found

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

    # -- writing ---------------------------------------------------------------------------------------------------

    def _rewrite(self, rows: list[Row], originals: list[Example | None], chunk: Chunk) -> Output:
        writing, output = self.writing or Writing(), Output()
        for row, original in zip(rows, originals, strict=True):
            if row.skipped:
                output.changed.append((row.line, None))
            elif row.example is None or original is None:
                continue
            elif writing.drops.get(ordinal(chunk, row)):
                output.changed.append((row.line, None))
                row.example = None
            else:
                line = self._line(row, original, chunk.source)
                if line != row.raw:
                    output.changed.append((row.line, line))
        return output

    def _write(self, rows: list[Row], originals: list[Example | None], chunk: Chunk) -> Output:
        writing, output, written = self.writing or Writing(), Output(), set()
        for row, original in zip(rows, originals, strict=True):
            if row.skipped:
                continue
            dropped = writing.drops.get(ordinal(chunk, row)) if writing.drops else None
            faults = [] if writing.verbatim else [f for f in row.faults if f.code in self.plan.error_codes]
            if dropped:
                faults = [Fault(dropped, self.plan.reason(dropped))]
            if row.example is None or original is None or faults:
                reasons = faults or row.faults or [Fault("FMT101", self.plan.unread[chunk.source])]
                if output.aside and output.aside[-1].offset == row.offset:
                    output.aside[-1].faults.extend(reasons)  # another example of the same record
                else:
                    output.aside.append(Aside(row.offset, row.line, list(reasons), _as_json(row)))
                row.example = None
                row.faults = []
                continue
            written.add(row.offset)
            output.lines.append(self._line(row, original, chunk.source))
            output.units.append(self._unit(row, original))
        output.records = len(written)
        return output

    def _line(self, row: Row, original: Example, source: int) -> bytes:
        example, raw = row.example or original, row.raw
        if raw is not None and example is original:
            # Nothing to mend: the bytes that came in go out, unless the file says more than is to be written.
            writing = self.writing or Writing()
            exact = isinstance(example, Chat) or (list(row.record) == ["prompt", "completion"] and not row.loose)
            if exact or writing.verbatim or (writing.in_place and not row.loose):
                return raw
        if raw is not None and self.writing and self.writing.in_place and isinstance(example, Pair):
            return self._in_record(row, raw, example, source)
        line: bytes = self.plan.writers[example.shape].write(example)
        return line

    def _in_record(self, row: Row, raw: bytes, example: Pair, source: int) -> bytes:
        # In place only the two texts are put into the record: its other keys, and the names of these, stay.
        shape = self.plan.shapes[source]
        columns = (shape.prompt.column, shape.completion.column) if isinstance(shape, PairShape) else ("", "")
        if not all(columns):
            return raw
        record = row.record | {columns[0]: example.prompt, columns[1]: example.completion}
        # As the line was written, so is its successor: blanks after colons, other scripts as escapes or not.
        escapes = raw.isascii() and b"\\u" in raw
        if b'": ' in raw[:200] or escapes:
            return json.dumps(record, ensure_ascii=escapes).encode("utf-8", "surrogatepass")
        return msgspec.json.encode(record)

    def _unit(self, row: Row, original: Example) -> tuple[bytes, str]:
        writing = self.writing or Writing()
        if writing.group:
            unit = keys.digest(json.dumps((row.record or {}).get(writing.group), ensure_ascii=False, default=str))
        else:
            asked = row.asked or keys.ask(original, self.plan.folded_endings)
            whole = writing.by_answer or asked == keys.BLANK
            unit = row.unit or (keys.unit(asked, keys.answer(original)) if whole else asked)
        if writing.class_column:
            return unit, str((row.record or {}).get(writing.class_column, ""))
        return unit, label_of((row.example or original).answer, writing.stop) if writing.by_class else ""


# Unknown keys of a chat record are no matter once it has become prompts and completions.
_OF_CHATS = frozenset(("FMT110", "FMT111"))

_PAIR_TRAINED = [False, True]


def spoken(chat: Chat) -> tuple[list[str], list[bool], int]:
    """The texts of a conversation that are tokenised, which of them are trained on, and the format's own tokens."""
    texts: list[str] = []
    trained: list[bool] = []
    names = 0
    for message in chat.messages:
        texts.append(message.role)
        trained.append(False)
        if message.name:
            names += 1
            texts.append(message.name)
            trained.append(False)
        for text in message.spoken():
            texts.append(text)
            trained.append(message.is_trained)
    return texts, trained, chat_overhead(len(chat.messages), names)


def fingerprint(fault: Fault, row: Row) -> str:
    """A name for a finding that stays when lines move: from the code, the pointer and what the record says."""
    said = row.raw if row.raw is not None else _as_json(row)
    return xxhash.xxh3_128_hexdigest(f"{fault.code}\0{fault.pointer}\0".encode() + said)


def _as_json(row: Row) -> bytes:
    if row.raw is not None:
        return row.raw
    try:
        return msgspec.json.encode(row.record)
    except (TypeError, ValueError, UnicodeEncodeError):
        return json.dumps(repr(row.record)).encode()


def _crashed(rule: RowRule | RecordRule, error: Exception) -> Fault:
    what = f"the rule {rule.card.name} crashed here ({type(error).__name__}: {error}): this is a bug in ftprep"
    return Fault(rule.card.code, what)


def _any(marks: Iterable[bytes], payload: bytes) -> bool:
    return any(mark in payload for mark in marks)


def fold(partials: Iterator[Partial], plan: Plan) -> Partial:
    """All partials as one."""
    total = Partial(plan)
    for partial in partials:
        total.merge(partial)
    return total


def dataset_of(partial: Partial, plan: Plan) -> Dataset:
    """The set as the dataset rules judge it."""
    return Dataset(partial.surveys, plan.setting, Places(plan, partial.chunks).of, len(plan.tables))
