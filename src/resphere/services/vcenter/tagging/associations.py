"""``com.vmware.vcenter.tagging.associations``: all attachments page by page, and many changes of one object at once."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, NotFound, VapiError, message
from resphere.contract.generated import ids, vapi_std, vcenter_tagging
from resphere.contract.mentions import all_told
from resphere.contract.model import LocalizableMessage
from resphere.inventory.tagging import Attachment, Category, Tag, attached_to_existing, tag_name_key
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.tagging import require_now
from resphere.services.cis.tagging.attaching import Attaching, find_readable
from resphere.services.registry import implements
from resphere.services.vcenter.tagging.paging import InvalidMarker, all_after, cut, read_marker, unknown_marker

Associations = vcenter_tagging.Associations
Status = Associations.LastIterationStatus

PAGE_SIZE = 1000
MOST_CHANGES = 1000
"""Of one object at once: they are one transaction."""


@implements(Associations.list)
async def list_associations(call: Call, iterate: Associations.IterationSpec | None) -> Associations.ListResult:
    """A page of the attachments of tags to objects, as far as the caller may read both.

    :raises InvalidArgument: the marker is none of ours.
    """
    marker = iterate.marker if iterate else None
    try:
        after = read_marker(marker).after if marker else ""
    except InvalidMarker:
        raise InvalidArgument(unknown_marker(marker)) from None
    attachments = attached_to_existing(call.inventory, all_after(call.inventory, Attachment, after))
    readable = (each for each in attachments if call.get(Tag, each.tag) is not None)
    shown, following = cut(readable, PAGE_SIZE)
    return Associations.ListResult(
        associations=tuple(
            Associations.Summary(tag=a.tag, object=vapi_std.DynamicID(type=a.type, id=a.object)) for a in shown
        ),
        marker=ids.VcenterTaggingAssociationsMarkerId(following) if following else None,
        status=Status.READY if following else Status.END_OF_DATA,
    )


@implements(Associations.update)
async def update(call: Call, spec: Associations.UpdateSpec) -> Associations.UpdateResult:
    """Attach and detach as asked, in that order, all or nothing; the result names what was not so before.

    :raises InvalidArgument: nothing is asked for, or too much, or a tag is neither identified nor named.
    :raises NotFound: there is no such object.
    """
    if not spec.tag_spec_list:
        raise InvalidArgument(
            message("resphere.tagging.no_tags", "tag_spec_list: must name at least one tag to attach or detach.")
        )
    if len(spec.tag_spec_list) > MOST_CHANGES:
        raise InvalidArgument(
            message("resphere.tagging.too_many_tags", "tag_spec_list: must not be more than {0}.", MOST_CHANGES)
        )
    if any(wanted.tag_id is None and wanted.tag_category_name_info is None for wanted in spec.tag_spec_list):
        raise InvalidArgument(
            message(
                "resphere.tagging.no_tag_named",
                "tag_spec_list: each needs tag_id, tag_category_name_info, or both of the same tag.",
            )
        )

    def plan(edit: Edit) -> tuple[Associations.ResultItem, ...]:
        return apply(call, edit, spec)

    try:
        results = await call.unfiltered.change(plan)
    except NotAll as refused:
        return Associations.UpdateResult(success=False, errors=refused.errors)
    return Associations.UpdateResult(success=True, results=results)


class NotAll(Exception):
    """Some of it cannot be done, so that nothing is."""

    def __init__(self, errors: tuple[LocalizableMessage, ...]) -> None:
        super().__init__(errors)
        self.errors = errors


def apply(call: Call, edit: Edit, spec: Associations.UpdateSpec) -> tuple[Associations.ResultItem, ...]:
    """What is really new by ``spec``.

    :raises NotAll: with what cannot be done.
    """
    target = find_readable(call, spec.object)
    if target is None:
        raise NotFound(
            message(
                "resphere.tagging.object_not_found",
                "object: there is no object '{1}' of the type '{0}' that could have tags.",
                spec.object.type,
                spec.object.id,
            )
        )
    attaching = Attaching(edit, call.unfiltered)
    results: list[Associations.ResultItem] = []
    errors: list[LocalizableMessage] = []
    for wanted in spec.tag_spec_list:
        try:
            tag = attaching.tag(identified(call.unfiltered, wanted))
            if wanted.operation is Associations.Operation.ATTACH:
                changed = attaching.attach(tag, target)
            else:
                changed = attaching.detach(tag, target.id)
        except VapiError as refusal:
            errors.extend(all_told(refusal.messages, call.knows))
            continue
        if changed:
            names = Associations.TagCategoryNameInfo(
                tag_name=tag.name, category_name=require_now(edit, Category, tag.category).name
            )
            results.append(
                Associations.ResultItem(operation=wanted.operation, tag=tag.id, tag_category_name_info=names)
            )
    if errors:
        raise NotAll(tuple(errors))
    return tuple(results)


def identified(inventory: Replica, wanted: Associations.TagSpec) -> str:
    """The id of the tag that is meant.

    :raises NotFound: no tag has the name in a category of the name.
    :raises InvalidArgument: id and name are of two tags.
    """
    names = wanted.tag_category_name_info
    if names is None:
        return wanted.tag_id or ""
    found = next(
        (
            tag
            for category in inventory.by(Category, "name", names.category_name)
            for tag in inventory.by(Tag, "category_name", tag_name_key(category, names.tag_name))
        ),
        None,
    )
    if found is None:
        raise NotFound(
            message(
                "resphere.tagging.name_not_found",
                "There is no tag named '{0}' in a category named '{1}'.",
                names.tag_name,
                names.category_name,
            )
        )
    if wanted.tag_id not in (None, found):
        raise InvalidArgument(
            message(
                "resphere.tagging.two_tags",
                "The tag '{0}' is not the one named '{1}' in the category '{2}'.",
                wanted.tag_id,
                names.tag_name,
                names.category_name,
            )
        )
    return found
