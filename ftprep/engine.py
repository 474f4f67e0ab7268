"""The fold that every run is: look at a chunk, merge what was seen, finish with a report. Same bytes in any order."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, pairwise
from typing import Any

import xxhash

from ftprep import keys
from ftprep.batch import Batch
from ftprep.dataset import Dataset, File
from ftprep.foreign import kind_and_words
from ftprep.lines import Lines, Writing, as_json
from ftprep.mends import Repair, apply_to_all, keeps_asks
from ftprep.model import Chat, Chunk, Example, Fault, ImagePart, Pair, Preference, Range, Row, Speech, Unpaired
from ftprep.partial import Account, ChunkInfo, Partial, Places
from ftprep.plan import Plan
from ftprep.readers.base import Table
from ftprep.readers.strict_json import number_text
from ftprep.rule import RecordRule, RowRule
from ftprep.shapes.base import Shape
from ftprep.shapes.convert import CannotConvert, learnt, to_pairs, to_unpaired
from ftprep.shapes.dialect import Parsed, located
from ftprep.shapes.sight import strange
from ftprep.shapes.wire import DialectShape, WireShape
from ftprep.surveys import ordinal
from ftprep.tally import Told
from ftprep.tokens import IMAGE_LOW, chat_overhead, tool_texts


@dataclass(frozen=True)
class Look:
    """The job that executors map over chunks; picklable, shipped once to each worker. `counts`: whether tokens are."""

    plan: Plan
    writing: Writing | None = None
    counts: bool = True
    costs: dict[tuple[str, ...], int] = field(default_factory=dict, compare=False)
    told: Told = field(default_factory=Told, compare=False)

    def __call__(self, piece: Chunk) -> Partial:
        """What is seen of one piece of work."""
        if not isinstance(piece.payload, Range):
            return self._look(piece)
        total, payload = Partial(self.plan), None
        for chunk in self.plan.opened(piece):
            total.extend(self._look(chunk))
            # The lines of a piece count from 1, so those of the last chunk are all there are to count.
            total.lines, payload = chunk.first_line - 1, chunk.payload
        total.lines += payload.count(b"\n") if isinstance(payload, bytes) else 0
        return total

    def _look(self, chunk: Chunk) -> Partial:
        """Decode, shape, mend, count, check and sum up one chunk."""
        # What a chunk becomes holds no circles, so looking for some costs a twentieth of the time for nothing.
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._seen(chunk)
        finally:
            if collects:
                gc.enable()

    def _seen(self, chunk: Chunk) -> Partial:
        partial = Partial(self.plan)
        if isinstance(chunk.payload, Fault):
            partial.source_faults.append((chunk.source, chunk.first_line, chunk.payload))
            return partial
        rows = self.examples(chunk)
        partial.accounts[chunk.source] = _account(rows)
        examples = self.expand(rows)
        partial.chunks[chunk.number] = _info(chunk, examples, len(rows))
        originals = [r.example for r in examples] if self.writing else []
        if self.writing:
            self._mend(examples)
        batch = Batch(examples)
        if self.counts:
            self._count_tokens(batch, partial)
        self._check(batch, self.plan.shapes[chunk.source])
        if self.writing and self.writing.in_place:
            partial.output = Lines(self.plan, self.writing).rewrite(examples, originals, chunk)
        elif self.writing:
            partial.output = Lines(self.plan, self.writing).write(examples, originals, chunk)
        if self.writing:
            batch = Batch(examples)  # without what is set aside
            examples = examples if self.writing.in_place else batch.rows
        self._note(examples, chunk, partial)
        said = partial.surveys.said
        if said.exceeds(*self.told.whole):
            said.give_up()  # this process alone has seen too many
        partial.surveys.see(chunk, batch, self.plan.setting)
        if not said.over:
            self.told.keep(chunk.number, len(said.rows), said.size)
        return partial

    def examples(self, chunk: Chunk) -> list[Row]:
        """The rows of one chunk, shaped and nothing more."""
        rows = [] if isinstance(chunk.payload, Fault) else list(self.plan.decode(chunk))
        shape = self.plan.shapes[chunk.source]
        of_dialect = self._of_dialect(shape)
        for position, row in enumerate(rows):
            row.offset = row.index = position
            if row.example is not None or (shape and not row.faults and row.record is not None and shape.read(row)):
                if of_dialect:
                    row.faults = [fault for rule in of_dialect for fault in self._run(rule, row.record)]
                continue  # nearly every row
            self._shape(row, chunk.source)
        return rows

    def _of_dialect(self, shape: Shape | None) -> list[RecordRule]:
        """The rules on records of a dialect as the file says them: what they find is not to be seen in the wire form,
        so that sound reading does not rule it out."""
        if not isinstance(shape, DialectShape):
            return []
        return [rule for rule in self.plan.record_rules if rule.of_original and shape.name in rule.shapes]

    # -- from record to example ------------------------------------------------------------------------------------

    def _shape(self, row: Row, source: int) -> None:
        shape = self.plan.shapes[source]
        if row.skipped or row.record is None or (row.faults and self._has_error(row.faults)):
            return
        if shape is None:
            if source not in self.plan.told:
                row.faults.append(Fault("FMT101", self.plan.unread[source]))
            return
        if row.faults and shape.read(row):  # one without faults has been tried
            return
        parsed = self._repaired(row, shape, shape.parse(row.record))
        if row.example is not None:
            return
        row.faults.extend(self._judged(shape, row.record, parsed))
        if self._has_error(row.faults):
            return
        # A label 1.10 must not become 1.1: where the line is at hand, numbers are read as they are written there.
        said = row.said if row.raw is None else row.raw
        record = number_text(said) if said and shape.name == "completion" else parsed.record
        loose = shape.read_loosely(record)
        if isinstance(loose, str):
            row.faults.append(Fault("FMT101", loose))
        else:
            row.example, row.loose = loose, True

    def _repaired(self, row: Row, shape: Shape, parsed: Parsed) -> Parsed:
        """The record after the accepted repairs; the example of the row, if it is sound then."""
        repairs = [rule for rule in self.repairs if shape.name in rule.shapes]
        record = parsed.record
        for _ in range(MOST_REPAIRS):  # one may lay bare what another puts right: messages in a text, a role in these
            before = record
            for rule in repairs:
                record = rule.repair(record)
            if record is before:
                break
        if record is parsed.record:
            return parsed
        row.repaired = True
        row.example = shape.example_of(record)
        return Parsed(record, parsed.paths)

    @cached_property
    def repairs(self) -> tuple[RecordRule, ...]:
        """The rules whose repairs of records were accepted."""
        codes = {mend.code for mend in self.writing.mends if isinstance(mend, Repair)} if self.writing else set()
        return tuple(rule for rule in self.plan.record_rules if rule.card.code in codes)

    def _judged(self, shape: Shape, record: dict[str, Any], parsed: Parsed) -> Iterator[Fault]:
        """What the shape and the rules on records find in one."""
        # Only a shape of columns can tell whether a record has those that it needs.
        own = list(shape.faults(record) if shape.name == "completion" else strange(record, shape.dialect))
        yield from own
        if any(f.code in _OTHER_KIND for f in own):
            return  # held to the rules of what it is not, it would break them all
        for rule in self.plan.record_rules:
            if shape.name in rule.shapes:
                looked_at = record if rule.of_original else parsed.record
                for fault in self._run(rule, looked_at):
                    if not (fault.code in _OF_CHATS and _is_open(shape)):
                        yield fault if rule.of_original else located(fault, parsed.paths)

    def expand(self, rows: list[Row]) -> list[Row]:
        """The rows, or, where examples are converted to another shape, one row for each that comes of it."""
        setting = self.plan.setting
        kinds: tuple[type, ...] = (Chat,) if setting.recipe.turns else ()
        kinds += (Preference, Unpaired) if setting.becomes else ()
        if not kinds or not any(isinstance(r.example, kinds) for r in rows):
            return rows
        expanded: list[Row] = []
        for row in rows:
            try:
                expanded.extend(self._expanded(row) if isinstance(row.example, kinds) else [row])
            except CannotConvert as reason:
                row.faults.append(Fault("FMT118", str(reason)))
                row.example = None
                expanded.append(row)
        for index, row in enumerate(expanded):
            row.index = index
        return expanded

    def _expanded(self, row: Row) -> list[Row]:
        """The rows that one becomes; raises CannotConvert."""
        setting, example, made = self.plan.setting, row.example, list[Example]()
        if isinstance(example, Preference) and setting.becomes == "unpaired":
            made.extend(to_unpaired(example))
        elif isinstance(example, (Preference, Unpaired)) and setting.becomes in ("chat", "completion"):
            if not setting.lossy:
                what = "the worse answer" if isinstance(example, Preference) else "that the answer is a good one"
                raise CannotConvert(f"{what} has no place in a conversation")
            example = learnt(example)
            made.append(example)
        if isinstance(example, Chat) and setting.recipe.turns is not None:
            made = list(to_pairs(example, setting.recipe.turns, example.extra))
        rows = [Row(row.offset, row.line, row.record, example=each, loose=True) for each in made] or [row]
        if made:
            rows[0].faults = [f for f in row.faults if f.code not in _OF_CHATS]
            for one in rows:
                # Every prompt of a conversation begins as its first one does, so that keeps all of it on one side, and
                # with it other conversations that begin the same.
                one.unit = keys.ask(made[0], self.plan.folded_endings)
        return rows

    def _mend(self, rows: list[Row]) -> None:
        writing = self.writing or Writing()
        if keeps_asks(writing.mends):
            pairs = [(row, row.example.prompt) for row in rows if isinstance(row.example, Pair)]
            asked = keys.asks([prompt for _, prompt in pairs], self.plan.folded_endings)
            for (row, _), digest in zip(pairs, asked, strict=True):
                row.asked = digest
        loaded: list[Row] = []
        examples: list[Example] = []
        for row in rows:
            example = row.example
            if example is None:
                continue
            if writing.settled and row.faults:
                row.faults = [f for f in row.faults if f.code not in writing.settled]
            if isinstance(example, Pair) and example.extra and not (writing.in_place or writing.verbatim):
                example = row.example = Pair(example.prompt, example.completion)
            loaded.append(row)
            examples.append(example)
        for row, mended in zip(loaded, apply_to_all(examples, writing.mends), strict=True):
            if mended is not row.example:
                row.example, row.speech = mended, None

    # -- tokens and rules ------------------------------------------------------------------------------------------

    def _count_tokens(self, batch: Batch, partial: Partial) -> None:
        counter = self.plan.counter
        before = counter.inexact
        counts = counter.count(batch.texts)
        costs = self.costs
        at = 0
        for row in batch.rows:
            speech = row.speech
            if speech is None:
                row.trainable = counts[at + 1]
                row.tokens = counts[at] + row.trainable
                at += 2
                continue
            end = at + len(speech.texts)
            own = counts[at:end]
            at = end
            row.trainable = sum(compress(own, speech.trained))
            roles = speech.cast.roles
            row.tokens = sum(own) + (costs.get(roles) or self._cost(roles))
            if not speech.is_plain:
                row.tokens += self._beside(row, speech, partial)
        partial.inexact += counter.inexact - before

    def _cost(self, roles: tuple[str, ...]) -> int:
        """The tokens of a conversation of such messages that are not its texts'."""
        cost = self.costs[roles] = chat_overhead(len(roles), 0) + sum(self.plan.counter.count(roles))
        return cost

    def _beside(self, row: Row, speech: Speech, partial: Partial) -> int:
        """The tokens of names, tools and pictures."""
        tokens = chat_overhead(0, speech.names) - chat_overhead(0, 0)
        if speech.beside and isinstance(row.example, Chat):
            texts, adds, guessed = beside(row.example)
            tokens += adds + sum(self.plan.counter.count(texts))
            partial.inexact += guessed
        return tokens

    def _check(self, batch: Batch, shape: Shape | None) -> None:
        setting = self.plan.setting
        for rule in self.plan.row_rules:
            if rule.marks and not batch.holds(rule.marks):
                continue
            for row in _suspects(rule, batch):
                try:
                    found = list(rule.check(row, setting))
                except Exception as error:  # noqa: BLE001 - a rule's crash is a finding about it, the run goes on
                    found = [_crashed(rule, error)]
                if found:
                    row.faults = row.faults + _where_said(found, row, shape)

    def _run(self, rule: RecordRule, record: dict[str, Any]) -> list[Fault]:
        try:
            return list(rule.check(record))
        except Exception as error:  # noqa: BLE001 - as above
            return [_crashed(rule, error)]

    def _has_error(self, faults: list[Fault]) -> bool:
        return any(f.code in self.plan.error_codes for f in faults)

    def _note(self, rows: list[Row], chunk: Chunk, partial: Partial) -> None:
        tally = partial.tally
        tally.full = self.told.full(chunk.number, tally.kept)
        for row in rows:
            if not row.faults:
                continue
            number = ordinal(chunk, row)
            for position, fault in enumerate(row.faults):
                if fault.code in self.plan.silent:
                    continue
                mark = fingerprint(fault, row) if tally.wants(fault.code) else ""
                tally.add(number, position, fault, mark)
        self.told.remember(chunk.number, tally)


MOST_REPAIRS = 4
"""Times that the repairs of records are tried in turn."""

_OTHER_KIND = frozenset(("FMT101", "FMT117"))

# Unknown keys of a chat record are no matter once it has become prompts and completions.
_OF_CHATS = frozenset(("FMT110", "FMT111"))


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


def _is_open(shape: Shape) -> bool:
    """Whether other keys beside the known ones are no matter in records of a shape."""
    return isinstance(shape, DialectShape) or (isinstance(shape, WireShape) and shape.open != "")


def _where_said(faults: list[Fault], row: Row, shape: Shape | None) -> list[Fault]:
    """Faults of an example as faults of the record, which may be written in another dialect."""
    if not isinstance(shape, DialectShape) or row.example is None or row.example.shape != shape.name:
        return faults
    paths = shape.parse(row.record).paths
    return [located(fault, paths) for fault in faults]


def _crashed(rule: RowRule | RecordRule, error: Exception) -> Fault:
    what = f"the rule {rule.card.name} crashed here ({kind_and_words(error)}): this is a bug in ftprep"
    return Fault(rule.card.code, what)


def _suspects(rule: RowRule, batch: Batch) -> list[Row]:
    try:
        return rule.suspects(batch)
    except Exception:  # noqa: BLE001 - then each row is looked at, and what is wrong shows there
        return batch.of(rule.shapes)


def _account(rows: list[Row]) -> Account:
    without = [row for row in rows if row.example is None]
    skipped = sum(row.skipped for row in without)
    return Account(len(rows), len(rows) - len(without), len(without) - skipped, skipped)


def _info(chunk: Chunk, examples: list[Row], records: int) -> ChunkInfo:
    """Where the rows stand, in as few words as that can be said."""
    first = chunk.first_line
    lines = [r.line for r in examples]
    one_a_line = lines == [first + r.offset for r in examples]
    return ChunkInfo(
        chunk.source,
        first,
        records,
        array("I", [r.offset for r in examples]) if len(examples) != records else None,
        None if one_a_line else _narrow([line - before for before, line in pairwise([first, *lines])]),
    )


def _narrow(numbers: list[int]) -> array[int]:
    """The numbers in the fewest bytes: these are kept of all rows of all files."""
    most = max(map(abs, numbers), default=0)
    return array("b" if most < 1 << 7 else "h" if most < 1 << 15 else "i", numbers)


def fold(partials: Iterator[Partial], plan: Plan) -> Partial:
    """All partials as one."""
    total = Partial(plan)
    for partial in partials:
        total.merge(partial)
    return total


def dataset_of(partial: Partial, plan: Plan, written: bool = False) -> Dataset:
    """The set as the dataset rules judge it: of the inputs, or of what was `written`."""
    if written:
        shapes = {plan.setting.becomes} if plan.setting.becomes else plan.setting.shapes
        dialects = {plan.writers[name].dialect for name in shapes if name in plan.writers}
        files = [File("", 0, "jsonl", plan.setting.marks, dialect) for dialect in sorted(dialects)]
    else:
        both = zip(plan.tables, plan.shapes, strict=True)
        files = [File(t.name, t.size, t.format, _has_mark(t), s.dialect if s else "") for t, s in both if t.path]
    return Dataset(partial.surveys, plan.setting, Places(plan, partial.chunks).of, len(plan.tables), files)


def _has_mark(table: Table) -> bool:
    return any(fault.code == "IO102" for _, fault in table.faults)
