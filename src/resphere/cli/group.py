"""``resphere group``: the local groups."""

from __future__ import annotations

import argparse

from resphere.auth.group_changes import Members
from resphere.auth.groups import Group
from resphere.cli.identities import Opened, on_identities, shown
from resphere.cli.store import add_store


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("group", help="local groups")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    making = verbs.add_parser("add", help="make a group", description=add_group.__doc__)
    making.add_argument("--description", default="")
    making.set_defaults(run=add_group, recorded=("name", "description"))
    describing = verbs.add_parser("set", help="describe a group anew", description=set_group.__doc__)
    describing.add_argument("--description", required=True)
    describing.set_defaults(run=set_group, recorded=("name", "description"))
    joining = verbs.add_parser("join", help="add members to a group", description=join_group.__doc__)
    joining.set_defaults(run=join_group, recorded=("name", "users", "groups"))
    leaving = verbs.add_parser("leave", help="remove members from a group", description=leave_group.__doc__)
    leaving.set_defaults(run=leave_group, recorded=("name", "users", "groups"))
    removing = verbs.add_parser("remove", help="delete a group", description=remove_group.__doc__)
    removing.set_defaults(run=remove_group, recorded=("name",))
    showing = verbs.add_parser("show", help="show a group and its members", description=show_group.__doc__)
    showing.set_defaults(run=show_group)
    listing = verbs.add_parser("list", help="list the groups", description=list_groups.__doc__)
    listing.set_defaults(run=list_groups)
    for verb in (making, describing, joining, leaving, removing, showing):
        verb.add_argument("name", help="such as Operators@vsphere.local; the domain may be left out")
    for verb in (joining, leaving):
        verb.add_argument("--user", dest="users", action="append", default=[], metavar="NAME", help="a user (repeat)")
        verb.add_argument(
            "--group", dest="groups", action="append", default=[], metavar="NAME", help="a group (repeat)"
        )
    for verb in (making, describing, joining, leaving, removing, showing, listing):
        add_store(verb)


@on_identities
async def add_group(options: argparse.Namespace, opened: Opened) -> None:
    """Make a group without members."""
    await opened.parts.group_changes.create(options.name, options.description)


@on_identities
async def set_group(options: argparse.Namespace, opened: Opened) -> None:
    """Give a group another description."""
    await opened.parts.group_changes.describe(opened.group(options.name).id, options.description)


@on_identities
async def join_group(options: argparse.Namespace, opened: Opened) -> None:
    """Add users and groups to a group. A running server goes by that at once."""
    await opened.parts.group_changes.add(opened.group(options.name).id, members(options))


@on_identities
async def leave_group(options: argparse.Namespace, opened: Opened) -> None:
    """Remove users and groups from a group. A running server goes by that at once."""
    await opened.parts.group_changes.remove(opened.group(options.name).id, members(options))


def members(options: argparse.Namespace) -> Members:
    """The members that the flags name.

    :raises ValueError: there are none.
    """
    if not options.users and not options.groups:
        raise ValueError("name a --user or a --group")
    return Members(tuple(options.users), tuple(options.groups))


@on_identities
async def remove_group(options: argparse.Namespace, opened: Opened) -> None:
    """Delete a group; its members stay."""
    await opened.parts.group_changes.delete(opened.group(options.name).id)


@on_identities
async def show_group(options: argparse.Namespace, opened: Opened) -> None:
    """Show a group and who is in it."""
    group = opened.group(options.name)
    shown("name", group.name)
    shown("description", group.description or "-")
    shown("users", ", ".join(group.users) or "-")
    shown("groups", ", ".join(group.groups) or "-")


@on_identities
async def list_groups(options: argparse.Namespace, opened: Opened) -> None:
    """List the groups."""
    for group in sorted(opened.replica.all(Group).values(), key=lambda group: group.id):
        print(f"{group.name}\t{group.description}")
