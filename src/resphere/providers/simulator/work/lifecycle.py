"""The coming and going of simulated virtual machines."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.errors import UnableToAllocateResource, VapiError
from resphere.contract.generated import ids
from resphere.inventory.guest import GuestSystem
from resphere.inventory.model import Folder, Snapshot, VirtualMachine
from resphere.providers.base import Copy, Job, Registration
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.image import fork, image
from resphere.providers.simulator.guest.tools import with_new_leases, with_system_of_disk
from resphere.providers.simulator.states import powered_off
from resphere.providers.simulator.work.power import started
from resphere.providers.simulator.work.relocation import (
    arriving,
    arriving_beside,
    carry,
    followed,
    kept_by_snapshots,
    new_paths,
)
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.admission import admit
from resphere.rules.belongings import copy_belongings
from resphere.rules.files import register, settle, unregister
from resphere.rules.storage_policies import with_known_policies
from resphere.rules.users import use_connections


class Lifecycle:
    """Objects of the inventory come and go."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def create_vm(self, job: Job[Folder], make: Callable[[Edit, Folder], VirtualMachine]) -> ids.VirtualMachineId:
        """A new object, whose files find room."""
        if self._durations.create_vm > 0:
            await self._inventory.change(lambda edit: refuse(make, edit, job.target))
        await job.spend(self._durations.create_vm)

        def plan(edit: Edit, folder: Folder) -> ids.VirtualMachineId:
            vm = with_system_of_disk(self._inventory, with_known_policies(edit, None, make(edit, folder)))
            edit.put(vm)
            settle(self._inventory, edit, None, vm)
            use_connections(self._inventory, edit, None, vm)
            return ids.VirtualMachineId(vm.id)

        return await job.complete(plan, reports=True)

    async def register_vm(
        self, job: Job[Folder], choose: Callable[[Edit, Folder], Registration]
    ) -> ids.VirtualMachineId:
        """The VM as its files hold it. Networks and policies that are gone meanwhile leave it without."""
        if self._durations.register_vm > 0:
            await self._inventory.change(lambda edit: refuse(choose, edit, job.target))
        await job.spend(self._durations.register_vm)

        def plan(edit: Edit, folder: Folder) -> ids.VirtualMachineId:
            chosen = choose(edit, folder)
            vm = register(
                self._inventory,
                edit,
                chosen.files,
                name=chosen.name,
                parent=chosen.folder,
                host=chosen.host,
                resource_pool=chosen.resource_pool,
            )
            edit.put(with_known_policies(edit, None, vm))
            use_connections(self._inventory, edit, None, vm)
            return ids.VirtualMachineId(vm.id)

        return await job.complete(plan, reports=True)

    async def unregister_vm(self, job: Job[VirtualMachine]) -> None:
        """Keep the VM's whole configuration with its files."""
        await job.spend(self._durations.register_vm)
        await job.complete(lambda edit, vm: unregister(self._inventory, edit, vm))

    async def clone_vm(
        self, job: Job[VirtualMachine], make: Callable[[Edit, VirtualMachine], Copy]
    ) -> ids.VirtualMachineId:
        """A new object with files, guest and data sets like the source's."""
        await self._spend_steps(job, self._durations.clone_vm, 1 + len(job.target.disks))

        def plan(edit: Edit, source: VirtualMachine) -> ids.VirtualMachineId:
            made = make(edit, source)
            vm = with_new_leases(made.vm)
            copy_belongings(self._inventory, edit, source.id, vm.id)
            if made.running:
                edit.put(fork(edit.get(GuestSystem, source.id) or image(source), source, vm.id))
            vm = with_known_policies(edit, None, vm)
            if not made.running:
                vm = powered_off(vm)
            if made.power_on:
                vm = started(self._inventory, edit, vm, job.now(), self._durations.customize)
            edit.put(vm)
            settle(self._inventory, edit, None, vm)
            use_connections(self._inventory, edit, None, vm)
            return ids.VirtualMachineId(vm.id)

        return await job.complete(plan, reports=True)

    async def relocate_vm(
        self, job: Job[VirtualMachine], change: Callable[[Edit, VirtualMachine], VirtualMachine]
    ) -> None:
        """Another place, and other paths of files. The snapshots' files go along."""
        await self._spend_steps(job, self._durations.relocate_vm, 1 + len(job.target.disks))

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            after = change(edit, vm)
            snapshots = self._inventory.by(Snapshot, "parent", vm.id).values()
            kept = kept_by_snapshots(self._inventory, snapshots, vm, after)
            paths = {**new_paths(vm, after), **kept}
            moved = [msgspec.structs.replace(each, state=followed(each.state, after, paths)) for each in snapshots]
            sizes = arriving(self._inventory, vm, after)
            sizes[after.datastore] += carry(self._inventory, edit, vm, after, kept)
            for store, size in arriving_beside(self._inventory, (vm, snapshots), (after, moved)).items():
                sizes[store] += size
            admit(self._inventory, edit, sizes)
            for snapshot in moved:
                edit.put(snapshot)
            edit.put(after)
            use_connections(self._inventory, edit, vm if vm.host == after.host else None, after)

        try:
            await job.complete(plan)
        except UnableToAllocateResource as error:
            # Relocate declares nothing narrower than this.
            raise VapiError(*error.messages) from error

    async def _spend_steps(self, job: Job[VirtualMachine], seconds: float, steps: int) -> None:
        for step in range(steps):
            await job.spend(seconds)
            if seconds > 0:
                await job.progress(100 * (step + 1) // (steps + 1))

    async def delete_vm(self, job: Job[VirtualMachine]) -> None:
        """Delete the VM; what belongs to it, its snapshots above all, goes with it."""
        await job.spend(self._durations.delete_vm)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            edit.delete(VirtualMachine, vm.id)
            settle(self._inventory, edit, vm, None)

        await job.complete(plan)


def refuse(make: Callable[[Edit, Folder], object], edit: Edit, folder: Folder) -> None:
    """Let ``make`` say no before any work begins: an edit that writes nothing is not committed."""
    make(edit, folder)
