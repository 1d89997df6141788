"""How long events are kept: by age and by size, whichever is reached first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.store.base import Store

FORGOTTEN_AT_ONCE = 5_000
"""So many are deleted in one transaction: some 10 ms, for which others wait who write."""
EVERYTHING = 2**62


class Keep(msgspec.Struct, frozen=True):
    """Events of the last ``seconds`` are kept, as far as all have no more than so many ``bytes``; 0: no bound."""

    seconds: int
    bytes: int


class Retention:
    """Forgets old events; the latest is always kept."""

    def __init__(self, store: Store, keep: Keep, now: Callable[[], datetime]) -> None:
        self._store = store
        self._keep = keep
        self._now = now

    async def sweep(self) -> int:
        """Forget what is too old, or too much; returns how many events."""
        before = round((self._now().timestamp() - self._keep.seconds) * 1000) if self._keep.seconds else 0
        most_bytes = self._keep.bytes or EVERYTHING
        forgotten = 0
        while True:
            some = await self._store.trim_journal(before, most_bytes, FORGOTTEN_AT_ONCE)
            forgotten += some
            if not some:
                return forgotten
