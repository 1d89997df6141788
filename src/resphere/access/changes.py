"""Changes of roles and permissions: what each writes within an edit, and why it is refused.

The refusals are those of ``com.vmware.vcenter.authorization`` in vSphere API 9.0.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from resphere.access.permissions import Permission
from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import NOT_GRANTED, SYSTEM_ROLES, Role, role_named, role_of, users_role
from resphere.access.tree import whole_of
from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceInUse,
    Unsupported,
    message,
)
from resphere.inventory.mentions import named
from resphere.inventory.paths import object_by_id
from resphere.nearest import meant
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup

FIRST_NUMBER = 2000
"""Above the ids of all roles that vCenter has itself."""
LONGEST_NAME = 80
LONGEST_SUGGESTED = 200


def require_role(among: Lookup, id: str) -> Role:
    """The role of that id.

    :raises NotFound: there is none.
    """
    role = role_of(among, id)
    if role is None:
        raise NotFound(message("resphere.authorization.no_role", "There is no role with the identifier '{0}'.", id))
    return role


def create_role(edit: Edit, inventory: Replica, name: str, description: str, privileges: Iterable[str]) -> Role:
    """Make a role, with what every role has that users define.

    :raises AlreadyExists: there is one of that name.
    :raises InvalidArgument: the name, or a privilege, is none.
    """
    privileges = require_privileges(privileges)
    require_name(inventory, None, name)
    number = FIRST_NUMBER + int(edit.new_id(""))
    role = users_role(str(number), name, privileges, description)
    edit.put(role)
    return role


def update_role(
    edit: Edit,
    inventory: Replica,
    id: str,
    name: str | None = None,
    description: str | None = None,
    privileges: Iterable[str] | None = None,
) -> Role:
    """Change what is given of a role.

    :raises NotFound: there is none of that id.
    :raises Unsupported: it is one of the system.
    :raises AlreadyExists: there is another one of that name.
    :raises InvalidArgument: the name, or a privilege, is none.
    """
    role = require_users_role(edit, id)
    if name is not None:
        require_name(inventory, role, name)
        role = replace(role, name=name)
    if description is not None:
        role = replace(role, description=description)
    if privileges is not None:
        role = users_role(role.id, role.name, require_privileges(privileges), role.description)
    edit.put(role)
    return role


def remove_role(edit: Edit, inventory: Replica, id: str, *, with_permissions: bool = False) -> None:
    """Remove a role; ``with_permissions``: and the permissions that give it.

    :raises NotFound: there is none of that id.
    :raises Unsupported: it is one of the system.
    :raises ResourceInUse: permissions give it, and are to stay.
    """
    role = require_users_role(edit, id)
    giving = list(inventory.by(Permission, "role", role.id))
    if giving and not with_permissions:
        raise role_in_use(role, len(giving))
    for permission in giving:
        edit.delete(Permission, permission)
    edit.delete(Role, role.id)


def role_in_use(role: Role, count: int) -> ResourceInUse:
    """The refusal to remove a role that so many permissions give."""
    text = "The role {0} is given by permissions; there are {1} of them."
    return ResourceInUse(message("resphere.authorization.role_in_use", text, role.name, count))


def create_permission(edit: Edit, inventory: Replica, permission: Permission) -> None:
    """Set a permission.

    :raises AlreadyExists: the principal has one on the object.
    :raises InvalidArgument: there is no such role or object, or none can be set there.
    """
    require_permission(edit, inventory, permission)
    if edit.get(Permission, permission.id) is not None:
        raise AlreadyExists(
            message(
                "resphere.authorization.permission_exists",
                "{0} has a permission there already: {1}.",
                permission.principal,
                permission.id,
            )
        )
    edit.put(permission)


def require_permission(edit: Edit, inventory: Replica, permission: Permission) -> None:
    """Refuse a permission that cannot be.

    :raises InvalidArgument: there is no such role or object, or none can be set there.
    """
    require_name_of_principal(permission.principal)
    require_given(edit, permission.role)
    if not permission.object:
        return
    target = object_by_id(edit, permission.object)
    if target is None:
        raise no_object(permission.object)
    whole = whole_of(inventory, target)
    if whole is not None:
        raise InvalidArgument(
            message(
                "resphere.authorization.part_of_another",
                "{0} has the permissions of {1}: set this one there.",
                named(target),
                named(whole),
            )
        )


def require_name_of_principal(name: str) -> None:
    """Refuse what nobody can be called.

    :raises InvalidArgument: the name is none.
    """
    if not name.strip() or not name.isprintable():
        raise InvalidArgument(
            message("resphere.authorization.no_principal", "The principal: its name must be printable, and not blank.")
        )


def require_given(among: Lookup, id: str) -> str:
    """The id of a role that permissions can give.

    :raises InvalidArgument: it is none.
    """
    role = role_of(among, id)
    if role is None or role.id in NOT_GRANTED:
        raise InvalidArgument(
            message(
                "resphere.authorization.no_role_to_give",
                "There is no role with the identifier '{0}' that can be given.",
                id,
            )
        )
    return role.id


def no_object(id: str) -> InvalidArgument:
    """The refusal of a permission on what is not there."""
    return InvalidArgument(
        message("resphere.authorization.no_object", "There is no object '{0}' to set a permission on.", id)
    )


def require_present(among: Lookup, id: str) -> Permission:
    """The permission of that id.

    :raises NotFound: there is none.
    """
    found = among.get(Permission, id)
    if found is None:
        raise NotFound(
            message("resphere.authorization.no_permission", "There is no permission with the identifier '{0}'.", id)
        )
    return found


def require_users_role(among: Lookup, id: str) -> Role:
    """A role that users may change.

    :raises NotFound: there is none of that id.
    :raises Unsupported: it is one of the system.
    """
    role = require_role(among, id)
    if role.id in SYSTEM_ROLES:
        raise Unsupported(
            message(
                "resphere.authorization.system_role",
                "The role {0} is one of the system, which cannot be changed or removed.",
                role.name,
            )
        )
    return role


def require_privileges(given: Iterable[str]) -> frozenset[str]:
    """The privileges, if there are such.

    :raises InvalidArgument: names one that is none, and what was meant.
    """
    found = frozenset(given)
    unknown = min(found - PRIVILEGES, default=None)
    if unknown is not None:
        # What is much longer than any is like none.
        suggested = meant(unknown, PRIVILEGES) if len(unknown) <= LONGEST_SUGGESTED else ""
        raise InvalidArgument(
            message(
                "resphere.authorization.no_privilege",
                "privileges: there is no privilege '{0}'{1}",
                unknown,
                suggested or ".",
            )
        )
    return found


def require_name(inventory: Replica, role: Role | None, name: str) -> None:
    """Refuse a name for ``role`` (``None``: for a new one).

    :raises AlreadyExists: another role has it.
    :raises InvalidArgument: it is blank, or too long, or has what cannot be printed.
    """
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise InvalidArgument(
            message(
                "resphere.authorization.invalid_name",
                "name: must be printable, not blank, and have at most {0} characters.",
                LONGEST_NAME,
            )
        )
    other = role_named(inventory, name)
    if other is not None and (role is None or other.id != role.id):
        raise AlreadyExists(
            message("resphere.authorization.name_taken", "There is a role of the name '{0}' already.", other.name)
        )
