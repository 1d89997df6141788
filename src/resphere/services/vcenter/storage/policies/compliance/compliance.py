"""``com.vmware.vcenter.storage.policies.compliance``: the VMs that comply with their policies or not."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids, vcenter_storage_policies
from resphere.inventory.model import VirtualMachine
from resphere.rules.storage_compliance import STATUSES, Status, Verdicts, verdicts
from resphere.rules.storage_policies import vms_with_policies
from resphere.services.call import Call
from resphere.services.registry import implements

Entities = vcenter_storage_policies.Compliance
MOST_LISTED = 1000
KNOWN = frozenset(STATUSES.values())
ENTITY_STATUSES = {
    status: Entities.Status("UNKNOWN" if status is Status.UNKNOWN_COMPLIANCE else status.value) for status in Status
}


@implements(Entities.list)
async def list_entities(call: Call, filter: Entities.FilterSpec) -> tuple[Entities.Summary, ...]:
    """The VMs of which the home or a disk has one of the statuses, with all that have a policy.

    :raises InvalidArgument: no status is given.
    """
    require_status(len(filter.status))
    wanted = {status for status, shown in ENTITY_STATUSES.items() if shown in filter.status}
    return tuple(
        Entities.Summary(
            vm=ids.VirtualMachineId(vm.id),
            vm_home=ENTITY_STATUSES[found.home.status] if found.home is not None else None,
            disks={disk: ENTITY_STATUSES[verdict.status] for disk, verdict in found.disks.items()} or None,
        )
        for vm, found in matching(call, frozenset(wanted), None)
    )


def require_status(count: int) -> None:
    """Refuse a filter without a status."""
    if count == 0:
        raise InvalidArgument(
            message(
                "resphere.storage_policy.no_status",
                "filter.status: at least one must be given of {0}.",
                ", ".join(sorted(KNOWN)),
            )
        )


def matching(
    call: Call, statuses: frozenset[Status], vms: frozenset[ids.VirtualMachineId] | None
) -> Iterator[tuple[VirtualMachine, Verdicts]]:
    """The VMs, of ``vms`` or of all that have policies, of which some part has one of the statuses."""
    for vm in list(vms_with_policies(call.inventory).values()):
        if vms and vm.id not in vms:
            continue
        found = verdicts(call.unfiltered, vm)
        if any(verdict.status in statuses for verdict in found.all()):
            yield vm, found
