"""Storage policies given to the home and the disks of a virtual machine."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import vcenter_vm_storage
from resphere.inventory.mentions import identified
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.storage_policies import StoragePolicy
from resphere.replica.replica import Replica
from resphere.rules.named_policies import named_policy
from resphere.rules.storage_policies import (
    default_policy,
    disk_datastore,
    home_datastore,
    with_disk_policy,
    with_home_policy,
)

Policy = vcenter_vm_storage.Policy


def with_policies(inventory: Replica, vm: VirtualMachine, spec: Policy.UpdateSpec) -> VirtualMachine:
    """``vm`` with the policies of the spec."""
    if spec.vm_home is not None:
        policy = _chosen(inventory, spec.vm_home.policy, home_datastore(inventory, vm), "spec.vm_home.policy")
        vm = with_home_policy(vm, policy)
    for disk, wanted in (spec.disks or {}).items():
        if disk not in vm.disks:
            raise InvalidArgument(
                message("resphere.storage_policy.no_disk", "spec.disks: {0} has no disk {1}.", identified(vm.id), disk)
            )
        place = disk_datastore(inventory, vm, disk)
        policy = _chosen(inventory, wanted.policy, place, f"spec.disks[{disk}].policy")
        vm = with_disk_policy(vm, disk, policy)
    return vm


def _chosen(inventory: Replica, id: str | None, datastore: Datastore | None, where: str) -> StoragePolicy | None:
    """The policy of that id; where none is given the datastore's default."""
    if id is not None:
        return named_policy(inventory, id, where)
    return default_policy(datastore) if datastore is not None else None
