"""The tags and custom attributes of the items of a list, for filters and orders."""

from __future__ import annotations

from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.tagging import Attachment, Category, Tag, attached_to_existing
from resphere.queries import fields
from resphere.replica.table import Reading


def tags_of(inventory: Reading, identifier: str) -> tuple[fields.Tag, ...]:
    """The tags of the object of that id, as far as ``inventory`` shows them."""
    found: list[fields.Tag] = []
    for attachment in attached_to_existing(inventory, inventory.by(Attachment, "object", identifier).values()):
        tag, category = inventory.get(Tag, attachment.tag), inventory.get(Category, attachment.category)
        if tag is not None and category is not None:
            found.append(fields.Tag(tag=tag.id, name=tag.name, category=category.name))
    return tuple(found)


def attributes_of(inventory: Reading, defined: Reading, identifier: str) -> dict[str, str]:
    """The custom attributes of the object of that id, as far as ``inventory`` shows it, by name. What is ``defined`` is
    told to all, as in vCenter."""
    found = inventory.by(CustomValue, "object", identifier).values()
    return {attribute.name: each.value for each in found if (attribute := defined.get(CustomAttribute, each.attribute))}
