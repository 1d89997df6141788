"""Answers that are spoiled on their way, for people who test clients: none, half of one, a slow one, another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import msgspec

from resphere.dialects.base import Reply
from resphere.events.stream import EventStream
from resphere.server.exchange import Exchange, Spoiled

Cut = Callable[[int], Awaitable[None]]
PIECES_PER_SECOND = 10
"""A slow body comes in so many pieces, or byte by byte."""
REASONS = {each.value: each.phrase for each in HTTPStatus}
PAGE = """<html>
<head><title>{status} {reason}</title></head>
<body>
<center><h1>{status} {reason}</h1></center>
<hr><center>proxy</center>
</body>
</html>
"""


def in_place(exchange: Exchange, spoiled: Spoiled, reply: Reply) -> Reply:
    """What is sent in the place of the reply; the reply, where nothing is."""
    if spoiled.page_status is not None:
        return page(spoiled.page_status, spoiled.retry_after_seconds)
    if spoiled.error is not None:
        return exchange.dialect.error(spoiled.error, exchange.outcome)
    return reply


def page(status: int, retry_after_seconds: int | None) -> Reply:
    """The page of a proxy in front that could not reach the server, or did not wait for it."""
    reason = REASONS.get(status, "Unknown Error")
    headers = () if retry_after_seconds is None else (("Retry-After", str(retry_after_seconds)),)
    return Reply(status, PAGE.format(status=status, reason=reason).encode(), "text/html", headers)


def with_spoiled_body(spoiled: Spoiled, reply: Reply, cut: Cut) -> Reply:
    """The reply, whose body comes slowly, or not to its end. A stream of events comes as it is."""
    if not (spoiled.truncated or spoiled.bytes_per_second) or isinstance(reply.stream, EventStream):
        return reply
    body = SpoiledBody(reply, spoiled.bytes_per_second, cut if spoiled.truncated else None)
    return msgspec.structs.replace(reply, stream=body)


def without_body(reply: Reply) -> Reply:
    """The reply, of which no more than the headers come, where its connection cannot be closed before. One without a
    body would be whole: a proxy's page is not."""
    begun = reply if reply.size_bytes else page(HTTPStatus.BAD_GATEWAY, None)
    return msgspec.structs.replace(begun, stream=SpoiledBody(begun, None, not_cut, part=0))


async def not_cut(sent_bytes: int) -> None:
    """The server itself ends a connection on which less came than was told."""


class SpoiledBody(msgspec.Struct, frozen=True):
    """The body of a reply, slowly, or as far as its middle; see :class:`resphere.contract.model.ByteStream`, which
    this is. ``cut`` ends the connection when so much of it has come, ``part`` of the whole."""

    reply: Reply
    bytes_per_second: int | None
    cut: Cut | None
    part: float = 1 / 2

    @property
    def size_bytes(self) -> int | None:
        """How many bytes the client is told that it gets."""
        return self.reply.size_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """What it gets."""
        if self.cut is None:
            async for piece in self._slowly():
                yield piece
            return
        left = sent = int((self.size_bytes or 0) * self.part)
        async for piece in self._slowly():
            if left:
                yield piece[:left]
            left -= min(left, len(piece))
            if not left:
                break
        await self.cut(sent)

    async def close(self) -> None:
        """Let go of what it comes from."""
        if self.reply.stream is not None:
            await self.reply.stream.close()

    async def _slowly(self) -> AsyncIterator[bytes]:
        rate = self.bytes_per_second
        async for whole in self._whole():
            if rate is None:
                yield whole
                continue
            size = max(1, rate // PIECES_PER_SECOND)
            for begin in range(0, len(whole), size):
                piece = whole[begin : begin + size]
                await asyncio.sleep(len(piece) / rate)
                yield piece

    async def _whole(self) -> AsyncIterator[bytes]:
        if self.reply.stream is None:
            if self.reply.body:
                yield self.reply.body
            return
        async for piece in self.reply.stream:
            yield piece
