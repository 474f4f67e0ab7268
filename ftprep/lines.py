"""From examples to the lines that are written: what changes, what goes out as it came in, what is set aside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ftprep import keys
from ftprep.dataset import label_of
from ftprep.mends import Mend
from ftprep.model import Chunk, Example, Fault, Pair, Row
from ftprep.partial import Aside, Output
from ftprep.plan import Plan
from ftprep.readers.json_bounds import members
from ftprep.shapes.completion import PairShape
from ftprep.shapes.convert import CannotConvert
from ftprep.surveys import ordinal


@dataclass(frozen=True)
class Writing:
    """What a writing run does beyond looking.

    `mends` in order, `drops` (ordinal to rule) are left out; `settled` are rules whose findings reading or mending has
    dealt with, so that the report of what was written is silent on them. `splits` says whether a split is made, the
    next five by what. `judges` says whether rows with an error are set aside, or only those that cannot be read.
    `in_place` rewrites lines of the same file, `verbatim` writes lines as they came.
    """

    mends: tuple[Mend, ...] = ()
    drops: dict[int, str] = field(default_factory=dict)
    splits: bool = True
    group: str = ""
    by_class: bool = False
    class_column: str = ""
    stop: str = ""
    by_answer: bool = False
    settled: frozenset[str] = frozenset()
    judges: bool = True
    in_place: bool = False
    verbatim: bool = False


@dataclass(frozen=True)
class Lines:
    """Makes the output of one chunk: rows as they are after mending, with what each was before."""

    plan: Plan
    writing: Writing

    def rewrite(self, rows: list[Row], originals: list[Example | None], chunk: Chunk) -> Output:
        """Which physical lines of a file change, and into what; a line with a fault stays."""
        writing, output = self.writing, Output()
        for row, original in zip(rows, originals, strict=True):
            if row.skipped:
                output.changed.append((row.line, None))
            elif row.example is None or original is None:
                continue
            elif writing.drops.get(ordinal(chunk, row)):
                output.changed.append((row.line, None))
                row.example, row.faults = None, []
            else:
                line = self._line(row, original, chunk.source)
                if line != row.raw:
                    output.changed.append((row.line, line))
        return output

    def write(self, rows: list[Row], originals: list[Example | None], chunk: Chunk) -> Output:
        """The lines of all rows but those that are dropped or have an error, which are set aside with the reason."""
        writing, output, written = self.writing, Output(), set()
        lines: list[bytes] = []
        if writing.splits:
            _digest([row for row, original in zip(rows, originals, strict=True) if row.example is original])
        for row, original in zip(rows, originals, strict=True):
            if row.skipped:
                continue
            dropped = writing.drops.get(ordinal(chunk, row)) if writing.drops else None
            faults = [f for f in row.faults if f.code in self.plan.error_codes] if writing.judges else []
            if dropped:
                faults = [Fault(dropped, self.plan.reason(dropped))]
            if row.example is None or original is None or faults:
                reasons = faults or row.faults or [Fault("FMT101", self.plan.unread[chunk.source])]
                if output.aside and output.aside[-1].offset == row.offset:
                    output.aside[-1].faults.extend(reasons)  # another example of the same record
                else:
                    output.aside.append(Aside(chunk.number, row.offset, row.line, list(reasons), as_json(row)))
                row.example = None
                row.faults = []
                continue
            try:
                line = self._line(row, original, chunk.source)
            except CannotConvert as reason:
                output.aside.append(self._not_carried(row, chunk, str(reason)))
                row.example = None
                continue
            written.add(row.offset)
            lines.append(line)
            if not writing.splits:
                continue
            unit, name = self._unit(row, original)
            output.units += unit
            if writing.by_class or writing.class_column:
                output.classes.append(name)
            if writing.group:
                output.asks.append(self._asked(row, original))
        output.count, output.records = len(lines), len(written)
        output.data = b"".join([line + b"\n" for line in lines])  # one block: it may go from process to process
        return output

    def _not_carried(self, row: Row, chunk: Chunk, reason: str) -> Aside:
        fault = Fault("FMT118", reason)
        row.faults = [fault]
        return Aside(chunk.number, row.offset, row.line, [fault], as_json(row))

    def _line(self, row: Row, original: Example, source: int) -> bytes:
        example, raw, writing = row.example or original, row.raw, self.writing
        shape = self.plan.shapes[source]
        becomes = self.plan.setting.becomes
        if becomes is not None and example.shape != becomes:
            raise CannotConvert(f"a {example.shape} example says too little, or something else, to become {becomes}")
        writer = self.plan.writers[example.shape]
        if writing.in_place:
            raw = row.said if raw is None else raw  # a line that began with a byte-order mark
            writer = shape if shape is not None and shape.name == example.shape else writer
        if raw is not None and example is original and not row.repaired:
            # Nothing to mend: the bytes that came in go out, unless the file says more than is to be written.
            if isinstance(example, Pair):
                exact = _says_only_pair(row, raw) and not row.loose
            else:
                exact = shape is not None and shape.dialect == writer.dialect
            if exact or writing.verbatim or (writing.in_place and not row.loose):
                return raw
        if raw is not None and writing.in_place and isinstance(example, Pair):
            return self._in_record(row, raw, example, source)
        return writer.write(example)

    def _in_record(self, row: Row, raw: bytes, example: Pair, source: int) -> bytes:
        # In place only the two texts are put into the record: its other keys, and the names of these, stay.
        shape = self.plan.shapes[source]
        columns = (shape.prompt.column, shape.completion.column) if isinstance(shape, PairShape) else ("", "")
        if not all(columns):
            return raw
        texts = dict(zip(columns, (example.prompt, example.completion), strict=True))
        # As the line was written, so is its successor: other scripts as escapes or not.
        escapes = raw.isascii() and b"\\u" in raw
        record = _record(row)
        found, _ = members(raw, len(raw) - len(raw.lstrip()))
        for member in reversed(found):
            if member.key in texts and record[member.key] != texts[member.key]:
                value = json.dumps(texts[member.key], ensure_ascii=escapes).encode("utf-8", "surrogatepass")
                raw = raw[: member.start] + value + raw[member.end :]
        return raw

    def _asked(self, row: Row, original: Example) -> bytes:
        asked = row.asked or row.digests[:8] or keys.ask(original, self.plan.folded_endings)
        whole = self.writing.by_answer or asked == keys.BLANK
        return row.unit or (keys.unit(asked, keys.answer(original)) if whole else asked)

    def _unit(self, row: Row, original: Example) -> tuple[bytes, str]:
        writing = self.writing
        unit = self._asked(row, original)
        group = _record(row).get(writing.group) if writing.group else None
        if group is not None and group != "":  # a row without a group is one by itself
            unit = keys.digest(json.dumps(group, ensure_ascii=False, default=str))
        if writing.class_column:
            return unit, str(_record(row).get(writing.class_column, ""))
        return unit, label_of((row.example or original).answer, writing.stop) if writing.by_class else ""


def _digest(rows: list[Row]) -> None:
    """Work out the digests of conversations; the survey wants them too."""
    said = [(row, row.speech, e) for row in rows if row.speech and (e := row.example) and not isinstance(e, Pair)]
    digests = keys.of_speeches([speech for _, speech, _ in said], [talk for _, _, talk in said])
    for (row, _, _), digest in zip(said, digests, strict=True):
        row.digests = digest


def _record(row: Row) -> dict[str, Any]:
    """What the record said; on the fast lane it has not been kept."""
    if row.record is None and row.raw is not None:
        row.record = msgspec.json.decode(row.raw)
    return row.record or {}


def _says_only_pair(row: Row, raw: bytes) -> bool:
    """Whether a record is `prompt` and `completion`, in this order, and nothing else."""
    if row.record is None:  # the fast lane takes records of two keys alone
        return raw.lstrip()[1:].lstrip().startswith(b'"prompt"') and b'"completion"' in raw
    return list(row.record) == ["prompt", "completion"]


def as_json(row: Row) -> bytes:
    """What the record said, as JSON."""
    if row.raw is not None or row.said:
        return row.said if row.raw is None else row.raw
    try:
        return msgspec.json.encode(row.record)
    except (TypeError, ValueError, UnicodeEncodeError):
        return json.dumps(repr(row.record)).encode()
