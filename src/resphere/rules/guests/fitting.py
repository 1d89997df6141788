"""Which customizations fit a virtual machine."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message, vim_message
from resphere.contract.generated.vcenter_guest import CustomizationSpec, HostnameGenerator, Ipv4, Ipv6
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Tools
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.customization import customized

CUSTOMIZABLE = (GuestOSFamily.LINUX, GuestOSFamily.WINDOWS)


def require_fitting(vm: VirtualMachine, spec: CustomizationSpec) -> None:
    """Refuse a specification that is not for such a VM; also for one that is to be made (a clone).

    :raises InvalidArgument: the guest is another system, has no Tools, or other NICs; or somebody had to be asked.
    """
    if not is_customizable(vm):
        raise InvalidArgument(
            vim_message(
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
            vim_message("vmsg.NicSettingMismatch.summary", "The settings do not fit: {0}.", error)
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
