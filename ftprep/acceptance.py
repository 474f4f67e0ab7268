"""Whether the target would take the set as it is, and what it would say where its own words are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ftprep.model import Severity
from ftprep.report import Acceptance, FindingView, Refusal, RuleCount
from ftprep.targets import Target

_CONTROL = "TOK101"


def accept(target: Target, rules: Iterable[RuleCount], findings: Sequence[FindingView], examples: int) -> Acceptance:
    """The verdict: accepted where no rule finds an error. What the provider would say is given for each rule whose
    fault it names in words that are known, also for warnings, since third parties' texts are no proof."""
    grave: tuple[Severity, ...] = ("error", "warning")
    refusals = []
    for rule in rules:
        first = next((f for f in findings if f.code == rule.code), None)
        message = target.message_for(rule.code, **_values(target, rule, first, examples))
        if rule.severity == "error" or (message is not None and rule.severity in grave):
            refusals.append(
                Refusal.model_construct(
                    code=rule.code,
                    severity=rule.severity,
                    count=rule.count,
                    message=message.text if message else None,
                    source=_title(target, message.source) if message else None,
                    confidence=message.confidence if message else None,
                )
            )
    return Acceptance.model_construct(
        target=target.name,
        selector=target.selector,
        title=target.title,
        model=target.model,
        method=target.method,
        as_of=target.as_of,
        accepted=not any(r.severity == "error" for r in refusals),
        refusals=tuple(sorted(refusals, key=lambda r: (r.severity != "error", r.message is None, r.code))),
    )


def _title(target: Target, source: str) -> str:
    known = target.sources.get(source)
    return known.title if known else source


def _values(target: Target, rule: RuleCount, first: FindingView | None, examples: int) -> dict[str, Any]:
    """What stands in the places of a provider's message: of the first finding, since a provider names only that."""
    values: dict[str, Any] = {"method": target.method, "model": target.model or "", "count": examples}
    if first is None:
        return values
    pointer = first.json_pointer.split("/")
    values |= {"line": first.location.row, "file": first.filename}
    values |= {"record": first.record} if first.record else {}
    values |= {"key": pointer[-1].replace("~1", "/").replace("~0", "~")} if pointer[-1] else {}
    values |= {"message": pointer[2]} if pointer[1:2] == ["messages"] and len(pointer) > 2 else {}
    values |= {"role": first.excerpt.strip('"')} if "role" in pointer[-1:] else {}
    if rule.code == _CONTROL:
        values["token"] = first.message.rpartition(" ")[2]
    return values
