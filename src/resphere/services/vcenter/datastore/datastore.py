"""``com.vmware.vcenter.datastore``: list and get."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Datastore
from resphere.rules.space import free_space
from resphere.services.call import Call
from resphere.services.checks.datacenters import in_datacenters
from resphere.services.registry import implements
from resphere.services.selection import by_id, by_index, limited, select

MOST_LISTED = 2500


@implements(vcenter.Datastore.list, kept=True)
async def list_datastores(
    call: Call, filter: vcenter.Datastore.FilterSpec | None
) -> tuple[vcenter.Datastore.Summary, ...]:
    """The datastores that match; sizes in bytes."""
    wanted = filter or vcenter.Datastore.FilterSpec()
    names, folders, types = wanted.names or (), wanted.folders or (), wanted.types or ()
    found = select(
        call,
        Datastore,
        [
            by_id(call, Datastore, wanted.datastores),
            by_index(call, Datastore, "name", names, lambda o: o.name in names),
            by_index(call, Datastore, "parent", folders, lambda o: o.parent in folders),
            by_index(call, Datastore, "type", types, lambda o: o.type in types),
            in_datacenters(call, Datastore, wanted.datacenters),
        ],
    )
    return tuple(summary(call, o) for o in limited(found, MOST_LISTED, "datastore", call.environment.list_limits))


@implements(vcenter.Datastore.get, kept=True)
async def get_datastore(call: Call, datastore: ids.DatastoreId) -> vcenter.Datastore.Info:
    """One datastore; an inaccessible one has no free space to show."""
    found = call.require(Datastore, datastore)
    return vcenter.Datastore.Info(
        name=found.name,
        type=found.type,
        accessible=found.accessible,
        free_space=free_space(call.unfiltered, found) if found.accessible else None,
        multiple_host_access=found.multiple_host_access,
        thin_provisioning_supported=found.thin_provisioning_supported,
    )


def summary(call: Call, datastore: Datastore) -> vcenter.Datastore.Summary:
    """A datastore as lists show it."""
    return vcenter.Datastore.Summary(
        datastore=ids.DatastoreId(datastore.id),
        name=datastore.name,
        type=datastore.type,
        free_space=free_space(call.unfiltered, datastore) if datastore.accessible else None,
        capacity=datastore.capacity if datastore.accessible else None,
    )
