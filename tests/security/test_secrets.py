"""A canary in addresses, keys and the environment is searched for in all that commands say and write (S1-S5)."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from security_runs import furnish

from ftprep.__main__ import main
from ftprep.addresses import meant_as_address
from ftprep.redaction import Secret, redacted, without_keys, without_keys_in_use

CANARY = "Zq7Canary" + "Kx91Zb3W"
ADDRESSES = (
    f"https://user:{CANARY}@127.0.0.1:9/x.jsonl?X-Amz-Signature={CANARY}#{CANARY}",
    f"https:/user:{CANARY}@127.0.0.1:9/x.jsonl?sig={CANARY}",
    f"HTTPS://127.0.0.1:9/x y.jsonl?sig={CANARY}",
    f"ftp://user:{CANARY}@127.0.0.1/x?token={CANARY}",
    f"sftp://user:{CANARY}@host/x",
    f"s3://AKIA:{CANARY}@bucket/key",
    f"postgres://app:{CANARY}@db.lima-water.pe/main",
    f"file://host/x?sig={CANARY}",
    "hf" + "_" + "QmWvTzKcRbYxLpNsHdGfJaEu" + CANARY[:10].replace("7", "b"),
)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check", "{}"),
    ("check", "-v", "{}"),
    ("fix", "{}"),
    ("prepare", "{}"),
    ("prepare", "a.jsonl", "-y", "-o", "{}"),
    ("split", "{}"),
    ("convert", "{}", "--to", "chat", "-o", "o.jsonl"),
    ("convert", "a.jsonl", "--to", "chat", "-o", "{}/o.jsonl"),
    ("tokens", "{}"),
    ("tokens", "a.jsonl", "--show", "1", "--template", "{}"),
    ("verify", "{}"),
    ("check", "a.jsonl", "--output-file", "{}/r.txt"),
    ("check", "a.jsonl", "--recipe", "{}"),
    ("check", "a.jsonl", "--target", "{}"),
    ("check", "a.jsonl", "--model", "{}"),
    ("check", "a.jsonl", "--task", "{}"),
    ("check", "a.jsonl", "--encoding", "{}"),
    ("check", "a.jsonl", "--select", "{}"),
    ("check", "a.jsonl", "--executor", "ray", "--address", "{}"),
    ("check", "a.jsonl", "--api-key={}"),
    ("rule", "{}"),
    ("target", "{}"),
    ("recipe", "{}"),
    ("{}",),
)


@pytest.fixture(autouse=True)
def _no_keys_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftprep.redaction._in_use", set())


def written(folder: Path) -> bytes:
    """Names and bytes of all files below a folder."""
    return b"\n".join(str(p).encode() + (p.read_bytes() if p.is_file() else b"") for p in sorted(folder.rglob("*")))


def spellings(secret: str) -> list[str]:
    plain = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret[::-1]}
    return [*plain, base64.b64encode(secret.encode()).decode().rstrip("=")]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.loopback
def test_no_failing_command_tells_a_secret(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path)
    secret = address if address.startswith("hf_") else CANARY
    is_path = not meant_as_address(str(Path(address)))  # which may be written to, whatever it is called
    for command in COMMANDS:
        if is_path and {"-o", "--output-file"} & set(command) and command[1] == "a.jsonl":
            continue
        for debug in ((), ("--debug",)):
            code = main([*debug, *(each.format(address) for each in command)])
            out, err = capsys.readouterr()
            assert code == 2, (command, out, err)
            for spelling in spellings(secret):
                assert spelling not in out + err, (command, out, err)
    assert secret.encode() not in written(tmp_path)


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.split("/")[1].split("?")[0] or 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:9/there?sig={CANARY}")
        data = b'{"prompt": "a ->", "completion": 5}\nnot json\n' if status == 200 else b"<html>no</html>"
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815 - as http.server calls it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


@pytest.mark.loopback
@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 410, 500])
@pytest.mark.parametrize("more", [(), ("-v",), ("--debug",)])
def test_what_a_server_answers_tells_no_secret(
    server: str,
    status: int,
    more: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ftprep.readers.remote._WAIT_SECONDS", 0.0)
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, CANARY)
    address = f"http://user:{CANARY}@{server}/{status}/a.jsonl?X-Amz-Signature={CANARY}&sig={CANARY}"
    for command in (["check"], ["check", "--output-format", "json"], ["prepare", "-y", "-o", "out"], ["tokens"]):
        code = main([*command, address, *(more if command != ["tokens"] or more != ("-v",) else ())])
        out, err = capsys.readouterr()
        assert code in (1, 2) or (status == 200 and code == 0), (out, err)
        for spelling in spellings(CANARY):
            assert spelling not in out + err, (command, out, err)
    assert CANARY.encode() not in written(tmp_path)


def test_an_unforeseen_error_tells_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    furnish(tmp_path)
    monkeypatch.setenv("SOME_API_KEY", CANARY)

    def fail(*_: object, **__: object) -> None:
        try:
            raise ValueError(f"Invalid header value b'Bearer {CANARY}\\r'")
        except ValueError as error:
            raise OSError(5, f"GET https://h/x?a=1&sig={CANARY}: Authorization: Bearer {CANARY}", CANARY) from error

    monkeypatch.setattr("ftprep.pipeline.check", fail)
    for arguments in ([], ["--debug"]):
        assert main(["check", str(tmp_path / "a.jsonl"), *arguments]) == 2
        out, err = capsys.readouterr()
        assert CANARY not in out + err
        assert "SOME_API_KEY" in err or not arguments


@settings(max_examples=300)
@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_of_the_environment_is_told(secret: str, before: str, after: str) -> None:
    bare = secret.strip()
    if len(bare) < 8 or bare in "[MY_TOKEN]":
        return
    for form in (bare, quote(bare, safe=""), json.dumps(bare)[1:-1]):
        assert bare not in redacted(f"{before} {form} {after}", {"MY_TOKEN": secret}).replace("[MY_TOKEN]", "\x00")


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30))
def test_no_password_of_an_address_is_told(word: str) -> None:
    secret = f"pw{word}pw"
    for scheme in ("https", "s3", "hf", "ftp", "postgres", "foo+bar"):
        for text in (f"{scheme}://u:{secret}@h/x", f"({scheme}://h/x?sig={secret})", f"'{scheme}:/h/x#{secret}'"):
            assert secret not in redacted(f"cannot read {text}: no", {}), text


@pytest.mark.parametrize(
    "text",
    [
        "no such file: a.jsonl",
        "C:\\data\\a.jsonl: cannot be read",
        "a.jsonl:7:1: the prompt is empty",
        "https://docs.python.org/3/library/json.html",
        "--workers 0: not a number of processes",
        "set HF_TOKEN, or run: hf auth login",
        "key = value",
        "sk-learn-tutorial-pages and hf_data_2024_second_set.jsonl",
        "runs/hf_data_2024_second_set: not a file",
        "no API key: set OPENAI_API_KEY, or give --api-key-file FILE",
        "data/2026-11-20/a_long_name_of_a_file_with_many_words.jsonl: not a file",
    ],
)
def test_what_holds_no_secret_stays(text: str) -> None:
    assert redacted(text, {"HF_TOKEN": "true", "SSH_KEY_PATH": "/", "KEY_FILE": __file__}) == text


@settings(max_examples=200)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40), st.text(max_size=20))
def test_no_key_in_use_is_told_or_kept(key: str, around: str) -> None:
    if key in "[hidden]" or "…" in key:
        return
    made = Secret(key)
    assert f"{made} {made!r}" == "[hidden] [hidden]"
    assert made.reveal() == key
    for form in (key, quote(key, safe=""), json.dumps(key)[1:-1], repr(key)[1:-1]):
        for filtered in (without_keys, without_keys_in_use, lambda text: redacted(text, {})):
            left = filtered(f"{around} {form} {around}").replace("[hidden]", "\x00")
            assert key not in left.replace("…", "\x00")


def test_a_key_is_neither_shown_nor_pickled() -> None:
    import copy
    import pickle

    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(Secret(CANARY))
    assert not Secret("")
    assert CANARY not in f"{Secret(CANARY)} {Secret(CANARY)!r} {[Secret(CANARY)]}"


def test_a_word_that_a_local_service_has_for_its_key_stays_in_data_and_not_in_messages() -> None:
    Secret("lm-studio")
    assert without_keys_in_use('{"model": "lm-studio-community/x"}') == '{"model": "lm-studio-community/x"}'
    assert redacted("the key lm-studio was refused", {}) == "the key [hidden] was refused"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-abcd****************wxyz. See the page.",
        "invalid api_key: 'a1b2c3d4e5'",
        '{"Authorization": "Token abcd1234"}',
        "header authorization=Zq7Canary11",
        "with tgp_v1_0123456789abcdef",
        "wandb_api_key = abcdef123456",
    ],
)
def test_what_servers_quote_of_keys_is_hidden_though_nobody_here_uses_them(text: str) -> None:
    words = {
        "sk-abcd****************wxyz",
        "a1b2c3d4e5",
        "abcd1234",
        "Zq7Canary11",
        "0123456789abcdef",
        "abcdef123456",
    }
    (said,) = (word for word in words if word in text)
    for filtered in (without_keys, lambda text: redacted(text, {})):
        assert said not in filtered(text)
        assert filtered(filtered(text)) == filtered(text)


def test_addresses_in_what_a_provider_tells_stay_whole() -> None:
    text = "see https://wandb.ai/acme/runs?tab=loss#top"
    assert without_keys(text, {}) == text
    assert redacted(text, {}) == "see https://wandb.ai/acme/runs"


def test_redaction_of_a_megabyte_takes_no_time() -> None:
    import time

    for piece in (
        "https://",
        "a@",
        "sig=",
        "Bearer ",
        "x:/",
        "://u:p@",
        "-----BEGIN PRIVATE KEY-----",
        "sk-1",
        " sk-a1",
        "api_key: ",
    ):
        begun = time.process_time()
        redacted(piece * (1_000_000 // len(piece)), {})
        assert time.process_time() - begun < 5, piece


def test_no_option_takes_a_key() -> None:
    from ftprep.cli.commands import HOMES, command

    # The sandbox's key is what its clients are to send, no secret.
    commands = [command(name) for name in HOMES if name != "sandbox"]
    names = {name for each in commands for option in each.params for name in option.opts}
    assert not [n for n in names if any(word in n for word in ("key", "secret", "password", "credential"))]
    assert {n for n in names if "token" in n} == {"--token-limit", "--token-encoding"}
