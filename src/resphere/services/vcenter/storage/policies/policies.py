"""``com.vmware.vcenter.storage.policies``: the policies, which datastores suit them, and which VMs have them."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_storage
from resphere.inventory.model import Datastore
from resphere.rules.named_policies import require_policy
from resphere.rules.storage_policies import Fit, all_policies, fit
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import limited, number

Policies = vcenter_storage.Policies
MOST_LISTED = 1024


@implements(Policies.list, kept=True)
async def list_policies(call: Call, filter: Policies.FilterSpec | None) -> tuple[Policies.Summary, ...]:
    """The policies that match.

    :raises UnableToAllocateResource: more than 1024.
    """
    wanted = filter.policies if filter is not None else None
    found = [policy for id, policy in all_policies(call.inventory).items() if not wanted or id in wanted]
    limited(found, MOST_LISTED, "storage.policies", call.environment.list_limits)
    return tuple(Policies.Summary(policy=p.id, name=p.name, description=p.description) for p in found)


@implements(Policies.check_compatibility)
async def check_compatibility(
    call: Call, policy: ids.VcenterStoragePolicyId, datastores: frozenset[ids.DatastoreId]
) -> Policies.CompatibilityInfo:
    """Those of ``datastores`` that satisfy the policy.

    :raises NotFound: the policy or a datastore.
    """
    wanted = require_policy(call.inventory, policy)
    given = [call.require(Datastore, id) for id in sorted(datastores, key=number)]
    return Policies.CompatibilityInfo(
        compatible_datastores=tuple(
            Policies.CompatibleDatastoreInfo(datastore=ids.DatastoreId(store.id))
            for store in given
            if fit(call.unfiltered, wanted, store) is Fit.GOOD
        )
    )
