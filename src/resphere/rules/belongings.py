"""What a virtual machine has beside itself: its guest, its data sets, a customization that waits, its vApp
configuration.

Whoever registers a machine moves it in the same edit. What a deleted machine had goes with it by itself
(:attr:`~resphere.replica.table.Table.refers_to`).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.inventory.customization import GuestCustomization
from resphere.inventory.data_sets import DataSet
from resphere.inventory.guest import GuestContent, GuestSystem
from resphere.inventory.vapp import VappConfiguration
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.data_sets import move_data_sets
from resphere.rules.vapp import move_configurations

STAY_WITH_FILES = (DataSet, GuestContent, GuestCustomization, GuestSystem, VappConfiguration)
"""What lies in the files of a VM, so that it comes back with them."""


def move_belongings(inventory: Replica, edit: Edit, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine`` the data sets, the customization and the vApp configurations that ``old`` had, which is
    no more; ``snapshots``: old ids -> new ones. What a provider keeps of its guest is the provider's to move."""
    move_data_sets(inventory, edit, old, machine, snapshots)
    move_configurations(inventory, edit, old, machine, snapshots)
    customization = edit.get(GuestCustomization, old)
    if customization is not None:
        edit.delete(GuestCustomization, old)
        edit.put(msgspec.structs.replace(customization, id=machine))
