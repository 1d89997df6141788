"""Text from outside made fit for a log: printable ASCII, so that nobody forges a line or steers a terminal."""

from __future__ import annotations

import re
from urllib.parse import quote

_find_unfit = re.compile(r"[^!-~]").search
_FIT = "".join(map(chr, range(0x21, 0x7F)))
_NOT_PRINTABLE = re.compile(r"[^ -~]")
_NOT_PRINTABLE_NOR_NEWLINE = re.compile(r"[^\n -~]")


def token(text: str | None) -> str:
    """`text` as one word: blanks and all that is not printable ASCII percent-encoded as UTF-8; `-` for nothing."""
    if not text:
        return "-"
    if _find_unfit(text) is None:
        return text
    return quote(text, safe=_FIT, errors="backslashreplace")


def printable(text: str) -> str:
    r"""`text` on one line, with blanks kept and all else that is not printable ASCII as \xNN, \uNNNN or \UNNNNNNNN."""
    return _NOT_PRINTABLE.sub(_escaped_for_people, text)


def ascii_json(encoded: bytes) -> bytes:
    r"""JSON lines with all beyond printable ASCII as \uNNNN: it can stand nowhere but inside strings. Newlines stay."""
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded
    return _NOT_PRINTABLE_NOR_NEWLINE.sub(_escaped_for_json, encoded.decode()).encode("ascii")


def encodable(text: str) -> str:
    r"""`text` without lone surrogates, which no encoder takes: they become \uNNNN, spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _escaped_for_people(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_for_json(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
