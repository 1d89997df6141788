"""What commands on users, groups, sessions and tokens share: a server's store, opened for them."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import wraps

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.accounts import Account, LocalAccounts
from resphere.auth.groups import Group
from resphere.auth.identities import Identities
from resphere.auth.sessions import Sessions
from resphere.auth.tokens import Tokens
from resphere.cli.store import access_opened, changing, opened_store, store_url
from resphere.nearest import nearest
from resphere.replica.replica import Replica
from resphere.server.assembly import identities, password_rules, session_limits
from resphere.server.environment import from_environment
from resphere.server.present import now
from resphere.server.settings import from_strings


class Opened(msgspec.Struct, frozen=True):
    """A server's users, groups, sessions and tokens, and the replica that they are in."""

    replica: Replica
    parts: Identities

    def account(self, name: str) -> Account:
        """The account that somebody calls so.

        :raises ValueError: there is none; names the one that was meant.
        """
        found = self.replica.get(Account, canonical_name(name))
        if found is None:
            raise ValueError(f"there is no account {name}{meant(name, self.replica.all(Account))}")
        return found

    def group(self, name: str) -> Group:
        """The group that somebody calls so, of the local domain where none is named.

        :raises ValueError: there is none; names the one that was meant.
        """
        groups = self.replica.all(Group)
        found = groups.get(canonical_name(name)) or next(
            (group for group in groups.values() if group.id.partition("@")[0] == canonical_name(name)), None
        )
        if found is None:
            raise ValueError(f"there is no group {name}{meant(name, groups)}")
        return found


@asynccontextmanager
async def opened_identities(options: argparse.Namespace) -> AsyncIterator[Opened]:
    """Users, groups, sessions and tokens of the server that the flags name; rules are those of the environment.

    :raises ValueError: there is no store, or a change is refused.
    """
    settings = from_strings(from_environment(os.environ))
    async with changing(), opened_store(store_url(options)) as store:
        replica = await access_opened(store)
        accounts = LocalAccounts(replica, secrets.token_bytes, now=now, rules=password_rules(settings))
        sessions = Sessions(replica, session_limits(settings), now, secrets.token_bytes)
        tokens = Tokens(replica, timedelta(days=settings.max_token_days), now, secrets.token_bytes)
        try:
            yield Opened(replica, identities(replica, accounts, sessions, tokens))
        finally:
            await accounts.finish()


def on_identities(
    work: Callable[[argparse.Namespace, Opened], Awaitable[None]],
) -> Callable[[argparse.Namespace], int]:
    """The command that does ``work`` on users, groups, sessions and tokens; its description is that of the work::

    @on_identities
    async def remove_user(options: argparse.Namespace, opened: Opened) -> None:
        await opened.parts.account_changes.remove(opened.account(options.name).id)
    """

    @wraps(work)
    def run(options: argparse.Namespace) -> int:
        async def done() -> None:
            async with opened_identities(options) as opened:
                await work(options, opened)

        asyncio.run(done())
        return 0

    return run


def meant(name: str, known: Iterable[str]) -> str:
    """What was meant, compared without the domain, which most have alike."""
    by_user = {each.partition("@")[0]: each for each in known}
    found = nearest(canonical_name(name).partition("@")[0], by_user)
    return "" if found is None else f"; did you mean {by_user[found]}?"


def shown_time(time: datetime | None) -> str:
    """``2026-11-29 06:15:50Z``, a dash where there is none."""
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M:%SZ}"


def shown(name: str, value: object) -> None:
    """Print a line of a description."""
    print(f"{name:<22}{value}")
