"""What a principal sees with a scope: what it sees anyway, and of that no more than the scope has.

A scope's objects are branches of the inventory: an object stands in one if it is that object, or what it stands in
does. A VM stands in its folder, and in its resource pool, cluster or standalone host.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from resphere.access.defaults import ANONYMOUS, READ, VIEW
from resphere.access.principal import Principal, Scope
from resphere.access.roles import OF_EVERY_ROLE
from resphere.access.tree import object_of
from resphere.access.view import View, Views
from resphere.inventory.model import ROOT_FOLDER, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.relations import parent_of
from resphere.replica.replica import Replica
from resphere.replica.table import Stored

KEPT_BRANCHES = 256


class ScopedViews:
    """Views of principals, narrowed where the principal has a scope."""

    def __init__(self, inventory: Replica, views: Views) -> None:
        self._inventory = inventory
        self._views = views
        self._branches: dict[frozenset[str], Branches] = {}

    def of(self, principal: Principal) -> View:
        """What the principal sees within its scope."""
        view = self._views.of(principal)
        if principal.scope is None:
            return view
        return ScopedView(view, principal.scope, self._branches_of(principal.scope), self._inventory)

    def _branches_of(self, scope: Scope) -> Branches | None:
        if scope.objects is None:
            return None
        branches = self._branches.get(scope.objects)
        if branches is None:
            if len(self._branches) >= KEPT_BRANCHES:
                self._branches.clear()
            branches = self._branches[scope.objects] = Branches(self._inventory, scope.objects)
        return branches


class Branches:
    """What stands in some objects of the inventory, as it is now."""

    def __init__(self, inventory: Replica, objects: frozenset[str]) -> None:
        self._inventory = inventory
        self._objects = objects
        self._revision = inventory.revision
        self._below: dict[str, bool] = {}
        self._ways: set[str] | None = None

    def have(self, obj: ManagedObject) -> bool:
        """Whether the object stands in one of them."""
        self._forget_what_changed()
        return self._have(obj)

    def lead_through(self, id: str) -> bool:
        """Whether one of them stands in the object of that id."""
        self._forget_what_changed()
        if self._ways is None:
            self._ways = set(self._above())
        return id in self._ways

    def _have(self, obj: ManagedObject) -> bool:
        if obj.id in self._objects:
            return True
        for above in parents_of(self._inventory, obj):
            found = self._below.get(above.id)
            if found is None:
                found = self._below[above.id] = self._have(above)
            if found:
                return True
        return False

    def _above(self) -> Iterator[str]:
        found = (object_of(self._inventory, id) for id in self._objects)
        waiting = [obj for obj in found if obj is not None]
        while waiting:
            for above in parents_of(self._inventory, waiting.pop()):
                yield above.id
                waiting.append(above)

    def _forget_what_changed(self) -> None:
        if self._revision != self._inventory.revision:
            self._revision = self._inventory.revision
            self._below.clear()
            self._ways = None


class ScopedView:
    """One principal's view within a scope. Whatever needs any privilege comes with the system's own of each role."""

    def __init__(self, view: View, scope: Scope, branches: Branches | None, inventory: Replica) -> None:
        self._view = view
        self._scope = scope
        self._branches = branches
        self._inventory = inventory

    @property
    def key(self) -> str:
        """What the principal sees, and the scope as a digest."""
        parts = (self._scope.privileges, self._scope.objects)
        said = msgspec.json.encode([None if part is None else sorted(part) for part in parts])
        return f"{self._view.key}-within-{hashlib.sha256(said).hexdigest()}"

    @property
    def sees_all(self) -> bool:
        return self._branches is None and self._view.sees_all

    def holds(self, privilege: str, target: str | None) -> bool:
        """Both the principal and the scope have it there."""
        if not self._has(privilege) or not self._view.holds(privilege, target):
            return False
        if self._branches is None or privilege == ANONYMOUS:
            return True
        obj = object_of(self._inventory, target or ROOT_FOLDER)
        if obj is None:
            return False
        return self._branches.have(obj) or (privilege == VIEW and self._branches.lead_through(obj.id))

    def holds_anywhere(self, privilege: str) -> bool:
        return self._has(privilege) and self._view.holds_anywhere(privilege)

    def sees(self, obj: Stored) -> bool:
        if not self._view.sees(obj):
            return False
        if self._branches is None:
            return True
        if isinstance(obj, ManagedObject):
            return self._branches.have(obj)
        owners = self._inventory.owners_of(obj)
        return self.holds(READ, None) if owners is None else any(map(self.sees, owners))

    def lacks(self, target: str) -> bool:
        return self._view.lacks(target)

    def _has(self, privilege: str) -> bool:
        return self._scope.privileges is None or privilege in self._scope.privileges or privilege in OF_EVERY_ROLE


def parents_of(inventory: Replica, obj: ManagedObject) -> Iterable[ManagedObject]:
    """What the object stands in: one, or two of a VM."""
    above = [parent_of(inventory, obj)]
    if isinstance(obj, VirtualMachine):
        above.append(inventory.get(ResourcePool, obj.resource_pool))
    return [each for each in above if each is not None]
