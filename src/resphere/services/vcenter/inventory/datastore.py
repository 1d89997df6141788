"""``com.vmware.vcenter.inventory.datastore``: which datastores are there."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_inventory
from resphere.inventory.model import Datastore
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(vcenter_inventory.Datastore.find, kept=True)
async def find_datastores(
    call: Call, datastores: tuple[ids.DatastoreId, ...]
) -> dict[str, vcenter_inventory.Datastore.Info | None]:
    """Of each id the type of the managed object.

    :raises NotFound: one of them is no datastore.
    """
    # Each once, however often a caller repeats it.
    distinct = dict.fromkeys(datastores)
    return {id: vcenter_inventory.Datastore.Info(type=call.require(Datastore, id).resource_type) for id in distinct}
