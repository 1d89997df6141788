"""Sessions: one store for every dialect, shared by all workers, lasting across restarts.

The store holds a digest of the session's id, never the id itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar

import msgspec

from resphere.access.principal import Principal
from resphere.auth.accounts import canonical_name
from resphere.contract.errors import ServiceUnavailable, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

log = logging.getLogger(__name__)

TOKEN_CHARACTERS = 32


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An open session; ``id`` is the digest of what the client holds. Times are aware, in UTC.

    ``method`` is how its user was let in. Of a user without a local account, ``source`` names the identity source, and
    ``groups`` are those that it told of at login; of others both follow from the account as it is.
    """

    kind: ClassVar[str] = "session"

    id: str
    user: str
    created_time: datetime
    last_accessed_time: datetime
    method: str = "password"
    source: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """What logs call the session: enough to tell sessions apart, useless to a thief."""
        return self.id[:8]


SESSIONS = Table(cls=Session, indexes={"user": lambda session: (canonical_name(session.user),)}, revises=False)


class SessionLimits(msgspec.Struct, frozen=True):
    """``idle`` and ``lifetime`` end a session; ``per_user`` and ``total`` bound how many there are (0: no bound)."""

    idle: timedelta = timedelta(minutes=30)
    lifetime: timedelta = timedelta(hours=48)
    per_user: int = 2000
    total: int = 4000


class Sessions:
    """Opens, finds and closes sessions."""

    def __init__(
        self,
        replica: Replica,
        limits: SessionLimits,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._replica = replica
        self._limits = limits
        self._now = now
        self._random_bytes = random_bytes
        self._accessed: dict[str, datetime] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        # Accesses are written down this often: often enough that another worker never takes a used session for idle.
        self._write_after = min(timedelta(seconds=60), limits.idle / 10)

    async def open(self, principal: Principal, method: str) -> str:
        """Make a session durable for whom ``method`` has let in, and return its id (32 hexadecimal digits, 128 random
        bits).

        :raises ServiceUnavailable: too many sessions are open.
        """
        await self.sweep()
        token = self._random_bytes(TOKEN_CHARACTERS // 2).hex()
        now = self._now()
        session = Session(
            id=digest(token),
            user=principal.name,
            created_time=now,
            last_accessed_time=now,
            method=method,
            source=principal.source,
            groups=() if principal.source is None else tuple(sorted(principal.groups)),
        )

        def plan(edit: Edit) -> None:
            self._require_room(principal)
            edit.put(session)

        await self._replica.change(plan)
        return token

    def find(self, token: str, now: datetime) -> Session | None:
        """The open session that ``token`` belongs to; counts as an access at that moment."""
        session = self._replica.get(Session, digest(token)) if len(token) == TOKEN_CHARACTERS else None
        if session is None:
            return None
        if self._expired(session, now):
            return None
        self._accessed[session.id] = now
        if now - session.last_accessed_time >= self._write_after and session.id not in self._writing:
            writing = asyncio.get_running_loop().create_task(self._write_access(session.id, now))
            self._writing[session.id] = writing
            writing.add_done_callback(lambda _: self._writing.pop(session.id, None))
        return session

    def last_accessed(self, session: Session) -> datetime:
        """The latest access that this worker knows of."""
        return max(session.last_accessed_time, self._accessed.get(session.id, session.last_accessed_time))

    async def close(self, session: Session) -> None:
        """End a session at once, for every worker."""
        await self._delete([session.id])

    async def sweep(self) -> int:
        """Delete expired sessions; returns how many."""
        now = self._now()
        expired = [s.id for s in self._replica.all(Session).values() if self._expired(s, now)]
        if expired:
            await self._delete(expired)
        # Sessions that another worker has deleted.
        for identity in [i for i in self._accessed if self._replica.get(Session, i) is None]:
            del self._accessed[identity]
        return len(expired)

    async def finish(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing.values())

    async def _delete(self, identities: list[str]) -> None:
        def plan(edit: Edit) -> None:
            for identity in identities:
                if edit.get(Session, identity) is not None:
                    edit.delete(Session, identity)

        await self._replica.change(plan)
        for identity in identities:
            self._accessed.pop(identity, None)

    async def _write_access(self, identity: str, now: datetime) -> None:
        def plan(edit: Edit) -> None:
            session = edit.get(Session, identity)
            if session is not None and session.last_accessed_time < now:
                edit.put(msgspec.structs.replace(session, last_accessed_time=now))

        try:
            await self._replica.change(plan)
        except Exception:
            # The session goes on; at worst it is taken for idle earlier. The cause must be seen.
            log.exception("could not write a session's last access")

    def _expired(self, session: Session, now: datetime) -> bool:
        if now - session.created_time >= self._limits.lifetime:
            return True
        return now - self.last_accessed(session) >= self._limits.idle + self._write_after

    def _require_room(self, principal: Principal) -> None:
        of_user = len(self._replica.by(Session, "user", canonical_name(principal.name)))
        if self._limits.per_user and of_user >= self._limits.per_user:
            raise too_many(self._limits.per_user)
        if self._limits.total and self._replica.count(Session) >= self._limits.total:
            raise too_many(self._limits.total)


def too_many(limit: int) -> ServiceUnavailable:
    """The refusal of a login, with the id that vCenter 7.0 uses."""
    return ServiceUnavailable(
        message(
            "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached",
            "User session count is limited to {0}. Existing session count is {0} for this user.",
            limit,
        )
    )


@lru_cache(maxsize=1024)
def digest(token: str) -> str:
    """What the store keeps of a session's id. Clients come with the same one again and again."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
