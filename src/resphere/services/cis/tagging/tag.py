"""``com.vmware.cis.tagging.tag``: the tags themselves."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyExists, message
from resphere.contract.generated import cis_tagging, ids
from resphere.inventory.tagging import Category, Tag, tag_name_key
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks import tagging as common
from resphere.services.registry import implements


@implements(cis_tagging.Tag.list, kept=True)
async def list_tags(call: Call) -> tuple[str, ...]:
    """The ids of all tags."""
    return tuple(call.all(Tag))


@implements(cis_tagging.Tag.list_tags_for_category)
async def list_tags_for_category(call: Call, category_id: ids.CisTaggingCategoryId) -> tuple[str, ...]:
    """The ids of the category's tags."""
    category = common.require(call, Category, category_id)
    return tuple(call.by(Tag, "category", category.id))


@implements(cis_tagging.Tag.get, kept=True)
async def get(call: Call, tag_id: ids.CisTaggingTagId) -> cis_tagging.TagModel:
    """One tag."""
    found = common.require(call, Tag, tag_id)
    return cis_tagging.TagModel(
        id=found.id,
        category_id=found.category,
        name=found.name,
        description=found.description,
        used_by=frozenset(found.used_by),
    )


@implements(cis_tagging.Tag.create)
async def create(call: Call, create_spec: cis_tagging.Tag.CreateSpec) -> ids.CisTaggingTagId:
    """Make a tag and return its id.

    :raises AlreadyExists: the category has a tag of the name, or the given id is taken.
    :raises InvalidArgument: name or given id are of no use.
    :raises NotFound: there is no such category.
    """
    common.check_name(create_spec.name)
    tag = Tag(
        id=ids.CisTaggingTagId(common.identity_for(call, Tag, create_spec.tag_id)),
        name=create_spec.name,
        description=create_spec.description,
        category=create_spec.category_id,
    )

    def plan(edit: Edit) -> ids.CisTaggingTagId:
        common.require_now(edit, Category, tag.category)
        if edit.get(Tag, tag.id) is not None:
            raise common.already_exists(tag.id)
        check_name_is_free(call, tag)
        edit.put(tag)
        return tag.id

    return await call.settle(plan)


@implements(cis_tagging.Tag.update)
async def update(call: Call, tag_id: ids.CisTaggingTagId, update_spec: cis_tagging.Tag.UpdateSpec) -> None:
    """Change what is given.

    :raises AlreadyExists: another tag of the category has the name.
    :raises InvalidArgument: the name is blank.
    """
    if update_spec.name is not None:
        common.check_name(update_spec.name)

    def changed(old: Tag) -> Tag:
        new = msgspec.structs.replace(
            old,
            name=old.name if update_spec.name is None else update_spec.name,
            description=old.description if update_spec.description is None else update_spec.description,
        )
        check_name_is_free(call, new)
        return new

    await common.change(call, Tag, tag_id, changed)


@implements(cis_tagging.Tag.delete)
async def delete(call: Call, tag_id: ids.CisTaggingTagId) -> None:
    """Delete the tag, wherever it is attached, and the compute policies that go by it."""
    await call.settle(lambda edit: edit.delete(Tag, common.require_now(edit, Tag, tag_id).id))


@implements(cis_tagging.Tag.list_used_tags)
async def list_used_tags(call: Call, used_by_entity: str) -> tuple[str, ...]:
    """The ids of the tags that the user uses."""
    return tuple(call.by(Tag, "used_by", used_by_entity))


@implements(cis_tagging.Tag.add_to_used_by)
async def add_to_used_by(call: Call, tag_id: ids.CisTaggingTagId, used_by_entity: str) -> None:
    """Add a user of the tag."""
    await common.add_user(call, Tag, tag_id, used_by_entity)


@implements(cis_tagging.Tag.remove_from_used_by)
async def remove_from_used_by(call: Call, tag_id: ids.CisTaggingTagId, used_by_entity: str) -> None:
    """Remove a user of the tag."""
    await common.remove_user(call, Tag, tag_id, used_by_entity)


@implements(cis_tagging.Tag.revoke_propagating_permissions)
async def revoke_propagating_permissions(call: Call, tag_id: ids.CisTaggingTagId) -> None:
    """Note that permissions from above do not hold for the tag."""
    await common.revoke_propagation(call, Tag, tag_id)


def check_name_is_free(call: Call, tag: Tag) -> None:
    """:raises AlreadyExists: another tag of its category has its name."""
    taken = call.unfiltered.by(Tag, "category_name", tag_name_key(tag.category, tag.name))
    if any(other != tag.id for other in taken):
        raise AlreadyExists(
            message("resphere.tagging.tag.name_taken", "A tag named '{0}' exists already in the category.", tag.name)
        )
