"""Long lists in pieces that are kept: after a change, only what has changed is written and compressed again.

A list of 20,000 VMs takes some 10 ms to write and 4 ms to compress; with one of them changed, in pieces, half of one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeAlias

from resphere.dialects.gzip_member import Deflated, deflated, gzip_joined

ITEMS = 256
"""In a piece: compressed by themselves, fewer would find less that repeats."""
FEWEST_ITEMS = 2 * ITEMS
"""In a list that is worth it."""

Items: TypeAlias = tuple[Any, ...]
Write: TypeAlias = Callable[[Items], bytes]
"""Writes a list as a document: its items in brackets, with commas between them, and the same around them always."""

EMPTY = b"[]"


class Piece:
    """Some items, each written after a comma."""

    __slots__ = ("_deflated", "content", "items", "size_bytes")

    def __init__(self, items: Items, content: bytes) -> None:
        self.items = items
        self.content = content
        self.size_bytes = len(content) * 9 // 8 + 8 * len(items)
        """About what it holds beside its items, which others hold too."""
        self._deflated: Deflated | None = None

    @property
    def deflated(self) -> Deflated:
        """The content compressed: once, and only where somebody wants that."""
        if self._deflated is None:
            self._deflated = deflated(self.content)
        return self._deflated


class Pieces:
    """One list as it was written last."""

    def __init__(self) -> None:
        self._items: Items = ()
        self._head = self._end = b""
        self._pieces: list[Piece] = []
        self.size_bytes = 0
        """About what is held."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pieces)

    def take(self, items: Items, write: Write) -> None:
        """Be ``items`` now, at least one, of which those that are the same as before are not written again."""
        if items is self._items:
            return
        before, _, self._end = write(()).partition(EMPTY)
        # The first item stands before the pieces, so that all of theirs follow a comma, wherever they come to stand.
        self._head = write(items[:1])[: -len(self._end) - 1]
        around = slice(len(before) + 1, -len(self._end) - 1)
        known = {id(piece.items[0]): piece for piece in self._pieces}
        pieces: list[Piece] = []
        begin = at = 1

        def write_anew() -> None:
            """Those from ``begin`` to ``at``; with a small piece before them, which would stay small otherwise."""
            first = begin
            if pieces and len(pieces[-1].items) < ITEMS // 2:
                first -= len(pieces.pop().items)
            pieces.extend(Piece(some, b"," + write(some)[around]) for some in divided(items[first:at]))

        while at < len(items):
            piece = known.get(id(items[at]))
            if piece is None or piece.items != items[at : at + len(piece.items)]:
                at += 1
                continue
            if begin < at:
                write_anew()
            pieces.append(piece)
            begin = at = at + len(piece.items)
        if begin < at:
            write_anew()
        self._items, self._pieces = items, pieces
        self.size_bytes = sum(piece.size_bytes for piece in pieces)

    def plain(self) -> bytes:
        """The document."""
        return b"".join((self._head, *(piece.content for piece in self._pieces), b"]", self._end))

    def gzipped(self) -> bytes:
        """The document compressed, as :func:`~resphere.dialects.gzip_member.gzip_member` would."""
        ends = deflated(self._head), deflated(b"]" + self._end)
        return gzip_joined((ends[0], *(piece.deflated for piece in self._pieces), ends[1]))


def divided(items: Items) -> list[Items]:
    """``items``, at least one, in equal parts of about :data:`ITEMS`."""
    count = max(1, round(len(items) / ITEMS))
    bounds = [len(items) * number // count for number in range(count + 1)]
    return [items[begin:end] for begin, end in pairwise(bounds)]


def is_long_list(result: object) -> bool:
    """Whether it is a list that is worth being kept in pieces."""
    return isinstance(result, tuple) and len(result) >= FEWEST_ITEMS
