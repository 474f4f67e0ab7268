"""What `prepare`, `split` and `convert` did, for people: one account of it, as text for a terminal and as HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from ftprep.views import wording
from ftprep.views.plain import Paint, columns, cut, finish, safe, wrap
from ftprep.views.wording import Group, counted

if TYPE_CHECKING:
    from ftprep.prepared import Prepared
    from ftprep.rule import Proposal

CLASSES = 10
FINDINGS = 12
SHOWN = 240
"""Characters of an example that are shown, half from its beginning and half from its end."""

NOTES = 20
MESSAGE = 300
"""Columns of a message; longer ones are cut."""

_HEAD = 44
"""Columns: text beside a wider head would be squeezed, and goes below."""

_NARROWEST = 40


class Entry(NamedTuple):
    """A head with what there is to say of it; without a head a line of its own. `strong` is for what one may copy."""

    head: str
    told: str
    strong: bool = False


Sections = list[tuple[str, list[Entry]]]


def verdict(prepared: Prepared) -> str:
    """What was written, and whether it can be trained on, in one or two sentences."""
    if prepared.train is None:
        aside = prepared.rows.get("rejected", 0)
        return f"Nothing to train on: {f'{aside:,} of {aside:,} rows were set aside' if aside else 'no rows'}."
    made = prepared.split
    if made and prepared.valid:
        wrote = f"Wrote {made.train:,} training and {counted(made.valid, 'validation example')}."
    else:
        wrote = f"Wrote {counted(prepared.rows.get('examples', 0), 'example')}."
    if aside := prepared.rows.get("rejected", 0):
        wrote += f" {aside:,} of {counted(prepared.rows.get('read', 0), 'row')} set aside."
    found = prepared.after.summary
    if found.errors:
        return f"{wrote} {counted(found.errors, 'error')} left in it: not ready to train on yet."
    if found.warnings:
        many = counted(found.warnings, "warning") if found.warnings > 1 else "warning"
        return f"{wrote} Can be trained on, but look at the {many} first."
    return f"{wrote} Ready to train on."


def summary(prepared: Prepared, color: bool = False, width: int = 100) -> str:
    """The whole account as text, verdict first; `width` is the columns of the terminal."""
    paint, width = Paint(color), max(width, _NARROWEST)
    grave = "red" if not prepared.ok else "yellow" if prepared.after.summary.warnings else "green"
    lines = [paint(line, "bold", grave) for line in wrap(verdict(prepared), width)]
    for title, entries in sections(prepared):
        lines += ["", paint(title, "bold"), *_text(entries, paint, width)]
    return finish(lines)


def fragment(prepared: Prepared) -> str:
    """The same account as HTML for notebooks: nothing to run, nothing to fetch, in the notebook's own colours."""
    parts = [f"<p><strong>{escape(safe(verdict(prepared)))}</strong></p>"]
    for title, entries in sections(prepared):
        rows = "\n".join(_html_row(entry) for entry in entries)
        table = f'<table style="border-collapse:collapse;margin:2px 0 10px"><tbody>\n{rows}\n</tbody></table>'
        parts.append(f'<p style="margin:6px 0 0"><strong>{escape(title)}</strong></p>\n{table}')
    style = "max-width:70em;line-height:1.45;color:inherit;background:transparent"
    return f'<div class="ftprep-prepared" style="{style}">\n' + "\n".join(parts) + "\n</div>\n"


def as_dict(prepared: Prepared) -> dict[str, Any]:
    """The account as JSON values, with both reports."""
    split = prepared.split
    paths = {side: getattr(prepared, side) for side in ("train", "valid", "rejected", "manifest")}
    sides = {name: {"train": sides[0], "valid": sides[1]} for name, sides in split.per_class.items()} if split else {}
    return {
        "ok": prepared.ok,
        "files": {side: str(path) if path else None for side, path in paths.items()},
        "rows": prepared.rows,
        "mended": [_offer(p) for p in prepared.accepted],
        "declined": [_offer(p) for p in prepared.declined],
        "split": {"train": split.train, "valid": split.valid, "classes": sides} if split else None,
        "notes": list(prepared.notes),
        "advice": list(prepared.advice),
        "before": prepared.before.to_dict(),
        "after": prepared.after.to_dict(),
    }


def _offer(proposal: Proposal) -> dict[str, Any]:
    return {
        "code": proposal.code,
        "applicability": proposal.safety,
        "message": proposal.message,
        "rows": proposal.count,
    }


def sections(prepared: Prepared) -> Sections:
    """Title and entries of each part that has something to say, in the order in which they are needed."""
    found: Sections = [
        ("Files", list(_files(prepared))),
        ("What was read", [Entry(i.path, i.read_as) for i in prepared.before.inputs[:NOTES] if i.read_as]),
        ("Rows", list(_rows(prepared))),
        ("About the input", list(_input(prepared))),
        ("Why rows were set aside", list(_reasons(prepared))),
        ("What was mended", [_change(p, prepared) for p in prepared.accepted if not p.drops]),
        ("What was left as it is", list(_declined(prepared))),
        ("What the set is", list(_facts(prepared))),
        ("Still to look at", list(_findings(prepared))),
        ("Notes", [Entry("", note) for note in prepared.notes[:NOTES]]),
        ("The first example, as it is trained on", list(_example(prepared))),
        ("How to use the model", [Entry("", line) for line in prepared.advice if prepared.train]),
        ("What to do next", list(_next(prepared))),
    ]
    return [(title, entries) for title, entries in found if entries]


def _example(prepared: Prepared) -> Iterator[Entry]:
    """The first written prompt and completion; nothing where the file is gone or holds conversations."""
    files = prepared.files()
    if not files or not prepared.advice or not files[0].is_file():
        return
    with files[0].open("rb") as file:
        line = json.loads(file.readline())
    for key in ("prompt", "completion"):
        if key not in line:
            return
        text = json.dumps(line[key], ensure_ascii=False)
        yield Entry(key, text if len(text) <= SHOWN else f"{text[: SHOWN // 2]} … {text[-SHOWN // 2 :]}")


def _files(prepared: Prepared) -> Iterator[Entry]:
    split, rows = prepared.split, prepared.rows
    held = bool(split and prepared.valid)
    train = split.train if split and held else rows.get("examples", 0)
    told = (
        (prepared.train, f"{counted(train, 'example')} to train on"),
        (prepared.valid, f"{counted(split.valid if split else 0, 'example')} held back to measure with"),
        (prepared.rejected, f"{counted(rows.get('rejected', 0), 'row')} set aside, with the reason"),
        (prepared.manifest, "the settings, and the hash of each file"),
    )
    return (Entry(str(path), what) for path, what in told if path)


def _rows(prepared: Prepared) -> Iterator[Entry]:
    rows = prepared.rows
    parts = " + ".join(f"{what} {rows.get(what, 0):,}" for what in ("written", "rejected", "skipped"))
    yield Entry("", f"read {rows.get('read', 0):,} = {parts}")
    if rows.get("examples", 0) != rows.get("written", 0):
        yield Entry("", f"the written rows make {counted(rows.get('examples', 0), 'example')}")


def _input(prepared: Prepared) -> Iterator[Entry]:
    """What is true of the input as a whole, and so cannot be seen in what was written: sheets not read, say."""
    gone = {p.code for p in prepared.accepted} | {r.code for r in prepared.after.rules if r.count}
    for group in wording.groups(prepared.before) if prepared.train else ():
        rule = group.rule
        whole = not prepared.rows.get("rejected") if rule.severity == "error" else rule.code.startswith("IO")
        if whole and rule.code not in gone:
            yield Entry(f"{rule.severity} {group.title}", _found(group))


def _reasons(prepared: Prepared) -> Iterator[Entry]:
    if not prepared.rows.get("rejected"):
        return
    for group in wording.groups(prepared.before):
        if group.rule.severity == "error":
            yield Entry(group.title, _found(group))
    for proposal in prepared.accepted:
        if proposal.drops:
            yield _change(proposal, prepared)


def _found(group: Group) -> str:
    """How often a rule found something, and what: the finding's own words where they hold for all."""
    from ftprep.rules import card_of

    times = "once" if group.rule.count == 1 else f"{group.rule.count:,} times"
    messages = {f.message for f in group.findings}
    return f"{times}: {cut(messages.pop() if len(messages) == 1 else card_of(group.rule.code).finds, MESSAGE)}"


def _change(proposal: Proposal, prepared: Prepared) -> Entry:
    names = {r.code: r.name for report in (prepared.before, prepared.after) for r in report.rules}
    what = cut(proposal.message, MESSAGE).rstrip(".")
    head = f"{proposal.code} {names.get(proposal.code, '')}".rstrip()
    return Entry(head, f"{counted(proposal.count, 'row')}: {what[:1].lower()}{what[1:]}")


def _declined(prepared: Prepared) -> Iterator[Entry]:
    yield from (_change(p, prepared) for p in prepared.declined)
    if prepared.declined:
        codes = ", ".join(f'"{p.code}"' for p in prepared.declined)
        yield Entry("", "These changes may alter what the model learns, so they are made only when asked for:")
        yield Entry("", f"all with --unsafe-fixes --force, or some by a recipe with [fix] accept = [{codes}].")


def _facts(prepared: Prepared) -> Iterator[Entry]:
    data, tokens = prepared.after.dataset, prepared.after.tokens
    if not data.examples or prepared.train is None:
        return
    reasons = "; ".join(data.task_reasons)
    yield Entry("task", f"{data.task}: {reasons}" if reasons else data.task)
    about = "" if tokens.exact else "about "
    told = f"{about}{tokens.total:,} in all, {tokens.trainable:,} of them trained on; the longest example has"
    yield Entry("tokens", f"{told} {tokens.max:,} (counted with {tokens.encoding})")
    yield from _classes(prepared)


def _classes(prepared: Prepared) -> Iterator[Entry]:
    """The classes with how many of each are on which side."""
    sides = prepared.split.per_class if prepared.split else {}
    if not sides:
        return
    names = sorted(sides, key=lambda name: (-sum(sides[name]), name))
    for name in names[:CLASSES]:
        train, valid = sides[name]
        yield Entry(f"  {wording.label(name)}", f"{train:,} to train on, {valid:,} held back")
    if len(names) > CLASSES:
        rarest = counted(sum(sides[names[-1]]), "example")
        yield Entry("", f"… and {len(names) - CLASSES:,} more classes, the rarest with {rarest}")


def _findings(prepared: Prepared) -> Iterator[Entry]:
    report = prepared.after if prepared.train else prepared.before
    found = wording.groups(report)
    for group in found[:FINDINGS]:
        yield Entry(f"{group.rule.severity} {group.title}", _found(group))
    if len(found) > FINDINGS:
        yield Entry("", f"… and {len(found) - FINDINGS} more rules")


def _next(prepared: Prepared) -> Iterator[Entry]:
    import shlex

    if prepared.rejected and prepared.rows.get("rejected"):
        path = shlex.quote(str(prepared.rejected))
        yield Entry(
            path, "look at the rows set aside; mend them in the source, and prepare it again with --force", True
        )
    found = wording.groups(prepared.after if prepared.train else prepared.before)
    if found:
        rule = found[0].rule
        yield Entry(f"ftprep rule {rule.code}", f"what {rule.name} means, with examples", True)
    if prepared.train:
        files = " ".join(shlex.quote(str(p)) for p in (prepared.train, prepared.valid) if p)
        sharded = prepared.train not in prepared.files()
        first, second, one = ("shards", "second ones", "these shards") if sharded else ("file", "second", "this file")
        use = f"train on the first {first}, measure with the {second}" if prepared.valid else f"train on {one}"
        yield Entry(f"ftprep tokens {files}", f"lengths and cost; then {use}", True)


def _text(entries: list[Entry], paint: Paint, width: int) -> Iterator[str]:
    heads = [columns(safe(e.head)) for e in entries if e.head]
    size = max(heads, default=0)
    size = size if size <= min(_HEAD, width // 2) else 0
    for head, told, strong in entries:
        shown = safe(head)
        if not head:
            yield from (f"  {line}" for line in wrap(safe(told), width - 2))
            continue
        margin = " " * (size + 4)
        lines = wrap(safe(told), width - len(margin))
        beside = lines.pop(0) if lines and size else ""
        gap = " " * (size - columns(shown) + 2) if beside else ""
        yield f"  {paint(shown, 'bold' if strong else '')}{gap}{beside}"
        yield from (margin + line for line in lines)


def _html_row(entry: Entry) -> str:
    cell = "text-align:left;vertical-align:top;padding:1px 12px 1px 0"
    told = f'<bdi dir="auto">{escape(safe(entry.told))}</bdi>'
    if not entry.head:
        return f'<tr><td colspan="2" style="{cell}">{told}</td></tr>'
    kind = "code" if entry.strong else "bdi"
    head = f'<{kind} dir="auto">{escape(safe(entry.head.strip()))}</{kind}>'
    return f'<tr><td style="{cell}">{head}</td><td style="{cell}">{told}</td></tr>'
