"""Files of settings cannot hang a run, and what is written has the rights that the user's umask gives (S19, S20)."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from security_runs import furnish, run, script

from ftprep.__main__ import main

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
USES = (
    ("check", "a.jsonl", "--recipe", "./{}.toml"),
    ("check", "a.jsonl", "--recipe", "./{}.json"),
    ("check", "a.jsonl", "--target", "./{}.toml"),
    ("recipe", "./{}.toml"),
    ("tokens", "chats.jsonl", "--show", "1", "--template", "./{}.jinja"),
    ("tokens", "chats.jsonl", "--show", "1", "--template", "./{}.json"),
    ("verify", "./{}.json"),
)


def huge(path: Path) -> None:
    """A file of 16 GiB that takes no room."""
    path.touch()
    os.truncate(path, 1 << 34)


BAD: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo if os.name != "nt" else Path.mkdir,
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
    "circle": lambda path: path.symlink_to(path),
    "deep": lambda path: path.write_text(f"a={'[' * 20_000}{']' * 20_000}\n", encoding="utf-8"),
    "deeper": lambda path: path.write_text("[" * 200_000, encoding="utf-8"),
    "dotted": lambda path: path.write_text(".".join("a" * 5_000) + "=1\n", encoding="utf-8"),
    "bytes": lambda path: path.write_bytes(b"\x80\x04\x95\xff\xfe\x00" * 99),
    "huge": huge,
    "digits": lambda path: path.write_text(f"a = {'9' * 10_000}\n", encoding="utf-8"),
}


@posix
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("use", USES, ids=" ".join)
def test_a_file_of_settings_that_is_none_is_told_at_once(
    kind: str,
    use: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path)
    for suffix in ("toml", "json", "jinja"):
        BAD[kind](tmp_path / f"x.{suffix}")
    begun = time.monotonic()
    code = main([each.format("x") for each in use])
    out, err = capsys.readouterr()
    if use[-1].endswith(".jinja") and code in (0, 1):
        assert kind in ("deep", "deeper", "dotted", "digits")  # any text is a template
        return
    if (use[0], kind) == ("recipe", "dotted"):  # which shows a recipe as it is
        return
    assert (code, out) == (2, ""), err
    assert err.startswith("error: ")
    assert len(err.splitlines()) <= 2
    assert time.monotonic() - begun < 10


@posix
@pytest.mark.parametrize(("mask", "wanted"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640)])
def test_what_is_written_has_the_rights_that_the_umask_gives(mask: int, wanted: int, tmp_path: Path) -> None:
    furnish(tmp_path)
    with (tmp_path / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"prompt": 5}\nnot json\n')
    before = os.umask(mask)
    try:
        assert main(["prepare", str(tmp_path / "a.jsonl"), "-y", "-o", str(tmp_path / "out")]) == 0
    finally:
        os.umask(before)
    made = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "out").iterdir() if not p.name.startswith(".")}
    assert "a_prepared_rejected.jsonl" in made
    assert set(made.values()) == {wanted}, made


@posix
def test_nothing_is_left_or_followed_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    furnish(tmp_path)
    temporary, target = tmp_path / "tmp", tmp_path / "mine.txt"
    temporary.mkdir()
    temporary.chmod(0o777)
    target.write_text("mine", encoding="utf-8")
    for name in ("ftprep", "ftprep-", "ftprep-0", "requests.jsonl", "a_prepared.jsonl"):
        (temporary / name).symlink_to(target)
    before = sorted(p.name for p in temporary.iterdir())
    for arguments in (
        ("prepare", "a.jsonl", "-y", "-o", "out"),
        ("check", "chats.jsonl", "--workers", "2"),
        ("check", "https://127.0.0.1:9/x.jsonl"),
    ):
        ran = run(script(tmp_path), *arguments, cwd=tmp_path, TMPDIR=str(temporary))
        assert ran.code in (0, 1, 2), ran
    assert sorted(p.name for p in temporary.iterdir()) == before
    assert target.read_text(encoding="utf-8") == "mine"


@posix
def test_a_folder_of_parts_that_others_can_write_is_refused(tmp_path: Path) -> None:
    from ftprep.errors import WriteError
    from ftprep.parts import own_folder

    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    with pytest.raises(WriteError, match="not a folder of this user alone"):
        own_folder(tmp_path / "theirs")
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="not a folder of this user alone"):
        own_folder(tmp_path / "link")
    assert stat.S_IMODE(own_folder(tmp_path / "new").stat().st_mode) == 0o700
