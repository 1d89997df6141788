"""Virtual disks: new files and existing ones, places, room, and what each power state allows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    ResourceInaccessible,
    ResourceInUse,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Disk, IdeAddressSpec, SataAddressSpec, ScsiAddressSpec
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.contract.unions import EXTRA
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.rules.files import file_at
from resphere.rules.space import free_space
from tests.support.world import World

Id = ids.VirtualMachineId
Key = ids.VcenterVmHardwareDiskId
Bus = Disk.HostBusAdapterType
GIB = 1 << 30


def now(world: World, vm: VirtualMachine) -> VirtualMachine:
    found = world.inventory.get(VirtualMachine, vm.id)
    assert found is not None
    return found


def vm_off(world: World) -> VirtualMachine:
    """A VM that is off, with a SCSI disk."""
    return next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if not vm.template and vm.power_state is vcenter_vm.Power.State.POWERED_OFF and "2000" in vm.disks
    )


def free(world: World, vm: VirtualMachine) -> int:
    store = world.inventory.get(Datastore, vm.datastore)
    assert store is not None
    return free_space(world.inventory, store)


def new(**fields: object) -> Disk.CreateSpec:
    capacity = fields.pop("capacity", GIB)
    name = fields.pop("name", None)
    return Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=capacity, name=name), **fields)  # type: ignore[arg-type]


def existing(path: str) -> Disk.CreateSpec:
    return Disk.CreateSpec(backing=Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path))


def refused(error: pytest.ExceptionInfo[VapiError]) -> str:
    return error.value.messages[0].id


def test_a_new_disk_goes_to_the_first_place_and_takes_room(world: World) -> None:
    vm = vm_off(world)
    before = free(world, vm)
    key = world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI))
    disk = world.call(Disk.get, Id(vm.id), key)
    assert disk.scsi is not None
    assert key == str(2000 + 16 * disk.scsi.bus + disk.scsi.unit)
    assert key not in vm.disks
    assert disk.capacity == GIB
    assert disk.backing.vmdk_file not in [each.backing.vmdk_file for each in vm.disks.values()]
    assert str(disk.backing.vmdk_file).startswith(vm.vmx_path.rpartition("/")[0] + "/")
    assert free(world, vm) == before - GIB
    assert len({each.label for each in now(world, vm).disks.values()}) == len(vm.disks) + 1


def test_unset_fields_get_the_guests_defaults(world: World) -> None:
    vm = world.change(vm_off(world), guest_OS=vcenter_vm.GuestOS.UBUNTU_64)
    disk = world.call(
        Disk.get, Id(vm.id), world.call(Disk.create, Id(vm.id), Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec()))
    )
    assert (disk.type, disk.capacity) == (Bus.SCSI, 16 * GIB)


def test_an_asked_place_and_name(world: World) -> None:
    vm = vm_off(world)
    key = world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=0, unit=9), name="logs"))
    assert key == "2009"
    assert str(world.call(Disk.get, Id(vm.id), key).backing.vmdk_file).endswith("/logs.vmdk")
    with pytest.raises(ResourceInUse) as error:
        world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=0, unit=9)))
    assert refused(error) == "resphere.vm.hardware.unit_in_use"
    with pytest.raises(ResourceInUse) as error:
        world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, name="logs"))
    assert refused(error) == "resphere.vm.disk.file_exists"


@pytest.mark.parametrize(
    ("spec", "id"),
    [
        (Disk.CreateSpec(), "resphere.vm.disk.backing"),
        (new(capacity=0), "resphere.vm.disk.capacity"),
        (new(capacity=(62 << 40) + 1), "resphere.vm.disk.capacity"),
        (new(type=Bus.SCSI, name=""), "resphere.vm.disk.name"),
        (new(type=Bus.SCSI, name="a/b"), "resphere.vm.disk.name"),
        (new(type=Bus.SCSI, name="x" * 81), "resphere.vm.disk.name"),
        (new(type=Bus.SCSI, sata=SataAddressSpec(bus=0)), EXTRA),
        (new(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=0, unit=7)), "resphere.vm.hardware.no_unit"),
        (new(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=3)), "resphere.vm.hardware.no_bus"),
    ],
)
def test_specs_that_no_disk_can_have(world: World, spec: Disk.CreateSpec, id: str) -> None:
    vm = vm_off(world)
    with pytest.raises(InvalidArgument) as error:
        world.call(Disk.create, Id(vm.id), spec)
    assert refused(error) == id
    assert now(world, vm) == vm


def test_the_datastore_must_have_room_and_be_accessible(world: World) -> None:
    vm = vm_off(world)
    store = world.inventory.get(Datastore, vm.datastore)
    assert store is not None
    world.change(store, other_used=free(world, vm) - GIB)
    with pytest.raises(UnableToAllocateResource) as error:
        world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, capacity=GIB + 1))
    assert refused(error) == "resphere.vm.disk.no_room"
    world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, capacity=GIB))
    assert free(world, vm) == 0
    world.change(store, accessible=False)
    with pytest.raises(ResourceInaccessible) as inaccessible:
        world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI))
    assert refused(inaccessible) == "resphere.vm.disk.inaccessible"


def test_a_removed_disk_leaves_its_file_which_can_be_attached_again(world: World) -> None:
    vm = vm_off(world)
    before = free(world, vm)
    disk = vm.disks[Key("2000")]
    path = str(disk.backing.vmdk_file)
    boot = (
        Device.Entry(type=Device.Type.DISK, disks=(Key("2000"),)),
        Device.Entry(type=Device.Type.CDROM),
    )
    world.change(vm, boot_devices=boot)
    with pytest.raises(ResourceBusy) as error:
        world.call(Disk.create, Id(vm.id), existing(path))
    assert refused(error) == "resphere.vm.disk.in_use"
    world.call(Disk.delete, Id(vm.id), Key("2000"))
    assert now(world, vm).boot_devices == boot[1:]
    assert free(world, vm) == before
    spec = Disk.CreateSpec(type=Bus.SCSI, backing=Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path))
    assert world.call(Disk.get, Id(vm.id), world.call(Disk.create, Id(vm.id), spec)) == disk
    assert file_at(world.inventory, vm.datastore, path) is None
    assert free(world, vm) == before


def test_a_removed_disk_outlives_its_vm_and_goes_to_another(world: World) -> None:
    vm, other = (v for v, _ in zip(vms_on_one_datastore(world), range(2), strict=False))
    path = str(vm.disks[Key("2000")].backing.vmdk_file)
    world.call(Disk.delete, Id(vm.id), Key("2000"))
    world.call(vcenter.VM.delete, Id(vm.id))
    before = free(world, other)
    key = world.call(Disk.create, Id(other.id), existing(path))
    assert world.call(Disk.get, Id(other.id), key).backing.vmdk_file == path
    assert free(world, other) == before
    with pytest.raises(ResourceBusy):
        world.call(Disk.create, Id(other.id), existing(path))


def test_a_revert_takes_no_disk_from_another_vm(world: World) -> None:
    vm, other = (v for v, _ in zip(vms_on_one_datastore(world), range(2), strict=False))
    snapshot = world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name="with the disk"))
    path = str(vm.disks[Key("2000")].backing.vmdk_file)
    before = free(world, vm)
    world.call(Disk.delete, Id(vm.id), Key("2000"))
    key = world.call(Disk.create, Id(other.id), existing(path))
    with pytest.raises(ResourceBusy) as error:
        world.call(VmSnapshots.revert, Id(vm.id), snapshot)
    assert refused(error) == "resphere.vm.disk.in_use"
    assert Key("2000") not in now(world, vm).disks
    world.call(Disk.delete, Id(other.id), key)
    world.call(VmSnapshots.revert, Id(vm.id), snapshot)
    assert now(world, vm).disks == vm.disks
    assert file_at(world.inventory, vm.datastore, path) is None
    assert free(world, vm) == before


def vms_on_one_datastore(world: World) -> list[VirtualMachine]:
    """VMs with SCSI disks, all of them off, on the same datastore and host."""
    first = vm_off(world)
    alike = [vm for vm in world.inventory.by(VirtualMachine, "datastore", first.datastore).values() if vm.scsi_adapters]
    off = vcenter_vm.Power.State.POWERED_OFF
    return [
        world.change(vm, power_state=off, host=first.host) for vm in alike if "2000" in vm.disks and not vm.template
    ]


def test_a_file_that_an_earlier_release_kept_with_its_vm(world: World) -> None:
    vm = vm_off(world)
    path = vm.vmx_path.replace(".vmx", "_old.vmdk")
    before = free(world, vm)
    world.change(vm, detached_vmdks={path: GIB})
    assert free(world, vm) == before - GIB
    key = world.call(Disk.create, Id(vm.id), existing(path))
    assert (now(world, vm).detached_vmdks, now(world, vm).disks[key].capacity) == ({}, GIB)
    world.call(Disk.delete, Id(vm.id), key)
    assert free(world, vm) == before - GIB


def test_several_disks_at_once_find_room_together_or_not_at_all(world: World) -> None:
    vm = vm_off(world)
    store = world.inventory.get(Datastore, vm.datastore)
    assert store is not None
    rest = free(world, vm)
    world.change(store, other_used=store.other_used + rest - 3 * GIB)

    async def both() -> list[object]:
        spec = new(type=Bus.SCSI, capacity=2 * GIB)
        calls = (world.begin(Disk.create, Id(vm.id), spec) for _ in range(2))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    results = world.run(both())
    assert sorted(type(result).__name__ for result in results) == ["UnableToAllocateResource", "str"]
    assert free(world, vm) == GIB


def test_another_file_for_a_disk(world: World) -> None:
    vm = vm_off(world)
    before = now(world, vm).disks[Key("2000")]
    spare = world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, name="spare"))
    path = str(world.call(Disk.get, Id(vm.id), spare).backing.vmdk_file)
    world.call(Disk.delete, Id(vm.id), spare)
    backing = Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
    world.call(Disk.update, Id(vm.id), Key("2000"), Disk.UpdateSpec(backing=backing))
    disk = world.call(Disk.get, Id(vm.id), Key("2000"))
    assert (disk.backing.vmdk_file, disk.capacity, disk.label) == (path, GIB, before.label)
    left = file_at(world.inventory, vm.datastore, str(before.backing.vmdk_file))
    assert left is not None
    assert (left.parent, left.capacity) == (vm.datastore, before.capacity)
    assert file_at(world.inventory, vm.datastore, path) is None
    world.call(Disk.update, Id(vm.id), Key("2000"), Disk.UpdateSpec())
    assert world.call(Disk.get, Id(vm.id), Key("2000")) == disk


@pytest.mark.parametrize("path", ["[nowhere] a/a.vmdk", "a.vmdk", ""])
def test_an_unknown_file(world: World, path: str) -> None:
    vm = vm_off(world)
    with pytest.raises(NotFound) as error:
        world.call(Disk.create, Id(vm.id), existing(path))
    assert refused(error) == "resphere.vm.disk.no_file"


def test_what_power_states_allow(world: World) -> None:
    vm = vm_off(world)
    spare = world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI, name="spare"))
    path = str(world.call(Disk.get, Id(vm.id), spare).backing.vmdk_file)
    world.call(Disk.delete, Id(vm.id), spare)
    world.call(vcenter_vm.Power.start, Id(vm.id))
    hot = world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI))
    ide = new(type=Bus.IDE, ide=IdeAddressSpec(primary=True, master=True))
    other = Disk.UpdateSpec(backing=Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path))
    acts: tuple[Callable[[], object], ...] = (
        lambda: world.call(Disk.create, Id(vm.id), ide),
        lambda: world.call(Disk.update, Id(vm.id), hot, other),
    )
    for act in acts:
        with pytest.raises(NotAllowedInCurrentState) as error:
            act()
        assert refused(error) == "resphere.vm.hardware.power_state"
    world.call(Disk.delete, Id(vm.id), hot)
    world.call(vcenter_vm.Power.suspend, Id(vm.id))
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Disk.create, Id(vm.id), new(type=Bus.SCSI))
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Disk.delete, Id(vm.id), Key("2000"))
    world.call(vcenter_vm.Power.stop, Id(vm.id))
    key = world.call(Disk.create, Id(vm.id), ide)
    assert key == "3000"


def test_an_unknown_disk(world: World) -> None:
    vm = vm_off(world)
    acts: tuple[Callable[[], None], ...] = (
        lambda: world.call(Disk.delete, Id(vm.id), Key("9")),
        lambda: world.call(Disk.update, Id(vm.id), Key("9"), Disk.UpdateSpec()),
    )
    for act in acts:
        with pytest.raises(NotFound) as error:
            act()
        assert refused(error) == "resphere.vm.hardware.no_device"
