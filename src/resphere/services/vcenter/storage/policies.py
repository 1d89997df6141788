"""``com.vmware.vcenter.storage.policies``: the policies, which datastores suit them, and which VMs have them."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_storage, vcenter_storage_policies
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.storage_policies import Fit, all_policies, disk_policies, fit, vms_of_policy
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import limited, number
from resphere.services.vcenter.storage.named import require_policy

Policies = vcenter_storage.Policies
VM = vcenter_storage_policies.VM
MOST_LISTED = 1024
MOST_VMS = 1000


@implements(Policies.list, kept=True)
async def list_policies(call: Call, filter: Policies.FilterSpec | None) -> tuple[Policies.Summary, ...]:
    """The policies that match.

    :raises UnableToAllocateResource: more than 1024.
    """
    wanted = filter.policies if filter is not None else None
    found = [policy for id, policy in all_policies(call.inventory).items() if not wanted or id in wanted]
    limited(found, MOST_LISTED, "storage.policies", call.environment.list_limits)
    return tuple(Policies.Summary(policy=p.id, name=p.name, description=p.description) for p in found)


@implements(Policies.check_compatibility)
async def check_compatibility(
    call: Call, policy: ids.VcenterStoragePolicyId, datastores: frozenset[ids.DatastoreId]
) -> Policies.CompatibilityInfo:
    """Those of ``datastores`` that satisfy the policy.

    :raises NotFound: the policy or a datastore.
    """
    inventory, wanted = call.inventory, require_policy(call.inventory, policy)
    given = [call.require(Datastore, id) for id in sorted(datastores, key=number)]
    return Policies.CompatibilityInfo(
        compatible_datastores=tuple(
            Policies.CompatibleDatastoreInfo(datastore=ids.DatastoreId(store.id))
            for store in given
            if fit(inventory, wanted, store) is Fit.GOOD
        )
    )


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
    disks = disk_policies(call.inventory, vm)
    return VM.Info(
        vm_home=vm.storage_policy == policy, disks=tuple(disk for disk, its in disks.items() if its.id == policy)
    )
