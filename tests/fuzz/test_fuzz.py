"""A short run of each fuzz target; that the fuzzer finds what breaks a law; and what it found once, which is mended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))  # where seeds are made

import fuzz
import fuzz_targets

SECONDS = 2.0


@pytest.mark.parametrize("target", sorted(fuzz_targets.TARGETS))
def test_no_input_breaks_a_law(target: str) -> None:
    tried, data, trouble = fuzz.run(target, 1_000_000, seed=11, seconds=SECONDS)
    assert data is None, f"{trouble}\n{data!r}"
    assert tried > 50


def test_a_broken_law_is_found_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that keeps the last of two equal keys is caught within the seeds."""
    import json

    from ftprep.readers import jsonl

    monkeypatch.setattr(jsonl, "loads", lambda data: json.loads(data.decode()))
    _, data, trouble = fuzz.run("jsonl", 2000, seed=1)
    assert data is not None
    assert trouble


@pytest.mark.parametrize("target", sorted(fuzz_targets.TARGETS))
def test_what_was_found_once_stays_mended(target: str) -> None:
    for data in FOUND.get(target, ()):
        fuzz_targets.TARGETS[target](data)


FOUND: dict[str, tuple[bytes, ...]] = {
    "csv": (
        # Where a torn record ends was told by a quote behind the place where the chunk was cut.
        b'p!o"\n",completion\n"open>\'\na,b\na,b\na,#b\na,b\na,b\na,b\na,b\na\n",pc,"d"\na,b\na,b\na,b\n',
        # A first line sep=" made the quote a delimiter, which no reader can tell from a quote.
        b'sep="\n"\n\r\np\r\nrgr\xf6\xdfer\n;a,b\n"open,b\na,b\na,b\na,b\nb\na,b\n\n',
        b"sep=\r\na\rb\n1\r2\n",
        b"sep=\0\na\0b\n1\0002\n",
        b"sep=\xe9\na\xe9b\n1\xe92\n",
    ),
    "workbook": tuple(
        # An encoding that Python does not know is a LookupError, which nobody caught.
        kind + b'<?xml version="1.0" encoding="' + name + b'"?><worksheet t="e"/>'
        for kind in (b"r", b"w", b"s", b"t")
        for name in (b"WTF-8", b"utf-7", b"shift_jis", b"rot13")
    ),
}
"""Inputs that broke a law."""
