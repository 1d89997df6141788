"""What a virtual machine has beside itself: its guest, its data sets, a customization that waits, console tickets.

Whoever copies, deletes or registers a machine calls one of these in the same edit.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.inventory.console import ConsoleTicket
from resphere.inventory.customization import GuestCustomization, forget_customization
from resphere.inventory.data_sets import copy_data_sets, forget_all_data_sets, move_data_sets
from resphere.inventory.edit import Edit
from resphere.inventory.guest import copy_guest, forget_guest, move_guest
from resphere.inventory.replica import Replica


def copy_belongings(inventory: Replica, edit: Edit, source: str, machine: str) -> None:
    """Give the clone ``machine`` the files of the guest of ``source`` (a VM, or a snapshot of one), and its data sets
    but for those that clones do not have. To have it customized too, put ``customization.pending`` into the edit."""
    copy_guest(inventory, edit, source, machine)
    copy_data_sets(inventory, edit, source, machine, machine)


def forget_belongings(inventory: Replica, edit: Edit, machine: str) -> None:
    """Delete what a VM that is deleted had, and what its snapshots had."""
    forget_guest(inventory, edit, machine)
    forget_customization(edit, machine)
    forget_all_data_sets(inventory, edit, machine)
    for ticket in list(inventory.by(ConsoleTicket, "machine", machine)):
        edit.delete(ConsoleTicket, ticket)


def move_belongings(inventory: Replica, edit: Edit, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine`` what ``old`` had, which is no more; ``snapshots``: old ids -> new ones."""
    move_guest(inventory, edit, old, machine, snapshots)
    move_data_sets(inventory, edit, old, machine, snapshots)
    customization = edit.get(GuestCustomization, old)
    if customization is not None:
        edit.delete(GuestCustomization, old)
        edit.put(msgspec.structs.replace(customization, id=machine))
    for ticket in list(inventory.by(ConsoleTicket, "machine", old)):
        edit.delete(ConsoleTicket, ticket)
