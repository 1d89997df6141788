"""The ASGI application of one worker."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import sys
from collections.abc import Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any

import msgspec

from resphere.contract.errors import ServiceUnavailable
from resphere.contract.extensions.events import STREAM
from resphere.dialects.base import Reply, Request
from resphere.events.stream import EventStream
from resphere.server.admission import read_headers, unsound
from resphere.server.assembly import Worker, running
from resphere.server.body import Body, Receive, announced_bytes
from resphere.server.budget import Holding
from resphere.server.connections.registry import Client, Progress
from resphere.server.counting import Memories
from resphere.server.exchange import Exchange, Spoiled
from resphere.server.reply_headers import response_headers
from resphere.server.second_port import APPLIANCE
from resphere.server.sending import Send, Sending
from resphere.server.settings import Settings
from resphere.server.signals import release_when_serving
from resphere.server.spoiling import in_place, with_spoiled_body, without_body
from resphere.server.websockets import WebSocket, while_connected

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:@-]{1,128}\Z")
SWITCH_INTERVAL_SECONDS = 1e-4
NO_CLIENT = ("", 0)
OF_WEBSOCKETS = {"wss": "https", "ws": "http"}


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
        elif scope["type"] == "websocket" and self._requests is not None:
            await self._requests.serve_websocket(scope, receive, send)
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


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Where a reply goes, and how."""

    send: Send
    progress: Progress
    address: str
    http_version: str


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
        request = self._worker.proxies.seen_through(request_of(scope, scope["method"], headers))
        address = address_of(scope)
        progress = Progress()
        connection = self._connections.begin(address, progress)
        try:
            held = Holding(self._worker.budgets, request.client)
            body = Body(receive, announced_bytes(headers), held, connection, progress)
            exchange = Exchange(
                request,
                self._request_id(headers),
                self._worker.dialects.of(request),
                body,
                refusal or unsound(request.method, request.headers, request.scheme),
            )
            try:
                reply = await self._answer(exchange, address)
                if reply is not None:
                    sender = Sender(send, progress, request.client, scope["http_version"])
                    await self._send(exchange, reply, body, sender)
            finally:
                body.release()
        finally:
            self._connections.end(connection, progress)

    async def serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket: a request of GET for a stream, which is sent as messages. It takes the steps of all others."""
        headers, refusal = read_headers(scope["headers"])
        headers[b"accept"] = STREAM.encode()
        request = self._worker.proxies.seen_through(request_of(scope, "GET", headers))
        address, progress = address_of(scope), Progress()
        connection = self._connections.begin(address, progress)
        try:
            exchange = Exchange(
                request,
                self._request_id(headers),
                self._worker.dialects.of(request),
                Body(receive, 0, Holding(self._worker.budgets, request.client), connection, progress),
                # What a page of another site opens with the cookie of a session is as good as any call of that page.
                refusal or unsound("POST", request.headers, request.scheme),
            )
            reply = await self._answer(exchange, address)
            if reply is None:
                return
            socket = WebSocket(receive, send, progress)
            if isinstance(reply.stream, EventStream):
                await socket.carry(reply.stream)
            else:
                await socket.refuse(reply, response_headers(reply, exchange.request_id, sized=True))
        finally:
            self._connections.end(connection, progress)

    async def _answer(self, exchange: Exchange, client: Client) -> Reply | None:
        """What is sent; ``None``: the connection is no more, as a rule for faults has it."""
        reply = await self._worker.pipeline.handle(exchange)
        return reply if exchange.spoiled is None else await self._spoil(exchange, exchange.spoiled, reply, client)

    async def _spoil(self, exchange: Exchange, spoiled: Spoiled, reply: Reply, client: Client) -> Reply | None:
        """What is sent for the reply, as a rule for faults has it."""
        dropper, sent = self._worker.dropper, in_place(exchange, spoiled, reply)
        if spoiled.dropped or sent is not reply:
            if reply.stream is not None:
                await reply.stream.close()
            if spoiled.dropped:
                return None if dropper.drop(client) else without_body(reply)
        begin = dropper.taken_bytes(client)
        return with_spoiled_body(spoiled, sent, partial(dropper.cut, client, begin))

    async def _send(self, exchange: Exchange, reply: Reply, body: Body, sender: Sender) -> None:
        """The reply, or that there is no room for so long a one."""
        request = exchange.request
        wanted = request.method != "HEAD"
        sending = Sending(reply, sender.send, sender.progress, wanted=wanted)
        try:
            sending.reserve(self._worker.budgets.replies, sender.address, sender.http_version, vouched=body.vouched)
        except ServiceUnavailable as error:
            reply = exchange.dialect.error(error, exchange.outcome)
            sending = Sending(reply, sender.send, sender.progress, wanted=wanted)
        try:
            # A client that asked whether to send (``Expect: 100-continue``) is still waiting where nobody has read.
            sends = b"content-length" in request.headers or b"transfer-encoding" in request.headers
            left = sends and not body.ended and (b"expect" not in request.headers or body.begun)
            await sender.send(
                {
                    "type": "http.response.start",
                    "status": reply.status,
                    "headers": [
                        *response_headers(reply, exchange.request_id, sized=not left),
                        *self._worker.transport.headers(request),
                    ],
                }
            )
            if isinstance(reply.stream, EventStream):
                reply.stream.hand = sending.hand
                await while_connected(body.gone(), sending.send(body if left else None))
            else:
                await sending.send(body if left else None)
        finally:
            sending.release()
            if reply.stream is not None:
                await reply.stream.close()

    def _request_id(self, headers: dict[bytes, bytes]) -> str:
        """The client's own id of the operation where it sends a usable one, else a new one."""
        given = headers.get(b"vapi-ctx-opid") or headers.get(b"x-request-id")
        if given is not None and REQUEST_ID.match(given):
            return given.decode("ascii")
        return f"{self._prefix}-{next(self._counter):x}"


def request_of(scope: Scope, method: str, headers: dict[bytes, bytes]) -> Request:
    """What came, before any body."""
    client = scope.get("client")
    scheme: str = scope.get("scheme", "https")
    return Request(
        method=method,
        path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0],
        query=scope["query_string"],
        headers=headers,
        client=client[0] if client else "",
        scheme=OF_WEBSOCKETS.get(scheme, scheme),
        appliance=APPLIANCE in scope,
    )


def address_of(scope: Scope) -> Client:
    """The other end of the connection."""
    client = scope.get("client")
    return (client[0], int(client[1])) if client else NO_CLIENT  # Granian has the port as text


def make_application(settings: Settings, memories: Memories, port: int, serving: Callable[[], None]) -> Application:
    """The application of one worker process, which shares ``memories`` with the others and serves at ``port``."""
    # The store's writer thread waits for the interpreter beside a busy event loop: 5 ms, the default, at every turn.
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    return Application(partial(running, settings, memories, port), serving)
