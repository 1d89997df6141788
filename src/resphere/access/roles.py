"""Roles: named sets of privileges. Those that vCenter defines itself, and how users' own are stored.

Ids, names and descriptions of system roles, what TrustedAdmin holds, and what NoCryptoAdmin and NoTrustedAdmin leave
out, are those of a vSphere 9 (``AuthorizationManager.roleList``, of which govmomi's simulator keeps a record).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from resphere.access.privileges import PRIVILEGES
from resphere.replica.table import Lookup, Reading, Table

OF_EVERY_ROLE = frozenset({"System.Anonymous", "System.View", "System.Read"})
"""What is in every role that users define: vCenter adds it (vSphere Web Services SDK, ``AuthorizationManager``)."""


class Role(msgspec.Struct, frozen=True):
    """A set of privileges, of any name that no other role has; ``privileges`` is ``None`` where it has all there are.

    ``id`` is a number, as in vCenter: below 0 for those of the system, which nobody changes or removes.
    """

    kind: ClassVar[str] = "role"

    id: str
    name: str
    privileges: frozenset[str] | None
    description: str = ""

    @property
    def system(self) -> bool:
        """Whether it is one that every vCenter has, unchanged."""
        return self.id.startswith("-")

    @property
    def all_privileges(self) -> frozenset[str]:
        """The privileges, all by name."""
        return PRIVILEGES if self.privileges is None else self.privileges

    def holds(self, privilege: str) -> bool:
        """Whether ``privilege`` (verbatim, ``VirtualMachine.Interact.PowerOn``) belongs to the role."""
        return self.privileges is None or privilege in self.privileges


def users_role(id: str, name: str, privileges: Iterable[str], description: str = "") -> Role:
    """A role as users define it: with what is in every such role."""
    return Role(id, name, OF_EVERY_ROLE.union(privileges), description)


def name_claim(name: str) -> str:
    """The claim that keeps a role's name unique, in any case."""
    return f"role-name/{name.casefold()}"


ROLES = Table(
    cls=Role,
    indexes={"name": lambda role: (role.name.casefold(),)},
    claims=lambda role: (name_claim(role.name),),
)

_TRUSTED = frozenset(
    each for each in PRIVILEGES if each.startswith("TrustedAdmin.") or each in ("Host.Tpm.Read", "Host.Tpm.Unseal")
)
_CRYPTOGRAPHIC = frozenset(each for each in PRIVILEGES if each.startswith("Cryptographer.")) | {
    "Global.Diagnostics",
    "Host.Inventory.AddHostToCluster",
    "Host.Inventory.AddStandaloneHost",
    "Host.Local.ManageUserGroups",
    "VirtualMachine.Interact.GuestControl",
}
"""Whatever leads to keys or contents of encrypted VMs."""

ADMIN = Role("-1", "Admin", None, "Full access rights")
READ_ONLY = Role("-2", "ReadOnly", OF_EVERY_ROLE, "See details of objects, but not make changes")
VIEW_ROLE = Role("-3", "View", frozenset({"System.Anonymous", "System.View"}), "Visibility access (cannot be granted)")
ANONYMOUS_ROLE = Role("-4", "Anonymous", frozenset({"System.Anonymous"}), "Not logged-in user (cannot be granted)")
NO_ACCESS = Role("-5", "NoAccess", frozenset(), "Used for restricting granted access")
NO_CRYPTO_ADMIN = Role(
    "-6",
    "NoCryptoAdmin",
    PRIVILEGES - _CRYPTOGRAPHIC - _TRUSTED,
    "Full access without Cryptographic operations and Trusted Infrastructure privileges",
)
TRUSTED_ADMIN = Role("-7", "TrustedAdmin", _TRUSTED | OF_EVERY_ROLE, "Setup and monitoring of Trusted Infrastructure")
NO_TRUSTED_ADMIN = Role(
    "-8", "NoTrustedAdmin", PRIVILEGES - _TRUSTED, "Full access without Trusted Infrastructure privileges"
)

SYSTEM_ROLES: dict[str, Role] = {
    role.id: role
    for role in (
        ADMIN,
        READ_ONLY,
        VIEW_ROLE,
        ANONYMOUS_ROLE,
        NO_ACCESS,
        NO_CRYPTO_ADMIN,
        TRUSTED_ADMIN,
        NO_TRUSTED_ADMIN,
    )
}
"""By id. They are no documents: every vCenter has them."""

NOT_GRANTED = frozenset({VIEW_ROLE.id, ANONYMOUS_ROLE.id})
"""The system roles that no permission can give."""

_SYSTEM_BY_NAME = {role.name.casefold(): role for role in SYSTEM_ROLES.values()}


def role_of(among: Lookup, id: str) -> Role | None:
    """The role of that id."""
    return SYSTEM_ROLES.get(id) or among.get(Role, id)


def role_named(among: Reading, name: str) -> Role | None:
    """The role of that name, in any case."""
    system = _SYSTEM_BY_NAME.get(name.casefold())
    return system or next(iter(among.by(Role, "name", name.casefold()).values()), None)


def all_roles(among: Reading) -> list[Role]:
    """Every role, those of the system first, each part by its number."""
    return [*SYSTEM_ROLES.values(), *sorted(among.all(Role).values(), key=lambda role: (len(role.id), role.id))]
