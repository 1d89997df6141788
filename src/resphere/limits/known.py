"""From which addresses users have logged in: these keep their way when strangers try their names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Protocol

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

log = logging.getLogger(__name__)

MOST_PER_USER = 64
"""Of more addresses those that were used last are known."""
WRITE_AFTER = timedelta(days=1)


class KnownAddress(msgspec.Struct, frozen=True, kw_only=True):
    """That ``user`` has logged in from ``address``, at last at that moment, to about a day."""

    kind: ClassVar[str] = "known_address"

    id: str
    user: str
    address: str
    last_login_time: datetime


KNOWN_ADDRESSES = Table(cls=KnownAddress, indexes={"user": lambda known: (known.user,)}, revises=False)


class Known(Protocol):
    """From where users have logged in."""

    def knows(self, user: str, address: str) -> bool:
        """Whether the user has logged in from there."""

    def note(self, user: str, address: str) -> None:
        """Note that the user has logged in from there, beside what goes on."""


class KnownAddresses:
    """What is known, for ``days`` from the last login; by names as they are written in one way only."""

    def __init__(self, replica: Replica, days: int, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._lasting = timedelta(days=days)
        self._now = now
        self._writing: dict[str, asyncio.Task[None]] = {}

    def knows(self, user: str, address: str) -> bool:
        """See :meth:`Known.knows`."""
        known = self._replica.get(KnownAddress, identity(user, address))
        return known is not None and self._lasts(known)

    def note(self, user: str, address: str) -> None:
        """See :meth:`Known.note`."""
        known = self._replica.get(KnownAddress, identity(user, address))
        now = self._now()
        if known is not None and abs(now - known.last_login_time) < WRITE_AFTER:
            return
        key = identity(user, address)
        if key not in self._writing:
            self._writing[key] = asyncio.get_running_loop().create_task(self._write(user, address, now))
            self._writing[key].add_done_callback(lambda _: self._writing.pop(key, None))

    async def sweep(self) -> int:
        """Forget what is over; returns how many."""
        over = [known.id for known in self._replica.all(KnownAddress).values() if not self._lasts(known)]

        def plan(edit: Edit) -> None:
            for each in over:
                if edit.get(KnownAddress, each) is not None:
                    edit.delete(KnownAddress, each)

        if over:
            await self._replica.change(plan)
        return len(over)

    async def finish(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing.values())

    def _lasts(self, known: KnownAddress) -> bool:
        return abs(self._now() - known.last_login_time) < self._lasting

    async def _write(self, user: str, address: str, now: datetime) -> None:
        known = KnownAddress(id=identity(user, address), user=user, address=address, last_login_time=now)

        def plan(edit: Edit) -> None:
            others = [each for each in self._replica.by(KnownAddress, "user", user).values() if each.id != known.id]
            others.sort(key=lambda each: each.last_login_time, reverse=True)
            for each in others[MOST_PER_USER - 1 :]:
                if edit.get(KnownAddress, each.id) is not None:
                    edit.delete(KnownAddress, each.id)
            edit.put(known)

        try:
            await self._replica.change(plan)
        except Exception:
            # The login was good all the same; the cause must be seen.
            log.exception("could not note from where somebody has logged in")


def identity(user: str, address: str) -> str:
    """The id of what is known of a user at an address."""
    return sha256(f"{user}\n{address}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
