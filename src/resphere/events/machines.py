"""Which of vSphere's events a change of a machine, a host or what they stand in is: names as in ``vim.event``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resphere.contract.generated import vcenter, vcenter_vm
from resphere.events.event import Deed
from resphere.inventory.model import Datastore, Host, Network, ResourcePool, VirtualMachine

CREATED_BY: Mapping[str, str] = {
    "com.vmware.vcenter.VM.clone": "VmClonedEvent",
    "com.vmware.vcenter.VM.instant_clone": "VmClonedEvent",
    "com.vmware.vcenter.VM.register": "VmRegisteredEvent",
    "com.vmware.vcenter.ovf.library_item.deploy": "VmDeployedEvent",
    "com.vmware.vcenter.vm_template.library_items.deploy": "VmDeployedEvent",
}
"""What machines are made by, but for those that are made anew."""

HOST_FAILURE = "resphere.faults.hosts.fail"
"""What has HA start machines again."""
POWERED = {
    vcenter_vm.Power.State.POWERED_ON: "VmPoweredOnEvent",
    vcenter_vm.Power.State.POWERED_OFF: "VmPoweredOffEvent",
    vcenter_vm.Power.State.SUSPENDED: "VmSuspendedEvent",
}
CONNECTED = {
    vcenter.Host.ConnectionState.CONNECTED: "HostConnectedEvent",
    vcenter.Host.ConnectionState.DISCONNECTED: "HostDisconnectedEvent",
    vcenter.Host.ConnectionState.NOT_RESPONDING: "HostConnectionLostEvent",
}

Names = Callable[[object, object, frozenset[str], str | None], str]
"""Gives the type of the event: of what was before and is after (``None``: nothing), which fields changed, and which
operation did it."""


def of_machine(before: object, after: object, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a machine; where several things have, of what weighs most."""
    if not isinstance(after, VirtualMachine):
        return "VmRemovedEvent"
    if not isinstance(before, VirtualMachine):
        return CREATED_BY.get((operation or "").removesuffix("$task"), "VmCreatedEvent")
    if "power_state" in changed:
        is_restarted = operation == HOST_FAILURE and after.power_state is vcenter_vm.Power.State.POWERED_ON
        return "VmRestartedOnAlternateHostEvent" if is_restarted else POWERED[after.power_state]
    if "name" in changed:
        return "VmRenamedEvent"
    if "host" in changed:
        is_on = after.power_state is vcenter_vm.Power.State.POWERED_ON
        return "VmMigratedEvent" if is_on else "VmRelocatedEvent"
    if "datastore" in changed or "vmx_path" in changed:
        return "VmRelocatedEvent"
    if "resource_pool" in changed:
        return "VmResourcePoolMovedEvent"
    if "parent" in changed:
        return "resphere.vm.moved"
    if changed <= {"guest", "tools"}:
        return "resphere.vm.guest_changed"
    return "VmReconfiguredEvent"


def of_host(before: object, after: object, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a host."""
    if not isinstance(after, Host):
        return "HostRemovedEvent"
    if not isinstance(before, Host):
        return "HostAddedEvent"
    if "in_maintenance_mode" in changed:
        return "EnteredMaintenanceModeEvent" if after.in_maintenance_mode else "ExitMaintenanceModeEvent"
    if "connection_state" in changed:
        return CONNECTED[after.connection_state]
    if "parent" in changed:
        return "resphere.host.moved"
    return "resphere.host.updated"


def of_pool(before: object, after: object, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a resource pool."""
    if not isinstance(after, ResourcePool):
        return "ResourcePoolDestroyedEvent"
    if not isinstance(before, ResourcePool):
        return "ResourcePoolCreatedEvent"
    return "ResourcePoolMovedEvent" if "parent" in changed else "ResourcePoolReconfiguredEvent"


def of_datastore(before: object, after: object, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a datastore."""
    if not isinstance(after, Datastore):
        return "DatastoreDestroyedEvent"
    if not isinstance(before, Datastore):
        nas = after.type in (vcenter.Datastore.Type.NFS, vcenter.Datastore.Type.NFS41)
        return "NASDatastoreCreatedEvent" if nas else "VMFSDatastoreCreatedEvent"
    if "name" in changed:
        return "DatastoreRenamedEvent"
    if "capacity" in changed and after.capacity > before.capacity:
        return "DatastoreCapacityIncreasedEvent"
    return "resphere.datastore.moved" if "parent" in changed else "resphere.datastore.updated"


def of_network(before: object, after: object, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a network: vSphere has events of distributed port groups alone."""
    network = after if isinstance(after, Network) else before
    deed = Deed.DELETED if after is None else Deed.CREATED if before is None else Deed.UPDATED
    if not isinstance(network, Network) or network.type is not vcenter.Network.Type.DISTRIBUTED_PORTGROUP:
        return f"resphere.network.{deed.lower()}"
    if deed is Deed.UPDATED:
        return "DVPortgroupRenamedEvent" if "name" in changed else "DVPortgroupReconfiguredEvent"
    return "DVPortgroupCreatedEvent" if deed is Deed.CREATED else "DVPortgroupDestroyedEvent"
