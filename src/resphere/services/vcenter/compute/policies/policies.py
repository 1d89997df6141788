"""``com.vmware.vcenter.compute.policies``: create, get, list, update and delete; each alone."""

from __future__ import annotations

from typing import cast

import msgspec

from resphere.contract import model as m
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, UnableToAllocateResource, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_compute import Policies
from resphere.contract.generated.vcenter_compute_policies import ManagedBy
from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.tagging import Category, Tag, is_associable, tag_name_key
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading
from resphere.rules.names import require_name
from resphere.rules.tag_deletion import delete_compute_policies
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.compute.policies.structures import (
    INFOS,
    SELECTED_INFOS,
    Given,
    ObjectSelectorSpec,
    TagSpec,
    given_spec,
)

Id = ids.VcenterComputePolicyId
TagId = ids.CisTaggingTagId
MOST = 100


@implements(Policies.list, kept=True)
async def list_policies(call: Call) -> tuple[Policies.Summary, ...]:
    """All policies."""
    return tuple(
        Policies.Summary(
            policy=policy.id,
            name=policy.name,
            description=policy.description,
            capability=ids.VcenterComputePoliciesCapabilityId(policy.capability),
        )
        for policy in call.all(ComputePolicy).values()
    )


@implements(Policies.get, kept=True)
async def get(call: Call, policy: Id) -> m.Dynamic:
    """One policy, in its capability's own structure.

    :raises NotFound: there is none of that id.
    """
    return info(require_policy(call.inventory, policy))


@implements(Policies.create)
async def create(call: Call, spec: m.Dynamic) -> Id:
    """A policy.

    :raises AlreadyExists: another has the name.
    :raises InvalidArgument: a field is wrong or missing, or a tag is not there or for something else.
    :raises UnableToAllocateResource: there are 100 already.
    """
    given = given_spec(spec)
    id = new_id(call)

    def plan(edit: Edit) -> None:
        tag = selected(call.unfiltered, given)
        if tag is None:
            raise InvalidArgument(message("resphere.compute_policy.no_tag", "spec.vm_selector: there is no such tag."))
        edit.put(new_policy(call.unfiltered, edit, id, given, tag))

    await call.unfiltered.change(plan)
    return id


@implements(Policies.update)
async def update(call: Call, policy: Id, spec: Policies.UpdateSpec) -> None:
    """Change the description, or who manages the policy.

    :raises NotFound: there is none of that id.
    """
    require_policy(call.unfiltered, policy)

    def plan(edit: Edit) -> None:
        found = require_now(edit, policy)
        edit.put(
            msgspec.structs.replace(
                found,
                description=found.description if spec.description is None else spec.description,
                managed_by=found.managed_by if spec.managed_by is None else spec.managed_by.entity,
            )
        )

    await call.settle(plan)


@implements(Policies.delete)
async def delete(call: Call, policy: Id) -> None:
    """Delete the policy. VMs stay where they are.

    :raises NotFound: there is none of that id.
    """
    await call.settle(lambda edit: forget(call.unfiltered, edit, policy, with_tag=False))


def new_id(call: Call) -> Id:
    """The id of a new policy."""
    return Id(call.new_uuid())


def not_found(id: str) -> NotFound:
    """The refusal of an unknown policy."""
    return NotFound(message("resphere.compute_policy.not_found", "There is no compute policy with the id {0}.", id))


def require_policy(inventory: Reading, id: str) -> ComputePolicy:
    """The policy of that id.

    :raises NotFound: there is none.
    """
    found = inventory.get(ComputePolicy, id)
    if found is None:
        raise not_found(id)
    return found


def require_now(edit: Edit, id: str) -> ComputePolicy:
    """The same inside of a change."""
    found = edit.get(ComputePolicy, id)
    if found is None:
        raise not_found(id)
    return found


def forget(inventory: Replica, edit: Edit, id: str, *, with_tag: bool) -> None:
    """Delete a policy; ``with_tag``: and the tag that was made for it, if no other policy goes by that."""
    found = require_now(edit, id)
    delete_compute_policies(edit, inventory, [found], with_made_tags=with_tag)


def info(policy: ComputePolicy) -> m.Dynamic:
    """A policy in its capability's own structure."""
    infos = SELECTED_INFOS if policy.selector else INFOS
    cls = infos[policy.capability]
    fields = {
        **{name: getattr(policy, name) for name in ("name", "description", "capability", "vm_tag", "host_tag")},
        "strictness": policy.strictness,
        "number_of_hosts": policy.number_of_hosts,
        "vm_capabilities": frozenset(policy.vm_capabilities),
        "vm_selector": ObjectSelectorSpec(tag=TagSpec(tag_id=policy.vm_tag)),
        "managed_by": None if policy.managed_by is None else ManagedBy(entity=policy.managed_by),
    }
    return cast(m.Dynamic, cls(**{name: fields[name] for name in cls.__struct_fields__}))


def selected(inventory: Replica, given: Given) -> TagId | None:
    """The tag of the VMs; ``None``: it is named, and there is none of that name.

    :raises InvalidArgument: the selector does not say which tag.
    """
    if given.vm_tag is not None:
        return given.vm_tag
    tag = given.vm_selector.tag if given.vm_selector is not None else None
    if tag is None or (tag.tag_id is None) == (tag.tag_name_spec is None):
        raise InvalidArgument(
            message(
                "resphere.compute_policy.selector",
                "spec.vm_selector.tag: exactly one of tag_id and tag_name_spec must be set.",
            )
        )
    if tag.tag_name_spec is None:
        return tag.tag_id
    for category in inventory.by(Category, "name", tag.tag_name_spec.category_name):
        for id in inventory.by(Tag, "category_name", tag_name_key(category, tag.tag_name_spec.tag_name)):
            return TagId(id)
    return None


def new_policy(
    inventory: Replica, edit: Edit, id: Id, given: Given, tag: TagId, made_tag: bool = False
) -> ComputePolicy:
    """The policy that the spec asks for, with ``tag`` for its VMs; relies on the tags.

    :raises AlreadyExists: another has the name.
    :raises InvalidArgument: the name is none, or a tag is not there or not for such objects.
    :raises UnableToAllocateResource: there are 100 already.
    """
    require_name(given.name, "compute policy")
    if inventory.by(ComputePolicy, "name", given.name):
        raise AlreadyExists(
            message("resphere.compute_policy.name_taken", "There is a compute policy {0} already.", given.name)
        )
    # Taken rather than counted alone: of two that are made at once, only one is the hundredth.
    if not edit.take("compute-policies", 1, MOST - len(inventory.all(ComputePolicy))):
        raise UnableToAllocateResource(
            message("resphere.compute_policy.too_many", "There are {0} compute policies already.", MOST)
        )
    require_tag(edit, tag, "VirtualMachine", "spec.vm_tag")
    if given.host_tag is not None:
        require_tag(edit, given.host_tag, "HostSystem", "spec.host_tag")
    return ComputePolicy(
        id=id,
        name=given.name,
        description=given.description,
        capability=given.capability,
        vm_tag=tag,
        host_tag=given.host_tag,
        strictness=given.strictness,
        number_of_hosts=given.number_of_hosts,
        vm_capabilities=tuple(sorted(given.vm_capabilities or ())),
        managed_by=given.managed_by.entity if given.managed_by is not None else None,
        selector=given.vm_selector is not None,
        made_tag=made_tag,
    )


def require_tag(edit: Edit, id: TagId, type: str, where: str) -> None:
    """Refuse a tag that no policy can go by.

    :raises InvalidArgument: there is none of that id, or it cannot be attached to objects of the type.
    """
    tag = edit.get(Tag, id)
    if tag is None:
        raise InvalidArgument(
            message("resphere.compute_policy.no_tag", "{0}: there is no tag with the id {1}.", where, id)
        )
    category = edit.get(Category, tag.category)
    if category is not None and not is_associable(category, type):
        raise InvalidArgument(
            message(
                "resphere.compute_policy.tag_type",
                "{0}: the tag {1} cannot be attached to objects of the type {2}.",
                where,
                tag.name,
                type,
            )
        )
