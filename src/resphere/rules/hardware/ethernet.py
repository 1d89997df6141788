"""Ethernet adapters: addresses and networks."""

from __future__ import annotations

import re

from resphere.contract.errors import InvalidArgument, NotFound, VapiError, message
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Host, Network, VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.candidates import Usable, anything
from resphere.rules.hardware.devices import added, changed, initial_state, require_not_suspended
from resphere.rules.hardware.families import NICS
from resphere.rules.hardware.pci_slots import asked_slot
from resphere.rules.machines.guest_os_defaults import defaults_of
from resphere.rules.refusals import not_found

Key = ids.VcenterVmHardwareEthernetId


MacType = Ethernet.MacAddressType


VMXNET3 = Ethernet.EmulationType.VMXNET3


GENERATED_PREFIX, ASSIGNED_PREFIX = "00:0c:29", "00:50:56"
MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}\Z")


BACKING_OF_NETWORK = {
    vcenter.Network.Type.STANDARD_PORTGROUP: Ethernet.BackingType.STANDARD_PORTGROUP,
    vcenter.Network.Type.DISTRIBUTED_PORTGROUP: Ethernet.BackingType.DISTRIBUTED_PORTGROUP,
    vcenter.Network.Type.OPAQUE_NETWORK: Ethernet.BackingType.OPAQUE_NETWORK,
}


def with_nic(
    inventory: Replica, vm: VirtualMachine, spec: Ethernet.CreateSpec, usable: Usable = anything
) -> tuple[VirtualMachine, Key]:
    """``vm`` with an adapter more, and its key; where ``spec`` names no network, a ``usable`` one is chosen."""
    require_not_suspended(vm, "add an Ethernet adapter", VapiError)
    return added(vm, NICS, lambda current, number: new_nic(inventory, current, number, spec, usable))


def nic_with(
    inventory: Replica, vm: VirtualMachine, nic: Key, device: Ethernet.Info, spec: Ethernet.UpdateSpec
) -> Ethernet.Info:
    """The adapter with what ``spec`` changes.

    :raises NotFound: there is no such network.
    :raises InvalidArgument: a malformed MAC address, or one that does not go with its type, spec's or the adapter's.
    """
    if device.type is not VMXNET3 and (spec.upt_compatibility_enabled or spec.upt_v2_compatibility_enabled):
        raise InvalidArgument(
            message("resphere.vm.ethernet.upt", "spec: UPT compatibility is for VMXNET3, not for {0}.", device.type)
        )
    mac_type = spec.mac_type or device.mac_type
    if spec.mac_address is not None and mac_type is not MacType.MANUAL:
        raise InvalidArgument(
            message(
                "resphere.vm.ethernet.mac_not_manual", "spec.mac_address: must be unset when mac_type is {0}.", mac_type
            )
        )
    address = mac_address(vm, int(nic) - NICS.first_key, mac_type, spec.mac_address, device)
    return changed(
        device,
        upt_compatibility_enabled=spec.upt_compatibility_enabled,
        upt_v2_compatibility_enabled=spec.upt_v2_compatibility_enabled,
        mac_type=mac_type,
        mac_address=address,
        wake_on_lan_enabled=spec.wake_on_lan_enabled,
        backing=backing_info(inventory, vm, spec.backing) if spec.backing else None,
        start_connected=spec.start_connected,
        allow_guest_control=spec.allow_guest_control,
    )


def new_nic(
    inventory: Replica, vm: VirtualMachine, number: int, spec: Ethernet.CreateSpec, usable: Usable = anything
) -> Ethernet.Info:
    """The ``number``-th adapter, from 0, as ``spec`` asks; unset: the guest's usual type, the host's first network.

    Addresses that are not given are assigned by vCenter, also where they are to be generated (as vCenter 8.0 does).
    """
    kind = spec.type or defaults_of(vm.guest_OS).nic_type
    mac_type = MacType.MANUAL if spec.mac_type is MacType.MANUAL else MacType.ASSIGNED
    start_connected = bool(spec.start_connected)
    return Ethernet.Info(
        label=f"Network adapter {number + 1}",
        type=kind,
        upt_compatibility_enabled=bool(spec.upt_compatibility_enabled) if kind is VMXNET3 else None,
        upt_v2_compatibility_enabled=spec.upt_v2_compatibility_enabled,
        mac_type=mac_type,
        mac_address=mac_address(vm, number, mac_type, spec.mac_address, None),
        pci_slot_number=asked_slot(spec.pci_slot_number),
        wake_on_lan_enabled=bool(spec.wake_on_lan_enabled),
        backing=backing_info(inventory, vm, spec.backing, usable),
        state=initial_state(vm, start_connected),
        start_connected=start_connected,
        allow_guest_control=bool(spec.allow_guest_control),
    )


def mac_address(
    vm: VirtualMachine, number: int, mac_type: MacType, given: str | None, present: Ethernet.Info | None
) -> str:
    """The address for an adapter: the given one for MANUAL, else one that follows from the VM and the adapter.

    :raises InvalidArgument: MANUAL without an address, or a malformed one.
    """
    if mac_type is MacType.MANUAL:
        address = given or (present.mac_address if present and present.mac_type is mac_type else None)
        if address is None or not MAC.match(address):
            raise InvalidArgument(
                message(
                    "resphere.vm.ethernet.mac_address",
                    "spec.mac_address: must be an address like 00:50:56:00:00:01 when mac_type is MANUAL, not {0}.",
                    address,
                )
            )
        return address.lower().replace("-", ":")
    if present is not None and present.mac_type is mac_type and present.mac_address is not None:
        return present.mac_address
    serial = int(vm.id.rpartition("-")[2]) * NICS.most + number
    if mac_type is MacType.GENERATED:
        return formatted(GENERATED_PREFIX, serial)
    return formatted(ASSIGNED_PREFIX, 0x800000 | (0x3FFFFF - serial) & 0x3FFFFF)


def formatted(prefix: str, low: int) -> str:
    """A MAC address of three given bytes and three more."""
    return f"{prefix}:{low >> 16 & 0xFF:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"


def backing_info(
    inventory: Replica, vm: VirtualMachine, spec: Ethernet.BackingSpec | None, usable: Usable = anything
) -> Ethernet.BackingInfo:
    """The backing that ``spec`` asks for; unset: the first standard port group of the VM's host, or any network of it.

    :raises NotFound: no such network, or none at all.
    :raises InvalidArgument: the network is of another type, or the VM's host is not connected to it, or a host device
        is asked for (vCenter 7.0.3, ``ethernet.update``: never allowed).
    """
    if spec is None:
        return backing_of(default_network(inventory, vm, usable))
    if spec.type is Ethernet.BackingType.HOST_DEVICE:
        raise InvalidArgument(
            message("resphere.vm.ethernet.host_device", "spec.backing.type: ESXi hosts do not support HOST_DEVICE.")
        )
    assert spec.network is not None
    network = inventory.get(Network, spec.network)
    if network is None:
        raise not_found(inventory.epoch, Network, spec.network)
    if BACKING_OF_NETWORK[network.type] is not spec.type:
        raise InvalidArgument(
            message(
                "resphere.vm.ethernet.backing_type",
                "spec.backing.type: the network {0} is a {1}, not a {2}.",
                spec.network,
                network.type,
                spec.type,
            )
        )
    require_connected(inventory, vm, network)
    backing = backing_of(network)
    return changed(backing, distributed_port=spec.distributed_port)


def require_for_machines(network: Network) -> None:
    """Refuse a network that no VM connects to.

    :raises InvalidArgument: it is an uplink port group.
    """
    if network.uplink:
        raise InvalidArgument(
            message(
                "resphere.vm.ethernet.uplink",
                "spec.backing.network: {0} ({1}) is the uplink port group of a distributed switch, to which no virtual "
                "machine connects.",
                named(network),
                identified(network.id),
            )
        )


def require_connected(inventory: Replica, vm: VirtualMachine, network: Network) -> None:
    """Refuse a network that the VM's host does not reach."""
    require_for_machines(network)
    host = inventory.get(Host, vm.host)
    if host is not None and network.id not in host.networks:
        raise InvalidArgument(
            message(
                "resphere.vm.ethernet.not_connected",
                "spec.backing.network: the host {0}, on which {1} is, is not connected to the network {2} ({3}).",
                named(host),
                named(vm),
                named(network),
                identified(network.id),
            )
        )


def backing_of(network: Network) -> Ethernet.BackingInfo:
    """An adapter's backing by a network."""
    identity = ids.NetworkId(network.id)
    if network.type is vcenter.Network.Type.STANDARD_PORTGROUP:
        return Ethernet.BackingInfo(
            type=Ethernet.BackingType.STANDARD_PORTGROUP, network=identity, network_name=network.name
        )
    if network.type is vcenter.Network.Type.DISTRIBUTED_PORTGROUP:
        return Ethernet.BackingInfo(
            type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP,
            network=identity,
            distributed_switch_uuid=network.distributed_switch_uuid,
        )
    return Ethernet.BackingInfo(
        type=Ethernet.BackingType.OPAQUE_NETWORK,
        network=identity,
        opaque_network_type="nsx.LogicalSwitch",
        opaque_network_id=network.id,
    )


def default_network(inventory: Replica, vm: VirtualMachine, usable: Usable) -> Network:
    """A usable network that the VM's host is connected to: a standard one before others."""
    host = inventory.get(Host, vm.host)
    networks = [n for i in (host.networks if host else ()) if (n := inventory.get(Network, i)) is not None]
    networks = [network for network in networks if usable(network)]
    networks.sort(key=lambda network: network.type is not vcenter.Network.Type.STANDARD_PORTGROUP)
    if not networks:
        raise NotFound(
            message(
                "resphere.vm.ethernet.no_network",
                "The host of {0} is not connected to any network that could be chosen.",
                named(vm),
            )
        )
    return networks[0]
