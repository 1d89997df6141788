"""Ansible's modules for the hardware of VMs, unmodified: each change is asked for twice, the second changes nothing.

Modules find the device that they mean by its id, its label, its PCI slot or its place on a SATA bus. Told none of these
they add one each time, at a vCenter as here: the steps named ``..._unnamed`` show it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.ansible.steps import Step, step, surprises, take, twice
from tests.ansible.test_playbooks import pytestmark as pytestmark
from tests.ansible.test_playbooks import server as server
from tests.ansible.test_playbooks import variables
from tests.support.examples import AT_NIGHT
from tests.support.machines import place, spec
from tests.support.server import Client, Server

VM: dict[str, Any] = {"vm": "{{ vm }}"}
WRONG_STATE = "NOT_ALLOWED_IN_CURRENT_STATE"
HARDWARE, CPU, MEMORY = "vcenter_vm_hardware", "vcenter_vm_hardware_cpu", "vcenter_vm_hardware_memory"
BOOT, BOOT_DEVICE = "vcenter_vm_hardware_boot", "vcenter_vm_hardware_boot_device"
SATA, SCSI = "vcenter_vm_hardware_adapter_sata", "vcenter_vm_hardware_adapter_scsi"
CDROM, DISK, ETHERNET = "vcenter_vm_hardware_cdrom", "vcenter_vm_hardware_disk", "vcenter_vm_hardware_ethernet"
FLOPPY, PARALLEL, SERIAL = "vcenter_vm_hardware_floppy", "vcenter_vm_hardware_parallel", "vcenter_vm_hardware_serial"
TOOLS, INSTALLER = "vcenter_vm_tools", "vcenter_vm_tools_installer"

A_CDROM: dict[str, Any] = VM | {"type": "SATA", "sata": {"bus": 0, "unit": 2}, "backing": {"type": "CLIENT_DEVICE"}}
A_DISK: dict[str, Any] = VM | {"type": "SCSI", "new_vmdk": {"capacity": 320000}}
A_NIC: dict[str, Any] = VM | {
    "pci_slot_number": 4,
    "backing": {"type": "STANDARD_PORTGROUP", "network": "{{ network }}"},
}
A_SLOT: dict[str, Any] = VM | {"pci_slot_number": 35}
ORDER = [{"type": "CDROM"}, {"type": "ETHERNET", "nic": "{{ nic_new.id }}"}]


def drive(name: str, module: str, key: str, label: str) -> list[Step]:
    """A floppy drive, a serial or a parallel port: their modules differ in names alone."""
    first: dict[str, Any] = VM | {key: f"{{{{ {name}_new.id }}}}"}
    return [
        *twice(f"{name}_new", module, **VM, label=f"{label} 1", allow_guest_control=True),
        *twice(f"{name}_start", module, **first, start_connected=True),
        *twice(f"{name}_by_label", module, **VM, label=f"{label} 1", allow_guest_control=False),
        step(f"{name}_connected_while_off", module, refused=WRONG_STATE, **first, state="connect"),
        step(f"{name}_disconnected_while_off", module, refused=WRONG_STATE, **first, state="disconnect"),
        step(f"{name}_unnamed", module, changed=True, **VM, allow_guest_control=False),
        step(f"{name}_info", f"{module}_info", **first),
        *twice(f"{name}_gone", module, **first, state="absent"),
    ]


STEPS = [
    *twice("policy", HARDWARE, **VM, upgrade_policy="AFTER_CLEAN_SHUTDOWN", upgrade_version="VMX_19"),
    # The module never reports an upgrade where the server answers 204, as every vCenter since 7.0.2 does.
    step("upgraded", HARDWARE, **VM, state="upgrade", version="VMX_19"),
    step("upgraded_again", HARDWARE, **VM, state="upgrade", version="VMX_19"),
    step("downgraded", HARDWARE, refused="INVALID_ARGUMENT", **VM, state="upgrade", version="VMX_13"),
    step("hardware_info", f"{HARDWARE}_info", **VM),
    *twice("cpu", CPU, **VM, count=4, cores_per_socket=2, hot_add_enabled=True),
    *twice("memory", MEMORY, **VM, size_MiB=2048, hot_add_enabled=True),
    *twice("boot", BOOT, **VM, delay=2000, retry=True, retry_delay=20000, enter_setup_mode=True),
    # The module leaves out what is as asked: with the firmware that is there, its options would come without their tag.
    *twice("bios", BOOT, **VM, type="BIOS"),
    *twice("firmware", BOOT, **VM, type="EFI", efi_legacy_boot=True, network_protocol="IPV6"),
    step("boot_info", f"{BOOT}_info", **VM),
    *twice("sata_new", SATA, **VM, pci_slot_number=34),
    step("sata_info", f"{SATA}_info", **VM, adapter="{{ sata_new.id }}"),
    *twice("scsi_new", SCSI, **A_SLOT, type="LSILOGICSAS", bus=1),
    *twice("scsi_shared", SCSI, **A_SLOT, sharing="VIRTUAL"),
    # The module asks for bus 0 where it is told none, which the disk's adapter has.
    step("scsi_unnamed", SCSI, changed=True, **VM),
    step("scsi_taken", SCSI, refused="RESOURCE_IN_USE", **VM, bus=1),
    step("scsi_unnamed_gone", SCSI, changed=True, **VM, adapter="{{ scsi_unnamed.id }}", state="absent"),
    step("scsi_info", f"{SCSI}_info", **VM, adapter="{{ scsi_new.id }}"),
    *twice("scsi_gone", SCSI, **A_SLOT, state="absent"),
    *twice("cdrom_new", CDROM, **A_CDROM, start_connected=True),
    *twice("cdrom_change", CDROM, **A_CDROM, start_connected=False, allow_guest_control=True),
    step("cdrom_other", CDROM, changed=True, **A_CDROM | {"sata": {"bus": 0, "unit": 3}}),
    step("place_taken", DISK, refused="RESOURCE_IN_USE", **A_DISK | {"type": "SATA", "sata": {"bus": 0, "unit": 3}}),
    step("cdrom_connected_while_off", CDROM, refused=WRONG_STATE, **VM, cdrom="{{ cdrom_new.id }}", state="connect"),
    step("cdrom_info", f"{CDROM}_info", **VM, cdrom="{{ cdrom_new.id }}"),
    *twice("cdrom_gone", CDROM, **VM, cdrom="{{ cdrom_other.id }}", state="absent"),
    *twice("disk_new", DISK, **A_DISK, label="Hard disk 2"),
    step("disk_unnamed", DISK, changed=True, **A_DISK),
    step("disk_info", f"{DISK}_info", **VM, disk="{{ disk_new.id }}"),
    *twice("disk_gone", DISK, **VM, disk="{{ disk_unnamed.id }}", state="absent"),
    *twice("nic_new", ETHERNET, **A_NIC),
    *twice("nic_start", ETHERNET, **VM, nic="{{ nic_new.id }}", start_connected=True, wake_on_lan_enabled=True),
    step("nic_other", ETHERNET, changed=True, **A_NIC | {"pci_slot_number": 5}),
    step("nic_connected_while_off", ETHERNET, refused=WRONG_STATE, **VM, nic="{{ nic_new.id }}", state="connect"),
    step("nic_info", f"{ETHERNET}_info", **VM, nic="{{ nic_new.id }}"),
    *twice("nic_gone", ETHERNET, **VM, nic="{{ nic_other.id }}", state="absent"),
    *drive("floppy", FLOPPY, "floppy", "Floppy drive"),
    *drive("parallel", PARALLEL, "port", "Parallel port"),
    *drive("serial", SERIAL, "port", "Serial port"),
    *twice("boot_order", BOOT_DEVICE, **VM, devices=ORDER),
    step("boot_order_info", f"{BOOT_DEVICE}_info", **VM),
    *twice("tools", TOOLS, **VM, upgrade_policy="UPGRADE_AT_POWER_CYCLE"),
    step("tools_upgraded_while_off", TOOLS, refused=WRONG_STATE, **VM, state="upgrade"),
    step("installer_while_off", INSTALLER, refused=WRONG_STATE, **VM, state="connect"),
    step("tools_info", f"{TOOLS}_info", **VM),
    step("power_info", "vcenter_vm_info", **VM),
]


@AT_NIGHT
def test_devices_by_ansible(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        check_devices(server, client, tmp_path)


def check_devices(server: Server, client: Client, folder: Path) -> None:
    """Take the steps with a new VM, and look at it."""
    wanted = spec(place(client), "hardware", hardware_version="VMX_17", disks=[{"new_vmdk": {"capacity": 1 << 30}}])
    vm = client.post("/api/vcenter/vm", json=wanted).json()
    where = {"vm": vm, "network": variables(client)["network"]}
    happened = take(server, folder, STEPS, **where)
    assert not surprises(STEPS, happened)
    hardware = f"/api/vcenter/vm/{vm}/hardware"
    assert_as_asked(happened, where["network"])
    # What the modules read is what the API says, of the devices that are still there.
    for name, path in {
        "hardware_info": "",
        "boot_info": "/boot",
        "boot_order_info": "/boot/device",
        "sata_info": f"/adapter/sata/{happened['sata_new']['id']}",
        "cdrom_info": f"/cdrom/{happened['cdrom_new']['id']}",
        "disk_info": f"/disk/{happened['disk_new']['id']}",
        "nic_info": f"/ethernet/{happened['nic_new']['id']}",
    }.items():
        assert happened[name]["value"] == client.read(hardware + path), name
    assert happened["tools_info"]["value"] == client.read(f"/api/vcenter/vm/{vm}/tools")
    # One of each is left, and it is the one that was not deleted.
    for name, path, key in (
        ("floppy", "floppy", "floppy"),
        ("parallel", "parallel", "port"),
        ("serial", "serial", "port"),
    ):
        assert client.read(f"{hardware}/{path}") == [{key: happened[f"{name}_unnamed"]["id"]}]


def assert_as_asked(happened: dict[str, Any], network: str) -> None:
    """The devices are as they were asked for."""
    value = {name: reply["value"] for name, reply in happened.items()}
    assert value["hardware_info"]["version"] == "VMX_19"
    assert value["upgraded_again"]["error_type"] == "ALREADY_IN_DESIRED_STATE"
    assert value["boot_info"]["delay"] == 2000
    assert (value["boot_info"]["type"], value["boot_info"]["network_protocol"]) == ("EFI", "IPV6")
    assert value["sata_info"]["pci_slot_number"] == 34
    assert value["scsi_info"]["sharing"] == "VIRTUAL"
    assert value["scsi_info"]["scsi"]["bus"] == 1
    assert (value["cdrom_info"]["start_connected"], value["cdrom_info"]["allow_guest_control"]) == (False, True)
    assert value["disk_info"]["capacity"] == 320000
    assert value["nic_info"]["backing"]["network"] == network
    assert value["nic_info"]["wake_on_lan_enabled"] is True
    assert [each["type"] for each in value["boot_order_info"]] == ["CDROM", "ETHERNET"]
    assert value["tools_info"]["upgrade_policy"] == "UPGRADE_AT_POWER_CYCLE"
    for name in ("floppy_info", "parallel_info", "serial_info"):
        assert (value[name]["start_connected"], value[name]["allow_guest_control"]) == (True, False), name
    whole = value["power_info"]
    assert (whole["cpu"]["count"], whole["cpu"]["cores_per_socket"], whole["memory"]["size_MiB"]) == (4, 2, 2048)
