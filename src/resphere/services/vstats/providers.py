"""``com.vmware.vstats.providers``: who measures."""

from __future__ import annotations

from resphere.contract.generated import ids, vstats
from resphere.inventory.model import Host
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import HOST
from resphere.services.vstats.resources import SCHEME


@implements(vstats.Providers.list, kept=True)
async def list_providers(call: Call) -> tuple[vstats.Providers.Summary, ...]:
    """Who measures: each host, itself and its virtual machines."""
    return tuple(
        vstats.Providers.Summary(
            id=ids.VstatsModelProviderId(host.host_uuid), id_value=host.id, type=HOST, scheme=SCHEME
        )
        for host in call.all(Host).values()
    )
