"""``com.vmware.vcenter.vm.guest.customization``: names and addresses for a guest, at the next start."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_guest import CustomizationSpec, HostnameGenerator, Ipv4, Ipv6
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Tools
from resphere.contract.generated.vcenter_vm_guest import Customization
from resphere.inventory.customization import GuestCustomization, Status, customized, pending
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.guest.customization_specs import require_item
from resphere.services.vcenter.guest.rules import require_sound
from resphere.services.vcenter.vm.hardware.devices import State, require_off

CUSTOMIZABLE = (GuestOSFamily.LINUX, GuestOSFamily.WINDOWS)


@implements(Customization.get)
async def get(call: Call, vm: ids.VirtualMachineId) -> Customization.Info:
    """How far the VM's last customization is; IDLE where there was none."""
    call.require(VirtualMachine, vm)
    last = call.inventory.get(GuestCustomization, vm)
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
        edit.rely_on(current)
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


def require_fitting(vm: VirtualMachine, spec: CustomizationSpec) -> None:
    """Refuse a specification that is not for such a VM; also for one that is to be made (a clone).

    :raises InvalidArgument: the guest is another system, has no Tools, or other NICs; or somebody had to be asked.
    """
    if not is_customizable(vm):
        raise InvalidArgument(
            message(
                "vmsg.UncustomizableGuest.summary",
                "Customization of the guest operating system '{0}' is not supported in this configuration: it must be "
                "Linux or Windows with VMware Tools installed.",
                vm.guest_OS,
            )
        )
    assert vm.guest is not None
    windows = spec.configuration_spec.windows_config is not None
    if windows is not (vm.guest.family is GuestOSFamily.WINDOWS):
        raise invalid("spec", f"is for another operating system than {vm.guest.family.value}")
    if asks_somebody(spec):
        raise invalid("spec", "USER_INPUT_REQUIRED has nobody to ask here")
    try:
        customized(vm, spec)
    except ValueError as error:
        raise InvalidArgument(
            message("vmsg.NicSettingMismatch.summary", "The settings do not fit: {0}.", error)
        ) from None


def is_customizable(vm: VirtualMachine) -> bool:
    """Whether the VM's guest is one that can be customized."""
    installed = vm.tools.version_status not in (None, Tools.VersionStatus.NOT_INSTALLED)
    return vm.guest is not None and vm.guest.family in CUSTOMIZABLE and installed


def asks_somebody(spec: CustomizationSpec) -> bool:
    """Whether the specification leaves something to be asked for."""
    given = spec.configuration_spec
    names = []
    if given.linux_config is not None:
        names.append(given.linux_config.hostname)
    if given.windows_config is not None and given.windows_config.sysprep is not None:
        names.append(given.windows_config.sysprep.user_data.computer_name)
    asks = HostnameGenerator.Type.USER_INPUT_REQUIRED
    return any(name.type is asks for name in names) or any(
        (mapping.adapter.ipv4 is not None and mapping.adapter.ipv4.type is Ipv4.Type.USER_INPUT_REQUIRED)
        or (mapping.adapter.ipv6 is not None and mapping.adapter.ipv6.type is Ipv6.Type.USER_INPUT_REQUIRED)
        for mapping in spec.interfaces
    )


def invalid(field: str, why: str) -> InvalidArgument:
    """The refusal of a specification."""
    return InvalidArgument(message("resphere.guest.customization", "{0}: {1}.", field, why))
