"""Files elsewhere: an S3 server on 127.0.0.1 and files in memory are read, listed and refused as local ones are."""

from __future__ import annotations

import gzip
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep as ft
from ftprep.cli.outcomes import run
from ftprep.errors import FtprepError, MissingExtra, ReadError, UsageError, WriteError
from ftprep.foreign import words_of
from ftprep.plan import make_plan
from ftprep.readers import open_tables, remote
from ftprep.readers.inputs import expand
from ftprep.readers.remote_trouble import Trouble, told
from ftprep.readers.sources import open_source, read_range, stamp
from ftprep.recipe import Recipe

fsspec = pytest.importorskip("fsspec")

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
pytestmark = [
    pytest.mark.loopback,
    # botocore's own, on Pythons where it calls what is going away
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:moto.*"),
]
LINES = b'{"prompt": "Peru ->", "completion": " Lima"}\n{"prompt": "Chad ->", "completion": " Ndjamena"}\n'
TREE = """b.jsonl a.csv sub/c.tsv.gz sub/d.xlsx sub/deep/e.ndjson X.JSONL .hidden.jsonl .git/f.jsonl sub.jsonl
notes.md g.json h.txt a_prepared_rejected.jsonl a_prepared.manifest.json .b.jsonl.1.ftprep-tmp z.jsonl.zst"""
IN_FOLDER = "X.JSONL a.csv b.jsonl sub.jsonl z.jsonl.zst sub/c.tsv.gz sub/d.xlsx sub/deep/e.ndjson"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server that speaks S3."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    started = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A file system with an empty bucket called `bucket`; the environment says how to reach it."""
    import s3fs

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem(use_listings_cache=False)
    files.mkdir("bucket")
    yield files
    files.rm("bucket", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def memory() -> Iterator[Any]:
    """A file system in memory."""
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def without_names(report: ft.Report, name: str) -> Any:
    return json.loads(report.model_dump_json().replace(json.dumps(name)[1:-1], "NAME"))


FILES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix not in (".md", ".py") and path.name[0] != ".")


@pytest.mark.parametrize("name", FILES)
def test_every_fixture_gives_the_same_report_from_s3(s3: Any, name: str) -> None:
    local, address = str(FIXTURES / name), f"s3://bucket/{name}"
    s3.pipe(f"bucket/{name}", Path(local).read_bytes())
    assert without_names(ft.check(address), address) == without_names(ft.check(local), local)


def test_workers_are_sent_what_the_parent_reads(s3: Any) -> None:
    s3.pipe("bucket/a.jsonl", (FIXTURES / "chat_faults.jsonl").read_bytes())
    assert ft.check("s3://bucket/a.jsonl", workers=2) == ft.check("s3://bucket/a.jsonl")


def test_a_set_is_prepared_from_s3(s3: Any, tmp_path: Path) -> None:
    data = b"".join(b'{"prompt": "%d ->", "completion": " n%d"}\n' % (n, n) for n in range(30_000))
    s3.pipe("bucket/data/set.jsonl.gz", gzip.compress(data, mtime=0))
    with pytest.raises(UsageError, match="nothing can be written beside it"):
        ft.prepare("s3://bucket/data/set.jsonl.gz")
    done = ft.prepare("s3://bucket/data/set.jsonl.gz", out=tmp_path, unsafe=True)
    assert done.rows["written"] == 30_000
    manifest = json.loads((tmp_path / "set_prepared.manifest.json").read_text())
    (read,) = manifest["inputs"]
    assert (read["path"], read["format"]) == ("s3://bucket/data/set.jsonl.gz", "jsonl.gz")
    local = tmp_path / "set.jsonl.gz"
    local.write_bytes(gzip.compress(data, mtime=0))
    again = ft.prepare(local, out=tmp_path / "again", unsafe=True)
    assert done.train is not None
    assert again.train is not None
    assert done.train.read_bytes() == again.train.read_bytes()
    other = json.loads((tmp_path / "again" / "set_prepared.manifest.json").read_text())["inputs"][0]
    assert {**other, "path": read["path"]} == read


@pytest.mark.parametrize("base", ["memory://data", "s3://bucket/data"])
def test_folders_and_patterns_mean_what_local_ones_do(base: str, request: pytest.FixtureRequest) -> None:
    scheme, _, path = base.partition("://")
    files = request.getfixturevalue(scheme)
    for name in TREE.split():
        files.pipe(f"{path}/{name}", LINES)

    def names(given: str) -> list[str]:
        return [one.name.removeprefix(f"{base}/") for one in expand([given])]

    assert names(base) == names(f"{base}/") == IN_FOLDER.split()
    assert names(f"{base}/*.jsonl") == ["a_prepared_rejected.jsonl", "b.jsonl", "sub.jsonl"]
    assert names(f"{base}/.*.jsonl") == [".hidden.jsonl"]
    assert names(f"{base}/sub/*") == ["sub/c.tsv.gz", "sub/d.xlsx"]
    assert names(f"{base}/**/*.ndjson") == ["sub/deep/e.ndjson"]
    assert names(f"{base}/[ab].*") == ["a.csv", "b.jsonl"]
    assert [one.path for one in expand([f"{base}/b.jsonl", f"{base}/b.json*"])] == [f"{base}/b.jsonl"]
    files.pipe(f"{path}/[x].jsonl", LINES)
    assert names(f"{base}/[x].jsonl") == ["[x].jsonl"]
    for wrong, message in (
        (f"{base}/none.jsonl", f"no such file: {base}/none.jsonl"),
        (f"{base}/*.parquet", f"no file matches {base}/*.parquet"),
        (f"{base}/.git", f"no data files in the folder {base}/.git"),
    ):
        if wrong.endswith(".git"):
            files.rm(f"{path}/.git", recursive=True)
            files.pipe(f"{path}/.git/notes.md", b"x")
        with pytest.raises(ReadError) as caught:
            expand([wrong])
        assert caught.value.message == message


def test_what_ftprep_does_not_read_is_named() -> None:
    with pytest.raises(ReadError, match="ftp:// addresses are not read") as caught:
        expand(["ftp://host/a.jsonl"])
    assert "s3://" in caught.value.hint
    with pytest.raises(ReadError, match="a pattern cannot stand for the bucket"):
        expand(["s3://*/a.jsonl"])


def test_an_address_that_went_through_pathlib_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file") as caught:
        ft.check(Path("s3://bucket/a.jsonl"))
    assert caught.value.hint == "an address is a text with two slashes: s3://bucket/a.jsonl"


def test_a_file_address_is_the_local_file(tmp_path: Path) -> None:
    path = tmp_path / "a b.jsonl"
    path.write_bytes(LINES)
    assert [one.name for one in expand([f"file://{tmp_path}/a%20b.jsonl"])] == [str(path)]
    done = ft.prepare(f"file://{path}", unsafe=True)
    assert done.train == tmp_path / "a b_prepared.jsonl"


@pytest.mark.parametrize("out", ["s3://bucket/out", "https://user:secret@host/out?key=secret"])
def test_nothing_is_written_elsewhere(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    s3.pipe("bucket/a.jsonl", LINES)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WriteError, match="only files on this computer are written") as caught:
        ft.prepare("s3://bucket/a.jsonl", out=out)
    assert "secret" not in str(caught.value)
    with pytest.raises(WriteError, match="only files on this computer are written") as caught:
        ft.convert("s3://bucket/a.jsonl", "chat", f"{out}/a.jsonl")
    assert "secret" not in str(caught.value)
    assert run(["check", "s3://bucket/a.jsonl", "-o", f"{out}/report.txt", "-q"]) == 2
    with pytest.raises(UsageError, match="only files on this computer can be mended in place"):
        ft.fix("s3://bucket/a.jsonl")
    assert list(tmp_path.iterdir()) == []
    assert s3.ls("bucket") == ["bucket/a.jsonl"]


def test_an_object_that_is_replaced_while_it_is_read_is_told(s3: Any, tmp_path: Path) -> None:
    s3.pipe("bucket/a.jsonl", LINES)
    plan = make_plan("s3://bucket/a.jsonl", Recipe())
    plan.refuse_changed()
    s3.pipe("bucket/a.jsonl", LINES.replace(b"Lima", b"LIMA"))
    with pytest.raises(ReadError, match="changed while it was read"):
        plan.refuse_changed()
    s3.rm("bucket/a.jsonl")
    assert stamp("s3://bucket/a.jsonl") == "gone"


def test_an_object_that_is_replaced_between_two_blocks_is_never_mixed(s3: Any) -> None:
    s3.pipe("bucket/a", b"a" * 600_000)
    with open_source("s3://bucket/a") as file:
        assert file.read(10) == b"a" * 10
        s3.pipe("bucket/a", b"b" * 600_000)
        with pytest.raises(ReadError, match="s3://bucket/a changed while it was read"):
            file.read(600_000)


def test_every_block_is_one_request(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(3 << 20)
    s3.pipe("bucket/a", data)
    monkeypatch.setattr(remote, "BLOCK_BYTES", 1 << 20)
    asked: list[tuple[int, int]] = []
    part = remote._Blocks._asked

    def counted(self: Any, start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return part(self, start, stop)

    monkeypatch.setattr(remote._Blocks, "_asked", counted)
    with open_source("s3://bucket/a") as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == data
    assert asked[0] == (0, remote.FIRST_BYTES)
    assert len([a for a in asked if a[0] < a[1]]) == 4


def test_a_range_is_the_bytes_that_stand_there(s3: Any) -> None:
    data = os.urandom(1 << 20)
    s3.pipe("bucket/a", data)
    for start, stop in ((0, 0), (0, 10), (1000, 900_000), (1 << 20, 1 << 20), ((1 << 20) - 1, 1 << 20)):
        assert read_range("s3://bucket/a", start, stop) == data[start:stop]
    with pytest.raises(ReadError, match="ends before byte"):
        read_range("s3://bucket/a", 0, (1 << 20) + 1)


@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 220), st.integers(0, 60)), max_size=6))
def test_reading_here_and_there_is_as_in_any_file(data: bytes, steps: list[tuple[int, int]]) -> None:
    files = fsspec.filesystem("memory")
    files.pipe("any/a", data)
    with open_source("memory://any/a") as file, io.BytesIO(data) as other:
        for place, size in steps:
            assert file.seek(place) == other.seek(place)
            assert file.read(size) == other.read(size)
        assert file.seek(0, io.SEEK_END) == len(data)
    files.store.clear()


def test_reading_elsewhere_is_not_slow(s3: Any) -> None:
    data = b"".join(b'{"prompt": "%d ->", "completion": " n%d"}\n' % (n, n) for n in range(150_000))
    s3.pipe("bucket/a.jsonl", data)
    started = time.monotonic()
    (table,) = open_tables(["s3://bucket/a.jsonl"])
    from ftprep.readers.sources import line_chunks

    assert sum(chunk.payload.count(b"\n") for chunk in line_chunks(table)) == 150_000
    assert time.monotonic() - started < 5  # line by line through fsspec it would be half a minute


@pytest.mark.parametrize("extra", ["s3", "gcs", "azure", "hf"])
def test_a_package_that_is_missing_is_named(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec.core

    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Please install it")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    scheme = {"gcs": "gs", "azure": "abfs"}.get(extra, extra)
    with pytest.raises(MissingExtra) as caught:
        ft.check(f"{scheme}://bucket/a.jsonl")
    assert caught.value.message == f"reading {scheme}:// addresses needs a package that is not installed"
    assert caught.value.hint == f"pip install 'ftprep[{extra}]'"


def test_without_fsspec_the_extra_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name == "fsspec" or name.startswith("fsspec.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match="s3://"):
        ft.check("s3://bucket/a.jsonl")


def test_what_is_not_there_or_not_allowed_is_one_line(
    s3: Any, server: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for address in ("s3://bucket/none.jsonl", "s3://nobucket/none.jsonl", "s3://key:hidden@bucket/none.jsonl"):
        assert run(["check", address, "--debug"]) == 2
        told = capfd.readouterr().err
        assert "hidden" not in told
        assert run(["check", address]) == 2
        lines = capfd.readouterr().err.splitlines()
        assert len(lines) == 2
        words = "user and password cannot stand" if "hidden" in address else "no such file: s3://"
        assert words in lines[0]
        assert lines[1].startswith("  ")


def test_without_credentials_it_says_how_to_give_them(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(ReadError, match=r"not allowed to read s3://bucket/a\.jsonl") as caught:
        ft.check("s3://bucket/a.jsonl")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_server_that_is_not_there_is_told_soon(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    started = time.monotonic()
    with pytest.raises(ReadError, match=r"cannot connect to s3://bucket/a\.jsonl"):
        ft.check("s3://bucket/a.jsonl")
    assert time.monotonic() - started < 20


class _NamedError(Exception):
    """An exception as some library has it."""

    def __init__(self, name: str, status: int = 0) -> None:
        super().__init__(name)
        self.status = status
        self.__class__ = type(name, (_NamedError,), {})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError("x"), "missing"),
        (PermissionError(13, "x"), "denied"),
        (TimeoutError(), "slow"),
        (ConnectionResetError(), "broken"),
        (ConnectionRefusedError(), "unreachable"),
        (_NamedError("GatedRepoError"), "denied"),
        (_NamedError("ResourceNotFoundError"), "missing"),
        (_NamedError("ClientResponseError", 403), "denied"),
        (_NamedError("ClientResponseError", 503), "busy"),
        (_NamedError("Strange"), "other"),
        (ValueError("x"), "other"),
    ],
)
def test_errors_of_all_libraries_have_a_kind(error: Exception, kind: str) -> None:
    found = told("gs://bucket/a", error)
    assert isinstance(found, Trouble)
    assert found.kind == kind
    assert "gs://bucket/a" in found.message
    above = FileNotFoundError("https://host/a?key=secret")
    above.__cause__ = error
    found = told("https://host/a?key=secret", above)
    assert isinstance(found, Trouble)
    assert found.kind == (kind if kind != "other" else "missing")
    assert "secret" not in str(found)


def test_addresses_in_foreign_words_lose_their_secrets() -> None:
    text = "403, url='https://u:secret@h/a?X-Amz-Signature=secret' and s3://secret:secret@b/k"
    assert words_of(text) == "403, url='https://h/a' and s3://b/k"
    found = told("s3://b/k", RuntimeError(f"{text}\nsecond line"))
    assert isinstance(found, FtprepError)
    assert found.message == f"cannot read s3://b/k: {words_of(text)}"
