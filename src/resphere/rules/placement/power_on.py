"""Where a simulated virtual machine runs."""

from __future__ import annotations

from resphere.contract.errors import UnableToAllocateResource, vim_message
from resphere.inventory.mentions import named
from resphere.inventory.model import Host, VirtualMachine
from resphere.inventory.relations import cluster_of_host, hosts_of_cluster
from resphere.replica.replica import Replica
from resphere.rules.placement.compute_policies import Placing, policies_of
from resphere.rules.placement.hosts import NoPlace, can_run, can_take, memory_in_use_MiB, place


def running_place(inventory: Replica, vm: VirtualMachine) -> Host:
    """The VM's own host if it takes VMs and no policy prefers another, else the best of its cluster.

    :raises UnableToAllocateResource: none takes it.
    """
    host = inventory.get(Host, vm.host)
    policies = Placing(inventory)
    usable = host is not None and can_run(host)
    if host is not None and usable and not policies_of(inventory, vm.id):
        return host
    cluster = cluster_of_host(inventory, host) if host is not None else None
    hosts = hosts_of_cluster(inventory, cluster.id) if cluster else []
    if host is not None and usable and host in policies.allowed(vm, [o for o in hosts if can_take(o, vm)] or [host]):
        return host
    in_use = {other.id: memory_in_use_MiB(inventory, other) for other in hosts}
    try:
        return place(vm, hosts, in_use, policies.allowed)
    except NoPlace:
        raise UnableToAllocateResource(
            vim_message(
                "vmsg.NoCompatibleHost.summary",
                "No host is compatible with the virtual machine {0}: none takes it now, or policies bar those that do.",
                named(vm),
            )
        ) from None
