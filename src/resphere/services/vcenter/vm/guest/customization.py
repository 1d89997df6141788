"""``com.vmware.vcenter.vm.guest.customization``: names and addresses for a guest, at the next start."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Customization
from resphere.inventory.customization import GuestCustomization, Status
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.guests.customization import pending
from resphere.rules.guests.customization_specs import require_sound
from resphere.rules.guests.fitting import invalid, is_customizable, require_fitting
from resphere.rules.hardware.devices import State, require_off
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.guest.customization_specs import require_item


@implements(Customization.get)
async def get(call: Call, vm: ids.VirtualMachineId) -> Customization.Info:
    """How far the VM's last customization is; IDLE where there was none."""
    call.require(VirtualMachine, vm)
    last = call.get(GuestCustomization, vm)
    if last is None or last.live:
        return Customization.Info(status=Status.IDLE)
    return Customization.Info(
        status=last.status,
        error=last.error,
        start_time=last.start_time,
        end_time=last.end_time,
    )


@implements(Customization.set)
async def set_(call: Call, vm: ids.VirtualMachineId, spec: Customization.SetSpec) -> None:
    """Have the guest customized when the VM starts next; with neither name nor specification: not at all.

    :raises InvalidArgument: the specification does not fit the VM.
    :raises NotAllowedInCurrentState: the VM is not off.
    :raises NotFound: there is no specification of that name.
    """
    target = call.require(VirtualMachine, vm)
    wanted = chosen(call, spec)

    def guard(current: VirtualMachine) -> None:
        require_off(current, "customize the guest")
        if wanted is not None:
            require_fitting(current, wanted)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        edit.rely_on(current)  # it must be off still, whether it has been customized before or not
        if wanted is not None:
            edit.put(pending(current.id, wanted))
            return
        waiting = edit.get(GuestCustomization, current.id)
        if waiting is not None and waiting.spec is not None:
            edit.delete(GuestCustomization, current.id)

    await call.change("VirtualMachine.customize", target, plan, guard)


@implements(Customization.check)
async def check(call: Call, vm: ids.VirtualMachineId) -> Customization.CheckInfo:
    """Whether the VM could be customized as it is."""
    found = call.require(VirtualMachine, vm)
    guest = is_customizable(found)
    power = found.power_state is State.POWERED_OFF
    statuses = Customization.CheckInfo.CheckStatus
    return Customization.CheckInfo(
        check_status=statuses.SUPPORTED if guest and power else statuses.NOT_SUPPORTED,
        supported_guest_os=guest,
        supported_power_state=power if guest else None,
    )


def chosen(call: Call, spec: Customization.SetSpec) -> CustomizationSpec | None:
    """The specification that is meant."""
    if spec.name is not None and spec.spec is not None:
        raise invalid("spec", "only one of name and spec may be set")
    if spec.name is not None:
        return require_item(call, spec.name).spec
    if spec.spec is not None:
        require_sound(spec.spec, "spec.spec")
    return spec.spec
