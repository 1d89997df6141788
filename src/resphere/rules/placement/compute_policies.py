"""What compute policies say of the places of virtual machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resphere.contract.generated import vcenter_vm
from resphere.contract.generated.vcenter_compute_policies import ObjectCompliance
from resphere.inventory.compute_policies import WITHOUT_MEANING, Capability, ComputePolicy
from resphere.inventory.model import Host, VirtualMachine
from resphere.inventory.relations import cluster_of_host
from resphere.inventory.tagging import Attachment, attachment_id
from resphere.replica.replica import Replica

ON = vcenter_vm.Power.State.POWERED_ON


def policies_of(inventory: Replica, vm: str) -> list[ComputePolicy]:
    """The policies that concern the VM."""
    if not inventory.all(ComputePolicy):
        return []
    attachments = inventory.by(Attachment, "object", vm).values()
    return [policy for a in attachments for policy in inventory.by(ComputePolicy, "vm_tag", a.tag).values()]


def has_tag(inventory: Replica, tag: str, object: str) -> bool:
    """Whether the object has the tag."""
    return inventory.get(Attachment, attachment_id(tag, object)) is not None


class Placing:
    """What the policies say while one or several VMs are placed; ``moved`` tells of a VM that has got its host.

    ``evacuating``: what is required is only preferred.
    """

    def __init__(self, inventory: Replica, evacuating: bool = False) -> None:
        self._inventory = inventory
        self._evacuating = evacuating
        self._running: dict[str, dict[str, str]] = {}
        self._hosts: dict[str, Counter[str]] = {}

    def allowed(self, vm: VirtualMachine, hosts: Sequence[Host]) -> Sequence[Host]:
        """Of hosts that could take the VM, those that it may have: where the fewest wishes are violated."""
        policies = policies_of(self._inventory, vm.id)
        if not policies or not hosts or not enforced_on(self._inventory, hosts[0]):
            return hosts
        if not self._evacuating:
            musts = [policy for policy in policies if policy.required]
            hosts = [host for host in hosts if not any(self.violated(policy, vm, host) for policy in musts)]
        counts = {host.id: sum(self.violated(policy, vm, host) for policy in policies) for host in hosts}
        fewest = min(counts.values(), default=0)
        return [host for host in hosts if counts[host.id] == fewest]

    def violated(self, policy: ComputePolicy, vm: VirtualMachine, host: Host) -> bool:
        """Whether the VM would violate the policy on that host."""
        if policy.host_tag is not None:
            tagged = has_tag(self._inventory, policy.host_tag, host.id)
            return tagged == (policy.capability is Capability.VM_HOST_ANTI_AFFINITY)
        if policy.capability is Capability.VM_VM_AFFINITY:
            others = self._others(policy.vm_tag, vm)
            return bool(others) and host.id not in others
        if policy.capability is Capability.VM_VM_ANTI_AFFINITY:
            return host.id in self._others(policy.vm_tag, vm)
        if policy.capability is Capability.SPAN_LIMIT and policy.number_of_hosts is not None:
            return len({host.id, *self._others(policy.vm_tag, vm)}) > policy.number_of_hosts
        return False

    def moved(self, vm: VirtualMachine, host: str) -> None:
        """The VM is going to be on that host."""
        for tag, running in self._running.items():
            if vm.id in running:
                self._hosts[tag][running[vm.id]] -= 1
                self._hosts[tag][host] += 1
                running[vm.id] = host

    def _others(self, tag: str, vm: VirtualMachine) -> set[str]:
        """The hosts of the other VMs with the tag that run."""
        if tag not in self._running:
            self._running[tag] = running_with(self._inventory, tag)
            self._hosts[tag] = Counter(self._running[tag].values())
        own = self._running[tag].get(vm.id)
        return {host for host, count in self._hosts[tag].items() if count > (host == own)}


def running_with(inventory: Replica, tag: str) -> dict[str, str]:
    """The VMs with the tag that run: VM id -> host id."""
    tagged = (
        inventory.get(VirtualMachine, attachment.object)
        for attachment in inventory.by(Attachment, "tag", tag).values()
        if attachment.type == VirtualMachine.resource_type
    )
    return {vm.id: vm.host for vm in tagged if vm is not None and vm.power_state is ON}


def enforced_on(inventory: Replica, host: Host) -> bool:
    """Whether policies are enforced where the host is: in a cluster with DRS."""
    cluster = cluster_of_host(inventory, host)
    return cluster is not None and cluster.drs_enabled


def compliance(inventory: Replica, policy: ComputePolicy, vm: VirtualMachine) -> ObjectCompliance:
    """Whether the VM complies. The policy applies to VMs that have its tag and run in a cluster with DRS."""
    host = inventory.get(Host, vm.host)
    applies = vm.power_state is ON and has_tag(inventory, policy.vm_tag, vm.id)
    if host is None or not applies or not enforced_on(inventory, host) or policy.capability in WITHOUT_MEANING:
        return ObjectCompliance.NOT_APPLICABLE
    if Placing(inventory).violated(policy, vm, host):
        return ObjectCompliance.NOT_COMPLIANT
    return ObjectCompliance.COMPLIANT
