"""``com.vmware.vcenter.datacenter``: list and get."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Datacenter
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import by_id, by_index, limited, select

MOST_LISTED = 1000


@implements(vcenter.Datacenter.list, kept=True)
async def list_datacenters(
    call: Call, filter: vcenter.Datacenter.FilterSpec | None
) -> tuple[vcenter.Datacenter.Summary, ...]:
    """The datacenters that match."""
    wanted = filter or vcenter.Datacenter.FilterSpec()
    names, folders = wanted.names or (), wanted.folders or ()
    found = select(
        call,
        Datacenter,
        [
            by_id(call, Datacenter, wanted.datacenters),
            by_index(call, Datacenter, "name", names, lambda o: o.name in names),
            by_index(call, Datacenter, "parent", folders, lambda o: o.parent in folders),
        ],
    )
    return tuple(
        vcenter.Datacenter.Summary(datacenter=ids.DatacenterId(o.id), name=o.name)
        for o in limited(found, MOST_LISTED, "datacenter", call.environment.list_limits)
    )


@implements(vcenter.Datacenter.get, kept=True)
async def get_datacenter(call: Call, datacenter: ids.DatacenterId) -> vcenter.Datacenter.Info:
    """One datacenter with its folders."""
    found = call.require(Datacenter, datacenter)
    return vcenter.Datacenter.Info(
        name=found.name,
        datastore_folder=found.datastore_folder,
        host_folder=found.host_folder,
        network_folder=found.network_folder,
        vm_folder=found.vm_folder,
    )
