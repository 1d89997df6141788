"""``com.vmware.vcenter.vm.evc_mode``: the processor features that a VM is limited to."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import EvcMode
from resphere.inventory.effects import ReconfigureVm
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.evc.compatibility import require_form
from resphere.rules.evc.machines import require_settable
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(EvcMode.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> EvcMode.Info:
    """The VM's own EVC mode, if it has one."""
    return EvcMode.Info(evc_mode=call.require(VirtualMachine, vm).evc_mode)


@implements(EvcMode.set_task)
async def set_(call: Call, vm: ids.VirtualMachineId, set_spec: EvcMode.SetSpec) -> ids.CisTASKId:
    """Give a VM that is off an EVC mode of its own; unset: take it away.

    :raises InvalidArgument: it is none, or the VM runs or is too old for one (vCenter declares no other error here).
    """
    mode = set_spec.evc_mode
    if mode is not None:
        require_form(mode, "set_spec.evc_mode")
    target = call.require(VirtualMachine, vm)

    def decide(_: Edit, current: VirtualMachine) -> Decision[None]:
        return Decision(ReconfigureVm(before=current, after=msgspec.structs.replace(current, evc_mode=mode)), None)

    return await call.launch("VirtualMachine.applyEvcMode", target, decide, require_settable)
