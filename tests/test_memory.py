"""What a process holds of memory is told, and the C library's own ways are asked for where they are there."""

from __future__ import annotations

import sys

import pytest

from ftprep import memory


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_what_is_taken_and_given_back_is_seen() -> None:
    before = memory.held()
    block = b"x" * (64 << 20)
    held = memory.held()
    del block
    memory.give_back()
    assert held - before > 60 << 20
    assert memory.held() < held - (60 << 20)


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, flags: int) -> int:
        raise FileNotFoundError(name, flags)

    monkeypatch.setattr("ftprep.memory.os.open", missing)
    assert memory.held() == 0


def test_a_c_library_without_these_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    memory.give_back()
    memory.share_one_heap()
