"""Custom attributes, and what objects have of them, in an inventory file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from resphere.inventory.custom_attributes import TYPES, CustomAttribute, CustomValue, value_id
from resphere.inventory.tagging import TAGGABLE
from resphere.server.exports.sections import Documents, Fields, Place, Section, by_number, fields_of, plain
from resphere.services.resphere.vcenter.custom_attributes import require_name, require_value

MOST_KEY = 2**31 - 1
"""Keys are 32-bit numbers in the managed-object API."""


def _attributes(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each) for each in documents.of(CustomAttribute))


def _attribute(place: Place) -> Iterable[CustomAttribute]:
    name = place.text("name")
    if name is None or not place.accepts("name", partial(require_name, name)):
        return
    given = place.given.get("id")
    if given is None:
        key = str(place.reading.draft.numbers.take())
    else:
        key = str(given)
        if not (key.isascii() and key.isdecimal() and 0 < int(key[:11]) <= MOST_KEY and key == str(int(key))):
            place.fault("id", f"must be a number from 1 to {MOST_KEY}")
            return
    made = place.made(CustomAttribute, {**place.given, "id": key})
    if made is not None and made.type is not None and made.type not in TYPES:
        place.fault("type", f"must be one of {', '.join(TYPES)}")
    elif made is not None:
        yield made


def _values(documents: Documents) -> Iterator[Fields]:
    for each in sorted(documents.of(CustomValue), key=lambda each: (by_number(each.attribute), by_number(each.object))):
        yield {"attribute": each.attribute, "object": each.object, "value": each.value}


def _value(place: Place) -> Iterable[CustomValue]:
    object, value = place.managed("object", *TAGGABLE), place.text("value")
    target = place.reading.objects.get(object or "")
    if target is None or value is None or not place.accepts("value", partial(require_value, value)):
        return
    given = str(place.given.get("attribute", ""))
    found = place.documents.get(CustomAttribute, given)
    named = [each for each in place.documents.named(CustomAttribute, given) if each.is_for(target.resource_type)]
    attribute = found or next(iter(named), None)
    if attribute is None:
        place.fault("attribute", f"there is no custom attribute with the id or name {given!r} for {target.id}")
    elif not attribute.is_for(target.resource_type):
        place.fault("attribute", f"it is for {attribute.type}, and {target.id} is a {target.resource_type}")
    else:
        yield CustomValue(id=value_id(target.id, attribute.id), object=target.id, attribute=attribute.id, value=value)


CUSTOM_ATTRIBUTES = Section(
    name="custom_attributes",
    classes=(CustomAttribute,),
    fields=fields_of(CustomAttribute),
    write=_attributes,
    read=_attribute,
    taken=("name", "{0} has this name for the same objects, or this id, already"),
)
CUSTOM_VALUES = Section(
    name="custom_values",
    classes=(CustomValue,),
    fields=("attribute", "object", "value"),
    write=_values,
    read=_value,
    taken=("attribute", "{0} gives the object a value of it already"),
)
