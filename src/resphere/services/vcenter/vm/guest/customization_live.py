"""``com.vmware.vcenter.vm.guest.customization_live``: names and addresses for a guest that runs."""

from __future__ import annotations

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials, CustomizationLive
from resphere.contract.model import LocalizableMessage
from resphere.inventory.customization import GuestCustomization, Status
from resphere.inventory.effects import CustomizeGuest
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.customization_specs import require_sound
from resphere.rules.guests.fitting import invalid, require_fitting
from resphere.services.call import Call
from resphere.services.checks.guest_operations import guests_of, require_ready
from resphere.services.registry import implements
from resphere.services.vcenter.guest.customization_specs import require_item
from resphere.tasks.change import Decision
from resphere.tasks.record import Task

LIVE = CustomizationLive.Info.Status


LIVE_WORK = (CustomizationLive.run_task.service, CustomizationLive.run_task.name)


@implements(CustomizationLive.get)
async def get_live(call: Call, vm: ids.VirtualMachineId) -> CustomizationLive.Info:
    """How far the VM's last customization is, if that was done while it ran."""
    call.require(VirtualMachine, vm)
    for task in call.unfiltered.by(Task, "busy", vm).values():
        if (task.service, task.operation) == LIVE_WORK and call.tasks.is_worked_on(task):
            return CustomizationLive.Info(status=LIVE.RUNNING, start_time=task.start_time)
    last = call.get(GuestCustomization, vm)
    if last is None or not last.live:
        return CustomizationLive.Info(status=LIVE.NOT_AVAILABLE)
    error = None
    if last.error is not None:
        error = LocalizableMessage(id="resphere.guest.customization_failed", default_message=last.error, args=())
    return CustomizationLive.Info(
        status=LIVE(last.status), error=error, start_time=last.start_time, end_time=last.end_time
    )


@implements(CustomizationLive.run_task)
async def run_live(call: Call, vm: ids.VirtualMachineId, spec: CustomizationLive.RunSpec) -> ids.CisTASKId:
    """Customize the guest of a running VM, by a Linux specification without a script.

    :raises InvalidArgument: the specification is another, or does not fit the VM.
    :raises NotAllowedInCurrentState: the VM does not run.
    """
    target = call.require(VirtualMachine, vm)
    if spec.name is None and spec.spec is None:
        raise invalid("spec", "name or spec must be set")
    wanted = require_item(call, spec.name).spec if spec.name is not None else spec.spec
    assert wanted is not None
    require_sound(wanted, "spec.spec")
    linux = wanted.configuration_spec.linux_config
    if linux is None or linux.script_text is not None:
        raise invalid("spec", "live customization takes a linux_config without script_text")

    def guard(current: VirtualMachine) -> None:
        require_ready(call, current)
        require_none_under_way(call, current)
        require_fitting(current, wanted)

    guard(target)
    credentials = Credentials(
        interactive_session=False,
        type=Credentials.Type.USERNAME_PASSWORD,
        user_name=spec.auth.user_name,
        password=spec.auth.password,
    )
    guests_of(call).log_in(target, credentials)
    began = call.environment.now()
    return await call.launch(
        "VirtualMachine.customizeGuest",
        target,
        lambda _, current: Decision(CustomizeGuest(vm=current, spec=wanted, began=began), None),
        guard,
    )


def require_none_under_way(call: Call, vm: VirtualMachine) -> None:
    """Refuse a VM whose guest is being customized since its start.

    :raises NotAllowedInCurrentState: it is.
    """
    last = call.get(GuestCustomization, vm.id)
    if last is not None and last.status is Status.RUNNING:
        raise NotAllowedInCurrentState(
            message("resphere.guest.customization_running", "The guest in {0} is being customized already.", named(vm))
        )
