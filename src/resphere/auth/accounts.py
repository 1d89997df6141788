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

from resphere.access.principal import Principal
from resphere.access.roles import ROLES
from resphere.auth.passwords import hash_password, verify_password
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

ADMINISTRATOR = "administrator@vsphere.local"
KEPT_VERIFICATIONS = 1024


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A local account; ``id`` is the name in lower case, ``role`` the role that it has on the root folder."""

    kind: ClassVar[str] = "account"

    id: str
    name: str
    role: str
    password_hash: str


class IdentitySource(Protocol):
    """Where names and passwords are checked."""

    async def verify(self, name: str, password: str) -> Principal | None:
        """The principal, ``None`` where name or password is wrong."""


ACCOUNTS = Table(cls=Account, revises=False)


def canonical_name(name: str) -> str:
    """``DOMAIN\\user`` and ``user@domain`` in any case as ``user@domain``."""
    name = name.strip().casefold()
    if "\\" in name:
        domain, _, user = name.partition("\\")
        return f"{user}@{domain}"
    return name


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
        return Principal(account.name, ROLES[account.role]) if account else None

    async def put(self, name: str, password: str, role: str) -> None:
        """Make or replace an account. A replaced password ends nothing but logins with the old one."""
        if role not in ROLES:
            raise ValueError(f"unknown role {role}; there are {', '.join(ROLES)}")
        identity = canonical_name(name)
        existing = self._replica.get(Account, identity)
        if existing and existing.role == role and verify_password(password, existing.password_hash):
            return
        account = Account(id=identity, name=name, role=role, password_hash=hash_password(password, self._random_bytes))

        def plan(edit: Edit) -> None:
            edit.put(account)

        await self._replica.change(plan)
