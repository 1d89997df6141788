"""``com.vmware.vcenter.capacity.usage``: how near the inventory is to vCenter's configuration maximums."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.generated.vcenter_capacity import Usage
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import Cluster, Datacenter, Datastore, Host, VirtualMachine
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.registry import implements

DEPLOYMENT_SIZE = "xlarge"
THRESHOLD_PERCENT = 80.0
ON = vcenter_vm.Power.State.POWERED_ON


class Maximum(msgspec.Struct, frozen=True):
    """What is counted, and how many vCenter 8.0 takes in its largest deployment."""

    id: str
    label: str
    most: int
    count: Callable[[Replica], int]


MAXIMUMS = (
    Maximum("hosts", "Hosts", 2500, lambda inventory: len(inventory.all(Host))),
    Maximum("registered_vms", "Registered virtual machines", 45_000, lambda i: len(i.all(VirtualMachine))),
    Maximum(
        "powered_on_vms",
        "Powered-on virtual machines",
        40_000,
        lambda inventory: len(inventory.by(VirtualMachine, "power_state", ON)),
    ),
    Maximum("datacenters", "Datacenters", 2000, lambda inventory: len(inventory.all(Datacenter))),
    Maximum("clusters", "Clusters", 2000, lambda inventory: len(inventory.all(Cluster))),
    Maximum("datastores", "Datastores", 10_000, lambda inventory: len(inventory.all(Datastore))),
)


@implements(Usage.get)
async def get(call: Call) -> Usage.Info:
    """The counts of the inventory beside the maximums; there is no report to download."""
    return Usage.Info(
        created_at=call.environment.now(),
        deployment_size=DEPLOYMENT_SIZE,
        version=call.environment.product.version,
        created_by=call.session.user,
        configurations=tuple(_config(maximum, maximum.count(call.unfiltered)) for maximum in MAXIMUMS),
    )


def _config(maximum: Maximum, count: int) -> Usage.Config:
    percent = 100.0 * count / maximum.most
    name = LocalizableMessage(id=f"resphere.capacity.{maximum.id}", default_message=maximum.label, args=())
    return Usage.Config(
        id=ids.VcenterCapacityUsageId(maximum.id),
        name=name,
        threshold_percentage=THRESHOLD_PERCENT,
        max_recommended_value=float(maximum.most),
        current_usage_value=float(count),
        current_usage_percentage=percent,
        severity=severity(percent),
    )


def severity(percent: float) -> Usage.Severity:
    """Whether the threshold or the maximum is exceeded."""
    if percent > 100:
        return Usage.Severity.MAXIMUM_EXCEEDED
    return Usage.Severity.THRESHOLD_EXCEEDED if percent > THRESHOLD_PERCENT else Usage.Severity.NORMAL
