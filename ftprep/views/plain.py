"""Text on its way to a person: what data may show on a terminal, how wide it is, how it is cut, wrapped, coloured."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ftprep.later import later

HIDDEN = later(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: they drive terminals
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, joiner, fillers: nothing to see
    "\u061c\u200b-\u200f\u2060-\u206f\ufeff"  # zero width, direction marks, invisible operators
    "\u2028-\u202e"  # line and paragraph separators, embeddings and overrides of direction
    "\ufff9-\ufffb"  # interlinear annotation
    "\ud800-\udfff"  # lone surrogates: no encoding can print them
    "\U000e0000-\U000e007f"  # tags: text that nobody sees
    "]"
)
"""Characters that a terminal obeys, that change the order of what is read, or that cannot be seen."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ASCII_WORDS = re.compile(" +|[^ ]+")
_WORDS = later(
    " +|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U0001f300-\U0003fffd]"
    "|[^ \u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\U0001f300-\U0003fffd]+"
)
# GitHub's runner takes a line that begins with "::", or that holds "##[" anywhere, for a command
# (actions/runner, ActionCommand.cs): text from a data set must not give it any.
_COMMAND = later(r"^((?:[^\S\n]|\x1b\[[\d;]*m)*):(?=:)|##(?=\[)", re.MULTILINE)
_CODES = {"bold": "1", "dim": "2", "strike": "9", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def safe(text: str) -> str:
    r"""The text with every character that drives a terminal or cannot be seen as an escape: `\x1b`, `\u202e`, `\n`."""
    return text if text.isascii() and text.isprintable() else HIDDEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str) -> str:
    r"""A separator or name between quotes, so that its blanks show and `\n` is never mistaken for two letters."""
    return '"' + safe(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def columns(text: str) -> int:
    """How many terminal columns a text takes: CJK and emoji two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_char_columns, text))


def _char_columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 0 if unicodedata.category(char) in ("Mn", "Me") else 1


def cut(text: str, most: int) -> str:
    """The text made safe and cut to at most `most` columns, with an ellipsis where something was cut off."""
    # Marks take no column, so characters are limited too: a letter with thousands of accents stays small.
    shown = safe(text[: 2 * most])
    if columns(shown) <= most and len(text) <= 2 * most:
        return shown
    kept, used = [], 0
    for char in text[: 2 * most]:
        piece = safe(char)
        used += columns(piece)
        if used > most - 1:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def pad(text: str, to: int) -> str:
    """The text filled with blanks to `to` columns."""
    return text + " " * (to - columns(text))


def wrap(text: str, width: int) -> list[str]:
    """A safe text as lines of at most `width` columns, parted at blanks and between CJK characters."""
    lines, line, used = [], "", 0
    for piece in _pieces(text, width):
        size = columns(piece)
        if used + size > width and line.strip():
            lines.append(line.rstrip())
            line, used = "", 0
        if line or piece.strip():
            line, used = line + piece, used + size
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str, width: int) -> Iterator[str]:
    """Words, blanks and single CJK characters; a word wider than a line in parts."""
    for word in (_ASCII_WORDS if text.isascii() else _WORDS).findall(text):
        if columns(word) <= width:
            yield word
            continue
        part, used = "", 0
        for char in word:
            if used + _char_columns(char) > width:
                yield part
                part, used = "", 0
            part, used = part + char, used + _char_columns(char)
        yield part


def finish(lines: Iterable[str]) -> str:
    """Lines as one text that ends with a line end ("" without lines), and in which no line is a command to a CI."""
    text = "".join(f"{line}\n" for line in lines)
    return _COMMAND.sub(lambda m: f"{m[1]}\\x3a" if m[0].endswith(":") else "#\\x23", text)


@dataclass(frozen=True)
class Paint:
    """Colour by ANSI codes where `on`, nothing otherwise; what it marks is always said in words too."""

    on: bool

    def __call__(self, text: str, *styles: str) -> str:
        """The text in these styles: bold, dim, strike, red, green, yellow, cyan."""
        codes = ";".join(_CODES[s] for s in styles if s)
        return f"\x1b[{codes}m{text}\x1b[0m" if self.on and text and codes else text
