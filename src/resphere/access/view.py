"""What a caller may see and do.

A :class:`View` answers for one caller. Whoever needs one asks :class:`Views` for it, which goes by permissions along
the inventory tree (:class:`~resphere.access.tree.TreeViews`). Everything above asks only the questions of
:class:`View`.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from resphere.access.defaults import READ
from resphere.access.principal import Principal
from resphere.access.roles import NO_ACCESS, Role
from resphere.replica.table import Stored


class View(Protocol):
    """One caller's eyes on the inventory, for the time of one call.

    ``view.holds("VirtualMachine.Interact.PowerOn", "vm-1049")`` decides one operation, ``view.sees(vm)`` one line of a
    list. To see is to have ``System.Read``, which every role but NoAccess has.
    """

    @property
    def key(self) -> str:
        """Two callers with equal keys see and may do the same: kept replies are kept by it."""

    @property
    def sees_all(self) -> bool:
        """Whether there is nothing that the caller does not see: lists then need not ask for each object."""

    def holds(self, privilege: str, target: str | None) -> bool:
        """Whether the caller has ``privilege`` on the managed object ``target`` (``None``: on the root folder)."""

    def holds_anywhere(self, privilege: str) -> bool:
        """Whether there may be an object that the caller has ``privilege`` on."""

    def sees(self, obj: Stored) -> bool:
        """Whether the caller may read the object, which may be any document of the inventory.

        What belongs to others (a snapshot, a data set) is seen by who sees those; what stands nowhere in the tree (a
        tag, a storage policy) is seen by who may read the root folder.
        """

    def lacks(self, target: str) -> bool:
        """Whether the inventory has no object ``target`` at all, which is then no secret."""


class Views(Protocol):
    """Where views come from: one for all calls of a worker."""

    def of(self, principal: Principal) -> View:
        """What ``principal`` sees, as permissions are now."""


class RootView(msgspec.Struct, frozen=True):
    """The view of somebody who has one role on everything."""

    role: Role

    @property
    def key(self) -> str:
        return self.role.name

    @property
    def sees_all(self) -> bool:
        return self.role.holds(READ)

    def holds(self, privilege: str, target: str | None) -> bool:
        """The role holds for every target, as it propagates from the root."""
        return self.role.holds(privilege)

    def holds_anywhere(self, privilege: str) -> bool:
        return self.role.holds(privilege)

    def sees(self, obj: Stored) -> bool:
        return self.role.holds(READ)

    def lacks(self, target: str) -> bool:
        """Never said: whoever lacks a privilege lacks it everywhere, whatever there is."""
        return False


NOBODY = RootView(NO_ACCESS)
"""The view of callers of public operations, who have not said who they are."""
