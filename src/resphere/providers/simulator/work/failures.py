"""Simulated hosts that die, and come back."""

from __future__ import annotations

from resphere.contract.generated import vcenter_vm
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import Host
from resphere.inventory.relations import vms_of_host
from resphere.providers.base import Work
from resphere.providers.simulator.work.power import Power
from resphere.replica.replica import Replica

ON = vcenter_vm.Power.State.POWERED_ON


class Failures:
    """A host that dies takes the guests that run on it with it."""

    def __init__(self, inventory: Replica, power: Power) -> None:
        self._inventory = inventory
        self._power = power

    async def fail(self, work: Work, host: Host) -> Facts:
        """The plug is pulled on all of them."""
        return self._power.lost(vm for vm in vms_of_host(self._inventory, host.id) if vm.power_state is ON)

    async def recover(self, work: Work, host: Host) -> Facts:
        """It is there again."""
        return NOTHING
