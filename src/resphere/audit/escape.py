"""Text from outside made fit for a log: printable ASCII of bounded length, so that nobody forges a line, steers a
terminal, or fills a log with one value. All of it by what Python does in C: a value may have millions of characters."""

from __future__ import annotations

import json

import msgspec

_SPELT = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}
"""Control characters of ASCII, for people."""
_ENCODED = {code: f"%{code:02X}" for code in range(0x100) if not 0x21 <= code <= 0x7E}
"""Bytes that stand in no word, percent-encoded."""
_decode = msgspec.json.Decoder().decode


def bounded(text: str, most: int) -> str:
    """``text``, of which only the first ``most`` characters are kept where it has more, with a mark that says how many
    there were. Only what was cut is longer than ``most``: nobody can send such a mark."""
    return text if len(text) <= most else f"{text[:most]}...[{len(text)} characters]"


def token(text: str | None) -> str:
    """`text` as one word: blanks and all that is not printable ASCII percent-encoded as UTF-8; `-` for nothing."""
    if not text:
        return "-"
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("latin-1").translate(_ENCODED)


def printable(text: str) -> str:
    r"""`text` on one line, with blanks kept and all else that is not printable ASCII as \xNN, \uNNNN or \UNNNNNNNN."""
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode("ascii").translate(_SPELT)


def ascii_json(encoded: bytes) -> bytes:
    r"""A JSON document with all beyond printable ASCII as \uNNNN: it can stand nowhere but inside strings."""
    if encoded.isascii() and 0x7F not in encoded:
        return encoded
    written = json.dumps(_decode(encoded), separators=(",", ":"))
    return written.encode("ascii").replace(b"\x7f", b"\\u007f")


def encodable(text: str) -> str:
    r"""`text` without lone surrogates, which no encoder takes: they become \uNNNN, spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()
