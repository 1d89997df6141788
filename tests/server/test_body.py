"""Bodies that are read whole or piece by piece, and replies that are sent so."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import pytest

from resphere.contract.errors import InvalidArgument, InvalidRequest, ServiceUnavailable
from resphere.contract.model import ByteStream
from resphere.dialects.base import Reply
from resphere.server.app import Requests
from resphere.server.assembly import Worker
from resphere.server.body import HANDED_BYTES, HANDED_SECONDS, Body, BodyStream
from resphere.server.budget import UNFINISHED_BYTES, Budget, Budgets, Callers, Holding
from resphere.server.connections.registry import Connection, Connections, Progress
from resphere.server.proxies import TrustedProxies
from resphere.server.strict_transport import StrictTransport

GONE = {"type": "http.disconnect"}


class Sender:
    """A client's side of a body: what it sends, and how much of that was asked for."""

    def __init__(self, pieces: Iterable[bytes], *, leaves: bool = False) -> None:
        given = list(pieces)
        self.events: list[dict[str, Any]] = [{"type": "http.request", "body": p, "more_body": True} for p in given]
        self.events.append(GONE if leaves else {"type": "http.request", "body": b"", "more_body": False})
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        return self.events[self.asked - 1]


def budgets_of(unfinished: int) -> Budgets:
    callers = Callers(Budget(1000), Budget(unfinished * UNFINISHED_BYTES))
    return Budgets(callers, callers, Budget(1000))


PLENTY = budgets_of(10)


def body(sender: Sender, announced_bytes: int | None, budgets: Budgets = PLENTY, address: str = "192.0.2.1") -> Body:
    return Body(sender.receive, announced_bytes, Holding(budgets, address), Connection(), Progress())


async def gathered(stream: ByteStream) -> list[bytes]:
    return [piece async for piece in stream]


@pytest.mark.parametrize("size", [None, 4])
def test_what_is_sent_comes_to_its_end(size: int | None) -> None:
    sender = Sender([b"ab", b"", b"cd"])
    stream = body(sender, size).stream(4)
    assert stream.size_bytes == size
    assert asyncio.run(gathered(stream)) == [b"abcd"]
    # The end of what was announced is not waited for.
    assert sender.asked == (4 if size is None else 3)


def test_what_comes_at_a_time_is_handed_on_in_one() -> None:
    sender = Sender([b"a" * (HANDED_BYTES - 1), b"bc", b"", b"d" * HANDED_BYTES, b"e", b"f"])
    pieces = asyncio.run(gathered(body(sender, None).stream(10 * HANDED_BYTES)))
    assert [len(piece) for piece in pieces] == [HANDED_BYTES + 1, HANDED_BYTES, 2]
    assert b"".join(pieces) == b"a" * (HANDED_BYTES - 1) + b"bc" + b"d" * HANDED_BYTES + b"ef"


def test_what_comes_slowly_is_not_held_back() -> None:
    seconds = itertools.count(0.0, 0.4 * HANDED_SECONDS)
    sender = Sender([b"ab", b"cd", b"ef", b"gh", b"ij", b"kl", b"mn"])
    stream = BodyStream(body(sender, None), None, 100, lambda: next(seconds))
    # The clock is looked at when a piece is the first, and once for each.
    assert asyncio.run(gathered(stream)) == [b"abcdef", b"ghijkl", b"mn"]


def test_the_sender_is_one_piece_ahead_of_the_reader() -> None:
    large = b"a" * HANDED_BYTES
    sender = Sender([large, b"cd", b"ef"])

    async def first() -> None:
        one = body(sender, None)
        async for piece in one.stream(2 * HANDED_BYTES):
            for _ in range(5):
                await asyncio.sleep(0)
            assert (piece, sender.asked) == (large, 2)
            break
        one.release()

    asyncio.run(first())


def test_what_was_asked_for_ahead_is_dropped_with_the_rest() -> None:
    sender = Sender([b"a" * HANDED_BYTES, b"cd", b"ef"])

    async def some() -> int:
        one = body(sender, None)
        async for _ in one.stream(2 * HANDED_BYTES):
            break
        await one.drop()
        return one.received_bytes

    assert asyncio.run(some()) == HANDED_BYTES
    assert sender.asked == 4


def test_nothing_is_waited_for_once_nobody_looks_at_the_body() -> None:
    waiting: list[asyncio.Future[dict[str, Any]]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            waiting.append(asyncio.get_running_loop().create_future())
            return {"type": "http.request", "body": b"a" * HANDED_BYTES, "more_body": True}
        return await waiting[0]

    async def some() -> None:
        one = Body(receive, None, Holding(PLENTY, "192.0.2.1"), Connection(), Progress())
        async for _ in one.stream(2 * HANDED_BYTES):
            await asyncio.sleep(0)
            break
        one.release()
        await asyncio.sleep(0)

    asyncio.run(some())
    assert waiting[0].cancelled()


def test_more_than_the_limit_is_refused_when_it_comes() -> None:
    sender = Sender([b"ab", b"cd", b"ef"])
    with pytest.raises(InvalidArgument) as refusal:
        asyncio.run(gathered(body(sender, None).stream(3)))
    assert (refusal.value.status, refusal.value.messages[0].id) == (413, "resphere.body_too_large")
    assert sender.asked == 2


@pytest.mark.parametrize("read", [lambda body: gathered(body.stream(10)), lambda body: body.read(10)])
def test_a_body_that_breaks_off_is_none(read: Callable[[Body], Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asyncio.run(read(body(Sender([b"ab"], leaves=True), 4)))
    assert refusal.value.messages[0].id == "resphere.body_incomplete"


class File:
    """A stream that says whether it was closed."""

    size_bytes = 4
    closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"cd"

    async def close(self) -> None:
        self.closed = True


class Answering:
    """A worker that answers everything with one reply."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.pipeline = self
        self.dialects = self
        self.connections = Connections(lambda: 0.0)
        self.budgets = PLENTY
        self.proxies = TrustedProxies(())
        self.transport = StrictTransport(0)

    def of(self, request: object) -> None:
        """None is needed."""

    async def handle(self, exchange: object) -> Reply:
        return self.reply


def served(reply: Reply, method: str, *, fails_at: int | None = None) -> list[dict[str, Any]]:
    """What the application sends; the client is gone at a certain message."""
    sent: list[dict[str, Any]] = []

    async def send(event: Any) -> None:
        if len(sent) == fails_at:
            raise ConnectionError("the client is gone")
        sent.append(event)

    scope = {"type": "http", "method": method, "path": "/x", "query_string": b"", "headers": [], "http_version": "1.1"}
    requests = Requests(cast(Worker, Answering(reply)))
    asyncio.run(requests.serve(scope, Sender([]).receive, send))
    return sent


def test_a_stream_is_sent_piece_by_piece() -> None:
    file = File()
    start, *bodies = served(Reply(200, stream=file), "GET")
    assert (b"content-length", b"4") in start["headers"]
    assert [(body["body"], body["more_body"]) for body in bodies] == [(b"ab", True), (b"cd", True), (b"", False)]
    assert file.closed


def test_who_asks_for_the_headers_gets_no_stream() -> None:
    file = File()
    start, *bodies = served(Reply(200, stream=file), "HEAD")
    assert (b"content-length", b"4") in start["headers"]
    assert [(body["body"], body["more_body"]) for body in bodies] == [(b"", False)]
    assert file.closed


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_stream_is_closed_when_the_client_leaves(at: int) -> None:
    file = File()
    with pytest.raises(ConnectionError):
        served(Reply(200, stream=file), "GET", fails_at=at)
    assert file.closed


def test_a_body_is_waited_for_until_it_has_come() -> None:
    budgets = budgets_of(2)
    waited_for = budgets.strangers.unfinished
    sender = Sender([b"ab", b"cd"])
    held: list[int] = []

    async def receive() -> dict[str, Any]:
        held.append(waited_for.held_bytes)
        return await sender.receive()

    one = Body(receive, 4, Holding(budgets, "192.0.2.1"), Connection(), Progress())
    assert waited_for.held_bytes == 0
    assert asyncio.run(one.read(10)) == b"abcd"
    assert held == [UNFINISHED_BYTES, UNFINISHED_BYTES]
    assert waited_for.held_bytes == 0


def test_where_too_many_are_waited_for_nothing_is_read_nor_dropped() -> None:
    sender = Sender([b"ab", b"cd"])
    other = body(sender, None, budgets_of(0))
    with pytest.raises(ServiceUnavailable):
        asyncio.run(other.read(10))
    with pytest.raises(ServiceUnavailable):
        asyncio.run(gathered(other.stream(10)))
    asyncio.run(other.drop())
    assert sender.asked == 0
