"""A request's body, read once and only when somebody asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, InvalidRequest, VapiError, message
from resphere.dialects.http import MOST_VALUES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MOST_DROPPED_BYTES = 256 * 1024 * 1024


class Body:
    """The body of one request; see :class:`resphere.dialects.base.RequestBody`, which this is.

    ``announced_bytes`` is its length where that is known. Then the last event, which says only that it is the last, is
    not waited for: each costs the server as much as half a small request.
    """

    __slots__ = ("_announced_bytes", "_content", "_ended", "_receive", "_received_bytes", "begun")

    def __init__(self, receive: Receive, announced_bytes: int | None) -> None:
        self._receive = receive
        self._announced_bytes = announced_bytes
        self._content: bytes | None = None
        self._received_bytes = 0
        self._ended = announced_bytes == 0
        self.begun = False
        """Whether somebody has read of it."""

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, or a little more than ``limit_bytes`` of one that is larger."""
        if self._content is None:
            self.begun = True
            pieces = []
            while not self._ended:
                pieces.append(await self.next())
                if self._received_bytes > limit_bytes:
                    break
            self._content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return self._content

    def stream(self, limit_bytes: int) -> BodyStream:
        """The body piece by piece; the sender is kept waiting while nobody takes the next one."""
        return BodyStream(self, self._announced_bytes, limit_bytes)

    @property
    def ended(self) -> bool:
        """Whether all of it has come."""
        return self._ended

    @property
    def received_bytes(self) -> int:
        """How much has come."""
        return self._received_bytes

    async def next(self) -> bytes:
        """What comes next.

        :raises InvalidRequest: nothing does, for the client is gone.
        """
        event = await self._receive()
        if event["type"] != "http.request":
            self._ended = True
            # What has come may look whole, or like no body at all: it must not be acted upon.
            raise InvalidRequest(message("resphere.body_incomplete", "The client left before the body was complete."))
        piece: bytes = event.get("body", b"")
        self._received_bytes += len(piece)
        self._ended = not event.get("more_body") or self._received_bytes == self._announced_bytes
        return piece

    async def drop(self) -> None:
        """Let what nobody has read go by, within bounds.

        A client reads no reply while it sends, and the server below closes a connection whose request is not read to
        its end: a refusal would not arrive.
        """
        size = 0
        while not self._ended and size <= MOST_DROPPED_BYTES:
            event = await self._receive()
            self._ended = event["type"] != "http.request" or not event.get("more_body")
            size += len(event.get("body", b""))


class BodyStream(msgspec.Struct, frozen=True):
    """A body as it comes; see :class:`resphere.contract.model.ByteStream`, which this is."""

    body: Body
    size_bytes: int | None
    limit_bytes: int

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces.

        :raises InvalidArgument: there are more bytes than the limit.
        :raises InvalidRequest: the client left in the middle.
        """
        self.body.begun = True
        while not self.body.ended:
            piece = await self.body.next()
            if self.body.received_bytes > self.limit_bytes:
                raise too_large(self.limit_bytes)
            if piece:
                yield piece

    async def close(self) -> None:
        """What is left is dropped with the request's end."""


def announced_bytes(headers: dict[bytes, bytes]) -> int | None:
    """The length of the body, ``None`` where only its end will tell."""
    announced = headers.get(b"content-length", b"")
    return int(announced) if announced.isdigit() and b"transfer-encoding" not in headers else None


def too_many_values() -> VapiError:
    """The refusal of a document that holds more than anybody needs."""
    return InvalidArgument(
        message("resphere.body_too_many_values", "body: must not have more than {0} values.", MOST_VALUES)
    ).http(413)


def too_large(limit_bytes: int) -> VapiError:
    """The refusal of a body."""
    return InvalidArgument(
        message("resphere.body_too_large", "body: must not be larger than {0} bytes.", limit_bytes)
    ).http(413)
