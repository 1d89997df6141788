"""``resphere user``: the local accounts."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import re
import secrets
import sys
from collections.abc import Iterable

from resphere.access.permissions import Permission
from resphere.access.tree import roles_at_root
from resphere.auth.accounts import Account, LocalAccounts, canonical_name, principal_of
from resphere.auth.sessions import Session
from resphere.cli.store import access_opened, add_store, changing, opened_store, store_url
from resphere.nearest import nearest
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

NAME = re.compile(r"[^\s:@\\]+([@\\][^\s:@\\]+)?\Z")
"""``user``, ``user@domain`` or ``DOMAIN\\user``; a colon would end the name where the two are sent with a password."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("user", help="local accounts")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    adding = verbs.add_parser("add", help="make or replace an account", description=add_user.__doc__)
    adding.add_argument("name", help="such as auditor@vsphere.local")
    adding.add_argument("--role", default="ReadOnly", help="on the root folder and all below it; default: ReadOnly")
    adding.set_defaults(run=add_user)
    removing = verbs.add_parser("remove", help="remove an account; its sessions end", description=remove_user.__doc__)
    removing.add_argument("name")
    removing.set_defaults(run=remove_user)
    listing = verbs.add_parser("list", help="list the accounts", description=list_users.__doc__)
    listing.set_defaults(run=list_users)
    for verb in (adding, removing, listing):
        add_store(verb)


def add_user(options: argparse.Namespace) -> int:
    """Make or replace an account. The password is asked for, or read from standard input where that is no terminal."""
    if not NAME.match(options.name):
        raise ValueError(f"{options.name!r} is no name of an account, such as auditor@vsphere.local")
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        raise ValueError("the password must not be empty")
    asyncio.run(put(store_url(options), options.name, password, options.role))
    return 0


def remove_user(options: argparse.Namespace) -> int:
    """Remove an account, and its permissions. A running server ends its sessions at once."""
    asyncio.run(remove(store_url(options), options.name))
    return 0


def list_users(options: argparse.Namespace) -> int:
    """List the accounts, with the roles that they have on the root folder, themselves or by their groups."""
    for account, role in asyncio.run(accounts(store_url(options))):
        print(f"{account.name}\t{role}")
    return 0


async def put(url: str, name: str, password: str, role: str) -> None:
    """Make or replace one account in a store.

    :raises ValueError: there is no such role, or nobody would be left who administers the server.
    """
    async with changing(), opened_store(url) as store:
        await LocalAccounts(await access_opened(store), secrets.token_bytes).put(name, password, role)


async def remove(url: str, name: str) -> None:
    """Remove one account from a store.

    :raises ValueError: there is none of that name, or it is the last that administers the server.
    """

    async with changing(), opened_store(url) as store:
        replica = await access_opened(store)

        def plan(edit: Edit) -> None:
            if edit.get(Account, canonical_name(name)) is None:
                raise ValueError(f"there is no account {name}{account_meant(name, replica.all(Account))}")
            edit.delete(Account, canonical_name(name))
            # Else whoever gets the name next would have them.
            for session in list(replica.by(Session, "user", canonical_name(name))):
                edit.delete(Session, session)
            for permission in list(replica.by(Permission, "principal", canonical_name(name)).values()):
                if not permission.group:
                    edit.delete(Permission, permission.id)

        await replica.change(plan)


def account_meant(name: str, known: Iterable[str]) -> str:
    """The account that was meant, compared without the domain, which most have alike."""
    by_user = {account.partition("@")[0]: account for account in known}
    found = nearest(canonical_name(name).partition("@")[0], by_user)
    return "" if found is None else f"; did you mean {by_user[found]}?"


async def accounts(url: str) -> list[tuple[Account, str]]:
    """The accounts of a store by name, with the names of the roles that they have on the root folder."""
    async with opened_store(url) as store:
        replica = await access_opened(store)
        found = sorted(replica.all(Account).values(), key=lambda account: account.id)
        return [(account, roles_on_root(replica, account)) for account in found]


def roles_on_root(replica: Replica, account: Account) -> str:
    """The names of the roles that an account has on the root folder; a dash where it has none."""
    return ", ".join(role.name for role in roles_at_root(replica, principal_of(account))) or "-"
