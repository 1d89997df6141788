"""Signs of life as rows: each process says again and again that it is there, and who has not for a while is dead.

The dead stay dead: whoever is found so writes nothing any more (see :mod:`resphere.store.postgresql.group`), be it that
it was only stopped for too long. Times are those of the database alone. Who was cut off from the database finds nobody
dead before it has seen that others have had the time to come back, too.
"""

from __future__ import annotations

import asyncio
import logging

import asyncpg

from resphere.store.base import StoreError
from resphere.store.postgresql.line import Line

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LEASE_SECONDS = 10.0
"""Who was not heard of for so long is dead."""
MOST_BEATS_APART_SECONDS = 3 * BEAT_SECONDS
"""Who is itself late by more was stopped, or the database was away."""

_INSERT = """
    WITH born AS (INSERT INTO processes (name, seen) VALUES ($1, clock_timestamp()))
    UPDATE state SET processes = processes + 1
"""
_DELETE = """
    WITH gone AS (DELETE FROM processes WHERE name = $1) UPDATE state SET processes = processes + 1
"""
_BEAT = "UPDATE processes SET seen = clock_timestamp() WHERE name = $1 AND NOT dead RETURNING true"
_SELECT_LATE = "SELECT count(*) FROM processes WHERE NOT dead AND seen < clock_timestamp() - make_interval(secs => $1)"
_BURY = """
    WITH dead AS (
        UPDATE processes SET dead = true WHERE NOT dead AND seen < clock_timestamp() - make_interval(secs => $1)
        RETURNING name
    ), forgotten AS (DELETE FROM processes WHERE dead AND seen < clock_timestamp() - interval '1 day'),
    told AS (UPDATE state SET processes = processes + 1)
    SELECT name FROM dead
"""
COUNT_ALIVE = """
    SELECT count(*) FROM processes WHERE NOT dead AND seen >= clock_timestamp() - make_interval(secs => $1)
"""
_SELECT_ALIVE = "SELECT name FROM processes WHERE NOT dead"
_SELECT_CHANGES = "SELECT processes FROM state"


class Processes:
    """Who is alive, as this process has learned from the database last."""

    def __init__(self) -> None:
        self._alive: frozenset[str] = frozenset()
        self._as_of = -1
        self.own: str | None = None

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name was alive."""
        return name in self._alive

    async def learn(self, connection: asyncpg.Connection, as_of: int) -> None:
        """Have at hand who is alive, where ``state.processes`` says that this is not what is known."""
        if as_of != self._as_of:
            self._alive = frozenset([name for (name,) in await connection.fetch(_SELECT_ALIVE)])
            self._as_of = as_of

    async def look(self, connection: asyncpg.Connection) -> None:
        """The same, whatever it says."""
        await self.learn(connection, await connection.fetchval(_SELECT_CHANGES))

    def forget(self, name: str) -> None:
        """Not alive any more, as far as this process is concerned."""
        self._alive -= {name}


class Beating:
    """A :class:`~resphere.store.base.Liveness`: the process says so every second, on the loop that it began on."""

    def __init__(self, name: str, line: Line, processes: Processes) -> None:
        self._name = name
        self._line = line
        self._processes = processes
        self._task: asyncio.Task[None] | None = None
        self._last = 0.0
        self._steady_since = 0.0

    @property
    def name(self) -> str:
        return self._name

    def is_alive(self, name: str) -> bool:
        return self._processes.is_alive(name)

    async def begin(self) -> None:
        """Be seen from now on.

        :raises StoreError: the database cannot be reached.
        """

        async def register(connection: asyncpg.Connection) -> None:
            await connection.execute(_INSERT, self._name)
            await self._processes.look(connection)

        await self._line.ask(register, doing="be seen in")
        self._processes.own = self._name
        loop = asyncio.get_running_loop()
        self._steady_since = self._last = loop.time()
        self._task = loop.create_task(self._beat_again_and_again())

    async def release(self) -> None:
        if self._task is None:
            return
        self._task.cancel()
        self._task = None
        self._processes.own = None
        self._processes.forget(self._name)

        async def leave(connection: asyncpg.Connection) -> None:
            await connection.execute(_DELETE, self._name)

        await self._line.ask(leave, doing="leave")

    async def _beat_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                alive = await self._line.ask(self._beat, doing="show signs of life in")
            except StoreError as error:
                log.warning("%s", error)
                continue
            if not alive:
                log.critical("others have taken this process for dead, as it was not heard of for too long")
                self._processes.forget(self._name)
                return

    async def _beat(self, connection: asyncpg.Connection) -> bool:
        if not await connection.fetchval(_BEAT, self._name):
            return False
        now = asyncio.get_running_loop().time()
        if now - self._last > MOST_BEATS_APART_SECONDS:
            self._steady_since = now
        self._last = now
        if now - self._steady_since > LEASE_SECONDS and await connection.fetchval(_SELECT_LATE, LEASE_SECONDS):
            for (name,) in await connection.fetch(_BURY, LEASE_SECONDS):
                log.warning("the process %s is dead: it was not heard of for %.0f s", name, LEASE_SECONDS)
        await self._processes.look(connection)
        return True
