"""``com.vmware.vcenter.tagging.categories``: list, page by page."""

from __future__ import annotations

from resphere.contract.generated import vcenter_tagging
from resphere.inventory.tagging import Category
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.tagging.paging import page

Categories = vcenter_tagging.Categories


@implements(Categories.list, kept=True)
async def list_categories(
    call: Call, filter: Categories.FilterSpec | None, iterate: Categories.IterationSpec | None
) -> Categories.ListResult:
    """A page of the categories that match."""
    wanted, place = filter or Categories.FilterSpec(), iterate or Categories.IterationSpec()
    shown, marker = page(call.inventory, Category, wanted.names, place.marker, place.page_size)
    return Categories.ListResult(marker=marker, items=tuple(map(item, shown)))


def item(category: Category) -> Categories.ListItem:
    """A category as the list shows it."""
    return Categories.ListItem(
        category_id=category.id,
        info=Categories.Info(
            name=category.name,
            description=category.description,
            cardinality=Categories.Info.Cardinality(category.cardinality),
            associable_types=frozenset(category.associable_types),
            used_by=frozenset(category.used_by),
        ),
    )
