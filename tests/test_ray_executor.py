"""Work on a Ray cluster of two nodes: byte for byte what one process gives, also when a node is killed."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drivers import ENVIRONMENT, HERE, SECONDS, driver, finished, killed, wait_for

import ftprep as ft
from ftprep.errors import MissingExtra, UsageError
from ftprep.executors import NAMES, Inline, Processes, executor_for
from ftprep.ray_executor import RayExecutor, _reach

NEEDS_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: ftprep[ray]")
CLUSTER = [pytest.mark.cluster, NEEDS_RAY, pytest.mark.skipif(os.name != "posix", reason="a cluster of Ray is POSIX")]
LINES = 6000


class Host:
    """The cluster, seen from the tests."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.address = self.answer()

    def answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def tell(self, command: str) -> None:
        """Have a node killed or added, and wait until it is."""
        assert self.process.stdin
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        assert self.answer() == "done"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Host]:
    """Two nodes of one processor each."""
    command = [sys.executable, str(HERE / "ray_host.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT) as p:
        try:
            host = Host(p)
            assert host.address, "the cluster did not start"
            yield host
            assert p.stdin
            p.stdin.close()
            p.wait(SECONDS)
        finally:
            p.kill()


def on(host: Host) -> dict[str, Any]:
    return {"executor": "ray", "address": host.address}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets with something to find in them: JSONL of many ranges, a small one, a CSV."""
    folder = tmp_path_factory.mktemp("sets")
    rng = random.Random(1)

    def line(number: int) -> str:
        if number % 1111 == 0:
            return '{"prompt": "cut'
        text = f"question {rng.randrange(4000)} {'word ' * rng.randrange(40)}"
        return json.dumps({"prompt": f"{text}->", "completion": f" {rng.choice(['yes', 'no', 'Nein', '答案'])} END"})

    for name, count in (("large", LINES), ("small", 50)):
        text = "\n".join(line(n) for n in range(1, count + 1)) + "\n"
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    rows = "".join(f'"asked {n % 700}, ""so""",answer {n % 7}\n' for n in range(3000))
    (folder / "table.csv").write_text(f"prompt,completion\n{rows}", encoding="utf-8")
    return folder


class TestCluster:
    """What needs a cluster."""

    pytestmark = CLUSTER

    def test_a_folder_gives_the_report_of_one_process(self, cluster: Host, folder: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.json"
        with driver("check", folder, named=on(cluster), range_bytes=50_000, report=report) as p:
            told = finished(p)
        assert len(told.splitlines()) > 10
        assert report.read_text() == ft.check(folder, workers=1).to_json()

    def test_a_node_killed_in_the_middle_changes_nothing(self, cluster: Host, folder: Path, tmp_path: Path) -> None:
        report, path = tmp_path / "report.json", folder / "large.jsonl"
        pieces = -(-path.stat().st_size // 20_000)
        named = on(cluster) | {"max_findings": 5}
        with driver("check", path, named=named, range_bytes=20_000, seconds=0.1, report=report) as p:
            wait_for(p, pieces // 3)
            cluster.tell("kill")
            told = finished(p)
        cluster.tell("add")
        assert len(told.splitlines()) > pieces // 2
        assert report.read_text() == ft.check(path, workers=1, max_findings=5).to_json()

    def test_prepare_writes_the_same_files(self, cluster: Host, folder: Path, tmp_path: Path) -> None:
        named = {"unsafe": True, "name": "set"}
        ray, inline = tmp_path / "ray", tmp_path / "inline"
        with driver(
            "prepare", folder / "large.jsonl", named=named | on(cluster) | {"out": ray}, range_bytes=90_000
        ) as p:
            finished(p)
        ft.prepare(folder / "large.jsonl", out=inline, workers=1, **named)  # type: ignore[arg-type]
        names = sorted(p.name for p in inline.iterdir())
        assert names == sorted(p.name for p in ray.iterdir())
        assert len(names) == 4
        assert all((ray / n).read_bytes() == (inline / n).read_bytes() for n in names)

    def test_a_killed_driver_goes_on(self, cluster: Host, folder: Path, tmp_path: Path) -> None:
        """Shards made on the cluster are one process's file; what was done before the kill is not done again."""
        path, out = folder / "large.jsonl", tmp_path / "out"
        pieces = -(-path.stat().st_size // 60_000)
        named = {"unsafe": True, "shards": 3, "out": out}
        kept = {"range_bytes": 60_000, "log": tmp_path / "log"}
        with driver("prepare", path, named=named | on(cluster), seconds=0.1, **kept) as p:
            wait_for(p, pieces + pieces // 2)
            killed(p)
        done = [f.name[:13] for f in out.glob(".*/*/.done/*")]
        assert len(done) >= pieces + pieces // 2
        (tmp_path / "log").unlink()
        with driver("prepare", path, named=named | on(cluster), **kept) as p:
            finished(p)
        again = (tmp_path / "log").read_text().splitlines()
        assert 0 < len(again) <= 2 * pieces - len(done)
        inline = ft.prepare(path, out=tmp_path / "inline", unsafe=True, workers=1)
        for side in filter(None, (inline.train, inline.valid)):
            shards = sorted(out.glob(f"{side.stem}-*"))
            assert len(shards) == 3
            assert b"".join(s.read_bytes() for s in shards) == side.read_bytes()
        assert not list(out.glob(".*"))

    def test_a_piece_that_kills_its_workers_is_given_up(self, cluster: Host, folder: Path, tmp_path: Path) -> None:
        report, path = tmp_path / "report.json", folder / "large.jsonl"
        named = on(cluster) | {"workers": 2}
        with driver("check", path, named=named, range_bytes=90_000, deadly=180_000, report=report) as p:
            told = finished(p)
        assert "raylet" not in told
        found = json.loads(report.read_text())
        (lost,) = [f for f in found["findings"] if f["code"] == "IO123"]
        assert "worker processes died 6 times here" in lost["message"]
        assert found["inputs"][0]["rows"]["read"] > LINES // 2

    def test_a_file_that_is_gone_is_told_in_one_line(self, cluster: Host, folder: Path, tmp_path: Path) -> None:
        path = tmp_path / "moved.jsonl"
        path.write_bytes((folder / "large.jsonl").read_bytes())
        with driver("check", path, named=on(cluster), range_bytes=20_000, seconds=0.2) as p:
            wait_for(p, 2)
            path.unlink()
            told = finished(p, 2).splitlines()
        assert told[-2].startswith(f"error: no such file: {path} (on the node ")
        assert "shared folder" in told[-1]

    def test_the_command_line(self, folder: Path, tmp_path: Path) -> None:
        """Without an address a Ray of its own is started, and nothing of it is left."""
        command = [sys.executable, "-m", "ftprep", "check", "large.jsonl", "--executor", "ray", "--workers", "1"]
        command += ["--output-format", "json", "--exit-zero"]
        environment = ENVIRONMENT | {"RAY_TMPDIR": str(tmp_path)} if len(str(tmp_path)) < 30 else ENVIRONMENT
        done = subprocess.run(command, cwd=folder, capture_output=True, env=environment, timeout=SECONDS)
        inline = subprocess.run([*command[:5], *command[9:]], cwd=folder, capture_output=True, env=ENVIRONMENT)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == inline.stdout


def test_names_of_executors() -> None:
    assert isinstance(executor_for("auto", 1 << 40, "inline"), Inline)
    assert isinstance(executor_for("auto", 0, "processes"), Processes)
    assert isinstance(executor_for(1, 0, "processes"), Processes)
    assert "ray" in NAMES
    for workers, name, told in (("auto", "dask", "no such executor"), (3, "inline", "inline is one")):
        with pytest.raises(UsageError, match=told):
            executor_for(workers, 0, name)


def test_an_address_is_for_a_cluster_alone(folder: Path) -> None:
    for name in ("auto", "inline", "processes"):
        with pytest.raises(UsageError, match="only a Ray cluster"):
            ft.check(folder, executor=name, address="127.0.0.1:1")


@pytest.mark.loopback
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1", "http://127.0.0.1:8265", "x:y"])
def test_a_wrong_address_is_told_at_once(address: str) -> None:
    with pytest.raises(UsageError, match=f"no Ray cluster at {address}: "):
        _reach(address)


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra) as caught:
        RayExecutor()
    assert "ftprep[ray]" in caught.value.hint
