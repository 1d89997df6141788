"""Whether the store writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from resphere.appliance.health import WELL, Finding, Level
from resphere.contract.errors import message
from resphere.inventory.appliance.probe import DatabaseProbe
from resphere.replica.replica import Replica
from resphere.store.base import StoreError

log = logging.getLogger(__name__)

PROBE_SECONDS = 5.0
"""For so long the store is waited for."""
FRESH_SECONDS = 1.0
"""What was found is told to whoever asks within this."""


async def probe(inventory: Replica, moment: datetime) -> Finding:
    """How the database is: something is written, and waited for."""
    writing = asyncio.ensure_future(inventory.change(lambda edit: edit.put(DatabaseProbe(time=moment))))
    try:
        # What has gone to the store's writer is not taken back.
        await asyncio.wait_for(asyncio.shield(writing), PROBE_SECONDS)
    except TimeoutError:
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        reason = message(
            "resphere.appliance.health.database_late", "The database has written nothing for {0} s.", PROBE_SECONDS
        )
    except (StoreError, OSError):
        log.exception("the database does not write")
        reason = message("resphere.appliance.health.database_fails", "The database does not write; the log says why.")
    else:
        return WELL
    resolution = message(
        "resphere.appliance.health.database_resolution", "See whether there is room where the database lies."
    )
    return Finding(Level.RED, (reason,), resolution)


class Readiness:
    """Whether a worker can do what it is asked: its store writes. Looked at once a second, however many ask."""

    def __init__(
        self,
        inventory: Replica,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        """``monotonic``: seconds of a clock that is never set; ``ending``: whether the server is about to end."""
        self.ending = ending
        self._inventory = inventory
        self._now = now
        self._monotonic = monotonic
        self._looking: asyncio.Task[Finding] | None = None
        self._since = 0.0

    async def look(self) -> Finding:
        """What was found a moment ago, or is found now; all who wait have the same look."""
        if self._looking is None or self._is_stale(self._looking):
            self._since = self._monotonic()
            self._looking = asyncio.ensure_future(probe(self._inventory, self._now()))
        return await asyncio.shield(self._looking)

    def _is_stale(self, looking: asyncio.Task[Finding]) -> bool:
        return looking.done() and self._monotonic() - self._since >= FRESH_SECONDS
