"""Commands that are given nothing remote never use the network, in no process of theirs (S4)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from security_runs import LOCAL, ROOT, environment, furnish, run, script

GUARD = """
import socket
def refuse(*given, **named):
    with open({marks!r}, "a") as file:
        file.write(repr(given[1:]) + "\\n")
    raise OSError("no network here")
for name in ("connect", "connect_ex", "sendto", "sendmsg", "bind", "listen"):
    setattr(socket.socket, name, refuse)
for name in ("getaddrinfo", "gethostbyname", "create_connection", "getnameinfo", "gethostbyaddr"):
    setattr(socket, name, refuse)
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """The mark that any use of a socket leaves, in all processes that a run starts."""
    marks, folder = tmp_path / "marks.txt", tmp_path / "guard"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(GUARD.format(marks=str(marks)), encoding="utf-8")
    return marks


def test_the_guard_guards(tmp_path: Path, guarded: Path) -> None:
    import sys

    code = "import socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError as e: print(e)"
    ran = run([sys.executable, "-c", code], cwd=tmp_path, PYTHONPATH=str(guarded.parent / "guard"))
    assert ran.out == "no network here\n"
    assert guarded.exists()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["fork", "spawn"])
def test_local_commands_use_no_socket(tmp_path: Path, guarded: Path, form: str) -> None:
    furnish(tmp_path)
    command = script(tmp_path)
    if form == "spawn":
        text = Path(command[1]).read_text(encoding="utf-8").replace("sys.exit(main())", "")
        text += (
            "import ftprep.executors as e\ne.may_fork = lambda: False\nif __name__ == '__main__': sys.exit(main())\n"
        )
        Path(command[1]).write_text(text, encoding="utf-8")
    where = f"{guarded.parent / 'guard'}:{ROOT}"
    for arguments in LOCAL if form == "fork" else LOCAL[1:2]:
        ran = run(command, *arguments, cwd=tmp_path, PYTHONPATH=where)
        assert ran.code in (0, 1), (arguments, ran)
        assert not guarded.exists(), (arguments, guarded.read_text(encoding="utf-8"))


def test_pictures_and_schemas_elsewhere_are_not_fetched(tmp_path: Path, guarded: Path) -> None:
    import json

    url = "http://127.0.0.1:9/a.png"
    parts = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": url}}]
    schema = {"$schema": url, "$ref": url, "type": "object", "properties": {"a": {"$ref": f"{url}#/x"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    talk = [{"role": "user", "content": parts}, {"role": "assistant", "tool_calls": [call]}]
    (tmp_path / "a.jsonl").write_text((json.dumps({"messages": talk, "tools": [tool]}) + "\n") * 12, encoding="utf-8")
    ran = run(script(tmp_path), "check", "a.jsonl", cwd=tmp_path, PYTHONPATH=f"{guarded.parent / 'guard'}:{ROOT}")
    assert ran.code in (0, 1), ran
    assert not guarded.exists()


@pytest.mark.slow
def test_the_same_is_said_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    apart = ["unshare", "-rn"]
    if not shutil.which("unshare") or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this system cannot take the network away from a process")
    furnish(tmp_path)
    command = script(tmp_path)
    for arguments in LOCAL:
        plain = subprocess.run([*command, *arguments], cwd=tmp_path, env=environment(), capture_output=True)
        cut_off = subprocess.run([*apart, *command, *arguments], cwd=tmp_path, env=environment(), capture_output=True)
        assert (plain.returncode, plain.stdout.count(b"\n")) == (cut_off.returncode, cut_off.stdout.count(b"\n"))
        assert plain.returncode in (0, 1), plain
