"""Where virtual machines can run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from resphere.contract.generated import vcenter, vcenter_vm
from resphere.inventory.model import Datastore, Host, VirtualMachine
from resphere.inventory.relations import cluster_of_host, hosts_of_cluster
from resphere.replica.derived import Derived
from resphere.replica.replica import Replica
from resphere.rules.placement.compute_policies import Placing

CONNECTED = vcenter.Host.ConnectionState.CONNECTED
Allowed = Callable[[VirtualMachine, Sequence[Host]], Sequence[Host]]
"""Of hosts that could take the VM, those that policies leave."""
HOST_ON = vcenter.Host.PowerState.POWERED_ON
OFF = vcenter_vm.Power.State.POWERED_OFF


class NoPlace(Exception):
    """No host can take ``vm``."""

    def __init__(self, vm: VirtualMachine) -> None:
        super().__init__(vm.id)
        self.vm = vm


def can_run(host: Host) -> bool:
    """Whether the host takes virtual machines at all."""
    return host.connection_state is CONNECTED and host.power_state is HOST_ON and not host.in_maintenance_mode


def can_take(host: Host, vm: VirtualMachine) -> bool:
    """Whether the host takes virtual machines and reaches what this one needs."""
    networks = (nic.backing.network for nic in vm.nics.values())
    return (
        can_run(host)
        and vm.datastore in host.datastores
        and all(network in host.networks for network in networks if network is not None)
    )


class Load:
    """Memory of the VMs that are not off, by their host's id, in MiB."""

    def __init__(self) -> None:
        self.memory_MiB: defaultdict[str, int] = defaultdict(int)

    def vm_changed(self, old: VirtualMachine | None, new: VirtualMachine | None) -> None:
        """A VM came, went or changed."""
        for vm, sign in ((old, -1), (new, 1)):
            if vm is not None and vm.power_state is not OFF:
                self.memory_MiB[vm.host] += sign * vm.memory.size_MiB


LOAD = Derived(Load, {VirtualMachine: Load.vm_changed})


def memory_in_use_MiB(inventory: Replica, host: Host) -> int:
    """Memory of the VMs on the host that are not off."""
    return inventory.derived(LOAD).memory_MiB.get(host.id, 0)


def any_of(_: VirtualMachine, hosts: Sequence[Host]) -> Sequence[Host]:
    """No policy: any of the hosts will do."""
    return hosts


def place(vm: VirtualMachine, hosts: Iterable[Host], in_use_MiB: dict[str, int], allowed: Allowed = any_of) -> Host:
    """The host with the most free memory that can take ``vm`` and that ``allowed`` leaves; ties go to the lowest id.

    :raises NoPlace: none can.
    """
    able = allowed(vm, [host for host in hosts if can_take(host, vm)])
    if not able:
        raise NoPlace(vm)
    return min(able, key=lambda host: (in_use_MiB[host.id] - host.hardware.memory_size_MiB, len(host.id), host.id))


def failover(inventory: Replica, host: Host, vms: Iterable[VirtualMachine]) -> dict[str, str | None]:
    """Where HA starts each of those VMs again once ``host`` has died: VM id -> host id, or ``None`` where none has
    room for it, or its files cannot be reached. The largest are placed first."""
    cluster = cluster_of_host(inventory, host)
    with_ha = hosts_of_cluster(inventory, cluster.id) if cluster and cluster.ha_enabled else []
    others = [other for other in with_ha if other.id != host.id]
    in_use = {other.id: memory_in_use_MiB(inventory, other) for other in others}
    policies = Placing(inventory)

    def allowed(vm: VirtualMachine, hosts: Sequence[Host]) -> Sequence[Host]:
        roomy = [each for each in hosts if in_use[each.id] + vm.memory.size_MiB <= each.hardware.memory_size_MiB]
        return policies.allowed(vm, roomy)

    places: dict[str, str | None] = {}
    for vm in sorted(vms, key=lambda vm: (-vm.memory.size_MiB, len(vm.id), vm.id)):
        places[vm.id] = None
        store = inventory.get(Datastore, vm.datastore)
        if store is not None and not store.accessible:
            continue
        try:
            destination = place(vm, others, in_use, allowed)
        except NoPlace:
            continue
        places[vm.id] = destination.id
        in_use[destination.id] += vm.memory.size_MiB
        policies.moved(vm, destination.id)
    return places


def evacuation(inventory: Replica, host: Host, with_powered_off: bool) -> dict[str, str]:
    """Where DRS sends each VM of ``host``: VM id -> host id. The largest are placed first; a host is full where what
    runs on it would need more memory than it has.

    Powered-off VMs and templates stay unless ``with_powered_off``; even then they stay where no host takes them.

    :raises NoPlace: a VM that is not off cannot go anywhere.
    """
    cluster = cluster_of_host(inventory, host)
    with_drs = hosts_of_cluster(inventory, cluster.id) if cluster and cluster.drs_enabled else []
    others = [other for other in with_drs if other.id != host.id]
    in_use = {other.id: memory_in_use_MiB(inventory, other) for other in others}
    policies = Placing(inventory, evacuating=True)

    def allowed(vm: VirtualMachine, hosts: Sequence[Host]) -> Sequence[Host]:
        needed = 0 if vm.power_state is OFF else vm.memory.size_MiB
        roomy = [each for each in hosts if in_use[each.id] + needed <= each.hardware.memory_size_MiB]
        return policies.allowed(vm, roomy)

    moves: dict[str, str] = {}
    vms = inventory.by(VirtualMachine, "host", host.id).values()
    for vm in sorted(vms, key=lambda vm: (vm.power_state is OFF, -vm.memory.size_MiB, len(vm.id), vm.id)):
        if vm.power_state is OFF and not with_powered_off:
            continue
        try:
            destination = place(vm, others, in_use, allowed)
        except NoPlace:
            if vm.power_state is OFF:
                continue
            raise
        moves[vm.id] = destination.id
        if vm.power_state is not OFF:
            in_use[destination.id] += vm.memory.size_MiB
            policies.moved(vm, destination.id)
    return moves
