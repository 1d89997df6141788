"""``com.vmware.vcenter.vm.storage.policy.compliance``: whether a VM's home and disks comply with their policies."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids, vcenter_vm_storage_policy
from resphere.contract.mentions import told
from resphere.contract.model import LocalizableMessage
from resphere.inventory.mentions import identified
from resphere.inventory.model import VirtualMachine
from resphere.rules.storage_compliance import Status, Verdict, Verdicts, overall, verdicts
from resphere.services.call import Call
from resphere.services.registry import implements

Compliance = vcenter_vm_storage_policy.Compliance


@implements(Compliance.get)
async def get(call: Call, vm: ids.VirtualMachineId) -> Compliance.Info | None:
    """The verdict on everything that has a policy; nothing where nothing has."""
    return _info(call, verdicts(call.unfiltered, call.require(VirtualMachine, vm)))


@implements(Compliance.check)
async def check(
    call: Call, vm: ids.VirtualMachineId, check_spec: Compliance.CheckSpec | None
) -> Compliance.Info | None:
    """The verdict on the parts that ``check_spec`` names, on all without one.

    :raises InvalidArgument: the VM has no such disk; the operation declares no particular error for it.
    """
    machine = call.require(VirtualMachine, vm)
    found = verdicts(call.unfiltered, machine)
    if check_spec is None:
        return _info(call, found)
    wanted = check_spec.disks or frozenset()
    for disk in sorted(wanted):
        if disk not in machine.disks:
            raise InvalidArgument(
                message(
                    "resphere.storage_policy.no_disk",
                    "check_spec.disks: {0} has no disk {1}.",
                    identified(machine.id),
                    disk,
                )
            )
    return _info(
        call,
        Verdicts(
            home=found.home if check_spec.vm_home else None,
            disks={disk: verdict for disk, verdict in found.disks.items() if disk in wanted},
        ),
    )


def _info(call: Call, found: Verdicts) -> Compliance.Info | None:
    if not found.all():
        return None
    return Compliance.Info(
        overall_compliance=overall(found.all()),
        vm_home=_part(call, found.home) if found.home is not None else None,
        disks={disk: _part(call, verdict) for disk, verdict in found.disks.items()},
    )


def _part(call: Call, verdict: Verdict) -> Compliance.VmComplianceInfo:
    return Compliance.VmComplianceInfo(
        status=verdict.status,
        check_time=call.environment.now(),
        policy=verdict.policy.id,
        failure_cause=_causes(call, verdict),
    )


def _causes(call: Call, verdict: Verdict) -> tuple[LocalizableMessage, ...]:
    """Why nobody could look."""
    if verdict.status is not Status.UNKNOWN_COMPLIANCE:
        return ()
    place = identified(verdict.datastore.id) if verdict.datastore is not None else "where the part is"
    cause = message("resphere.storage_policy.inaccessible", "The datastore {0} is not accessible.", place)
    return (told(cause, call.knows),)
