"""Custom attributes: what users note of objects, by names that they define for all objects or for those of one type.

They are those of vSphere's managed-object API: an attribute is a ``CustomFieldDef`` with a number as its key, and what
an object has of it a ``CustomFieldStringValue``. A value is a document of its own, so that those who set them on one
object do not wait for each other; it goes with its attribute and with its object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from resphere.inventory.tagging import TAGGABLE
from resphere.replica.table import OnDelete, Reading, Reference, Table

TYPES: tuple[str, ...] = tuple(cls.resource_type for cls in TAGGABLE)
"""The types of objects that an attribute may be for."""


class CustomAttribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An attribute of objects of ``type``, of any where that is unset. ``id`` is its key in digits."""

    kind: ClassVar[str] = "custom_attribute"

    id: str
    name: str
    type: str | None = None

    @property
    def key(self) -> int:
        """The number by which the managed-object API knows it."""
        return int(self.id)

    def is_for(self, type: str) -> bool:
        """Whether objects of that type can have it."""
        return self.type in (None, type)


class CustomValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the managed object ``object`` has of ``attribute``."""

    kind: ClassVar[str] = "custom_value"

    id: str
    object: str
    attribute: str
    value: str


def value_id(object: str, attribute: str) -> str:
    """The id of what an object has of an attribute."""
    return f"{object}/{attribute}"


def _name_claims(attribute: CustomAttribute) -> tuple[str, ...]:
    # One for each type that it is for: what is for any type has no name that something for one has.
    types = TYPES if attribute.type is None else (attribute.type,)
    return tuple(f"custom-attribute/{type}/{attribute.name}" for type in types)


CUSTOM_ATTRIBUTES = Table(
    cls=CustomAttribute,
    indexes={"name": lambda attribute: (attribute.name,)},
    claims=_name_claims,
    revises=False,
)
CUSTOM_VALUES = Table(
    cls=CustomValue,
    belongs_to="object",
    refers_to=(
        Reference(index="attribute", fields=("attribute",), to=(CustomAttribute,), on_delete=OnDelete.CASCADE),
        Reference(index="object", fields=("object",), to=TAGGABLE, on_delete=OnDelete.CASCADE),
    ),
    indexes={"attribute": lambda value: (value.attribute,), "object": lambda value: (value.object,)},
    # They show in no kept answer: lists of VMs stay kept.
    revises=False,
    shared=("object", "attribute"),
)
CUSTOM_ATTRIBUTE_TABLES = (CUSTOM_ATTRIBUTES, CUSTOM_VALUES)


def values_of(inventory: Reading, object: str) -> Iterator[tuple[CustomAttribute, str]]:
    """What an object has, with the attributes."""
    for value in inventory.by(CustomValue, "object", object).values():
        attribute = inventory.get(CustomAttribute, value.attribute)
        if attribute is not None:
            yield attribute, value.value
