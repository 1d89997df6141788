"""``com.vmware.vcenter.vm.storage.policy``: the policies of a VM's home and disks."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids, vcenter_vm_storage
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.storage_policies import (
    StoragePolicy,
    default_policy,
    disk_datastore,
    disk_policies,
    home_datastore,
    home_policy,
    with_disk_policy,
    with_home_policy,
)
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.storage_policies import named_policy
from resphere.services.registry import implements

Policy = vcenter_vm_storage.Policy


@implements(Policy.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Policy.Info:
    """The policies that the home and the disks have; what has none is left out."""
    found = call.require(VirtualMachine, vm)
    home = home_policy(call.inventory, found)
    return Policy.Info(
        vm_home=home.id if home is not None else None,
        disks={disk: policy.id for disk, policy in disk_policies(call.inventory, found).items()},
    )


@implements(Policy.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Policy.UpdateSpec) -> None:
    """Give the home and disks other policies; nothing moves, so that they may not comply afterwards.

    ``USE_DEFAULT_POLICY`` means what the datastore prescribes: on vSAN and vVol a policy, elsewhere none.

    :raises InvalidArgument: there is no such policy, or the VM has no such disk.
    """
    target = call.require(VirtualMachine, vm)

    def guard(current: VirtualMachine) -> None:
        with_policies(call.inventory, current, spec)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        changed, used = with_policies(call.inventory, current, spec)
        for policy in used:
            if edit.get(StoragePolicy, policy.id) is not None:
                edit.rely_on(policy)
        edit.put(changed)

    await call.change("VirtualMachine.reconfigure", target, plan, guard)


def with_policies(
    inventory: Replica, vm: VirtualMachine, spec: Policy.UpdateSpec
) -> tuple[VirtualMachine, list[StoragePolicy]]:
    """``vm`` with the policies of the spec, and which those are."""
    used: list[StoragePolicy] = []
    if spec.vm_home is not None:
        policy = _chosen(inventory, spec.vm_home.policy, home_datastore(inventory, vm), "spec.vm_home.policy")
        vm = with_home_policy(vm, policy)
        used += [policy] if policy is not None else []
    for disk, wanted in (spec.disks or {}).items():
        if disk not in vm.disks:
            raise InvalidArgument(
                message("resphere.storage_policy.no_disk", "spec.disks: {0} has no disk {1}.", vm.id, disk)
            )
        place = disk_datastore(inventory, vm, disk)
        policy = _chosen(inventory, wanted.policy, place, f"spec.disks[{disk}].policy")
        vm = with_disk_policy(vm, disk, policy)
        used += [policy] if policy is not None else []
    return vm, used


def _chosen(inventory: Replica, id: str | None, datastore: Datastore | None, where: str) -> StoragePolicy | None:
    """The policy of that id; where none is given the datastore's default."""
    if id is not None:
        return named_policy(inventory, id, where)
    return default_policy(datastore) if datastore is not None else None
