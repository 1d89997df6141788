"""``com.vmware.vcenter.compute.policies.tag_usage``: the tags that policies go by."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_compute_policies import TagUsage
from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.tagging import Category, Tag
from resphere.services.call import Call
from resphere.services.registry import implements

VM_TAG = ids.VapiResourceId("com.vmware.cis.tagging.Tag:VirtualMachine")
HOST_TAG = ids.VapiResourceId("com.vmware.cis.tagging.Tag:HostSystem")


@implements(TagUsage.list, kept=True)
async def list_usage(call: Call, filter: TagUsage.FilterSpec | None) -> tuple[TagUsage.Summary, ...]:
    """One entry for each tag of each policy; a tag that was deleted is left out."""
    wanted = filter or TagUsage.FilterSpec()
    return tuple(
        summary
        for policy in call.all(ComputePolicy).values()
        for summary in _usages(call, policy)
        if (not wanted.policies or summary.policy in wanted.policies)
        and (not wanted.tags or summary.tag in wanted.tags)
        and (not wanted.tag_types or summary.tag_type in wanted.tag_types)
        and (not wanted.policy_names or summary.policy_name in wanted.policy_names)
        and (not wanted.capabilities or summary.capability in wanted.capabilities)
    )


def _usages(call: Call, policy: ComputePolicy) -> Iterator[TagUsage.Summary]:
    for id, type in zip(policy.tags, (VM_TAG, HOST_TAG), strict=False):
        tag = call.get(Tag, id)
        category = call.get(Category, tag.category) if tag is not None else None
        if tag is not None and category is not None:
            yield TagUsage.Summary(
                policy=policy.id,
                policy_name=policy.name,
                policy_description=policy.description,
                capability=policy.capability,
                tag_type=type,
                tag=id,
                tag_name=tag.name,
                category_name=category.name,
            )
