"""How a reply's body is sent: at once where it is small, else piece by piece, each once the client has taken others.

Granian keeps what it was given until the client has taken it, and takes the next piece only when there is room on the
client's side. So what a reply takes while its client does not read is some pieces, which are counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any

from resphere.dialects.base import Reply
from resphere.server.body import Body, Message
from resphere.server.budget import Budget
from resphere.server.connections.registry import Progress

Send = Callable[[Message], Awaitable[None]]

PIECE_BYTES = 64 * 1024
HELD_BYTES = 3 * PIECE_BYTES
"""What Granian holds of a long reply: what is being sent, the next piece, and the one after it."""
SMALL_BYTES = 8 * 1024
LIST_BYTES = 512 * 1024
"""So much may be sent at once to somebody who was let in: HTTP/1.1 has one reply at a time on a connection."""


def is_sent_at_once(size_bytes: int, http_version: str, *, vouched: bool) -> bool:
    """Whether a body of that size is handed over whole."""
    return size_bytes <= SMALL_BYTES or (size_bytes <= LIST_BYTES and vouched and http_version != "2")


class Sending:
    """Sends one body, and counts what it takes meanwhile. ``wanted``: not only the headers are."""

    def __init__(self, reply: Reply, send: Send, progress: Progress, *, wanted: bool) -> None:
        self._reply = reply
        self._send = send
        self._progress = progress
        self._wanted = wanted
        self._budget: Budget | None = None
        self._address = ""
        self._held_bytes = 0

    def reserve(self, budget: Budget, address: str, http_version: str, *, vouched: bool) -> None:
        """Have room for what is held of it, unless that is little.

        :raises ServiceUnavailable: there is none.
        """
        size_bytes = len(self._reply.body) if self._wanted else 0
        if not is_sent_at_once(size_bytes, http_version, vouched=vouched):
            held_bytes = min(size_bytes, HELD_BYTES)
            budget.take(address, held_bytes)
            self._budget, self._address, self._held_bytes = budget, address, held_bytes

    async def send(self, unread: Body | None) -> None:
        """Send what follows the headers.

        What the client still sends is let go by before the reply's end, but after all that is in it: nobody has to
        send a body to learn that it is not wanted. Once a reply is at its end Granian closes a connection that is not.
        """
        stream, body = self._reply.stream, self._reply.body if self._wanted else b""
        if stream is None and unread is None and self._budget is None:
            await self._send({"type": "http.response.body", "body": body, "more_body": False})
            return
        if stream is None:
            await self._send_pieces(body)
        elif self._wanted:
            async for piece in stream:
                await self._send_piece(piece)
        if unread is not None:
            await unread.drop()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def hand(self, piece: bytes) -> Awaitable[None] | None:
        """Send a piece of a stream for somebody who waits for its next one: ``None`` where it is taken at once, else
        what has to be waited for until it is."""
        progress = self._progress
        steps = self._send({"type": "http.response.body", "body": piece, "more_body": True}).__await__()
        try:
            hindrance = next(steps)
        except StopIteration:
            progress.moved_bytes += len(piece)
            return None
        progress.waits = True
        return Rest(progress, len(piece), hindrance, steps)

    def release(self) -> None:
        """Nothing of it is held any more."""
        if self._budget is not None:
            self._budget.give_back(self._address, self._held_bytes)
            self._budget = None

    async def _send_pieces(self, body: bytes) -> None:
        # The last byte goes alone: once Granian has taken it, the client has room for all before it.
        last = len(body) - 1 if self._budget is not None else len(body)
        for begin in range(0, last, PIECE_BYTES):
            await self._send_piece(body[begin : min(begin + PIECE_BYTES, last)])
        if last < len(body):
            await self._send_piece(body[last:])

    async def _send_piece(self, piece: bytes) -> None:
        progress = self._progress
        progress.waits = True
        try:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            progress.waits = False
        progress.moved_bytes += len(piece)


class Rest:
    """What is left of sending a piece, which somebody else began who cannot wait: ``hindrance`` is what that waits for,
    and then come ``steps``."""

    def __init__(self, progress: Progress, size_bytes: int, hindrance: Any, steps: Generator[Any, Any, None]) -> None:
        self._progress = progress
        self._size_bytes = size_bytes
        self._hindrance = hindrance
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, None]:
        """Until the piece is taken; once."""
        try:
            yield self._hindrance
            yield from self._steps
        finally:
            self._progress.waits = False
        self._progress.moved_bytes += self._size_bytes
