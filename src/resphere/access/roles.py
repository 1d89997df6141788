"""The roles that every vCenter has: Admin, ReadOnly and NoAccess."""

from __future__ import annotations

import msgspec


class Role(msgspec.Struct, frozen=True):
    """A named set of privileges; ``privileges`` is ``None`` where the role has all there are."""

    name: str
    privileges: frozenset[str] | None

    def holds(self, privilege: str) -> bool:
        """Whether ``privilege`` (verbatim, ``VirtualMachine.Interact.PowerOn``) belongs to the role."""
        return self.privileges is None or privilege in self.privileges


ADMIN = Role("Admin", None)
READ_ONLY = Role("ReadOnly", frozenset({"System.Anonymous", "System.Read", "System.View"}))
NO_ACCESS = Role("NoAccess", frozenset())

ROLES: dict[str, Role] = {role.name: role for role in (ADMIN, READ_ONLY, NO_ACCESS)}
