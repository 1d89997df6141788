"""Clones, instant clones and moves of virtual machines, and what each refuses."""

from __future__ import annotations

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceBusy,
    ResourceInaccessible,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import cis, ids, vcenter, vcenter_vm
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState, Disk, Ethernet
from resphere.inventory.model import KINDS, Datastore, Folder, Host, Snapshot, VirtualMachine
from resphere.inventory.relations import vms_of_datastore
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.provider import Simulator
from resphere.rules.space import delta_bytes, free_space
from tests.support.world import World

VM = vcenter.VM
Id = ids.VirtualMachineId
State = vcenter_vm.Power.State
OFF, ON = State.POWERED_OFF, State.POWERED_ON


def some_vm(world: World, state: State = OFF) -> VirtualMachine:
    """A VM with disks and NICs, brought to that state."""
    vms = world.inventory.all(VirtualMachine).values()
    vm = next(vm for vm in vms if vm.disks and vm.nics and not vm.template and vm.snapshot is None)
    if vm.power_state is not state:
        world.call(vcenter_vm.Power.start if state is ON else vcenter_vm.Power.stop, Id(vm.id))
    return found(world, vm.id)


def found(world: World, id: str) -> VirtualMachine:
    vm = world.inventory.get(VirtualMachine, id)
    assert vm is not None
    return vm


def another_datastore(world: World, vm: VirtualMachine) -> Datastore:
    """A datastore that the VM's host has mounted and that has room, without the VM."""
    host = world.inventory.get(Host, vm.host)
    assert host
    stores = [store for id in host.datastores if (store := world.inventory.get(Datastore, id))]
    return max(
        (store for store in stores if store.id != vm.datastore and vm not in vms_of_datastore(world.inventory, store)),
        key=lambda store: free_space(world.inventory, store),
    )


def slow(world: World, **seconds: float) -> None:
    """Have work take time from now on."""
    simulator = Simulator(world.inventory, world.contents, world.environment.now, Durations(**seconds))
    world.environment = msgspec.structs.replace(world.environment, provider=simulator)


def test_a_clone_is_like_its_source_and_somebody_else(world: World) -> None:
    source = some_vm(world, ON)
    clone = found(world, world.call(VM.clone, VM.CloneSpec(source=Id(source.id), name="twin")))
    assert (clone.name, clone.power_state, clone.parent) == ("twin", OFF, source.parent)
    assert (clone.cpu, clone.memory.size_MiB, clone.guest_OS) == (source.cpu, source.memory.size_MiB, source.guest_OS)
    assert (clone.resource_pool, clone.host, clone.datastore) == (source.resource_pool, source.host, source.datastore)
    assert not {clone.bios_uuid, clone.instance_uuid} & {source.bios_uuid, source.instance_uuid}
    assert not {nic.mac_address for nic in clone.nics.values()} & {nic.mac_address for nic in source.nics.values()}
    assert clone.disks.keys() == source.disks.keys()
    assert clone.vmx_path.endswith("twin/twin.vmx")
    files = [disk.backing.vmdk_file or "" for disk in clone.disks.values()]
    assert files[0].endswith("twin/twin.vmdk")
    assert len(set(files)) == len(files)
    assert found(world, source.id) == source


def test_a_chosen_address_stays_with_the_clone(world: World) -> None:
    source = some_vm(world)
    key = next(iter(source.nics))
    manual = Ethernet.UpdateSpec(mac_type=Ethernet.MacAddressType.MANUAL, mac_address="00:50:56:00:00:01")
    world.call(Ethernet.update, Id(source.id), key, manual)
    clone = found(world, world.call(VM.clone, VM.CloneSpec(source=Id(source.id), name="twin")))
    assert clone.nics[key].mac_address == "00:50:56:00:00:01"
    # Two machines with one address are their owner's business; what is generated never collides.
    world.call(VM.delete, Id(source.id))


def test_a_clone_elsewhere_with_fewer_disks_that_starts(world: World) -> None:
    source = some_vm(world)
    store = another_datastore(world, source)
    keys = list(source.disks)
    spec = VM.CloneSpec(
        source=Id(source.id),
        name="other",
        placement=VM.ClonePlacementSpec(datastore=ids.DatastoreId(store.id)),
        disks_to_remove=frozenset(keys[1:]),
        power_on=True,
    )
    before = free_space(world.inventory, store)
    clone = found(world, world.call(VM.clone, spec))
    assert (clone.power_state, clone.datastore, list(clone.disks)) == (ON, store.id, keys[:1])
    assert (clone.disks[keys[0]].backing.vmdk_file or "").startswith(f"[{store.name}] ")
    assert free_space(world.inventory, store) == before - (source.disks[keys[0]].capacity or 0)


def test_single_disks_go_to_their_own_datastores(world: World) -> None:
    source = some_vm(world)
    store = another_datastore(world, source)
    key = next(iter(source.disks))
    spec = VM.CloneSpec(
        source=Id(source.id),
        name="split",
        disks_to_update={key: VM.DiskCloneSpec(datastore=ids.DatastoreId(store.id))},
    )
    clone = found(world, world.call(VM.clone, spec))
    assert clone.datastore == source.datastore
    assert (clone.disks[key].backing.vmdk_file or "").startswith(f"[{store.name}] ")


def test_a_clone_of_a_template_is_none(world: World) -> None:
    world.serve_as("6.7.0")
    source = some_vm(world)
    template = world.change(source, template=True)
    clone = found(world, world.call(VM.clone, VM.CloneSpec(source=Id(template.id), name="machine", power_on=True)))
    assert (clone.template, clone.power_state) == (False, ON)


def test_refusals_of_a_clone(world: World) -> None:
    source = some_vm(world)
    key = next(iter(source.disks))

    def refused(error: type[VapiError], **fields: object) -> str:
        spec = msgspec.convert({"source": source.id, "name": "twin", **fields}, VM.CloneSpec)
        with pytest.raises(error) as raised:
            world.call(VM.clone, spec)
        with pytest.raises(error):
            world.call(VM.clone_task, spec)
        return raised.value.messages[0].id

    assert refused(NotFound, source="vm-404") == "com.vmware.api.vcenter.vm.not_found"
    assert refused(AlreadyExists, name=source.name) == "vmsg.DuplicateName.summary"
    assert refused(InvalidArgument, name="") == "resphere.inventory.name"
    assert refused(NotFound, disks_to_remove=["9999"]) == "resphere.vm.hardware.no_device"
    assert refused(InvalidArgument, disks_to_remove=[key], disks_to_update={key: {}}) == "resphere.vm.clone.disk_twice"
    assert refused(NotFound, guest_customization_spec={"name": "none"})
    assert refused(NotFound, placement={"datastore": "datastore-404"})
    host = world.inventory.get(Host, source.host)
    assert host
    world.change(host, in_maintenance_mode=True)
    assert refused(ResourceInaccessible, placement={"host": host.id}) == "resphere.vm.placement.host_unavailable"
    world.change(host, in_maintenance_mode=False)


def test_a_clone_needs_room(world: World) -> None:
    source = some_vm(world)
    store = world.inventory.get(Datastore, source.datastore)
    assert store
    world.change(store, other_used=store.other_used + free_space(world.inventory, store))
    with pytest.raises(UnableToAllocateResource) as raised:
        world.call(VM.clone, VM.CloneSpec(source=Id(source.id), name="twin"))
    assert raised.value.messages[0].id == "resphere.vm.disk.no_room"
    task = world.call(VM.clone_task, VM.CloneSpec(source=Id(source.id), name="twin"))
    info = world.call(cis.Tasks.get, ids.CisTaskId(task), None)
    assert info.error
    assert (info.status, info.error.error_type) == (Status.FAILED, "UNABLE_TO_ALLOCATE_RESOURCE")


def test_a_task_results_in_the_clone(world: World) -> None:
    source = some_vm(world)
    task = world.call(VM.clone_task, VM.CloneSpec(source=Id(source.id), name="twin"))
    info = world.call(cis.Tasks.get, ids.CisTaskId(task), None)
    assert info.status is Status.SUCCEEDED
    assert found(world, str(info.result)).name == "twin"
    assert info.target
    assert (info.operation, info.target.id) == ("clone$task", source.id)


def test_a_source_is_not_kept_busy_and_a_moving_machine_is(world: World) -> None:
    vm = some_vm(world)
    slow(world, clone_vm=600, relocate_vm=600)
    clone = world.call(VM.clone_task, VM.CloneSpec(source=Id(vm.id), name="twin"))
    move = world.call(VM.relocate_task, Id(vm.id), VM.RelocateSpec())
    with pytest.raises(ResourceBusy) as raised:
        world.call(vcenter_vm.Power.start, Id(vm.id))
    assert raised.value.messages[0].id == "resphere.task.busy"
    with pytest.raises(VapiError) as undeclared:
        world.call(VM.relocate, Id(vm.id), VM.RelocateSpec())
    assert undeclared.value.error_type == "ERROR"
    for task in (clone, move):
        assert world.call(cis.Tasks.get, ids.CisTaskId(task), None).cancelable
        world.call(cis.Tasks.cancel, ids.CisTaskId(task))
    world.run(world.environment.tasks.close())
    for task in (clone, move):
        info = world.call(cis.Tasks.get, ids.CisTaskId(task), None)
        assert info.error
        assert info.error.error_type == "CANCELED"
    assert found(world, vm.id) == vm
    assert not world.inventory.by(VirtualMachine, "name", "twin")
    world.call(vcenter_vm.Power.start, Id(vm.id))


def test_a_running_machine_moves_to_another_host(world: World) -> None:
    vm = some_vm(world, ON)
    host = world.inventory.get(Host, vm.host)
    assert host
    others = world.inventory.by(Host, "parent", host.parent or "").values()
    other = next(each for each in others if each.id != host.id and vm.datastore in each.datastores)
    spec = VM.RelocateSpec(placement=VM.RelocatePlacementSpec(host=ids.HostSystemId(other.id)))
    world.call(VM.relocate, Id(vm.id), spec)
    assert found(world, vm.id) == msgspec.structs.replace(vm, host=ids.HostSystemId(other.id))


def test_files_and_snapshots_move_along(world: World) -> None:
    vm = some_vm(world)
    home = world.inventory.get(Datastore, vm.datastore)
    assert home
    world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name="one"))
    store = another_datastore(world, vm)
    size = sum((disk.capacity or 0) + delta_bytes(disk.capacity or 0) for disk in vm.disks.values())
    free = free_space(world.inventory, store), free_space(world.inventory, home)
    spec = VM.RelocateSpec(placement=VM.RelocatePlacementSpec(datastore=ids.DatastoreId(store.id)))
    world.call(VM.relocate, Id(vm.id), spec)
    after = found(world, vm.id)
    files = {disk.backing.vmdk_file or "" for disk in after.disks.values()}
    assert all(path.startswith(f"[{store.name}] ") for path in (*files, after.vmx_path))
    assert (after.bios_uuid, after.instance_uuid, after.nics) == (vm.bios_uuid, vm.instance_uuid, vm.nics)
    assert free_space(world.inventory, store) == free[0] - size
    assert free_space(world.inventory, home) == free[1] + size
    (snapshot,) = world.inventory.by(Snapshot, "parent", vm.id).values()
    world.call(VmSnapshots.revert, Id(vm.id), snapshot.id)
    assert found(world, vm.id).disks == after.disks


def test_disks_that_only_a_snapshot_holds_move_along(world: World) -> None:
    vm = some_vm(world)
    home = world.inventory.get(Datastore, vm.datastore)
    assert home
    snapshot = world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name="one"))
    for key in vm.disks:
        world.call(Disk.delete, Id(vm.id), key)
    store = another_datastore(world, vm)
    size = sum((disk.capacity or 0) + delta_bytes(disk.capacity or 0) for disk in vm.disks.values())
    free = free_space(world.inventory, store), free_space(world.inventory, home)
    move = VM.RelocateSpec(placement=VM.RelocatePlacementSpec(datastore=ids.DatastoreId(store.id)))
    world.call(VM.relocate, Id(vm.id), move)
    assert (free_space(world.inventory, store), free_space(world.inventory, home)) == (free[0] - size, free[1] + size)
    world.call(VmSnapshots.revert, Id(vm.id), snapshot)
    after = found(world, vm.id).disks
    assert after.keys() == vm.disks.keys()
    assert all(str(disk.backing.vmdk_file).startswith(f"[{store.name}] ") for disk in after.values())
    assert free_space(world.inventory, store) == free[0] - size


def test_a_disk_that_another_took_from_a_snapshot_stays(world: World) -> None:
    vm = some_vm(world)
    key, disk = next(iter(vm.disks.items()))
    path = str(disk.backing.vmdk_file)
    snapshot = world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name="one"))
    world.call(Disk.delete, Id(vm.id), key)
    spec = VM.CloneSpec(source=Id(vm.id), name="another")
    other = world.call(VM.clone, spec)
    backing = Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
    world.call(Disk.create, other, Disk.CreateSpec(backing=backing))
    store = another_datastore(world, vm)
    move = VM.RelocateSpec(placement=VM.RelocatePlacementSpec(datastore=ids.DatastoreId(store.id)))
    world.call(VM.relocate, Id(vm.id), move)
    assert path in {each.backing.vmdk_file for each in found(world, other).disks.values()}
    kept = world.inventory.get(Snapshot, snapshot)
    assert kept
    assert kept.state.disks[key].backing.vmdk_file == path
    with pytest.raises(ResourceBusy) as error:
        world.call(VmSnapshots.revert, Id(vm.id), snapshot)
    assert (error.value.api_status, error.value.messages[0].id) == (500, "resphere.vm.disk.in_use")


def test_no_room_for_what_a_snapshot_holds(world: World) -> None:
    vm = some_vm(world)
    world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name="one"))
    for key in vm.disks:
        world.call(Disk.delete, Id(vm.id), key)
    store = another_datastore(world, vm)
    world.change(store, other_used=store.other_used + free_space(world.inventory, store) - 1)
    before = {cls: dict(world.inventory.all(cls)) for cls in KINDS.values()}
    move = VM.RelocateSpec(placement=VM.RelocatePlacementSpec(datastore=ids.DatastoreId(store.id)))
    with pytest.raises(VapiError) as error:
        world.call(VM.relocate, Id(vm.id), move)
    assert error.value.messages[0].id == "resphere.vm.disk.no_room"
    assert {cls: dict(world.inventory.all(cls)) for cls in KINDS.values()} == before


def test_one_disk_moves(world: World) -> None:
    vm = some_vm(world)
    store = another_datastore(world, vm)
    key = next(iter(vm.disks))
    world.call(
        VM.relocate,
        Id(vm.id),
        VM.RelocateSpec(disks={key: VM.DiskRelocateSpec(datastore=ids.DatastoreId(store.id))}),
    )
    after = found(world, vm.id)
    assert (after.datastore, after.vmx_path) == (vm.datastore, vm.vmx_path)
    assert (after.disks[key].backing.vmdk_file or "").startswith(f"[{store.name}] ")


def test_refusals_of_a_move(world: World) -> None:
    vm = some_vm(world)

    def refused(error: type[VapiError], id: str = vm.id, **fields: object) -> str:
        spec = msgspec.convert(fields, VM.RelocateSpec)
        with pytest.raises(error) as raised:
            world.call(VM.relocate, Id(id), spec)
        with pytest.raises(error):
            world.call(VM.relocate_task, Id(id), spec)
        assert raised.type is error
        return raised.value.messages[0].id

    assert refused(NotFound, "vm-404") == "com.vmware.api.vcenter.vm.not_found"
    assert refused(NotFound, placement={"host": "host-404"})
    assert refused(NotFound, disks={"9999": {}}) == "resphere.vm.hardware.no_device"
    folder = world.inventory.get(Folder, vm.parent or "")
    assert folder
    below = Folder(id="group-v900", name="below", parent=folder.id, type=folder.type)
    other = next(each for each in world.inventory.all(VirtualMachine).values() if each.id != vm.id)
    world.put(below)
    world.change(other, parent=below.id, name=vm.name)
    assert refused(InvalidArgument, placement={"folder": below.id}) == "vmsg.DuplicateName.summary"
    hosts = next(each for each in world.inventory.all(Folder).values() if each.type is vcenter.Folder.Type.HOST)
    assert refused(InvalidArgument, placement={"folder": hosts.id}) == "resphere.vm.placement.folder_type"
    store = another_datastore(world, vm)
    world.change(store, other_used=store.other_used + free_space(world.inventory, store))
    with pytest.raises(VapiError) as raised:
        world.call(
            VM.relocate,
            Id(vm.id),
            VM.RelocateSpec(placement=VM.RelocatePlacementSpec(datastore=ids.DatastoreId(store.id))),
        )
    assert (raised.type, raised.value.messages[0].id) == (VapiError, "resphere.vm.disk.no_room")


def test_an_instant_clone_runs_on(world: World) -> None:
    source = some_vm(world, ON)
    key = next(iter(source.nics))
    spec = VM.InstantCloneSpec(
        source=Id(source.id),
        name="fork",
        bios_uuid="564d7e0a-0001-4a5b-8c6d-000000000001",
        disconnect_all_nics=True,
        nics_to_update={key: Ethernet.UpdateSpec(start_connected=False)},
    )
    clone = found(world, world.call(VM.instant_clone, spec))
    assert (clone.power_state, clone.host, clone.bios_uuid) == (ON, source.host, spec.bios_uuid)
    assert clone.instance_uuid != source.instance_uuid
    assert all(nic.state is ConnectionState.NOT_CONNECTED for nic in clone.nics.values())
    assert not clone.nics[key].start_connected
    assert not {nic.mac_address for nic in clone.nics.values()} & {nic.mac_address for nic in source.nics.values()}


def test_refusals_of_an_instant_clone(world: World) -> None:
    source = some_vm(world, ON)

    def refused(error: type[VapiError], **fields: object) -> str:
        spec = msgspec.convert({"source": source.id, "name": "fork", **fields}, VM.InstantCloneSpec)
        with pytest.raises(error) as raised:
            world.call(VM.instant_clone, spec)
        assert raised.type is error
        return raised.value.messages[0].id

    assert refused(NotFound, source="vm-404")
    assert refused(AlreadyExists, name=source.name) == "vmsg.DuplicateName.summary"
    assert refused(InvalidArgument, bios_uuid="x") == "resphere.vm.clone.bios_uuid"
    assert refused(NotFound, nics_to_update={"4999": {}}) == "resphere.vm.hardware.no_device"
    world.call(vcenter_vm.Power.stop, Id(source.id))
    assert refused(VapiError) == "resphere.vm.instant_clone.power_state"
