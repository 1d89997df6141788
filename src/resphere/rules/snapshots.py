"""The tree of snapshots of a virtual machine, and how large it may be."""

from __future__ import annotations

from resphere.contract.generated import vcenter_vm
from resphere.inventory.model import Snapshot
from resphere.replica.replica import Replica

ON = vcenter_vm.Power.State.POWERED_ON


OFF = vcenter_vm.Power.State.POWERED_OFF


LONGEST_NAME = 80


DEEPEST_TREE = 32
"""Levels of snapshots; vSphere supports 32 in a chain."""


def snapshots_of(inventory: Replica, vm: str) -> list[Snapshot]:
    """The VM's snapshots, oldest first."""
    return sorted(inventory.by(Snapshot, "parent", vm).values(), key=lambda s: (s.created_time, len(s.id), s.id))


def descendants(inventory: Replica, vm: str, snapshot: str) -> tuple[str, ...]:
    """``snapshot`` and everything that descends from it."""
    found, rest = [snapshot], snapshots_of(inventory, vm)
    for one in found:
        found.extend(s.id for s in rest if s.parent_snapshot == one)
    return tuple(found)


def depth(inventory: Replica, snapshot: str | None) -> int:
    """How many snapshots lie between the VM and the root of its tree."""
    levels = 0
    while snapshot is not None and (found := inventory.get(Snapshot, snapshot)) is not None:
        levels += 1
        snapshot = found.parent_snapshot
    return levels


def power_state(snapshot: Snapshot) -> vcenter_vm.Power.State:
    """The power state that a revert brings: a running state only where memory was kept."""
    state = snapshot.state.power_state
    return OFF if state is ON and not snapshot.memory else state
