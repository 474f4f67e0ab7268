"""Files on the web: a server on 127.0.0.1 that gives parts, or none, breaks off, stalls, or says no."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import ftprep as ft
from ftprep.cli.outcomes import run
from ftprep.errors import ReadError, UsageError
from ftprep.readers import remote, remote_trouble
from ftprep.readers.inputs import expand
from ftprep.readers.sources import open_source, read_range, stamp

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
pytestmark = pytest.mark.loopback
LINES = b"".join(b'{"prompt": "%d ->", "completion": " n%d"}\n' % (n, n) for n in range(20_000))


class Site(ThreadingHTTPServer):
    """What is served, by path; the first word of a path says how."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.failures = 0
        self.heads: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Serves /how/name: `parts`, `whole` (no ranges), `unsaid` (no length), `nohead`, `cut`, `stall`, or a status."""

    server: Site

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        _, how, name = self.path.partition("?")[0].split("/", 2)
        self.server.asked[f"{self.command} {how}"] += 1
        self.server.heads.append(dict(self.headers))
        if how.isdigit() or (how == "nohead" and not body):
            return self.refuse(int(how) if how.isdigit() else 403)
        if how == "to":
            self.send_response(302)
            self.send_header("Location", f"/parts/{name}")
            self.end_headers()
            return None
        data = self.server.files.get(name)
        if data is None:
            return self.refuse(404)
        start, stop, status = 0, len(data), 200
        if (wanted := self.headers.get("Range")) and how not in ("whole", "unsaid"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, stop, status = int(first), min(int(last) + 1, len(data)), 206
        self.send_response(status)
        if how != "unsaid":
            self.send_header("Content-Length", str(stop - start))
            self.send_header("ETag", f'"{hashlib.md5(data).hexdigest()}"')
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.end_headers()
        if body:
            self.send(how, data[start:stop])
        return None

    def send(self, how: str, data: bytes) -> None:
        fails = how in ("cut", "stall") and len(data) > 100_000 and self.server.failures > 0
        if fails:
            self.server.failures -= 1
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            if how == "stall":
                time.sleep(1)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(data)

    def refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A running server."""
    import fsspec

    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(remote, "_WAIT_SECONDS", 0.01)
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)
    fsspec.get_filesystem_class("http").clear_instance_cache()


def without_names(report: ft.Report, name: str) -> Any:
    return json.loads(report.model_dump_json().replace(json.dumps(name)[1:-1], "NAME"))


@pytest.mark.parametrize("how", ["parts", "whole", "unsaid", "nohead", "to"])
@pytest.mark.parametrize(
    "name", ["chat_faults.jsonl", "sheets.xlsx", "cut.jsonl.gz", "support_tickets.csv", "empty.jsonl"]
)
def test_a_file_on_the_web_gives_the_same_report(site: Site, how: str, name: str) -> None:
    local = str(FIXTURES / name)
    site.files[name] = Path(local).read_bytes()
    address = f"{site.address}/{how}/{name}"
    assert without_names(ft.check(address), address) == without_names(ft.check(local), local)


def test_a_large_file_is_read_in_parts_where_there_are_parts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files["a.jsonl"] = LINES
    monkeypatch.setattr(remote, "BLOCK_BYTES", 1 << 18)
    (one,) = expand([f"{site.address}/parts/a.jsonl"])
    assert one.path == one.name
    before = site.asked["GET parts"]
    with open_source(one.path) as file:
        assert b"".join(iter(lambda: file.read(50_000), b"")) == LINES
    assert site.asked["GET parts"] - before == -(-len(LINES) // (1 << 18))
    assert read_range(one.path, 1000, 2000) == LINES[1000:2000]
    assert all(head.get("Accept-Encoding", "identity") == "identity" for head in site.heads)


def test_a_server_that_gives_no_parts_is_asked_once(site: Site) -> None:
    site.files["a.jsonl"] = LINES
    (one,) = expand([f"{site.address}/whole/a.jsonl"])
    assert one.path != one.name
    assert Path(one.path).read_bytes() == LINES
    Path(one.path).unlink()


@pytest.mark.parametrize("how", ["parts", "whole"])
def test_nothing_on_the_web_is_mended_in_place(site: Site, how: str) -> None:
    site.files["a.jsonl"] = b'{"prompt": "a ->", "completion": "b"}\n'
    with pytest.raises(UsageError, match="only files on this computer can be mended in place") as caught:
        ft.fix(f"{site.address}/{how}/a.jsonl?X-Amz-Signature=hidden")
    assert "hidden" not in str(caught.value)


def test_compressed_and_in_several_files(site: Site) -> None:
    site.files["a.jsonl.gz"] = gzip.compress(LINES, mtime=0)
    site.files["b.jsonl"] = LINES
    report = ft.check([f"{site.address}/parts/a.jsonl.gz", f"{site.address}/whole/b.jsonl"])
    assert [(i.format, i.rows.loaded) for i in report.inputs] == [("jsonl.gz", 20_000), ("jsonl", 20_000)]
    assert report.inputs[0].sha256 == hashlib.sha256(site.files["a.jsonl.gz"]).hexdigest()
    assert report.inputs[1].sha256 == hashlib.sha256(LINES).hexdigest()


@pytest.mark.parametrize("how", ["cut", "stall"])
def test_a_connection_that_breaks_is_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(remote, "_ANSWER_SECONDS", 0.3)
    site.files["a.jsonl"] = LINES
    site.failures = 2
    assert ft.check(f"{site.address}/{how}/a.jsonl").rows.loaded == 20_000
    assert site.failures == 0


@pytest.mark.parametrize(("how", "words"), [("cut", "breaks off"), ("stall", "does not answer in time|breaks off")])
def test_a_connection_that_stays_broken_is_an_error_of_the_run(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str, words: str
) -> None:
    monkeypatch.setattr(remote, "_ANSWER_SECONDS", 0.3)
    site.files["a.jsonl"] = LINES
    site.failures = 1000
    before = Counter(site.asked)
    with pytest.raises(ReadError, match=words):
        ft.prepare(f"{site.address}/{how}/a.jsonl", out=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert site.asked.total() - before.total() < 20


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("404", "no such file: "),
        ("403", "not allowed to read "),
        ("401", "not allowed to read "),
        ("500", "the server of "),
        ("429", "the server of "),
        ("parts", "no such file: "),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_an_answer_that_is_no_file_is_one_line_without_secrets(
    site: Site, capfd: pytest.CaptureFixture[str], how: str, words: str, debug: bool
) -> None:
    secret = site.address.replace("http://", "http://user:hidden@") + f"/{how}/none.jsonl?X-Amz-Signature=hidden"
    assert run(["check", secret, *(["--debug"] if debug else [])]) == 2
    told = capfd.readouterr()
    assert "hidden" not in told.out + told.err
    *trace, line, hint = told.err.splitlines()
    assert bool(trace) == debug
    assert line.startswith(f"error: {words}")
    assert f"{site.address}/{how}/none.jsonl" in line
    assert hint.startswith("  ")


def test_no_server_and_no_name_are_told(site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for host in (f"127.0.0.1:{port}", "no-such-host.invalid"):
        with pytest.raises(ReadError, match=f"cannot connect to http://{host}/a.jsonl"):
            ft.check(f"http://{host}/a.jsonl")


def test_user_and_query_are_used_and_never_written_down(site: Site, tmp_path: Path) -> None:
    site.files["set.jsonl"] = LINES[: LINES.index(b"\n", 3000) + 1]
    secret = site.address.replace("http://", "http://user:hidden@") + "/parts/set.jsonl?X-Amz-Signature=hidden"
    assert run(["prepare", secret, "-o", str(tmp_path), "-y", "-q", "--valid", "none"]) in (0, 1)
    assert any(head.get("Authorization", "").startswith("Basic ") for head in site.heads)
    written = sorted(tmp_path.iterdir())
    assert [path.name for path in written] == ["set_prepared.jsonl", "set_prepared.manifest.json"]
    assert all("hidden" not in path.read_text() for path in written)
    manifest = json.loads(written[1].read_text())
    assert manifest["inputs"][0]["path"] == f"{site.address}/parts/set.jsonl"
    assert "hidden" not in ft.check(secret).model_dump_json()


@pytest.mark.parametrize("arguments", [["check"], ["tokens"], ["check", "--output-format", "json"]])
def test_no_command_shows_a_secret(site: Site, arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    site.files["set.jsonl"] = LINES[:3000]
    for how in ("parts", "whole"):
        assert run([*arguments, f"{site.address}/{how}/set.jsonl?X-Amz-Signature=hidden", "-v"]) in (0, 1)
        told = capfd.readouterr()
        assert f"/{how}/set.jsonl" in told.out
        assert "hidden" not in told.out + told.err


def test_https_that_leads_to_http_is_not_followed() -> None:
    from types import SimpleNamespace

    def lead(start: str, to: str) -> None:
        response = SimpleNamespace(headers={"Location": to}, url=start)
        given = SimpleNamespace(url=start, response=response)
        asyncio.run(remote._refuse_downgrade(None, None, given))

    for start, to in (("https://h/a", "https://g/a"), ("http://h/a", "http://g/a"), ("https://h/a", "/b")):
        lead(start, to)
    with pytest.raises(remote.DowngradeError) as caught:
        lead("https://h/a?key=hidden", "HTTP://g/a?key=hidden")
    above = FileNotFoundError("https://h/a?key=hidden")
    above.__cause__ = caught.value
    words = remote_trouble.told("https://h/a?key=hidden", above)
    assert str(words).startswith("https://h/a leads from https to http")
    assert "hidden" not in str(words)


def test_a_file_that_changes_has_another_stamp(site: Site) -> None:
    site.files["a"] = b"one"
    address = f"{site.address}/parts/a"
    first = stamp(address)
    assert first == stamp(address)
    site.files["a"] = b"two"
    assert stamp(address) not in (first, "gone")
    del site.files["a"]
    assert stamp(address) == "gone"
