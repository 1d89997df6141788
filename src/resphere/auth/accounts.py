"""Local accounts: the identity source that every installation has.

Further identity sources (LDAP, SAML, OIDC) answer the same question: :meth:`IdentitySource.verify`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from typing import ClassVar, Protocol

import msgspec

from resphere.access.permissions import on_root
from resphere.access.principal import ADMINISTRATORS, Principal
from resphere.access.principal import canonical_name as canonical_name
from resphere.access.roles import NOT_GRANTED, all_roles, role_named
from resphere.auth.passwords import hash_password, verify_password
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

ADMINISTRATOR = "administrator@vsphere.local"
KEPT_VERIFICATIONS = 1024


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A local account; ``id`` is the name in lower case."""

    kind: ClassVar[str] = "account"

    id: str
    name: str
    password_hash: str


class IdentitySource(Protocol):
    """Where names and passwords are checked."""

    async def verify(self, name: str, password: str) -> Principal | None:
        """The principal, ``None`` where name or password is wrong."""


ACCOUNTS = Table(cls=Account, revises=False)


def principal_of(account: Account) -> Principal:
    """Who calls with an account."""
    groups = frozenset({ADMINISTRATORS}) if account.id == ADMINISTRATOR else frozenset[str]()
    return Principal(account.name, groups)


class LocalAccounts:
    """Accounts kept in the store."""

    def __init__(self, replica: Replica, random_bytes: Callable[[int], bytes]) -> None:
        self._replica = replica
        self._random_bytes = random_bytes
        # A login costs scrypt once; clients that log in for every task would otherwise spend the server's time there.
        self._kept_key = random_bytes(32)
        self._kept: dict[tuple[str, str], bytes] = {}
        self._nobody = hash_password("", random_bytes)

    async def verify(self, name: str, password: str) -> Principal | None:
        """The principal, ``None`` where name or password is wrong; equally slow for unknown names."""
        account = self._replica.get(Account, canonical_name(name))
        stored = account.password_hash if account else self._nobody
        digest = hmac.digest(self._kept_key, password.encode("utf-8", "surrogateescape"), hashlib.sha256)
        key = (account.id if account else "", stored)
        kept = self._kept.get(key)
        if account is None or kept is None or not hmac.compare_digest(kept, digest):
            good = await asyncio.to_thread(verify_password, password, stored)
            if account is None or not good:
                return None
            if len(self._kept) >= KEPT_VERIFICATIONS:
                self._kept.clear()
            self._kept[key] = digest
        return self.principal(account.id)

    def principal(self, name: str) -> Principal | None:
        """The principal of an account by its canonical name, as it is now."""
        account = self._replica.get(Account, name)
        return principal_of(account) if account else None

    async def put(self, name: str, password: str, role: str | None = None) -> None:
        """Make or replace an account, and give it the role of that name on the root folder. A replaced password ends
        nothing but logins with the old one.

        :raises ValueError: there is no such role, or it cannot be granted.
        """
        identity = canonical_name(name)
        existing = self._replica.get(Account, identity)
        if existing is not None and verify_password(password, existing.password_hash):
            account = existing
        else:
            account = Account(id=identity, name=name, password_hash=hash_password(password, self._random_bytes))

        def plan(edit: Edit) -> None:
            edit.put(account)
            if role is None:
                return
            given = role_named(self._replica, role)
            if given is None or given.id in NOT_GRANTED:
                names = [each.name for each in all_roles(self._replica) if each.id not in NOT_GRANTED]
                raise ValueError(f"there is no role {role} to give; there are {', '.join(names)}")
            edit.put(on_root(account.name, given))

        await self._replica.change(plan)
