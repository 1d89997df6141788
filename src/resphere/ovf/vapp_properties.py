"""The properties of machines and vApps: those that their products declare, each with a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from resphere.ovf.machine import VappProperty
from resphere.ovf.model import Product, Property
from resphere.ovf.property_types import type_of


def properties_of(
    products: Iterable[Product], value_of: Callable[[Product, Property], str]
) -> tuple[VappProperty, ...]:
    """All of the products' properties, in their order."""
    return tuple(
        [
            VappProperty(
                full_key=product.full_key(each.key),
                class_id=product.class_id,
                instance_id=product.instance_id,
                declared=each,
                type_text=type_of(each).text,
                value=value_of(product, each),
            )
            for product in products
            for each in product.properties
        ]
    )
