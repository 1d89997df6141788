"""Creates, registers and deletes virtual machines through the official SDK, from the smallest spec to all devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter.vm.hardware.adapter_client as adapters
import com.vmware.vcenter.vm.hardware.boot_client as boot
import com.vmware.vcenter.vm.hardware_client as hardware
import com.vmware.vcenter.vm_client as vm_services
import com.vmware.vcenter_client as vcenter

from tests.sdk.scripts.client import Given, raises, run_checks

GIB = 1024**3
NAME = "SDK VM"
Check = Callable[[Given, Any], None]


def placement(given: Given) -> Any:
    """As a script finds it: by the names of a datacenter's things, here the first of each."""
    client = given.client.vcenter
    cluster = client.Cluster.list()[0].cluster
    host = client.Host.list(vcenter.Host.FilterSpec(clusters={cluster}))[0].host
    detail = given.api(f"vcenter/host/{host}")
    stores = [store for store in client.Datastore.list() if store.datastore in detail["datastores"]]
    folders = client.Folder.list(
        vcenter.Folder.FilterSpec(type=vcenter.Folder.Type.VIRTUAL_MACHINE, datacenters={detail["datacenter"]})
    )
    return vcenter.VM.PlacementSpec(
        folder=folders[0].folder,
        cluster=cluster,
        datastore=max(stores, key=lambda store: store.free_space).datastore,
    )


def network(given: Given, kind: str) -> str:
    """A network of a kind that hosts of the placement's cluster are connected to."""
    cluster = given.client.vcenter.Cluster.list()[0].cluster
    host = given.client.vcenter.Host.list(vcenter.Host.FilterSpec(clusters={cluster}))[0].host
    reached = given.api(f"vcenter/host/{host}")["networks"]
    found = given.client.vcenter.Network.list(vcenter.Network.FilterSpec(types={kind}, networks=set(reached)))
    identity: str = found[0].network
    return identity


def create_default(given: Given, place: Any) -> None:
    vm = given.client.vcenter.VM.create(
        vcenter.VM.CreateSpec(name=NAME, guest_os=vm_services.GuestOS.RHEL_7_64, placement=place)
    )
    info = given.client.vcenter.VM.get(vm)
    assert (info.name, info.guest_os, info.power_state) == (NAME, "RHEL_7_64", "POWERED_OFF")
    assert [disk.type for disk in info.disks.values()] == ["SCSI"]
    assert [adapter.type for adapter in info.scsi_adapters.values()] == ["PVSCSI"]
    assert (info.nics, info.cdroms) == ({}, {})
    found = given.client.vcenter.VM.list(vcenter.VM.FilterSpec(names={NAME}))
    assert [each.vm for each in found] == [vm]
    given.client.vcenter.vm.Power.start(vm)
    given.client.vcenter.vm.Power.stop(vm)
    given.client.vcenter.VM.delete(vm)
    assert given.client.vcenter.VM.list(vcenter.VM.FilterSpec(names={NAME})) == []


def create_basic(given: Given, place: Any) -> None:
    standard = network(given, vcenter.Network.Type.STANDARD_PORTGROUP)
    boot_disk = hardware.Disk.CreateSpec(
        type=hardware.Disk.HostBusAdapterType.SCSI,
        scsi=hardware.ScsiAddressSpec(bus=0, unit=0),
        new_vmdk=hardware.Disk.VmdkCreateSpec(),
    )
    data_disk = hardware.Disk.CreateSpec(new_vmdk=hardware.Disk.VmdkCreateSpec(capacity=2 * GIB))
    backing = hardware.Ethernet.BackingSpec(type=hardware.Ethernet.BackingType.STANDARD_PORTGROUP, network=standard)
    vm = given.client.vcenter.VM.create(
        vcenter.VM.CreateSpec(
            guest_os=vm_services.GuestOS.WINDOWS_9_64,
            name=NAME,
            placement=place,
            disks=[boot_disk, data_disk],
            nics=[hardware.Ethernet.CreateSpec(start_connected=True, backing=backing)],
            boot_devices=[
                boot.Device.EntryCreateSpec(boot.Device.Type.DISK),
                boot.Device.EntryCreateSpec(boot.Device.Type.ETHERNET),
            ],
        )
    )
    info = given.client.vcenter.VM.get(vm)
    assert sorted(disk.capacity for disk in info.disks.values())[0] == 2 * GIB
    assert [nic.backing.network for nic in info.nics.values()] == [standard]
    assert [entry.type for entry in info.boot_devices] == ["DISK", "ETHERNET"]
    assert set(info.boot_devices[0].disks) == set(info.disks)
    given.client.vcenter.VM.delete(vm)


def create_exhaustive(given: Given, place: Any) -> None:
    distributed = network(given, vcenter.Network.Type.DISTRIBUTED_PORTGROUP)
    store = given.client.vcenter.Datastore.get(place.datastore).name
    ethernet, cdrom, disk = hardware.Ethernet, hardware.Cdrom, hardware.Disk
    spec = vcenter.VM.CreateSpec(
        guest_os=vm_services.GuestOS.WINDOWS_9_64,
        name=NAME,
        placement=place,
        hardware_version=vm_services.Hardware.Version.VMX_19,
        cpu=hardware.Cpu.UpdateSpec(count=2, cores_per_socket=1, hot_add_enabled=False, hot_remove_enabled=False),
        memory=hardware.Memory.UpdateSpec(size_mib=2 * 1024, hot_add_enabled=False),
        scsi_adapters=[adapters.Scsi.CreateSpec(type=adapters.Scsi.Type.LSILOGICSAS, sharing="NONE")],
        nvme_adapters=[adapters.Nvme.CreateSpec(bus=0)],
        disks=[
            disk.CreateSpec(
                type="SCSI",
                scsi=hardware.ScsiAddressSpec(bus=0, unit=0),
                new_vmdk=disk.VmdkCreateSpec(name="boot", capacity=40 * GIB),
            ),
            disk.CreateSpec(new_vmdk=disk.VmdkCreateSpec(name="data1", capacity=10 * GIB)),
            disk.CreateSpec(
                type="NVME",
                nvme=hardware.NvmeAddressSpec(bus=0, unit=1),
                new_vmdk=disk.VmdkCreateSpec(name="data2", capacity=10 * GIB),
            ),
        ],
        nics=[
            ethernet.CreateSpec(
                start_connected=True,
                mac_type=ethernet.MacAddressType.MANUAL,
                mac_address="11:23:58:13:21:34",
                backing=ethernet.BackingSpec(type=ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=distributed),
            ),
            ethernet.CreateSpec(type=ethernet.EmulationType.E1000E, start_connected=False),
        ],
        cdroms=[
            cdrom.CreateSpec(
                start_connected=True,
                backing=cdrom.BackingSpec(type=cdrom.BackingType.ISO_FILE, iso_file=f"[{store}] windows.iso"),
            )
        ],
        floppies=[
            hardware.Floppy.CreateSpec(
                start_connected=False,
                backing=hardware.Floppy.BackingSpec(type=hardware.Floppy.BackingType.CLIENT_DEVICE),
            )
        ],
        serial_ports=[
            hardware.Serial.CreateSpec(
                start_connected=False,
                backing=hardware.Serial.BackingSpec(
                    type=hardware.Serial.BackingType.NETWORK_SERVER, network_location="tcp://localhost:16000"
                ),
            )
        ],
        parallel_ports=[
            hardware.Parallel.CreateSpec(
                start_connected=False,
                backing=hardware.Parallel.BackingSpec(type=hardware.Parallel.BackingType.HOST_DEVICE),
            )
        ],
        boot=hardware.Boot.CreateSpec(
            type=hardware.Boot.Type.BIOS, delay=0, enter_setup_mode=False, retry=True, retry_delay=5000
        ),
        boot_devices=[boot.Device.EntryCreateSpec(kind) for kind in ("CDROM", "DISK", "ETHERNET")],
    )
    vm = given.client.vcenter.VM.create(spec)
    info = given.client.vcenter.VM.get(vm)
    assert [key for key, _ in sorted(info.disks.items())] == ["2000", "2001", "32001"]
    assert next(nic.mac_address for nic in info.nics.values()) == "11:23:58:13:21:34"
    assert (info.hardware.version, info.boot.type, info.cpu.count, info.memory.size_mib) == ("VMX_19", "BIOS", 2, 2048)
    for devices in (info.cdroms, info.floppies, info.serial_ports, info.parallel_ports, info.nvme_adapters):
        assert len(devices) == 1
    assert info.identity.bios_uuid != info.identity.instance_uuid
    given.client.vcenter.VM.delete(vm)


def a_file_of_a_vm_that_is_gone(given: Given, place: Any) -> None:
    client = given.client.vcenter
    first = client.VM.create(
        vcenter.VM.CreateSpec(name="first", guest_os=vm_services.GuestOS.UBUNTU_64, placement=place)
    )
    ((key, device),) = client.VM.get(first).disks.items()
    client.vm.hardware.Disk.delete(first, key)
    client.VM.delete(first)
    backing = hardware.Disk.BackingSpec(type="VMDK_FILE", vmdk_file=device.backing.vmdk_file)
    second = client.VM.create(
        vcenter.VM.CreateSpec(
            name="second",
            guest_os=vm_services.GuestOS.UBUNTU_64,
            placement=place,
            disks=[hardware.Disk.CreateSpec(backing=backing)],
        )
    )
    ((_, attached),) = client.VM.get(second).disks.items()
    assert (attached.backing.vmdk_file, attached.capacity) == (device.backing.vmdk_file, device.capacity)
    client.VM.delete(second)


def unregister_and_register(given: Given, place: Any) -> None:
    client = given.client.vcenter
    vm = client.VM.create(vcenter.VM.CreateSpec(name=NAME, guest_os=vm_services.GuestOS.UBUNTU_64, placement=place))
    before = client.VM.get(vm)
    (disk,) = before.disks.values()
    client.VM.unregister(vm)
    with raises(errors.NotFound):
        client.VM.get(vm)
    spec = vcenter.VM.RegisterSpec(
        datastore_path=disk.backing.vmdk_file.replace(".vmdk", ".vmx"),
        placement=vcenter.VM.RegisterPlacementSpec(folder=place.folder, cluster=place.cluster),
    )
    back = client.VM.register(spec)
    assert back != vm
    assert client.VM.get(back) == before
    with raises(errors.AlreadyExists):
        client.VM.register(spec)
    client.VM.delete(back)
    with raises(errors.NotFound):
        client.VM.register(spec)


def refusals(given: Given, place: Any) -> None:
    client, guest = given.client.vcenter, vm_services.GuestOS.RHEL_8_64
    vm = client.VM.create(vcenter.VM.CreateSpec(name=NAME, guest_os=guest, placement=place))
    with raises(errors.AlreadyExists) as caught:
        client.VM.create(vcenter.VM.CreateSpec(name=NAME, guest_os=guest, placement=place))
    assert caught[0].messages[0].id == "vmsg.DuplicateName.summary"
    client.VM.delete(vm)
    with raises(errors.InvalidArgument):
        client.VM.create(vcenter.VM.CreateSpec(name=NAME, guest_os=guest))
    with raises(errors.NotFound):
        client.VM.create(
            vcenter.VM.CreateSpec(
                guest_os=guest,
                placement=vcenter.VM.PlacementSpec(folder=place.folder, host="host-99999", datastore=place.datastore),
            )
        )
    with raises(errors.UnableToAllocateResource):
        client.VM.create(
            vcenter.VM.CreateSpec(
                guest_os=guest,
                placement=place,
                disks=[hardware.Disk.CreateSpec(new_vmdk=hardware.Disk.VmdkCreateSpec(capacity=62 * 1024 * GIB))],
            )
        )
    address = hardware.IdeAddressSpec(primary=True, master=True)
    disk = hardware.Disk.CreateSpec(type="IDE", ide=address, new_vmdk=hardware.Disk.VmdkCreateSpec(capacity=GIB))
    with raises(errors.ResourceInUse):
        client.VM.create(vcenter.VM.CreateSpec(guest_os=guest, placement=place, disks=[disk, disk]))


CHECKS: tuple[Check, ...] = (
    create_default,
    create_basic,
    create_exhaustive,
    a_file_of_a_vm_that_is_gone,
    unregister_and_register,
    refusals,
)


if __name__ == "__main__":
    run_checks(CHECKS, placement)
