"""Sixty kinds of fault in a chat file: each is named with its code, line and pointer, wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ftprep as ft

Record = dict[str, Any]
Place = tuple[str, int, str]  # code, line, pointer

TOOL = {
    "type": "function",
    "function": {
        "name": "find",
        "description": "Finds a capital.",
        "parameters": {
            "type": "object",
            "properties": {"country": {"type": "string"}},
            "required": ["country"],
        },
    },
}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def user(content: Any = "", **keys: Any) -> Record:
    return {"role": "user", "content": content, **keys}


def reply(content: Any = "", **keys: Any) -> Record:
    return {"role": "assistant", "content": content, **keys}


def call(arguments: Any = '{"country": "Mali"}', name: str = "find", named: str = "abcdefgh1") -> Record:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": named, "type": "function", "function": function}],
    }


def heard(named: str = "abcdefgh1") -> Record:
    return {"role": "tool", "tool_call_id": named, "content": "Bamako"}


def talk(*messages: Any, **keys: Any) -> Record:
    return {"messages": list(messages), **keys}


# No two of these are alike, so that nothing but what is put among them can be found.
_WORDS = """
alpaca bridge copper dune ember falcon glacier harbour island juniper kettle lantern meadow needle orchard
pepper quarry river saddle timber umbrella violin willow yarrow zephyr anchor basil cedar dagger elm
"""
_THINGS = tuple(_WORDS.split())


def sound(number: int) -> Record:
    thing, other = _THINGS[number % len(_THINGS)], _THINGS[(7 * number + 3) % len(_THINGS)]
    return talk(
        {"role": "system", "content": "Answer with one sentence."},
        user(f"What has {thing} got to do with {other} in your view?"),
        reply(f"Hardly anything beyond that {other} may stand beside it, and {thing} was there first."),
    )


ASK, ANSWER = user("Which town is the capital of Mali?"), reply("It is Bamako.")
FIRST, SECOND = 4, 9  # lines on which a faulty record stands, among twelve


def lines_with(*faulty: Any) -> list[Any]:
    rows: list[Any] = [sound(i) for i in range(12)]
    for line, row in zip((FIRST, SECOND), faulty, strict=False):
        rows[line - 1] = row
    return rows


def written(rows: list[Any]) -> bytes:
    return b"".join((r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode()) + b"\n" for r in rows)


def found(folder: Path, data: bytes, name: str = "set.jsonl", **recipe: Any) -> set[Place]:
    path = folder / name
    path.write_bytes(data)
    report = ft.check(path, **recipe)
    return {(f.code, f.location.row, f.json_pointer) for f in report.findings if f.severity != "info"} | {
        (f.code, f.location.row, f.json_pointer) for f in report.findings if f.code in ("IO108", "IO109")
    }


# Kind: code, where in the record, and records that have it; each stands once on line 4 and once on line 9.
RECORDS: dict[str, tuple[str, str, list[Any]]] = {
    "f01 invalid JSON": ("IO104", "", [b'{"messages": [', b"{messages: []}", b"{'messages': []}"]),
    "f02 trailing comma": ("IO104", "", [json.dumps(talk(ASK, ANSWER)).encode()[:-1] + b",}"]),
    "f08 a list": ("IO119", "", [[ASK, ANSWER], "Hi", 5, None]),
    "f09 no messages": ("FMT102", "", [{"topic": "capitals"}, {}]),
    "f09 null": ("FMT102", "/messages", [{"messages": None}]),
    "f10 empty": ("FMT104", "/messages", [talk()]),
    "f11 no list": ("FMT103", "/messages", [{"messages": "Hi"}, {"messages": {"role": "user"}}, {"messages": 7}]),
    "f12 no object": ("FMT105", "/messages/1", [talk(ASK, "It is Bamako.", ANSWER), talk(ASK, None, ANSWER)]),
    "f13 no role": ("FMT106", "/messages/0", [talk({"content": "Hi"}, ANSWER), talk({"role": None}, ANSWER)]),
    "f14 no content": ("FMT108", "/messages/1", [talk(ASK, {"role": "assistant"})]),
    "f15 unknown role": ("FMT107", "/messages/1/role", [talk(ASK, {"role": "boss", "content": "Bamako."})]),
    "f16 case of a role": ("FMT107", "/messages/1/role", [talk(ASK, {"role": "Assistant", "content": "Bamako."})]),
    "f17 empty turn": ("ROLE111", "/messages/0/content", [talk(user(""), ANSWER)]),
    "f17 empty reply": ("ROLE109", "/messages/1/content", [talk(ASK, reply(""))]),
    "f18 blank reply": ("ROLE110", "/messages/1/content", [talk(ASK, reply(" \n\t"))]),
    "f19 a number": ("FMT109", "/messages/1/content", [talk(ASK, reply(42)), talk(ASK, reply({"text": "Hi"}))]),
    "f20 null without a call": ("FMT109", "/messages/1/content", [talk(ASK, reply(None))]),
    "f21 no assistant": ("ROLE101", "/messages", [talk(ASK), talk({"role": "system", "content": "Hi"}, ASK)]),
    "f22 no user": ("ROLE102", "/messages", [talk({"role": "system", "content": "Hi."}, ANSWER)]),
    "f23 last not assistant": ("ROLE103", "/messages/2", [talk(ASK, ANSWER, user("Thank you for that."))]),
    "f24 user twice": ("ROLE105", "/messages/1", [talk(user("Hello there."), ASK, ANSWER)]),
    "f25 system later": ("ROLE106", "/messages/1", [talk(ASK, {"role": "system", "content": "Be brief."}, ANSWER)]),
    "f26 starts with assistant": ("ROLE104", "/messages/0", [talk(reply("How can I help?"), ASK, ANSWER)]),
    "f27 extra key": ("FMT110", "/topic", [talk(ASK, ANSWER, topic="capitals"), talk(ASK, ANSWER, topic={"a": [1]})]),
    "f28 extra message key": ("FMT111", "/messages/1/score", [talk(ASK, reply("Bamako.", score=5))]),
    "f29 weight": (
        "FMT113",
        "/messages/1/weight",
        [talk(ASK, reply("Bamako.", weight=w)) for w in (2, 0.5, "1", True)],
    ),
    "f30 weight on user": ("FMT114", "/messages/0/weight", [talk(user("Capital of Mali?", weight=1), ANSWER)]),
    "f31 all weights 0": ("FMT115", "/messages", [talk(ASK, reply("Bamako.", weight=0))]),
    "f32 arguments no JSON": (
        "TOOL101",
        "/messages/1/tool_calls/0/function/arguments",
        [talk(ASK, call("{country: Mali}"), heard(), ANSWER, tools=[TOOL]), talk(ASK, call("["), tools=[TOOL])],
    ),
    "f33 arguments an object": (
        "TOOL102",
        "/messages/1/tool_calls/0/function/arguments",
        [talk(ASK, call({"country": "Mali"}), heard(), ANSWER, tools=[TOOL])],
    ),
    "f34 unmatched id": (
        "TOOL103",
        "/messages/2/tool_call_id",
        [talk(ASK, call(), heard("zyxwvuts9"), heard(), ANSWER, tools=[TOOL])],
    ),
    "f35 undeclared tool": (
        "TOOL106",
        "/messages/1/tool_calls/0/function/name",
        [talk(ASK, call(name="search"), heard(), ANSWER, tools=[TOOL])],
    ),
    "f36 calls without tools": ("TOOL107", "/messages/1/tool_calls/0", [talk(ASK, call(), heard(), ANSWER)]),
    "f37 unanswered call": ("TOOL105", "/messages/1/tool_calls/0", [talk(ASK, call(), ANSWER, tools=[TOOL])]),
    "f42 control token": ("TOK101", "/messages/1/content", [talk(ASK, reply("Bamako.<|im_end|>"))]),
    "f43 control characters": ("TXT101", "/messages/1/content", [talk(ASK, reply("Bama\x07ko\x00."))]),
    "f44 lone surrogate": ("IO107", "", [json.dumps(talk(ASK, ANSWER)).encode().replace(b"Bamako", b"\\ud83d")]),
    "f45 mojibake": (
        "TXT102",
        "/messages/1/content",
        [talk(ASK, reply("It’s the cafÃ© â€œBamakoâ€\x9d, naÃ¯ve as that is."))],
    ),
    "f46 mixed": ("FMT117", "", [{"prompt": "Mali ->", "completion": " Bamako"}]),
    "f47 duplicate key": ("IO105", "", [json.dumps(talk(ASK, ANSWER)).encode()[:-1] + b', "messages": []}']),
    "f48 NaN": ("IO106", "", [json.dumps(talk(ASK, ANSWER)).encode()[:-1] + b', "score": NaN}']),
    "f51 bad address": (
        "IMG102",
        "/messages/0/content/0/image_url/url",
        [talk(user([{"type": "image_url", "image_url": {"url": url}}]), ANSWER) for url in ("a.png", "http://", "")],
    ),
    "f52 picture by assistant": ("IMG103", "/messages/1/content/0", [talk(ASK, reply([PICTURE]))]),
    "f54 e-mail": ("PII101", "/messages/1/content", [talk(ASK, reply("Write to ann.lee@bamako-travel.ml today."))]),
    "f55 bad name": ("FMT112", "/messages/0/name", [talk(user("Capital of Mali?", name="Ann Lee!"), ANSWER)]),
    "f60 legacy call": (
        "FMT133",
        "/messages/1/function_call",
        [
            talk(
                ASK,
                {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}},
                {"role": "function", "name": "find", "content": "Bamako"},
                ANSWER,
            )
        ],
    ),
}


@pytest.mark.parametrize(
    ("kind", "number"),
    [pytest.param(k, n, id=f"{k} {n}") for k, (_, _, rows) in RECORDS.items() for n in range(len(rows))],
)
def test_the_fault_of_a_record_is_named_at_its_place(kind: str, number: int, tmp_path: Path) -> None:
    code, pointer, records = RECORDS[kind]
    seen = found(tmp_path, written(lines_with(records[number], records[number])))
    assert {(code, FIRST, pointer), (code, SECOND, pointer)} <= seen


def _pretty(data: list[Any]) -> bytes:
    return "\n".join(json.dumps(row, indent=2) for row in data).encode()


# Kind: code, line, and the bytes of a file that has it; the name and the recipe where they matter.
FILES: dict[str, tuple[str, int, Callable[[], bytes], dict[str, Any]]] = {
    "f03 an array": ("IO110", 1, lambda: json.dumps(lines_with(), indent=1).encode(), {}),
    "f04 a blank line": ("IO108", 5, lambda: written([*lines_with()[:4], b"", *lines_with()[4:]]), {}),
    "f05 a mark": ("IO102", 1, lambda: b"\xef\xbb\xbf" + written(lines_with()), {}),
    "f06 Latin-1": ("IO101", 4, lambda: written(lines_with("x")).replace(b'"x"', "{'é'}".encode("latin-1")), {}),
    "f38 too few": ("FMT170", 1, lambda: written(lines_with()[:9]), {"target": "openai"}),
    "f39 duplicates": ("DUP101", 9, lambda: written(lines_with(sound(0), sound(0))), {}),
    "f40 conflicting": (
        "DUP104",
        9,
        lambda: written(lines_with(talk(ASK, ANSWER), talk(ASK, reply("No, Timbuktu is")))),
        {},
    ),
    "f41 too long": (
        "TOK102",
        4,
        lambda: written(lines_with(talk(ASK, reply("so it goes " * 2000)))),
        {"target": "openai:gpt-3.5-turbo-0613"},
    ),
    "f49 empty": ("IO115", 1, lambda: b"", {}),
    "f50 too many pictures": (
        "IMG101",
        4,
        lambda: written(lines_with(talk(user([{"type": "text", "text": "These?"}, *[PICTURE] * 11]), ANSWER))),
        {"target": "openai"},
    ),
    "f53 ShareGPT": (
        "FMT175",
        1,
        lambda: written(
            [
                {"conversations": [{"from": "human", "value": f"Q {i}"}, {"from": "gpt", "value": "A"}]}
                for i in range(12)
            ]
        ),
        {"target": "openai"},
    ),
    "f56 CRLF": ("IO109", 1, lambda: written(lines_with()).replace(b"\n", b"\r\n"), {}),
    "f57 near-duplicates": (
        "DUP103",
        9,
        lambda: written(lines_with(_long("the mill"), _long("a mill"))),
        {},
    ),
    "f58 pretty-printed": ("IO110", 1, lambda: _pretty(lines_with()), {}),
    "f59 developer": (
        "FMT130",
        4,
        lambda: written(lines_with(talk({"role": "developer", "content": "Be brief."}, ASK, ANSWER))),
        {"target": "together"},
    ),
}


def _long(what: str) -> Record:
    story = "He walked along the river in the morning and looked at the water for a long while before he went on to"
    return talk(user("What did he do on that day in spring?"), reply(f"{story} {what}, where nobody was at home."))


@pytest.mark.parametrize("kind", FILES)
def test_the_fault_of_a_file_is_named_at_its_line(kind: str, tmp_path: Path) -> None:
    code, line, make, recipe = FILES[kind]
    assert (code, line) in {(c, at) for c, at, _ in found(tmp_path, make(), **recipe)}


def test_sixteen_bits_are_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(written(lines_with()).decode().encode("utf-16"))
    report = ft.check(path, target="openai")
    assert report.rows.loaded == 12
    assert report.inputs[0].encoding == "utf-16-le"
    assert {f.code for f in report.findings} & {"IO102", "IO103"}


def test_every_fault_of_a_row_is_named(tmp_path: Path) -> None:
    row = talk(
        {"role": "User", "content": 5, "name": "a b"},
        reply("Bamako.", weight=3, score=1),
        {"role": "assistant"},
        "what",
        topic=1,
        tools="no",
    )
    seen = {(code, pointer) for code, line, pointer in found(tmp_path, written(lines_with(row))) if line == FIRST}
    assert {
        ("FMT107", "/messages/0/role"),
        ("FMT109", "/messages/0/content"),
        ("FMT112", "/messages/0/name"),
        ("FMT113", "/messages/1/weight"),
        ("FMT111", "/messages/1/score"),
        ("FMT108", "/messages/2"),
        ("FMT105", "/messages/3"),
        ("FMT110", "/topic"),
        ("FMT119", "/tools"),
    } <= seen


TWINS: dict[str, tuple[list[Record], dict[str, Any]]] = {
    "plain chat": ([sound(i) for i in range(12)], {"target": "openai"}),
    "tools": (
        [
            talk(
                user(f"Which town is the capital of {t}?"),
                call(json.dumps({"country": t})),
                heard(),
                reply(f"For {t} it is Bamako, as far as I can see."),
                tools=[TOOL],
            )
            for t in _THINGS
        ],
        {"target": "azure"},
    ),
    "parallel calls": (
        [
            talk(
                user(f"Which towns are the capitals of {t} and Chad?"),
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": f"call_{n}", "type": "function", "function": {"name": "find", "arguments": a}}
                        for n, a in enumerate(('{"country": "Mali"}', '{"country": "Chad"}'))
                    ],
                },
                heard("call_1"),
                heard("call_0"),
                reply(f"{t} has a capital that I found."),
                tools=[TOOL],
                parallel_tool_calls=True,
            )
            for t in _THINGS
        ],
        {"target": "openai"},
    ),
    "vision": (
        [
            talk(
                user([{"type": "text", "text": f"Is there a {t} on this picture?"}, PICTURE]),
                reply(f"The {t} is on it."),
            )
            for t in _THINGS
        ],
        {"target": "openai:gpt-4o"},
    ),
    "preference": (
        [
            {
                "input": {"messages": [user(f"What is a {t}?")]},
                "preferred_output": [reply(f"A {t} is a thing that one can look up.")],
                "non_preferred_output": [reply(f"I do not care for any {t}.")],
            }
            for t in _THINGS
        ],
        {"target": "openai"},
    ),
    "reinforcement": (
        [talk({"role": "developer", "content": "One word."}, user(f"Spell {t}."), answer=t) for t in _THINGS],
        {"target": "openai", "method": "reinforcement"},
    ),
    "developer role": (
        [talk({"role": "developer", "content": "One sentence."}, *sound(i)["messages"][1:]) for i in range(12)],
        {},
    ),
}


@pytest.mark.parametrize("kind", TWINS)
def test_a_sound_file_gives_no_error_and_no_warning(kind: str, tmp_path: Path) -> None:
    rows, recipe = TWINS[kind]
    data = written(rows)
    if recipe.get("target") == "azure":
        data = b"\xef\xbb\xbf" + data
    closed = {"FMT177", "FMT178"}  # of the day, not of the file
    assert {place for place in found(tmp_path, data, **recipe) if place[0] not in closed} == set()
