"""What everything inside the guest needs: VMware Tools that run."""

from __future__ import annotations

from resphere.contract.errors import ServiceUnavailable, message
from resphere.contract.generated import vcenter_vm
from resphere.inventory.model import GuestState, VirtualMachine

RUNNING = vcenter_vm.Tools.RunState.RUNNING


def require_tools(vm: VirtualMachine) -> None:
    """Refuse a VM whose Tools do not run, with the id that vCenter 7.0 uses.

    :raises ServiceUnavailable: they do not.
    """
    if vm.tools.run_state is not RUNNING:
        raise ServiceUnavailable(
            message(
                "com.vmware.api.vcenter.vm.guest.tools_not_running",
                "VMware Tools in the virtual machine with identifier '{0}' is not running.",
                vm.id,
            )
        )


def require_guest(vm: VirtualMachine) -> GuestState:
    """What the VM's Tools report.

    :raises ServiceUnavailable: they do not run, or have not reported yet.
    """
    require_tools(vm)
    if vm.guest is None:
        raise ServiceUnavailable(
            message(
                "com.vmware.api.vcenter.vm.guest.information_not_available",
                "VMware Tools in the virtual machine with identifier '{0}' provided no information.",
                vm.id,
            )
        )
    return vm.guest
