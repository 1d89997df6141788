"""``com.vmware.vcenter.vm.storage.policy``: the policies of a VM's home and disks."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.storage_policies import Policy, with_policies
from resphere.rules.storage_policies import (
    disk_policies,
    home_policy,
)
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Policy.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Policy.Info:
    """The policies that the home and the disks have; what has none is left out."""
    found = call.require(VirtualMachine, vm)
    home = home_policy(call.unfiltered, found)
    return Policy.Info(
        vm_home=home.id if home is not None else None,
        disks={disk: policy.id for disk, policy in disk_policies(call.unfiltered, found).items()},
    )


@implements(Policy.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Policy.UpdateSpec) -> None:
    """Give the home and disks other policies; nothing moves, so that they may not comply afterwards.

    ``USE_DEFAULT_POLICY`` means what the datastore prescribes: on vSAN and vVol a policy, elsewhere none.

    :raises InvalidArgument: there is no such policy, or the VM has no such disk.
    """
    target = call.require(VirtualMachine, vm)

    def guard(current: VirtualMachine) -> None:
        with_policies(call.unfiltered, current, spec)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        edit.put(with_policies(call.unfiltered, current, spec))

    await call.change("VirtualMachine.reconfigure", target, plan, guard)
