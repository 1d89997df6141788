"""The roles that every vCenter has: Admin, ReadOnly and NoAccess."""

from __future__ import annotations

import msgspec

OF_EVERY_ROLE = frozenset({"System.Anonymous", "System.View", "System.Read"})
"""What is in every role that has any privilege: vCenter adds it to those that users define, too (vSphere Web Services
SDK, ``AuthorizationManager``)."""


class Role(msgspec.Struct, frozen=True):
    """A named set of privileges; ``privileges`` is ``None`` where the role has all there are."""

    name: str
    privileges: frozenset[str] | None

    def holds(self, privilege: str) -> bool:
        """Whether ``privilege`` (verbatim, ``VirtualMachine.Interact.PowerOn``) belongs to the role."""
        if self.privileges is None or privilege in self.privileges:
            return True
        return bool(self.privileges) and privilege in OF_EVERY_ROLE


ADMIN = Role("Admin", None)
READ_ONLY = Role("ReadOnly", OF_EVERY_ROLE)
NO_ACCESS = Role("NoAccess", frozenset())

ROLES: dict[str, Role] = {role.name: role for role in (ADMIN, READ_ONLY, NO_ACCESS)}
