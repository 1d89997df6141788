"""Simulated hosts."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Folder, Host, VirtualMachine
from resphere.providers.base import Job, NewHost
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.new_hosts import model_of, put_host, reach
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.placement.hosts import evacuation
from resphere.rules.users import use

CONNECTED = vcenter.Host.ConnectionState.CONNECTED
DISCONNECTED = vcenter.Host.ConnectionState.DISCONNECTED


class Hosts:
    """Hosts that always answer."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def add_host(self, job: Job[Folder], wanted: NewHost) -> ids.HostSystemId:
        """A host that nobody has seen before, with its local datastore."""
        reach(wanted)

        def plan(edit: Edit, folder: Folder) -> ids.HostSystemId:
            edit.rely_on(folder)
            return put_host(self._inventory, edit, folder, wanted)

        return await job.complete(plan)

    async def cpu_model_of(self, wanted: NewHost) -> str:
        """That of the host that would be added."""
        reach(wanted)
        return model_of(wanted).cpu_model

    async def connect_host(self, job: Job[Host]) -> None:
        """Known hosts always answer."""
        await job.complete(lambda edit, host: edit.put(msgspec.structs.replace(host, connection_state=CONNECTED)))

    async def disconnect_host(self, job: Job[Host]) -> None:
        """Its VMs stay as they are."""
        await job.complete(lambda edit, host: edit.put(msgspec.structs.replace(host, connection_state=DISCONNECTED)))

    async def enter_maintenance_mode(self, job: Job[Host], with_powered_off: bool) -> None:
        """Evacuate and enter in one transaction: canceled or refused, nothing has moved."""
        moves = evacuation(self._inventory, job.target, with_powered_off)
        for count in range(1, len(moves) + 1):
            await job.spend(self._durations.migrate)
            if self._durations.migrate > 0:
                await job.progress(100 * count // (len(moves) + 1))
        await job.spend(self._durations.enter_maintenance_mode)

        def plan(edit: Edit, host: Host) -> None:
            for vm_id, destination in evacuation(self._inventory, host, with_powered_off).items():
                vm, other = self._inventory.get(VirtualMachine, vm_id), self._inventory.get(Host, destination)
                if vm is None or other is None:
                    continue
                use(edit, other)
                edit.put(msgspec.structs.replace(vm, host=other.id))
            edit.put(msgspec.structs.replace(host, in_maintenance_mode=True))

        await job.complete(plan)

    async def exit_maintenance_mode(self, job: Job[Host]) -> None:
        """Take VMs again."""
        await job.spend(self._durations.exit_maintenance_mode)
        await job.complete(lambda edit, host: edit.put(msgspec.structs.replace(host, in_maintenance_mode=False)))
