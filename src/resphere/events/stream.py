"""Events as a stream: Server-Sent Events (WHATWG HTML, 9.2), or the messages of a WebSocket.

A reader is sent what it has not got, in order, as fast as it takes it. One that is too slow for what is kept is told
so, and the stream ends; nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from resphere.access.principal import canonical_name
from resphere.contract.errors import VapiError
from resphere.events.audience import MOST_PASSED_OVER, Hand
from resphere.events.feed import Feed, Standing
from resphere.events.filters import Wanted
from resphere.events.heard import Heard
from resphere.events.infos import written
from resphere.events.readers import Readers
from resphere.events.seeing import Eyes

SENT_AT_ONCE = 100
SSE = "sse"


class Sign(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a stream tells of itself: where it is (``position``), that what is asked for is no longer kept (``gap``), or
    why it ends (``end``). ``sequence`` is what to go on after."""

    sign: str
    sequence: int
    oldest: int | None = None
    reason: str | None = None


class Form(msgspec.Struct, frozen=True):
    """How events and signs are put on the wire; ``joined``: several of them as one piece."""

    name: str
    event: Callable[[Heard], bytes]
    sign: Callable[[Sign], bytes]
    joined: bool


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


AS_SSE = Form(SSE, sse_event, sse_sign, joined=True)
AS_MESSAGES = Form("messages", written, msgspec.json.encode, joined=False)


class Ear:
    """What readers have in common who are sent the same: the form, the filter, the last event, and what they see; see
    :class:`resphere.events.audience.Ear`, which this is."""

    __slots__ = ("_eyes", "_form", "_wanted", "key", "until", "user")

    def __init__(self, user: str, form: Form, wanted: Wanted, until: int, eyes: Eyes) -> None:
        self.user = user
        self.key = (form.name, wanted, until, eyes.key)
        self._form = form
        self._wanted = wanted
        self.until = until
        self._eyes = eyes

    def pieces(self, events: Sequence[Heard]) -> tuple[bytes, ...]:
        """What is sent of these events; where the last one has come that is wanted, that is said."""
        wanted, eyes, form, until = self._wanted, self._eyes, self._form, self.until
        is_over = bool(events) and events[-1].number >= until
        if is_over:
            events = [each for each in events if each.number <= until]
        some = [form.event(each) for each in events if wanted.has(each.event) and eyes.see(each.event)]
        if is_over:
            some.append(form.sign(Sign("position", until)))
        return (b"".join(some),) if some and form.joined else tuple(some)


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
        until: int,
        look: Callable[[], Awaitable[Eyes]],
    ) -> None:
        self._feed = feed
        self._readers = readers
        self._user = user
        self._wanted = wanted
        self._after = after
        self._until = until
        self._look = look
        self._pieces: AsyncGenerator[bytes, None] | None = None
        self.hand: Hand | None = None
        """Sends what the reader need not be woken for: while it waits for the next piece of this, and only then."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The stream as Server-Sent Events: each piece some of them, the first one at once."""
        return self._begun(AS_SSE)

    def messages(self) -> AsyncIterator[bytes]:
        """The same as messages, each the JSON of one event or sign."""
        return self._begun(AS_MESSAGES)

    async def close(self) -> None:
        """Give up the reader's seat."""
        if self._pieces is not None:
            await self._pieces.aclose()

    def _begun(self, form: Form) -> AsyncIterator[bytes]:
        self._pieces = self._from_first_to_last(form)
        return self._pieces

    async def _from_first_to_last(self, form: Form) -> AsyncGenerator[bytes, None]:
        """All of it in one generator: each step of another one within would cost each reader as much as its event."""
        feed, user, ear, standing, said = self._feed, canonical_name(self._user), None, None, self._after
        with self._readers.seat(self._user), feed.listening():
            yield form.sign(Sign("position", self._after))
            try:
                while not feed.stopping and self._after < self._until:
                    part = await feed.since(self._after, SENT_AT_ONCE)
                    if ear is None or feed.standing_of(user) != standing:
                        ear, standing = await self._ear(form, user)
                    if part.misses(self._after):
                        yield form.sign(Sign("gap", self._after, oldest=part.first))
                        return
                    for piece in ear.pieces(part.events):
                        said = part.events[-1].number
                        yield piece
                    if part.events:
                        self._after = part.events[-1].number
                        if self._after - said >= MOST_PASSED_OVER:
                            said = self._after
                            yield form.sign(Sign("position", self._after))
                        continue
                    while self._after < self._until:
                        turn = await feed.turn(ear, self._after, self.hand)
                        for piece in turn.pieces:
                            yield piece
                        self._after = turn.position
                        if turn.signs:
                            ear, standing = await self._ear(form, user)
                            yield form.sign(Sign("position", self._after))
                        elif not turn.pieces or feed.standing_of(user) != standing:
                            break
                    said = self._after
                yield form.sign(self._end())
            except VapiError as refusal:
                yield form.sign(Sign("end", self._after, reason=str(refusal)))

    def _end(self) -> Sign:
        """Why there is no more."""
        if self._after >= self._until:
            return Sign("end", self._until, reason="That is all that was asked for.")
        return Sign("end", self._after, reason="The server stops, or makes room for another.")

    async def _ear(self, form: Form, user: str) -> tuple[Ear, Standing]:
        """Who reads, and what they see, by now."""
        standing = self._feed.standing_of(user)
        return Ear(user, form, self._wanted, self._until, await self._look()), standing
