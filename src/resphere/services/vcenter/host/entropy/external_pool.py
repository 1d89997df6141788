"""``com.vmware.vcenter.host.entropy.external_pool``: randomness that hosts are given from outside.

A simulated host uses none of it up. Of what it is given, the amount is kept and nothing else.
"""

from __future__ import annotations

from resphere.contract.errors import ServiceUnavailable, message
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_host_entropy import ExternalPool
from resphere.inventory.host_parts import EntropyPool
from resphere.inventory.mentions import named
from resphere.inventory.model import Host
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.registry import implements

CAPACITY = 64 * 1024
LOW_WATERMARK = CAPACITY // 8
TIMEOUT_SECONDS = 3600


@implements(ExternalPool.get)
async def get(call: Call, host: ids.HostSystemId) -> ExternalPool.Info:
    """How full the pool is.

    :raises NotFound: there is no such host.
    :raises ServiceUnavailable: it is not connected.
    """
    found = call.require(Host, host)
    require_connected(found)
    pool = call.get(EntropyPool, host)
    return ExternalPool.Info(
        status=ExternalPool.Status.ENABLED,
        capacity=CAPACITY,
        currently_available=0 if pool is None else pool.available,
        low_watermark=LOW_WATERMARK,
        inactive_source_timeout=TIMEOUT_SECONDS,
    )


@implements(ExternalPool.add)
async def add(call: Call, host: ids.HostSystemId, spec: ExternalPool.AddSpec) -> ExternalPool.AddResult:
    """Add to the pool; what it has no room for is discarded.

    :raises NotFound: there is no such host.
    :raises ServiceUnavailable: it is not connected.
    """
    target = call.require(Host, host)

    def plan(edit: Edit, current: Host) -> int:
        edit.rely_on(current)  # it must be connected still, whether it has a pool already or not
        pool = edit.get(EntropyPool, current.id)
        available = min(CAPACITY, len(spec.data) + (0 if pool is None else pool.available))
        edit.put(EntropyPool(id=current.id, available=available))
        return available

    return ExternalPool.AddResult(
        capacity=CAPACITY,
        currently_available=await call.change("HostSystem.addEntropy", target, plan, require_connected),
        low_watermark=LOW_WATERMARK,
        inactive_source_timeout=TIMEOUT_SECONDS,
    )


def require_connected(host: Host) -> None:
    """Refuse a host that cannot be asked."""
    if host.connection_state is not vcenter.Host.ConnectionState.CONNECTED:
        raise ServiceUnavailable(
            message(
                "resphere.host.not_connected",
                "The host {0} is {1}.",
                named(host),
                host.connection_state.replace("_", " ").lower(),
            )
        )
