"""What a virtual machine has beside itself: its guest, its data sets, a customization that waits.

Whoever copies or registers a machine calls one of these in the same edit. What a deleted machine had goes with it by
itself (:attr:`~resphere.replica.table.Table.belongs_to`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.inventory.customization import GuestCustomization
from resphere.inventory.data_sets import DataSet
from resphere.inventory.guest import GuestContent, GuestSystem, copy_guest, move_guest
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.data_sets import copy_data_sets, move_data_sets

STAY_WITH_FILES = (DataSet, GuestContent, GuestCustomization, GuestSystem)
"""What lies in the files of a VM, so that it comes back with them."""


def copy_belongings(inventory: Replica, edit: Edit, source: str, machine: str) -> None:
    """Give the clone ``machine`` the files of the guest of ``source`` (a VM, or a snapshot of one), and its data sets
    but for those that clones do not have. To have it customized too, put ``customization.pending`` into the edit."""
    copy_guest(inventory, edit, source, machine)
    copy_data_sets(inventory, edit, source, machine, machine)


def move_belongings(inventory: Replica, edit: Edit, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine`` what ``old`` had, which is no more; ``snapshots``: old ids -> new ones."""
    move_guest(inventory, edit, old, machine, snapshots)
    move_data_sets(inventory, edit, old, machine, snapshots)
    customization = edit.get(GuestCustomization, old)
    if customization is not None:
        edit.delete(GuestCustomization, old)
        edit.put(msgspec.structs.replace(customization, id=machine))
