"""What every guest operation begins with: a VM that runs, Tools that run in it, and a user of the guest."""

from __future__ import annotations

from functools import partial
from typing import Any

from resphere.contract.errors import NotAllowedInCurrentState, Unsupported, message
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.inventory.effects import ChangeGuestFile, FileChange
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import GuestFiles, Guests
from resphere.rules.guests.tools import require_tools
from resphere.rules.hardware.devices import STATE_WORDS
from resphere.rules.machines.power import ON
from resphere.rules.refusals import invalid_state
from resphere.services.call import Call
from resphere.tasks.change import Decision


def require_ready(call: Call, vm: VirtualMachine) -> None:
    """Refuse where nothing can be done in the guest.

    :raises NotAllowedInCurrentState: the VM is not powered on.
    :raises ServiceUnavailable: its Tools do not run.
    """
    if vm.template:
        raise Unsupported(message("resphere.vm.guest.template", "{0} is a template and has no guest.", named(vm)))
    if vm.power_state is not ON:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.guest.power_state",
                "Guest operations need a running virtual machine, and {0} is {1}.",
                named(vm),
                STATE_WORDS[vm.power_state],
            ),
            invalid_state(vm),
        )
    require_tools(call.vcenter, vm)


def ready(call: Call, vm: str, credentials: Credentials) -> tuple[VirtualMachine, str]:
    """The VM, ready for guest operations, and the name of the guest's user.

    :raises Unauthenticated: the guest does not know the credentials.
    """
    found = call.require(VirtualMachine, vm)
    require_ready(call, found)
    return found, guests_of(call).log_in(found, credentials)


def look(call: Call, vm: str, credentials: Credentials) -> GuestFiles:
    """The files of a guest, to be looked at."""
    found, _ = ready(call, vm, credentials)
    return guests_of(call).files(found, call.environment.now())


async def change(call: Call, vm: str, credentials: Credentials, description: str, change: FileChange) -> Any:
    """Change a file or directory of a guest; returns what that results in."""
    found, _ = ready(call, vm, credentials)
    return await call.run(
        description,
        found,
        lambda _, current: Decision(ChangeGuestFile(vm=current, change=change), None),
        guard=partial(require_ready, call),
    )


def guests_of(call: Call) -> Guests:
    """What the provider can do in guests.

    :raises VapiError: nothing.
    """
    return call.required(call.provider.capabilities.guests)
