"""VM hardware: every device resource, with what each power state allows."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.contract.errors import (
    AlreadyInDesiredState,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import (
    Boot,
    Cdrom,
    ConnectionState,
    Cpu,
    Disk,
    Ethernet,
    Floppy,
    IdeAddressSpec,
    Memory,
    Parallel,
    SataAddressSpec,
    Serial,
)
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.contract.unions import EXTRA
from resphere.inventory.model import Host, Network, VirtualMachine
from tests.support.world import World

State = vcenter_vm.Power.State
Id = ids.VirtualMachineId


def vm_in(world: World, state: State) -> VirtualMachine:
    """A VM of that power state that has a SATA adapter and is no template."""
    found = next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if not vm.template and vm.sata_adapters and vm.nics and vm.power_state is State.POWERED_OFF
    )
    if state is State.POWERED_OFF:
        return found
    world.call(vcenter_vm.Power.start, Id(found.id))
    if state is State.SUSPENDED:
        world.call(vcenter_vm.Power.suspend, Id(found.id))
    running = world.inventory.get(VirtualMachine, found.id)
    assert running is not None
    return running


def refused(error: pytest.ExceptionInfo[VapiError]) -> str:
    return error.value.messages[0].id


class TestCpu:
    def test_a_vm_that_is_off_takes_any_count(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        world.call(Cpu.update, vm, Cpu.UpdateSpec(count=12, cores_per_socket=3, hot_add_enabled=True))
        cpu = world.call(Cpu.get, vm)
        assert (cpu.count, cpu.cores_per_socket, cpu.hot_add_enabled) == (12, 3, True)

    @pytest.mark.parametrize(("count", "cores"), [(0, 1), (769, 1), (6, 4), (4, 0)])
    def test_counts_that_no_vm_can_have(self, world: World, count: int, cores: int) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        with pytest.raises(InvalidArgument) as error:
            world.call(Cpu.update, vm, Cpu.UpdateSpec(count=count, cores_per_socket=cores))
        assert refused(error) in ("resphere.vm.cpu.count", "resphere.vm.cpu.cores_per_socket")

    def test_a_running_vm_grows_only_with_hot_add(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_ON)
        world.change(vm, cpu=Cpu.Info(count=2, cores_per_socket=1, hot_add_enabled=False, hot_remove_enabled=False))
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Cpu.update, Id(vm.id), Cpu.UpdateSpec(count=4))
        assert refused(error) == "resphere.vm.cpu.hot_add"
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Cpu.update, Id(vm.id), Cpu.UpdateSpec(count=1))
        assert refused(error) == "resphere.vm.cpu.hot_remove"
        with pytest.raises(NotAllowedInCurrentState):
            world.call(Cpu.update, Id(vm.id), Cpu.UpdateSpec(hot_add_enabled=True))
        world.change(vm, cpu=Cpu.Info(count=2, cores_per_socket=1, hot_add_enabled=True, hot_remove_enabled=True))
        world.call(Cpu.update, Id(vm.id), Cpu.UpdateSpec(count=4))
        world.call(Cpu.update, Id(vm.id), Cpu.UpdateSpec(count=1))
        assert world.call(Cpu.get, Id(vm.id)).count == 1

    def test_an_unknown_vm(self, world: World) -> None:
        with pytest.raises(NotFound) as error:
            world.call(Cpu.update, Id("vm-9"), Cpu.UpdateSpec(count=1))
        assert refused(error) == "com.vmware.api.vcenter.vm.not_found"


class TestMemory:
    def test_a_vm_that_is_off_takes_any_size(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        world.call(Memory.update, vm, Memory.UpdateSpec(size_MiB=6144, hot_add_enabled=True))
        memory = world.call(Memory.get, vm)
        assert (memory.size_MiB, memory.hot_add_enabled) == (6144, True)
        assert (memory.hot_add_increment_size_MiB, memory.hot_add_limit_MiB) == (None, None)
        world.call(vcenter_vm.Power.start, vm)
        memory = world.call(Memory.get, vm)
        assert (memory.hot_add_increment_size_MiB, memory.hot_add_limit_MiB) == (128, 98304)
        world.call(Memory.update, vm, Memory.UpdateSpec(size_MiB=8192))
        assert world.call(Memory.get, vm).hot_add_limit_MiB == 98304
        world.call(vcenter_vm.Power.stop, vm)
        assert world.call(Memory.get, vm).hot_add_limit_MiB is None
        world.call(Memory.update, vm, Memory.UpdateSpec(hot_add_enabled=False))
        world.call(vcenter_vm.Power.start, vm)
        memory = world.call(Memory.get, vm)
        assert (memory.hot_add_increment_size_MiB, memory.hot_add_limit_MiB) == (0, memory.size_MiB)

    @pytest.mark.parametrize(("size", "limit"), [(1024, 3072), (3072, 3072), (3076, 49216)])
    def test_a_small_linux_grows_to_three_gigabytes(self, world: World, size: int, limit: int) -> None:
        off = [each for each in world.inventory.all(VirtualMachine).values() if each.power_state is State.POWERED_OFF]
        vm = Id(next(each.id for each in off if not each.template and "WINDOWS" not in each.guest_OS))
        world.call(Memory.update, vm, Memory.UpdateSpec(size_MiB=size, hot_add_enabled=True))
        world.call(vcenter_vm.Power.start, vm)
        assert world.call(Memory.get, vm).hot_add_limit_MiB == limit

    @pytest.mark.parametrize("size", [0, -4, 3, 1022, 24 * 1024 * 1024 + 4])
    def test_sizes_that_no_vm_can_have(self, world: World, size: int) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        with pytest.raises(InvalidArgument) as error:
            world.call(Memory.update, vm, Memory.UpdateSpec(size_MiB=size))
        assert refused(error) == "resphere.vm.memory.size"

    def test_a_running_vm_grows_by_its_steps_up_to_its_limit(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_ON)
        memory = Memory.Info(
            size_MiB=1024, hot_add_enabled=True, hot_add_increment_size_MiB=128, hot_add_limit_MiB=2048
        )
        world.change(vm, memory=memory)
        world.call(Memory.update, Id(vm.id), Memory.UpdateSpec(size_MiB=1280))
        for size in (1300, 2176):
            with pytest.raises(NotAllowedInCurrentState) as error:
                world.call(Memory.update, Id(vm.id), Memory.UpdateSpec(size_MiB=size))
            assert refused(error) == "resphere.vm.memory.hot_add"
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Memory.update, Id(vm.id), Memory.UpdateSpec(size_MiB=512))
        assert refused(error) == "resphere.vm.hardware.power_state"
        assert world.call(Memory.get, Id(vm.id)).size_MiB == 1280


class TestBoot:
    def test_options_change(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        world.call(Boot.update, vm, Boot.UpdateSpec(type=Boot.Type.EFI, delay=5000, retry=True))
        boot = world.call(Boot.get, vm)
        assert (boot.type, boot.delay, boot.retry, boot.network_protocol) == (
            Boot.Type.EFI,
            5000,
            True,
            Boot.NetworkProtocol.IPV4,
        )
        world.call(Boot.update, vm, Boot.UpdateSpec(type=Boot.Type.BIOS))
        assert world.call(Boot.get, vm).efi_legacy_boot is None

    def test_refusals(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        with pytest.raises(InvalidArgument) as error:
            world.call(Boot.update, vm, Boot.UpdateSpec(delay=-1))
        assert refused(error) == "resphere.vm.boot.delay"
        world.call(Boot.update, vm, Boot.UpdateSpec(type=Boot.Type.BIOS))
        with pytest.raises(InvalidArgument) as error:
            world.call(Boot.update, vm, Boot.UpdateSpec(efi_legacy_boot=True))
        assert refused(error) == EXTRA

    def test_boot_order(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        nic, disk = next(iter(vm.nics)), next(iter(vm.disks))
        order = (
            Device.Entry(type=Device.Type.ETHERNET, nic=nic),
            Device.Entry(type=Device.Type.DISK, disks=(disk,)),
            Device.Entry(type=Device.Type.CDROM),
        )
        world.call(Device.set, Id(vm.id), order)
        assert world.call(Device.get, Id(vm.id)) == order
        world.call(Ethernet.delete, Id(vm.id), nic)
        assert world.call(Device.get, Id(vm.id)) == order[1:]

    def test_boot_order_refusals(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        twice = Device.Entry(type=Device.Type.CDROM)
        with pytest.raises(InvalidArgument) as error:
            world.call(Device.set, vm, (twice, twice))
        assert refused(error) == "resphere.vm.boot.device_twice"
        unknown = Device.Entry(type=Device.Type.ETHERNET, nic=ids.VcenterVmHardwareEthernetId("4099"))
        with pytest.raises(NotFound) as missing:
            world.call(Device.set, vm, (unknown,))
        assert refused(missing) == "resphere.vm.hardware.no_device"


class TestHardwareVersion:
    def test_upgrade(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        world.change(vm, hardware=version(vcenter_vm.Hardware.Version.VMX_15))
        world.call(vcenter_vm.Hardware.upgrade, Id(vm.id), vcenter_vm.Hardware.Version.VMX_19)
        assert world.call(vcenter_vm.Hardware.get, Id(vm.id)).version is vcenter_vm.Hardware.Version.VMX_19
        world.call(vcenter_vm.Hardware.upgrade, Id(vm.id), None)
        assert world.call(vcenter_vm.Hardware.get, Id(vm.id)).version is vcenter_vm.Hardware.Version.VMX_21
        with pytest.raises(AlreadyInDesiredState) as error:
            world.call(vcenter_vm.Hardware.upgrade, Id(vm.id), None)
        assert refused(error) == "resphere.vm.hardware.version_reached"
        with pytest.raises(InvalidArgument):
            world.call(vcenter_vm.Hardware.upgrade, Id(vm.id), vcenter_vm.Hardware.Version.VMX_13)

    def test_a_running_vm_is_not_upgraded_but_may_be_planned(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_ON)
        world.change(vm, hardware=version(vcenter_vm.Hardware.Version.VMX_15))
        with pytest.raises(NotAllowedInCurrentState):
            world.call(vcenter_vm.Hardware.upgrade, Id(vm.id), None)
        policy = vcenter_vm.Hardware.UpgradePolicy
        world.call(
            vcenter_vm.Hardware.update,
            Id(vm.id),
            vcenter_vm.Hardware.UpdateSpec(upgrade_policy=policy.AFTER_CLEAN_SHUTDOWN),
        )
        planned = world.call(vcenter_vm.Hardware.get, Id(vm.id))
        assert planned.upgrade_version is vcenter_vm.Hardware.Version.VMX_21
        assert planned.upgrade_status is vcenter_vm.Hardware.UpgradeStatus.PENDING
        world.call(vcenter_vm.Hardware.update, Id(vm.id), vcenter_vm.Hardware.UpdateSpec(upgrade_policy=policy.NEVER))
        assert world.call(vcenter_vm.Hardware.get, Id(vm.id)).upgrade_version is None


def version(of: vcenter_vm.Hardware.Version) -> vcenter_vm.Hardware.Info:
    return vcenter_vm.Hardware.Info(
        version=of,
        upgrade_policy=vcenter_vm.Hardware.UpgradePolicy.NEVER,
        upgrade_status=vcenter_vm.Hardware.UpgradeStatus.NONE,
    )


class TestPorts:
    """Serial and parallel ports and floppy drives come and go only while the VM is off."""

    def test_serial_ports(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        before = world.call(Serial.list, vm)
        backing = Serial.BackingSpec(type=Serial.BackingType.NETWORK_SERVER, network_location="telnet://:7000")
        key = world.call(Serial.create, vm, Serial.CreateSpec(backing=backing, start_connected=True))
        info = world.call(Serial.get, vm, key)
        assert int(key) >= 9000
        assert (info.backing.network_location, info.state) == ("telnet://:7000", ConnectionState.NOT_CONNECTED)
        world.call(vcenter_vm.Power.start, vm)
        assert world.call(Serial.get, vm, key).state is ConnectionState.CONNECTED
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Serial.update, vm, key, Serial.UpdateSpec(backing=backing))
        assert refused(error) == "resphere.vm.hardware.connected"
        world.call(Serial.update, vm, key, Serial.UpdateSpec(yield_on_poll=True))
        with pytest.raises(AlreadyInDesiredState) as already:
            world.call(Serial.connect, vm, key)
        assert refused(already) == "resphere.vm.hardware.already_in_state"
        world.call(Serial.disconnect, vm, key)
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Serial.delete, vm, key)
        assert refused(error) == "resphere.vm.hardware.power_state"
        world.call(vcenter_vm.Power.stop, vm)
        with pytest.raises(NotAllowedInCurrentState):
            world.call(Serial.connect, vm, key)
        world.call(Serial.delete, vm, key)
        assert world.call(Serial.list, vm) == before

    def test_there_are_only_so_many(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        keys = [world.call(Parallel.create, vm, Parallel.CreateSpec()) for _ in range(3)]
        assert keys == ["10000", "10001", "10002"]
        assert world.call(Parallel.get, vm, keys[0]).backing.auto_detect is True
        with pytest.raises(UnableToAllocateResource) as error:
            world.call(Parallel.create, vm, Parallel.CreateSpec())
        assert refused(error) == "resphere.vm.hardware.too_many"
        world.call(Parallel.delete, vm, keys[1])
        file = Parallel.BackingSpec(type=Parallel.BackingType.FILE, file="[DC01-VMFS-01] out.txt")
        assert world.call(Parallel.create, vm, Parallel.CreateSpec(backing=file)) == keys[1]
        world.call(Parallel.update, vm, keys[1], Parallel.UpdateSpec(allow_guest_control=True))
        assert [entry.port for entry in world.call(Parallel.list, vm)] == keys

    def test_floppy_drives(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        world.change(vm, floppies={})
        image = Floppy.BackingSpec(type=Floppy.BackingType.IMAGE_FILE, image_file="[DC01-VMFS-01] boot.flp")
        key = world.call(Floppy.create, Id(vm.id), Floppy.CreateSpec(backing=image))
        assert (key, world.call(Floppy.get, Id(vm.id), key).backing.image_file) == ("8000", "[DC01-VMFS-01] boot.flp")
        with pytest.raises(NotFound):
            world.call(Floppy.get, Id(vm.id), ids.VcenterVmHardwareFloppyId("8001"))
        world.call(Floppy.update, Id(vm.id), key, Floppy.UpdateSpec(start_connected=True))
        world.call(vcenter_vm.Power.start, Id(vm.id))
        world.call(Floppy.disconnect, Id(vm.id), key)
        world.call(Floppy.connect, Id(vm.id), key)
        with pytest.raises(NotAllowedInCurrentState):
            world.call(Floppy.create, Id(vm.id), Floppy.CreateSpec())
        world.call(vcenter_vm.Power.stop, Id(vm.id))
        world.call(Floppy.delete, Id(vm.id), key)
        assert world.call(Floppy.list, Id(vm.id)) == ()


class TestCdrom:
    def test_on_sata_it_comes_and_goes_while_the_vm_runs(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_ON).id)
        iso = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file="[DC01-NFS-ISO] debian.iso")
        spec = Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.SATA, backing=iso, start_connected=True)
        key = world.call(Cdrom.create, vm, spec)
        info = world.call(Cdrom.get, vm, key)
        assert info.sata is not None
        assert (int(key), info.state) == (16000 + info.sata.unit, ConnectionState.CONNECTED)
        world.call(Cdrom.disconnect, vm, key)
        world.call(
            Cdrom.update, vm, key, Cdrom.UpdateSpec(backing=Cdrom.BackingSpec(type=Cdrom.BackingType.HOST_DEVICE))
        )
        assert world.call(Cdrom.get, vm, key).backing.auto_detect is True
        world.call(Cdrom.connect, vm, key)
        world.call(Cdrom.delete, vm, key)
        assert key not in [entry.cdrom for entry in world.call(Cdrom.list, vm)]

    def test_on_ide_only_while_the_vm_is_off(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_ON)
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Cdrom.create, Id(vm.id), Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.IDE))
        assert refused(error) == "resphere.vm.hardware.power_state"
        world.call(vcenter_vm.Power.stop, Id(vm.id))
        ide = IdeAddressSpec(primary=False, master=True)
        key = world.call(Cdrom.create, Id(vm.id), Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.IDE, ide=ide))
        assert key == "3002"
        with pytest.raises(ResourceInUse) as taken:
            world.call(Cdrom.create, Id(vm.id), Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.IDE, ide=ide))
        assert refused(taken) == "resphere.vm.hardware.unit_in_use"

    def test_there_are_as_many_as_have_a_place(self, world: World) -> None:
        """The official SDK's sample adds eight to one VM."""
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        ide, sata = Cdrom.HostBusAdapterType.IDE, Cdrom.HostBusAdapterType.SATA
        before = len(world.call(Cdrom.list, vm))
        for type in (*[ide] * 4, *[sata] * 4):
            world.call(Cdrom.create, vm, Cdrom.CreateSpec(type=type))
        assert len(world.call(Cdrom.list, vm)) == before + 8
        with pytest.raises(UnableToAllocateResource) as error:
            world.call(Cdrom.create, vm, Cdrom.CreateSpec(type=ide))
        assert refused(error) == "resphere.vm.hardware.no_free_unit"

    def test_refused_addresses(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        sata = Cdrom.HostBusAdapterType.SATA
        with pytest.raises(InvalidArgument) as error:
            world.call(Cdrom.create, vm, Cdrom.CreateSpec(type=sata, sata=SataAddressSpec(bus=3)))
        assert refused(error) == "resphere.vm.hardware.no_bus"
        with pytest.raises(InvalidArgument) as error:
            world.call(Cdrom.create, vm, Cdrom.CreateSpec(sata=SataAddressSpec(bus=0)))
        assert refused(error) == EXTRA
        with pytest.raises(InvalidArgument) as error:
            world.call(Cdrom.create, vm, Cdrom.CreateSpec(type=sata, sata=SataAddressSpec(bus=0, unit=30)))
        assert refused(error) == "resphere.vm.hardware.no_unit"
        with pytest.raises(InvalidArgument) as error:
            world.call(Cdrom.create, vm, Cdrom.CreateSpec(type=sata, ide=IdeAddressSpec()))
        assert refused(error) == EXTRA


class TestEthernet:
    def test_adapters_hold_ports_of_their_own(self, world: World) -> None:
        held: list[tuple[str | None, int | None]] = []
        for vm in world.inventory.all(VirtualMachine).values():
            for key in vm.nics:
                backing = world.call(Ethernet.get, Id(vm.id), key).backing
                found = (backing.distributed_port, backing.connection_cookie)
                if backing.type is Ethernet.BackingType.DISTRIBUTED_PORTGROUP:
                    held.append(found)
                else:
                    assert found == (None, None)
        assert held
        assert None not in {part for found in held for part in found}
        assert len({port for port, _ in held}) == len(held)

    def test_the_whole_life_of_an_adapter(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_ON).id)
        key = world.call(Ethernet.create, vm, Ethernet.CreateSpec(start_connected=True))
        nic = world.call(Ethernet.get, vm, key)
        assert nic.type is Ethernet.EmulationType.VMXNET3
        assert (nic.state, nic.mac_type) == (ConnectionState.CONNECTED, Ethernet.MacAddressType.ASSIGNED)
        assert nic.mac_address is not None
        assert nic.mac_address.startswith("00:50:56:")
        world.call(Ethernet.disconnect, vm, key)
        manual = Ethernet.UpdateSpec(mac_type=Ethernet.MacAddressType.MANUAL, mac_address="00-50-56-00-AA-01")
        world.call(Ethernet.update, vm, key, manual)
        assert world.call(Ethernet.get, vm, key).mac_address == "00:50:56:00:aa:01"
        world.call(Ethernet.connect, vm, key)
        world.call(Ethernet.delete, vm, key)
        with pytest.raises(NotFound):
            world.call(Ethernet.get, vm, key)

    def test_ten_adapters_at_most_and_all_addresses_differ(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        world.change(vm, nics={})
        keys = [world.call(Ethernet.create, Id(vm.id), Ethernet.CreateSpec()) for _ in range(10)]
        assert keys == [str(4000 + number) for number in range(10)]
        assert len({world.call(Ethernet.get, Id(vm.id), key).mac_address for key in keys}) == 10
        with pytest.raises(UnableToAllocateResource):
            world.call(Ethernet.create, Id(vm.id), Ethernet.CreateSpec())
        assert [entry.nic for entry in world.call(Ethernet.list, Id(vm.id))] == keys

    def test_backings(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        host = world.inventory.get(Host, vm.host)
        assert host is not None
        networks = [n for n in world.inventory.all(Network).values() if n.id in host.networks]
        distributed = next(n for n in networks if n.type is vcenter.Network.Type.DISTRIBUTED_PORTGROUP)
        kind = Ethernet.BackingType
        backing = Ethernet.BackingSpec(type=kind.DISTRIBUTED_PORTGROUP, network=ids.NetworkId(distributed.id))
        key = world.call(Ethernet.create, Id(vm.id), Ethernet.CreateSpec(backing=backing))
        shown = world.call(Ethernet.get, Id(vm.id), key).backing
        assert (shown.network, shown.distributed_switch_uuid) == (distributed.id, distributed.distributed_switch_uuid)
        wrong = Ethernet.BackingSpec(type=kind.STANDARD_PORTGROUP, network=ids.NetworkId(distributed.id))
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.update, Id(vm.id), key, Ethernet.UpdateSpec(backing=wrong))
        assert refused(error) == "resphere.vm.ethernet.backing_type"
        gone = Ethernet.BackingSpec(type=kind.STANDARD_PORTGROUP, network=ids.NetworkId("network-999"))
        with pytest.raises(NotFound) as missing:
            world.call(Ethernet.create, Id(vm.id), Ethernet.CreateSpec(backing=gone))
        assert refused(missing) == "com.vmware.api.vcenter.network.not_found"
        device = Ethernet.BackingSpec(type=kind.HOST_DEVICE)
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.create, Id(vm.id), Ethernet.CreateSpec(backing=device))
        assert refused(error) == "resphere.vm.ethernet.host_device"
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.update, Id(vm.id), key, Ethernet.UpdateSpec(backing=device))
        assert refused(error) == "resphere.vm.ethernet.host_device"
        world.change(host, networks=())
        with pytest.raises(NotFound) as missing:
            world.call(Ethernet.create, Id(vm.id), Ethernet.CreateSpec())
        assert refused(missing) == "resphere.vm.ethernet.no_network"
        world.change(host, networks=host.networks)

    def test_mac_address_rules(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        manual, generated = Ethernet.MacAddressType.MANUAL, Ethernet.MacAddressType.GENERATED
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.create, vm, Ethernet.CreateSpec(mac_type=manual, mac_address="00:50"))
        assert refused(error) == "resphere.vm.ethernet.mac_address"
        e1000 = world.call(Ethernet.create, vm, Ethernet.CreateSpec(type=Ethernet.EmulationType.E1000))
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.update, vm, e1000, Ethernet.UpdateSpec(mac_address="00:50:56:00:00:01"))
        assert refused(error) == "resphere.vm.ethernet.mac_not_manual"
        spec = Ethernet.UpdateSpec(mac_type=generated, mac_address="00:50:56:00:00:01")
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.update, vm, e1000, spec)
        assert refused(error) == "resphere.vm.ethernet.mac_not_manual"
        with pytest.raises(InvalidArgument) as error:
            world.call(Ethernet.update, vm, e1000, Ethernet.UpdateSpec(upt_compatibility_enabled=True))
        assert refused(error) == "resphere.vm.ethernet.upt"

    def test_a_suspended_vm_takes_none(self, world: World) -> None:
        vm = Id(vm_in(world, State.SUSPENDED).id)
        # The operation does not declare NOT_ALLOWED_IN_CURRENT_STATE.
        with pytest.raises(VapiError) as refused:
            world.call(Ethernet.create, vm, Ethernet.CreateSpec())
        assert refused.type is VapiError
        assert [each.id for each in refused.value.messages] == [
            "resphere.vm.hardware.power_state",
            "vmsg.InvalidPowerState.summary",
        ]


class TestAdapters:
    def test_scsi(self, world: World) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        present = [entry.adapter for entry in world.call(Scsi.list, Id(vm.id))]
        key = world.call(Scsi.create, Id(vm.id), Scsi.CreateSpec(bus=3, type=Scsi.Type.LSILOGICSAS))
        assert (key, world.call(Scsi.get, Id(vm.id), key).scsi.bus) == ("1003", 3)
        world.call(Scsi.update, Id(vm.id), key, Scsi.UpdateSpec(sharing=Scsi.Sharing.VIRTUAL))
        assert world.call(Scsi.get, Id(vm.id), key).sharing is Scsi.Sharing.VIRTUAL
        with pytest.raises(ResourceInUse) as taken:
            world.call(Scsi.create, Id(vm.id), Scsi.CreateSpec(bus=3))
        assert refused(taken) == "resphere.vm.adapter.bus_in_use"
        with pytest.raises(InvalidArgument) as error:
            world.call(Scsi.create, Id(vm.id), Scsi.CreateSpec(bus=4))
        assert refused(error) == "resphere.vm.adapter.bus"
        world.call(Scsi.delete, Id(vm.id), key)
        assert [entry.adapter for entry in world.call(Scsi.list, Id(vm.id))] == present

    @pytest.mark.parametrize(
        ("api", "spec", "first_key"),
        [(Scsi, Scsi.CreateSpec, 1000), (Sata, Sata.CreateSpec, 15000), (Nvme, Nvme.CreateSpec, 31000)],
    )
    def test_bus_0_is_any_where_it_is_taken(self, world: World, api: Any, spec: Any, first_key: int) -> None:
        """Clients that leave the bus to vCenter send 0, as Ansible's modules do."""
        vm = vm_in(world, State.POWERED_OFF)
        before = world.call(api.list, Id(vm.id))
        given = [int(world.call(api.create, Id(vm.id), spec(bus=0, pci_slot_number=35 + bus))) for bus in range(2)]
        buses = [key - first_key for key in given]
        present = [int(entry.adapter) - first_key for entry in before]
        assert buses == [bus for bus in range(4) if bus not in present][:2]
        assert world.call(api.get, Id(vm.id), str(given[0])).pci_slot_number == 35

    @pytest.mark.parametrize("slot", [-1, 2**16 + 1])
    @pytest.mark.parametrize(
        ("api", "spec"),
        [(Scsi, Scsi.CreateSpec), (Sata, Sata.CreateSpec), (Nvme, Nvme.CreateSpec), (Ethernet, Ethernet.CreateSpec)],
    )
    def test_slots_that_no_bus_has(self, world: World, api: Any, spec: Any, slot: int) -> None:
        vm = vm_in(world, State.POWERED_OFF)
        with pytest.raises(InvalidArgument) as error:
            world.call(api.create, Id(vm.id), spec(pci_slot_number=slot))
        assert refused(error) == "resphere.vm.pci_slot_number"

    def test_drives_get_a_plain_adapter_in_its_place(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_OFF).id)
        sata = world.call(Sata.create, vm, Sata.CreateSpec(bus=3, pci_slot_number=34))
        spec = Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.SATA, sata=SataAddressSpec(bus=3))
        drive = world.call(Cdrom.create, vm, spec)
        world.call(Sata.delete, vm, sata)
        assert world.call(Cdrom.get, vm, drive).sata.bus == 3  # type: ignore[union-attr]
        assert world.call(Sata.get, vm, sata).pci_slot_number is None
        world.call(Cdrom.delete, vm, drive)
        world.call(Sata.delete, vm, sata)
        with pytest.raises(NotFound):
            world.call(Sata.get, vm, sata)

    def test_an_adapter_with_disks_stays(self, world: World) -> None:
        vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.disks and vm.scsi_adapters)
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Scsi.delete, Id(vm.id), next(iter(vm.scsi_adapters)))
        assert refused(error) == "resphere.vm.adapter.in_use"

    def test_sata_and_nvme(self, world: World) -> None:
        vm = Id(vm_in(world, State.POWERED_ON).id)
        sata = world.call(Sata.create, vm, Sata.CreateSpec())
        assert world.call(Sata.get, vm, sata).bus == int(sata) - 15000
        nvme = world.call(Nvme.create, vm, Nvme.CreateSpec(bus=2))
        assert (nvme, world.call(Nvme.get, vm, nvme).bus) == ("31002", 2)
        assert nvme in [entry.adapter for entry in world.call(Nvme.list, vm)]
        world.call(Sata.delete, vm, sata)
        world.call(Nvme.delete, vm, nvme)
        assert sata not in [entry.adapter for entry in world.call(Sata.list, vm)]
        with pytest.raises(NotFound):
            world.call(Nvme.delete, vm, nvme)

    def test_disks_are_shown(self, world: World) -> None:
        vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if len(vm.disks) > 1)
        keys = [entry.disk for entry in world.call(Disk.list, Id(vm.id))]
        assert keys == sorted(vm.disks, key=int)
        assert [world.call(Disk.get, Id(vm.id), key) for key in keys] == [vm.disks[key] for key in keys]
        with pytest.raises(NotFound):
            world.call(Disk.get, Id(vm.id), ids.VcenterVmHardwareDiskId("1"))
