"""``resphere.vcenter.storage.policies``: create and delete."""

from __future__ import annotations

from resphere.contract.errors import AlreadyExists, InvalidArgument, ResourceInUse, message
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.generated import ids
from resphere.inventory.mentions import identified
from resphere.inventory.storage_policies import BUILT_IN, StoragePolicy
from resphere.inventory.tagging import Tag
from resphere.replica.edit import Edit
from resphere.rules.named_policies import require_policy
from resphere.rules.names import require_name
from resphere.rules.storage_policies import all_policies, vms_of_policy
from resphere.services.call import Call
from resphere.services.checks.tagging import require_now
from resphere.services.checks.under_way import require_unneeded
from resphere.services.registry import implements


@implements(StoragePolicies.create)
async def create(call: Call, spec: StoragePolicies.CreateSpec) -> ids.VcenterStoragePolicyId:
    """A policy.

    :raises AlreadyExists: another has the name.
    :raises InvalidArgument: the name is none.
    :raises NotFound: a tag.
    """
    require_name(spec.name, "storage policy")
    made = StoragePolicy(
        id=ids.VcenterStoragePolicyId(call.new_uuid()),
        name=spec.name,
        description=spec.description or "",
        datastore_types=tuple(sorted(spec.datastore_types or ())),
        tags=tuple(sorted(spec.tags or ())),
    )

    def plan(edit: Edit) -> None:
        if any(policy.name == made.name for policy in all_policies(call.unfiltered).values()):
            raise AlreadyExists(
                message("resphere.storage_policy.name_taken", "There is a storage policy {0} already.", made.name)
            )
        for tag in made.tags:
            require_now(edit, Tag, tag)
        edit.put(made)

    await call.unfiltered.change(plan)
    return made.id


@implements(StoragePolicies.delete)
async def delete(call: Call, policy: ids.VcenterStoragePolicyId) -> None:
    """Delete a policy that no VM has.

    :raises InvalidArgument: it is one of vCenter's own.
    :raises NotFound: there is none of that id.
    :raises ResourceInUse: a VM has it, or will have as soon as work under way is done.
    """

    def plan(edit: Edit) -> None:
        stored = require_policy(call.unfiltered, policy)
        if policy in BUILT_IN:
            raise InvalidArgument(
                message("resphere.storage_policy.own", "The storage policy {0} is one of vCenter's own.", stored.name)
            )
        having = list(vms_of_policy(call.unfiltered, policy))
        if having:
            raise ResourceInUse(
                message(
                    "resphere.storage_policy.in_use",
                    "The storage policy {0} is assigned to {1} virtual machines, such as {2}.",
                    stored.name,
                    len(having),
                    identified(having[0]),
                )
            )
        require_unneeded(call, stored)
        edit.delete(StoragePolicy, policy)

    await call.settle(plan)
