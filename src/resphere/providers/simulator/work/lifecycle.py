"""The coming and going of simulated virtual machines."""

from __future__ import annotations

from resphere.inventory.edit import Edit
from resphere.inventory.files import settle
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.inventory.replica import Replica
from resphere.providers.base import Job
from resphere.providers.simulator.durations import Durations


class Lifecycle:
    """Objects of the inventory come and go."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def delete_vm(self, job: Job[VirtualMachine]) -> None:
        """Delete the VM and its snapshots in one transaction."""
        await job.spend(self._durations.delete_vm)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            # Whoever takes a snapshot meanwhile writes the VM too: none is left behind.
            for snapshot in self._inventory.by(Snapshot, "parent", vm.id):
                edit.delete(Snapshot, snapshot)
            edit.delete(VirtualMachine, vm.id)
            settle(self._inventory, edit, vm, None)

        await job.complete(plan)
