"""Who listens is told of every commit by the database itself."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Any

import asyncpg

from resphere.store.base import StoreError
from resphere.store.postgresql.line import LONGEST_PAUSE_SECONDS, Line
from resphere.store.postgresql.place import Place

log = logging.getLogger(__name__)


def channel_of(place: Place) -> str:
    """What the commits of a store are told on: databases tell apart their own, but no schemas."""
    return f"resphere_{hashlib.sha256(place.schema.encode()).hexdigest()[:32]}"


class Listening:
    """All who listen on one event loop, over one connection."""

    def __init__(self, line: Line, channel: str) -> None:
        self._line = line
        self._channel = channel
        self._wakes: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()

    def add(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` called after each commit, and once the connection stands; the result ends that."""
        self._wakes.append(wake)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._listen())
        else:
            wake()

        def end() -> None:
            self._wakes.remove(wake)

        return end

    async def close(self) -> None:
        """Tell nobody any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _listen(self) -> None:
        while True:
            self._lost.clear()
            try:
                await self._line.ask(self._begin, doing="listen to")
            except StoreError as error:
                log.warning("others' commits are noticed late: %s", error)
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)
                continue
            # What was committed before this is told to nobody.
            self._wake()
            await self._lost.wait()

    async def _begin(self, connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lambda _: self._lost.set())
        await connection.add_listener(self._channel, self._told)

    def _told(self, *_: Any) -> None:
        self._wake()

    def _wake(self) -> None:
        for wake in tuple(self._wakes):
            wake()
