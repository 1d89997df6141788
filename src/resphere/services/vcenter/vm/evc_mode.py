"""``com.vmware.vcenter.vm.evc_mode``: the processor features that a VM is limited to."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import EvcMode
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.checks.evc_compatibility import require_form
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import STATE_WORDS, State

OLDEST_VERSION = 14
"""Virtual hardware has an EVC mode of its own since vSphere 6.7."""


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

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        return msgspec.structs.replace(current, evc_mode=mode), None

    return await call.launch(
        "VirtualMachine.applyEvcMode",
        target,
        lambda job: call.provider.hardware.reconfigure(job, change),
        require_settable,
    )


def require_settable(vm: VirtualMachine) -> None:
    """Refuse a VM that is not off, or whose virtual hardware is too old."""
    if vm.power_state is not State.POWERED_OFF:
        raise invalid("vm", f"must be powered off, and {vm.name} is {STATE_WORDS[vm.power_state]}")
    if int(vm.hardware.version.value.partition("_")[2]) < OLDEST_VERSION:
        raise invalid("vm", f"needs virtual hardware of version {OLDEST_VERSION} or later")


def invalid(field: str, why: str) -> InvalidArgument:
    """The refusal of an EVC mode."""
    return InvalidArgument(message("resphere.vm.evc_mode", "{0}: {1}.", field, why))
