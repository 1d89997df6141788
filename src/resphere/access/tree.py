"""What a principal sees and may do, by permissions along the inventory tree.

The rules are those of "Hierarchical Inheritance of Permissions" and "Multiple Permission Settings" in vCenter's
documentation (vSphere Security, the same from 5.0 to 8.0), and of ``AuthorizationManager`` in the vSphere Web Services
SDK:

- A permission gives a user or a group a role on an object, and on all below it where it propagates. The nearest
  object with a permission for the principal decides: permissions on a child override those from above.
- On one object, a permission for the user overrides those for the user's groups; of several groups' roles, the
  privileges are united.
- Most objects inherit from one parent. A VM inherits from its folder and from its resource pool, cluster or standalone
  host at once: who has a role by either path has it. A host in a cluster passes nothing on to its VMs, which stand in
  the cluster's pools.
- A datacenter and its four folders are one for permissions, and so are a cluster, or a standalone host, and its root
  resource pool: what is had on the one is had on the others, be it propagated or not.
- Some privileges must be had on the object and on what that stands in ("Defined Privileges"): to delete it, or to
  change the permissions on it.
- Global permissions stand above the root folder. What stands nowhere in the tree (tags, storage policies) hangs below
  the root folder, and where nothing was granted on that, below those, be they propagated or not.
- Whoever may view an object has ``System.View`` on all that it stands in, whatever permissions are there: of those the
  names can be read, which lead to the object, and nothing that needs ``System.Read``. ``System.Anonymous`` is
  everybody's. (vSphere Web Services SDK: "System.View", and the privileges of the properties of ``ManagedEntity``.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import msgspec

from resphere.access.defaults import ANONYMOUS, VIEW
from resphere.access.grants import GRANTS, NOTHING, Granted, Grants, Had, grants_among, had
from resphere.access.permissions import GLOBAL, permissions_on
from resphere.access.principal import Principal
from resphere.access.privileges import ON_PARENT
from resphere.access.roles import ADMIN, Role
from resphere.access.view import View
from resphere.inventory.model import (
    KINDS,
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Folder,
    Host,
    ManagedObject,
    ResourcePool,
    VirtualMachine,
)
from resphere.inventory.relations import first_with, parent_of
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup, Stored

KEPT_VIEWS = 1024
"""More principals are not expected to call one worker between two changes of permissions."""

SEARCHED = tuple(sorted(KINDS.values(), key=lambda cls: cls is not VirtualMachine))
"""The kinds in which an object is looked for by its id alone; most are VMs."""


class TreeViews:
    """The views of principals by the permissions in an inventory. They are kept until a permission or role changes."""

    def __init__(self, inventory: Replica) -> None:
        self._inventory = inventory
        self._revision = -1
        self._views: dict[tuple[str, frozenset[str]], TreeView] = {}

    def of(self, principal: Principal) -> View:
        """The view by those permissions that are the principal's or one of its groups'."""
        grants = self._inventory.derived(GRANTS)
        if self._revision != grants.revision or len(self._views) > KEPT_VIEWS:
            self._views.clear()
            self._revision = grants.revision
        key = principal.name, principal.groups
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = TreeView(self._inventory, grants, grants.of(principal))
        return view


class TreeView:
    """What one principal sees, by what it was granted on some objects."""

    def __init__(self, inventory: Replica, grants: Grants, granted: Mapping[str, Granted]) -> None:
        self._inventory = inventory
        self._grants = grants
        self._granted = granted
        self._inherited: dict[str, Had] = {}
        """What is had below an object, for some of those that others stand in."""
        self._led_through: set[str] | None = None
        self._anywhere: dict[str, bool] = {}
        self._moves = grants.moves
        self._key: str | None = None
        self._sees_all = not (granted.keys() - {ROOT_FOLDER, GLOBAL}) and all(
            each.reads for each in (self._outside(), self.at_root, self._below_root())
        )
        # What is had on all there is but the root folder.
        self._had_everywhere = self._below_root() if self._sees_all else NOTHING
        self._views_any = any(each.holds(VIEW) for each in self._all_had())

    @property
    def key(self) -> str:
        """What was granted where, privilege by privilege, as a digest."""
        if self._key is None:
            said = [
                (object, [None if part is None else [role.privileges for role in part.roles] for part in parts])
                for object, granted in sorted(self._granted.items())
                for parts in [(granted.there, granted.below)]
            ]
            self._key = f"tree-{hashlib.sha256(msgspec.json.encode(said, order='deterministic')).hexdigest()}"
        return self._key

    @property
    def sees_all(self) -> bool:
        """Where nothing below the root folder was granted that would override."""
        return self._sees_all

    @property
    def administers(self) -> bool:
        """Whether the role Admin is had on the root folder and below it."""
        return ADMIN in self.at_root.roles and ADMIN in self._below_root().roles

    def holds(self, privilege: str, target: str | None) -> bool:
        """By the nearest permission. What is not there is as any other object to whoever sees all there is, so that the
        operation itself tells of it; nobody else has a privilege on it."""
        if privilege == ANONYMOUS:
            return target is None or self._sees_all or object_of(self._inventory, target) is not None
        if target is None:
            return self._outside().holds(privilege) or (privilege == VIEW and ROOT_FOLDER in self._ways())
        if target != ROOT_FOLDER and privilege not in ON_PARENT and self._had_everywhere.holds(privilege):
            return True
        obj = object_of(self._inventory, target)
        if obj is None:
            return self._sees_all and self._below_root().holds(privilege)
        if privilege == VIEW:
            return self._had_on(obj).holds(VIEW) or target in self._ways()
        return self._had_on(obj).holds(privilege) and (
            privilege not in ON_PARENT or self._holds_on_parent(privilege, obj)
        )

    def holds_anywhere(self, privilege: str) -> bool:
        found = self._anywhere.get(privilege)
        if found is None:
            found = self._anywhere[privilege] = privilege == ANONYMOUS or any(
                each.holds(privilege) for each in self._all_had()
            )
        return found

    def sees(self, obj: Stored) -> bool:
        if type(obj) is VirtualMachine:
            granted = self._granted.get(obj.id)
            if granted is not None and granted.there is not None:
                return granted.there.reads
            return self._below(obj.parent or "").reads or self._below(obj.resource_pool).reads
        if isinstance(obj, ManagedObject):
            return self._had_on(obj).reads
        owners = self._inventory.owners_of(obj)
        return self._outside().reads if owners is None else any(map(self.sees, owners))

    def lacks(self, target: str) -> bool:
        """Never said to those who may view nothing: to them all ids are alike. Nor to those who see all: what they lack
        there they lack everywhere."""
        return self._views_any and not self._sees_all and object_of(self._inventory, target) is None

    def _all_had(self) -> Iterator[Had]:
        for granted in self._granted.values():
            yield granted.there or NOTHING
            yield granted.below or NOTHING

    def _outside(self) -> Had:
        """What is had on what stands nowhere in the tree."""
        return self._there(ROOT_FOLDER) or self._there(GLOBAL) or NOTHING

    @property
    def at_root(self) -> Had:
        """What is had on the root folder itself."""
        return self._there(ROOT_FOLDER) or self._from_global()

    def _below_root(self) -> Had:
        granted = self._granted.get(ROOT_FOLDER)
        return (granted.below if granted is not None else None) or self._from_global()

    def _from_global(self) -> Had:
        granted = self._granted.get(GLOBAL)
        return (granted.below if granted is not None else None) or NOTHING

    def _there(self, id: str) -> Had | None:
        granted = self._granted.get(id)
        return granted.there if granted is not None else None

    def _holds_on_parent(self, privilege: str, obj: ManagedObject) -> bool:
        parent = parent_of(self._inventory, obj)
        return parent is None or self._had_on(parent).holds(privilege)

    def _had_on(self, obj: ManagedObject) -> Had:
        there = self._there(obj.id)
        if there is not None:
            return there
        whole = whole_of(self._inventory, obj)
        return self._from_above(obj) if whole is None else self._had_on(whole)

    def _from_above(self, obj: ManagedObject) -> Had:
        if obj.id == ROOT_FOLDER:
            return self._from_global()
        above = self._below(obj.parent) if obj.parent is not None else NOTHING
        if isinstance(obj, VirtualMachine):
            pool = self._below(obj.resource_pool)
            return had((*above.roles, *pool.roles))
        return above

    def _below(self, id: str) -> Had:
        """What is had on the children of an object that were granted nothing themselves."""
        if self._moves != self._grants.moves:
            self._forget_what_moved()
        found = self._inherited.get(id)
        if found is not None:
            return found
        granted = self._granted.get(id)
        if granted is not None and granted.below is not None:
            found = granted.below
        else:
            obj = object_of(self._inventory, id)
            if obj is None:
                return NOTHING
            found = self._from_above(obj)
        self._inherited[id] = found
        return found

    def _ways(self) -> set[str]:
        """The ids of all that stands above the objects on which something was granted that lets them be viewed."""
        if self._moves != self._grants.moves:
            self._forget_what_moved()
        if self._led_through is None:
            self._led_through = set()
            for id, granted in self._granted.items():
                obj = object_of(self._inventory, id)
                if obj is not None and any(each.holds(VIEW) for each in (granted.there, granted.below) if each):
                    self._note_above(obj, self._led_through)
        return self._led_through

    def _note_above(self, obj: ManagedObject, noted: set[str]) -> None:
        for above in self._parents(obj):
            if above.id not in noted:
                noted.add(above.id)
                self._note_above(above, noted)

    def _forget_what_moved(self) -> None:
        self._moves = self._grants.moves
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


AT_THE_ROOT = (ROOT_FOLDER, GLOBAL)
"""Where permissions stand that decide on the root folder."""


def roles_at_root(inventory: Replica, principal: Principal) -> tuple[Role, ...]:
    """The roles that a principal has on the root folder. Asks nothing of the inventory but permissions and roles."""
    permissions = [each for place in AT_THE_ROOT for each in permissions_on(inventory, place)]
    grants = grants_among(permissions, inventory.all(Role).values())
    return TreeView(inventory, grants, grants.of(principal)).at_root.roles


def object_of(inventory: Lookup, id: str) -> ManagedObject | None:
    """The managed object of that id, of whatever kind."""
    return first_with(inventory, SEARCHED, id)


def whole_of(inventory: Lookup, obj: ManagedObject) -> ManagedObject | None:
    """The object that ``obj`` is one with for permissions, which are set there: the datacenter of one of its four
    folders, the cluster or the standalone host of a root resource pool."""
    if obj.parent is None:
        return None
    if isinstance(obj, Folder):
        return inventory.get(Datacenter, obj.parent)
    if isinstance(obj, ResourcePool):
        return inventory.get(Cluster, obj.parent) or inventory.get(Host, obj.parent)
    return None
