"""The pages of rules as text for a terminal: one rule in full, or many as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ftprep.views.plain import Paint, cut, finish, pad, safe, wrap
from ftprep.views.wording import COLOURS

if TYPE_CHECKING:
    from ftprep.pages import RulePage, SamplePage

_FIXES = {
    "safe": "safe: changes nothing of what is learnt but what the format asks for",
    "unsafe": "only when asked (--unsafe-fixes): it may change what is learnt",
}

_SAMPLE_LINES = 12
_NARROWEST = 40


def full(page: RulePage, *, color: bool = False, width: int = 100) -> str:
    """One rule with everything there is to know of it."""
    return finish(_lines(page, Paint(color), max(width, _NARROWEST)))


def _lines(page: RulePage, paint: Paint, width: int) -> Iterator[str]:
    severity = paint(page.severity, COLOURS.get(page.severity, ""))
    yield f"{paint(f'{page.code} {page.name}', 'bold')}  {severity}  ({page.family})"
    if page.status != "stable":
        yield f"{page.status}: runs only when selected by its code or name"
    for title, text in (("What it finds", page.finds), ("Why it matters", page.why)):
        yield from ("", paint(title, "bold"), *(f"  {line}" for line in wrap(text, width - 2)))
    yield from ("", paint("Can it be mended", "bold"))
    told = f"Yes, {_FIXES[page.fix]}. {page.mended}" if page.fix else "Not automatically."
    yield from (f"  {line}" for line in wrap(told, width - 2))
    for title, sample in (("Found in", page.bad), ("Not found in", page.good)):
        yield from ("", paint(title, "bold"), *_sample(sample, width))
    if page.options:
        yield from ("", paint("Options, in a recipe", "bold"), f"  [rules.options.{page.code}]")
        yield from (f"  {o.name} = {json.dumps(o.default, ensure_ascii=False)}" for o in page.options)
    yield ""
    also = f"; also called {', '.join(page.aliases)}" if page.aliases else ""
    yield from wrap(f"Since {page.since}{also}. Leave it out with --ignore {page.code}.", width)


def _sample(sample: SamplePage, width: int) -> Iterator[str]:
    if not sample.text:
        yield f"  (a {sample.suffix} file)"
        return
    if sample.recipe:
        yield f"  with {safe(json.dumps(sample.recipe, ensure_ascii=False))}"
    lines = sample.text.removesuffix("\n").split("\n")
    for line in lines[:_SAMPLE_LINES]:
        yield f"  | {cut(line, width - 4)}"
    if len(lines) > _SAMPLE_LINES:
        yield f"  … and {len(lines) - _SAMPLE_LINES} more lines"


def table(pages: Sequence[RulePage], *, color: bool = False, width: int = 100) -> str:
    """Many rules, one line each, by family."""
    return finish(_table(pages, Paint(color), width))


def _table(pages: Sequence[RulePage], paint: Paint, width: int) -> Iterator[str]:
    codes, names = max(len(p.code) for p in pages), max(len(p.name) for p in pages)
    for number, (family, members) in enumerate(groupby(pages, key=lambda p: p.family)):
        yield from ([""] if number else [])
        yield paint(family, "bold")
        for page in members:
            severity = paint(pad(page.severity, 7), COLOURS.get(page.severity, ""))
            head = f"  {pad(page.code, codes)}  {pad(page.name, names)}  "
            room = width - len(head) - 17
            yield f"{head}{severity}  {pad(page.fix or '', 6)}  {cut(page.finds, room) if room > 20 else ''}".rstrip()
    yield ""
    yield from wrap("safe, unsafe: how it can be mended. `ftprep rule CODE` tells more of one rule.", width)
