"""Which encoding a text file is in: what its first bytes prove, what the user says, or UTF-8; never a silent guess."""

from __future__ import annotations

import codecs
import difflib
import encodings.aliases
import unicodedata

import msgspec

from ftprep.errors import UsageError
from ftprep.model import Fault

# UTF-32-LE stands before UTF-16-LE, whose mark it begins with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAME = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
# Text codecs of Python that are no encodings of files, or that let bytes mean anything.
_NOT_FILES = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7", "mbcs", "oem"}
_NOT_FILES |= {"base64", "bz2", "hex", "quopri", "rot13", "rot-13", "uu", "zlib"}
# What data files that are not UTF-8 are written in, as the superset that also reads the smaller ones: gb18030 for
# gbk and gb2312, cp1252 for latin-1, cp949 for euc-kr, cp932 for shift_jis.
_ASIAN = ("gb18030", "big5", "cp932", "euc-jp", "cp949")
_LATIN = ("cp1252", "cp1250", "cp1254", "iso8859-2", "mac-roman", "cp850")
_OTHERS = ("cp1251", "koi8-r", "cp1253", "cp1255", "cp1256", "cp874")
_PUNCTUATION = "“”‘’„‚–—…€«»°§·•™"
_KANA = ("cp932", "euc-jp")
_MUCH_KANA = 0.2
_SAMPLE_BYTES = 16 << 10
_FEW = 3
_ENOUGH = 6
"""From fewer bytes beyond ASCII no encoding can be told."""

KEEP = "ftprep.keep"
"""Error handler for decoding: what cannot be decoded becomes a lone surrogate, so that encoding back to UTF-8 with
`surrogateescape` gives the byte 0xFF, which no UTF-8 holds: the record it stands in is then refused, and only it."""


def _keep(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error(KEEP, _keep)


class Encoding(msgspec.Struct, frozen=True):
    """What a file is read as: codec, length of its byte-order mark in bytes, and faults as (line, fault)."""

    codec: str
    bom: int = 0
    faults: tuple[tuple[int, Fault], ...] = ()
    refused: bool = False

    def glance(self, head: bytes) -> str:
        """The head as text, only to look at: what does not decode (a character cut at the end, too) is U+FFFD."""
        return head[self.bom :].decode(self.codec, "replace")


class _Fit(msgspec.Struct, frozen=True):
    """How well some bytes suit a codec: lines, lines beyond ASCII, lines that do not decode, bytes beyond ASCII, and
    the offset of the first bad byte."""

    lines: int
    beyond: int
    bad: int
    evidence: int
    offset: int

    @property
    def is_refused(self) -> bool:
        """Whether the codec is the wrong one, rather than a few lines damaged."""
        if self.bad <= _FEW:
            return self.bad * 2 > self.lines and self.evidence >= _ENOUGH
        return self.bad * 2 >= self.beyond


def settle(head: bytes, name: str, declared: str = "", whole: bool = False) -> Encoding:
    """The encoding of a text file by its first bytes (`whole`: they are all of it); a byte-order mark decides, then
    `declared`, else it is UTF-8 or refused with candidates. Raises UsageError where `declared` names no encoding."""
    asked = _known(declared) if declared else ""
    mark = next(((codec, len(bom)) for bom, codec in _MARKS if head.startswith(bom)), None)
    codec, bom = mark or (_ends_of(head, asked) if asked else "utf-8", 0)
    own = "\ufeff".encode(codec, "ignore")
    if not mark and own and head.startswith(own):
        bom = len(own)
    faults = _marked(codec, asked) if mark else ()
    body = head[bom:]
    if codec == "utf-8" and not asked and (wide := _wide(body)):
        return Encoding("utf-8", faults=(*faults, (1, _no_mark(body, wide))), refused=True)
    fit = _fit(body, codec, whole)
    if fit is None or not fit.is_refused:
        return Encoding(codec, bom, faults)
    return Encoding(codec, bom, (*faults, _refusal(body, bom, codec, fit.offset, whole, name)), refused=True)


def undecodable(line: bytes, codec: str = "utf-8") -> Fault:
    """The fault of one line that is not in the encoding of its file: the first bad byte and its offset in the line."""
    if codec != "utf-8":
        column = line.decode("utf-8", "replace").find("\ufffd") + 1
        return Fault("IO101", f"bytes that are not {codec} at column {column}", column=column)
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        before = line[: error.start].decode("utf-8")
        what = f"byte 0x{line[error.start]:02X} at byte offset {error.start} of the record is not UTF-8"
        excerpt = (
            f"{before[-20:]}\\x{line[error.start]:02x}{line[error.end : error.end + 20].decode('ascii', 'ignore')}"
        )
        return Fault("IO101", what, excerpt=excerpt, column=len(before) + 1)
    return Fault("IO101", "not UTF-8")


def _known(declared: str) -> str:
    """The codec's own name of an encoding that the user named."""
    try:
        name = codecs.lookup(declared.strip()).name.replace("_", "-")
    except (LookupError, ValueError):
        name = ""
    if name and name not in _NOT_FILES:
        return name
    names = {n.replace("_", "-") for n in encodings.aliases.aliases.values() if not n.endswith("_codec")} - _NOT_FILES
    near = difflib.get_close_matches(declared.lower().replace("_", "-"), sorted(names), n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "for example utf-8, gb18030, cp1252 or utf-16"
    message = f"unknown encoding {declared!r}"
    raise UsageError(message, hint)


def _ends_of(head: bytes, asked: str) -> str:
    """The codec that reads what the user named: UTF-16 and UTF-32 without a mark need their byte order."""
    if asked in ("utf-16", "utf-32"):
        return f"{asked}-be" if head[:1] == b"\0" else f"{asked}-le"
    return _SAME.get(asked, asked)


def _marked(codec: str, asked: str) -> tuple[tuple[int, Fault], ...]:
    """What to say about a byte-order mark: in UTF-8 it does no good, elsewhere it says what the file is."""
    against = f", although {asked} was asked for" if asked and not codec.startswith(_SAME.get(asked, asked)[:6]) else ""
    if codec == "utf-8":
        return ((1, Fault("IO102", f"the file starts with a UTF-8 byte-order mark{against}", fixable=True)),)
    if asked and not against:
        return ()
    message = f"not UTF-8; read as {codec}, because the byte-order mark says so{against}"
    return ((1, Fault("IO103", message, fixable=True)),)


def _strict(body: bytes, codec: str, whole: bool) -> UnicodeDecodeError | None:
    """Where the bytes stop being the codec's, None where they are; cut inside a character counts only at the end."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        decoder.decode(body, final=whole)
    except UnicodeDecodeError as error:
        return error
    return None


def _fit(body: bytes, codec: str, whole: bool) -> _Fit | None:
    """How badly the bytes suit the codec, None where they suit it well."""
    error = _strict(body, codec, whole)
    if error is None:
        return None
    decoder = codecs.getincrementaldecoder(codec)(KEEP)
    lines = [line for line in decoder.decode(body, final=whole).split("\n") if line and not line.isspace()]
    beyond = sum(not line.isascii() for line in lines)
    bad = sum("\udcff" in line for line in lines)
    return _Fit(len(lines), beyond, bad, sum(byte > 127 for byte in body), error.start)


def is_wide(head: bytes) -> bool:
    """Whether bytes may be UTF-16 or UTF-32: marked, or with NULs on one side of each pair of bytes only."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return any(head.startswith(bom) for bom, _ in _MARKS[1:]) or (max(even, odd) >= 2 and not min(even, odd))


def _wide(body: bytes) -> str:
    """UTF-16 without a mark that is mostly ASCII: every other byte is NUL, and always the same side."""
    sample = body[: _SAMPLE_BYTES & ~1]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) >= 2 and max(even, odd) > half * 0.2 and min(even, odd) < half * 0.02:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _no_mark(body: bytes, codec: str) -> Fault:
    """UTF-16 that does not say so."""
    shown = _shown(body[:64].decode(codec, "replace"), 0)
    return Fault(
        "IO101", f"not UTF-8: it looks like {codec} without a byte-order mark ({shown}); use --encoding {codec}"
    )


def _refusal(body: bytes, bom: int, codec: str, offset: int, whole: bool, name: str) -> tuple[int, Fault]:
    """The fault of a file in another encoding: first bad byte, candidates best first, and how to go on."""
    before = body[:offset].decode(codec, "replace")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    what = f"not {codec.replace('utf', 'UTF')}: byte 0x{body[offset]:02X} at byte offset {bom + offset} (line {line})"
    found = _candidates(body, codec, whole)
    if not found:
        return line, Fault("IO101", f"{what}; no usual encoding fits, {name} may be damaged", column=column)
    shown = ", ".join(f"{candidate} ({_excerpt(body, candidate, offset)})" for candidate in found)
    return line, Fault("IO101", f"{what}; it may be {shown}; use --encoding {found[0]}", column=column)


def _candidates(body: bytes, refused: str, whole: bool) -> list[str]:
    """Up to three encodings that decode all of the bytes, the likeliest first."""
    from charset_normalizer import from_bytes

    # Only lines beyond ASCII say anything, and a character never spans a line in the encodings that are looked for.
    sample = b"\n".join(line for line in body.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
    ranked = [m.encoding.replace("_", "-") for m in from_bytes(sample, cp_isolation=[*_ASIAN, *_LATIN, *_OTHERS])]
    ranked.sort(key=lambda codec: codec not in _KANA or _kana_share(sample, codec) < _MUCH_KANA)
    if not ranked or ranked[0] in _LATIN:
        latin = sorted(_LATIN, key=lambda codec: -_latin_share(sample, codec))
        ranked = [*latin[:2], *(codec for codec in ranked if codec not in latin[:2])]
    nuls = body[0::2].count(0), body[1::2].count(0)
    if max(nuls) >= 2 and not min(nuls):
        ranked.insert(0, "utf-16-le" if nuls[1] else "utf-16-be")
    fitting = [codec for codec in ranked if codec != refused and _strict(body, codec, whole) is None]
    return fitting[:3]


def _kana_share(sample: bytes, codec: str) -> float:
    """How much of what is beyond ASCII is hiragana, of which other languages have none."""
    beyond = [c for c in sample.decode(codec, "replace") if not c.isascii()]
    return sum("\u3041" <= c <= "\u3096" for c in beyond) / max(len(beyond), 1)


def _latin_share(sample: bytes, codec: str) -> float:
    """How much of what is beyond ASCII reads as letters and quotation marks rather than as signs between letters."""
    beyond = [c for c in sample.decode(codec, "replace") if not c.isascii()]
    good = sum((unicodedata.category(c) in ("Ll", "Lu") and c not in "ðþýÐÞÝ") or c in _PUNCTUATION for c in beyond)
    return round(good / max(len(beyond), 1), 2)


def _excerpt(body: bytes, codec: str, offset: int) -> str:
    """What stands at the first bad byte when read in a candidate."""
    if codec.startswith("utf-16"):
        return _shown(body[:64].decode(codec, "replace"), 0)
    start = body.rfind(b"\n", 0, offset) + 1
    text = body[start : offset + 80].decode(codec, "replace").rstrip("\ufffd")
    at = next((i for i, c in enumerate(text) if not c.isascii()), 0)
    return _shown(text, at)


def _shown(text: str, at: int) -> str:
    """About 20 characters from a position on, in quotation marks, on one line."""
    start = text.rfind('"', max(at - 8, 0), at) + 1 or max(at - 8, 0)
    part = text[start : start + 20]
    return "“" + "".join(c if c.isprintable() else " " for c in part) + "”"
