"""Any life of virtual machines: whatever is asked for, in whatever order, the inventory stays sound.

The operations may refuse, by an error that they declare. More examples: ``RESPHERE_LIFE_EXAMPLES=200 make test
ARGS="tests/services/vcenter/vm/test_any_life.py"``.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import Machines
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import cis_tagging, ids, vapi_std, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_guest import Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Transfers
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.contract.generated.vcenter_vm_storage import Policy
from resphere.contract.model import AnyOperation, Secret, WholeBytes
from resphere.inventory.guest import DOCUMENT_BYTES, GuestContent
from resphere.inventory.model import Cluster, Datastore, Folder, Host, ManagedObject, ResourcePool, Snapshot
from resphere.inventory.model import VirtualMachine as Machine
from resphere.inventory.storage_policies import StoragePolicy
from resphere.tasks.record import Task
from tests.support.examples import examples
from tests.support.guests import ROOT
from tests.support.histories import History

VM = vcenter.VM
Power = vcenter_vm.Power
EXAMPLES = int(os.environ.get("RESPHERE_LIFE_EXAMPLES", "6"))
STEPS = 30
MOST_MACHINES = 24
PICK = st.integers(0, 1_000)
NAMES = st.sampled_from(["a", "b", "c", "d"])
MAYBE = st.one_of(st.none(), PICK)


class Life(History):
    """A vCenter with a few machines, and everything that can be done to them."""

    def __init__(self) -> None:
        super().__init__()
        spec = cis_tagging.Tag.CreateSpec(name="t", description="", category_id=self.category)
        self.tag = self.world.call(cis_tagging.Tag.create, spec)

    def one(self, cls: type[ManagedObject], number: int | None) -> Any:
        """The id of one of the objects of a class; ``None`` for ``None`` or where there is none."""
        identities = list(self.world.inventory.all(cls))
        return identities[number % len(identities)] if identities and number is not None else None

    def machine(self, number: int) -> Machine:
        found = list(self.world.inventory.all(Machine).values())
        return found[number % len(found)]

    def vm_folder(self, number: int | None) -> Any:
        """A folder for machines."""
        if number is None:
            return None
        wanted = vcenter.Folder.Type.VIRTUAL_MACHINE
        found = [each.id for each in self.world.inventory.all(Folder).values() if each.type is wanted]
        return found[number % len(found)]

    def room_for_machines(self) -> bool:
        return self.world.inventory.count(Machine) < MOST_MACHINES

    def some_machines(self) -> bool:
        return self.world.inventory.count(Machine) > 0

    @precondition(room_for_machines)
    @rule(name=NAMES, folder=PICK, host=MAYBE, pool=MAYBE, datastore=MAYBE)
    def create(self, name: str, folder: int, host: int | None, pool: int | None, datastore: int | None) -> None:
        placement = VM.PlacementSpec(
            folder=self.vm_folder(folder),
            host=self.one(Host, host),
            resource_pool=self.one(ResourcePool, pool),
            cluster=self.one(Cluster, 0 if host is None and pool is None else None),
            datastore=self.one(Datastore, datastore),
        )
        self.attempt(VM.create, VM.CreateSpec(guest_OS=vcenter_vm.GuestOS.DEBIAN_11_64, name=name, placement=placement))

    @precondition(lambda self: self.some_machines() and self.room_for_machines())
    @rule(vm=PICK, name=NAMES, host=MAYBE, folder=MAYBE, datastore=MAYBE, on=st.booleans(), task=st.booleans())
    def clone(
        self, vm: int, name: str, host: int | None, folder: int | None, datastore: int | None, on: bool, task: bool
    ) -> None:
        placement = VM.ClonePlacementSpec(
            host=self.one(Host, host), folder=self.vm_folder(folder), datastore=self.one(Datastore, datastore)
        )
        source = ids.VirtualMachineId(self.machine(vm).id)
        spec = VM.CloneSpec(source=source, name=name, placement=placement, power_on=on)
        self.attempt(VM.clone_task if task else VM.clone, spec)

    @precondition(lambda self: self.some_machines() and self.room_for_machines())
    @rule(vm=PICK, name=NAMES, folder=MAYBE, datastore=MAYBE, apart=st.booleans())
    def instant_clone(self, vm: int, name: str, folder: int | None, datastore: int | None, apart: bool) -> None:
        placement = VM.InstantClonePlacementSpec(
            folder=self.vm_folder(folder), datastore=self.one(Datastore, datastore)
        )
        source = ids.VirtualMachineId(self.machine(vm).id)
        spec = VM.InstantCloneSpec(source=source, name=name, placement=placement, disconnect_all_nics=apart)
        self.attempt(VM.instant_clone, spec)

    @precondition(some_machines)
    @rule(vm=PICK, host=MAYBE, folder=MAYBE, datastore=MAYBE, disk=MAYBE, task=st.booleans())
    def relocate(
        self, vm: int, host: int | None, folder: int | None, datastore: int | None, disk: int | None, task: bool
    ) -> None:
        machine = self.machine(vm)
        placement = VM.RelocatePlacementSpec(
            host=self.one(Host, host), folder=self.vm_folder(folder), datastore=self.one(Datastore, datastore)
        )
        keys = list(machine.disks)
        disks = None
        if disk is not None and keys:
            disks = {keys[disk % len(keys)]: VM.DiskRelocateSpec(datastore=self.one(Datastore, disk))}
        spec = VM.RelocateSpec(placement=placement, disks=disks)
        self.attempt(VM.relocate_task if task else VM.relocate, machine.id, spec)

    @precondition(some_machines)
    @rule(vm=PICK)
    def unregister_and_register(self, vm: int) -> None:
        machine = self.machine(vm)
        before = set(self.world.inventory.all(Machine))
        self.attempt(VM.unregister, machine.id)
        if set(self.world.inventory.all(Machine)) == before:
            return
        placement = VM.RegisterPlacementSpec(folder=machine.parent, host=machine.host)  # type: ignore[arg-type]
        spec = VM.RegisterSpec(datastore_path=machine.vmx_path, placement=placement)
        self.attempt(VM.register, spec)

    @precondition(some_machines)
    @rule(vm=PICK)
    def delete(self, vm: int) -> None:
        self.attempt(VM.delete, self.machine(vm).id)

    @precondition(some_machines)
    @rule(vm=PICK, operation=st.sampled_from([Power.start, Power.stop, Power.suspend, Power.reset]))
    def power(self, vm: int, operation: AnyOperation) -> None:
        self.attempt(operation, self.machine(vm).id)

    @precondition(some_machines)
    @rule(vm=PICK, add=st.booleans(), device=PICK)
    def disks(self, vm: int, add: bool, device: int) -> None:
        machine = self.machine(vm)
        if add:
            spec = Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=1 << 30))
            self.attempt(Disk.create, machine.id, spec)
        elif machine.disks:
            keys = list(machine.disks)
            self.attempt(Disk.delete, machine.id, keys[device % len(keys)])

    @precondition(some_machines)
    @rule(vm=PICK, add=st.booleans(), device=PICK)
    def nics(self, vm: int, add: bool, device: int) -> None:
        machine = self.machine(vm)
        if add:
            self.attempt(Ethernet.create, machine.id, Ethernet.CreateSpec())
        elif machine.nics:
            keys = list(machine.nics)
            self.attempt(Ethernet.delete, machine.id, keys[device % len(keys)])

    @precondition(some_machines)
    @rule(vm=PICK, make=st.sampled_from([(Cdrom.create, Cdrom.CreateSpec()), (Scsi.create, Scsi.CreateSpec())]))
    def other_hardware(self, vm: int, make: tuple[AnyOperation, Any]) -> None:
        operation, spec = make
        self.attempt(operation, self.machine(vm).id, spec)

    @precondition(some_machines)
    @rule(vm=PICK)
    def attach_tag(self, vm: int) -> None:
        machine = vapi_std.DynamicID(type="VirtualMachine", id=self.machine(vm).id)
        self.attempt(cis_tagging.TagAssociation.attach, self.tag, machine)

    @precondition(some_machines)
    @rule(vm=PICK)
    def detach_tag(self, vm: int) -> None:
        machine = vapi_std.DynamicID(type="VirtualMachine", id=self.machine(vm).id)
        self.attempt(cis_tagging.TagAssociation.detach, self.tag, machine)

    @precondition(some_machines)
    @rule(vm=PICK, folder=MAYBE, pool=MAYBE)
    def move(self, vm: int, folder: int | None, pool: int | None) -> None:
        spec = Machines.MoveSpec(folder=self.vm_folder(folder), resource_pool=self.one(ResourcePool, pool))
        self.attempt(Machines.move, self.machine(vm).id, spec)

    @precondition(some_machines)
    @rule(vm=PICK, name=NAMES)
    def rename(self, vm: int, name: str) -> None:
        self.attempt(Machines.update, self.machine(vm).id, NameSpec(name=name))

    @precondition(some_machines)
    @rule(vm=PICK, path=st.sampled_from(["/tmp/a", "/tmp/a/b", "/var/c"]), delete=st.booleans())
    def guest_files(self, vm: int, path: str, delete: bool) -> None:
        arguments = (path, True)
        self.attempt(Directories.delete if delete else Directories.create, self.machine(vm).id, ROOT, *arguments)

    @precondition(some_machines)
    @rule(vm=PICK, program=st.sampled_from([("/bin/sleep", "600"), ("/bin/echo", "x > /tmp/out")]))
    def guest_processes(self, vm: int, program: tuple[str, str]) -> None:
        path, arguments = program
        spec = Processes.CreateSpec(path=path, arguments=arguments)
        self.attempt(Processes.create, self.machine(vm).id, ROOT, spec)

    @rule(name=NAMES)
    def make_storage_policy(self, name: str) -> None:
        self.attempt(StoragePolicies.create, StoragePolicies.CreateSpec(name=name))

    def storage_policy(self, number: int) -> Any:
        found = list(self.world.inventory.all(StoragePolicy))
        return found[number % len(found)]

    def some_policies(self) -> bool:
        return self.some_machines() and self.world.inventory.count(StoragePolicy) > 0

    @precondition(some_policies)
    @rule(policy=PICK)
    def delete_storage_policy(self, policy: int) -> None:
        self.attempt(StoragePolicies.delete, self.storage_policy(policy))

    @precondition(some_policies)
    @rule(vm=PICK, policy=PICK, home=st.booleans(), disk=MAYBE)
    def assign_storage_policy(self, vm: int, policy: int, home: bool, disk: int | None) -> None:
        machine, wanted = self.machine(vm), self.storage_policy(policy)
        named = Policy.VmHomePolicySpec.PolicyType.USE_SPECIFIED_POLICY
        own = Policy.DiskPolicySpec.PolicyType.USE_SPECIFIED_POLICY
        keys = list(machine.disks) if disk is not None else []
        spec = Policy.UpdateSpec(
            vm_home=Policy.VmHomePolicySpec(type=named, policy=wanted) if home else None,
            disks={key: Policy.DiskPolicySpec(type=own, policy=wanted) for key in keys} or None,
        )
        self.attempt(Policy.update, machine.id, spec)

    @precondition(some_machines)
    @rule(vm=PICK, name=NAMES, size=st.sampled_from([10, DOCUMENT_BYTES + 1]))
    def send_file(self, vm: int, name: str, size: int) -> None:
        attributes = Transfers.FileCreationAttributes(size=size, overwrite=True)
        spec = Transfers.CreateSpec(path=f"/srv/{name}", attributes=attributes)
        address = self.attempt(Transfers.create, self.machine(vm).id, ROOT, spec)
        if address is not None:
            query = parse_qs(urlsplit(address).query)
            self.attempt(GuestTransfers.upload, query["id"][0], Secret(query["token"][0]), WholeBytes(bytes(size)))

    @precondition(some_machines)
    @rule(vm=PICK, memory=st.booleans())
    def take_snapshot(self, vm: int, memory: bool) -> None:
        self.attempt(VmSnapshots.create, self.machine(vm).id, VmSnapshots.CreateSpec(name="one", memory=memory))

    @rule(number=PICK, children=st.booleans(), revert=st.booleans())
    def use_snapshot(self, number: int, children: bool, revert: bool) -> None:
        snapshot = self.world.inventory.get(Snapshot, self.one(Snapshot, number) or "")
        if snapshot is None:
            return
        if revert:
            self.attempt(VmSnapshots.revert, snapshot.parent, snapshot.id)
        else:
            self.attempt(VmSnapshots.delete, snapshot.parent, snapshot.id, children, children)

    @rule(name=NAMES, parent=PICK)
    def make_folder(self, name: str, parent: int) -> None:
        self.attempt(Folders.create, Folders.CreateSpec(name=name, parent=self.vm_folder(parent)))

    @rule(folder=PICK)
    def delete_folder(self, folder: int) -> None:
        self.attempt(Folders.delete, self.vm_folder(folder))

    @rule(name=NAMES, parent=PICK)
    def make_pool(self, name: str, parent: int) -> None:
        spec = vcenter.ResourcePool.CreateSpec(name=name, parent=self.one(ResourcePool, parent))
        self.attempt(vcenter.ResourcePool.create, spec)

    @rule(pool=PICK)
    def delete_pool(self, pool: int) -> None:
        self.attempt(vcenter.ResourcePool.delete, self.one(ResourcePool, pool))

    @invariant()
    def large_files_are_those_that_guests_have(self) -> None:
        named = {content.file for content in self.world.inventory.all(GuestContent).values()} - {None}
        assert {file.name for file in self.world.contents.folder.iterdir()} == named

    @invariant()
    def nothing_is_left_running(self) -> None:
        assert not self.world.inventory.by(Task, "finished", "no")


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=examples(EXAMPLES), stateful_step_count=STEPS, phases=(Phase.explicit, Phase.generate)
)
