"""Shards: together they are the one file; a run that is cut off goes on, and never with what no longer holds."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drivers import driver, finished, killed, wait_for

import ftprep as ft
from ftprep.engine import Look
from ftprep.errors import ReadError, UsageError, WriteError
from ftprep.manifest import Manifest
from ftprep.model import Chunk
from ftprep.partial import Partial
from ftprep.prepared import Prepared
from ftprep.readers import base, ranges

POSIX = pytest.mark.skipif(os.name != "posix", reason="sends signals")
RANGE = 20_000


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of many small pieces, with rows that are set aside."""
    monkeypatch.setattr(ranges, "RANGE_BYTES", RANGE)
    monkeypatch.setattr(base, "CHUNK_BYTES", 8_000)
    rng = random.Random(2)
    lines = ['{"prompt": "cut']
    for number in range(1500):
        text = f"question {rng.randrange(900)} {'word ' * rng.randrange(40)}->"
        record = {"prompt": text, "completion": f" {rng.choice(['yes', 'no', '答案'])} END", "from": number % 40}
        lines.append(json.dumps(record, ensure_ascii=False))
    made = tmp_path / "set.jsonl"
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def together(files: list[Path]) -> bytes:
    return b"".join(f.read_bytes() for f in files)


def the_same(sharded: Prepared, one: Prepared) -> None:
    """Holds what was written as shards to what was written as one file."""
    for side in ("train", "valid"):
        assert together(sharded.files(side)) == together(one.files(side))
        assert sharded.frame(side).equals(one.frame(side))
    assert together(sharded.files("rejected")) == together(one.files("rejected"))
    assert (sharded.rows, sharded.split, sharded.notes) == (one.rows, one.split, one.notes)
    assert sharded.after.to_json() == one.after.to_json()
    assert sharded.manifest
    assert one.manifest
    manifest = Manifest.model_validate_json(sharded.manifest.read_bytes())
    assert sharded.train
    folder = sharded.train.parent
    for output in manifest.outputs:
        data = (folder / output.path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data), data.count(b"\n")) == (
            output.sha256,
            output.bytes,
            output.rows,
        )
    left = Manifest.model_validate_json(one.manifest.read_bytes())
    assert manifest.model_copy(update={"outputs": ()}) == left.model_copy(update={"outputs": ()})
    written = {o.path for o in manifest.outputs} | {sharded.manifest.name}
    assert {p.name for p in folder.iterdir()} == written


@pytest.mark.parametrize("executor", ["inline", "processes"])
@pytest.mark.parametrize("job", [ft.prepare, ft.split])
@pytest.mark.parametrize(("count", "others"), [(3, {}), (1, {}), ("auto", {"split": {"group": "from"}})])
def test_together_they_are_the_one_file(
    path: Path, tmp_path: Path, executor: str, job: Callable[..., Prepared], count: int | str, others: dict[str, Any]
) -> None:
    sharded = job(path, out=tmp_path / "shards", shards=count, executor=executor, workers="auto", **others)
    the_same(sharded, job(path, out=tmp_path / "one", workers=1, **others))
    many = 1 if count == "auto" else count
    names = [f.name for f in sharded.files("train")]
    stem = "set_prepared_train" if job is ft.prepare else "set_train"
    assert names == [f"{stem}-{n:05d}-of-{many:05d}.jsonl" for n in range(int(many))]
    assert ft.check(str(sharded.train)).dataset.examples == (sharded.split.train if sharded.split else 0)


@pytest.mark.parametrize(
    "source",
    [
        [{"prompt": f"p {n} ->", "completion": f" c {n % 5} END"} for n in range(3000)],
        [{"prompt": f"p {n} ->", "completion": " c END"} for n in range(20)],
    ],
)
def test_records_in_memory_and_sets_that_are_not_split(tmp_path: Path, source: list[dict[str, str]]) -> None:
    sharded = ft.prepare(source, out=tmp_path / "shards", shards=9)
    the_same(sharded, ft.prepare(source, out=tmp_path / "one"))
    assert len(sharded.files("train")) == (1 if len(source) < 50 else 2)


def test_more_shards_than_lines_of_a_side(path: Path, tmp_path: Path) -> None:
    """A shard without a line is not written, and the numbers have no gap."""
    sharded = ft.prepare(path, out=tmp_path / "shards", shards=99_999, split={"valid": 2})
    the_same(sharded, ft.prepare(path, out=tmp_path / "one", split={"valid": 2}))
    assert len(sharded.files("valid")) <= 2 < len(sharded.files("train"))
    assert sharded.valid
    assert sharded.valid.name.startswith("set_prepared_valid-*-of-0000")


def test_earlier_shards_are_refused_or_removed(path: Path, tmp_path: Path) -> None:
    first = ft.prepare(path, out=tmp_path / "out", shards=3)
    for beside in (first.manifest, first.rejected):
        assert beside
        beside.unlink()
    for shards in (2, None):
        with pytest.raises(WriteError, match=r"-00000-of-00003[.]jsonl exists already"):
            ft.prepare(path, out=tmp_path / "out", shards=shards)
    the_same(
        ft.prepare(path, out=tmp_path / "out", shards=2, force=True), one := ft.prepare(path, out=tmp_path / "one")
    )
    again = ft.prepare(path, out=tmp_path / "out", force=True)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in (tmp_path / "one").iterdir())
    assert together(again.files()) == together(one.files())


@pytest.mark.parametrize("wrong", [0, -1, "many", 100_000])
def test_numbers_of_shards_that_are_none(path: Path, tmp_path: Path, wrong: int | str) -> None:
    with pytest.raises(UsageError, match="not a number of files"):
        ft.prepare(path, out=tmp_path / "out", shards=wrong)


# -- cut off, and on again ---------------------------------------------------------------------------------------------


def log_of(file: Path) -> list[str]:
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


@POSIX
@pytest.mark.parametrize("executor", ["inline", "processes"])
@pytest.mark.parametrize("far", [0.5, 1.5])
def test_a_killed_run_goes_on_where_it_was(path: Path, tmp_path: Path, executor: str, far: float) -> None:
    out, log, pieces = tmp_path / "out", tmp_path / "log", -(-path.stat().st_size // RANGE)
    named = {"shards": 3, "out": out, "executor": executor, "workers": 2 if executor == "processes" else 1}
    with driver("prepare", path, named=named, range_bytes=RANGE, log=log, seconds=0.05) as process:
        wait_for(process, int(far * pieces))
        killed(process)
    first, done = log_of(log), list(out.glob(".*/*/.done/*"))
    assert int(far * pieces) <= len(done) < 2 * pieces
    assert not [p for p in out.iterdir() if not p.name.startswith(".")]
    with driver("prepare", path, named=named, range_bytes=RANGE, log=log) as process:
        finished(process)
    second = log_of(log)
    assert len(second) == 2 * pieces - len(done)
    assert len({*first, *second}) == 2 * pieces
    one = ft.prepare(path, out=tmp_path / "one", workers=1)
    assert one.manifest
    made = sorted(out.iterdir())
    assert together([p for p in made if "_train-" in p.name]) == together(one.files("train"))
    assert together([p for p in made if "_valid-" in p.name]) == together(one.files("valid"))
    assert len(made) == 3 + 3 + 2


class Counted:
    """Counts the pieces that are looked at, and stops the run at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen, self.stop = 0, 0
        look = Look.__call__

        def call(job: Look, piece: Chunk) -> Partial:
            self.seen += 1
            if self.seen == self.stop:
                raise KeyboardInterrupt
            return look(job, piece)

        monkeypatch.setattr(Look, "__call__", call)

    def cut(self, path: Path, out: Path, **others: Any) -> int:
        """Stop a run in the middle of its second time through the data; how many pieces there are in all."""
        self.seen = self.stop = 0
        ft.prepare(path, out=out.with_name("whole"), shards=2, executor="inline", force=True, **others)
        total, self.seen = self.seen, 0
        self.stop = total * 3 // 4
        with pytest.raises(KeyboardInterrupt):
            ft.prepare(path, out=out, shards=2, executor="inline", **others)
        self.seen = self.stop = 0
        return total


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def test_an_interrupted_run_goes_on(counted: Counted, path: Path, tmp_path: Path) -> None:
    total = counted.cut(path, tmp_path / "out", max_findings=2)
    sharded = ft.prepare(path, out=tmp_path / "out", shards=2, executor="inline", max_findings=2)
    assert counted.seen == total - (total * 3 // 4 - 1)
    the_same(sharded, ft.prepare(path, out=tmp_path / "one", max_findings=2))


def test_what_was_done_of_another_input_or_otherwise_is_not_taken(counted: Counted, path: Path, tmp_path: Path) -> None:
    total = counted.cut(path, tmp_path / "out")
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("question 1", "question 2"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert path.stat().st_size == before.st_size
    changed = ft.prepare(path, out=tmp_path / "out", shards=2, executor="inline")
    assert counted.seen == total
    the_same(changed, ft.prepare(path, out=tmp_path / "one"))

    total = counted.cut(path, tmp_path / "again")
    other = ft.prepare(path, out=tmp_path / "again", shards=2, executor="inline", format={"stop": "###"})
    assert counted.seen >= total
    the_same(other, ft.prepare(path, out=tmp_path / "other", format={"stop": "###"}))


@pytest.mark.parametrize("harm", ["torn marker", "short part", "no part"])
def test_what_is_not_whole_is_done_again(counted: Counted, path: Path, tmp_path: Path, harm: str) -> None:
    total = counted.cut(path, tmp_path / "out")
    kept = sorted((tmp_path / "out").glob(".*/*/.done/*" if harm == "torn marker" else ".*/*/*.jsonl"))
    if harm == "no part":
        kept[0].unlink()
    else:
        kept[0].write_bytes(kept[0].read_bytes()[:-1])
    sharded = ft.prepare(path, out=tmp_path / "out", shards=2, executor="inline")
    assert counted.seen == total - (total * 3 // 4 - 1) + 1
    the_same(sharded, ft.prepare(path, out=tmp_path / "one"))


@POSIX
@pytest.mark.parametrize("planted", ["writable", "link", "file"])
def test_a_folder_that_others_may_have_filled_is_refused(path: Path, tmp_path: Path, planted: str) -> None:
    """What is kept is pickled, and unpickling what somebody else put there would run it."""
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Look, "__call__", _stop)
        with pytest.raises(ReadError):
            ft.prepare(path, out=out, shards=2, executor="inline")
    (folder,) = out.iterdir()
    shutil.rmtree(folder)
    if planted == "writable":
        folder.mkdir()
        folder.chmod(0o777)
    elif planted == "link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.write_text("")
    with pytest.raises(WriteError, match=r"user alone|File exists"):
        ft.prepare(path, out=out, shards=2)


def _stop(*_: object) -> None:
    raise ReadError("far enough")
