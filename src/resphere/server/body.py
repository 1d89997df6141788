"""A request's body, read once and only when somebody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, InvalidRequest, ServiceUnavailable, VapiError, message
from resphere.dialects.http import MOST_VALUES
from resphere.server.budget import Holding
from resphere.server.connections.registry import Connection, Progress

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MOST_DROPPED_BYTES = 256 * 1024 * 1024
MOST_DROPPING_SECONDS = 30.0
STRANGER_BODY_BYTES = 256 * 1024
"""The most that is read of whom nobody has let in yet: a login is some hundred bytes, one with a SAML token some ten
thousand. The official SDKs show their session in the body only: so large a call of theirs is read on any connection."""
HANDED_BYTES = 1024 * 1024
"""So much of a stream is handed on in one: what comes at a time is a sixteenth of that, or less, and taking it costs as
much as taking all of it."""
HANDED_SECONDS = 0.1
"""After so long what has come of a slow one is handed on."""


class Body:
    """The body of one request; see :class:`resphere.dialects.base.RequestBody`, which this is.

    ``announced_bytes`` is its length where that is known. Then the last event, which says only that it is the last, is
    not waited for: each costs the server as much as half a small request.
    """

    __slots__ = (
        "_ahead",
        "_announced_bytes",
        "_connection",
        "_content",
        "_ended",
        "_holding",
        "_progress",
        "_receive",
        "_received_bytes",
        "begun",
    )

    def __init__(
        self,
        receive: Receive,
        announced_bytes: int | None,
        holding: Holding,
        connection: Connection,
        progress: Progress,
    ) -> None:
        self._receive = receive
        self._ahead: asyncio.Future[Message] | None = None
        """The event that is asked for while the piece before it is handled."""
        self._announced_bytes = announced_bytes
        self._holding = holding
        self._connection = connection
        self._progress = progress
        self._content: bytes | None = None
        self._received_bytes = 0
        self._ended = announced_bytes == 0
        self.begun = False
        """Whether somebody has read of it."""

    @property
    def vouched(self) -> bool:
        """Whether somebody who was let in has called on this connection."""
        return self._connection.vouched

    @vouched.setter
    def vouched(self, known: bool) -> None:
        self._connection.vouched = known

    @property
    def announced_bytes(self) -> int | None:
        """How long it is, where that is known."""
        return self._announced_bytes

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, or a little more than ``limit_bytes`` of one that is larger.

        :raises ServiceUnavailable: so many others are held that there is no room for it.
        """
        if self._content is None:
            self.begun = True
            pieces = []
            while not self._ended:
                piece = await self.next()
                self._holding.grow(len(piece), known=self._connection.vouched)
                pieces.append(piece)
                if self._received_bytes > limit_bytes:
                    break
            self._content = joined(pieces)
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
        :raises ServiceUnavailable: too many others are waited for.
        """
        event = await self._next_event()
        if event["type"] != "http.request":
            self._ended = True
            # What has come may look whole, or like no body at all: it must not be acted upon.
            raise InvalidRequest(message("resphere.body_incomplete", "The client left before the body was complete."))
        piece: bytes = event.get("body", b"")
        self._received_bytes += len(piece)
        self._ended = not event.get("more_body") or self._received_bytes == self._announced_bytes
        if self._ended:
            self._holding.arrive()
        return piece

    def ask_ahead(self) -> None:
        """Have the next piece come while the last one is handled: one only, for Granian keeps several in no order."""
        if not self._ended and self._ahead is None:
            self._ahead = asyncio.ensure_future(self._receive())

    async def drop(self) -> None:
        """Let what nobody has read go by, within bounds.

        Some clients read no reply while they send, and the server below closes a connection whose request is not read
        to its end: a refusal would not arrive.
        """
        size, until = 0, monotonic() + MOST_DROPPING_SECONDS
        while not self._ended and size <= MOST_DROPPED_BYTES and monotonic() < until:
            try:
                event = await self._next_event()
            except ServiceUnavailable:
                return  # so many are waited for that the connection, or the stream, may end
            self._ended = event["type"] != "http.request" or not event.get("more_body")
            size += len(event.get("body", b""))

    async def gone(self) -> None:
        """Wait until the client is gone; what it still sends is thrown away."""
        while (await self._receive())["type"] == "http.request":
            pass

    def release(self) -> None:
        """Nobody will look at it any more."""
        if self._ahead is not None:
            self._ahead.cancel()
        self._holding.release()

    async def _next_event(self) -> Message:
        self._holding.wait(known=self._connection.vouched)
        progress = self._progress
        progress.waits = True
        try:
            ahead, self._ahead = self._ahead, None
            event = await (self._receive() if ahead is None else ahead)
        finally:
            progress.waits = False
        progress.moved_bytes += len(event.get("body", b""))
        return event


class BodyStream(msgspec.Struct, frozen=True):
    """A body as it comes; see :class:`resphere.contract.model.ByteStream`, which this is. It is one event ahead of who
    takes its pieces, each of which has joined what came shortly after another."""

    body: Body
    size_bytes: int | None
    limit_bytes: int
    clock: Callable[[], float] = monotonic

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces.

        :raises InvalidArgument: there are more bytes than the limit.
        :raises InvalidRequest: the client left in the middle.
        """
        self.body.begun = True
        gathered: list[bytes] = []
        gathered_bytes, since = 0, 0.0
        while not self.body.ended:
            piece = await self.body.next()
            if self.body.received_bytes > self.limit_bytes:
                raise too_large(self.limit_bytes)
            if not piece:
                continue
            if not gathered:
                since = self.clock()
            gathered.append(piece)
            gathered_bytes += len(piece)
            if gathered_bytes >= HANDED_BYTES or self.clock() - since >= HANDED_SECONDS:
                self.body.ask_ahead()
                yield joined(gathered)
                gathered, gathered_bytes = [], 0
        if gathered:
            yield joined(gathered)

    async def close(self) -> None:
        """What is left is dropped with the request's end."""


def joined(pieces: list[bytes]) -> bytes:
    """All of them, not copied where it is one."""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def announced_bytes(headers: dict[bytes, bytes]) -> int | None:
    """The length of the body, ``None`` where only its end will tell."""
    announced = headers.get(b"content-length", b"")
    return int(announced) if announced.isdigit() and b"transfer-encoding" not in headers else None


def too_many_values() -> VapiError:
    """The refusal of a document that holds more than anybody needs."""
    return InvalidArgument(
        message("resphere.body_too_many_values", "body: must not have more than {0} values.", MOST_VALUES)
    ).http(413)


def too_large_for_strangers(limit_bytes: int) -> VapiError:
    """The refusal of a body of somebody whom nobody knows yet."""
    return InvalidArgument(
        message(
            "resphere.body_too_large_before_login",
            "body: must not be larger than {0} bytes unless the header vmware-api-session-id shows who calls, or "
            "somebody who was let in has called on the same connection.",
            limit_bytes,
        )
    ).http(413)


def too_large(limit_bytes: int) -> VapiError:
    """The refusal of a body."""
    return InvalidArgument(
        message("resphere.body_too_large", "body: must not be larger than {0} bytes.", limit_bytes)
    ).http(413)
