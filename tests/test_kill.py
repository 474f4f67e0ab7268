"""A kill at each call of the system, one after the other: files whole, no old one lost, the next run puts it right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sample_sets import as_records, jsonl, sound
from test_faults import BEFORE, MOST, Job, laid_out, seen
from writing import python, tree

import ftprep as ft
from ftprep.disk import TEMP_SUFFIX
from ftprep.writer import OutputSet, tidy

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")
CALLS = ("open", "write", "fsync", "replace", "link", "unlink", "mkdir", "rmdir", "ftruncate")
KILL = Path(__file__).parent / "reliability" / "kill.py"


def killed(job: Job, folder: Path, at: int) -> bool:
    """Do a job in a process that dies right after its `at`-th call; whether there were so many."""
    pid = os.fork()
    if not pid:
        try:
            left = [at]
            for name in CALLS:
                setattr(os, name, deadly(getattr(os, name), left))
            job(folder)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def deadly(real: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def call(*args: object, **named: object) -> object:
        left[0] -= 1
        mine = left[0] == 0
        try:
            return real(*args, **named)
        finally:
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)

    return call


@pytest.mark.parametrize("job", BEFORE)
def test_killed_at_any_call(tmp_path: Path, job: Job) -> None:
    before = BEFORE[job]
    done = seen(laid_out(tmp_path / "done", before), job)
    for at in range(1, MOST):
        folder = laid_out(tmp_path / str(at), before)
        if not killed(job, folder, at):
            break
        every = seen(folder)
        left = {name: data for name, data in every.items() if not Path(name).name.startswith(".")}
        for name, data in left.items():
            assert data in (before.get(name), done.get(name)), (at, name)
        for name, data in before.items():  # what was there is there, under its name or beside it, until all is done
            assert data in every.values() or left.keys() >= done.keys(), (at, name)
        if left.get("manifest.json", b"") != before.get("manifest.json", b""):
            assert left == done, at  # the manifest is the last to appear
        for inner in (folder, *(each for each in folder.rglob("*") if each.is_dir())):
            tidy(inner)
        assert seen(folder) in (before, done), at
        assert seen(folder) == done or seen(folder, job) == done, at
    else:
        raise AssertionError("so many calls were not thought of")
    assert at > 20


def test_what_the_command_line_leaves_when_it_is_killed() -> None:
    command = [sys.executable, str(KILL), "--times", "4", "--rows", "60", "--job"]
    with ThreadPoolExecutor() as both:
        runs = both.map(
            lambda job: subprocess.run([*command, job], capture_output=True, text=True, check=False, timeout=120),
            ("prepare", "fix"),
        )
    for run in runs:
        assert (run.returncode, run.stderr) == (0, ""), run.stdout


def test_a_journal_of_others_is_not_heeded(tmp_path: Path) -> None:
    """Data that was downloaded could bring one: no file outside of its folder is touched, none of other bytes."""
    (tmp_path / "in").mkdir()
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "in" / "mine").write_bytes(b"mine")
    old = f".a.0123456789abcdef.old{TEMP_SUFFIX}"
    for number, (name, kept) in enumerate(
        [("../precious", old), ("mine", "../precious"), ("mine", old), ("mine", "mine")]
    ):
        step = f'{{"name": "{name}", "old": "{kept}", "was_there": true, "size": 9, "sha256": "00"}}'
        journal = tmp_path / "in" / f".{number:016x}.journal{TEMP_SUFFIX}"
        journal.write_text(f'{{"steps": [{step}], "home": "{tmp_path / "in"}", "mark": {step}, "others": []}}')
        journal.chmod(0o600)
    (tmp_path / "in" / old).write_bytes(b"theirs")
    with OutputSet() as outputs:
        outputs.folder(tmp_path / "in" / "out")
    assert tree(tmp_path) == {"precious": b"mine", "in/mine": b"mine"}


def test_a_journal_that_others_may_write_is_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / f".0123456789abcdef.journal{TEMP_SUFFIX}"
    journal.write_bytes(b"{")
    journal.chmod(0o666)
    with OutputSet() as outputs:
        outputs.folder(tmp_path / "out")
    assert journal.exists()


TWO = """
    import sys
    import ftprep as ft
    from pathlib import Path
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        ft.prepare(Path(sys.argv[1]), out=sys.argv[2], name="set", force=sys.argv[3] == "force", workers=1)
        print("written")
    except ft.FtprepError as error:
        print("refused", error)
"""


@pytest.mark.parametrize("force", ["force", "new"])
def test_two_writers_at_once_never_mix(tmp_path: Path, force: str) -> None:
    """One after the other where both may write; else one is refused. What stands is one of the two sets."""
    out, whole = tmp_path / "out", []
    for number in range(2):
        source = tmp_path / f"{number}.jsonl"
        source.write_bytes(jsonl(as_records(sound(60 + 10 * number))))
        whole.append(tree_of(ft.prepare(source, out=tmp_path / f"whole{number}", name="set").manifest))
    with python(TWO, tmp_path / "0.jsonl", out, force) as one, python(TWO, tmp_path / "1.jsonl", out, force) as two:
        for process in (one, two):
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        told = []
        for process in (one, two):
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        told = sorted(process.communicate(timeout=60)[0].split(" ")[0].strip() for process in (one, two))
    assert told == (["written", "written"] if force == "force" else ["refused", "written"])
    assert tree_of(out / "set_prepared.manifest.json") in whole
    assert ft.verify(out / "set_prepared.manifest.json").whole


def tree_of(manifest: Path | None) -> dict[str, bytes]:
    assert manifest
    return tree(manifest.parent)


FULL = """
    import resource, sys
    from pathlib import Path
    from ftprep.__main__ import main
    most = int(sys.argv[1])
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "command",
    [
        ("prepare", "a.jsonl", "-o", "out", "--force"),
        ("prepare", "a.jsonl", "-o", "out", "--force", "--shards", "2"),
        ("convert", "a.jsonl", "-o", "out/a.parquet", "--force"),
        ("split", "a.jsonl", "-o", "out", "--force"),
        ("fix", "a.jsonl", "--backup"),
    ],
    ids=lambda command: " ".join(command[:1] + command[5:6]),
)
def test_a_file_that_may_not_grow(tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    rng = random.Random(0)
    rows = [(f"question {n} {rng.randbytes(40).hex()} ->", f"{rng.randbytes(20).hex()} END") for n in range(1500)]
    (tmp_path / "a.jsonl").write_bytes(jsonl(as_records(rows)))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_prepared_train.jsonl").write_bytes(b"old")
    before = tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    with python(FULL, "50000", *command) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("error: cannot write ")
    assert err.splitlines()[0].endswith(": File too large")
    (hint,) = err.splitlines()[1:]
    assert hint.startswith("  raise the limit on the size of a file (ulimit -f)")
    assert ("; what is done so far stays in " in hint) is ("--shards" in command)
    assert {name: data for name, data in tree(tmp_path).items() if ".ftprep-parts" not in name} == before
