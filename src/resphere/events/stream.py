"""Events as a stream: Server-Sent Events (WHATWG HTML, 9.2), or the messages of a WebSocket.

A reader is sent what it has not got, in order, as fast as it takes it. One that is too slow for what is kept is told
so, and the stream ends; nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import msgspec

from resphere.contract.errors import VapiError
from resphere.events.feed import Feed, Heard
from resphere.events.filters import Wanted
from resphere.events.infos import written
from resphere.events.readers import Readers
from resphere.events.seeing import Eyes

HEARTBEAT_SECONDS = 25.0
"""So long nothing is sent, before a sign of life is: proxies end what is still for a minute."""
SENT_AT_ONCE = 100
SSE = "sse"


class Sign(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a stream tells of itself: where it is (``position``), that what is asked for is no longer kept (``gap``), or
    why it ends (``end``). ``sequence`` is what to go on after."""

    sign: str
    sequence: int
    oldest: int | None = None
    reason: str | None = None


class Dressed(msgspec.Struct, frozen=True):
    """How events and signs are put on the wire."""

    event: Callable[[Heard], bytes]
    sign: Callable[[Sign], bytes]


def sse_event(heard: Heard) -> bytes:
    """An event as Server-Sent Events have it, which is made once."""
    found = heard.written.get(SSE)
    if found is None:
        found = heard.written[SSE] = b"id: %d\ndata: %b\n\n" % (heard.number, written(heard))
    return found


def sse_sign(sign: Sign) -> bytes:
    """A sign: the one of life is a comment, and moves the client's cursor; others are events of their own."""
    if sign.sign == "position":
        return b": position\nid: %d\n\n" % sign.sequence
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (sign.sequence, sign.sign.encode(), msgspec.json.encode(sign))


AS_SSE = Dressed(sse_event, sse_sign)
AS_MESSAGES = Dressed(written, msgspec.json.encode)


class EventStream:
    """What one reader is sent, after an event that it has: a stream of bytes, or of messages.

    ``look`` asks anew who reads and what they see, and refuses whoever may no more.
    """

    size_bytes = None

    def __init__(
        self,
        feed: Feed,
        readers: Readers,
        user: str,
        wanted: Wanted,
        after: int,
        look: Callable[[], Awaitable[Eyes]],
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._feed = feed
        self._readers = readers
        self._user = user
        self._wanted = wanted
        self._after = after
        self._look = look
        self._heartbeat_seconds = heartbeat_seconds
        self._pieces: AsyncGenerator[bytes, None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The stream as Server-Sent Events: each piece some of them, the first one at once."""
        return self._begun(AS_SSE, joined=True)

    def messages(self) -> AsyncIterator[bytes]:
        """The same as messages, each the JSON of one event or sign."""
        return self._begun(AS_MESSAGES, joined=False)

    async def close(self) -> None:
        """Give up the reader's seat."""
        if self._pieces is not None:
            await self._pieces.aclose()

    def _begun(self, dressed: Dressed, *, joined: bool) -> AsyncIterator[bytes]:
        self._pieces = self._dressed(dressed, joined=joined)
        return self._pieces

    async def _dressed(self, dressed: Dressed, *, joined: bool) -> AsyncGenerator[bytes, None]:
        with self._readers.seat(self._user), self._feed.listening():
            yield dressed.sign(Sign("position", self._after))
            try:
                async with aclosing(self._told(dressed)) as told:
                    async for some in told:
                        if joined:
                            yield b"".join(some)
                        else:
                            for each in some:
                                yield each
            except VapiError as refusal:
                yield dressed.sign(Sign("end", self._after, reason=str(refusal)))
                return
            if self._feed.stopping:
                yield dressed.sign(Sign("end", self._after, reason="The server stops, or makes room for another."))

    async def _told(self, dressed: Dressed) -> AsyncGenerator[list[bytes], None]:
        eyes, standing, said = await self._look(), self._feed.standing, self._after
        while not self._feed.stopping:
            part = await self._feed.since(self._after, SENT_AT_ONCE)
            if self._feed.standing != standing:
                # Somebody's session has ended, or rights of somebody have changed: perhaps the reader's.
                standing = self._feed.standing
                eyes = await self._look()
            if part.misses(self._after):
                yield [dressed.sign(Sign("gap", self._after, oldest=part.first))]
                return
            if not part.events:
                if not await self._feed.wait(self._after, self._heartbeat_seconds):
                    eyes = await self._look()
                    yield [dressed.sign(Sign("position", self._after))]
                continue
            some = [dressed.event(each) for each in part.events if self._tells(eyes, each)]
            self._after = part.events[-1].number
            if some:
                said = self._after
                yield some
            elif self._after - said >= MOST_PASSED_OVER:
                said = self._after
                yield [dressed.sign(Sign("position", self._after))]

    def _tells(self, eyes: Eyes, heard: Heard) -> bool:
        return self._wanted.has(heard.event) and eyes.see(heard.event)


MOST_PASSED_OVER = 1000
"""After so many events that are not the reader's it is told where it is, so that it need not begin before them."""
