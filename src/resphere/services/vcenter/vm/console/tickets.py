"""``com.vmware.vcenter.vm.console.tickets``, and what a ticket opens."""

from __future__ import annotations

from datetime import timedelta

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_console import Tickets
from resphere.inventory.console import ConsoleTicket
from resphere.inventory.model import VirtualMachine
from resphere.inventory.token_digests import token_digest
from resphere.replica.edit import Edit
from resphere.rules.machines.consoles import require_console
from resphere.services.call import Call
from resphere.services.registry import implements

GOOD_FOR = timedelta(minutes=30)
"""As long as a vCenter's."""


@implements(Tickets.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Tickets.CreateSpec) -> Tickets.Summary:
    """A ticket for the VM's console, good once for 30 minutes: VMRC at any time, WEBMKS while the VM runs.

    :raises NotAllowedInCurrentState: WEBMKS, and the VM does not run.
    """
    target = call.require(VirtualMachine, vm)
    secret = call.environment.random_bytes(20).hex()
    now = call.environment.now()

    def guard(current: VirtualMachine) -> None:
        require_console(current, spec.type)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        for old in list(call.unfiltered.by(ConsoleTicket, "machine", current.id).values()):
            if old.expires <= now:
                edit.delete(ConsoleTicket, old.id)
        edit.put(ConsoleTicket(id=token_digest(secret), machine=current.id, type=spec.type, expires=now + GOOD_FOR))

    await call.change("VirtualMachine.acquireTicket", target, plan, guard)
    authority = call.origin.partition("://")[2]
    if spec.type is Tickets.Type.VMRC:
        return Tickets.Summary(ticket=f"vmrc://clone:{secret}@{authority}/?moid={target.id}")
    return Tickets.Summary(ticket=f"wss://{authority}/ticket/{secret}")
