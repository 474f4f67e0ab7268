"""What other libraries say in their exceptions is told without secrets, by the library as by the command line."""

from __future__ import annotations

import ast
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

import ftprep as ft
from ftprep.errors import FtprepError
from ftprep.foreign import kind_and_words, words_of
from ftprep.readers import workbook_guard

CANARY = "Zq7Canary" + "Kx91Zb3W"
SAID = f"GET https://user:{CANARY}@host/x?sig={CANARY} with Bearer {CANARY} failed:\n {{}} \x1b[2J key {CANARY}"
PACKAGE = Path(ft.__file__).parent


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", CANARY)


def boom(*_: Any, **__: Any) -> NoReturn:
    raise ValueError(SAID)


def test_words_are_one_line_without_secrets_whatever_they_are_cut_to() -> None:
    for most in range(1, len(SAID) + 1):
        for piece in (words_of(ValueError(SAID), most), words_of(SAID, most), kind_and_words(ValueError(SAID), most)):
            assert CANARY[:9] not in piece
            assert "\n" not in piece
    assert words_of(ValueError("plain words")) == "plain words"
    assert kind_and_words(KeyError()) == words_of(KeyError()) == "KeyError"
    assert words_of(FileNotFoundError(2, "No such file", "x")) == "No such file"


def told(source: Any, **settings: Any) -> str:
    """All that the library says of a source: the report, or the error."""
    try:
        return ft.check(source, **settings).model_dump_json()
    except FtprepError as error:
        return str(error)


def test_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
    monkeypatch.setattr(workbook_guard, "_check_size", boom)
    assert_masked(told(path))


def test_what_the_child_of_a_workbook_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ftprep.readers import workbook

    child = type("Child", (), {"stdout": [json.dumps({"error": SAID}).encode()]})()
    with pytest.raises(workbook_guard.Refused) as caught:
        list(workbook._said(child))
    assert_masked(caught.value.fault.message)


def test_what_the_child_of_a_parquet_file_says() -> None:
    from ftprep.readers.parquet import _payload
    from ftprep.readers.parquet_child import why

    fault = _payload(b"E", json.dumps(why(ValueError(SAID), 1)).encode(), 1)
    assert_masked(fault.message)
    assert fault.message.endswith("; fetch or write it again")


def test_packed_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ftprep.readers import packed

    class Broken:
        eof, needs_input, unused_data = False, True, b""
        decompress = staticmethod(boom)

    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"prompt": "a ->", "completion": " b"}\n'))
    monkeypatch.setattr(packed.Packing, "start", lambda _: (Broken(), ValueError))
    assert_masked(told(path))


def test_files_elsewhere() -> None:
    from ftprep.readers.remote_trouble import told as told_of

    assert_masked(str(told_of(f"s3://u:{CANARY}@b/k", RuntimeError(SAID.replace("\n", " ")))))


def test_settings_and_manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    path = tmp_path / "r.toml"
    path.write_text("")
    monkeypatch.setattr(tomllib, "loads", boom)
    assert_masked(told([{"prompt": "a", "completion": "b"}], recipe=str(path)))
    assert_masked(told([{"prompt": "a", "completion": "b"}], target=str(path)))


def test_templates_and_tokenizers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    from ftprep.rendering.measure import Vocabulary

    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    monkeypatch.setattr(tokenizers, "Tokenizer", type("Tokenizer", (), {"from_file": staticmethod(boom)}))
    with pytest.raises(FtprepError) as caught:
        Vocabulary(path)
    assert_masked(str(caught.value))


def test_what_a_template_says(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    from ftprep.rendering.local import _rendered

    case = type("Case", (), {"script": type("Script", (), {"roles": (), "label": None})(), "texts": ()})()
    file = type("File", (), {"name": "t"})()
    assert_masked(_rendered(file, case, {"error": SAID}).refused)


def test_engines_that_count_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    from ftprep.tokens import Counter, engines

    monkeypatch.setattr(engines, "load", boom)
    counter = Counter("o200k_base", engine="fastokens")
    assert counter.count(["some words"]) == [2]
    assert_masked(counter.note)


def test_a_rule_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    from ftprep.rules import dup

    rule = next(kind for kind in vars(dup).values() if hasattr(kind, "card") and kind.card.code == "DUP101")
    monkeypatch.setattr(rule, "judge", boom)
    assert_masked(told([{"prompt": "a ->", "completion": " b"}] * 2))


def test_addresses_of_pictures() -> None:
    from ftprep.rules.pictures import _syntax_fault

    said = _syntax_fault(f"https://user:{CANARY}@host:{CANARY}/x", "https")
    assert "cannot be read" in said
    assert_masked(said)


def assert_masked(text: str) -> None:
    assert CANARY not in text, text
    assert "host" in text or "cannot be read" in text or "SOME_API_KEY" in text, text


def test_no_message_quotes_an_exception_by_itself() -> None:
    """`{error}` and `str(error)` of what an `except` caught stand nowhere but where the words are masked, or ours."""
    found: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix() in OWN or path.parent.name == "jobs":
            continue
        for handler in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(handler, ast.ExceptHandler) and handler.name and not is_own(handler.type):
                where = f"{path.relative_to(PACKAGE)}:{handler.lineno}"
                found += [where for node in ast.walk(handler) if quotes(node, handler.name)]
    assert found == []


OWN = {
    "foreign.py",
    "cli/outcomes.py",  # masks all that it tells
    "cli/terminal.py",  # told by outcomes.py
    "rules/tool.py",  # ValueErrors of its own
    "rendering/template_child.py",  # nothing of ours is imported there; its parent masks
    "readers/workbook_child.py",
    "readers/parquet_child.py",
}
_OURS = {"FtprepError", "UsageError", "ReadError", "WriteError", "MissingExtra", "Refused", "Refusal", "CannotConvert",
         "NotTaken", "BadJson", "Unfit", "SourceBroken", "Trouble"}  # fmt: skip


def is_own(kinds: ast.expr | None) -> bool:
    """Whether only exceptions of ftprep are caught."""
    names = [node.id for node in ast.walk(kinds) if isinstance(node, ast.Name)] if kinds else []
    return bool(names) and set(names) <= _OURS


def quotes(node: ast.AST, name: str) -> bool:
    """Whether a node is the text of the exception of this name."""
    if isinstance(node, ast.FormattedValue):
        parts = node.value.values if isinstance(node.value, ast.BoolOp) else [node.value]
        return any(isinstance(part, ast.Name) and part.id == name for part in parts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr"):
        return any(isinstance(part, ast.Name) and part.id == name for part in node.args)
    return False
