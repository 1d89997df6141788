"""Sessions: one store for every dialect, shared by all workers, lasting across restarts.

The store holds a digest of the session's id, never the id itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar

import msgspec

from resphere.access.principal import Principal, canonical_name
from resphere.access.roles import ADMIN
from resphere.access.tree import roles_at_root
from resphere.auth.accesses import Accesses, Field
from resphere.auth.groups import foreign
from resphere.contract.errors import ServiceUnavailable, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

SECRET_BYTES = 32
LONGEST_SECRET = 2 * SECRET_BYTES
MOST_AT_ONCE = 500
"""How many sessions are deleted in one transaction."""
CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far a session may lie ahead of the clock."""
RESERVED = 10
"""Of so many sessions in all, one is kept for administrators."""


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An open session; ``id`` is the digest of what the client holds. Times are aware, in UTC.

    ``method`` is how its user was let in. Of a user without a local account, ``source`` names the identity source,
    ``groups`` are those that it told of at login, and ``granted`` the local ones that stand for them; of others both
    follow from the account as it is. ``token`` is the id of the API token that has opened it, whose scope is its scope.
    """

    kind: ClassVar[str] = "session"

    id: str
    user: str
    created_time: datetime
    last_accessed_time: datetime
    method: str = "password"
    source: str | None = None
    groups: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    client: str = ""
    token: str | None = None

    @property
    def tag(self) -> str:
        """What logs call the session: enough to tell sessions apart, useless to a thief."""
        return self.id[:8]

    @property
    def handle(self) -> str:
        """What people call the session, who do not hold it; it begins with the tag."""
        return self.id[:16]


SESSIONS = Table(
    cls=Session,
    indexes={
        "user": lambda session: (canonical_name(session.user),),
        "handle": lambda session: (session.handle,),
        "token": lambda session: () if session.token is None else (session.token,),
    },
    revises=False,
)


def end_sessions(edit: Edit, replica: Replica, account: str) -> None:
    """End the sessions of the local account with that id, as part of a change."""
    for id, session in list(replica.by(Session, "user", account).items()):
        if session.source is None and edit.get(Session, id) is not None:
            edit.delete(Session, id)


def end_all_sessions(edit: Edit, replica: Replica) -> None:
    """End everybody's sessions, as part of a change."""
    for id in list(replica.all(Session)):
        if edit.get(Session, id) is not None:
            edit.delete(Session, id)


class SessionLimits(msgspec.Struct, frozen=True):
    """``idle`` and ``lifetime`` end a session; ``per_user`` and ``total`` bound how many there are (0: no bound)."""

    idle: timedelta = timedelta(minutes=30)
    lifetime: timedelta = timedelta(hours=48)
    per_user: int = 550
    total: int = 12_000

    @property
    def open_to_all(self) -> int:
        """How many there may be but for those of administrators."""
        return self.total - self.total // RESERVED


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
        # Accesses are written down this often: often enough that another worker never takes a used session for idle.
        write_after = min(timedelta(seconds=60), limits.idle / 10)
        self._accesses = Accesses(replica, LAST_ACCESS, write_after)

    async def open(self, principal: Principal, method: str, client: str = "", token: str | None = None) -> str:
        """Make a session durable for whom ``method`` has let in, and return its id (64 hexadecimal digits, 256 random
        bits).

        Where there are too many sessions in all, those of a user who has more than a fair share make room for whoever
        has less: the longest unused goes.

        :raises ServiceUnavailable: too many of the user's are open, or in all.
        """
        secret = self._random_bytes(SECRET_BYTES).hex()
        now = self._now()
        session = Session(
            id=digest(secret),
            user=principal.name,
            created_time=now,
            last_accessed_time=now,
            method=method,
            source=principal.source,
            groups=() if principal.source is None else tuple(sorted(foreign(principal.groups))),
            granted=() if principal.source is None else tuple(sorted(principal.granted)),
            client=client,
            token=token,
        )
        if self._is_full(principal):
            await self.sweep()

        def plan(edit: Edit) -> str | None:
            ended = self._make_room(edit, principal)
            edit.put(session)
            return ended

        ended = await self._replica.change(plan)
        if ended is not None:
            self._accesses.forget((ended,))
        return secret

    def find(self, secret: str, now: datetime) -> Session | None:
        """The open session that ``secret`` belongs to; counts as an access at that moment."""
        session = self._replica.get(Session, digest(secret)) if len(secret) <= LONGEST_SECRET else None
        if session is None or self._expired(session, now):
            return None
        self._accesses.note(session, now)
        return session

    def note(self, session: Session, now: datetime) -> None:
        """An open session is used."""
        self._accesses.note(session, now)

    def open_until(self, session: Session) -> datetime:
        """Until when it is open even if nobody uses it, as far as time alone goes, and none of its uses is to be
        written down: from the last one on that was."""
        return min(
            session.last_accessed_time + self._accesses.write_after, session.created_time + self._limits.lifetime
        )

    def all_open(self) -> list[Session]:
        """The sessions that are open, of everybody."""
        now = self._now()
        return [session for session in self._replica.all(Session).values() if not self._expired(session, now)]

    def of_user(self, user: str) -> list[Session]:
        """The sessions of a user that are open."""
        now = self._now()
        found = self._replica.by(Session, "user", canonical_name(user))
        return [session for session in found.values() if not self._expired(session, now)]

    def by_handle(self, handle: str) -> Session | None:
        """The open session that people call so."""
        found = self._replica.by(Session, "handle", handle)
        now = self._now()
        return next((session for session in found.values() if not self._expired(session, now)), None)

    def last_accessed(self, session: Session) -> datetime:
        """The latest access that this worker knows of."""
        return self._accesses.last(session) or session.last_accessed_time

    async def close(self, *sessions: Session) -> None:
        """End sessions at once, for every worker."""
        await self._delete([session.id for session in sessions])

    async def sweep(self) -> int:
        """Delete expired sessions; returns how many."""
        now = self._now()
        sessions = list(self._replica.all(Session).values())
        expired = [session.id for session in sessions if self._expired(session, now)]
        await self._delete(expired)
        gone = set(expired)
        for session in sessions:
            if session.last_accessed_time > now + CLOCK_TOLERANCE and session.id not in gone:
                # The clock went back: what is ahead of it would never be idle.
                self._accesses.note(session, now)
        self._accesses.forget_missing()
        return len(expired)

    async def finish(self) -> None:
        """Wait for what is being written."""
        await self._accesses.finish()

    async def _delete(self, identities: list[str]) -> None:
        for first in range(0, len(identities), MOST_AT_ONCE):
            some = identities[first : first + MOST_AT_ONCE]

            def plan(edit: Edit, some: list[str] = some) -> None:
                for identity in some:
                    if edit.get(Session, identity) is not None:
                        edit.delete(Session, identity)

            await self._replica.change(plan)
        self._accesses.forget(identities)

    def _expired(self, session: Session, now: datetime) -> bool:
        age = now - session.created_time
        # One that was opened ahead of the clock, which went back since, would outlive its limit.
        if age >= self._limits.lifetime or age < -CLOCK_TOLERANCE:
            return True
        last = self._accesses.last(session) or session.last_accessed_time
        return now - last >= self._limits.idle + self._accesses.write_after

    def _most(self, principal: Principal) -> int:
        """How many sessions there may be in all when the principal opens one."""
        return self._limits.total if administers(self._replica, principal) else self._limits.open_to_all

    def _is_full(self, principal: Principal) -> bool:
        of_user = len(self._replica.by(Session, "user", canonical_name(principal.name)))
        if self._limits.per_user and of_user >= self._limits.per_user:
            return True
        return bool(self._limits.total) and self._replica.count(Session) >= self._limits.open_to_all

    def _make_room(self, edit: Edit, principal: Principal) -> str | None:
        """See that there is room for one more; returns the id of the session that had to go for it."""
        user, limits = canonical_name(principal.name), self._limits
        of_user = len(self._replica.by(Session, "user", user))
        if limits.per_user and of_user >= limits.per_user:
            raise too_many_of_user(limits.per_user)
        count = self._replica.count(Session)
        if not limits.total or count < limits.open_to_all or count < (most := self._most(principal)):
            return None
        sessions = self._replica.all(Session).values()
        counts = Counter(canonical_name(session.user) for session in sessions)
        share = max(1, most // len(counts.keys() | {user}))
        greediest, held = counts.most_common(1)[0]
        if of_user >= share or held <= share:
            raise too_many_in_all(count, of_user)
        idlest = min(self._replica.by(Session, "user", greediest).values(), key=self.last_accessed)
        edit.delete(Session, idlest.id)
        return idlest.id


LAST_ACCESS = Field(
    Session,
    lambda session: session.last_accessed_time,
    lambda session, moment: msgspec.structs.replace(session, last_accessed_time=moment),
)


def administers(among: Replica, principal: Principal) -> bool:
    """Whether the principal has the role Admin on the root folder, itself or by a group."""
    return ADMIN in roles_at_root(among, principal)


def too_many_of_user(limit: int) -> ServiceUnavailable:
    """The refusal of a login of a user with too many sessions, as vCenter 7.0 words it."""
    return ServiceUnavailable(
        message(
            "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached",
            "User session count is limited to {0}. Existing session count is {0} for this user.",
            limit,
        )
    )


def too_many_in_all(count: int, of_user: int) -> ServiceUnavailable:
    """The refusal of a login where all users together have too many sessions."""
    return ServiceUnavailable(
        message(
            "resphere.session.too_many_in_all",
            "There are {0} open sessions, no more are kept, and {1} of them are yours. Close some, or wait until they "
            "are idle for long enough.",
            count,
            of_user,
        )
    )


@lru_cache(maxsize=1024)
def digest(secret: str) -> str:
    """What the store keeps of a session's id. Clients come with the same one again and again."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
