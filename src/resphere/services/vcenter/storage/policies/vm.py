"""``com.vmware.vcenter.storage.policies.VM``: the virtual machines of a storage policy."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_storage_policies
from resphere.inventory.model import VirtualMachine
from resphere.rules.named_policies import require_policy
from resphere.rules.storage_policies import disk_policies, vms_of_policy
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import limited

VM = vcenter_storage_policies.VM


MOST_VMS = 1000


@implements(VM.list, kept=True)
async def list_vms(call: Call, policy: ids.VcenterStoragePolicyId) -> dict[str, VM.Info]:
    """The VMs whose home or a disk has the policy: VM id -> which.

    :raises NotFound: the policy.
    :raises UnableToAllocateResource: more than 1000.
    """
    wanted = require_policy(call.inventory, policy)
    having = limited(
        list(vms_of_policy(call.inventory, wanted.id).values()), MOST_VMS, "vm", call.environment.list_limits
    )
    return {vm.id: _info(call, vm, wanted.id) for vm in having}


def _info(call: Call, vm: VirtualMachine, policy: str) -> VM.Info:
    disks = disk_policies(call.unfiltered, vm)
    return VM.Info(
        vm_home=vm.storage_policy == policy, disks=tuple(disk for disk, its in disks.items() if its.id == policy)
    )
