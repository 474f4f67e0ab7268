"""Which fast engine counts: by what is there, what the text is, and what is loaded already."""

from __future__ import annotations

import json
import sys

import pytest

from ftprep.tokens import engines

ENGLISH = "The cat sat on the mat, and it did not mind. " * 50
CHINESE = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。" * 50
THAI = "สวัสดีครับยินดีต้อนรับ" * 50
LARGE = 10**9


@pytest.fixture(autouse=True)
def both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda _: True)
    monkeypatch.setattr(engines, "_loaded", {})


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("", "gigatoken"),
        (ENGLISH, "gigatoken"),
        ("Кошка сидела на коврике. " * 50, "gigatoken"),
        ("고양이가 매트 위에 앉았다. " * 50, "gigatoken"),
        (CHINESE, "fastokens"),
        (THAI, "fastokens"),
        (ENGLISH * 3 + CHINESE, "fastokens"),
        (json.dumps({"messages": [{"role": "user", "content": CHINESE}]}), "fastokens"),
        (json.dumps({"messages": [{"role": "user", "content": "naïve café – " * 50}]}), "gigatoken"),
    ],
)
def test_the_text_decides(text: str, engine: str) -> None:
    assert engines.paying("o200k_base", LARGE, [text]) == engine


@pytest.mark.parametrize("engine", ["gigatoken", "fastokens", ""])
@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_one_serves_all_where_there_is_no_other(engine: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda name: name == engine)
    assert engines.paying("o200k_base", LARGE, [text]) == engine


@pytest.mark.parametrize(
    ("encoding", "size", "text", "engine"),
    [
        ("o200k_base", 6_999_999, ENGLISH, None),
        ("o200k_base", 7_000_000, ENGLISH, "gigatoken"),
        ("o200k_base", 7_000_000, CHINESE, None),
        ("o200k_base", 28_000_000, CHINESE, "fastokens"),
        ("p50k_base", LARGE, ENGLISH, None),
    ],
)
def test_only_what_pays_is_loaded(encoding: str, size: int, text: str, engine: str | None) -> None:
    assert engines.paying(encoding, size, [text]) == engine


def test_what_is_loaded_is_used_again_unless_the_start_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded:
        engine = "fastokens"

    monkeypatch.setitem(engines._loaded, "o200k_base", Loaded())
    assert engines.paying("o200k_base", LARGE, [ENGLISH]) == "fastokens"
    assert engines.paying("o200k_base", LARGE, [ENGLISH], fresh=True) == "gigatoken"
    assert engines.paying("o200k_base", 1000, [ENGLISH]) is None


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_gigatoken_is_for_where_its_memory_can_be_watched(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", platform)
    engines.is_installed.cache_clear()
    try:
        assert not engines.is_installed("gigatoken")
    finally:
        engines.is_installed.cache_clear()
