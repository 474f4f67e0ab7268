"""Reports made by hand for the tests of the views: clean, all severities, hostile text, Chinese, many findings."""

from __future__ import annotations

from typing import Any

from ftprep.model import Severity
from ftprep.report import (
    DatasetSummary,
    FindingView,
    FixOffer,
    InputView,
    Location,
    OfferView,
    Report,
    RowCounts,
    RuleCount,
    SkippedRule,
    Summary,
    TokenSummary,
    Tool,
)

NO_OBJECT = ("FMT105", "message-not-object", "error")
NO_SPACE = ("SEP105", "leading-space-missing", "warning")
PARTIAL = ("SEP102", "separator-partial", "warning")
IMBALANCE = ("LBL102", "class-imbalance", "warning")
PREFIX = ("SEP109", "common-prompt-prefix", "info")
LEADING = FixOffer(applicability="safe", message="Puts one space at the start.")


def finding(rule: tuple[str, str, Any], message: str, row: int, **others: Any) -> FindingView:
    """One finding of a rule (code, name, severity) at a row of `support.csv`, or of `filename`."""
    code, name, severity = rule
    given = {"filename": "support.csv", "record": row, "fingerprint": f"{row:016x}"} | others
    column = given.pop("column", 1)
    return FindingView(
        code=code, name=name, severity=severity, message=message, location=Location(row=row, column=column), **given
    )


def report_of(findings: list[FindingView], counts: dict[str, int] | None = None, **others: Any) -> Report:
    """A report with these findings; `counts` tells of rules that found more than is shown."""
    codes: dict[str, tuple[str, Severity]] = {f.code: (f.name, f.severity) for f in findings}
    shown = {code: sum(f.code == code for f in findings) for code in codes}
    totals = shown | (counts or {})
    sums = {s: sum(totals[c] for c in codes if codes[c][1] == s) for s in ("error", "warning", "info")}
    given: dict[str, Any] = {
        "inputs": (SUPPORT,),
        "dataset": CLASSES,
        "tokens": TOKENS,
        "tool": Tool(version="0.0.0"),
    } | others
    return Report(
        ok=not sums["error"],
        summary=Summary(errors=sums["error"], warnings=sums["warning"], infos=sums["info"]),
        rules=tuple(
            RuleCount(code=c, name=codes[c][0], severity=codes[c][1], count=totals[c], shown=shown[c])
            for c in sorted(codes)
        ),
        findings=tuple(findings),
        **given,
    )


SUPPORT = InputView(
    path="support.csv",
    format="csv",
    bytes=81234,
    sha256="5" * 64,
    shape="completion",
    read_as='column "question" as the prompt, column "answer" as the completion',
    rows=RowCounts(read=1240, loaded=1236, rejected=3, skipped=1),
)
CLASSES = DatasetSummary(
    shape="completion",
    task="classification",
    task_reasons=("12 different answers in 1,236 examples", "the longest has 21 characters"),
    examples=1236,
    classes={
        "card_arrival": 503,
        "card_linking": 301,
        "exchange_rate": 120,
        "pin_blocked": 88,
        "lost_or_stolen_card": 60,
        "top_up_failed": 50,
        "age_limit": 41,
        "request_refund": 30,
        "transfer_timing": 20,
        "cash_withdrawal": 12,
        "country_support": 8,
        "verify_source_of_fund": 3,
    },
    separator="\n\n###\n\n",
    stop=None,
)
TOKENS = TokenSummary(
    encoding="o200k_base",
    encoding_reason="no model named",
    total=24720,
    trainable=4944,
    min=6,
    p50=19,
    p95=41,
    max=77,
)


def clean() -> Report:
    """Nothing found."""
    sound = SUPPORT.model_copy(update={"rows": RowCounts(read=1236, loaded=1236)})
    return report_of([], inputs=(sound,))


def severities() -> Report:
    """Errors, warnings, advice; one message or several a rule; findings on the whole set; fixes; skipped rules."""
    rows = [
        finding(NO_OBJECT, "message 2 is a text where an object is wanted", 7, json_pointer="/messages/1", record=6),
        finding(NO_OBJECT, "message 1 is null where an object is wanted", 9, json_pointer="/messages/0", column=14),
        finding(NO_SPACE, "completion does not start with a space", 12, excerpt="card_arrival", fix=LEADING),
        finding(NO_SPACE, "completion starts with two spaces", 19, excerpt="  card_linking", fix=LEADING),
    ]
    rows += [
        finding(PARTIAL, 'prompt does not end with the separator " ->"', n, excerpt="Where is my new card, please?")
        for n in range(21, 28)
    ]
    rows += [
        finding(IMBALANCE, "the commonest class has 503 of 1,236 examples, the rarest 3", 1, record=None),
        finding(PREFIX, 'all prompts begin with "Classify: "', 1, record=None, excerpt="Classify: "),
    ]
    fixes = (
        OfferView(code="SEP102", applicability="safe", message='add the separator " ->" to the prompts', rows=1209),
        OfferView(code="SEP109", applicability="unsafe", message='cut "Classify: " off all prompts', rows=1236),
    )
    limit = "no token limit is known: set token-limit in the recipe or --token-limit"
    skipped = (SkippedRule(rule="TOK102", reason=limit), SkippedRule(rule="TOK103", reason=limit))
    return report_of(rows, {"SEP102": 1209}, fixes=fixes, skipped=skipped)


EVIL = (
    "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u2066 \x9b2J\x7f \u200bzero\u2028line\r\n::error::forged ##[add-mask]x"
)
MARKUP = "<script>alert('a')</script><img src=x onerror=y>&amp;\"'"


def hostile() -> Report:
    """Data that tries to drive a terminal, a CI log and a browser, wherever a report holds text from outside."""
    view = SUPPORT.model_copy(update={"path": f"a{EVIL}.xlsx", "sheet": MARKUP, "read_as": EVIL, "format": "xlsx"})
    data = CLASSES.model_copy(
        update={"classes": {EVIL: 3, MARKUP: 2, "": 1}, "separator": EVIL, "stop": MARKUP, "task_reasons": (EVIL,)}
    )
    rows = [
        finding(NO_OBJECT, EVIL, 3, filename=view.path, sheet=view.sheet, excerpt=MARKUP, json_pointer=f"/{EVIL}"),
        finding(NO_OBJECT, MARKUP, 4, filename=view.path, sheet=view.sheet, excerpt=EVIL, column=5),
        finding(PARTIAL, f"::stop-commands::{EVIL}", 1, record=None, filename=view.path, sheet=view.sheet),
    ]
    fixes = (OfferView(code="SEP102", applicability="unsafe", message=EVIL + MARKUP, rows=2),)
    skipped = (SkippedRule(rule="TOK102", reason=EVIL),)
    return report_of(rows, inputs=(view,), dataset=data, fixes=fixes, skipped=skipped)


def chinese() -> Report:
    """Two sheets of a workbook in Chinese; conversations."""
    sheet = SUPPORT.model_copy(
        update={
            "path": "数据/客服对话.xlsx",
            "sheet": "第一页",
            "format": "xlsx",
            "read_as": "“问题”列作提示，“答案”列作回复",
        }
    )
    old = SUPPORT.model_copy(update={"path": "数据/旧数据.csv", "encoding": "gb18030", "read_as": ""})
    data = DatasetSummary(shape="chat", task="generation", task_reasons=("1,236 different answers",), examples=2472)
    said = "您好，我的银行卡已经寄出两个星期了，到现在还没有收到，请问应该怎么办？能不能帮我查一下物流信息，谢谢。"
    where = {"filename": sheet.path, "sheet": sheet.sheet}
    rows = [
        finding(NO_OBJECT, "第 2 条消息应为对象，而此处是文本：" + said * 2, 7, excerpt=said, **where),
        finding(NO_OBJECT, "第 1 条消息应为对象", 18, excerpt="您好", json_pointer="/messages/0", **where),
        finding(PARTIAL, "prompts of this file lack the separator", 1, filename=old.path, record=None, excerpt=said),
    ]
    tokens = TOKENS.model_copy(update={"exact": False, "overhead": "openai-chat", "encoding_reason": ""})
    return report_of(rows, inputs=(sheet, old), dataset=data, tokens=tokens)


def many() -> Report:
    """Thousands of findings of many rules in many files: views show the first and tell the totals."""
    inputs = tuple(
        SUPPORT.model_copy(update={"path": f"part-{n:02}.jsonl", "format": "jsonl+gzip", "read_as": ""})
        for n in range(14)
    )
    rules: list[tuple[str, str, Any]] = [
        (f"TXT{n:03}", f"rule-number-{n}", ("error", "warning", "info")[n % 3]) for n in range(101, 120)
    ]
    rows = [
        finding(rules[n % 19], f"text {n} is not as it should be", n // 14 + 1, filename=f"part-{n % 14:02}.jsonl")
        for n in range(1900)
    ]
    return report_of(rows, {"TXT101": 1_204_100}, inputs=inputs)


def unreadable() -> Report:
    """No example at all."""
    view = SUPPORT.model_copy(update={"rows": RowCounts(read=2, rejected=2), "read_as": ""})
    rows = [finding(("IO104", "invalid-json", "error"), "a comma is missing", n, column=9) for n in (1, 2)]
    empty = DatasetSummary(shape="completion", task="generation")
    return report_of(rows, inputs=(view,), dataset=empty, tokens=TokenSummary(encoding="o200k_base"))


SAMPLES = {
    "clean": clean,
    "severities": severities,
    "hostile": hostile,
    "chinese": chinese,
    "many": many,
    "unreadable": unreadable,
}
