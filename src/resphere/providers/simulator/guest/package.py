"""What a simulated guest reads of the package that its machine was made of: a variable of Tools, or a disc."""

from __future__ import annotations

from collections.abc import Mapping

from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.guest import GuestNode
from resphere.inventory.model import Host, Network, VirtualMachine
from resphere.inventory.vapp import GUEST_INFO, ISO, VappConfiguration
from resphere.ovf.environment import EnvironmentAdapter, Platform, environment
from resphere.providers.simulator.guest.image import INSTALLED, style_of
from resphere.providers.simulator.guest.tree import DIRECTORY, FILE
from resphere.replica.table import Lookup
from resphere.rules.hardware.families import NICS

VARIABLE = "guestinfo.ovfEnv"
DISC = {False: "/media/cdrom", True: "D:\\"}
"""Where the disc is, by whether the guest is Windows."""
NAME = "ovf-env.xml"
FIRST_UNIT = 7
"""vSphere's unit number of the first network adapter."""


def variables(inventory: Lookup, vm: VirtualMachine) -> dict[str, str]:
    """What Tools hand out in the guest, by name."""
    found = inventory.get(VappConfiguration, vm.id)
    return {VARIABLE: _document(inventory, vm, found)} if found is not None and GUEST_INFO in found.transports else {}


def disc(inventory: Lookup, vm: VirtualMachine) -> Mapping[str, GuestNode]:
    """The files that the disc adds to the guest's, by key: nobody can change them. They are no part of its disk."""
    found = inventory.get(VappConfiguration, vm.id)
    if found is None or ISO not in found.transports:
        return {}
    style, data = style_of(vm), _document(inventory, vm, found).encode()
    parts = style.parse(DISC[style.windows])
    nodes = {style.key(parts[: count + 1]): _node(DIRECTORY, name) for count, name in enumerate(parts)}
    return {**nodes, style.key((*parts, NAME)): _node(FILE, NAME, data)}


def _document(inventory: Lookup, vm: VirtualMachine, configuration: VappConfiguration) -> str:
    host = inventory.get(Host, vm.host)
    return environment(
        vm.id,
        Platform(version="" if host is None else host.version),
        configuration.values,
        [
            EnvironmentAdapter(
                mac_address=nic.mac_address or "",
                network=_network(inventory, nic.backing.network, nic.backing.network_name),
                unit_number=int(key) - NICS.first_key + FIRST_UNIT,
            )
            for key, nic in vm.nics.items()
        ],
    )


def _node(type: Files.Type, name: str, data: bytes = b"") -> GuestNode:
    return GuestNode(
        name=name,
        type=type,
        modified=INSTALLED,
        accessed=INSTALLED,
        created=INSTALLED,
        size=len(data),
        data=data,
        permissions="0555" if type is DIRECTORY else "0444",
        read_only=True,
        locked=True,
    )


def _network(inventory: Lookup, id: str | None, name: str | None) -> str:
    found = None if id is None else inventory.get(Network, id)
    return name or "" if found is None else found.name
