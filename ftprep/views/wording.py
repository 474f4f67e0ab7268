"""What a report says, in words that are safe to show: verdict, facts of the set, rules, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ftprep.views.plain import cut, quoted, safe

if TYPE_CHECKING:
    from ftprep.report import FindingView, InputView, Report, RuleCount

GRAVITY = ("error", "warning", "info")
"""The severities, gravest first (as in ftprep.model, which a view need not import)."""

COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}

PATHS_NAMED = 3
"""A command to copy names at most this many files."""

_SHAPES = {
    "completion": "prompts with completions",
    "chat": "conversations",
    "preference": "questions with a better and a worse answer",
    "unpaired": "answers marked good or bad",
    "stepwise": "answers in steps, each marked right or wrong",
    "reinforcement": "conversations that wait for an answer",
    "mixed": "examples of several shapes, mixed",
}


def counted(count: int, noun: str) -> str:
    """`1 error`, `1,204 errors`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def tally(report: Report) -> str:
    """The findings by severity, those that there are: `3 errors and 12 warnings`."""
    numbers = (report.summary.errors, report.summary.warnings, report.summary.infos)
    return listed([counted(n, s) for n, s in zip(numbers, GRAVITY, strict=True) if n])


def gravest(report: Report) -> str:
    """error, warning or info; "" without findings."""
    numbers = (report.summary.errors, report.summary.warnings, report.summary.infos)
    return next((s for n, s in zip(numbers, GRAVITY, strict=True) if n), "")


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    found, grave = tally(report), gravest(report)
    if not report.dataset.examples:
        return f"{found}: nothing to train on, no example could be read." if found else "Nothing to train on: no rows."
    if grave == "error":
        return f"{found}: not ready to train on yet."
    if grave == "warning":
        return f"{found}, no errors: can be trained on, but look at the warnings first."
    if not found and (rejected := report.rows.rejected):
        return f"What is checked looks good, but {counted(rejected, 'row')} could not be read; the rules on it are off."
    return f"Looks good. {found} to consider." if found else "Looks good."


def path_of(view: InputView) -> str:
    """The path, with the sheet of a workbook."""
    return safe(f"{view.path}[{view.sheet}]" if view.sheet else view.path)


def account(view: InputView) -> list[str]:
    """How one input was read: its format and rows, then how records became examples."""
    rows, encoding = view.rows, "" if view.encoding.lower() in ("utf-8", "") else f" in {safe(view.encoding)}"
    fates = [f"{rows.loaded:,} loaded"]
    fates += [f"{n:,} {what}" for n, what in ((rows.rejected, "rejected"), (rows.skipped, "skipped")) if n]
    lines = [f"{safe(view.format)}{encoding}, {counted(rows.read, 'row')}: {', '.join(fates)}"]
    return [*lines, safe(view.read_as)] if view.read_as else lines


def facts(report: Report) -> list[tuple[str, list[str]]]:
    """What the set is, as labels with one or more lines each; classes are left to the view."""
    data = report.dataset
    shape = _SHAPES.get(data.shape, safe(data.shape))
    told = [("examples", [f"{data.examples:,} {shape}"])]
    reasons = "; ".join(safe(r) for r in data.task_reasons)
    told.append(("task", [f"{safe(data.task)}: {reasons}" if reasons else safe(data.task)]))
    if data.shape in ("completion", "mixed"):
        separator = f"{quoted(data.separator)} ends the prompts" if data.separator else "prompts have no common ending"
        stop = f"{quoted(data.stop)} ends the completions" if data.stop else "completions have no common ending"
        told += [("separator", [separator])] if data.task != "open-ended" else []
        told.append(("stop", [stop]))
    if report.tokens.total:
        told.append(("tokens", _tokens(report)))
    return told


def _tokens(report: Report) -> list[str]:
    tokens = report.tokens
    how = f"{'counted exactly' if tokens.exact else 'estimated'} with {safe(tokens.encoding)}"
    why = f" ({safe(tokens.encoding_reason)})" if tokens.encoding_reason else ""
    told = [
        f"{tokens.total:,} in all, {tokens.trainable:,} of them trained on",
        f"per example: min {tokens.min:,}, median {tokens.p50:,}, 95 % up to {tokens.p95:,}, max {tokens.max:,}",
        how + why,
    ]
    # No provider publishes what it adds, so this part is never exact.
    rule = f"what messages add beside their text is estimated by the public rule {safe(tokens.overhead)}"
    return [*told, rule] if tokens.overhead else told


def accepted(report: Report) -> list[tuple[str, list[str]]]:
    """Whether the target would take the set: the answer, then what it would say, with the rule and the source."""
    if (verdict := report.acceptance) is None:
        return []
    model = f" {safe(verdict.model)}" if verdict.model else ""
    told = f"{safe(verdict.title)}{model}, {safe(verdict.method)}, by what was known on {verdict.as_of}"
    lines = [("accepted" if verdict.accepted else "refused", [told])]
    for refusal in verdict.refusals:
        if refusal.message:
            source = ", ".join(filter(None, (refusal.source, refusal.confidence)))
            lines.append((safe(refusal.code), [f"it says: {safe(refusal.message)}", f"({safe(source)})"]))
    others = [safe(r.code) for r in verdict.refusals if not r.message]
    return [*lines, (", ".join(others), ["its words for this are not known"])] if others else lines


def label(text: str) -> str:
    """The name of a class, cut to 34 columns; in quotes where it is empty or has outer blanks."""
    return cut(text if text and text == text.strip() else quoted(text), 34)


def share(count: int, total: int) -> str:
    """`41 %`, `<1 %`."""
    percent = round(100 * count / total)
    return f"{percent} %" if percent else "<1 %"


@dataclass(frozen=True)
class Group:
    """One rule with what it found: `mending` says whether it can be mended, `offers` what that would do (raw text)."""

    rule: RuleCount
    findings: tuple[FindingView, ...]
    mending: Literal["safe", "unsafe", ""]
    offers: tuple[str, ...]

    @property
    def title(self) -> str:
        """`FMT105 message-not-object`."""
        return f"{safe(self.rule.code)} {safe(self.rule.name)}"

    @property
    def mended(self) -> str:
        """Whether and how it can be mended, in words."""
        told = "; ".join(safe(o) for o in self.offers)
        if self.mending == "safe":
            return f"Can be mended (safe): {told}"
        if self.mending == "unsafe":
            return f"Can be mended when asked (may change what is learnt): {told}"
        return "Cannot be mended automatically."


def groups(report: Report) -> list[Group]:
    """The rules that found something: gravest first, then commonest."""
    by_code: dict[str, list[FindingView]] = {r.code: [] for r in report.rules if r.count}
    for finding in report.findings:
        by_code.setdefault(finding.code, []).append(finding)
    rules = sorted((r for r in report.rules if r.count), key=lambda r: (GRAVITY.index(r.severity), -r.count, r.code))
    return [_group(report, rule, tuple(by_code[rule.code])) for rule in rules]


def _group(report: Report, rule: RuleCount, findings: tuple[FindingView, ...]) -> Group:
    offers = [
        (o.applicability, f"{o.message.rstrip('.')} ({counted(o.rows, 'row')})")
        for o in report.fixes
        if o.code == rule.code
    ]
    if not offers:
        offers = list(dict.fromkeys((f.fix.applicability, f.fix.message) for f in findings if f.fix))
    safety: Literal["safe", "unsafe", ""] = "safe" if any(how == "safe" for how, _ in offers) else "unsafe"
    return Group(rule, findings, safety if offers else "", tuple(message for _, message in offers))


def place_of(finding: FindingView, report: Report) -> str:
    """`path[sheet]:line`, with the column where one is known; "" for what is true of the whole of the only input."""
    if finding.record is None and finding.location.row <= 1:
        several = len({(i.path, i.sheet) for i in report.inputs}) > 1
        whole = f"{finding.filename}[{finding.sheet}]" if finding.sheet else finding.filename
        return safe(whole) if several else ""
    place = finding.place if finding.location.column > 1 else finding.place.rpartition(":")[0]
    return safe(place)


def unchecked(report: Report) -> list[str]:
    """The rules that could not run: those with the same reason together, `TOK102, TOK103: no token limit is known`."""
    by_reason: dict[str, list[str]] = {}
    for skipped in report.skipped:
        by_reason.setdefault(skipped.reason, []).append(safe(skipped.rule))
    return [f"{', '.join(rules)}: {safe(reason)}" for reason, rules in by_reason.items()]


def next_steps(report: Report) -> list[tuple[str, str]]:
    """Commands to go on with, each with what it does."""
    found = groups(report)
    steps = []
    if report.dataset.examples:
        what = ["mend what can be mended"] if any(g.mending for g in found) else []
        what += [f"set {counted(report.rows.rejected, 'rejected row')} aside"] if report.rows.rejected else []
        steps.append((_prepare(report), ", ".join([*what, "split and write the set"])))
    if found:
        steps.append(
            (f"ftprep rule {safe(found[0].rule.code)}", f"what {safe(found[0].rule.name)} means, with examples")
        )
    return steps


def _prepare(report: Report) -> str:
    import shlex

    if report.inputs and not any(i.bytes or i.sha256 for i in report.inputs):
        return "ftprep.prepare(data)"
    paths = list(dict.fromkeys(i.path for i in report.inputs))
    named = " ".join(safe(shlex.quote(p)) for p in paths) if 0 < len(paths) <= PATHS_NAMED else "PATH…"
    held = report.acceptance
    target = f" --target {safe(shlex.quote(held.selector))}" if held and held.selector else ""
    return f"ftprep prepare {named}{target}"
