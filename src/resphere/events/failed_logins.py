"""Logins that were refused, as events: a few a minute, whoever tries however often.

No document changes with them, so they are told by themselves, beside the answer. The first of a user from an address is
told at once; what follows from there within a minute is told as one, with how many they were, and what is too much for
that is told as a number. Each single one is on the audit log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from resphere.access.principal import canonical_name
from resphere.events.cause import Cause
from resphere.events.event import ENCODER, Deed, Event, Kind, Subject
from resphere.events.told import MANAGE_SESSIONS
from resphere.store.base import Entry, Store, Transaction

log = logging.getLogger(__name__)

BAD_LOGIN = "BadUsernameSessionEvent"
"""vSphere's own: a login with a name or a password that is not good."""
WINDOW_SECONDS = 60.0
MOST_AT_ONCE = 10
"""So many are told at once, of a minute; and as many with what has followed, at its end."""
MOST_COUNTED = 1_000
"""Of so many users and addresses it is known how often they have tried within a minute."""
LONGEST_NAME = 255


class FailedLogin(msgspec.Struct, frozen=True, gc=False):
    """A login that was refused: the ``user`` as it was given, and the address that it came from."""

    user: str
    client: str
    request: str
    operation: str


class Tally:
    """How many of the same user and address were not told yet, and the last of them."""

    __slots__ = ("count", "last")

    def __init__(self, last: FailedLogin, count: int) -> None:
        self.last = last
        self.count = count


class FailedLogins:
    """What one worker has to tell of failed logins."""

    def __init__(self, store: Store, now: Callable[[], datetime], window_seconds: float = WINDOW_SECONDS) -> None:
        self._store = store
        self._now = now
        self._window_seconds = window_seconds
        self._window: asyncio.TimerHandle | None = None
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._told = 0
        self._uncounted = 0
        self._unwritten: list[Entry] = []
        self._writing: asyncio.Task[None] | None = None

    def note(self, failed: FailedLogin) -> None:
        """Have it be told, now or with others."""
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(self._window_seconds, self.end_window)
        key = (canonical_name(failed.user[:LONGEST_NAME]), failed.client)
        tally = self._tallies.get(key)
        if tally is not None:
            tally.last = failed
            tally.count += 1
        elif self._told < MOST_AT_ONCE:
            self._told += 1
            self._tallies[key] = Tally(failed, 0)
            self._tell([self._event(failed, 1)])
        elif len(self._tallies) < MOST_COUNTED:
            self._tallies[key] = Tally(failed, 1)
        else:
            self._uncounted += 1

    def end_window(self) -> None:
        """Tell what has come since what was told at once."""
        if self._window is not None:
            self._window.cancel()
        untold = sorted((each for each in self._tallies.values() if each.count), key=lambda each: -each.count)
        others = self._uncounted + sum(each.count for each in untold[MOST_AT_ONCE:])
        self._window, self._tallies, self._told, self._uncounted = None, {}, 0, 0
        events = [self._event(each.last, each.count) for each in untold[:MOST_AT_ONCE]]
        if others:
            events.append(self._event(None, others))
        if events:
            self._tell(events)

    async def close(self) -> None:
        """Tell what is left, and wait until it is written."""
        self.end_window()
        while self._writing is not None:
            await self._writing

    def _event(self, failed: FailedLogin | None, attempts: int) -> Event:
        """``None``: of many users, or addresses."""
        details: dict[str, str | int] = {"attempts": attempts}
        if failed is None:
            user, cause = None, None
        else:
            user = failed.user[:LONGEST_NAME]
            cause = Cause(request=failed.request, operation=failed.operation)
            details["client"] = failed.client
        return Event(
            time=round(self._now().timestamp() * 1000),
            type=BAD_LOGIN,
            kind=Kind.SESSION,
            deed=Deed.CREATED,
            object=Subject("FailedLogin", "" if user is None else canonical_name(user), user),
            cause=cause,
            details=details,
            owner=None if user is None else canonical_name(user),
            privilege=MANAGE_SESSIONS,
        )

    def _tell(self, events: Iterable[Event]) -> None:
        self._unwritten += [Entry(event.time, ENCODER.encode(event)) for event in events]
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._unwritten:
                entries, self._unwritten = tuple(self._unwritten), []
                await self._store.commit(Transaction((), entries=entries))
        except Exception:
            log.exception("failed logins could not be told as events: they are on the audit log")
        finally:
            self._writing = None
