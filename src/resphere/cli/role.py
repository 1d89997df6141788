"""``resphere role``: the roles that permissions give."""

from __future__ import annotations

import argparse

from resphere.access.changes import create_role, remove_role, update_role
from resphere.access.roles import Role, all_roles, role_named
from resphere.cli.store import add_store, asked, changed
from resphere.nearest import meant
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("role", help="roles: named sets of privileges")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list the roles", description=list_roles.__doc__)
    listing.set_defaults(run=list_roles)
    showing = verbs.add_parser("show", help="list a role's privileges", description=show_role.__doc__)
    showing.add_argument("name", help="such as ReadOnly")
    showing.set_defaults(run=show_role)
    adding = verbs.add_parser("add", help="make a role", description=add_role.__doc__)
    adding.add_argument("name")
    adding.add_argument("privileges", nargs="*", metavar="PRIVILEGE", help="such as VirtualMachine.Interact.PowerOn")
    adding.add_argument("--description", default="", metavar="TEXT")
    adding.set_defaults(run=add_role, recorded=("name", "privileges", "description"))
    setting = verbs.add_parser("set", help="change a role", description=set_role.__doc__)
    setting.add_argument("name")
    setting.add_argument("--rename", metavar="NAME")
    setting.add_argument("--description", metavar="TEXT")
    setting.add_argument("--privileges", nargs="*", metavar="PRIVILEGE", help="in place of those that it has")
    setting.set_defaults(run=set_role, recorded=("name", "rename", "privileges", "description"))
    removing = verbs.add_parser("remove", help="remove a role", description=delete_role.__doc__)
    removing.add_argument("name")
    removing.add_argument("--force", action="store_true", help="with the permissions that give it")
    removing.set_defaults(run=delete_role, recorded=("name", "force"))
    for verb in (listing, showing, adding, setting, removing):
        add_store(verb)


def list_roles(options: argparse.Namespace) -> int:
    """List the roles: id, name, whose it is, and what it is for."""
    for role in asked(options, all_roles):
        print(f"{role.id}\t{role.name}\t{'system' if role.system else 'user'}\t{role.description}")
    return 0


def show_role(options: argparse.Namespace) -> int:
    """List the privileges of a role, one a line."""
    for privilege in sorted(asked(options, lambda replica: named(replica, options.name)).all_privileges):
        print(privilege)
    return 0


def add_role(options: argparse.Namespace) -> int:
    """Make a role of the privileges, and of those that every role has; prints its id."""

    def plan(edit: Edit, replica: Replica) -> str:
        return create_role(edit, replica, options.name, options.description, options.privileges).id

    print(changed(options, plan))
    return 0


def set_role(options: argparse.Namespace) -> int:
    """Change what is given of a role. Whoever has it may do more, or less, at once."""

    def plan(edit: Edit, replica: Replica) -> None:
        role = named(replica, options.name)
        update_role(edit, replica, role.id, options.rename, options.description, options.privileges)

    changed(options, plan)
    return 0


def delete_role(options: argparse.Namespace) -> int:
    """Remove a role that no permission gives."""

    def plan(edit: Edit, replica: Replica) -> None:
        remove_role(edit, replica, named(replica, options.name).id, with_permissions=options.force)

    changed(options, plan)
    return 0


def named(replica: Replica, name: str) -> Role:
    """The role of that name.

    :raises ValueError: there is none.
    """
    role = role_named(replica, name)
    if role is None:
        raise ValueError(f"there is no role {name}{meant(name, [each.name for each in all_roles(replica)])}")
    return role
