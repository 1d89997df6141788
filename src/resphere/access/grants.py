"""Whose permissions there are, kept by holder, so that what one principal was granted is found without a search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from resphere.access.permissions import GRANTABLE, Permission
from resphere.access.principal import Principal, canonical_name
from resphere.access.roles import SYSTEM_ROLES, Role
from resphere.inventory.model import ManagedObject, VirtualMachine
from resphere.replica.derived import Derived

READ = "System.Read"


class Had(msgspec.Struct, frozen=True, gc=False):
    """The roles that a principal has somewhere: all privileges of any of them. ``reads``: ``System.Read`` is one."""

    roles: tuple[Role, ...]
    reads: bool

    def holds(self, privilege: str) -> bool:
        """Whether one of the roles has the privilege."""
        for role in self.roles:  # noqa: SIM110 - `any` takes three times as long
            if role.privileges is None or privilege in role.privileges:
                return True
        return False


def had(roles: Iterable[Role]) -> Had:
    """What comes of several roles."""
    roles = tuple(roles)
    return Had(roles, any(role.holds(READ) for role in roles))


NOTHING = had(())


class Granted(msgspec.Struct, frozen=True, gc=False):
    """What one principal was given on one object: there, and for what is below it; unset where nothing was."""

    there: Had | None
    below: Had | None


class Grants:
    """All permissions by who holds them, and all roles. ``revision`` rises with every change of either; ``moves`` with
    every change of where objects stand."""

    def __init__(self) -> None:
        self.revision = 0
        self.moves = 0
        self._roles: dict[str, Role] = dict(SYSTEM_ROLES)
        self._held: defaultdict[tuple[bool, str], dict[str, Permission]] = defaultdict(dict)

    def of(self, principal: Principal) -> Mapping[str, Granted]:
        """What the principal was granted, by the id of the object: by permissions of its own and of its groups."""
        mine: defaultdict[str, list[Permission]] = defaultdict(list)
        holders = [(False, canonical_name(principal.name)), *((True, canonical_name(g)) for g in principal.groups)]
        for holder in holders:
            for permission in self._held.get(holder, {}).values():
                mine[permission.object].append(permission)
        return {object: self._granted(found) for object, found in mine.items()}

    def permission_changed(self, old: Permission | None, new: Permission | None) -> None:
        """Hear of a permission."""
        self.revision += 1
        if old is not None:
            del self._held[old.holder][old.object]
            if not self._held[old.holder]:
                del self._held[old.holder]
        if new is not None:
            self._held[new.holder][new.object] = new

    def role_changed(self, old: Role | None, new: Role | None) -> None:
        """Hear of a role that users defined."""
        self.revision += 1
        if old is not None:
            del self._roles[old.id]
        if new is not None:
            self._roles[new.id] = new

    def object_changed(self, old: ManagedObject | None, new: ManagedObject | None) -> None:
        """Hear of what others may stand in."""
        if old is None or new is None or old.parent != new.parent:
            self.moves += 1

    def machine_changed(self, old: VirtualMachine | None, new: VirtualMachine | None) -> None:
        """Hear of a machine, in which nothing stands that anybody could be given."""
        if old is None or new is None:
            return
        if old.parent != new.parent or old.resource_pool != new.resource_pool:
            self.moves += 1

    def _granted(self, permissions: Iterable[Permission]) -> Granted:
        """What all of one principal's permissions on one object come to."""
        permissions = tuple(permissions)
        return Granted(self._deciding(permissions), self._deciding([each for each in permissions if each.propagate]))

    def _deciding(self, permissions: Iterable[Permission]) -> Had | None:
        """The user's own role, or else those of all groups."""
        by_group: dict[bool, set[str]] = {False: set(), True: set()}
        for permission in permissions:
            by_group[permission.group].add(permission.role)
        ids = by_group[False] or by_group[True]
        return had([self._roles[id] for id in sorted(ids) if id in self._roles]) if ids else None


def grants_among(permissions: Iterable[Permission], roles: Iterable[Role]) -> Grants:
    """What comes of some permissions, for a question that is asked once."""
    grants = Grants()
    for role in roles:
        grants.role_changed(None, role)
    for permission in permissions:
        grants.permission_changed(None, permission)
    return grants


GRANTS = Derived(
    Grants,
    {
        Role: Grants.role_changed,
        Permission: Grants.permission_changed,
        VirtualMachine: Grants.machine_changed,
        **{cls: Grants.object_changed for cls in GRANTABLE if cls is not VirtualMachine},
    },
)
