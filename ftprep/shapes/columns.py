"""Which column is the prompt and which the completion: matching by name, and the names people use for them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ftprep.errors import RecipeError
from ftprep.shapes.quoting import list_names, quote
from ftprep.shapes.template import Piece, Template

# Each list is in order of preference; the first is the right name. Spelling is compared without capitals, outer
# blanks, underscores, hyphens and inner blanks.
PROMPTS = (
    *("prompt", "question", "q", "instruction", "input", "query", "text", "tweet", "sentence", "ask", "utterance"),
    *("user", "human", "message", "review", "comment", "email", "article", "document", "passage", "content", "body"),
    *("input text", "prompt text", "problem", "context", "source", "src"),
    *("问题", "提示", "提示词", "输入", "提问", "指令", "文本", "句子", "内容", "评论", "正文"),
)
COMPLETIONS = (
    *("completion", "answer", "a", "output", "response", "reply", "target", "label", "category", "class", "sentiment"),
    *("intent", "assistant", "bot", "canonical solution", "solution", "ideal", "expected", "summary", "highlights"),
    *("output text", "target text", "completion text", "label text", "ground truth", "gold", "tgt"),
    *("department", "topic", "emotion", "polarity", "tag", "type", "rating", "score", "code"),
    *("答案", "回答", "回复", "答复", "输出", "补全", "标签", "类别", "分类", "科室", "情感", "意图", "摘要"),
)
LABELS = frozenset(
    (
        *(
            "label",
            "category",
            "class",
            "sentiment",
            "intent",
            "department",
            "topic",
            "emotion",
            "polarity",
            "tag",
            "type",
        ),
        *("rating", "score", "标签", "类别", "分类", "科室", "情感", "意图"),
    )
)
"""Completions that name a class: beside one of them a title may be the whole prompt."""

TITLES = ("title", "headline", "subject", "name", "标题", "题目")
TEXTS = ("text", "content", "completion", "文本", "内容", "正文")
"""A column that may be all there is: open-ended text, learnt without a prompt."""

METADATA = frozenset(
    (
        *("id", "idx", "index", "no", "url", "uri", "link", "source", "src", "timestamp", "time", "date", "datetime"),
        *("meta", "metadata", "language", "lang", "domain", "license", "author", "dump", "filename", "file", "path"),
        *("序号", "编号"),
    )
)
"""Columns that say something about a text and are never learnt from."""

_NEAR_AMONG = 1000


@dataclass(frozen=True)
class Choice:
    """Where a text comes from, in words too; `others` are columns that would do as well."""

    template: Template
    words: str
    others: tuple[str, ...] = ()


def normalise(name: object) -> str:
    """A name as it is compared: without capitals, byte-order mark, outer blanks, underscores, hyphens, inner blanks."""
    return "".join(str(name).lstrip("\ufeff").casefold().replace("_", " ").replace("-", " ").split())


def find_known(columns: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    """The columns called by one of the names, the most preferred first, an exact spelling before the others."""
    ranks: dict[str, tuple[int, str]] = {}
    for rank, name in enumerate(names):
        ranks.setdefault(normalise(name), (rank, name))
    found = []
    for place, column in enumerate(columns):
        known = ranks.get(normalise(column))
        if known:
            found.append((known[0], column != known[1], place, column))
    return tuple(column for *_, column in sorted(found))


def find_named(columns: Sequence[str], name: str) -> str:
    """The column that a recipe or option names; raises RecipeError with the nearest names where there is none.

    Where the columns are not known yet (no records, no header), the name is taken as it is.
    """
    if name in columns or not columns:
        return name
    same = [c for c in columns if normalise(c) == normalise(name)]
    if len(same) == 1:
        return same[0]
    near = difflib.get_close_matches(name, [str(c) for c in columns[:_NEAR_AMONG]], 3)
    hint = f"did you mean {list_names(same or near)}?" if same or near else f"columns there are: {list_names(columns)}"
    several = "more than one column is" if same else "no column is"
    raise RecipeError(f"{several} called {quote(name)}", hint)


def match_template(columns: Sequence[str], template: Template) -> Template:
    """The template with its names as the columns spell them; raises RecipeError for a name that no column has."""
    pieces = tuple(Piece(find_named(columns, p.column), p.before, p.optional) for p in template.pieces)
    return Template(pieces, template.after)


def choose_prompt(columns: Sequence[str], taken: Sequence[str]) -> Choice | None:
    """The prompt among the columns, those of the completion (`taken`) aside; None where no name is known."""
    free = [c for c in columns if c not in taken]
    found = find_known(free, PROMPTS)
    if not found:
        if any(normalise(t) in LABELS for t in taken):
            found = find_known(free, TITLES)
        return _single(found) if found else None
    if normalise(found[0]) == "instruction":
        inputs = find_known(free, ("input", "输入"))
        if inputs:
            pieces = (Piece(found[0]), Piece(inputs[0], before="\n\n", optional=True))
            others = tuple(c for c in found[1:] if c != inputs[0])
            return Choice(Template(pieces), f"columns {quote(found[0])} and {quote(inputs[0])} (Alpaca)", others)
    return _single(found)


def choose_completion(columns: Sequence[str], taken: Sequence[str]) -> Choice | None:
    """The completion among the columns, those of the prompt (`taken`) aside; None where no name is known."""
    found = find_known([c for c in columns if c not in taken], COMPLETIONS)
    return _single(found) if found else None


def choose_text(columns: Sequence[str], anything: bool) -> Choice | None:
    """The one column of open-ended text, where the others are only about it (or are of no matter: `anything`)."""
    found = find_known(columns, TEXTS)
    if not found or not (anything or all(c == found[0] or normalise(c) in METADATA for c in columns)):
        return None
    return _single(found)


def _single(found: tuple[str, ...]) -> Choice:
    return Choice(Template((Piece(found[0]),)), f"column {quote(found[0])}", found[1:])
