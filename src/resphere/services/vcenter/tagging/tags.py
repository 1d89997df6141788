"""``com.vmware.vcenter.tagging.tags``: list, page by page."""

from __future__ import annotations

from resphere.contract.generated import vcenter_tagging
from resphere.inventory.tagging import Tag
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.tagging.paging import page

Tags = vcenter_tagging.Tags


@implements(Tags.list, kept=True)
async def list_tags(call: Call, filter: Tags.FilterSpec | None, iterate: Tags.IterationSpec | None) -> Tags.ListResult:
    """A page of the tags that match."""
    wanted, place = filter or Tags.FilterSpec(), iterate or Tags.IterationSpec()
    shown, marker = page(call.inventory, Tag, wanted.names, place.marker, place.page_size)
    return Tags.ListResult(marker=marker, items=tuple(map(item, shown)))


def item(tag: Tag) -> Tags.ListItem:
    """A tag as the list shows it."""
    return Tags.ListItem(
        tag=tag.id,
        info=Tags.Info(
            name=tag.name, category=tag.category, description=tag.description, used_by=frozenset(tag.used_by)
        ),
    )
