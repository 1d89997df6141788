"""Permissions along the inventory tree, and what a principal sees by them.

The rules are those of "Hierarchical Inheritance of Permissions" and "Multiple Permission Settings" in vCenter's
documentation (vSphere Security, the same from 5.0 to 8.0):

- A permission gives a user or a group a role on an object, and on all below it where it propagates. The nearest
  object with a permission for the principal decides: permissions on a child override those from above.
- On one object, a permission for the user overrides those for the user's groups; of several groups' roles, the
  privileges are united.
- Most objects inherit from one parent. A VM inherits from its folder and from its resource pool, cluster or standalone
  host at once: who has a role by either path has it. A host in a cluster passes nothing on to its VMs, which stand in
  the cluster's pools.
- What stands nowhere in the tree (tags, storage policies) hangs below the root folder.
- Whoever may view an object has ``System.View`` on all that it stands in, whatever permissions are there: of those the
  names can be read, which lead to the object, and nothing that needs ``System.Read``. ``System.Anonymous`` is
  everybody's. (vSphere Web Services SDK: "System.View", and the privileges of the properties of ``ManagedEntity``.)
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from resphere.access.defaults import ANONYMOUS, READ, VIEW
from resphere.access.principal import Principal
from resphere.access.roles import Role
from resphere.access.view import View
from resphere.inventory.model import KINDS, ROOT_FOLDER, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.relations import parent_of
from resphere.replica.replica import Replica
from resphere.replica.table import Stored

Roles = tuple[Role, ...]
"""What a principal has on an object: all privileges of any of them."""


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """``role`` for ``principal``, a user or a group, on the object with the id ``object``."""

    principal: str
    group: bool = False
    object: str
    role: Role
    propagate: bool = True


class Granted(msgspec.Struct, frozen=True):
    """What one principal was given on one object: there, and for what is below it; unset where nothing was."""

    there: Roles | None
    below: Roles | None


class TreeViews:
    """The views of principals by permissions; a principal's own role does not count."""

    def __init__(self, inventory: Replica, permissions: Iterable[Permission]) -> None:
        self._inventory = inventory
        self._permissions = tuple(permissions)

    def of(self, principal: Principal) -> View:
        """The view by those permissions that are the principal's or one of its groups'."""
        name, groups = principal.name.casefold(), {group.casefold() for group in principal.groups}
        mine: defaultdict[str, list[Permission]] = defaultdict(list)
        for permission in self._permissions:
            holder = permission.principal.casefold()
            if holder in groups if permission.group else holder == name:
                mine[permission.object].append(permission)
        return TreeView(self._inventory, {object: granted(found) for object, found in mine.items()})


def granted(permissions: Iterable[Permission]) -> Granted:
    """What all of one principal's permissions on one object come to."""
    permissions = tuple(permissions)
    return Granted(deciding(permissions), deciding([each for each in permissions if each.propagate]))


def deciding(permissions: Iterable[Permission]) -> Roles | None:
    """The user's own role, or else those of all groups."""
    by_group: dict[bool, list[Role]] = {False: [], True: []}
    for permission in permissions:
        by_group[permission.group].append(permission.role)
    roles = by_group[False] or by_group[True]
    return tuple(sorted(roles, key=lambda role: role.name)) if roles else None


class TreeView:
    """What one principal sees, by what it was granted on some objects."""

    def __init__(self, inventory: Replica, grants: Mapping[str, Granted]) -> None:
        self._inventory = inventory
        self._grants = grants
        self._inherited: dict[str, Roles] = {}
        self._led_through: set[str] | None = None
        self._revision = inventory.revision

    @property
    def key(self) -> str:
        """What was granted where, privilege by privilege, as a digest."""
        said = msgspec.json.encode(sorted(self._grants.items()), order="deterministic")
        return f"tree-{hashlib.sha256(said).hexdigest()}"

    @property
    def sees_all(self) -> bool:
        """Where nothing below the root folder was granted that would override."""
        return self._grants.keys() == {ROOT_FOLDER} and any(
            role.holds(READ) for role in self._grants[ROOT_FOLDER].below or ()
        )

    def holds(self, privilege: str, target: str | None) -> bool:
        """By the nearest permission; nobody has a privilege on what is not there."""
        obj = object_of(self._inventory, target or ROOT_FOLDER)
        if obj is None:
            return False
        if privilege == ANONYMOUS or (privilege == VIEW and obj.id in self._ways()):
            return True
        return any(role.holds(privilege) for role in self._roles_on(obj))

    def holds_anywhere(self, privilege: str) -> bool:
        return privilege == ANONYMOUS or any(
            role.holds(privilege)
            for grant in self._grants.values()
            for role in (*(grant.there or ()), *(grant.below or ()))
        )

    def sees(self, obj: Stored) -> bool:
        if isinstance(obj, ManagedObject):
            return any(role.holds(READ) for role in self._roles_on(obj))
        owners = self._inventory.owners_of(obj)
        return self.holds(READ, None) if owners is None else any(map(self.sees, owners))

    def lacks(self, target: str) -> bool:
        return object_of(self._inventory, target) is None

    def _roles_on(self, obj: ManagedObject) -> Roles:
        grant = self._grants.get(obj.id)
        if grant is not None and grant.there is not None:
            return grant.there
        return self._from_above(obj)

    def _from_above(self, obj: ManagedObject) -> Roles:
        return tuple([role for above in self._parents(obj) for role in self._below(above)])

    def _below(self, obj: ManagedObject) -> Roles:
        """What is had on the children of ``obj`` that were granted nothing themselves."""
        self._forget_what_changed()
        roles = self._inherited.get(obj.id)
        if roles is None:
            grant = self._grants.get(obj.id)
            roles = grant.below if grant is not None and grant.below is not None else self._from_above(obj)
            self._inherited[obj.id] = roles
        return roles

    def _ways(self) -> set[str]:
        """The ids of all that stands above the objects on which something was granted that lets them be viewed."""
        self._forget_what_changed()
        if self._led_through is None:
            self._led_through = set()
            for id, grant in self._grants.items():
                obj = object_of(self._inventory, id)
                roles = (*(grant.there or ()), *(grant.below or ()))
                if obj is not None and any(role.holds(VIEW) for role in roles):
                    self._note_above(obj, self._led_through)
        return self._led_through

    def _note_above(self, obj: ManagedObject, noted: set[str]) -> None:
        for above in self._parents(obj):
            if above.id not in noted:
                noted.add(above.id)
                self._note_above(above, noted)

    def _forget_what_changed(self) -> None:
        if self._revision != self._inventory.revision:
            self._revision = self._inventory.revision
            self._inherited.clear()
            self._led_through = None

    def _parents(self, obj: ManagedObject) -> Iterator[ManagedObject]:
        parent = parent_of(self._inventory, obj)
        if parent is not None:
            yield parent
        if isinstance(obj, VirtualMachine):
            pool = self._inventory.get(ResourcePool, obj.resource_pool)
            if pool is not None:
                yield pool


def object_of(inventory: Replica, id: str) -> ManagedObject | None:
    """The managed object of that id, of whatever kind."""
    for cls in KINDS.values():
        found = inventory.get(cls, id)
        if found is not None:
            return found
    return None
