"""The simulated vCenter: its truth is the store itself, and its work is a change of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from resphere.contract.errors import NotFound, UnableToAllocateResource, message
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.edit import Edit
from resphere.inventory.model import Folder, Host, ManagedObject, Snapshot, VirtualMachine
from resphere.inventory.placement import NoPlace, can_run, evacuation, memory_in_use_MiB, place
from resphere.inventory.relations import cluster_of_host, hosts_of_cluster
from resphere.inventory.replica import Replica
from resphere.providers.base import Job, NewHost
from resphere.providers.simulator.durations import NONE, Durations
from resphere.providers.simulator.new_hosts import put_host, reach
from resphere.providers.simulator.states import powered_off, powered_on, shut_down, suspended

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")

ON = vcenter_vm.Power.State.POWERED_ON
CONNECTED = vcenter.Host.ConnectionState.CONNECTED
DISCONNECTED = vcenter.Host.ConnectionState.DISCONNECTED


class Simulator:
    """A vCenter without machines."""

    name = "simulator"

    def __init__(self, inventory: Replica, durations: Durations = NONE) -> None:
        self._inventory = inventory
        self._durations = durations

    async def feed(self, inventory: Replica) -> None:
        """Nothing to do: the store is the truth."""

    async def power_on(self, job: Job[VirtualMachine]) -> None:
        """Start or resume, on its host or, where that takes no VMs, on another of the cluster."""
        await job.spend(self._durations.power_on)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            host = self._running_place(vm)
            edit.rely_on(host)
            edit.put(powered_on(vm if host.id == vm.host else msgspec.structs.replace(vm, host=host.id)))

        await job.complete(plan)

    async def power_off(self, job: Job[VirtualMachine]) -> None:
        """Pull the plug."""
        await job.spend(self._durations.power_off)
        await job.complete(lambda edit, vm: edit.put(powered_off(vm)))

    async def reset(self, job: Job[VirtualMachine]) -> None:
        """Press the button: the VM runs as before."""
        await job.spend(self._durations.reset)
        await job.complete(lambda edit, vm: edit.put(powered_on(vm)))

    async def suspend(self, job: Job[VirtualMachine]) -> None:
        """Keep the running state and stop."""
        await job.spend(self._durations.suspend)
        await job.complete(lambda edit, vm: edit.put(suspended(vm)))

    async def shut_down_guest(self, job: Job[VirtualMachine]) -> None:
        """Off, as the guest itself wanted."""
        await job.spend(self._durations.power_off)
        await job.complete(lambda edit, vm: edit.put(shut_down(vm)))

    async def reconfigure(
        self, job: Job[VirtualMachine], change: Callable[[VirtualMachine], tuple[VirtualMachine, R]]
    ) -> R:
        """Give the VM its new hardware."""
        await job.spend(self._durations.reconfigure)

        def plan(edit: Edit, vm: VirtualMachine) -> R:
            changed, outcome = change(vm)
            edit.put(changed)
            return outcome

        return await job.complete(plan)

    async def create_snapshot(self, job: Job[VirtualMachine], snapshot: Snapshot) -> str:
        """Keep the VM as it is at completion."""
        await job.spend(self._durations.create_snapshot)

        def plan(edit: Edit, vm: VirtualMachine) -> str:
            made = msgspec.structs.replace(
                snapshot, id=edit.new_id(Snapshot.id_prefix), parent_snapshot=vm.snapshot, state=vm
            )
            edit.put(made)
            edit.put(msgspec.structs.replace(vm, snapshot=made.id))
            return made.id

        return await job.complete(plan, reports=True)

    async def revert_to_snapshot(self, job: Job[VirtualMachine], snapshot_id: str) -> None:
        """Bring back hardware and power state; name, place and host stay as they are."""
        await job.spend(self._durations.revert_to_snapshot)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            snapshot = _snapshot(edit, vm, snapshot_id)
            edit.rely_on(snapshot)
            reverted = msgspec.structs.replace(
                snapshot.state,
                name=vm.name,
                parent=vm.parent,
                host=vm.host,
                resource_pool=vm.resource_pool,
                snapshot=snapshot.id,
            )
            if reverted.power_state is ON and not snapshot.memory:
                reverted = powered_off(reverted)
            if reverted.power_state is ON:
                host = self._running_place(reverted)
                edit.rely_on(host)
                reverted = msgspec.structs.replace(reverted, host=host.id)
            edit.put(reverted)

        await job.complete(plan)

    async def delete_snapshots(self, job: Job[VirtualMachine], snapshot_ids: tuple[str, ...]) -> None:
        """Delete, and hang what remains on the nearest ancestor that remains."""
        await job.spend(self._durations.delete_snapshot * len(snapshot_ids))
        doomed = set(snapshot_ids)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            tree = self._inventory.by(Snapshot, "parent", vm.id)
            for snapshot in tree.values():
                if snapshot.id in doomed:
                    edit.delete(Snapshot, snapshot.id)
                elif snapshot.parent_snapshot in doomed:
                    parent = _survivor(tree, snapshot.parent_snapshot, doomed)
                    edit.put(msgspec.structs.replace(snapshot, parent_snapshot=parent))
            # Written even where the pointer stays: two changes of one tree must not pass each other unseen.
            edit.put(msgspec.structs.replace(vm, snapshot=_survivor(tree, vm.snapshot, doomed)))

        await job.complete(plan)

    async def delete_vm(self, job: Job[VirtualMachine]) -> None:
        """Delete the VM and its snapshots in one transaction."""
        await job.spend(self._durations.delete_vm)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            # Whoever takes a snapshot meanwhile writes the VM too: none is left behind.
            for snapshot in self._inventory.by(Snapshot, "parent", vm.id):
                edit.delete(Snapshot, snapshot)
            edit.delete(VirtualMachine, vm.id)

        await job.complete(plan)

    async def enter_maintenance_mode(self, job: Job[Host], with_powered_off: bool) -> None:
        """Evacuate and enter in one transaction: canceled or refused, nothing has moved."""
        moves = evacuation(self._inventory, job.target, with_powered_off)
        for count in range(len(moves)):
            await job.spend(self._durations.migrate)
            if self._durations.migrate > 0:
                await job.progress(100 * count // (len(moves) + 1))
        await job.spend(self._durations.enter_maintenance_mode)

        def plan(edit: Edit, host: Host) -> None:
            for vm_id, destination in evacuation(self._inventory, host, with_powered_off).items():
                vm, other = self._inventory.get(VirtualMachine, vm_id), self._inventory.get(Host, destination)
                if vm is None or other is None:
                    continue
                edit.rely_on(other)
                edit.put(msgspec.structs.replace(vm, host=other.id))
            edit.put(msgspec.structs.replace(host, in_maintenance_mode=True))

        await job.complete(plan)

    async def exit_maintenance_mode(self, job: Job[Host]) -> None:
        """Take VMs again."""
        await job.spend(self._durations.exit_maintenance_mode)
        await job.complete(lambda edit, host: edit.put(msgspec.structs.replace(host, in_maintenance_mode=False)))

    async def add_host(self, job: Job[Folder], wanted: NewHost) -> ids.HostSystemId:
        """A host that nobody has seen before, with its local datastore."""
        reach(wanted)

        def plan(edit: Edit, folder: Folder) -> ids.HostSystemId:
            edit.rely_on(folder)
            return put_host(self._inventory, edit, folder, wanted)

        return await job.complete(plan)

    async def connect_host(self, job: Job[Host]) -> None:
        """Known hosts always answer."""
        await job.complete(lambda edit, host: edit.put(msgspec.structs.replace(host, connection_state=CONNECTED)))

    async def disconnect_host(self, job: Job[Host]) -> None:
        """Its VMs stay as they are."""
        await job.complete(lambda edit, host: edit.put(msgspec.structs.replace(host, connection_state=DISCONNECTED)))

    async def change_inventory(self, job: Job[O], plan: Callable[[Edit, O], R]) -> R:
        """The store is the truth: what the plan says is done."""
        return await job.complete(plan)

    def _running_place(self, vm: VirtualMachine) -> Host:
        """The VM's own host if it takes VMs, else the best of its cluster.

        :raises UnableToAllocateResource: none takes it.
        """
        host = self._inventory.get(Host, vm.host)
        if host is not None and can_run(host):
            return host
        cluster = cluster_of_host(self._inventory, host) if host is not None else None
        hosts = hosts_of_cluster(self._inventory, cluster.id) if cluster else []
        in_use = {other.id: memory_in_use_MiB(self._inventory, other) for other in hosts}
        try:
            return place(vm, hosts, in_use)
        except NoPlace:
            raise UnableToAllocateResource(
                message(
                    "vmsg.NoCompatibleHost.summary",
                    "No host is compatible with the virtual machine {0}: its host takes none now.",
                    vm.name,
                )
            ) from None


def _snapshot(edit: Edit, vm: VirtualMachine, snapshot_id: str) -> Snapshot:
    found = edit.get(Snapshot, snapshot_id)
    if found is None:
        raise NotFound(
            message("resphere.vm.snapshot.gone", "The snapshot '{0}' of {1} no longer exists.", snapshot_id, vm.name)
        )
    return found


def _survivor(tree: Mapping[str, Snapshot], snapshot_id: str | None, doomed: set[str]) -> str | None:
    """``snapshot_id``, or the nearest of its ancestors that is not doomed."""
    while snapshot_id in doomed:
        snapshot_id = tree[snapshot_id].parent_snapshot
    return snapshot_id
