"""``com.vmware.vcenter.datastore.default_policy``: the policy of what is put on a datastore without naming one."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_datastore
from resphere.inventory.model import Datastore
from resphere.rules.storage_policies import default_policy
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(vcenter_datastore.DefaultPolicy.get, kept=True)
async def get(call: Call, datastore: ids.DatastoreId) -> str | None:
    """The policy's id; none but on vSAN and vVol datastores."""
    policy = default_policy(call.require(Datastore, datastore))
    return None if policy is None else policy.id
