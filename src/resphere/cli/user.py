"""``resphere user``: the local accounts."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from resphere.access.tree import roles_at_root
from resphere.auth.account_changes import AccountUpdate, require_name
from resphere.auth.accounts import Account
from resphere.cli.identities import Opened, on_identities, opened_identities, shown, shown_time
from resphere.cli.store import add_store, changing


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("user", help="local accounts")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    adding = verbs.add_parser("add", help="make or replace an account", description=add_user.__doc__)
    adding.add_argument("--role", default="ReadOnly", help="on the root folder and all below it; default: ReadOnly")
    adding.set_defaults(run=add_user, recorded=("name", "role", "description", "must_change"))
    setting = verbs.add_parser("set", help="change an account", description=set_user.__doc__)
    setting.add_argument("--role", help="on the root folder and all below it")
    able = setting.add_mutually_exclusive_group()
    able.add_argument("--disable", dest="disabled", action="store_true", default=None, help="let nobody in by it")
    able.add_argument("--enable", dest="disabled", action="store_false", default=None)
    setting.set_defaults(run=set_user, recorded=("name", "role", "disabled", "description", "must_change"))
    passing = verbs.add_parser("passwd", help="give an account another password", description=set_password.__doc__)
    passing.set_defaults(run=set_password, recorded=("name", "must_change"))
    removing = verbs.add_parser("remove", help="remove an account; its sessions end", description=remove_user.__doc__)
    removing.set_defaults(run=remove_user, recorded=("name",))
    unlocking = verbs.add_parser("unlock", help="forget wrong passwords", description=unlock_user.__doc__)
    unlocking.set_defaults(run=unlock_user, recorded=("name",))
    showing = verbs.add_parser("show", help="show an account", description=show_user.__doc__)
    showing.set_defaults(run=show_user)
    listing = verbs.add_parser("list", help="list the accounts", description=list_users.__doc__)
    listing.set_defaults(run=list_users)
    for verb in (adding, setting):
        verb.add_argument("--description")
    for verb in (adding, setting, passing):
        verb.add_argument(
            "--must-change",
            action="store_true",
            default=None,
            help="the password must be changed before anything else is done with it",
        )
    for verb in (adding, setting, passing, removing, unlocking, showing):
        verb.add_argument("name", help="such as auditor@vsphere.local")
    for verb in (adding, setting, passing, removing, unlocking, showing, listing):
        add_store(verb)


def add_user(options: argparse.Namespace) -> int:
    """Make or replace an account. The password is asked for, or read from standard input where that is no terminal.
    Sessions with another password end."""

    async def work() -> None:
        async with changing():
            require_name(options.name)
        async with opened_identities(options) as opened:
            password = read_password()
            warn(opened, password)
            await opened.parts.accounts.put(options.name, password, options.role)
            update = AccountUpdate(description=options.description, must_change=options.must_change)
            await opened.parts.account_changes.update(opened.account(options.name).id, update)

    asyncio.run(work())
    return 0


@on_identities
async def set_user(options: argparse.Namespace, opened: Opened) -> None:
    """Change an account; what is not named stays. A running server does so at once."""
    update = AccountUpdate(
        role=options.role,
        description=options.description,
        disabled=options.disabled,
        must_change=options.must_change,
    )
    await opened.parts.account_changes.update(opened.account(options.name).id, update)


@on_identities
async def set_password(options: argparse.Namespace, opened: Opened) -> None:
    """Give an account another password, which is asked for, or read from standard input where that is no terminal. Its
    sessions end, and it is locked no more."""
    account = opened.account(options.name)
    password = read_password()
    warn(opened, password)
    await opened.parts.account_changes.set_password(
        account.id, password, must_change=bool(options.must_change), any_password=True
    )


@on_identities
async def remove_user(options: argparse.Namespace, opened: Opened) -> None:
    """Remove an account, with its API tokens and its place in groups. A running server ends its sessions at once."""
    await opened.parts.account_changes.remove(opened.account(options.name).id)


@on_identities
async def unlock_user(options: argparse.Namespace, opened: Opened) -> None:
    """Forget the wrong passwords that have locked an account."""
    await opened.parts.account_changes.unlock(opened.account(options.name).id)


@on_identities
async def show_user(options: argparse.Namespace, opened: Opened) -> None:
    """Show an account."""
    show(opened, opened.account(options.name))


def show(opened: Opened, account: Account) -> None:
    """Print all that is to be known of an account."""
    parts = opened.parts
    principal = parts.accounts.whoever(account)
    shown("name", account.name)
    shown("description", account.description or "-")
    shown("roles", roles(opened, account))
    shown("groups", ", ".join(sorted(principal.groups)))
    shown("disabled", "yes" if account.disabled else "no")
    shown("must change password", "yes" if account.must_change else "no")
    shown("password of", shown_time(account.password_time))
    shown("locked until", shown_time(parts.accounts.lockout.locked_until(account.id, "")))
    shown("sessions", len(parts.sessions.of_user(account.id)))
    shown("API tokens", len(parts.tokens.of_owner(account.id)))


@on_identities
async def list_users(options: argparse.Namespace, opened: Opened) -> None:
    """List the accounts, with the roles that they have on the root folder, themselves or by their groups."""
    for account in sorted(opened.replica.all(Account).values(), key=lambda account: account.id):
        print("\t".join((account.name, roles(opened, account), *(["disabled"] if account.disabled else []))))


def roles(opened: Opened, account: Account) -> str:
    """The names of the roles that an account has on the root folder; a dash where it has none."""
    found = roles_at_root(opened.replica, opened.parts.accounts.whoever(account))
    return ", ".join(role.name for role in found) or "-"


def read_password() -> str:
    """The password that is typed in, or the first line of standard input.

    :raises ValueError: it is empty.
    """
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        raise ValueError("the password must not be empty")
    return password


def warn(opened: Opened, password: str) -> None:
    """Say what the API would refuse: whoever can write the data directory is not held up by rules."""
    for fault in opened.parts.accounts.rules.faults(password):
        print(f"resphere: a password by the rules {fault}; it is taken all the same", file=sys.stderr)
