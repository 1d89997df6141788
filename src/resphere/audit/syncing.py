"""When records are on the disk, and not in the kernel's memory only, which a power failure loses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from resphere.audit.batches import Run, at_once
from resphere.audit.chain import Place


class Sync(StrEnum):
    """How soon a record is on the disk."""

    NEVER = "never"
    """When the system writes it, within half a minute or so."""
    SECOND = "second"
    """Within a second or so."""
    CALL = "call"
    """Before the call is answered."""


class Synced(Protocol):
    """What is to be on the disk: a :class:`~resphere.audit.trail.Trail`."""

    @property
    def place(self) -> Place:
        """The last line that was written."""

    def sync(self) -> Callable[[], None]:
        """What has all that was written until now be on the disk when it returns, in any thread."""


class Syncing:
    """Has a trail's records on the disk; calls that wait at the same time wait for one writing."""

    def __init__(self, trail: Synced, run: Run = at_once) -> None:
        self._trail = trail
        self._run = run
        self._synced = 0
        self._running: asyncio.Task[None] | None = None

    async def settled(self) -> None:
        """Return when all that was written before is on the disk.

        :raises OSError: it cannot be.
        """
        wanted = self._trail.place.sequence
        while self._synced < wanted:
            if self._running is None:
                self._running = asyncio.get_running_loop().create_task(self._sync())
            await asyncio.shield(self._running)

    async def _sync(self) -> None:
        try:
            covered = self._trail.place.sequence
            await asyncio.to_thread(await self._run(self._trail.sync))
            self._synced = covered
        finally:
            self._running = None
