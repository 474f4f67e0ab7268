"""What all tests share: no network, no deadline for property tests (machines may be busy), texts of many kinds."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings

import ftprep

settings.register_profile("ftprep", deadline=None)
settings.load_profile("ftprep")

# A shell starts what it runs in the background deaf to Ctrl-C, and so would be all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("a test tried to use the network")


LOOPBACK = ("127.0.0.1", "localhost")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, look_up = socket.socket.connect, socket.getaddrinfo
    is_open = request.node.get_closest_marker("loopback") is not None

    def only_local(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not (is_open and address[0] in LOOPBACK):
            _refuse()
        connect(self, address)

    def look_up_local(host: Any, *others: Any, **named: Any) -> Any:
        if host not in LOOPBACK:
            raise socket.gaierror(socket.EAI_NONAME, "no name is looked up in a test")
        return look_up(host, *others, **named)

    monkeypatch.setattr(socket.socket, "connect", only_local)
    if is_open:
        monkeypatch.setattr(socket, "getaddrinfo", look_up_local)
    else:
        monkeypatch.setattr(socket, "create_connection", _refuse)
        monkeypatch.setattr(socket, "getaddrinfo", _refuse)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Texts of many kinds: languages, scripts, code, white space, special-token strings, odd characters."""
    root = Path(ftprep.__file__).parent
    code = [path.read_text(encoding="utf-8") for path in sorted(root.glob("*.py"))]
    return [
        "",
        " ",
        "\n",
        "a",
        "Hello, world! It's John's; we'll see, they'VE gone, I'D say 'tis so.",
        "0 1 22 333 4444 55555 3.14159 1,000,000 ½ ² Ⅷ ٣٤٥",
        "<|endoftext|><|im_start|>user\n<|fim_prefix|> and <|endofprompt|> <|start|>assistant<|message|>",
        "天地玄黄，宇宙洪荒。日月盈昃、辰宿列张。",
        "これはペンです。カタカナー、ひらがな。",
        "안녕하세요, 세계! 한국어 문장입니다.",
        "Съешь же ещё этих мягких французских булок, да выпей чаю.",
        "مرحبا بالعالم. كيف حالك؟ שלום עולם",
        "हिन्दी में लिखा हुआ वाक्य।",
        "👩‍👩‍👧‍👦 🇫🇷 👍🏽 😀😀😀 ❤️",
        "e\u0301 vs é, a\u0308\u0323, \u200b\u200d\ufeff\u00ad soft",
        "   leading, trailing   ",
        "tabs\t\t\tand\r\n\r\n windows\r\nlines \u3000\u00a0\u2003 wide  \n \n\n  x",
        "/path//to/file\n/\n// comment\r\n/* x */",
        '{"messages": [{"role": "user", "content": "hi \\u00e9\\n"}]}',
        "ſuch 'ſ 'ſt long s, K kelvin, DŽ ǅ ǆ titles",
        "\x00\x01\x1c\x1d\x1e\x1f\x7f\x85 controls",
        "a" * 3000,
        " " * 3000 + "x",
        "." * 700 + "\n" * 500 + "/" * 300,
        *code,
    ]
