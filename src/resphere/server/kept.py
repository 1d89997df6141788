"""Kept replies: whole bodies by what was asked, by whom it may be seen, and by the inventory's revision.

Of long lists the pieces are kept too, from revision to revision: a new one is then made of those that have not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache

import msgspec

from resphere.dialects.base import Reply
from resphere.dialects.gzip_member import gzip_member
from resphere.server.pieces import Items, Pieces
from resphere.server.reply_headers import written_headers

SMALLEST_COMPRESSED_BYTES = 1024
ENTRY_BYTES = 800
PIECES_LIMIT_BYTES = 32 * 1024 * 1024

Key = tuple[object, ...]


class Kept:
    """A bounded cache of one worker. All whole replies in it are of one revision."""

    def __init__(self, limit_bytes: int = 64 * 1024 * 1024, pieces_limit_bytes: int = PIECES_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._revision = -1
        self._replies: dict[Key, Reply] = {}
        self._pieces_limit_bytes = pieces_limit_bytes
        self._pieces_bytes = 0
        self._pieces: dict[Key, Pieces] = {}

    def get(self, key: Key, revision: int) -> Reply | None:
        """The reply made at this revision, if it is kept."""
        return self._replies.get(key) if revision == self._revision else None

    def put(self, key: Key, revision: int, reply: Reply) -> None:
        """Keep a reply. A new revision drops those of the old one."""
        reply = msgspec.structs.replace(reply, sent_headers=written_headers(reply.media_type, reply.headers))
        size_bytes = len(reply.body) + weight_bytes(key)
        if revision != self._revision or self._size_bytes + size_bytes > self._limit_bytes:
            self._replies.clear()
            self._size_bytes = 0
            self._revision = revision
        if size_bytes <= self._limit_bytes:
            self._replies[key] = reply
            self._size_bytes += size_bytes

    def listed(self, key: Key, encode: Callable[[Items], Reply], parts: tuple[Items, ...], gzip: bool) -> Reply:
        """The reply that is the long list of these parts, of which ``encode`` makes replies of any part."""
        pieces = self._pieces.pop(key, None)
        if pieces is None:
            pieces = Pieces()
        else:
            self._pieces_bytes -= pieces.size_bytes + weight_bytes(key)
        empty = encode(())
        pieces.take(parts, empty.body, lambda some: encode(some).body)
        self._pieces[key] = pieces  # at the end: what was used last is the last to go
        self._pieces_bytes += pieces.size_bytes + weight_bytes(key)
        while self._pieces_bytes > self._pieces_limit_bytes:
            oldest = next(iter(self._pieces))
            self._pieces_bytes -= self._pieces.pop(oldest).size_bytes + weight_bytes(oldest)
        if gzip:
            headers = (*empty.headers, ("Content-Encoding", "gzip"))
            return msgspec.structs.replace(empty, body=pieces.gzipped(), headers=headers)
        return msgspec.structs.replace(empty, body=pieces.plain())


def weight_bytes(key: Hashable) -> int:
    """About what an entry costs beside its body: queries are as long as their writers like, and bodies may be empty."""
    if isinstance(key, tuple):
        return ENTRY_BYTES + sum(map(weight_bytes, key))
    return len(key) if isinstance(key, (str, bytes)) else 0


@lru_cache(maxsize=64)
def accepts_gzip(header: bytes | None) -> bool:
    """Whether ``Accept-Encoding`` allows gzip (``gzip;q=0`` does not)."""
    for part in (header or b"").lower().split(b","):
        coding, _, weight = part.strip().partition(b";")
        if coding.strip() == b"gzip":
            return weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def compressible(media_type: str | None) -> bool:
    """Whether content of that type is text; an archive is as small as it gets."""
    return media_type is not None and media_type.startswith(("application/json", "image/svg", "text/"))


def compressed(reply: Reply) -> Reply:
    """``reply`` with its body gzipped, or as it is where that is not worth it."""
    if len(reply.body) < SMALLEST_COMPRESSED_BYTES:
        return reply
    return msgspec.structs.replace(
        reply, body=gzip_member(reply.body), headers=(*reply.headers, ("Content-Encoding", "gzip"))
    )
