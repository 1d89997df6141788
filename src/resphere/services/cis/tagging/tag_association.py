"""``com.vmware.cis.tagging.tag_association``: which object has which tag."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from resphere.contract.errors import VapiError
from resphere.contract.generated import cis_tagging, ids, vapi_std
from resphere.contract.mentions import all_told
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import ManagedObject
from resphere.inventory.tagging import (
    Attachment,
    Category,
    Tag,
    attached_to_existing,
    exclusive_attachment,
    is_associable,
    type_of,
)
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks import tagging as common
from resphere.services.cis.tagging.attaching import Attaching, find_readable, invalid_object, require_readable
from resphere.services.registry import implements
from resphere.turns import PIECE, in_turns

T = TypeVar("T")

BatchResult = cis_tagging.TagAssociation.BatchResult
ObjectToTags = cis_tagging.TagAssociation.ObjectToTags
TagToObjects = cis_tagging.TagAssociation.TagToObjects
TAGS_A_TURN = 10
"""Of a list of objects by tags: each may be on all there are."""


@implements(cis_tagging.TagAssociation.attach)
async def attach(call: Call, tag_id: ids.CisTaggingTagId, object_id: vapi_std.DynamicID) -> None:
    """Attach the tag; no change if it is attached already.

    :raises InvalidArgument: there is no such object, or the category's types or cardinality forbid it.
    """

    def plan(edit: Edit) -> None:
        attaching = Attaching(edit, call.unfiltered)
        tag = attaching.tag(tag_id)
        target = find_readable(call, object_id)
        if target is None:
            raise invalid_object(call.vcenter, object_id)
        attaching.attach(tag, target)

    await call.settle(plan)


@implements(cis_tagging.TagAssociation.detach)
async def detach(call: Call, tag_id: ids.CisTaggingTagId, object_id: vapi_std.DynamicID) -> None:
    """Detach the tag; no change if it is not attached."""

    def plan(edit: Edit) -> None:
        attaching = Attaching(edit, call.unfiltered)
        tag = attaching.tag(tag_id)
        attaching.detach(tag, require_readable(call, object_id).id)

    await call.settle(plan)


@implements(cis_tagging.TagAssociation.attach_multiple_tags_to_object)
async def attach_multiple_tags_to_object(
    call: Call, object_id: vapi_std.DynamicID, tag_ids: tuple[ids.CisTaggingTagId, ...]
) -> BatchResult:
    """Attach those tags that can be; the others are told in the result."""

    def begin(attaching: Attaching) -> Callable[[ids.CisTaggingTagId], object]:
        target = require_readable(call, object_id)
        return lambda tag_id: attaching.attach(attaching.tag(tag_id), target)

    return await batch(call, tag_ids, begin)


@implements(cis_tagging.TagAssociation.detach_multiple_tags_from_object)
async def detach_multiple_tags_from_object(
    call: Call, object_id: vapi_std.DynamicID, tag_ids: tuple[ids.CisTaggingTagId, ...]
) -> BatchResult:
    """Detach those tags that exist; the others are told in the result."""

    def begin(attaching: Attaching) -> Callable[[ids.CisTaggingTagId], object]:
        target = require_readable(call, object_id)
        return lambda tag_id: attaching.detach(attaching.tag(tag_id), target.id)

    return await batch(call, tag_ids, begin)


@implements(cis_tagging.TagAssociation.attach_tag_to_multiple_objects)
async def attach_tag_to_multiple_objects(
    call: Call, tag_id: ids.CisTaggingTagId, object_ids: tuple[vapi_std.DynamicID, ...]
) -> BatchResult:
    """Attach the tag to those objects that can have it; the others are told in the result."""

    def begin(attaching: Attaching) -> Callable[[vapi_std.DynamicID], object]:
        tag = attaching.tag(tag_id)
        return lambda object_id: attaching.attach(tag, require_object(call, object_id))

    return await batch(call, object_ids, begin)


@implements(cis_tagging.TagAssociation.detach_tag_from_multiple_objects)
async def detach_tag_from_multiple_objects(
    call: Call, tag_id: ids.CisTaggingTagId, object_ids: tuple[vapi_std.DynamicID, ...]
) -> BatchResult:
    """Detach the tag from those objects that exist; the others are told in the result."""

    def begin(attaching: Attaching) -> Callable[[vapi_std.DynamicID], object]:
        tag = attaching.tag(tag_id)
        return lambda object_id: attaching.detach(tag, require_object(call, object_id).id)

    return await batch(call, object_ids, begin)


@implements(cis_tagging.TagAssociation.list_attached_tags)
async def list_attached_tags(call: Call, object_id: vapi_std.DynamicID) -> tuple[str, ...]:
    """The ids of the object's tags."""
    return tags_of(call, require_readable(call, object_id).id)


@implements(cis_tagging.TagAssociation.list_attached_tags_on_objects)
async def list_attached_tags_on_objects(
    call: Call, object_ids: tuple[vapi_std.DynamicID, ...]
) -> tuple[ObjectToTags, ...]:
    """The ids of each object's tags, in the order asked for. What the caller cannot read is left out."""
    found: list[ObjectToTags] = []
    async for piece in in_turns(dict.fromkeys(object_ids)):
        found += [
            ObjectToTags(object_id=object_id, tag_ids=tags_of(call, object_id.id))
            for object_id in piece
            if find_readable(call, object_id) is not None
        ]
    return tuple(found)


@implements(cis_tagging.TagAssociation.list_attached_objects)
async def list_attached_objects(call: Call, tag_id: ids.CisTaggingTagId) -> tuple[vapi_std.DynamicID, ...]:
    """The objects that have the tag and that the caller may read."""
    return objects_of(call, common.require(call, Tag, tag_id))


@implements(cis_tagging.TagAssociation.list_attached_objects_on_tags)
async def list_attached_objects_on_tags(
    call: Call, tag_ids: tuple[ids.CisTaggingTagId, ...]
) -> tuple[TagToObjects, ...]:
    """The objects that have each tag, in the order asked for. Tags that do not exist are left out."""
    found: list[TagToObjects] = []
    async for piece in in_turns(dict.fromkeys(tag_ids), TAGS_A_TURN):
        found += [
            TagToObjects(tag_id=tag.id, object_ids=objects_of(call, tag))
            for tag_id in piece
            if (tag := call.get(Tag, tag_id)) is not None
        ]
    return tuple(found)


@implements(cis_tagging.TagAssociation.list_attachable_tags)
async def list_attachable_tags(call: Call, object_id: vapi_std.DynamicID) -> tuple[str, ...]:
    """The ids of the tags that could be attached to the object and are not."""
    inventory, target = call.inventory, require_readable(call, object_id)
    attached, type = set(tags_of(call, target.id)), type_of(target)
    return tuple(
        tag
        for category in inventory.all(Category).values()
        if is_associable(category, type)
        and not (category.is_single and exclusive_attachment(inventory, category.id, target.id))
        for tag in inventory.by(Tag, "category", category.id)
        if tag not in attached
    )


def tags_of(call: Call, object: str) -> tuple[ids.CisTaggingTagId, ...]:
    """The ids of the object's tags that the caller may read."""
    attachments = call.by(Attachment, "object", object).values()
    return tuple([each.tag for each in attachments if call.get(Tag, each.tag) is not None])


def objects_of(call: Call, tag: Tag) -> tuple[vapi_std.DynamicID, ...]:
    """The objects that have ``tag`` and that the caller may read."""
    attachments = call.by(Attachment, "tag", tag.id).values()
    return tuple(
        vapi_std.DynamicID(type=attachment.type, id=attachment.object)
        for attachment in attached_to_existing(call.inventory, attachments)
    )


def require_object(call: Call, object_id: vapi_std.DynamicID) -> ManagedObject:
    """The object that a batch names.

    :raises InvalidArgument: there is none that the caller may read.
    """
    found = find_readable(call, object_id)
    if found is None:
        raise invalid_object(call.vcenter, object_id)
    return found


async def batch(call: Call, items: tuple[T, ...], begin: Callable[[Attaching], Callable[[T], object]]) -> BatchResult:
    """Do to each item what ``begin`` says at the beginning of a transaction; what is refused becomes messages.

    One transaction for each :data:`~resphere.turns.PIECE` items: a batch was never all or nothing.

    :raises VapiError: what ``begin`` refuses.
    """
    errors: list[LocalizableMessage] = []
    # What is refused of an empty batch is refused, too.
    pieces = [items[at : at + PIECE] for at in range(0, len(items), PIECE)] or [()]
    async for [piece] in in_turns(pieces, 1):
        errors += await call.unfiltered.change(partial(batch_piece, call, piece, begin))
    return BatchResult(success=not errors, error_messages=tuple(errors))


def batch_piece(
    call: Call, items: Iterable[T], begin: Callable[[Attaching], Callable[[T], object]], edit: Edit
) -> list[LocalizableMessage]:
    """What is refused of a part of a batch, the rest being planned."""
    errors: list[LocalizableMessage] = []
    do = begin(Attaching(edit, call.unfiltered))
    for item in items:
        try:
            do(item)
        except VapiError as refusal:
            errors += all_told(refusal.messages, call.knows)
    return errors
