"""``com.vmware.vcenter.vm.compute.policies``: whether a VM complies with a policy."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_vm_compute
from resphere.inventory.model import VirtualMachine
from resphere.rules.placement.compute_policies import compliance
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.compute.policies.policies import require_policy

Policies = vcenter_vm_compute.Policies


@implements(Policies.get)
async def get(
    call: Call, vm: ids.VirtualMachineId, policy: ids.VcenterComputeResourcesCOMPUTEPOLICYId
) -> Policies.Info:
    """The VM's status.

    :raises NotFound: the VM or the policy.
    """
    machine = call.require(VirtualMachine, vm)
    return Policies.Info(status=compliance(call.unfiltered, require_policy(call.unfiltered, policy), machine))
