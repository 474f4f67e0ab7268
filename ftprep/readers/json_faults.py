"""Why some text is not strict JSON: the first fault in it, in plain words, with its line and column."""

from __future__ import annotations

import json
import re
from typing import NoReturn

import ftprep.readers.json_tokens as json_tokens
from ftprep.readers.base import MAX_DEPTH
from ftprep.readers.encoding import undecodable


class BadJson(Exception):  # noqa: N818 - reads as what it says
    """Text that is not one strict JSON value: the code of the fault, what is wrong and where, the line and 1-based
    column (in characters), a short excerpt; `cut` where the text ends too early."""

    def __init__(
        self, code: str, message: str, column: int = 1, excerpt: str = "", line: int = 1, cut: bool = False
    ) -> None:
        super().__init__(code, message, column, excerpt, line, cut)
        self.code = code
        self.message = message
        self.column = column
        self.excerpt = excerpt
        self.line = line
        self.cut = cut


def explain(data: bytes, line: int = 1, column: int = 1, depth: int = MAX_DEPTH) -> BadJson | None:
    """The first fault of JSON text that starts at a line and column, None where it is sound."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        fault = undecodable(data)
        return BadJson(fault.code, fault.message, fault.column, fault.excerpt, line)
    try:
        _Walk(text, line, column, depth).document()
    except BadJson as bad:
        return bad
    return None


class _Walk:
    """A walk through JSON text, without recursion, that stops at the first fault."""

    def __init__(self, text: str, line: int, column: int, depth: int) -> None:
        self.depth = depth
        self.text = text
        self.at = 0
        self.line = line
        self.column = column
        self.unit = "text" if "\n" in text else "line"
        # For each open bracket where it stands, and for an object the keys it has so far.
        self.open: list[tuple[int, set[str] | None]] = []

    def document(self) -> None:
        """One value and nothing else; raises BadJson."""
        self.blank()
        while self.value() or self.follow():
            pass
        self.blank()
        if self.at < len(self.text):
            self.fail_after()

    def value(self) -> bool:
        """Passes a scalar or an empty container (False), or enters a container up to its first value (True)."""
        char = self.text[self.at : self.at + 1]
        if char not in ("{", "["):
            self.scalar()
            return False
        self.open.append((self.at, set() if char == "{" else None))
        if len(self.open) > self.depth:
            self.fail("IO114", f"nested deeper than {self.depth} levels")
        self.at += 1
        self.blank()
        if self.text[self.at : self.at + 1] == ("}" if char == "{" else "]"):
            self.open.pop()
            self.at += 1
            return False
        if char == "{":
            self.key()
        return True

    def follow(self) -> bool:
        """Passes what may stand after a value: True where another value is due, False at the end of the outermost."""
        while self.open:
            self.blank()
            keys = self.open[-1][1]
            char = self.text[self.at : self.at + 1]
            if char == ",":
                comma = self.at
                self.at += 1
                self.blank()
                if self.text[self.at : self.at + 1] in ("}", "]"):
                    self.fail(
                        "IO104", f"trailing comma after the last {'element' if keys is None else 'member'}", comma
                    )
                if keys is not None:
                    self.key()
                return True
            if char != ("]" if keys is None else "}"):
                self.fail_between()
            self.open.pop()
            self.at += 1
        return False

    def key(self) -> None:
        """Passes a key and its colon."""
        start = self.at
        if self.text[start : start + 1] != '"':
            self.fail_value("a key in double quotes")
        key = json.loads(self.string())
        keys = self.open[-1][1]
        if keys is None or key in keys:
            self.fail("IO105", f"the key {_short(key)} stands twice in one object", start)
        keys.add(key)
        self.blank()
        if self.text[self.at : self.at + 1] != ":":
            self.fail_end(f"after the key {_short(key)}")
            self.fail("IO104", f"no colon after the key {_short(key)}")
        self.at += 1
        self.blank()

    def scalar(self) -> None:
        """Passes a string, a number, true, false or null."""
        if self.text[self.at : self.at + 1] == '"':
            self.string()
        elif match := json_tokens.NUMBER.match(self.text, self.at):
            self.number(match[0])
            self.at = match.end()
        elif match := json_tokens.WORD.match(self.text, self.at):
            self.at = match.end()
        else:
            self.fail_value("a value")

    def number(self, literal: str) -> None:
        """Looks whether a number would stay what it is."""
        if literal.lstrip("-").isdigit():
            if len(literal) > json_tokens.MAX_INT_DIGITS:
                self.fail("IO106", f"an integer of {len(literal):,} digits; as text it stands in double quotes")
        elif json_tokens.loses_digits(literal):
            kept = repr(float(literal))
            self.fail(
                "IO106", f"the number {_short(literal, '')} would become {kept}; as text it stands in double quotes"
            )

    def string(self) -> str:
        """Passes a string and gives it as it is written."""
        match = json_tokens.OPEN_STRING.match(self.text, self.at)
        literal, end = (match[0], match.end()) if match else ('"', self.at + 1)
        for part in json_tokens.UNSOUND.finditer(literal):
            if part[0][0] != "\\" or not (part[0][1:] in json_tokens.ESCAPES or len(part[0]) == 6):
                self.fail_string(self.at + part.start())
        if self.text[end : end + 1] != '"':
            self.fail_cut()
        if "\\u" in literal:
            self.surrogates(literal)
        self.at = end + 1
        return literal + '"'

    def surrogates(self, literal: str) -> None:
        """Looks for halves of surrogate pairs, which are no characters."""
        high: re.Match[str] | None = None
        for match in json_tokens.ESCAPE.finditer(literal):
            unit = int(match[1] or "0", 16)
            if high and not (0xDC00 <= unit < 0xE000 and match.start() == high.end()):
                break
            if not high and 0xDC00 <= unit < 0xE000:
                high = match
                break
            high = match if 0xD800 <= unit < 0xDC00 else None
        if high:
            message = f"{high[0]} is half of a surrogate pair, no character"
            self.fail("IO107", message, self.at + high.start())

    def blank(self) -> None:
        """Passes white space."""
        if match := json_tokens.BLANK.match(self.text, self.at):
            self.at = match.end()

    def fail_string(self, at: int) -> NoReturn:
        """A raw control character inside a string, or a backslash that escapes nothing."""
        rest = self.text[at : at + 6]
        if re.fullmatch(r"\\u[0-9a-fA-F]{0,3}", rest):
            self.fail_cut()
        if rest[0] == "\\":
            what = rest if rest[1] == "u" else rest[:2]
            self.fail("IO104", f"{what} is no JSON escape; a backslash itself is written \\\\", at)
        if rest[0] == "\0":
            self.fail("IO104", f"{self.nuls(at)} inside a string", at)
        control = f"the raw control character U+{ord(rest[0]):04X} inside a string; write \\u{ord(rest[0]):04x}"
        self.fail("IO104", json_tokens.CONTROLS.get(rest[0], control), at)

    def fail_cut(self) -> NoReturn:
        """The text ends inside the string at which the walk stands."""
        message = f"the {self.unit} ends inside a string that starts at {self.place(self.at)}"
        self.fail("IO104", message, cut=True, told=True)

    def fail_value(self, wanted: str) -> NoReturn:
        """Something that is no value, or no key."""
        self.fail_end(f"where {wanted} should stand")
        self.fail_odd()
        rest = self.text[self.at : self.at + 40]
        if len(rest) < 5 and any(word.startswith(rest) for word in ("true", "false", "null", "-")):
            self.fail("IO104", f"the {self.unit} ends inside a value", cut=True)
        if wanted != "a value" and (word := re.match(r"\w+", rest)):
            self.fail("IO104", f"the key {word[0]} without double quotes")
        for pattern, code, words in json_tokens.MISTAKES:
            if match := pattern.match(rest):
                self.fail(code, words.format(match[0]))
        self.fail("IO104", f"{rest[0]} where {wanted} should stand")

    def fail_between(self) -> NoReturn:
        """Something else than a comma or the closing bracket after a value."""
        start, keys = self.open[-1]
        kind = "an array" if keys is None else "an object"
        self.fail_end(f"inside {kind} that starts at {self.place(start)}")
        self.fail_odd()
        rest = self.text[self.at : self.at + 2]
        if rest[0] in "]}":
            self.fail("IO104", f"{rest[0]} where {kind} that starts at {self.place(start)} should end")
        if rest[0] == "#" or rest in ("//", "/*"):
            self.fail("IO104", "a comment; JSON has none")
        if self.text[self.at - 1] == '"' and rest[0] not in '"{[':
            self.fail("IO104", 'text after a string; a double quote inside a string is written \\"')
        self.fail("IO104", "no comma between two " + ("elements" if keys is None else "members"))

    def fail_after(self) -> NoReturn:
        """Something after the value."""
        self.fail_odd(" after the value")
        rest = self.text[self.at : self.at + 40]
        if rest[0] in "{[":
            self.fail("IO120", f"a second value on one {self.unit}")
        if rest[0] in "}]":
            self.fail("IO104", f"{rest[0]} closes nothing")
        if rest[0] == ",":
            self.fail("IO104", f"a comma after the value; between {self.unit}s there is none")
        self.fail("IO104", f"{_short(rest.split()[0], '')} after the value")

    def fail_end(self, where: str) -> None:
        """The text ends too early, if it does."""
        if self.at >= len(self.text):
            self.fail("IO104", f"the {self.unit} ends {where}", cut=bool(self.text.strip()))

    def fail_odd(self, where: str = "") -> None:
        """NUL bytes, a byte-order mark or odd white space, if that is what stands here."""
        char = self.text[self.at]
        if char == "\0":
            self.fail("IO104", self.nuls(self.at) + where)
        if char == "\ufeff":
            self.fail("IO104", f"a byte-order mark{where}; it may only stand at the start of a file")
        if char.isspace() or not char.isprintable():
            self.fail("IO104", f"the character U+{ord(char):04X}{where or ' between the values'}")

    def nuls(self, at: int) -> str:
        """How many NUL bytes stand in a row."""
        count = len(self.text) - at - len(self.text[at:].lstrip("\0"))
        return f"{count:,} NUL byte{'s' if count > 1 else ''}"

    def place(self, at: int) -> str:
        """A position in words, with its line where that is not the first."""
        line, column = self.position(at)
        return f"column {column}" if line == self.line else f"line {line}, column {column}"

    def position(self, at: int) -> tuple[int, int]:
        """Line and 1-based column (in characters) of a position."""
        lines = self.text.count("\n", 0, at)
        column = at - self.text.rfind("\n", 0, at)
        return self.line + lines, column if lines else column + self.column - 1

    def fail(self, code: str, message: str, at: int = -1, cut: bool = False, told: bool = False) -> NoReturn:
        """Raises BadJson for a position (where the walk stands, unless given), named unless the message `told` it."""
        at = self.at if at < 0 else at
        line, column = self.position(at)
        excerpt = (
            ("…" if at > 16 else "") + self.text[max(at - 16, 0) : at + 24] + ("…" if at + 24 < len(self.text) else "")
        )
        said = message if told else f"{message} (at {self.place(at)})"
        raise BadJson(code, said, column, excerpt, line, cut)


def _short(text: str, quote: str = '"') -> str:
    """A piece of the data, cut to what a line can hold."""
    return f"{quote}{text[:30]}{'…' if len(text) > 30 else ''}{quote}"
