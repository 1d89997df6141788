"""A plausible vCenter inventory, made from its sizes and a seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from resphere.inventory.model import Datastore, Host, ManagedObject, VirtualMachine
from resphere.providers.simulator.catalog import HOST_MEMORY_GIB, TIB
from resphere.providers.simulator.containers import build_uplinks
from resphere.providers.simulator.draws import Draws, Numbers
from resphere.providers.simulator.machines import build_machines
from resphere.providers.simulator.sizes import Sizes
from resphere.providers.simulator.topology import build_topology
from resphere.rules.space import disk_bytes


def generate(sizes: Sizes, seed: int) -> tuple[ManagedObject, ...]:
    """All objects of the inventory, by rising number, from `group-d1` to the last VM, its snapshots, and the
    uplink port groups of distributed switches.

    Equal sizes and seeds give equal objects, in every process and release of Python.
    """
    numbers = Numbers()
    draws = Draws(Random(seed))
    topology = build_topology(sizes, numbers, draws)
    machines = build_machines(sizes.vms, topology.sites, numbers, draws)
    return (*_with_room(topology.objects, machines), *machines, *build_uplinks(topology.objects, numbers))


def _with_room(objects: Sequence[ManagedObject], machines: Sequence[ManagedObject]) -> list[ManagedObject]:
    """The topology, its hosts and datastores grown until there is room for the VMs that chance has put there."""
    used = disk_bytes((*objects, *machines))
    memory_MiB: defaultdict[str, int] = defaultdict(int)
    for vm in machines:
        if isinstance(vm, VirtualMachine):
            memory_MiB[vm.host] += vm.memory.size_MiB
    # The hosts of a cluster are alike, so the fullest says how much memory each of them has.
    fullest: defaultdict[str | None, int] = defaultdict(int)
    for item in objects:
        if isinstance(item, Host):
            fullest[_alike(item)] = max(fullest[_alike(item)], memory_MiB[item.id])
    return [_grown(item, fullest, used) for item in objects]


def _alike(host: Host) -> str | None:
    return host.parent if host.resource_pool is None else host.id


def _grown(item: ManagedObject, memory_MiB: dict[str | None, int], used: dict[str, int]) -> ManagedObject:
    if isinstance(item, Host):
        needed_GiB = memory_MiB[_alike(item)] >> 10
        # Nothing is larger than the largest host: whoever wants ten thousand VMs on it has them overcommitted.
        size_GiB = next((size for size in HOST_MEMORY_GIB if size >= needed_GiB), HOST_MEMORY_GIB[-1])
        return replace(item, hardware=replace(item.hardware, memory_size_MiB=size_GiB << 10))
    if isinstance(item, Datastore) and item.id in used:
        # A quarter of a datastore is left free, as one does.
        capacity = max(item.capacity, -(-used[item.id] * 4 // (3 * TIB)) * TIB)
        return replace(item, capacity=capacity)
    return item
