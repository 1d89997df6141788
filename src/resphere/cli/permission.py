"""``resphere permission``: who has which role where."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from pathlib import Path

from resphere.access.changes import create_permission
from resphere.access.permissions import GLOBAL, GRANTABLE, Permission, permission_id
from resphere.access.roles import role_of
from resphere.auth.ldap.source import Directories
from resphere.auth.principals import Principals, hold, home_name
from resphere.cli.role import named
from resphere.cli.store import add_store, asked, changed
from resphere.inventory.paths import NothingThere, object_at, object_by_id, path_of
from resphere.inventory.tables import TABLES
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.server.environment import from_environment
from resphere.server.saml_trust import read_trust
from resphere.server.settings import flag, from_strings, variable

SAML_TRUST = "saml_trust"
"""The setting that names the file of trusted issuers."""
EVERYWHERE = "global"
"""Where global permissions stand, in words."""
PLACES = tuple(table for table in TABLES if table.cls in GRANTABLE)
"""The tables of what permissions are set on."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("permission", help="permissions: who has which role where")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list the permissions", description=list_permissions.__doc__)
    listing.add_argument("object", nargs="?", help="path, id or 'global': only those that are set there")
    listing.set_defaults(run=list_permissions)
    adding = verbs.add_parser("add", help="set a permission", description=add_permission.__doc__)
    add_place(adding)
    adding.add_argument("role", help="such as ReadOnly")
    adding.add_argument("--no-propagate", dest="propagate", action="store_false", help="not to what is below")
    adding.add_argument(
        flag(SAML_TRUST), type=Path, metavar="FILE", help=f"as of `resphere serve` [{variable(SAML_TRUST)}]"
    )
    adding.set_defaults(run=add_permission, recorded=("object", "principal", "group", "role", "propagate"))
    removing = verbs.add_parser("remove", help="take a permission away", description=remove_permission.__doc__)
    add_place(removing)
    removing.set_defaults(run=remove_permission, recorded=("object", "principal", "group"))
    for verb in (listing, adding, removing):
        add_store(verb)


def add_place(to: argparse.ArgumentParser) -> None:
    """What says which permission is meant."""
    to.add_argument("object", help="path (/DC01/vm/web), id (group-v14) or 'global'")
    to.add_argument("principal", help="such as ann@vsphere.local")
    to.add_argument("--group", action="store_true", help="the principal is a group")


def list_permissions(options: argparse.Namespace) -> int:
    """List the permissions: where, whose, which role, and whether it reaches what is below."""

    def lines(replica: Replica) -> list[str]:
        found = sorted(replica.all(Permission).values(), key=lambda each: (shown(replica, each.object), each.id))
        if options.object is not None:
            place = place_of(replica, options.object)
            found = [each for each in found if each.object == place]
        return [line(replica, each) for each in found]

    for each in asked(options, lines, PLACES):
        print(each)
    return 0


def add_permission(options: argparse.Namespace) -> int:
    """Give a user, or a group, a role on an object and on what is below it. It holds at once. A directory is asked
    whether it knows them."""

    issuers = saml_domains(options)

    def meant(replica: Replica) -> Permission:
        return Permission(
            principal=home_name(replica, options.principal),
            group=options.group,
            object=place_of(replica, options.object),
            role=named(replica, options.role).id,
            propagate=options.propagate,
        )

    async def look_up(replica: Replica) -> None:
        with closing(Directories()) as directories:
            await Principals(replica, directories, issuers).resolve(meant(replica))

    def plan(edit: Edit, replica: Replica) -> None:
        permission = meant(replica)
        create_permission(edit, replica, permission)
        hold(edit, permission)

    changed(options, plan, PLACES, look_up)
    return 0


def saml_domains(options: argparse.Namespace) -> list[str]:
    """The domains of which issuers of SAML tokens speak, by the flag or the environment.

    :raises ValueError: the file cannot be used.
    """
    file = options.saml_trust or from_strings(from_environment(os.environ)).saml_trust
    return [each.domain for each in read_trust(file).issuers] if file else []


def remove_permission(options: argparse.Namespace) -> int:
    """Take from a user, or a group, what was given on an object. It holds at once."""

    def plan(edit: Edit, replica: Replica) -> None:
        principal = home_name(replica, options.principal)
        id = permission_id(place_of(replica, options.object), principal, group=options.group)
        if edit.get(Permission, id) is None:
            whose = f"the group {options.principal}" if options.group else options.principal
            raise ValueError(f"there is no permission of {whose} on {options.object}")
        edit.delete(Permission, id)

    changed(options, plan, PLACES)
    return 0


def line(replica: Replica, permission: Permission) -> str:
    """A permission as the list shows it."""
    role = role_of(replica, permission.role)
    whose = f"group {permission.principal}" if permission.group else permission.principal
    reach = "propagates" if permission.propagate else "stays"
    return "\t".join([shown(replica, permission.object), whose, role.name if role else permission.role, reach])


def shown(replica: Replica, object: str) -> str:
    """Where a permission is: the object's path."""
    found = object_by_id(replica, object) if object else None
    return EVERYWHERE if found is None else path_of(replica, found)


def place_of(replica: Replica, given: str) -> str:
    """The id of the object that is meant.

    :raises ValueError: there is none.
    """
    if given == EVERYWHERE:
        return GLOBAL
    if not given.startswith("/"):
        found = object_by_id(replica, given)
        if found is None:
            raise ValueError(f"there is no object {given}; a path begins with a slash")
        return found.id
    try:
        return object_at(replica, given).id
    except NothingThere as missing:
        raise ValueError(f"there is no {missing.part} in {missing.parent_path}") from missing
