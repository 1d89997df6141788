"""Streams over WebSockets (RFC 6455), and streams that go on as long as their client is there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from resphere.dialects.base import Reply
from resphere.events.stream import EventStream
from resphere.server.body import Receive
from resphere.server.connections.registry import Progress
from resphere.server.sending import Send

AFTER_THE_END = 1001
"""The code of a stream's end: the server goes away, or shows the client nothing more."""
NO_STREAM = 400
"""The status of a refusal, where what was asked for is there and is no stream."""


class WebSocket:
    """One of them, as ASGI has it."""

    def __init__(self, receive: Receive, send: Send, progress: Progress) -> None:
        self._receive = receive
        self._send = send
        self._progress = progress

    async def carry(self, stream: EventStream) -> None:
        """Accept, and send what the stream has, until it ends or the client goes."""
        try:
            await self._receive()  # that somebody wants to connect
            await self._send({"type": "websocket.accept"})
            if await while_connected(self._gone(), self._carry(stream)):
                # Not while somebody waits for what the client says: then it is not sent.
                await self._send({"type": "websocket.close", "code": AFTER_THE_END})
        finally:
            await stream.close()

    async def refuse(self, reply: Reply, headers: list[tuple[bytes, bytes]]) -> None:
        """Answer as if nobody had wanted a WebSocket."""
        await self._receive()
        status = reply.status if reply.status >= NO_STREAM else NO_STREAM
        await self._send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        body = reply.body if reply.status == status else b""
        await self._send({"type": "websocket.http.response.body", "body": body, "more_body": False})
        if reply.stream is not None:
            await reply.stream.close()

    async def _carry(self, stream: EventStream) -> None:
        progress = self._progress
        async for piece in stream.messages():
            progress.waits = True
            try:
                await self._send({"type": "websocket.send", "text": piece.decode()})
            finally:
                progress.waits = False
            progress.moved_bytes += len(piece)

    async def _gone(self) -> None:
        """Wait until the client is gone; what it says is thrown away."""
        while (await self._receive())["type"] != "websocket.disconnect":
            pass


async def while_connected(gone: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> bool:
    """Do ``work``, and give it up once ``gone`` is over; whether it was done.

    A client that is gone is told of by nobody else while there is nothing to send.
    """
    tasks = [asyncio.ensure_future(gone), asyncio.ensure_future(work)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[1].done():
            return False
        await tasks[1]
        return True
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
