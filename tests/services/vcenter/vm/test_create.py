"""New virtual machines: what is proposed where the spec is silent, every device it can ask for, and every refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceInaccessible,
    ResourceInUse,
    UnableToAllocateResource,
    Unsupported,
    VapiError,
)
from resphere.contract.generated import ids, vcenter, vcenter_storage, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import (
    Boot,
    Cdrom,
    Cpu,
    Disk,
    Ethernet,
    Floppy,
    IdeAddressSpec,
    Memory,
    NvmeAddressSpec,
    Parallel,
    SataAddressSpec,
    ScsiAddressSpec,
    Serial,
)
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.model import (
    KINDS,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    VirtualMachine,
)
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.provider import Simulator
from resphere.rules.space import free_space
from resphere.tasks.record import Task
from tests.inventory import samples
from tests.support.soundness import problems
from tests.support.world import World

VM = vcenter.VM
GuestOS = vcenter_vm.GuestOS
Version = vcenter_vm.Hardware.Version
Bus = Disk.HostBusAdapterType
GIB = 1 << 30
T = TypeVar("T", bound=ManagedObject)
PLACE = VM.PlacementSpec(
    folder=ids.FolderId("group-v3"),
    cluster=ids.ClusterComputeResourceId("domain-c8"),
    datastore=ids.DatastoreId("datastore-15"),
)
DISTRIBUTED = Network(
    id="dvportgroup-20",
    name="blue",
    parent="group-n3",
    type=vcenter.Network.Type.DISTRIBUTED_PORTGROUP,
    distributed_switch="dvs-21",
    distributed_switch_uuid="50 0b 00 11 22 33 44 55-66 77 88 99 aa bb cc dd",
)
OPAQUE = Network(id="network-o30", name="nsx", parent="group-n3", type=vcenter.Network.Type.OPAQUE_NETWORK)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    objects = [
        msgspec.structs.replace(obj, networks=(*obj.networks, DISTRIBUTED.id, OPAQUE.id))
        if isinstance(obj, Host)
        else obj
        for obj in samples.skeleton()
    ]
    with World(tmp_path, [*objects, DISTRIBUTED, OPAQUE]) as world:
        yield world
        everything = [obj for cls in KINDS.values() for obj in world.inventory.all(cls).values()]
        assert [each for each in problems(everything) if "resource_pool" not in each] == []


def spec(**fields: Any) -> VM.CreateSpec:
    return VM.CreateSpec(**{"guest_OS": GuestOS.RHEL_8_64, "name": "web", "placement": PLACE, **fields})


def made(world: World, **fields: Any) -> VM.Info:
    return world.call(VM.get, world.call(VM.create, spec(**fields)))


def stored(world: World, vm: str) -> VirtualMachine:
    return found(world, VirtualMachine, vm)


def found(world: World, cls: type[T], id: str) -> T:
    obj = world.inventory.get(cls, id)
    assert obj is not None
    return obj


def only(devices: dict[Any, Any]) -> Any:
    (device,) = devices.values()
    return device


def vmdk(capacity: int | None = GIB, name: str | None = None) -> Disk.VmdkCreateSpec:
    return Disk.VmdkCreateSpec(capacity=capacity, name=name)


def existing(path: str) -> Disk.BackingSpec:
    return Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)


def test_the_smallest_spec(world: World) -> None:
    vm = world.call(VM.create, VM.CreateSpec(guest_OS=GuestOS.RHEL_8_64, placement=PLACE))
    info = world.call(VM.get, vm)
    assert info.name == "New Virtual Machine"
    assert (info.power_state, info.hardware.version) == (vcenter_vm.Power.State.POWERED_OFF, Version.VMX_21)
    assert (info.cpu.count, info.cpu.cores_per_socket, info.memory.size_MiB) == (1, 1, 2048)
    assert (info.boot.type, info.boot.network_protocol) == (Boot.Type.EFI, Boot.NetworkProtocol.IPV4)
    assert (only(info.scsi_adapters).type, info.sata_adapters, info.nvme_adapters) == (Scsi.Type.PVSCSI, {}, {})
    disk = info.disks[ids.VcenterVmHardwareDiskId("2000")]
    assert (disk.label, disk.type, disk.capacity) == ("Hard disk 1", Bus.SCSI, 16 * GIB)
    folder = "[sample-ds-1] New Virtual Machine/New Virtual Machine"
    assert disk.backing.vmdk_file == f"{folder}.vmdk"
    assert (info.nics, info.cdroms, info.floppies, info.parallel_ports, info.serial_ports) == ({}, {}, {}, {}, {})
    kept = stored(world, vm)
    assert (kept.vmx_path, kept.datastore, kept.parent) == (f"{folder}.vmx", "datastore-15", "group-v3")
    assert (kept.resource_pool, kept.host) == ("resgroup-9", "host-11")
    assert len({kept.bios_uuid, kept.instance_uuid}) == 2
    assert kept.tools.version_status is vcenter_vm.Tools.VersionStatus.NOT_INSTALLED
    assert made(world, name=None).name == "New Virtual Machine (1)"


def test_the_task_tells_of_it(world: World) -> None:
    vm = world.call(VM.create, spec())
    (task,) = world.inventory.all(Task).values()
    assert (task.description, task.target, task.result, str(task.status)) == (
        "Folder.createVm",
        "group-v3",
        vm,
        "SUCCEEDED",
    )


@pytest.mark.parametrize("guest_OS", list(GuestOS))
def test_every_guest_has_defaults(world: World, guest_OS: GuestOS) -> None:
    info = made(world, guest_OS=guest_OS, cdroms=(Cdrom.CreateSpec(),), nics=(Ethernet.CreateSpec(),))
    assert info.guest_OS is guest_OS
    assert len(info.disks) == len(info.cdroms) == len(info.nics) == 1


@pytest.mark.parametrize(
    ("guest_OS", "bus", "scsi", "nic", "cdrom"),
    [
        (GuestOS.RHEL_8_64, Bus.SCSI, Scsi.Type.PVSCSI, Ethernet.EmulationType.VMXNET3, "SATA"),
        (GuestOS.WINDOWS_9_SERVER_64, Bus.SCSI, Scsi.Type.LSILOGICSAS, Ethernet.EmulationType.E1000E, "SATA"),
        (GuestOS.WINDOWS_11_64, Bus.NVME, None, Ethernet.EmulationType.E1000E, "SATA"),
        (GuestOS.WIN_XP_PRO, Bus.IDE, None, Ethernet.EmulationType.E1000, "IDE"),
    ],
)
def test_adapters_are_those_of_the_guest(
    world: World,
    guest_OS: GuestOS,
    bus: Disk.HostBusAdapterType,
    scsi: Scsi.Type | None,
    nic: Ethernet.EmulationType,
    cdrom: str,
) -> None:
    info = made(world, guest_OS=guest_OS, nics=(Ethernet.CreateSpec(),), cdroms=(Cdrom.CreateSpec(),))
    assert (only(info.disks).type, only(info.nics).type, only(info.cdroms).type) == (bus, nic, cdrom)
    assert [adapter.type for adapter in info.scsi_adapters.values()] == ([scsi] if scsi else [])
    assert len(info.nvme_adapters or {}) == (bus is Bus.NVME)
    assert len(info.sata_adapters) == (cdrom == "SATA")


def test_an_exhaustive_spec(world: World) -> None:
    network = ids.NetworkId("network-17")
    boot = [Device.Type.CDROM, Device.Type.DISK, Device.Type.ETHERNET]
    info = made(
        world,
        hardware_version=Version.VMX_19,
        boot=Boot.CreateSpec(type=Boot.Type.BIOS, delay=5, retry=True, retry_delay=20, enter_setup_mode=True),
        boot_devices=tuple(Device.EntryCreateSpec(type=kind) for kind in boot),
        cpu=Cpu.UpdateSpec(count=4, cores_per_socket=2, hot_add_enabled=True, hot_remove_enabled=True),
        memory=Memory.UpdateSpec(size_MiB=4096, hot_add_enabled=True),
        scsi_adapters=(Scsi.CreateSpec(type=Scsi.Type.LSILOGIC), Scsi.CreateSpec(bus=2)),
        sata_adapters=(Sata.CreateSpec(),),
        nvme_adapters=(Nvme.CreateSpec(pci_slot_number=300),),
        disks=(
            Disk.CreateSpec(new_vmdk=vmdk(name="first")),
            Disk.CreateSpec(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=0, unit=0), new_vmdk=vmdk(2 * GIB)),
            Disk.CreateSpec(type=Bus.SATA, sata=SataAddressSpec(bus=0, unit=5), new_vmdk=vmdk()),
            Disk.CreateSpec(type=Bus.NVME, nvme=NvmeAddressSpec(bus=0), new_vmdk=vmdk()),
            Disk.CreateSpec(type=Bus.IDE, ide=IdeAddressSpec(primary=True, master=True), new_vmdk=vmdk()),
        ),
        nics=(
            Ethernet.CreateSpec(
                start_connected=True,
                mac_type=Ethernet.MacAddressType.MANUAL,
                mac_address="11:23:58:13:21:34",
                wake_on_lan_enabled=True,
                backing=Ethernet.BackingSpec(type=Ethernet.BackingType.STANDARD_PORTGROUP, network=network),
            ),
            Ethernet.CreateSpec(
                type=Ethernet.EmulationType.E1000,
                mac_type=Ethernet.MacAddressType.ASSIGNED,
                backing=Ethernet.BackingSpec(
                    type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=ids.NetworkId(DISTRIBUTED.id)
                ),
            ),
            Ethernet.CreateSpec(
                backing=Ethernet.BackingSpec(
                    type=Ethernet.BackingType.OPAQUE_NETWORK, network=ids.NetworkId(OPAQUE.id)
                ),
            ),
        ),
        cdroms=(
            Cdrom.CreateSpec(
                backing=Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file="[sample-ds-1] a.iso")
            ),
            Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.IDE, start_connected=True),
        ),
        floppies=(Floppy.CreateSpec(backing=Floppy.BackingSpec(type=Floppy.BackingType.CLIENT_DEVICE)),),
        serial_ports=(
            Serial.CreateSpec(
                backing=Serial.BackingSpec(type=Serial.BackingType.NETWORK_SERVER, network_location="tcp://:1234")
            ),
        ),
        parallel_ports=(Parallel.CreateSpec(start_connected=False),),
    )
    assert (info.hardware.version, info.boot.type, info.boot.delay, info.boot.enter_setup_mode) == (
        Version.VMX_19,
        Boot.Type.BIOS,
        5,
        True,
    )
    assert (info.cpu.count, info.cpu.hot_add_enabled) == (4, True)
    assert (info.memory.hot_add_enabled, info.memory.hot_add_limit_MiB) == (True, None)
    assert [(a.type, a.scsi.bus) for a in info.scsi_adapters.values()] == [
        (Scsi.Type.LSILOGIC, 0),
        (Scsi.Type.LSILOGIC, 2),
    ]
    assert only(info.nvme_adapters or {}).pci_slot_number == 300
    # The place that is asked for is kept free by those that choose; labels go by the order of the spec.
    assert {key: (disk.label, disk.capacity) for key, disk in info.disks.items()} == {
        "2000": ("Hard disk 2", 2 * GIB),
        "2001": ("Hard disk 1", GIB),
        "3000": ("Hard disk 5", GIB),
        "16005": ("Hard disk 3", GIB),
        "32000": ("Hard disk 4", GIB),
    }
    first = info.disks[ids.VcenterVmHardwareDiskId("2001")]
    assert first.backing.vmdk_file == "[sample-ds-1] web/first.vmdk"
    assert len({disk.backing.vmdk_file for disk in info.disks.values()}) == 5
    nics = list(info.nics.values())
    assert [nic.backing.network for nic in nics] == ["network-17", DISTRIBUTED.id, OPAQUE.id]
    assert [nic.type for nic in nics] == ["VMXNET3", "E1000", "VMXNET3"]
    assert (nics[0].mac_address, nics[0].start_connected, nics[0].state) == (
        "11:23:58:13:21:34",
        True,
        "NOT_CONNECTED",
    )
    assert str(nics[1].mac_address).startswith("00:50:56:")
    assert [cdrom.type for cdrom in info.cdroms.values()] == ["IDE", "SATA"]
    assert (len(info.floppies), len(info.serial_ports), len(info.parallel_ports)) == (1, 1, 1)
    assert [entry.type for entry in info.boot_devices] == ["CDROM", "DISK", "ETHERNET", "ETHERNET", "ETHERNET"]
    assert info.boot_devices[1].disks == tuple(sorted(info.disks, key=int))
    assert [entry.nic for entry in info.boot_devices[2:]] == ["4000", "4001", "4002"]


def test_no_disk_where_the_list_is_empty(world: World) -> None:
    info = made(world, disks=())
    assert (info.disks, info.scsi_adapters) == ({}, {})


def test_as_many_adapters_as_the_disks_need(world: World) -> None:
    info = made(world, disks=tuple(Disk.CreateSpec(new_vmdk=vmdk(1)) for _ in range(31)))
    assert (len(info.disks), len(info.scsi_adapters)) == (31, 3)
    on_third = Disk.CreateSpec(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=2), new_vmdk=vmdk())
    assert list(made(world, name="other", disks=(on_third,)).scsi_adapters) == ["1002"]


def test_a_disk_on_a_file_that_was_left(world: World) -> None:
    vm = world.call(VM.create, spec(name="old"))
    path = str(only(world.call(VM.get, vm).disks).backing.vmdk_file)
    key = next(iter(world.call(VM.get, vm).disks))
    world.call(Disk.delete, vm, key)
    world.call(VM.delete, vm)
    store = found(world, Datastore, "datastore-15")
    before = free_space(world.inventory, store)
    info = made(world, disks=(Disk.CreateSpec(backing=existing(path)),))
    assert (only(info.disks).backing.vmdk_file, only(info.disks).capacity) == (path, 16 * GIB)
    assert free_space(world.inventory, store) == before
    # Its folder is still there, so the next VM of that name gets another.
    assert stored(world, world.call(VM.create, spec(name="old"))).vmx_path == "[sample-ds-1] old_1/old_1.vmx"


def test_vms_of_one_name_in_two_folders_have_files_of_their_own(world: World) -> None:
    other = Folder(id="group-v40", name="other", parent="group-v3", type=vcenter.Folder.Type.VIRTUAL_MACHINE)
    world.put(other)
    elsewhere = msgspec.structs.replace(PLACE, folder=ids.FolderId(other.id))
    first, second = world.call(VM.create, spec()), world.call(VM.create, spec(placement=elsewhere))
    assert stored(world, first).vmx_path == "[sample-ds-1] web/web.vmx"
    assert stored(world, second).vmx_path == "[sample-ds-1] web_1/web_1.vmx"


def test_a_name_that_no_folder_on_a_datastore_can_have(world: World) -> None:
    vm = stored(world, world.call(VM.create, spec(name="a/b\\c")))
    assert (vm.name, vm.vmx_path) == ("a/b\\c", "[sample-ds-1] a_b_c/a_b_c.vmx")
    assert stored(world, world.call(VM.create, spec(name=".."))).vmx_path == "[sample-ds-1] vm/vm.vmx"
    assert stored(world, world.call(VM.create, spec(name="[a] b"))).vmx_path == "[sample-ds-1] _a_ b/_a_ b.vmx"


def test_it_takes_room_and_gives_it_back(world: World) -> None:
    store = found(world, Datastore, "datastore-15")
    before = free_space(world.inventory, store)
    vm = world.call(VM.create, spec())
    assert free_space(world.inventory, store) == before - 16 * GIB
    world.call(VM.delete, vm)
    assert free_space(world.inventory, store) == before


def test_it_can_be_powered_on(world: World) -> None:
    vm = world.call(VM.create, spec(nics=(Ethernet.CreateSpec(start_connected=True),)))
    world.call(vcenter_vm.Power.start, vm)
    info = world.call(VM.get, vm)
    assert (info.power_state, only(info.nics).state) == ("POWERED_ON", "CONNECTED")


GONE = Ethernet.BackingSpec(type=Ethernet.BackingType.STANDARD_PORTGROUP, network=ids.NetworkId("network-99"))
WRONG = Ethernet.BackingSpec(type=Ethernet.BackingType.STANDARD_PORTGROUP, network=ids.NetworkId(OPAQUE.id))


@pytest.mark.parametrize(
    ("fields", "error", "id"),
    [
        ({"placement": None}, InvalidArgument, "resphere.vm.placement.none"),
        ({"placement": VM.PlacementSpec()}, InvalidArgument, "resphere.vm.placement.no_folder"),
        ({"name": ""}, InvalidArgument, "resphere.inventory.name"),
        ({"name": "x" * 81}, InvalidArgument, "resphere.inventory.name"),
        ({"name": "a\0b"}, InvalidArgument, "resphere.inventory.name"),
        ({"hardware_version": Version.VMX_22}, InvalidArgument, "resphere.vm.create.hardware_version"),
        ({"guest_OS": GuestOS.RHEL_9_64, "hardware_version": Version.VMX_13}, Unsupported, None),
        ({"cpu": Cpu.UpdateSpec(count=0)}, InvalidArgument, "resphere.vm.cpu.count"),
        ({"memory": Memory.UpdateSpec(size_MiB=5)}, InvalidArgument, "resphere.vm.memory.size"),
        ({"boot": Boot.CreateSpec(delay=-1)}, InvalidArgument, "resphere.vm.boot.delay"),
        ({"disks": (Disk.CreateSpec(),)}, InvalidArgument, "resphere.vm.disk.backing"),
        ({"disks": (Disk.CreateSpec(new_vmdk=vmdk(0)),)}, InvalidArgument, "resphere.vm.disk.capacity"),
        ({"disks": (Disk.CreateSpec(new_vmdk=vmdk(name="a/b")),)}, InvalidArgument, "resphere.vm.disk.name"),
        ({"disks": (Disk.CreateSpec(new_vmdk=vmdk(name="[a] b")),)}, InvalidArgument, "resphere.vm.disk.name"),
        ({"disks": (Disk.CreateSpec(new_vmdk=vmdk(name="a")),) * 2}, ResourceInUse, "resphere.vm.disk.file_exists"),
        ({"disks": (Disk.CreateSpec(backing=existing("[sample-ds-1] x/x.vmdk")),)}, NotFound, None),
        ({"disks": (Disk.CreateSpec(new_vmdk=vmdk(61 << 40)),)}, UnableToAllocateResource, "resphere.vm.disk.no_room"),
        (
            {"disks": (Disk.CreateSpec(new_vmdk=vmdk(3 << 40)),) * 2},
            UnableToAllocateResource,
            "resphere.vm.disk.no_room",
        ),
        (
            {
                "disks": (
                    Disk.CreateSpec(type=Bus.IDE, ide=IdeAddressSpec(primary=True, master=True), new_vmdk=vmdk()),
                )
                * 2
            },
            ResourceInUse,
            "resphere.vm.hardware.unit_in_use",
        ),
        (
            {"disks": (Disk.CreateSpec(type=Bus.IDE, new_vmdk=vmdk(1)),) * 5},
            UnableToAllocateResource,
            "resphere.vm.hardware.no_free_unit",
        ),
        ({"disks": (Disk.CreateSpec(new_vmdk=vmdk(1)),) * 61}, UnableToAllocateResource, None),
        (
            {"disks": (Disk.CreateSpec(type=Bus.SCSI, scsi=ScsiAddressSpec(bus=9), new_vmdk=vmdk()),)},
            InvalidArgument,
            "resphere.vm.hardware.no_bus",
        ),
        ({"scsi_adapters": ()}, UnableToAllocateResource, "resphere.vm.hardware.no_free_unit"),
        ({"scsi_adapters": (Scsi.CreateSpec(bus=0),) * 2}, ResourceInUse, "resphere.vm.adapter.bus_in_use"),
        ({"scsi_adapters": (Scsi.CreateSpec(bus=7),)}, InvalidArgument, "resphere.vm.adapter.bus"),
        ({"nvme_adapters": (Nvme.CreateSpec(),) * 5}, UnableToAllocateResource, "resphere.vm.hardware.too_many"),
        ({"nics": (Ethernet.CreateSpec(),) * 11}, UnableToAllocateResource, "resphere.vm.hardware.too_many"),
        ({"nics": (Ethernet.CreateSpec(backing=GONE),)}, NotFound, "com.vmware.api.vcenter.network.not_found"),
        ({"nics": (Ethernet.CreateSpec(backing=WRONG),)}, InvalidArgument, "resphere.vm.ethernet.backing_type"),
        (
            {"nics": (Ethernet.CreateSpec(mac_type=Ethernet.MacAddressType.MANUAL, mac_address="x"),)},
            InvalidArgument,
            "resphere.vm.ethernet.mac_address",
        ),
        ({"floppies": (Floppy.CreateSpec(),) * 3}, UnableToAllocateResource, "resphere.vm.hardware.too_many"),
        (
            {"boot_devices": (Device.EntryCreateSpec(type=Device.Type.ETHERNET),)},
            InvalidArgument,
            "resphere.vm.create.no_boot_device",
        ),
        (
            {"boot_devices": (Device.EntryCreateSpec(type=Device.Type.CDROM),) * 2},
            InvalidArgument,
            "resphere.vm.create.boot_device_twice",
        ),
    ],
)
def test_what_is_refused(world: World, fields: dict[str, Any], error: type[VapiError], id: str | None) -> None:
    with pytest.raises(error) as refused:
        world.call(VM.create, spec(**fields))
    assert id is None or refused.value.messages[0].id == id
    assert not world.inventory.all(VirtualMachine)
    assert not world.inventory.all(Task)


def test_storage_policies(world: World) -> None:
    policy = world.call(vcenter_storage.Policies.list, None)[0].policy
    disk = vmdk()
    disk = msgspec.structs.replace(disk, storage_policy=Disk.StoragePolicySpec(policy=policy))
    fields = {"storage_policy": VM.StoragePolicySpec(policy=policy), "disks": (Disk.CreateSpec(new_vmdk=disk),)}
    vm = stored(world, world.call(VM.create, spec(**fields)))
    assert (vm.storage_policy, list(vm.disk_policies.values())) == (policy, [policy])
    unknown = VM.StoragePolicySpec(policy=ids.VcenterStoragePolicyId("none"))
    with pytest.raises(InvalidArgument) as refused:
        world.call(VM.create, spec(name="other", storage_policy=unknown))
    assert refused.value.messages[0].id == "resphere.storage_policy.unknown"


def test_a_guest_too_new_for_the_hardware_if_all_is_given(world: World) -> None:
    fields = {"guest_OS": GuestOS.RHEL_9_64, "hardware_version": Version.VMX_13}
    with pytest.raises(Unsupported) as refused:
        made(world, **fields)
    assert refused.value.messages[0].id == "resphere.vm.create.guest_version"
    given = {"boot": Boot.CreateSpec(), "cpu": Cpu.UpdateSpec(), "memory": Memory.UpdateSpec(), "disks": ()}
    assert made(world, **fields, **given).hardware.version is Version.VMX_13


def test_a_name_that_is_taken(world: World) -> None:
    world.call(VM.create, spec())
    with pytest.raises(AlreadyExists) as refused:
        world.call(VM.create, spec())
    assert refused.value.messages[0].id == "vmsg.DuplicateName.summary"


def test_a_file_that_another_vm_uses(world: World) -> None:
    path = str(only(made(world, name="first").disks).backing.vmdk_file)
    with pytest.raises(ResourceInUse) as refused:
        world.call(VM.create, spec(disks=(Disk.CreateSpec(backing=existing(path)),)))
    assert refused.value.messages[0].id == "resphere.vm.disk.in_use"


def test_a_host_or_datastore_out_of_reach(world: World) -> None:
    at_host = VM.PlacementSpec(folder=PLACE.folder, host=ids.HostSystemId("host-11"), datastore=PLACE.datastore)
    host, store = found(world, Host, "host-11"), found(world, Datastore, "datastore-15")
    world.change(host, in_maintenance_mode=True)
    with pytest.raises(ResourceInaccessible):
        world.call(VM.create, spec(placement=at_host))
    world.change(host, in_maintenance_mode=False, networks=("network-18",))
    nic = Ethernet.CreateSpec(
        backing=Ethernet.BackingSpec(type=Ethernet.BackingType.STANDARD_PORTGROUP, network=ids.NetworkId("network-17"))
    )
    with pytest.raises(InvalidArgument) as refused:
        world.call(VM.create, spec(placement=at_host, nics=(nic,)))
    assert refused.value.messages[0].id == "resphere.vm.placement.not_reached"
    assert stored(world, world.call(VM.create, spec(nics=(nic,)))).host == "host-111"
    world.change(store, accessible=False)
    with pytest.raises(ResourceInaccessible):
        world.call(VM.create, spec(name="other"))


def test_two_of_one_name_at_once(world: World) -> None:
    async def both() -> list[object]:
        calls = (world.begin(VM.create, spec()) for _ in range(2))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    results = world.run(both())
    assert sorted(type(result).__name__ for result in results) == ["AlreadyExists", "str"]
    assert len(world.inventory.all(VirtualMachine)) == 1


def test_many_at_once_never_overcommit(world: World) -> None:
    store = found(world, Datastore, "datastore-15")
    free = free_space(world.inventory, store)
    world.change(store, other_used=store.other_used + free - 50 * GIB)

    async def many() -> list[object]:
        calls = (world.begin(VM.create, spec(name=f"web-{number}")) for number in range(8))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    results = world.run(many())
    assert sorted(type(result).__name__ for result in results) == ["UnableToAllocateResource"] * 5 + ["str"] * 3
    assert free_space(world.inventory, found(world, Datastore, store.id)) == 2 * GIB


def test_work_that_takes_time_is_refused_before_it_begins(world: World) -> None:
    slow = Simulator(world.inventory, world.contents, world.environment.now, Durations(create_vm=0.01))
    world.environment = msgspec.structs.replace(world.environment, provider=slow)
    with pytest.raises(InvalidArgument):
        world.call(VM.create, spec(cpu=Cpu.UpdateSpec(count=0)))
    assert not world.inventory.all(Task)
    assert made(world).name == "web"
    assert len(world.inventory.all(Task)) == 1


@pytest.mark.parametrize(
    ("guest_OS", "version"),
    [
        (GuestOS.RHEL_7_64, Version.VMX_11),
        (GuestOS.DEBIAN_7_64, Version.VMX_10),
        (GuestOS.WINDOWS_9_64, Version.VMX_11),
        (GuestOS.WIN_XP_PRO, Version.VMX_07),
    ],
)
def test_guests_of_their_time_on_old_hardware(world: World, guest_OS: GuestOS, version: Version) -> None:
    """With all that is proposed, as playbooks ask that were written for old hosts."""
    vm = made(world, guest_OS=guest_OS, hardware_version=version)
    assert (vm.hardware.version, len(vm.disks)) == (version, 1)


def test_hardware_older_than_the_adapters_proposed(world: World) -> None:
    with pytest.raises(Unsupported) as refused:
        made(world, guest_OS=GuestOS.RHEL_7_64, hardware_version=Version.VMX_09)
    assert refused.value.messages[0].args == ("RHEL_7_64", "VMX_10", "VMX_09")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"boot": Boot.CreateSpec(delay=-1)}, "spec.boot.delay: "),
        ({"cpu": Cpu.UpdateSpec(count=0)}, "spec.cpu.count: "),
        ({"cpu": Cpu.UpdateSpec(count=3, cores_per_socket=2)}, "spec.cpu.cores_per_socket: "),
        ({"memory": Memory.UpdateSpec(size_MiB=3)}, "spec.memory.size_MiB: "),
        (
            {"disks": (Disk.CreateSpec(new_vmdk=vmdk()), Disk.CreateSpec(new_vmdk=vmdk(capacity=0)))},
            "spec.disks[1].new_vmdk.capacity: ",
        ),
        (
            {
                "nics": (
                    Ethernet.CreateSpec(
                        mac_type=Ethernet.MacAddressType.MANUAL,
                        mac_address="x",
                        backing=Ethernet.BackingSpec(
                            type=Ethernet.BackingType.OPAQUE_NETWORK, network=ids.NetworkId(OPAQUE.id)
                        ),
                    ),
                )
            },
            "spec.nics[0].mac_address: ",
        ),
    ],
)
def test_a_refusal_names_the_field_where_it_stands(world: World, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        world.call(VM.create, spec(**fields))
    assert refusal.value.messages[0].default_message.startswith(path)
