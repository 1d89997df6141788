"""The custom attributes of machines that are made of others. Pure."""

from __future__ import annotations

from resphere.inventory.custom_attributes import CustomValue, value_id
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def copy_values(inventory: Replica, edit: Edit, source: str, object: str) -> None:
    """Give ``object`` what ``source`` has, as vCenter does when it clones."""
    for value in inventory.by(CustomValue, "object", source).values():
        made = CustomValue(
            id=value_id(object, value.attribute), object=object, attribute=value.attribute, value=value.value
        )
        edit.put(made)
