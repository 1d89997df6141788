"""What descriptors mean: machines in one configuration, and what is refused or ignored of them."""

from __future__ import annotations

import pytest

from resphere.contract.generated.vcenter_vm import GuestOS, Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Ethernet, Floppy
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.ovf.guest_ids import VIM_IDS, cim_id_of, vim_id_of
from resphere.ovf.issues import BadInput, BadPackage
from resphere.ovf.machine import Allocation, Bus, Controller, Drive, Machine
from resphere.ovf.reading import read
from resphere.ovf.resolving import Resolved, resolved
from resphere.rules.machines.guest_os_ids import guest_OS_of, vim_guest_id
from tests.ovf.packages import NAMESPACES, descriptor, envelope, item

DISK = (
    "<References/><DiskSection><Info/>"
    + "".join(f'<Disk ovf:diskId="d{number}" ovf:capacity="1048576"/>' for number in range(20))
    + "</DiskSection>"
)


def machine_of(hardware: str, sections: str = DISK, *, lax: bool = False) -> Machine:
    return made_of(hardware, sections, lax=lax).machines[0]


def made_of(hardware: str, sections: str = DISK, *, lax: bool = False) -> Resolved:
    return resolved(read(envelope(hardware, sections)).descriptor, lax=lax)


def disk_item(number: int, *parts: str) -> str:
    return item(100 + number, 17, f"HostResource=ovf:/disk/d{number}", *parts)


def warnings(made: Resolved) -> list[str]:
    return [each.message.default_message for each in made.warnings]


def test_a_machine_of_vcenter_in_its_default_configuration() -> None:
    made = resolved(descriptor("vcenter.ovf"))
    (machine,) = made.machines
    assert made.option == "large"
    assert (machine.cpu_count, machine.cores_per_socket, machine.memory_MiB) == (8, 4, 4096)
    assert machine.cpu_allocation == Allocation(reservation=500)
    assert machine.guest_id == "debian12_64Guest"
    assert machine.hardware_version is Hardware.Version.VMX_19
    assert (machine.firmware, machine.secure_boot) == (Boot.Type.EFI, True)
    assert (machine.cpu_hot_add_enabled, machine.cpu_hot_remove_enabled, machine.memory_hot_add_enabled) == (
        True,
        False,
        True,
    )
    assert machine.controllers == (
        Controller(kind=Bus.SCSI, bus=0, scsi_type=Scsi.Type.PVSCSI),
        Controller(kind=Bus.SATA, bus=0),
    )
    assert [(each.id, each.capacity, each.place.unit, each.file and each.file.href) for each in machine.disks] == [
        ("vmdisk1", 16 << 30, 0, "web-1.vmdk"),
        ("vmdisk2", 1 << 30, 1, None),
    ]
    first, second = machine.nics
    assert (first.type, first.network, first.wake_on_lan_enabled) == (
        Ethernet.EmulationType.VMXNET3,
        "VM Network",
        False,
    )
    assert (second.type, second.mac_address, second.start_connected) == (
        Ethernet.EmulationType.E1000E,
        "00:50:56:aa:00:01",
        False,
    )
    (cdrom,) = machine.cdroms
    assert (cdrom.backing, cdrom.file and cdrom.file.href) == (Cdrom.BackingType.ISO_FILE, "tools.iso")
    assert [each.backing for each in machine.floppies] == [Floppy.BackingType.CLIENT_DEVICE]
    assert [each.sub_type for each in machine.serial_ports] == ["vmware.serialport.device"]
    assert [each.label for each in machine.other_devices] == ["USB xHCI controller", "Video card", "Virtual TPM"]
    assert "The device Virtual TPM is left out." in warnings(made)
    assert {each.full_key: (each.type_text, each.value) for each in machine.properties} == {
        "data.size": ("int(64..4096)", "1024"),
        "data.address": ("ip:VM Network", ""),
        "data.secret": ("password(8..64)", "changeme!"),
        "data.mode": ('string["proxy", "server"]', "server"),
        "data.build": ("string", "77"),
    }


def test_another_configuration_and_given_values() -> None:
    (machine,) = resolved(descriptor("vcenter.ovf"), "small", {"data.size": "64", "mode": "proxy"}).machines
    assert (machine.cpu_count, machine.cores_per_socket) == (2, 1)
    assert [each.capacity for each in machine.disks] == [16 << 30, 64 << 20]
    assert {each.full_key: each.value for each in machine.properties}["data.mode"] == "proxy"
    (machine,) = resolved(descriptor("vcenter.ovf"), "small").machines
    assert [each.capacity for each in machine.disks] == [16 << 30, 512 << 20]


def test_an_unknown_configuration_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        resolved(descriptor("vcenter.ovf"), "huge")
    (issue,) = caught.value.issues
    assert (issue.name, issue.value) == ("deployment_option", "huge")
    assert issue.message.default_message == "There is no deployment option huge; there are: small, large."


@pytest.mark.parametrize(
    ("name", "value", "shown", "words"),
    [
        ("data.size", "63", "63", "an integer from 64 to 4096"),
        ("size", "much", "much", "an integer from 64 to 4096"),
        ("data.address", "10.0.0.256", "10.0.0.256", "an IP address"),
        ("data.secret", "short", "", "a text of so many characters from 8 to 64, not the value"),
        ("data.mode", "router", "router", "one of proxy, server"),
        ("data.build", "78", "", "cannot be set"),
    ],
)
def test_values_that_do_not_fit_are_refused(name: str, value: str, shown: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolved(descriptor("vcenter.ovf"), None, {name: value})
    (issue,) = caught.value.issues
    assert issue.value == shown
    assert words in issue.message.default_message
    assert "short" not in issue.message.default_message


def test_what_clients_echo_is_taken() -> None:
    """They send back what filter told, with the values that cannot be set and those that are still open."""
    given = {"data.build": "77", "data.address": "", "data.size": ""}
    resolved_one = resolved(descriptor("vcenter.ovf"), "small", {**given, "data.size": "100"})
    assert not [each for each in warnings(resolved_one) if "property" in each]


def test_unknown_properties_are_ignored_with_a_warning() -> None:
    made = resolved(descriptor("vcenter.ovf"), None, {"none": "1"})
    assert "There is no property none: its value is ignored." in warnings(made)


def test_a_machine_of_ovftool() -> None:
    (machine,) = resolved(descriptor("ovftool.ovf")).machines
    assert machine.guest_id == "ubuntuGuest"
    assert machine.hardware_version is Hardware.Version.VMX_10, "the newest of several"
    assert [each.place for each in machine.disks] == [Drive(kind=Bus.IDE, bus=0, unit=0)]
    assert [(each.place, each.backing) for each in machine.cdroms] == [
        (Drive(kind=Bus.IDE, bus=0, unit=1), Cdrom.BackingType.HOST_DEVICE)
    ]
    assert [each.type for each in machine.nics] == [Ethernet.EmulationType.PCNET32]


def test_a_machine_of_virtualbox_needs_lax() -> None:
    with pytest.raises(BadPackage, match=r"Unsupported hardware family 'virtualbox-2.2'"):
        resolved(descriptor("virtualbox.ovf"))
    made = resolved(descriptor("virtualbox.ovf"), lax=True)
    assert "Unsupported hardware family 'virtualbox-2.2'." in warnings(made)
    (machine,) = made.machines
    assert (machine.hardware_version, machine.cpu_count, machine.memory_MiB) == (None, 2, 1024)
    assert [each.place.kind for each in machine.disks] == [Bus.SATA]


def test_a_vapp_and_its_machines() -> None:
    made = resolved(descriptor("vapp-2.ovf"), None, {"domain": "example.net"}, instances={"web": 1})
    db, web = made.machines
    assert [each.place for each in db.disks] == [Drive(kind=Bus.NVME, bus=0, unit=3)]
    assert [each.capacity for each in db.disks] == [2 * 10**9]
    assert (web.cpu_count, web.memory_MiB, web.guest_id) == (1, 32, "otherGuest")
    shop, inner = made.vapps
    assert (shop.contents, inner.contents) == (("db", "inner-0"), ("web-0",))
    assert [(each.full_key, each.value) for each in shop.properties] == [("domain", "example.net")]
    assert (shop.cpu_allocation, shop.memory_allocation) == (Allocation(), Allocation(reservation=1024))


def vapp_with(*fields: str) -> Resolved:
    """What a vApp means that has these parts of an item about CPUs."""
    document = (
        f'<Envelope {NAMESPACES}><References/><VirtualSystemCollection ovf:id="all"><Info/>'
        f"<ResourceAllocationSection><Info/>{item(1, 3, *fields)}</ResourceAllocationSection>"
        '<VirtualSystem ovf:id="one"><Info/></VirtualSystem></VirtualSystemCollection></Envelope>'
    )
    return resolved(read(document.encode()).descriptor)


def test_what_a_vapp_takes_together() -> None:
    [vapp] = vapp_with("AllocationUnits=hertz * 10^9", "Limit=4", "Reservation=2", "Weight=4000").vapps
    assert vapp.cpu_allocation == Allocation(reservation=2000, limit=4000, shares=4000)
    assert vapp.memory_allocation == Allocation()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (("Limit=1", "Reservation=2"), "The limit of a vApp, 1, is less than its reservation, 2"),
        (("Weight=0",), "must be from 1 to 4000000, not 0"),
        (("Weight=4000001",), "must be from 1 to 4000000, not 4000001"),
    ],
)
def test_what_no_vapp_takes(fields: tuple[str, ...], why: str) -> None:
    with pytest.raises(BadPackage, match=why):
        vapp_with(*fields)


def test_drives_without_an_adapter_get_the_usual_one() -> None:
    machine = machine_of(disk_item(0) + item(1, 15))
    assert machine.controllers == (
        Controller(kind=Bus.SCSI, bus=0, scsi_type=Scsi.Type.LSILOGIC),
        Controller(kind=Bus.IDE, bus=0),
    )


def test_units_are_those_asked_for_and_then_the_free_ones() -> None:
    scsi = item(1, 6, "ResourceSubType=buslogic")
    disks = "".join(disk_item(number, "Parent=1") for number in range(14))
    machine = machine_of(scsi + disks + disk_item(14, "Parent=1", "AddressOnParent=2"))
    units = [each.place.unit for each in machine.disks]
    assert units[-1] == 2
    assert sorted(units) == [unit for unit in range(16) if unit != 7]


@pytest.mark.parametrize(
    "hardware",
    [
        item(1, 6) + disk_item(0, "Parent=1", "AddressOnParent=7"),
        item(1, 6) + disk_item(0, "Parent=1", "AddressOnParent=16"),
        item(1, 6) + disk_item(0, "Parent=1", "AddressOnParent=0") + disk_item(1, "Parent=1", "AddressOnParent=0"),
        item(1, 5) + "".join(disk_item(number, "Parent=1") for number in range(3)),
        "".join(item(number, 5) for number in range(3)),
        item(1, 6, "ResourceSubType=floptical"),
        item(1, 10) + disk_item(0, "Parent=1"),
        item(1, 6) + item(2, 15, "Parent=1"),
        item(1, 17),
        item(1, 10, "ResourceSubType=token-ring"),
        item(1, 9),
        item(1, 3, "VirtualQuantity=100000"),
        item(1, 4, "VirtualQuantity=100000000000"),
        "<System><vssd:VirtualSystemType>vmx-99</vssd:VirtualSystemType></System>",
        '<vmw:Config vmw:key="firmware" vmw:value="coreboot"/>',
        '<vmw:Config vmw:key="none.such" vmw:value="1"/>',
    ],
)
def test_what_no_machine_can_have_is_refused(hardware: str) -> None:
    with pytest.raises(BadPackage):
        machine_of(hardware)


@pytest.mark.parametrize(
    "hardware",
    [
        item(1, 10, "ResourceSubType=token-ring"),
        item(1, 9),
        '<vmw:Config vmw:key="none.such" vmw:value="1"/>',
        "<System><vssd:VirtualSystemType>xen-3</vssd:VirtualSystemType></System>",
    ],
)
def test_lax_leaves_out_what_is_not_supported(hardware: str) -> None:
    made = made_of(hardware, lax=True)
    assert made.warnings
    assert not made.machines[0].nics


def test_what_is_not_required_is_left_out() -> None:
    made = made_of(item(1, 10, "ResourceSubType=token-ring", attributes='ovf:required="false"'))
    assert not made.machines[0].nics
    assert len(made.warnings) == 1


@pytest.mark.parametrize("capacity", ["0", "99999999999999999", "${none}"])
def test_capacities_that_no_disk_can_have(capacity: str) -> None:
    sections = f'<References/><DiskSection><Info/><Disk ovf:diskId="d0" ovf:capacity="{capacity}"/></DiskSection>'
    with pytest.raises(BadPackage):
        machine_of(disk_item(0), sections)


def test_a_required_section_that_is_unknown_is_refused() -> None:
    package = read(envelope(of_machine="<vmw:QuantumSection><Info/></vmw:QuantumSection>")).descriptor
    with pytest.raises(BadPackage, match="QuantumSection"):
        resolved(package)
    assert len(resolved(package, lax=True).warnings) == 1


def test_ranges_are_no_hardware() -> None:
    machine = machine_of(
        item(1, 3, "VirtualQuantity=2") + item(1, 3, "VirtualQuantity=8", attributes='ovf:bound="max"')
    )
    assert machine.cpu_count == 2


def test_guest_ids_are_ones_that_the_inventory_knows() -> None:
    for vim_id in VIM_IDS.values():
        assert guest_OS_of(vim_id) is not None, vim_id


def test_guest_systems_have_a_number_of_their_width() -> None:
    for each in GuestOS:
        vim_id = vim_guest_id(each)
        assert guest_OS_of(vim_id) is not None
        again = vim_id_of(cim_id_of(vim_id))
        assert guest_OS_of(again) is not None, again
    assert cim_id_of("debian12_64Guest") == 96
    assert cim_id_of("rockylinux_64Guest") == 101
    assert cim_id_of("unheardOf64Guest") == 102
    assert cim_id_of("unheardOfGuest") == 1
    assert vim_id_of(65535) == "otherGuest"
