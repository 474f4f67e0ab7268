"""Hostile texts in data, columns, file names and recipes drive no terminal, CI, browser or spreadsheet (S6, S7, S8)."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ftprep
from ftprep.__main__ import main
from ftprep.cli.outcomes import failed
from ftprep.errors import ReadError
from ftprep.views.notebook import fragment
from ftprep.views.plain import HIDDEN

DRIVES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)
NASTY = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\x1b]8;;http://evil\x1b\\x",
    "\u202egnp.exe\u2066\u200f",
    "over\rwritten\x08\x08",
    "\n::error file=x::owned\n::add-mask::a\n##[group]x",
    "a\r::stop-commands::x\x0b\x0c\x1c\x85\u2028::warning::b",
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=x>",
    "</details></td></table><a href=javascript:x>[a](javascript:x)![](http://evil/?q=1)",
    "=cmd|' /C calc'!A0",
    "@SUM(1)\t+1-1",
    "\U000e0041\u200b\ud800\ufeff",
)
nasty = st.sampled_from(NASTY) | st.lists(st.sampled_from(NASTY), min_size=1, max_size=3).map("".join)
hostile = (
    nasty | st.text(max_size=30) | st.text(st.sampled_from("\x1b\x9b\u202e\r\n\t:#[]<>&\"'=+-@|`%,;{}"), max_size=20)
)
FORMATS = ("full", "concise", "json", "json-lines", "github")
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(list(arguments))
    return code, *capsys.readouterr()


def is_tame(text: str, form: str = "") -> None:
    """Holds where nothing in a text obeys anything."""
    assert not DRIVES.search(text), repr(DRIVES.search(text))
    if form == "github":
        assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in text.split("\n")[:-1]), text
    else:
        assert not COMMAND.search(text), text


def records(text: str) -> list[dict[str, object]]:
    odd: dict[str, object] = {"messages": [{"role": text, "content": text, text: 1}], text: text}
    return [{"prompt": text, "completion": text}, {"prompt": text, text: text}, {"prompt": 1}, odd] * 3


@quick
@given(text=hostile, form=st.sampled_from(FORMATS))
def test_texts_and_keys_of_data(
    text: str, form: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("d")
    (folder / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records(text)), encoding="utf-8")
    code, out, err = told(capsys, "check", str(folder / "a.jsonl"), "--output-format", form, "--color", "never")
    assert code in (0, 1, 2), err
    is_tame(out, form)
    is_tame(err)
    for command in (("prepare", "-y", "-o", str(folder / "o")), ("tokens",), ("fix", "--diff")):
        code, out, err = told(capsys, command[0], str(folder / "a.jsonl"), *command[1:])
        assert code in (0, 1, 2), err
        is_tame(err)
        if command[0] != "fix":
            is_tame(out)


@quick
@given(cells=st.lists(hostile, min_size=2, max_size=3), form=st.sampled_from(FORMATS))
def test_columns_and_cells_of_a_table(
    cells: list[str], form: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path_factory.mktemp("d") / "a.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        csv.writer(file).writerows([cells] * 4)
    for more in ((), ("--prompt-column", cells[0]), ("--prompt-template", cells[1])):
        code, out, err = told(capsys, "check", str(path), "--output-format", form, *more)
        assert code in (0, 1, 2), err
        is_tame(out, form)
        is_tame(err)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", [n.replace("/", "|")[:100] for n in NASTY if n.isascii() or "\ud800" not in n])
def test_names_of_files_and_folders(
    name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")  # else a diff is as it is
    path = folder / f"{name}.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": 5}\n', encoding="utf-8")
    for arguments in (
        ("check", str(path), "--output-format", form),
        ("check", str(path) + "x", "--output-format", form),
        ("check", str(folder), "--output-format", form, "-v"),
        ("check", str(path), "--recipe", str(path)),
        ("check", str(path), "--target", f"{path}.toml"),
        ("prepare", str(path), "-y", "-o", str(folder / "out"), "--force"),
        ("verify", str(path)),
        ("tokens", str(path)),
        ("fix", str(path), "--diff"),
    ):
        code, out, err = told(capsys, *arguments)
        assert code in (0, 1, 2), (arguments, err)
        is_tame(out, form if "--output-format" in arguments else "")
        is_tame(err)


@quick
@given(text=hostile)
def test_texts_of_recipes_and_options(
    text: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("d")
    (folder / "a.jsonl").write_text('{"prompt": "a ->", "completion": " b"}\n' * 3, encoding="utf-8")
    said = json.dumps(text.encode("utf-8", "replace").decode())
    for recipe in (f"{{{said}: 1}}", f'{{"name": {said}, "description": {said}}}', f'{{"task": {said}}}', said):
        (folder / "r.json").write_text(recipe, encoding="utf-8")
        for arguments in (("check", str(folder / "a.jsonl"), "--recipe", str(folder / "r.json")), ("recipe", "r.json")):
            code, out, err = told(capsys, *arguments)
            assert code in (0, 1, 2), err
            is_tame(out)
            is_tame(err)
    for option in ("--separator", "--stop", "--task", "--recipe", "--target", "--select", "--model"):
        code, out, err = told(capsys, "check", str(folder / "a.jsonl"), f"{option}={text}")
        assert code in (0, 1, 2), err
        is_tame(out)
        is_tame(err)


@given(text=hostile)
def test_errors(text: str) -> None:
    import contextlib

    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        failed(ReadError(text, text))
        failed(OSError(5, text, text))
        failed(ValueError(text))
    is_tame(said.getvalue())


@given(text=hostile)
def test_progress(text: str) -> None:
    from ftprep.views.plain import cut, safe

    for shown in (safe(text), cut(text, 20)):
        assert not HIDDEN.search(shown)


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(name for name, _ in attrs)))


@quick
@given(text=hostile)
def test_the_fragment_has_no_tag_from_the_data(text: str) -> None:
    page = fragment(ftprep.check(records(text)))
    kinds = Tags(fragment(ftprep.check(records("plain")))).found
    extra = {tag for tag, _ in Tags(page).found} - {tag for tag, _ in kinds} - {"br", "code"}
    assert not extra, page
    assert {name for _, names in Tags(page).found for name in names} <= {"class", "style", "dir", "scope"}
    assert not DRIVES.search(page)


@quick
@given(text=hostile)
def test_a_frame_of_findings_has_no_formula(text: str) -> None:
    frame = ftprep.check(records(text)).to_frame()
    saved = io.StringIO()
    frame.to_csv(saved, index=False)
    cells = [cell for row in csv.reader(io.StringIO(saved.getvalue(), newline="")) for cell in row]
    assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_a_cell_of_each_kind_of_formula() -> None:
    from ftprep.report import _no_formula

    for start in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20":
        assert _no_formula(f"{start}1") == f"'{start}1"
    assert [_no_formula(v) for v in ("a=1", "", None, -5)] == ["a=1", "", None, -5]


def test_a_diff_gives_a_ci_no_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.dumps({"prompt": "##[error]x \u202e ->", "completion": "y"}, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_text(f"{line}\n" * 3, encoding="utf-8")
    code, plain, _ = told(capsys, "fix", str(tmp_path / "a.jsonl"), "--diff")
    assert code == 1
    assert "##[error]" in plain  # as it is, for `patch`
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _, out, _ = told(capsys, "fix", str(tmp_path / "a.jsonl"), "--diff")
    is_tame(out)
    assert len(out.splitlines()) == len(plain.splitlines())
