"""``resphere.vcenter.network``: get, create, update, move, connect, disconnect and delete."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument, ResourceInUse, message
from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter
from resphere.inventory.mentions import described, identified, named
from resphere.inventory.model import Folder, Host, Network, VirtualMachine
from resphere.inventory.relations import datacenter_of, hosts_of_network
from resphere.inventory.tables import VIRTUAL_MACHINES
from resphere.inventory.uplinks import hosts_of_uplink, new_uplink, uplink_name
from resphere.inventory.volumes import distributed_switch_uuid
from resphere.replica.edit import Edit
from resphere.rules.moves import require_free_in_datacenter
from resphere.rules.names import require_free, require_name
from resphere.rules.standard_networks import forget_without_hosts
from resphere.services.call import Call
from resphere.services.checks.hosts import require_hosts
from resphere.services.checks.moves import move, rename
from resphere.services.checks.under_way import require_none_arriving
from resphere.services.registry import implements
from resphere.services.vcenter.datacenter.changes import require_type

NETWORKS = vcenter.Folder.Type.NETWORK
HIGHEST_VLAN = 4094
DISTRIBUTED = vcenter.Network.Type.DISTRIBUTED_PORTGROUP
STANDARD = vcenter.Network.Type.STANDARD_PORTGROUP


@implements(Networks.get, kept=True)
async def get(call: Call, network: ids.NetworkId) -> Networks.Info:
    """One network in detail."""
    found = call.require(Network, network)
    having = hosts_of_uplink(call.inventory, found) if found.uplink else hosts_of_network(call.inventory, network)
    hosts = sorted(having, key=lambda host: (len(host.id), host.id))
    switch = found.distributed_switch
    return Networks.Info(
        network=network,
        name=found.name,
        type=found.type.value,
        parent=ids.FolderId(found.parent or ""),
        vlan=found.vlan,
        distributed_switch=ids.VSphereDistributedSwitchId(switch) if switch is not None else None,
        distributed_switch_uuid=found.distributed_switch_uuid,
        hosts=tuple(ids.HostSystemId(host.id) for host in hosts),
        vm_count=len(call.by(VirtualMachine, "network", network)),
        uplink=found.uplink,
    )


@implements(Networks.create)
async def create(call: Call, spec: Networks.CreateSpec) -> ids.NetworkId:
    """A port group: a standard one on its hosts, or a distributed one, on a switch of its own unless one is named.

    :raises InvalidArgument: the name is none, the VLAN impossible, the folder not for networks, a host in another
        datacenter; no port group of the datacenter is on that switch; the type is another, or lacks hosts.
    :raises AlreadyExists: a network of the datacenter has that name.
    """
    require_name(spec.name, "network")
    vlan = spec.vlan or 0
    if not 0 <= vlan <= HIGHEST_VLAN:
        raise InvalidArgument(
            message("resphere.network.vlan", "The VLAN must be from 0 to {0}, not {1}.", HIGHEST_VLAN, vlan)
        )
    type = type_of_new(spec)
    folder = call.require(Folder, spec.folder)
    new_switch_uuid = distributed_switch_uuid(call.environment.random_bytes(16).hex())

    def guard(current: Folder) -> None:
        require_type(current, NETWORKS)
        require_free_in_datacenter(call.unfiltered, Network, current, spec.name)
        require_free(call.unfiltered, current, spec.name)
        require_hosts(call, current, spec.hosts or ())
        if spec.distributed_switch is not None:
            port_group_of(call, current, spec.distributed_switch)

    def plan(edit: Edit, current: Folder) -> ids.NetworkId:
        switch: str | None
        if spec.distributed_switch is not None:
            beside = port_group_of(call, current, spec.distributed_switch)
            # A switch is there as long as it has a port group: who deletes its last one meanwhile, sees this one.
            edit.refer_to(beside)
            switch, uuid = beside.distributed_switch, beside.distributed_switch_uuid
        elif type is DISTRIBUTED:
            switch, uuid = edit.new_id("dvs-"), new_switch_uuid
        else:
            switch, uuid = None, None
        made = ids.NetworkId(edit.new_id("dvportgroup-" if type is DISTRIBUTED else "network-"))
        network = Network(
            id=made,
            name=spec.name,
            parent=current.id,
            type=type,
            vlan=vlan,
            distributed_switch=switch,
            distributed_switch_uuid=uuid,
        )
        edit.put(network)
        if switch is not None and spec.distributed_switch is None:
            edit.put(new_uplink(edit.new_id("dvportgroup-"), free_uplink_name(call, current, network), network))
        for host in require_hosts(call, current, spec.hosts or ()):
            edit.put(msgspec.structs.replace(host, networks=(*host.networks, made)))
        return made

    return await call.change("DistributedVirtualSwitch.addDVPortgroup", folder, plan, guard)


def free_uplink_name(call: Call, folder: Folder, network: Network) -> str:
    """The name of the uplink port group of a new switch; another where somebody has given that to something else."""
    name = uplink_name(network.distributed_switch or "")
    taken = 0
    candidate = name
    while candidate == network.name or not is_free_for(call, folder, candidate):
        taken += 1
        candidate = f"{name} ({taken})"
    return candidate


def is_free_for(call: Call, folder: Folder, name: str) -> bool:
    """Whether nothing in the folder, and no network of its datacenter, has the name."""
    try:
        require_free_in_datacenter(call.unfiltered, Network, folder, name)
        require_free(call.unfiltered, folder, name)
    except AlreadyExists:
        return False
    return True


def type_of_new(spec: Networks.CreateSpec) -> vcenter.Network.Type:
    """The type of the new port group.

    :raises InvalidArgument: it cannot be made, or not so.
    """
    type = spec.type or DISTRIBUTED
    if type not in (DISTRIBUTED, STANDARD):
        raise InvalidArgument(
            message("resphere.network.type", "The type must be {0} or {1}, not {2}.", STANDARD, DISTRIBUTED, type)
        )
    if type is STANDARD and (spec.distributed_switch is not None or not spec.hosts):
        raise InvalidArgument(
            message("resphere.network.standard", "A standard port group is on hosts, and on no distributed switch.")
        )
    return type


def port_group_of(call: Call, place: Folder, switch: str) -> Network:
    """A port group of the switch, in the datacenter of ``place``.

    :raises InvalidArgument: there is none; a switch is known by its port groups.
    """
    here = datacenter_of(call.unfiltered, place)
    for network in call.unfiltered.by(Network, "distributed_switch", switch).values():
        there = datacenter_of(call.unfiltered, network)
        if here is not None and there is not None and here.id == there.id:
            return network
    raise InvalidArgument(
        message(
            "resphere.network.switch",
            "No port group of the datacenter is on a distributed switch {0}. Leave it out to get a new one.",
            switch,
        )
    )


@implements(Networks.update)
async def update(call: Call, network: ids.NetworkId, spec: NameSpec) -> None:
    """Rename the network.

    :raises AlreadyExists: a network of the datacenter has that name.
    """
    await rename(call, "Network.rename", call.require(Network, network), spec.name)


@implements(Networks.move)
async def move_network(call: Call, network: ids.NetworkId, spec: FolderSpec) -> None:
    """Move the network into another folder for networks of its datacenter."""
    await move(call, "Folder.moveInto", call.require(Network, network), spec.folder, NETWORKS)


@implements(Networks.connect)
async def connect(call: Call, network: ids.NetworkId, spec: Networks.HostsSpec) -> None:
    """Connect hosts; those that are stay so.

    :raises InvalidArgument: a host is in another datacenter.
    """

    def guard(current: Network) -> None:
        require_own_hosts(current)
        require_hosts(call, current, spec.hosts)

    def plan(edit: Edit, current: Network) -> None:
        for host in require_hosts(call, current, spec.hosts):
            if network not in host.networks:
                edit.put(msgspec.structs.replace(host, networks=(*host.networks, network)))

    await call.change("DistributedVirtualSwitch.addHosts", call.require(Network, network), plan, guard)


@implements(Networks.disconnect)
async def disconnect(call: Call, network: ids.NetworkId, spec: Networks.HostsSpec) -> None:
    """Disconnect hosts; those that are not connected stay so. A standard network goes with its last host.

    :raises ResourceInUse: a VM there has a NIC on the network, or will have as soon as work under way is done.
    """

    def guard(current: Network) -> None:
        require_own_hosts(current)
        hosts = {host.id for host in require_hosts(call, current, spec.hosts)}
        require_unused(call, current, hosts)
        require_none_arriving(call, current, hosts, lambda vm: network in VIRTUAL_MACHINES.indexes["network"](vm))

    def plan(edit: Edit, current: Network) -> None:
        for host in require_hosts(call, current, spec.hosts):
            edit.put(without_network(host, network))
        # A machine that comes to the network on such a host meanwhile does not change the host; nor does work that
        # begins to move one to it.
        edit.rely_on_referrers(network)
        for id in spec.hosts:
            edit.rely_on_referrers(id)
        forget_without_hosts(edit, call.unfiltered, [network])

    await call.change("DistributedVirtualSwitch.removeHosts", call.require(Network, network), plan, guard)


@implements(Networks.delete)
async def delete(call: Call, network: ids.NetworkId) -> None:
    """Delete the network; its hosts are disconnected, and with its last port group a switch is gone, and its uplinks'.

    :raises ResourceInUse: a VM has a NIC on it, or it is the uplinks' port group of a switch.
    """

    def guard(current: Network) -> None:
        if current.uplink:
            raise ResourceInUse(
                message(
                    "resphere.network.uplink",
                    "The network {0} ({1}) is the uplink port group of a distributed switch, and goes with its last "
                    "port group.",
                    named(current),
                    identified(current.id),
                )
            )
        require_unused(call, current)

    def plan(edit: Edit, current: Network) -> None:
        edit.delete(Network, current.id)
        if current.distributed_switch is None:
            return
        beside = call.unfiltered.by(Network, "distributed_switch", current.distributed_switch).values()
        others = [network for network in beside if network.id != current.id]
        keeper = next((network for network in others if not network.uplink), None)
        if keeper is not None:
            # Of two that delete the last ones at once, one looks again.
            edit.rely_on(keeper)
        else:
            for uplink in others:
                edit.delete(Network, uplink.id)

    await call.change("DistributedVirtualPortgroup.destroy", call.require(Network, network), plan, guard)


def require_own_hosts(network: Network) -> None:
    """Refuse an uplink port group: hosts have it by the switch's other port groups.

    :raises InvalidArgument: it is one.
    """
    if network.uplink:
        raise InvalidArgument(
            message(
                "resphere.network.uplink_hosts",
                "The network {0} ({1}) is the uplink port group of a distributed switch, and is on the hosts of its "
                "other port groups.",
                named(network),
                identified(network.id),
            )
        )


def without_network(host: Host, network: str) -> Host:
    """The host, not connected to the network."""
    return msgspec.structs.replace(host, networks=tuple(each for each in host.networks if each != network))


def require_unused(call: Call, network: Network, hosts: set[str] | None = None) -> None:
    """Refuse a network that a VM (on one of ``hosts``) has a NIC on."""
    for vm in call.unfiltered.by(VirtualMachine, "network", network.id).values():
        if hosts is None or vm.host in hosts:
            raise ResourceInUse(
                message(
                    "resphere.network.in_use",
                    "The network {0} ({1}) is in use: {2} has a network adapter on it.",
                    named(network),
                    identified(network.id),
                    described(vm, "virtual machine"),
                )
            )
