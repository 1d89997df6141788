"""Local accounts: the identity source that every installation has.

Further identity sources (LDAP) answer the same question: :meth:`IdentitySource.check`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar, Protocol

import msgspec

from resphere.access.permissions import on_root
from resphere.access.principal import Principal
from resphere.access.principal import canonical_name as canonical_name
from resphere.access.roles import NOT_GRANTED, Role, all_roles, role_named
from resphere.auth.groups import ADMINISTRATOR as ADMINISTRATOR
from resphere.auth.groups import Memberships
from resphere.auth.lockout import USUAL_LOCKOUT, Knows, Lockout, LockoutRules, knows_nobody
from resphere.auth.password_rules import USUAL_RULES, PasswordRules
from resphere.auth.passwords import SCRYPT, Digests, is_outdated
from resphere.auth.sessions import end_sessions
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading, Table

KEPT_VERIFICATIONS = 1024


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A local account; ``id`` is the name in lower case.

    ``password_time`` is when the password was set (aware, in UTC; unset: by an earlier release), ``previous`` are the
    digests of those before, latest first. ``given``: the server's settings say what the password is.
    """

    kind: ClassVar[str] = "account"

    id: str
    name: str
    password_hash: str
    description: str = ""
    disabled: bool = False
    must_change: bool = False
    password_time: datetime | None = None
    previous: tuple[str, ...] = ()
    given: bool = False


class Verified(msgspec.Struct, frozen=True):
    """Whose name and password were good; ``must_change``: the password must be changed before anything else."""

    principal: Principal
    must_change: bool = False


class NotVerified(Exception):
    """Name and password let nobody in. The reason is for logs alone."""


class IdentitySource(Protocol):
    """Where names and passwords are checked."""

    async def check(self, name: str, password: str, client: str) -> Verified:
        """Whose they are; ``client`` is the address that they come from.

        :raises NotVerified: nobody's.
        """


ACCOUNTS = Table(cls=Account, revises=False)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class LocalAccounts:
    """Accounts kept in the store."""

    def __init__(
        self,
        replica: Replica,
        random_bytes: Callable[[int], bytes],
        *,
        now: Callable[[], datetime] = utc_now,
        rules: PasswordRules = USUAL_RULES,
        lockout: LockoutRules = USUAL_LOCKOUT,
        knows: Knows = knows_nobody,
        digests: Digests | None = None,
    ) -> None:
        self._replica = replica
        self.now = now
        self.rules = rules
        self.digests = digests or Digests(random_bytes)
        self.lockout = Lockout(replica, lockout, now, knows)
        self._memberships = Memberships(replica)
        # A login costs a digest once; clients that log in for every task would otherwise spend the server's time there.
        self._kept_key = random_bytes(32)
        self._kept: dict[tuple[str, str], bytes] = {}

    async def verify(self, name: str, password: str, client: str = "") -> Principal | None:
        """The principal, ``None`` where name or password is wrong, or the password must be changed first."""
        try:
            verified = await self.check(name, password, client)
        except NotVerified:
            return None
        return None if verified.must_change else verified.principal

    async def check(self, name: str, password: str, client: str = "") -> Verified:
        """Whose name and password they are; equally slow for unknown names, and for accounts that may not log in.

        :raises NotVerified: nobody's, or the account is locked or disabled.
        """
        account = self._replica.get(Account, canonical_name(name))
        stored = account.password_hash if account is not None else None
        if not self._remembers(account, password, client):
            good = await self.digests.verify(password, stored, beside_scrypt=self._has_scrypt())
            account = self._unchanged(account)
            self._require_unlocked(account, client)
            if not good:
                self.lockout.failed(account.id, client)
                raise NotVerified("the password is not correct")
            if account.disabled:
                raise NotVerified("the account is disabled")
            account = await self._renewed(account, password)
            self._remember(account, password)
        assert account is not None
        self.lockout.succeeded(account.id, client)
        principal = self.principal(account.id)
        if principal is None:
            raise NotVerified("the account is no more")
        return Verified(principal, self._must_change(account))

    def principal(self, name: str) -> Principal | None:
        """The principal of an account by its canonical name, as it is now; ``None`` where that may not be used."""
        account = self._replica.get(Account, name)
        if account is None or account.disabled:
            return None
        return self.whoever(account)

    def knows(self, name: str) -> bool:
        """Whether there is an account of that canonical name, used or not."""
        return self._replica.get(Account, name) is not None

    def whoever(self, account: Account) -> Principal:
        """The principal of an account, whether or not that may be used."""
        return self._memberships.joined(Principal(account.name))

    def joined(self, principal: Principal) -> Principal:
        """A principal with the local groups that it is in, whatever source knows it."""
        return self._memberships.joined(principal)

    async def put(self, name: str, password: str, role: str | None = None, *, given: bool = False) -> None:
        """Make or replace an account, whatever the password is like, and give it the role of that name on the root
        folder. Sessions with another password end. ``given``: the server's settings say what the password is.

        :raises ValueError: there is no such role, or it cannot be granted.
        """
        identity = canonical_name(name)
        existing = self._replica.get(Account, identity)
        same = existing is not None and await self.digests.verify(password, existing.password_hash)
        if existing is not None and same and not is_outdated(existing.password_hash):
            stored = existing.password_hash
        else:
            stored = await self.digests.make(password)

        def plan(edit: Edit) -> None:
            now = edit.get(Account, identity)
            if now is None:
                now = Account(id=identity, name=name, password_hash=stored, password_time=self.now())
            elif same and existing is not None and now.password_hash == existing.password_hash:
                now = msgspec.structs.replace(now, password_hash=stored)
            else:
                now = with_password(now, stored, self.now(), self.rules)
                end_sessions(edit, self._replica, identity)
            edit.put(msgspec.structs.replace(now, given=given))
            if role is not None:
                edit.put(on_root(now.name, grantable(self._replica, role)))

        await self._replica.change(plan)

    async def finish(self) -> None:
        """Wait for what is being written, and let go of threads."""
        await self.lockout.finish()
        self.digests.close()

    def _must_change(self, account: Account) -> bool:
        too_old = self.rules.is_over(account.password_time, self.now()) and not account.given
        return account.must_change or too_old

    def _unchanged(self, account: Account | None) -> Account:
        """The account, which may have changed while its password was checked."""
        now = self._replica.get(Account, account.id) if account is not None else None
        if account is None or now is None:
            raise NotVerified("there is no such account")
        if now.password_hash != account.password_hash:
            raise NotVerified("the password was changed meanwhile")
        return now

    def _require_unlocked(self, account: Account, client: str) -> None:
        until = self.lockout.locked_until(account.id, client)
        if until is not None:
            raise NotVerified(f"the account is locked until {until.isoformat()}")

    def _remembers(self, account: Account | None, password: str, client: str) -> bool:
        """Whether the password has been good already, so that nobody need compute it. Of accounts that may not log in
        that is not said: it would be too fast."""
        if account is None or account.disabled or self.lockout.locked_until(account.id, client) is not None:
            return False
        kept = self._kept.get((account.id, account.password_hash))
        return kept is not None and hmac.compare_digest(kept, self._quick_digest(password))

    def _remember(self, account: Account, password: str) -> None:
        if len(self._kept) >= KEPT_VERIFICATIONS:
            self._kept.clear()
        self._kept[account.id, account.password_hash] = self._quick_digest(password)

    def _quick_digest(self, password: str) -> bytes:
        return hmac.digest(self._kept_key, password.encode("utf-8", "surrogateescape"), hashlib.sha256)

    def _has_scrypt(self) -> bool:
        return any(account.password_hash.startswith(SCRYPT) for account in self._replica.all(Account).values())

    async def _renewed(self, account: Account, password: str) -> Account:
        """The account with a digest of the present kind, which is made where it has another."""
        if not is_outdated(account.password_hash):
            return account
        stored = await self.digests.make(password)

        def plan(edit: Edit) -> Account:
            now = edit.get(Account, account.id)
            if now is None or now.password_hash != account.password_hash:
                raise NotVerified("the password was changed meanwhile")
            renewed = msgspec.structs.replace(now, password_hash=stored)
            edit.put(renewed)
            return renewed

        return await self._replica.change(plan)


def grantable(among: Reading, name: str) -> Role:
    """The role of that name, which a permission may give.

    :raises ValueError: there is none.
    """
    role = role_named(among, name)
    if role is None or role.id in NOT_GRANTED:
        names = [each.name for each in all_roles(among) if each.id not in NOT_GRANTED]
        raise ValueError(f"there is no role {name} to give; there are {', '.join(names)}")
    return role


def with_password(account: Account, stored: str, moment: datetime, rules: PasswordRules) -> Account:
    """The account with a new password, which need not be changed."""
    previous = (account.password_hash, *account.previous)[: max(0, rules.reuse - 1)]
    return msgspec.structs.replace(
        account, password_hash=stored, password_time=moment, previous=previous, must_change=False, given=False
    )
