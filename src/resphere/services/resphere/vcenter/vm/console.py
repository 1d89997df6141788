"""``resphere.vcenter.vm.console``: what a ticket for a console opens."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.console import Console
from resphere.contract.model import Secret
from resphere.inventory.console import ConsoleTicket
from resphere.inventory.model import VirtualMachine
from resphere.inventory.token_digests import token_digest
from resphere.replica.edit import Edit
from resphere.rules.hardware.devices import STATE_WORDS
from resphere.rules.machines.power import ON
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Console.open)
async def open_(call: Call, ticket: Secret) -> bytes:
    """What a simulated VM shows on its console, as text, once for a ticket: nothing draws a screen here.

    :raises NotFound: the ticket is none, was used, or is too old.
    """

    def plan(edit: Edit) -> VirtualMachine:
        found = edit.get(ConsoleTicket, token_digest(ticket))
        vm = edit.get(VirtualMachine, found.machine) if found is not None else None
        if found is None or vm is None or found.expires <= call.environment.now():
            raise NotFound(message("resphere.vm.console.no_ticket", "This console ticket is not good, or no more."))
        edit.delete(ConsoleTicket, found.id)
        return vm

    return screen(await call.unfiltered.change(plan)).encode()


def screen(vm: VirtualMachine) -> str:
    """The text on the console."""
    if vm.power_state is not ON:
        return f"{vm.name} is {STATE_WORDS[vm.power_state]}.\n"
    if vm.guest is None:
        return "Operating System not found\n"
    return f"{vm.guest.full_name} {vm.guest.host_name} tty1\n\n{vm.guest.host_name.partition('.')[0]} login: \n"
