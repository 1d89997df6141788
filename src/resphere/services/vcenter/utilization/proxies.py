"""``com.vmware.vcenter.utilization.proxies``: proxied requests, of which there are none."""

from __future__ import annotations

from resphere.contract.generated import vcenter_utilization
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.utilization.connections import nothing_to_count

Proxies = vcenter_utilization.Proxies


@implements(Proxies.list)
async def list_proxies(call: Call, filter_spec: Proxies.FilterSpec | None) -> Proxies.ListResult:
    """Refused.

    :raises Unsupported: always.
    """
    raise nothing_to_count("proxied requests")
