"""``resphere.vcenter.custom_attributes``: attributes that users define, and what objects have of them."""

from __future__ import annotations

import msgspec

from resphere.access.refusals import no_privileges
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ServiceUnavailable, message
from resphere.contract.extensions.custom_attributes import CustomAttributes
from resphere.inventory.custom_attributes import TYPES, CustomAttribute, CustomValue, value_id, values_of
from resphere.inventory.model import ManagedObject
from resphere.inventory.paths import object_by_id
from resphere.inventory.tagging import TAGGABLE
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.registry import implements

SET = "Global.SetCustomField"
LONGEST_NAME, LONGEST_VALUE = 255, 4096
MOST_ATTRIBUTES = 1000


@implements(CustomAttributes.create)
async def create(call: Call, spec: CustomAttributes.CreateSpec) -> str:
    """Define one.

    :raises AlreadyExists: there is one of that name, which objects of the same type can have.
    :raises InvalidArgument: the name is none, or the type.
    :raises ServiceUnavailable: there are too many.
    """
    require_name(spec.name)
    if spec.type is not None and spec.type not in TYPES:
        raise refused("type", f"must be one of {', '.join(TYPES)}, and not {spec.type[:80]!r}.")

    def plan(edit: Edit) -> str:
        if call.unfiltered.count(CustomAttribute) >= MOST_ATTRIBUTES:
            raise ServiceUnavailable(
                message("resphere.custom_attribute.too_many", "There are {0} custom attributes.", MOST_ATTRIBUTES)
            )
        made = CustomAttribute(id=edit.new_id(""), name=spec.name, type=spec.type)
        require_free(edit, made)
        edit.put(made)
        return made.id

    return await call.unfiltered.change(plan)


@implements(CustomAttributes.list)
async def list_attributes(call: Call, filter: CustomAttributes.ListSpec | None) -> tuple[CustomAttributes.Info, ...]:
    """All of them, by name."""
    wanted = filter or CustomAttributes.ListSpec()
    found = [
        each
        for each in call.unfiltered.all(CustomAttribute).values()
        if (wanted.names is None or each.name in wanted.names)
        and (wanted.types is None or any(each.is_for(type) for type in wanted.types))
    ]
    return tuple(info(each) for each in sorted(found, key=lambda each: (each.name, each.key)))


@implements(CustomAttributes.get)
async def get(call: Call, attribute: str) -> CustomAttributes.Info:
    """One.

    :raises NotFound: there is none of that key.
    """
    return info(require(call, attribute))


@implements(CustomAttributes.update)
async def update(call: Call, attribute: str, spec: CustomAttributes.UpdateSpec) -> None:
    """Give it another name; objects have what they had.

    :raises AlreadyExists: there is one of that name, which objects of the same type can have.
    :raises InvalidArgument: the name is none.
    :raises NotFound: there is none of that key.
    """
    require_name(spec.name)

    def plan(edit: Edit) -> None:
        renamed = msgspec.structs.replace(require_now(edit, attribute), name=spec.name)
        require_free(edit, renamed)
        edit.put(renamed)

    await call.unfiltered.change(plan)


@implements(CustomAttributes.delete)
async def delete(call: Call, attribute: str) -> None:
    """Forget it, and what objects have of it.

    :raises NotFound: there is none of that key.
    """
    await call.unfiltered.change(lambda edit: edit.delete(CustomAttribute, require_now(edit, attribute).id))


@implements(CustomAttributes.list_values)
async def list_values(call: Call, object: str) -> tuple[CustomAttributes.Value, ...]:
    """What an object has, by the attributes' names.

    :raises NotFound: there is no object of that id that the caller sees.
    """
    target = require_object(call, object)
    found = sorted(values_of(call.unfiltered, target.id), key=lambda each: (each[0].name, each[0].key))
    return tuple(
        CustomAttributes.Value(attribute=attribute.id, name=attribute.name, value=value) for attribute, value in found
    )


@implements(CustomAttributes.set)
async def set_value(call: Call, object: str, attribute: str, spec: CustomAttributes.SetSpec) -> None:
    """Give an object a value, in place of what it had; an empty one clears that.

    :raises InvalidArgument: the value is too long, or objects of its type cannot have the attribute.
    :raises NotFound: there is no such object that the caller sees, or no such attribute.
    :raises Unauthorized: the caller may not set it on that object.
    """
    require_value(spec.value)
    await change(call, object, attribute, spec.value)


@implements(CustomAttributes.clear)
async def clear(call: Call, object: str, attribute: str) -> None:
    """Have an object have no value of it any more; none is fine.

    :raises NotFound: there is no such object that the caller sees, or no such attribute.
    :raises Unauthorized: the caller may not set it on that object.
    """
    await change(call, object, attribute, "")


async def change(call: Call, object: str, attribute: str, value: str) -> None:
    """Set or clear a value.

    :raises InvalidArgument: objects of its type cannot have the attribute.
    :raises NotFound: there is no such object that the caller sees, or no such attribute.
    :raises Unauthorized: the caller may not set it on that object.
    """
    target = require_object(call, object)
    if not call.view.holds(SET, target.id):
        raise no_privileges(SET, target.id, call.vcenter)

    def plan(edit: Edit) -> None:
        if edit.get(type(target), target.id) is None:
            raise no_object(object)
        found = require_now(edit, attribute)
        id = value_id(target.id, found.id)
        if value and not found.is_for(target.resource_type):
            raise refused("attribute", f"it is for {found.type}, and not for {target.resource_type}.")
        if value:
            edit.put(CustomValue(id=id, object=target.id, attribute=found.id, value=value))
        elif edit.get(CustomValue, id) is not None:
            edit.delete(CustomValue, id)

    await call.unfiltered.change(plan)


def require_object(call: Call, id: str) -> ManagedObject:
    """An object that can have values.

    :raises NotFound: there is none of that id that the caller sees.
    """
    found = object_by_id(call.unfiltered, id)
    if not isinstance(found, TAGGABLE) or not call.view.sees(found):
        raise no_object(id)
    return found


def no_object(id: str) -> NotFound:
    """The refusal of an object that is none, or is not the caller's to see."""
    return NotFound(message("resphere.custom_attribute.no_object", "There is no object {0} to have attributes.", id))


def require(call: Call, attribute: str) -> CustomAttribute:
    """The attribute.

    :raises NotFound: there is none of that key.
    """
    return require_now(call.unfiltered, attribute)


def require_now(among: Lookup, attribute: str) -> CustomAttribute:
    """The attribute as it is now.

    :raises NotFound: there is none of that key.
    """
    found = among.get(CustomAttribute, attribute)
    if found is None:
        raise no_attribute(attribute)
    return found


def no_attribute(attribute: str) -> NotFound:
    """The refusal of a key that is none."""
    return NotFound(message("resphere.custom_attribute.not_found", "There is no custom attribute {0}.", attribute))


def require_name(name: str) -> None:
    """Refuse what is no name.

    :raises InvalidArgument: it is none.
    """
    if not name.strip() or len(name) > LONGEST_NAME:
        raise refused("name", f"must have 1 to {LONGEST_NAME} characters, and not only blanks.")


def require_value(value: str) -> None:
    """Refuse what is no value.

    :raises InvalidArgument: it is too long.
    """
    if len(value) > LONGEST_VALUE:
        raise refused("value", f"must have {LONGEST_VALUE} characters at most, not {len(value)}.")


def require_free(edit: Edit, attribute: CustomAttribute) -> None:
    """Refuse a name that another one has, where an object could have both.

    :raises AlreadyExists: another one has.
    """
    name = attribute.name
    for id, other in edit.stored_by(CustomAttribute, "name", name).items():
        if id != attribute.id and (attribute.type is None or other.is_for(attribute.type)):
            raise AlreadyExists(
                message(
                    "resphere.custom_attribute.name_taken",
                    "There is a custom attribute {0} already: {1}.",
                    name,
                    id,
                )
            )


def refused(where: str, why: str) -> InvalidArgument:
    """The refusal of what stands at that place."""
    return InvalidArgument(message("resphere.custom_attribute.input", "{0}: {1}", where, why))


def info(attribute: CustomAttribute) -> CustomAttributes.Info:
    """What is told of an attribute."""
    return CustomAttributes.Info(attribute=attribute.id, key=attribute.key, name=attribute.name, type=attribute.type)
