"""How a worker makes room for its successor without failing anybody's request.

It takes no further connection, has those that it has end with the answer to their next request, and ends when none is
left or after a while. New connections are not lost meanwhile: the listening socket belongs to all workers together.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from resphere.server.listening import nobodys_socket, sockets

RETIRE = signal.SIGUSR2
"""What tells a worker to make room."""
LOOK_SECONDS = 0.2
"""How often a worker looks whether somebody is connected still: nothing tells when a connection of Granian's ends."""
LONGEST_LOOKS = 50
"""So often it looks; then those are left that ask nothing."""
LONGEST_SECONDS = LOOK_SECONDS * LONGEST_LOOKS
CLOSE = (b"connection", b"close")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Any, Send], Awaitable[None]]


class Retirement:
    """Of the worker of this process, which listens on ``ports``."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports
        self._end: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """Whether this worker makes room."""
        return self._end is not None

    def begin(self) -> None:
        """Make room from now on; called on the event loop."""
        if self._end is None:
            for port in self._ports:
                stop_listening(port)
            self._end = asyncio.get_running_loop().create_task(end_when_left(self._ports))


class Retirable:
    """An ASGI application whose worker can retire."""

    def __init__(self, application: Application, retirement: Retirement) -> None:
        self._application = application
        self._retirement = retirement

    def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Send) -> Awaitable[None]:
        """As the application, but for the last answer on a connection."""
        # HTTP/2 has no such header: it tells its clients when the worker ends.
        if self._retirement.begun and scope["type"] == "http" and scope["http_version"].startswith("1"):
            send = closing(send)
        return self._application(scope, receive, send)


def closing(send: Send) -> Send:
    """``send``, so that the connection ends with the answer."""

    async def send_last(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], CLOSE]}
        await send(message)

    return send_last


async def end_when_left(ports: tuple[int, ...]) -> None:
    """Have this process end in its orderly way, once nobody is connected."""
    for _ in range(LONGEST_LOOKS):
        if all(listens for port in ports for _, listens in sockets(port)):
            break
        await asyncio.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def stop_listening(port: int) -> None:
    """Have nobody connect to this process any more; others that share the listening socket go on.

    What accepts connections keeps its descriptor, which is one of a socket then that nobody can find.
    """
    with nobodys_socket() as nobodys:
        # Until none is left: the gate may put one in its place again meanwhile.
        while listening := [descriptor for descriptor, listens in sockets(port) if listens]:
            for descriptor in listening:
                os.dup2(nobodys.fileno(), descriptor, inheritable=False)
