"""A state's documents as sealed bytes, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from resphere.replica.sealing import BytesSealing
from resphere.states.extent import CLASSES
from resphere.turns import in_turns

LENGTH_BYTES = 4
Documents = dict[type[Any], dict[str, Any]]
"""By class and id."""
_encode = msgspec.msgpack.Encoder().encode


class Unreadable(Exception):
    """What is kept of a state cannot be read; the message says why."""


class Sealer:
    """Writes the documents of the state of that ``key`` piece by piece, each good at its place alone."""

    def __init__(self, sealing: BytesSealing, key: str) -> None:
        self._sealing = sealing
        self._key = key
        self.pieces = 0

    async def written(self, documents: Mapping[type[Any], Mapping[str, Any]]) -> AsyncIterator[bytes]:
        """The pieces. Others have their turn in between."""
        for cls in CLASSES:
            async for some in in_turns(documents[cls].values()):
                piece = _encode((cls.kind, some))
                sealed = self._sealing.seal(piece, place(self._key, self.pieces))
                self.pieces += 1
                yield len(sealed).to_bytes(LENGTH_BYTES) + sealed


async def read(sealing: BytesSealing, key: str, pieces: int, content: bytes) -> Documents:
    """The documents.

    :raises Unreadable: it is cut off, or of an unknown form.
    :raises StoreError: another key has sealed it.
    """
    documents: Documents = {cls: {} for cls in CLASSES}
    number = 0
    async for some in in_turns(split(content), 1):
        for sealed in some:
            try:
                add(documents, sealing.open(bytes(sealed), place(key, number)))
            except (msgspec.MsgspecError, KeyError) as error:
                raise Unreadable(str(error)) from error
            number += 1
    if number != pieces:
        raise Unreadable(f"{number} of {pieces} pieces are there")
    return documents


def add(documents: Documents, piece: bytes) -> None:
    """Take in the documents of a piece."""
    kind, raw = _parts.decode(piece)
    cls, decoder = decoders()[kind]
    documents[cls].update((each.id, each) for each in decoder.decode(raw))


def split(content: bytes) -> Iterable[memoryview]:
    """The sealed pieces of a file."""
    view, at = memoryview(content), 0
    while at < len(view):
        begin = at + LENGTH_BYTES
        at = begin + int.from_bytes(view[at:begin])
        if at > len(view):
            raise Unreadable("it is cut off")
        yield view[begin:at]


def place(key: str, number: int) -> str:
    """Where a piece is good."""
    return f"states/{key}/{number}"


@cache
def decoders() -> Mapping[str, tuple[type[Any], msgspec.msgpack.Decoder[Any]]]:
    """By kind: the class, and what reads a list of its documents."""
    return {cls.kind: (cls, msgspec.msgpack.Decoder(list[cls])) for cls in CLASSES}  # type: ignore[valid-type]


_parts = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
