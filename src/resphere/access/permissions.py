"""Permissions as documents: who has which role where."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.access.principal import ADMINISTRATORS, canonical_name
from resphere.access.roles import ADMIN, Role
from resphere.inventory.model import ROOT_FOLDER
from resphere.inventory.paths import IN_PATHS
from resphere.replica.table import Lookup, OnDelete, Reading, Reference, Table, own_id

GRANTABLE = IN_PATHS
"""On objects of which kinds there can be permissions."""

GLOBAL = ""
"""Where global permissions stand: above the root folder, and all that stands in no folder."""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """``principal``, a user or a ``group``, has the role with the id ``role`` on the object with the id ``object``, and
    on what is below it where it propagates; on :data:`GLOBAL`, everywhere.

    There is one for a principal on an object.
    """

    kind: ClassVar[str] = "permission"

    principal: str
    group: bool = False
    object: str
    role: str
    propagate: bool = True

    @property
    def id(self) -> str:
        """What makes it the only one: the object, and the principal in lower case."""
        return permission_id(self.object, self.principal, group=self.group)

    @property
    def holder(self) -> tuple[bool, str]:
        """Whether it is a group's, and the canonical name."""
        return self.group, canonical_name(self.principal)


def permission_id(object: str, principal: str, *, group: bool) -> str:
    """The id of the permission that a principal has on an object, if it has one there."""
    return f"{object or 'global'}:{'group' if group else 'user'}:{canonical_name(principal)}"


def _object(permission: Permission) -> tuple[str, ...]:
    return (permission.object,) if permission.object else ()


def _users_role(among: Lookup, _: object, id: str) -> Role | None:
    """The role of that id, unless every vCenter has it: those are no documents."""
    return among.get(Role, id)


PERMISSIONS: Table[Permission] = Table(
    cls=Permission,
    refers_to=(
        Reference(index="object", fields=("object",), to=GRANTABLE, on_delete=OnDelete.CASCADE),
        Reference(index="role", fields=("role",), to=(Role,), resolve=_users_role, names=own_id),
    ),
    indexes={
        "object": _object,
        "place": lambda permission: (permission.object,),
        "role": lambda permission: (permission.role,),
        "principal": lambda permission: (canonical_name(permission.principal),),
    },
)

FIRST_PERMISSION = Permission(principal=ADMINISTRATORS, group=True, object=GLOBAL, role=ADMIN.id)
"""That of a vCenter that nobody has changed."""


def permissions_on(among: Reading, object: str) -> list[Permission]:
    """The permissions that were set on an object, or on :data:`GLOBAL`."""
    return list(among.by(Permission, "place", object).values())


def on_root(principal: str, role: Role) -> Permission:
    """``role`` for a user on the root folder and all below it."""
    return Permission(principal=principal, object=ROOT_FOLDER, role=role.id)
