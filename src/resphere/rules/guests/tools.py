"""What everything inside the guest needs: VMware Tools that run."""

from __future__ import annotations

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, ServiceUnavailable, message
from resphere.contract.generated.vcenter_vm import Tools
from resphere.inventory.mentions import named, qualified
from resphere.inventory.model import GuestState, VirtualMachine
from resphere.rules.hardware.devices import require_on

RUNNING = Tools.RunState.RUNNING


def require_tools(vcenter: str, vm: VirtualMachine) -> None:
    """Refuse a VM whose Tools do not run, with the id that vCenter 7.0 uses. It writes its instance UUID, ``vcenter``,
    after that of the VM.

    :raises ServiceUnavailable: they do not.
    """
    if vm.tools.run_state is not RUNNING:
        raise ServiceUnavailable(
            message(
                "com.vmware.api.vcenter.vm.guest.tools_not_running",
                "VMware Tools in the virtual machine with identifier '{0}' is not running.",
                qualified(vm.id, vcenter),
            )
        )


def require_guest(vcenter: str, vm: VirtualMachine) -> GuestState:
    """What the VM's Tools report.

    :raises ServiceUnavailable: they do not run, or have not reported yet.
    """
    require_tools(vcenter, vm)
    if vm.guest is None:
        raise ServiceUnavailable(
            message(
                "com.vmware.api.vcenter.vm.guest.information_not_available",
                "VMware Tools in the virtual machine with identifier '{0}' provided no information.",
                qualified(vm.id, vcenter),
            )
        )
    return vm.guest


UPGRADABLE = (
    Tools.VersionStatus.SUPPORTED_OLD,
    Tools.VersionStatus.TOO_OLD_UNSUPPORTED,
    Tools.VersionStatus.BLACKLISTED,
)


def may_upgrade(vcenter: str, vm: VirtualMachine) -> None:
    """Refuse Tools that need no upgrade, or none from here."""
    require_on(vm, "upgrade VMware Tools")
    require_tools(vcenter, vm)
    status = vm.tools.version_status
    if status is Tools.VersionStatus.UNMANAGED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.tools.unmanaged", "Tools in {0} are the guest's own package and upgraded there.", named(vm)
            )
        )
    if status not in UPGRADABLE:
        raise AlreadyInDesiredState(message("resphere.vm.tools.current", "Tools in {0} are current.", named(vm)))
