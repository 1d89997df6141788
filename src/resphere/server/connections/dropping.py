"""Ends connections on purpose, for people who test what their clients do then."""

from __future__ import annotations

import asyncio

from resphere.server.connections.registry import Client
from resphere.server.connections.sockets import Seen, Sockets

LOOK_SECONDS = 0.01
LOOKS = 500
"""So often it is looked whether a client has got what it is to get before its connection ends."""


class Dropper:
    """Ends connections of this process; without ``sockets``, which are nowhere but on Linux, none."""

    def __init__(self, sockets: Sockets | None) -> None:
        self._sockets = sockets

    def drop(self, client: Client) -> bool:
        """End the connection of that client, and throw away what it was to be sent; whether there was one."""
        seen = self._seen(client)
        return seen is not None and self._sockets is not None and self._sockets.end(seen, abort=True)

    def taken_bytes(self, client: Client) -> int:
        """How much it has got on its connection."""
        seen = self._seen(client)
        return 0 if seen is None else seen.taken_bytes

    async def cut(self, client: Client, begin_bytes: int, sent_bytes: int) -> None:
        """End it when it has got so much, counted from what it had at the beginning; soon where it does not read."""
        for _ in range(LOOKS):
            seen = self._seen(client)
            if seen is None or seen.taken_bytes - begin_bytes >= sent_bytes:
                break
            await asyncio.sleep(LOOK_SECONDS)
        self.drop(client)

    def _seen(self, client: Client) -> Seen | None:
        if self._sockets is None:
            return None
        return next((each for each in self._sockets.look() if each.client == client), None)
