"""Leases: of all workers one is elected to do something, and when it dies another is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ClassVar

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table
from resphere.store.base import Liveness
from resphere.turns import heard

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often those who wait look whether the holder is alive."""
FOLLOW_SECONDS = 0.25
"""How often the holder looks at the store: what it works on may come from any worker."""
RETRY_SECONDS = 5.0
"""After the work has failed, or the store."""


class Lease(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What ``holder``, a worker's name, is elected for; ``None``: nobody is."""

    kind: ClassVar[str] = "lease"

    id: str
    holder: str | None = None


LEASES = Table(cls=Lease, revises=False)


class Leases:
    """This worker's part in all elections; ``liveness`` has its name, and tells who died.

    ::

        await leases.hold("feed", lambda: provider.feed(inventory))
    """

    def __init__(
        self,
        replica: Replica,
        liveness: Liveness,
        *,
        look_seconds: float = LOOK_SECONDS,
        follow_seconds: float = FOLLOW_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._replica = replica
        self._liveness = liveness
        self._look_seconds = look_seconds
        self._follow_seconds = follow_seconds
        self._retry_seconds = retry_seconds

    async def hold(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do ``work`` whenever and as long as this worker holds the lease ``name``, until canceled; then give it back.

        The replica is kept up to date meanwhile. Where the work fails, that is logged, and the lease given back for a
        while; where it ends, the lease is held all the same.
        """
        changed = asyncio.Event()

        def hear(old: Lease | None, new: Lease | None) -> None:
            lease = new or old
            if lease is not None and lease.id == name:
                changed.set()

        end = self._replica.subscribe(Lease, hear)
        try:
            while True:
                try:
                    changed.clear()
                    if await self._acquired(name):
                        await self._lead(name, work)
                    else:
                        await heard(changed, self._look_seconds)
                except Exception:
                    log.exception("the work of the lease %s failed and will be tried again", name)
                    await asyncio.sleep(self._retry_seconds)
        finally:
            end()

    async def _acquired(self, name: str) -> bool:
        """Take the lease where nobody alive has it; who is canceled meanwhile gives back what may be taken already."""
        acquiring = asyncio.ensure_future(self._acquire(name))
        try:
            return await asyncio.shield(acquiring)
        except asyncio.CancelledError:
            await asyncio.gather(acquiring, return_exceptions=True)
            await self._release(name)
            raise

    async def _acquire(self, name: str) -> bool:
        await self._replica.refresh()
        if self._is_taken(self._replica.get(Lease, name)):
            return False

        def plan(edit: Edit) -> bool:
            if self._is_taken(edit.get(Lease, name)):
                return False
            edit.put(Lease(id=name, holder=self._liveness.name))
            return True

        acquired = await self._replica.change(plan)
        if acquired:
            log.info("worker %s holds the lease %s", self._liveness.name, name)
        return acquired

    def _is_taken(self, lease: Lease | None) -> bool:
        if lease is None or lease.holder is None or lease.holder == self._liveness.name:
            return False
        return self._liveness.is_alive(lease.holder)

    async def _lead(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Work as long as the lease is held."""
        working = asyncio.ensure_future(work())
        try:
            while self._holds(name):
                if working.done():
                    working.result()
                    await asyncio.sleep(self._follow_seconds)
                else:
                    await asyncio.wait((working,), timeout=self._follow_seconds)
                await self._replica.refresh()
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await self._release(name)

    async def _release(self, name: str) -> None:
        """Give the lease back, if that is possible: others see in any case when this worker is dead."""

        def plan(edit: Edit) -> None:
            lease = edit.get(Lease, name)
            if lease is not None and lease.holder == self._liveness.name:
                edit.put(Lease(id=name))

        try:
            await self._replica.change(plan)
        except Exception:
            log.exception("the lease %s could not be given back", name)

    def _holds(self, name: str) -> bool:
        lease = self._replica.get(Lease, name)
        return lease is not None and lease.holder == self._liveness.name
