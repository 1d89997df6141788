"""Where a simulated virtual machine runs."""

from __future__ import annotations

from resphere.contract.errors import UnableToAllocateResource, message
from resphere.inventory.model import Host, VirtualMachine
from resphere.inventory.placement import NoPlace, can_run, memory_in_use_MiB, place
from resphere.inventory.relations import cluster_of_host, hosts_of_cluster
from resphere.inventory.replica import Replica


def running_place(inventory: Replica, vm: VirtualMachine) -> Host:
    """The VM's own host if it takes VMs, else the best of its cluster.

    :raises UnableToAllocateResource: none takes it.
    """
    host = inventory.get(Host, vm.host)
    if host is not None and can_run(host):
        return host
    cluster = cluster_of_host(inventory, host) if host is not None else None
    hosts = hosts_of_cluster(inventory, cluster.id) if cluster else []
    in_use = {other.id: memory_in_use_MiB(inventory, other) for other in hosts}
    try:
        return place(vm, hosts, in_use)
    except NoPlace:
        raise UnableToAllocateResource(
            message(
                "vmsg.NoCompatibleHost.summary",
                "No host is compatible with the virtual machine {0}: its host takes none now.",
                vm.name,
            )
        ) from None
