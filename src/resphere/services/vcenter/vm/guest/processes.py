"""``com.vmware.vcenter.vm.guest.processes``: programs in the guest."""

from __future__ import annotations

from functools import partial

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials, Processes
from resphere.contract.model import Long
from resphere.inventory.effects import EndProcess, StartProcess
from resphere.services.call import Call
from resphere.services.checks.guest_operations import guests_of, ready, require_ready
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(Processes.create)
async def create(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, spec: Processes.CreateSpec) -> Long:
    """Start a program in the guest; returns its process id. Its exit code is known for 5 minutes after its end.

    :raises NotFound: there is no such program.
    :raises UnableToAllocateResource: it does not start.
    """
    found, user = ready(call, vm, credentials)
    return await call.run(
        "GuestProcessManager.startProgram",
        found,
        lambda _, current: Decision(StartProcess(vm=current, spec=spec, user=user), Long(0)),
        guard=partial(require_ready, call),
    )


@implements(Processes.get)
async def get(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, pid: Long) -> Processes.Info:
    """A process of the guest.

    :raises NotFound: there is none of that id.
    """
    found, _ = ready(call, vm, credentials)
    return guests_of(call).process(found, pid, call.environment.now())


@implements(Processes.list)
async def list_(call: Call, vm: ids.VirtualMachineId, credentials: Credentials) -> tuple[Processes.Summary, ...]:
    """The processes of the guest, with those that ended in the last 5 minutes."""
    found, _ = ready(call, vm, credentials)
    processes = guests_of(call).processes(found, call.environment.now())
    return tuple(
        Processes.Summary(
            name=process.name, pid=pid, owner=process.owner, command=process.command, started=process.started
        )
        for pid, process in processes.items()
    )


@implements(Processes.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, pid: Long) -> None:
    """End a process of the guest.

    :raises NotFound: there is none of that id that runs.
    :raises Unauthorized: the guest does not let go of it.
    """
    found, _ = ready(call, vm, credentials)
    await call.run(
        "GuestProcessManager.terminateProcess",
        found,
        lambda _, current: Decision(EndProcess(vm=current, pid=pid), None),
        guard=partial(require_ready, call),
    )
