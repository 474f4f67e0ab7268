"""Summaries of the whole set that add up in any order: what dataset rules judge and reports show."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from itertools import chain, islice
from typing import Any, TypeVar

from ftprep import keys
from ftprep.batch import Batch
from ftprep.keysurvey import KeySurvey
from ftprep.model import (
    Chat,
    Chunk,
    Example,
    ImagePart,
    Message,
    Preference,
    Reinforcement,
    Row,
    Speech,
    Talk,
    Unpaired,
)
from ftprep.saidsurvey import SaidSurvey, said_by
from ftprep.setting import Setting
from ftprep.textsurvey import Marks, TextSurvey

T = TypeVar("T")

MOST_LABELS = 2000
"""More different answers than this are no classes; then they are no longer counted one by one."""

LONGEST_LABEL = 200
"""Characters; a longer answer is no label."""


_SINGLE = ("user", "assistant")
_SYSTEM = frozenset(("system", "developer"))


def ordinal(chunk: Chunk, row: Row) -> int:
    """A row's place among all rows of a run as one integer that sorts: the chunk, and the index in it (32 bits)."""
    return chunk.number << 32 | row.index


class AnswerSurvey:
    """The different answers with their counts, as long as they can be classes; and how many are too long for that."""

    def __init__(self) -> None:
        self.answers = 0
        self.labels: Counter[str] | None = Counter()
        self.longest = 0
        self.long = 0

    def see(self, answers: list[str]) -> None:
        """Take in one chunk's answers."""
        filled = answers
        if "" in answers or any(map(str.isspace, answers)):
            filled = [a for a in answers if a and not a.isspace()]
        self.answers += len(filled)
        self.longest = max(self.longest, max(map(len, filled), default=0))
        short = [a for a in filled if len(a) <= LONGEST_LABEL]
        self.long += len(filled) - len(short)
        self.labels = _bounded_sum(self.labels, Counter(short))

    def merge(self, other: AnswerSurvey) -> None:
        """Add the other's answers."""
        self.answers += other.answers
        self.long += other.long
        self.longest = max(self.longest, other.longest)
        self.labels = _bounded_sum(self.labels, other.labels)


def _head_of(talk: Talk) -> Message | None:
    asked = talk.messages if isinstance(talk, Chat) else []
    asked = talk.input.messages if isinstance(talk, (Preference, Unpaired)) else asked
    return asked[0] if asked else None


def _bounded_sum(ours: Counter[T] | None, theirs: Counter[T] | None) -> Counter[T] | None:
    """Both counts together, None for ever past MOST_LABELS: that depends on the union alone, not on the order."""
    if ours is None or theirs is None:
        return None
    ours.update(theirs)
    return ours if len(ours) <= MOST_LABELS else None


class LengthSurvey:
    """Tokens: how many examples have which length, and the totals."""

    def __init__(self) -> None:
        self.lengths: Counter[int] = Counter()
        self.trainable = 0

    def see(self, rows: list[Row]) -> None:
        """Take in one chunk's counted rows."""
        self.lengths.update([r.tokens for r in rows])
        self.trainable += sum(r.trainable for r in rows)

    def merge(self, other: LengthSurvey) -> None:
        """Add the other's rows."""
        self.lengths.update(other.lengths)
        self.trainable += other.trainable

    @property
    def total(self) -> int:
        """All tokens."""
        return sum(length * count for length, count in self.lengths.items())

    def percentile(self, share: float) -> int:
        """The smallest length that at least `share` of the examples do not exceed; 0 without examples."""
        wanted, seen = share * sum(self.lengths.values()), 0
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= wanted:
                return length
        return 0


class ActSurvey:
    """What is in examples beside words: how many show pictures, how many that are answered declare tools and how many
    of those call one; in how many each tool is declared (`names`) and called."""

    def __init__(self) -> None:
        self.pictured = 0
        self.declared = 0
        self.calling = 0
        self.names: Counter[str] | None = Counter()
        self.called: Counter[str] | None = Counter()

    def see(self, rows: list[Row]) -> None:
        """Take in one chunk's rows, passing over those of bare turns."""
        for row in [row for row in rows if row.speech and not row.speech.is_plain]:
            self._see(row.example)

    def _see(self, example: Example | None) -> None:
        asked = example.input if isinstance(example, (Preference, Unpaired)) else example
        if not isinstance(asked, Chat):
            return
        answers = example.answers if isinstance(example, (Preference, Unpaired)) else ()
        messages = [*asked.messages, *chain.from_iterable(answers)]
        parts = (m.content for m in messages if isinstance(m.content, list))
        self.pictured += any(isinstance(part, ImagePart) for content in parts for part in content)
        tools = [*(asked.tools or ()), *(asked.functions or ())]
        if not tools or not any(m.role == "assistant" for m in messages):
            return
        called = {c.function.name for m in messages for c in m.tool_calls or ()}
        called |= {m.function_call.name for m in messages if m.function_call}
        self.declared += 1
        self.calling += bool(called)
        self.names = _bounded_sum(self.names, Counter(set(filter(None, map(_name_of, tools)))))
        self.called = _bounded_sum(self.called, Counter(called))

    def merge(self, other: ActSurvey) -> None:
        """Add the other's examples."""
        self.pictured += other.pictured
        self.declared += other.declared
        self.calling += other.calling
        self.names = _bounded_sum(self.names, other.names)
        self.called = _bounded_sum(self.called, other.called)


def _name_of(tool: dict[str, Any]) -> str:
    """The name of a declared tool, "" where it has none."""
    function = tool.get("function", tool)
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


class ChatSurvey:
    """Conversations: which system messages there are (by digest), how many have none, and how many are one question
    with its answer and nothing else (`single`); what else is in examples."""

    def __init__(self) -> None:
        self.chats = 0
        self.systems: Counter[bytes] | None = Counter()
        self.without_system = 0
        self.single = 0
        self.acts = ActSurvey()

    def see(self, speeches: list[Speech], talks: list[Talk]) -> None:
        """Take in one chunk's conversations."""
        self.chats += len(talks)
        systems = [s.texts[0] for s in speeches if s.is_plain and s.cast.roles[0] in _SYSTEM]
        heads = [_head_of(talk) for speech, talk in zip(speeches, talks, strict=True) if not speech.is_plain]
        systems += [m.text for m in heads if m is not None and m.role in _SYSTEM]
        self.without_system += len(talks) - len(systems)
        self.single += [s.cast.roles for s in speeches].count(_SINGLE)
        told = {keys.digest(s): count for s, count in Counter(systems).items()}
        self.systems = _bounded_sum(self.systems, Counter(told))

    def merge(self, other: ChatSurvey) -> None:
        """Add the other's conversations."""
        self.chats += other.chats
        self.single += other.single
        self.without_system += other.without_system
        self.systems = _bounded_sum(self.systems, other.systems)
        self.acts.merge(other.acts)


class TextSample:
    """Prompts with their answers, at most `size` of them: those with the smallest digests, so any order gives the same.

    Each entry is (digest of the example, ordinal, prompt, answer), texts cut at TEXT characters.
    """

    TEXT = 2000

    def __init__(self, size: int) -> None:
        self.size = size
        self.items: list[tuple[bytes, int, str, str]] = []

    def see(self, items: list[tuple[bytes, int, str, str]]) -> None:
        """Take in one chunk's entries."""
        self.items = nsmallest(self.size, [*self.items, *items])

    def merge(self, other: TextSample) -> None:
        """Add the other's entries."""
        self.see(other.items)


MOST_FORMS = 500
"""Where the fields of records differ in more ways than this, they are no longer told apart."""

_KINDS: dict[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}


class FieldSurvey:
    """What graders read beside conversations: which rows have which fields of which kinds (`forms`, each a sorted
    tuple of names and kinds; None past MOST_FORMS)."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.rows = 0
        self.forms: dict[tuple[tuple[str, str], ...], Marks] | None = {}

    def see(self, rows: list[tuple[int, dict[str, Any] | None]]) -> None:
        """Take in one chunk's rows: ordinals, ascending, with the fields."""
        self.rows += len(rows)
        found: dict[tuple[tuple[str, str], ...], Marks] = {}
        for number, fields in rows:
            kinds = [(str(k), _KINDS.get(type(v), "something else")) for k, v in islice((fields or {}).items(), 1000)]
            found.setdefault(tuple(sorted(kinds)), Marks(self.kept)).add(number)
        self._add(found)

    def merge(self, other: FieldSurvey) -> None:
        """Add the other's rows."""
        self.rows += other.rows
        self._add(other.forms)

    def _add(self, found: dict[tuple[tuple[str, str], ...], Marks] | None) -> None:
        if self.forms is None or found is None:
            self.forms = None
            return
        for form, marks in found.items():
            self.forms.setdefault(form, Marks(self.kept)).merge(marks)
        if len(self.forms) > MOST_FORMS:
            self.forms = None


class Surveys:
    """All summaries of one run; `see` takes a chunk's loaded rows, `merge` adds another part of the set."""

    def __init__(self, setting: Setting) -> None:
        self.prompts = TextSurvey(setting.prompt_endings, setting.prompt_proposals, setting.kept, setting.prompt_known)
        self.completions = TextSurvey(
            setting.completion_endings, setting.completion_proposals, setting.kept, setting.completion_known
        )
        self.answers = AnswerSurvey()
        self.keys = KeySurvey()
        self.lengths = LengthSurvey()
        self.chats = ChatSurvey()
        self.columns: Counter[str] = Counter()
        self.fields = FieldSurvey(setting.kept)
        self.labels: Counter[bool] = Counter()
        self.sample = TextSample(setting.sample_size)
        self.said = SaidSurvey(setting.whole_size)

    def see(self, chunk: Chunk, batch: Batch, setting: Setting) -> None:
        """Take in the loaded rows of one chunk, in their order, tokens counted."""
        base = chunk.number << 32
        extras = Counter([tuple(e.extra) for row in batch.rows if (e := row.example) is not None and e.extra])
        for names, count in extras.items():
            self.columns.update(dict.fromkeys(names[:1000], count))
        if batch.pairs:
            self._see_pairs(base, batch, setting)
        if batch.chats:
            self._see_chats(base, batch)
            self.chats.acts.see(batch.chats)
        if "reinforcement" in setting.shapes:
            waiting = [(base | row.index, e.extra) for row in batch.rows if isinstance(e := row.example, Reinforcement)]
            self.fields.see(waiting)
        if "unpaired" in setting.shapes:
            self.labels.update([e.label for row in batch.rows if isinstance(e := row.example, Unpaired)])
        self.lengths.see(batch.rows)
        if not self.said.over:
            self.said.see([said for row in batch.rows if (said := said_by(base | row.index, row))])

    def _see_pairs(self, base: int, batch: Batch, setting: Setting) -> None:
        numbers = [base | row.index for row, _ in batch.pairs]  # as `ordinal` has it, without the call
        prompts, completions = batch.prompts, batch.completions
        asked = [row.asked for row, _ in batch.pairs]
        endings = keys.folded(setting.prompt_endings)
        digests = keys.of_pairs(prompts, completions, endings, None if b"" in asked else asked, batch.texts.kinds)
        ordinals = [number.to_bytes(8) for number in numbers]
        self.keys.see(chain.from_iterable(zip(*digests, ordinals, strict=True)))
        if self.sample.size:
            cut, said = TextSample.TEXT, digests[2]
            sampled = zip(said, numbers, prompts, completions, strict=True)
            self.sample.see([(exact, number, p[:cut], c[:cut]) for exact, number, p, c in sampled])
        self.prompts.see(numbers, prompts)
        self.completions.see(numbers, completions)
        self.answers.see(completions)

    def _see_chats(self, base: int, batch: Batch) -> None:
        speeches, talks = batch.speeches, batch.talks
        digests = [row.digests for row in batch.chats]
        if b"" in digests:  # else they were worked out when the lines were written
            digests = keys.of_speeches(speeches, talks, batch.has_nul, batch.texts.kinds)
        ordinals = [(base | row.index).to_bytes(8) for row in batch.chats]
        self.keys.see(chain.from_iterable(zip(digests, ordinals, strict=True)))
        self.chats.see(speeches, talks)
        self.answers.see([speech.answer for speech in speeches])

    def merge(self, other: Surveys) -> None:
        """Add another part of the set; associative and commutative."""
        self.prompts.merge(other.prompts)
        self.completions.merge(other.completions)
        self.answers.merge(other.answers)
        self.keys.merge(other.keys)
        self.lengths.merge(other.lengths)
        self.chats.merge(other.chats)
        self.columns.update(other.columns)
        self.fields.merge(other.fields)
        self.labels.update(other.labels)
        self.sample.merge(other.sample)
        self.said.merge(other.said)
