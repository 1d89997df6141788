"""``com.vmware.vcenter.storage.policies.compliance.VM``: compliance of virtual machines."""

from __future__ import annotations

from resphere.contract.generated import vcenter_storage_policies_compliance
from resphere.rules.storage_compliance import Status, Verdict
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import limited
from resphere.services.vcenter.storage.policies.compliance.compliance import MOST_LISTED, matching, require_status

VM = vcenter_storage_policies_compliance.VM


@implements(VM.list)
async def list_vms(call: Call, filter: VM.FilterSpec) -> dict[str, VM.Info]:
    """The same by the VM's id, of some VMs or all.

    :raises InvalidArgument: no status is given.
    :raises UnableToAllocateResource: more than 1000 match.
    """
    require_status(len(filter.status))
    found = list(matching(call, frozenset(Status(status.value) for status in filter.status), filter.vms))
    return {
        vm.id: VM.Info(
            vm_home=_vm_status(given.home) if given.home is not None else None,
            disks={disk: _vm_status(verdict) for disk, verdict in given.disks.items()},
        )
        for vm, given in limited(found, MOST_LISTED, "vm", call.environment.list_limits)
    }


def _vm_status(verdict: Verdict) -> VM.Status:
    return VM.Status(verdict.status.value)
