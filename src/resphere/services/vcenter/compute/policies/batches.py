"""``com.vmware.vcenter.compute.policies``: many made or deleted at once, each succeeding or failing by itself."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, VapiError, message
from resphere.contract.generated import ids, vapi_std_errors
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.generated.vcenter_compute import Policies
from resphere.contract.generated.vcenter_compute_policies import (
    CreateResult,
    CreateResultInfo,
    CreateTagsAndPoliciesSpec,
    DeleteResult,
    DeleteTagsAndPoliciesSpec,
)
from resphere.contract.mentions import Knows, all_told
from resphere.contract.model import Dynamic
from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.tagging import Category, Tag
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.tagging import identity_for
from resphere.services.registry import implements
from resphere.services.vcenter.compute.policies.policies import (
    MOST,
    Id,
    TagId,
    forget,
    info,
    new_id,
    new_policy,
    require_policy,
    selected,
)
from resphere.services.vcenter.compute.policies.structures import Given, TagNameSpec, given_spec
from resphere.turns import in_turns


@implements(Policies.create_tags_and_policies)
async def create_tags_and_policies(call: Call, spec: CreateTagsAndPoliciesSpec) -> CreateResult:
    """Policies by name; tags that are selected by names and not there, and their categories, are made too."""
    made: dict[str, CreateResultInfo] = {}
    errors: dict[str, vapi_std_errors.Error] = {}
    if len(spec.policies) > MOST:
        raise InvalidArgument(
            message("resphere.compute_policy.too_many_specs", "spec.policies: must not be more than {0}.", MOST)
        )
    async for [(number, item)] in in_turns(enumerate(spec.policies), 1):
        name = item.spec.get("name")
        key = name if isinstance(name, str) and name else f"policies[{number}]"
        try:
            if key in made or key in errors:
                key = f"policies[{number}]"
            id = await _create(call, item.spec)
            made[key] = CreateResultInfo(policy=id, info=info(require_policy(call.unfiltered, id)))
        except VapiError as error:
            errors[key] = error_value(call.knows, error)
    return CreateResult(policies=made or None, errors=errors or None)


@implements(Policies.delete_tags_and_policies)
async def delete_tags_and_policies(call: Call, spec: DeleteTagsAndPoliciesSpec) -> DeleteResult:
    """Delete policies, and the tags that were made for them and that no other policy goes by."""
    errors: dict[Id, vapi_std_errors.Error] = {}
    async for piece in in_turns(sorted(spec.policies)):
        for policy in piece:
            try:
                await _delete(call, policy)
            except VapiError as error:
                errors[policy] = error_value(call.knows, error)
    return DeleteResult(errors=errors or None)


async def _create(call: Call, spec: Dynamic) -> Id:
    given = given_spec(spec)
    id = new_id(call)
    new_category, new_tag = identity_for(call, Category, None), identity_for(call, Tag, None)

    def plan(edit: Edit) -> None:
        tag = selected(call.unfiltered, given)
        names = named(given)
        if tag is None and names is not None:
            edit.put(_tag_named(call, edit, names, new_category, new_tag))
            edit.put(new_policy(call.unfiltered, edit, id, given, TagId(new_tag), made_tag=True))
        elif tag is not None:
            # The last of the policies that share a tag which was made for them takes it along.
            sharing = call.unfiltered.by(ComputePolicy, "vm_tag", tag).values() if names is not None else ()
            edit.put(new_policy(call.unfiltered, edit, id, given, tag, any(policy.made_tag for policy in sharing)))
        else:
            raise InvalidArgument(message("resphere.compute_policy.no_tag", "spec: no tag is given."))

    await call.unfiltered.change(plan)
    return id


async def _delete(call: Call, policy: Id) -> None:
    await call.unfiltered.change(lambda edit: forget(call.unfiltered, edit, policy, with_tag=True))


def named(given: Given) -> TagNameSpec | None:
    """The names that select the tag."""
    tag = given.vm_selector.tag if given.vm_selector is not None else None
    return tag.tag_name_spec if tag is not None else None


def _tag_named(call: Call, edit: Edit, names: TagNameSpec, category_id: str, tag_id: str) -> Tag:
    """A new tag of those names, in the category of its name or in a new one."""
    categories = list(call.unfiltered.by(Category, "name", names.category_name).values())
    if categories:
        category = categories[0]
    else:
        category = Category(
            id=ids.CisTaggingCategoryId(category_id),
            name=names.category_name,
            cardinality=CategoryModel.Cardinality.MULTIPLE,
        )
        edit.put(category)
    return Tag(id=TagId(tag_id), name=names.tag_name, category=category.id)


def error_value(knows: Knows, error: VapiError) -> vapi_std_errors.Error:
    """An error as a value of a result, for somebody who ``knows`` of some objects only."""
    return vapi_std_errors.Error(
        messages=all_told(error.messages, knows), error_type=vapi_std_errors.Error.Type(error.error_type)
    )
