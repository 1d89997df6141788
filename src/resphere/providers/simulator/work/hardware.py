"""The hardware of simulated virtual machines."""

from __future__ import annotations

from resphere.contract.generated.vcenter_vm import Power, Tools
from resphere.inventory.facts import Facts
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Work
from resphere.providers.simulator.guest.tools import reporting
from resphere.rules.hardware.pci_slots import with_pci_slots


class Hardware:
    """What a change makes of a machine is what it then has."""

    async def reconfigure(self, work: Work, before: VirtualMachine, after: VirtualMachine) -> Facts:
        """New devices of a running machine have slots, and its Tools report new network adapters."""
        if after.power_state is Power.State.POWERED_ON:
            after = with_pci_slots(after)
        if after.tools.run_state is Tools.RunState.RUNNING and len(after.nics) > len(before.nics):
            after = reporting(after)
        return Facts(machine=after)
