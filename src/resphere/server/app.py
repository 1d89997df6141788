"""The ASGI application of one worker."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import lru_cache, partial
from typing import Any

from resphere.dialects.base import Reply, Request
from resphere.limits.shared import SharedMemory
from resphere.server.admission import read_headers, unsound
from resphere.server.assembly import Worker, running
from resphere.server.body import Body, Message, Receive, announced_bytes
from resphere.server.budget import Holding
from resphere.server.connections.registry import Progress
from resphere.server.exchange import Exchange
from resphere.server.settings import Settings
from resphere.server.signals import release_when_serving

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:@-]{1,128}\Z")
SWITCH_INTERVAL_SECONDS = 1e-4
PIECE_BYTES = 512 * 1024
"""What is longer is sent in pieces: Granian holds a copy of what it was given until the client has taken it."""
NO_CLIENT = ("", 0)
BODILESS = frozenset({204, 304})


class Application:
    """Speaks ASGI 3 outside and the pipeline inside; ``start`` gives the worker, from its start to its end.

    ``serving`` is called on the event loop when the worker has started.
    """

    def __init__(
        self, start: Callable[[], AbstractAsyncContextManager[Worker]], serving: Callable[[], None] = lambda: None
    ) -> None:
        self._start = start
        self._serving = serving
        self._requests: Requests | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection event: a request, or the start and end of the worker."""
        if scope["type"] == "http" and self._requests is not None:
            await self._requests.serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            raise ValueError(f"cannot serve {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await expect(receive, "lifespan.startup")
        async with AsyncExitStack() as stack:
            try:
                self._requests = Requests(await stack.enter_async_context(self._start()))
            except Exception as error:
                log.exception("the worker cannot start")
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
            self._serving()
            await release_when_serving()
            await expect(receive, "lifespan.shutdown")
            try:
                await stack.aclose()
            except Exception as error:
                await send({"type": "lifespan.shutdown.failed", "message": str(error)})
                raise
        await send({"type": "lifespan.shutdown.complete"})


async def expect(receive: Receive, type: str) -> None:
    """Wait for the event, the only one that may come.

    :raises ValueError: it is another.
    """
    event = await receive()
    if event["type"] != type:
        raise ValueError(f"expected {type}, not {event['type']}")


class Requests:
    """Answers the requests of one worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._connections = worker.connections
        self._prefix = secrets.token_hex(4)
        self._counter = itertools.count(1)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers, refusal = read_headers(scope["headers"])
        client = scope.get("client")
        request = Request(
            method=scope["method"],
            path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0],
            query=scope["query_string"],
            headers=headers,
            client=client[0] if client else "",
            scheme=scope.get("scheme", "https"),
        )
        address = (client[0], int(client[1])) if client else NO_CLIENT  # Granian has the port as text
        progress = Progress()
        connection = self._connections.begin(address, progress)
        body = Body(receive, announced_bytes(headers), Holding(self._worker.budgets, address[0]), connection, progress)
        exchange = Exchange(
            request,
            self._request_id(headers),
            self._worker.dialects.of(request),
            body,
            refusal or unsound(request.method, headers, request.scheme),
        )
        try:
            reply = await self._worker.pipeline.handle(exchange)
            # A client that asked whether to send (``Expect: 100-continue``) is still waiting where nobody has read.
            sends = b"content-length" in headers or b"transfer-encoding" in headers
            unread = body if sends and not body.ended and (b"expect" not in headers or body.begun) else None
            try:
                await send(
                    {
                        "type": "http.response.start",
                        "status": reply.status,
                        "headers": response_headers(reply, exchange.request_id, sized=unread is None),
                    }
                )
                await send_body(reply, send, progress, unread, wanted=request.method != "HEAD")
            finally:
                if reply.stream is not None:
                    await reply.stream.close()
        finally:
            body.release()
            self._connections.end(connection, progress)

    def _request_id(self, headers: dict[bytes, bytes]) -> str:
        """The client's own id of the operation where it sends a usable one, else a new one."""
        given = headers.get(b"vapi-ctx-opid") or headers.get(b"x-request-id")
        if given is not None and REQUEST_ID.match(given):
            return given.decode("ascii")
        return f"{self._prefix}-{next(self._counter):x}"


async def send_body(reply: Reply, send: Send, progress: Progress, unread: Body | None, *, wanted: bool) -> None:
    """Send what follows the headers, piece by piece where it is long: each once the client has taken those before.

    What the client still sends is let go by before the reply's end, but after all that is in it: nobody has to send a
    body to learn that it is not wanted. Once a reply is at its end Granian closes a connection that is not.
    """
    size_bytes = len(reply.body) if wanted else 0
    if reply.stream is None and unread is None and size_bytes <= PIECE_BYTES:
        await send({"type": "http.response.body", "body": reply.body if wanted else b"", "more_body": False})
        return
    if reply.stream is None:
        for begin in range(0, size_bytes, PIECE_BYTES):
            await send_piece(reply.body[begin : begin + PIECE_BYTES], send, progress)
    elif wanted:
        async for piece in reply.stream:
            await send_piece(piece, send, progress)
    if unread is not None:
        await unread.drop()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def send_piece(piece: bytes, send: Send, progress: Progress) -> None:
    """Send a part of a reply, which waits for the client to take most of what was sent before."""
    progress.waits = True
    try:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        progress.waits = False
    progress.moved_bytes += len(piece)


def response_headers(reply: Reply, request_id: str, *, sized: bool) -> list[tuple[bytes, bytes]]:
    """Headers of every reply; one that may be kept says so itself, all others may not.

    Where it is not to be ``sized`` only its end tells how long it is.
    """
    headers = [(b"x-request-id", request_id.encode()), *common_headers(reply.media_type, reply.headers)]
    if sized and reply.status not in BODILESS and (size_bytes := reply.size_bytes) is not None:
        headers.append((b"content-length", b"%d" % size_bytes))
    return headers


@lru_cache(maxsize=256)
def common_headers(media_type: str | None, of_reply: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Those that many replies have alike."""
    headers = [(b"x-content-type-options", b"nosniff")]
    if media_type is not None:
        headers.append((b"content-type", media_type.encode()))
    cached = False
    for name, value in of_reply:
        lower = name.lower().encode("latin-1")
        cached = cached or lower == b"cache-control"
        headers.append((lower, value.encode("latin-1")))
    if not cached:
        headers.append((b"cache-control", b"no-store"))
    return tuple(headers)


def make_application(
    settings: Settings, ca_archive: bytes | None, memory: SharedMemory, port: int, serving: Callable[[], None]
) -> Application:
    """The application of one worker process, which shares ``memory`` with the others and serves at ``port``."""
    # The store's writer thread waits for the interpreter beside a busy event loop: 5 ms, the default, at every turn.
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    return Application(partial(running, settings, ca_archive, memory, port), serving)
