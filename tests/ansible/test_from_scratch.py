"""A machine from nothing by Ansible's modules: its hardware, system, address, customization, and its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.ansible.steps import Step, step, surprises, take, twice
from tests.ansible.test_playbooks import pytestmark as pytestmark
from tests.ansible.test_playbooks import server as server
from tests.ansible.test_playbooks import variables
from tests.support.server import Server

VM: dict[str, Any] = {"vm": "{{ made.id }}"}
MACHINE: dict[str, Any] = {
    "name": "from-scratch",
    "guest_OS": "RHEL_7_64",
    "hardware_version": "VMX_11",
    "placement": {"folder": "{{ vm_folder }}", "cluster": "{{ cluster }}", "datastore": "{{ datastore }}"},
    "memory": {"size_MiB": 2048, "hot_add_enabled": True},
    "disks": [{"type": "SATA", "new_vmdk": {"name": "system", "capacity": 34359738368}}],
}
SCSI = "vcenter_vm_hardware_adapter_scsi"
NIC: dict[str, Any] = {"backing": {"type": "STANDARD_PORTGROUP", "network": "{{ network }}"}, "pci_slot_number": 4}
IMAGE: dict[str, Any] = {
    "type": "SATA",
    "sata": {"bus": 0, "unit": 2},
    "backing": {"type": "ISO_FILE", "iso_file": "[{{ datastore_name }}] install.iso"},
    "start_connected": True,
}
LINUX: dict[str, Any] = {"hostname": {"type": "FIXED", "fixed_name": "scratch"}, "domain": "example.org"}
STATIC = {"type": "STATIC", "ip_address": "192.168.40.7", "prefix": 24, "gateways": ["192.168.40.1"]}
STEPS: list[Step] = [
    *twice("made", "vcenter_vm", **MACHINE),
    step("first_scsi", SCSI, changed=True, **VM),
    step("second_scsi", SCSI, changed=True, **VM, pci_slot_number=35),
    step("second_scsi_again", SCSI, **VM, pci_slot_number=35),
    *twice("second_scsi_gone", SCSI, **VM, pci_slot_number=35, state="absent"),
    *twice("nic", "vcenter_vm_hardware_ethernet", **VM, **NIC, start_connected=True),
    *twice("image", "vcenter_vm_hardware_cdrom", **VM, **IMAGE),
    step("bare", "vcenter_vm_tools_info", **VM),
    # The collection reports a change of power never, for the server answers 204.
    step("on", "vcenter_vm_power", **VM, state="start"),
    step("tools", "vcenter_vm_tools_info", **VM),
    step("interfaces", "vcenter_vm_guest_networking_interfaces_info", **VM),
    step("shut_down", "vcenter_vm_guest_power", **VM, state="shutdown"),
    step("off", "vcenter_vm_power_info", **VM),
    step("ready", "vcenter_vm_guest_power_info", **VM),
    step(
        "customization",
        "vcenter_vm_guest_customization",
        changed=True,
        **VM,
        configuration_spec={"linux_config": LINUX},
        interfaces=[{"adapter": {"ipv4": STATIC}}],
        global_DNS_settings={"dns_servers": ["192.168.40.2"], "dns_suffix_list": []},
    ),
    step("on_again", "vcenter_vm_power", **VM, state="start"),
    step("networking", "vcenter_vm_guest_networking_info", **VM),
    step("identity", "vcenter_vm_guest_identity_info", **VM),
    step("off_at_last", "vcenter_vm_power", **VM, state="stop"),
    *twice("gone", "vcenter_vm", **VM, state="absent"),
]


def test_a_machine_from_scratch(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        where = variables(client)
    happened = take(server, tmp_path, STEPS, **where)
    assert not surprises(STEPS, happened)
    value: dict[str, Any] = {name: reply.get("value") for name, reply in happened.items()}
    assert happened["second_scsi"]["id"] == happened["second_scsi_again"]["id"] != happened["first_scsi"]["id"]
    assert value["nic"]["mac_type"] == "ASSIGNED"
    assert (value["bare"]["run_state"], value["tools"]["run_state"]) == ("NOT_RUNNING", "RUNNING")
    [interface] = value["interfaces"]
    assert interface["nic"] == happened["nic"]["id"]
    assert len(interface["ip"]["ip_addresses"]) == 1
    assert value["off"] == {"state": "POWERED_OFF", "clean_power_off": True}
    assert value["ready"] == {"state": "NOT_RUNNING", "operations_ready": False}
    assert value["networking"]["dns_values"] == {"host_name": "scratch", "domain_name": "example.org"}
    assert value["networking"]["dns"]["ip_addresses"] == ["192.168.40.2"]
    assert value["identity"]["ip_address"] == "192.168.40.7"
