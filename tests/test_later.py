"""A pattern that is compiled later finds what one that is compiled at once finds, and every one of them compiles."""

from __future__ import annotations

import importlib
import pickle
import re
from typing import Any

import pytest
from test_floors import MODULES

from ftprep.later import Later, later


def test_it_finds_what_the_compiled_pattern_finds() -> None:
    lazy, made = later(r"(\d)-(\w+)", re.IGNORECASE), re.compile(r"(\d)-(\w+)", re.IGNORECASE)
    text = "1-a 2-B 3-"
    assert lazy.findall(text) == made.findall(text)
    assert [m.span() for m in lazy.finditer(text)] == [m.span() for m in made.finditer(text)]
    assert (lazy.sub("x", text), lazy.split(text)) == (made.sub("x", text), made.split(text))
    assert (lazy.pattern, lazy.flags, lazy.groups) == (made.pattern, made.flags, made.groups)


def test_it_is_compiled_once_and_only_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []
    original = re.compile

    def compile_and_note(*given: Any) -> Any:
        compiled.append(given)
        return original(*given)

    monkeypatch.setattr(re, "compile", compile_and_note)
    lazy = later("a+")
    assert not compiled
    assert lazy.search("caat")
    assert lazy.search("caat")
    assert lazy.fullmatch("aa")
    assert compiled == [("a+", 0)]


def test_it_pickles() -> None:
    lazy = later("a+")
    assert pickle.loads(pickle.dumps(lazy)).findall("caat") == ["aa"]
    assert lazy.findall("caat") == ["aa"]
    assert pickle.loads(pickle.dumps(lazy)).findall("caat") == ["aa"]


def test_what_a_pattern_has_not_it_has_not() -> None:
    assert not hasattr(later("a"), "finder")
    assert not hasattr(later("a"), "__len__")
    with pytest.raises(re.error, match="unterminated"):
        later("[a").search("a")


@pytest.mark.parametrize("name", [name for name, _ in MODULES if not name.endswith("_child")])
def test_every_pattern_of_the_package_compiles(name: str) -> None:
    for found in vars(importlib.import_module(name)).values():
        for each in found.values() if isinstance(found, dict) else [found]:
            if isinstance(each, Later):
                assert isinstance(each.pattern, str)
