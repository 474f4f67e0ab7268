"""What a run will do, settled before it starts: which tables, how their records become examples, which rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftprep import endings, keys
from ftprep.addresses import is_remote
from ftprep.errors import ReadError, UsageError
from ftprep.mends import AddEnding, Mend
from ftprep.model import Chat, Chunk, Example, Fault, Pair, Range, Row, Severity
from ftprep.readers import open_tables, reader_of, sources
from ftprep.readers.base import Options, Table
from ftprep.readers.jsonl import JsonlReader
from ftprep.readers.limits import with_limits
from ftprep.readers.ranges import can_range, chunks_of, most_chunks, ranges_of
from ftprep.recipe import Method, Recipe
from ftprep.rule import Card, DatasetRule, RecordRule, RowRule, Rule
from ftprep.rules import card_of, choose
from ftprep.setting import Setting
from ftprep.shapes import detect, dialect_names, wire_of, writer_of
from ftprep.shapes.base import Shape
from ftprep.shapes.convert import CannotConvert, to_pairs
from ftprep.shapes.lanes import Lane, lane_of
from ftprep.shapes.wire import DIALECT_OF

if TYPE_CHECKING:
    from ftprep.surveys import Surveys
    from ftprep.targets import Target
    from ftprep.tokens import Counter as TokenCounter

HEAD_RECORDS = 1000
"""Records at the start of each table that tell its shape, its columns and the endings that are watched for."""

HEAD_CHUNKS = 128
"""Chunks (64 MiB) within which these records must be found."""


@dataclass(frozen=True)
class Plan:
    """Picklable, except for the records of tables that live in memory (`shipped` leaves those behind).

    `shapes`, `read_as` and `unread` go with `tables`: the shape (None where a table has none), how its records are
    read, and why a record of it could not be read. `skipped` are rules that cannot run, with reasons. `stamps` tell
    whether a file changed since the plan was made. `severities` are those that differ from the cards'.
    """

    tables: tuple[Table, ...]
    shapes: tuple[Shape | None, ...]
    read_as: tuple[str, ...]
    unread: tuple[str, ...]
    setting: Setting
    rules: tuple[Rule, ...]
    silent: frozenset[str]
    error_codes: frozenset[str]
    skipped: tuple[tuple[str, str], ...]
    counter: TokenCounter
    stamps: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)

    @cached_property
    def row_rules(self) -> tuple[RowRule, ...]:
        """Rules on single examples."""
        return tuple(r for r in self.rules if isinstance(r, RowRule))

    @cached_property
    def record_rules(self) -> tuple[RecordRule, ...]:
        """Rules on records that the strict reading refused."""
        return tuple(r for r in self.rules if isinstance(r, RecordRule))

    @cached_property
    def dataset_rules(self) -> tuple[DatasetRule, ...]:
        """Rules on the set as a whole."""
        return tuple(r for r in self.rules if isinstance(r, DatasetRule))

    @cached_property
    def lanes(self) -> tuple[Lane | None, ...]:
        """The fast lane of each table, None where it has none."""
        lines = [t.format == "jsonl" for t in self.tables]
        return tuple(lane_of(s) if is_lines else None for s, is_lines in zip(self.shapes, lines, strict=True))

    @cached_property
    def told(self) -> frozenset[int]:
        """Tables of which it is said already, once for all their records, that they have no known shape."""
        return frozenset(i for i, t in enumerate(self.tables) if any(f.code == "FMT101" for _, f in t.faults))

    @cached_property
    def folded_endings(self) -> tuple[bytes, ...]:
        """Separators that do not make two prompts different."""
        return keys.folded(self.setting.prompt_endings)

    @cached_property
    def writers(self) -> dict[str, Shape]:
        """What writes an example of each shape."""
        chosen = [writer_of(name, self.setting.lossy) for name in self.setting.writes]
        return {shape.name: shape for shape in (*map(wire_of, DIALECT_OF), *chosen)}

    @property
    def files(self) -> list[Path]:
        """The local files that are read, which nothing may overwrite unasked."""
        return [Path(t.path) for t in self.tables if t.path and not is_remote(t.path)]

    def shipped(self) -> Plan:
        """The plan without the data of tables in memory, which travels in the chunks, for workers in any folder."""
        return replace(self, tables=tuple(_shipped(t) for t in self.tables))

    def with_endings(self, mends: Iterable[Mend]) -> Plan:
        """The plan that also watches for the separators and stop sequences that mends add."""
        added: dict[str, list[str]] = {"prompt": [], "completion": []}
        for mend in mends:
            if isinstance(mend, AddEnding):
                added[mend.field].append(mend.ending)
        prompt = dict.fromkeys((*self.setting.prompt_endings, *added["prompt"]))
        completion = dict.fromkeys((*self.setting.completion_endings, *added["completion"]))
        setting = replace(self.setting, prompt_endings=tuple(prompt), completion_endings=tuple(completion))
        setting = replace(setting, prompt_known=(), completion_known=())  # the first look has seen to these
        # Where an ending is being added, none need be proposed.
        if added["prompt"]:
            setting = replace(setting, prompt_proposals=())
        if added["completion"]:
            setting = replace(setting, completion_proposals=())
        return replace(self, setting=setting)

    def widened(self, surveys: Surveys) -> Plan | None:
        """The plan that watches for all known endings, where many texts end in one that the heads did not show."""
        prompts = endings.is_missed(surveys.prompts)
        completions = endings.is_missed(surveys.completions)
        if not prompts and not completions:
            return None
        setting = self.setting
        if prompts:
            wider = tuple(dict.fromkeys((*setting.prompt_endings, *endings.KNOWN["prompt"])))
            setting = replace(setting, prompt_endings=wider, prompt_known=())
        if completions:
            wider = tuple(dict.fromkeys((*setting.completion_endings, *endings.KNOWN["completion"])))
            setting = replace(setting, completion_endings=wider, completion_known=())
        return replace(self, setting=setting)

    def refuse_changed(self) -> None:
        """Raise ReadError where a file is no longer the one that was read: nothing is to be written then."""
        for source in self.changed():
            message = f"{self.tables[source].name} changed while it was read; nothing was written"
            raise ReadError(message, "run again when it is complete")

    def changed(self) -> Iterator[int]:
        """The tables whose file is no longer the one that the plan was made for."""
        for source, (table, stamp) in enumerate(zip(self.tables, self.stamps, strict=True)):
            if stamp_of(table) != stamp:
                yield source

    def chunks(self) -> Iterator[Chunk]:
        """All chunks of all tables, numbered in order."""
        number = 0
        for source in range(len(self.tables)):
            for chunk in self._chunks(source):
                yield Chunk(number, source, chunk.first_line, chunk.payload)
                number += 1

    def pieces(self) -> Iterator[Chunk]:
        """All data as pieces of work: ranges of files whose lines can be found from anywhere, chunks of all others.

        The numbers leave room for the chunks that a range becomes, so they are in order however the work is done.
        """
        number = 0
        for source, table in enumerate(self.tables):
            if table.broken or not can_range(table):
                for chunk in self._chunks(source):
                    yield Chunk(number, source, chunk.first_line, chunk.payload)
                    number += 1
                continue
            for part in ranges_of(table):
                yield Chunk(number, source, 1, part)
                number += most_chunks(table, part)

    def opened(self, piece: Chunk) -> Iterator[Chunk]:
        """The chunks of a piece of work."""
        if not isinstance(piece.payload, Range):
            yield piece
            return
        for chunk in chunks_of(self.tables[piece.source], piece.payload):
            yield Chunk(piece.number + chunk.number, piece.source, chunk.first_line, chunk.payload)

    def _chunks(self, source: int) -> Iterator[Chunk]:
        table = self.tables[source]
        return iter(()) if table.broken else reader_of(table).chunks(table)

    def decode(self, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk."""
        table, lane = self.tables[chunk.source], self.lanes[chunk.source]
        reader = reader_of(table)
        if lane is not None and isinstance(reader, JsonlReader):
            return reader.decode_fast(table, chunk, lane)
        return reader.decode(table, chunk)

    @staticmethod
    def reason(code: str) -> str:
        """Why a rule sets a row aside, in its own words."""
        return card_of(code).finds

    @staticmethod
    def card(code: str) -> Card:
        """The card of a rule."""
        return card_of(code)

    def severity(self, code: str) -> Severity:
        """How grave a rule's findings are in this run."""
        return self.severities.get(code) or card_of(code).severity


def _shipped(table: Table) -> Table:
    import msgspec

    path = str(Path(table.path).absolute()) if table.path and not is_remote(table.path) else table.path
    return msgspec.structs.replace(table, path=path, records=None)


@dataclass(frozen=True)
class Head:
    """The start of a table: good records, rows, whether there was more."""

    rows: tuple[Row, ...]

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """The records that could be decoded."""
        return [r.record for r in self.rows if isinstance(r.record, Mapping)]


def head_of(table: Table) -> Head:
    """The first rows of a table."""
    if table.broken:
        return Head(())
    reader, rows = reader_of(table), list[Row]()
    for chunk in islice(reader.chunks(table), HEAD_CHUNKS):
        if isinstance(chunk.payload, Fault):
            continue
        # Blank and broken records tell nothing, so they do not count.
        good = (row for row in reader.decode(table, chunk) if isinstance(row.record, Mapping) and not row.skipped)
        rows.extend(islice(good, HEAD_RECORDS - len(rows)))
        if len(rows) >= HEAD_RECORDS:
            break
    return Head(tuple(rows))


def make_plan(source: Any, recipe: Recipe, options: Options | None = None, kept: int | None = None) -> Plan:
    """The plan for one source (path, paths, frame, iterable of dicts); raises FtprepError where nothing can be done."""
    options = options or Options()
    if recipe.limits is not None:
        options = with_limits(options, recipe.limits.model_dump())
    tables = tables_of(source, options)
    _refuse_idle(options, tables)
    shapes: list[Shape | None] = []
    read_as: list[str] = []
    unread: list[str] = []
    noted: list[Table] = []
    prompts: list[str] = []
    completions: list[str] = []
    for table in tables:
        head = head_of(table)
        found = (
            detect(head.records, recipe, table.header) if (head.records or table.header) and not table.broken else None
        )
        shape = found.shape if found else None
        faults = list(found.faults) if found else []
        shapes.append(shape)
        read_as.append(found.reason if found else "")
        unread.append(found.reason if found else "no record could be read")
        line = max(1, table.header_line)
        noted.append(_with_faults(table, [(line, f) for f in faults]))
        for row in head.rows:
            if shape and isinstance(row.record, dict) and not row.faults and shape.read(row):
                for pair in _pairs_of(row.example, recipe):
                    prompts.append(pair.prompt)
                    completions.append(pair.completion)
    names, dialects = frozenset(s.name for s in shapes if s), frozenset(s.dialect for s in shapes if s)
    setting = _setting(recipe, names, dialects, prompts, completions, kept)
    return _with_rules(tuple(noted), tuple(shapes), tuple(read_as), tuple(unread), setting)


def _refuse_idle(options: Options, tables: Sequence[Table]) -> None:
    """An option that nothing heeds was meant for something."""
    formats = {t.format for t in tables}
    for option, value, needed in (
        ("--sheet", options.sheet, "workbook"),
        ("--delimiter", options.delimiter, "delimited"),
    ):
        if value and needed not in formats:
            message = (
                f"{option} {value}: there is no {'workbook' if needed == 'workbook' else 'CSV file'} among the inputs"
            )
            raise UsageError(message, f"leave {option} out")


def _pairs_of(example: Example | None, recipe: Recipe) -> list[Pair]:
    """The pairs that an example of the head is, or becomes."""
    if isinstance(example, Chat) and recipe.turns is not None:
        try:
            return to_pairs(example, recipe.turns, example.extra)
        except CannotConvert:
            return []
    return [example] if isinstance(example, Pair) else []


def tables_of(source: Any, options: Options) -> list[Table]:
    """The tables in whatever a caller hands over."""
    import os

    if isinstance(source, (str, os.PathLike)):
        return open_tables([source], options)
    if isinstance(source, Sequence) and source and all(isinstance(s, (str, os.PathLike)) for s in source):
        return open_tables(source, options)
    if isinstance(source, Sequence) and not source:
        raise UsageError("nothing to read", "give a file, a folder, a frame or rows")
    from ftprep.readers.records import table_of

    return [table_of("<data>", source)]


def _with_faults(table: Table, faults: list[tuple[int, Fault]]) -> Table:
    import msgspec

    return msgspec.structs.replace(table, faults=(*table.faults, *faults)) if faults else table


def _setting(
    recipe: Recipe,
    shapes: frozenset[str],
    dialects: frozenset[str],
    prompts: list[str],
    completions: list[str],
    kept: int | None,
) -> Setting:
    from ftprep.targets import find_target
    from ftprep.tokens import encoding_for_model

    if recipe.turns is not None and "chat" in shapes:
        shapes = (shapes - {"chat"}) | {"completion"}
    encoding, why = recipe.encoding or "o200k_base", "named in the recipe" if recipe.encoding else "no model is named"
    if recipe.model and not recipe.encoding:
        known = encoding_for_model(recipe.model)
        encoding, why = known.encoding, f"{recipe.model}: {known.source}, {known.date}"
    setting = Setting(
        recipe,
        encoding,
        why,
        shapes,
        endings.watched("prompt", recipe.format.separator, prompts),
        endings.watched("completion", recipe.format.stop, completions),
        () if recipe.format.separator else endings.PROPOSED["prompt"],
        () if recipe.format.stop else endings.PROPOSED["completion"],
        () if recipe.format.separator else endings.KNOWN["prompt"],
        () if recipe.format.stop else endings.KNOWN["completion"],
    )
    setting = replace(setting, dialects=dialects)
    if recipe.target:
        told: Iterator[Method] = (m for shape, m in _METHOD_OF.items() if shape in shapes)
        method = recipe.method or next(told, "supervised")
        target = find_target(recipe.target, method)
        setting = replace(setting, target=target, writes=_wanted(target, shapes))
    return setting if kept is None else replace(setting, kept=kept)


def _wanted(target: Target, shapes: frozenset[str]) -> tuple[str, ...]:
    """The dialect in which the target wants the examples, where that is one for their shape."""
    for name in target.value("record.dialects") or ():
        if name in dialect_names() and writer_of(name).name in shapes:
            return (name,)
    return ()


_METHOD_OF: dict[str, Method] = {"preference": "dpo", "unpaired": "kto", "reinforcement": "reinforcement"}
"""How examples of a shape are trained on; all others are supervised."""


def _with_rules(
    tables: tuple[Table, ...],
    shapes: tuple[Shape | None, ...],
    read_as: tuple[str, ...],
    unread: tuple[str, ...],
    setting: Setting,
) -> Plan:
    from ftprep.tokens import Counter as TokenCounter

    chosen, silent = choose(setting.recipe.rules)
    if setting.marks:  # the target wants what IO102 warns of
        silent |= {"IO102"}
    ready: list[Rule] = []
    skipped: list[tuple[str, str]] = []
    for rule in chosen:
        reason = rule.ready(setting) if isinstance(rule, (RowRule, DatasetRule)) else ""
        wanted = not isinstance(rule, (RowRule, RecordRule, DatasetRule)) or setting.shapes & set(rule.shapes)
        if reason and wanted:
            skipped.append((rule.card.code, reason))
        elif wanted or isinstance(rule, RecordRule):
            ready.append(rule)
    sample = max((r.sample_size for r in ready if isinstance(r, DatasetRule)), default=0)
    whole = max((r.whole_size for r in ready if isinstance(r, DatasetRule)), default=0)
    setting = replace(setting, sample_size=sample, whole_size=whole)
    graver = {r.card.code: s for r in chosen if (s := r.severity(setting)) != r.card.severity}
    errors = frozenset(r.card.code for r in chosen if r.severity(setting) == "error") | (_always_errors() - set(graver))
    counter = TokenCounter(setting.encoding, expected=sum(t.size for t in tables))
    stamps = tuple(stamp_of(t) for t in tables)
    rules, idle = tuple(ready), tuple(skipped)
    return Plan(tables, shapes, read_as, unread, setting, rules, silent, errors, idle, counter, stamps, graver)


def stamp_of(table: Table) -> str:
    """Size, time and identity of a table's file, "" for data in memory: another stamp later means another file."""
    return sources.stamp(table.path) if table.path else ""


def _always_errors() -> frozenset[str]:
    # Ignoring a rule hides its findings; it does not make an unreadable record readable.
    from ftprep.rules import CATALOGUE

    return frozenset(
        r.card.code for r in CATALOGUE if r.card.severity == "error" and not isinstance(r, (RowRule, DatasetRule))
    )
