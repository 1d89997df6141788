"""What the application knows of its connections: which requests are in progress on each, and whom those wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

Client = tuple[str, int]
"""The other end of a connection: address and port."""

MOST_REMEMBERED = 16_384
"""Where nobody looks at the sockets, so that nobody tells which connections are gone."""


class Progress:
    """How a request gets on, as far as that is the client's doing. Changed by whoever reads or sends its bytes."""

    __slots__ = ("moved_bytes", "moved_bytes_before", "moved_bytes_last", "still_seconds", "waited_seconds", "waits")

    def __init__(self) -> None:
        self.waits = False
        """Whether nothing goes on until the client sends, or takes, more."""
        self.moved_bytes = 0
        """How much it has sent and taken."""
        self.moved_bytes_before = 0
        """How much that was when the present stretch of waiting began."""
        self.waited_seconds = 0.0
        """How long that is."""
        self.moved_bytes_last = 0
        """How much had moved at the last look."""
        self.still_seconds = 0.0
        """How long nothing has."""


class Connection:
    """One connection. ``vouched``: somebody who was let in has called on it."""

    __slots__ = ("idle_since", "requests", "vouched")

    def __init__(self) -> None:
        self.vouched = False
        self.requests: list[Progress] = []
        self.idle_since = 0.0
        """When the last request ended, by the monotonic clock."""


class Look(msgspec.Struct, frozen=True):
    """A connection at one moment: what is in progress on it, or else since when nothing is."""

    requests: tuple[Progress, ...]
    idle_since: float


class Connections:
    """The connections of a worker that have brought a request."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: dict[Client, Connection] = {}

    @property
    def count(self) -> int:
        """How many there are, as far as is known."""
        return len(self._known)

    def begin(self, client: Client, progress: Progress) -> Connection:
        """A request has come."""
        connection = self._known.get(client)
        if connection is None:
            if len(self._known) >= MOST_REMEMBERED:
                self.forget(list(self._known))
            connection = self._known[client] = Connection()
        connection.requests.append(progress)
        return connection

    def end(self, connection: Connection, progress: Progress) -> None:
        """It is answered, or given up."""
        connection.requests.remove(progress)
        connection.idle_since = self._monotonic()

    def look(self) -> dict[Client, Look]:
        """All of them as they are now."""
        return {client: Look(tuple(of.requests), of.idle_since) for client, of in self._known.items()}

    def forget(self, clients: Iterable[Client]) -> None:
        """Forget those that are gone; one on which a request is in progress has come anew meanwhile."""
        for client in clients:
            connection = self._known.get(client)
            if connection is not None and not connection.requests:
                del self._known[client]
