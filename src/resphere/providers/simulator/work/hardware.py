"""The hardware of simulated virtual machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from resphere.contract.generated.vcenter_vm import Power, Tools
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Job
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.tools import reporting
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.files import settle, still_unmerged
from resphere.rules.hardware.pci_slots import with_pci_slots
from resphere.rules.storage_policies import with_known_policies
from resphere.rules.users import use_connections

State = Power.State
R = TypeVar("R")


class Hardware:
    """What a change makes of a VM is what it then has."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def reconfigure(
        self, job: Job[VirtualMachine], change: Callable[[VirtualMachine], tuple[VirtualMachine, R]]
    ) -> R:
        """Give the VM its new hardware."""
        await job.spend(self._durations.reconfigure)

        def plan(edit: Edit, vm: VirtualMachine) -> R:
            changed, outcome = change(vm)
            changed = still_unmerged(vm, with_known_policies(edit, vm, changed))
            if changed.power_state is State.POWERED_ON:
                changed = with_pci_slots(changed)
            if changed.tools.run_state is Tools.RunState.RUNNING and len(changed.nics) > len(vm.nics):
                changed = reporting(changed)
            edit.put(changed)
            settle(self._inventory, edit, vm, changed)
            use_connections(self._inventory, edit, vm, changed)
            return outcome

        return await job.complete(plan)
