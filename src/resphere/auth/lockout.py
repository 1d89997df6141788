"""Accounts that are locked for a while, after too many wrong passwords.

Failures count by account, and by account and client address. A stranger can lock an account, but not for those
addresses that its user has logged in from before: there it is locked by failures from that address alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

import msgspec

from resphere.auth.groups import ADMINISTRATOR
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

log = logging.getLogger(__name__)

MOST_FAILURES = 64
"""How many failures of an account are kept, the latest."""


class LockoutRules(msgspec.Struct, frozen=True, kw_only=True):
    """An account is locked for ``duration`` after so many failed ``attempts`` (0: never) ``within`` that time.

    By default as vCenter's own domain does (vSphere Authentication, "vCenter Single Sign-On Lockout Policy", 7.0 and
    8.0).
    """

    attempts: int = 5
    within: timedelta = timedelta(seconds=180)
    duration: timedelta = timedelta(seconds=300)


USUAL_LOCKOUT = LockoutRules()


class Failure(msgspec.Struct, frozen=True):
    """A wrong password, when and from which address."""

    time: datetime
    client: str


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """The latest failed logins with the account ``id``."""

    kind: ClassVar[str] = "logins"

    id: str
    failures: tuple[Failure, ...] = ()


LOGINS = Table(cls=Logins, revises=False)

Note = Callable[[Logins], Logins]
"""What somebody's login changes."""


Knows = Callable[[str, str], bool]
"""Whether the user of an account, by its id, has logged in from a client address before."""


def knows_nobody(_id: str, _client: str) -> bool:
    """Where nothing is known of that."""
    return False


def locked_until(logins: Logins, client: str, known: bool, rules: LockoutRules, now: datetime) -> datetime | None:
    """Until when the account is locked for a client address, ``None`` where it is not. ``known``: its user has logged
    in from there before."""
    if not rules.attempts:
        return None
    counted = [each for each in logins.failures if each.client == client or not known]
    # The failures that locked it: the latest ``attempts`` that came within the interval.
    for last in range(len(counted) - 1, rules.attempts - 2, -1):
        if counted[last].time - counted[last - rules.attempts + 1].time <= rules.within:
            until = counted[last].time + rules.duration
            # One that lies ahead of the clock was noted before that went back.
            return until if counted[last].time <= now < until else None
    return None


def with_failure(logins: Logins, failure: Failure) -> Logins:
    """The logins with one more wrong password."""
    return msgspec.structs.replace(logins, failures=(*logins.failures, failure)[-MOST_FAILURES:])


def with_success(logins: Logins, client: str) -> Logins:
    """The logins with a good password: nothing counts any more against its address."""
    return msgspec.structs.replace(logins, failures=tuple(each for each in logins.failures if each.client != client))


class Lockout:
    """Notes failed logins, and says which accounts are locked for whom.

    What is noted counts in this worker at once, and is written beside: names without an account take as long.
    """

    def __init__(self, replica: Replica, rules: LockoutRules, now: Callable[[], datetime], knows: Knows) -> None:
        self._replica = replica
        self._rules = rules
        self._now = now
        self._knows = knows
        self._unwritten: defaultdict[str, list[Note]] = defaultdict(list)
        self._writing: asyncio.Task[None] | None = None

    def locked_until(self, id: str, client: str) -> datetime | None:
        """Until when the account is locked for that address; never the built-in administrator's."""
        if id == ADMINISTRATOR:
            return None
        return locked_until(self._logins(id), client, self._knows(id, client), self._rules, self._now())

    def failed(self, id: str, client: str) -> None:
        """Note a wrong password."""
        before, failure = self.locked_until(id, client), Failure(self._now(), client)
        self._note(id, lambda logins: with_failure(logins, failure))
        until = self.locked_until(id, client)
        if until is not None and before is None:
            log.warning("the account %r is locked until %s for %r and strangers", id, until.isoformat(), client)

    def succeeded(self, id: str, client: str) -> None:
        """Note a good password."""
        logins = self._logins(id)
        if any(each.client == client for each in logins.failures):
            self._note(id, lambda logins: with_success(logins, client))

    async def finish(self) -> None:
        """Wait for what is being written."""
        while self._writing is not None:
            await self._writing

    def _logins(self, id: str) -> Logins:
        logins = self._replica.get(Logins, id) or Logins(id=id)
        for note in self._unwritten.get(id, ()):
            logins = note(logins)
        return logins

    def _note(self, id: str, note: Note) -> None:
        self._unwritten[id].append(note)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._unwritten:
                noted = {id: tuple(notes) for id, notes in self._unwritten.items()}
                await self._replica.change(partial(write, noted))
                for id, notes in noted.items():
                    del self._unwritten[id][: len(notes)]
                    if not self._unwritten[id]:
                        del self._unwritten[id]
        except Exception:
            # Until this worker ends, it goes by what it has noted.
            log.exception("could not write down failed logins")
        finally:
            self._writing = None


def write(noted: Mapping[str, Iterable[Note]], edit: Edit) -> None:
    """Write what was noted of accounts."""
    for id, notes in noted.items():
        logins = edit.get(Logins, id) or Logins(id=id)
        for note in notes:
            logins = note(logins)
        edit.put(logins)
