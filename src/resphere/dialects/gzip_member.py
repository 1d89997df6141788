"""A gzip stream that can be kept, and ended differently for each request, without compressing it again.

Not every client reads a second gzip member (httpx stops after the first), so what follows must stand in the same one:
the kept part ends on a byte boundary, its checksum can be carried on, and a last block takes the rest uncompressed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec
from isal import isal_zlib

LEVEL = 1
_RAW = -15
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_TRAILER = struct.Struct("<LL")
_STORED = struct.Struct("<BHH")
_LARGEST_STORED = 0xFFFF
_SMALLEST_DEFLATED = 256
_END_SIZE = _STORED.size + _TRAILER.size


class Deflated(msgspec.Struct, frozen=True, gc=False):
    """A part of a content, compressed by itself; ``checksum`` is its CRC-32."""

    blocks: bytes
    checksum: int
    size_bytes: int


def deflated(part: bytes) -> Deflated:
    """A part of a content, which :func:`gzip_joined` puts together with others."""
    if len(part) < _SMALLEST_DEFLATED:
        return Deflated(_stored(part, False), isal_zlib.crc32(part), len(part))
    deflate = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, _RAW)
    blocks = deflate.compress(part) + deflate.flush(isal_zlib.Z_SYNC_FLUSH)
    return Deflated(blocks, isal_zlib.crc32(part), len(part))


def gzip_joined(parts: Iterable[Deflated]) -> bytes:
    """The whole gzip stream of a content in parts, which :func:`gzip_extended` can continue."""
    blocks, checksum, size_bytes = [_HEADER], 0, 0
    for part in parts:
        blocks.append(part.blocks)
        checksum = isal_zlib.crc32_combine(checksum, part.checksum, part.size_bytes)
        size_bytes += part.size_bytes
    return b"".join((*blocks, _stored(b"", True), _TRAILER.pack(checksum, size_bytes & 0xFFFFFFFF)))


def gzip_member(content: bytes) -> bytes:
    """``content`` compressed: a whole gzip stream, which :func:`gzip_extended` can continue."""
    return gzip_joined((deflated(content),))


def gzip_extended(member: bytes, tail: bytes) -> bytes:
    """The stream of the content of ``member``, made by :func:`gzip_member`, followed by ``tail``."""
    checksum, size = _TRAILER.unpack_from(member, len(member) - _TRAILER.size)
    trailer = _TRAILER.pack(isal_zlib.crc32(tail, checksum), (size + len(tail)) & 0xFFFFFFFF)
    kept = memoryview(member)[:-_END_SIZE]
    if len(tail) <= _LARGEST_STORED:
        return b"".join((kept, _stored(tail, True), trailer))
    pieces = [tail[start : start + _LARGEST_STORED] for start in range(0, len(tail), _LARGEST_STORED)]
    blocks = [_stored(piece, position == len(pieces)) for position, piece in enumerate(pieces, 1)]
    return b"".join((kept, *blocks, trailer))


def _stored(content: bytes, last: bool) -> bytes:
    """A block of content as it is (RFC 1951, 3.2.4), which begins on a byte boundary."""
    return _STORED.pack(last, len(content), len(content) ^ 0xFFFF) + content
