"""A second port of a worker: the appliance's, at which the same application answers by the same event loop.

Granian serves one port with one of its workers; here a second one of these runs in the same process, begun when the
application has started and ended before it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from granian._futures import _future_watcher_wrapper, _new_cbscheduler
from granian._granian import ASGIWorker, WorkerSignal
from granian.asgi import _callback_wrapper
from granian.constants import TaskImpl
from granian.server.common import WORKERS_METHODS

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

APPLIANCE = "resphere.appliance"
"""What stands in the scope of a request that came to the appliance's port."""


class SecondPort(msgspec.Struct, frozen=True):
    """The listening socket, which ``holder`` has, and how it is served: as Granian's own arguments say."""

    holder: Any
    runtime_mode: Any
    arguments: tuple[Any, ...]
    """Of :class:`ASGIWorker`, after the socket and the pipe of metrics."""
    task_impl: TaskImpl


class WithSecondPort:
    """An ASGI application that answers at a second port as well, from its start to its end."""

    def __init__(self, application: ASGI, port: SecondPort) -> None:
        self._application = application
        self._port = port
        self._stop = WorkerSignal()
        self._ended = asyncio.Event()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """As the application; the second port begins and ends with it."""
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._stop.set()
                await self._ended.wait()
            return message

        async def say(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._begin()
            await send(message)

        await self._application(scope, hear, say)

    async def answer(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """What came to the second port."""
        scope[APPLIANCE] = True
        await self._application(scope, receive, send)

    def _begin(self) -> None:
        loop, port = asyncio.get_running_loop(), self._port
        self._stop.add_cb(lambda: loop.call_soon_threadsafe(self._ended.set))
        make: Any = ASGIWorker
        worker = make(1, (None, port.holder), None, *port.arguments)
        callback = _future_watcher_wrapper(_callback_wrapper(self.answer, {}, {}))  # type: ignore[no-untyped-call]
        scheduler = _new_cbscheduler(  # type: ignore[no-untyped-call]
            loop, callback, impl_asyncio=port.task_impl == TaskImpl.asyncio
        )
        getattr(worker, WORKERS_METHODS[port.runtime_mode][False])(scheduler, loop, self._stop)
