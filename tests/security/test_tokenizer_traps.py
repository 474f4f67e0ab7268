"""Texts that bring tokenizers down or to a crawl are counted in bounded time; a panic is told in a line (S13, S15)."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import ftprep
from ftprep.__main__ import main
from ftprep.tokens.counter import Counter

MILLION = 1_000_000
TRAPS = {
    "one letter": "a" * MILLION,
    "blanks": " " * MILLION,
    "line ends": "\n" * MILLION,
    "mixed blanks": " \t\n" * (MILLION // 3),
    "combining marks": "e" + "\u0301" * MILLION,
    "emoji joiners": "\U0001f469\u200d" * (MILLION // 2),
    "variation selectors": "\u2764\ufe0f" * (MILLION // 2),
    "apostrophes": "'s" * (MILLION // 2),
    "digits": "1" * MILLION,
    "one ideograph": "\u4e00" * MILLION,
    "lone surrogates": "\ud800" * MILLION,
    "special tokens": "<|endoftext|>" * (MILLION // 13),
    "nulls": "\x00" * MILLION,
    "punctuation": "!?" * (MILLION // 2),
}
SECONDS = 10.0
"""Of processor time, where the same machine counts a megabyte of prose in 0.05; the worst, measured, takes 2."""


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base", "p50k_base"])
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_counted_in_time(encoding: str, trap: str) -> None:
    begun = time.process_time()
    (count,) = Counter(encoding).count([TRAPS[trap]])
    assert time.process_time() - begun < SECONDS
    assert 0 < count <= 4 * MILLION


@pytest.mark.parametrize("trap", [t for t in TRAPS if t != "lone surrogates"])
def test_a_whole_check_of_a_trap_ends_in_time(trap: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = TRAPS[trap]
    (tmp_path / "a.jsonl").write_text(json.dumps({"prompt": text, "completion": f" {text}"}) + "\n", encoding="utf-8")
    begun = time.process_time()
    assert main(["check", str(tmp_path / "a.jsonl")]) in (0, 1)
    assert time.process_time() - begun < 3 * SECONDS
    out, err = capfd.readouterr()
    assert "panicked" not in out + err
    assert "Traceback" not in out + err


def test_text_of_special_tokens_is_text() -> None:
    words = ["<|endoftext|>", "<|im_start|>", "<|fim_prefix|>", "<|endofprompt|>", "<|start|>"]
    assert all(count > 1 for count in Counter("o200k_base").count(words))


def test_a_panic_elsewhere_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class PanicException(BaseException):
        """As native libraries raise it: no Exception."""

    def panic(*_: object, **__: object) -> None:
        raise PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr("ftprep.pipeline.check", panic)
    (tmp_path / "a.jsonl").write_text("{}\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "a.jsonl")]) == 3
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 2)
    assert err.startswith("error: this is a bug in ftprep: PanicException: called")


def test_rows_around_a_trap_are_counted() -> None:
    rows = [{"prompt": "a ->", "completion": " b"}, {"prompt": " " * MILLION, "completion": " c"}] * 2
    report = ftprep.check(rows)
    assert report.tokens is not None
    assert report.rows.loaded == 4
