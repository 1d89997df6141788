"""What follows from where the parts of a VM are and which policies they have."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_storage_policy import Compliance
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.inventory.storage_policies import StoragePolicy
from resphere.replica.replica import Replica
from resphere.rules.storage_policies import Fit, disk_datastore, disk_policies, fit, home_datastore, home_policy

Status = Compliance.Status
STATUSES = {
    Fit.GOOD: Status.COMPLIANT,
    Fit.BAD: Status.NON_COMPLIANT,
    Fit.FOREIGN: Status.NOT_APPLICABLE,
    Fit.UNKNOWN: Status.UNKNOWN_COMPLIANCE,
}
WORST_FIRST = (
    Status.NON_COMPLIANT,
    Status.OUT_OF_DATE,
    Status.UNKNOWN_COMPLIANCE,
    Status.NOT_APPLICABLE,
    Status.COMPLIANT,
)


class Verdict(msgspec.Struct, frozen=True):
    """Whether what is on ``datastore`` complies with its ``policy``."""

    policy: StoragePolicy
    datastore: Datastore | None
    status: Status


class Verdicts(msgspec.Struct, frozen=True):
    """Of the VM's home, ``None`` where that has no policy, and of the disks that have one."""

    home: Verdict | None
    disks: dict[ids.VcenterVmHardwareDiskId, Verdict]

    def all(self) -> list[Verdict]:
        """All of them."""
        return [*([self.home] if self.home is not None else []), *self.disks.values()]


def verdicts(inventory: Replica, vm: VirtualMachine) -> Verdicts:
    """The verdicts on a VM."""
    home = home_policy(inventory, vm)
    return Verdicts(
        home=_verdict(inventory, home, home_datastore(inventory, vm)) if home is not None else None,
        disks={
            disk: _verdict(inventory, policy, disk_datastore(inventory, vm, disk))
            for disk, policy in disk_policies(inventory, vm).items()
        },
    )


def overall(given: list[Verdict]) -> Status:
    """The worst of the verdicts, of which there is one at least."""
    return min((verdict.status for verdict in given), key=WORST_FIRST.index)


def _verdict(inventory: Replica, policy: StoragePolicy, datastore: Datastore | None) -> Verdict:
    return Verdict(policy, datastore, STATUSES[fit(inventory, policy, datastore)])
