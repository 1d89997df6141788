"""The rules by which tags come to objects, for every service that attaches tags."""

from __future__ import annotations

import msgspec

from resphere.access.defaults import READ
from resphere.contract.errors import InvalidArgument, Unauthorized, message
from resphere.contract.generated import vapi_std
from resphere.inventory.mentions import qualified
from resphere.inventory.model import ManagedObject
from resphere.inventory.tagging import (
    Attachment,
    Category,
    Tag,
    attachment_id,
    exclusive_attachment,
    find_object,
    is_associable,
    type_of,
)
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.tagging import require_now


class Attaching:
    """Attaches and detaches within one run of a change's plan."""

    def __init__(self, edit: Edit, inventory: Replica) -> None:
        self._edit = edit
        self._inventory = inventory
        self._exclusive: dict[tuple[str, str], Attachment | None] = {}
        """Category and object -> its exclusive attachment, where this run has changed that."""

    def tag(self, identity: str) -> Tag:
        """The tag.

        :raises NotFound: there is none.
        """
        return require_now(self._edit, Tag, identity)

    def attach(self, tag: Tag, target: ManagedObject) -> bool:
        """Attach ``tag``; returns whether that is new.

        :raises InvalidArgument: the category's types or cardinality forbid it.
        """
        identity = attachment_id(tag.id, target.id)
        if self._edit.get(Attachment, identity) is not None:
            return False
        category = require_now(self._edit, Category, tag.category)
        type = type_of(target)
        if not is_associable(category, type):
            raise not_associable(tag, category, type)
        attachment = Attachment(
            id=identity,
            tag=tag.id,
            category=category.id,
            type=type,
            object=target.id,
            exclusive=category.is_single,
        )
        before = self._exclusive_of(attachment)
        if before is not None:
            if category.is_single:
                raise too_many(self._inventory.epoch, tag, category, target)
            # Attached before the category was widened.
            self._edit.put(msgspec.structs.replace(before, exclusive=False))
        self._exclusive[category.id, target.id] = attachment if attachment.exclusive else None
        # What the category allows is never narrowed.
        self._edit.put(attachment)
        return True

    def detach(self, tag: Tag, target: str) -> bool:
        """Detach ``tag`` from the object with the id ``target``; returns whether it was attached."""
        attachment = self._edit.get(Attachment, attachment_id(tag.id, target))
        if attachment is None:
            return False
        if attachment.exclusive:
            self._exclusive[attachment.category, target] = None
        self._edit.delete(Attachment, attachment.id)
        return True

    def _exclusive_of(self, attachment: Attachment) -> Attachment | None:
        key = (attachment.category, attachment.object)
        return self._exclusive[key] if key in self._exclusive else exclusive_attachment(self._inventory, *key)


def find_readable(call: Call, object_id: vapi_std.DynamicID) -> ManagedObject | None:
    """The object, if there is one and the caller may read it."""
    found = find_object(call.unfiltered, object_id.type, object_id.id)
    return found if found is not None and call.view.holds(READ, found.id) else None


def require_readable(call: Call, object_id: vapi_std.DynamicID) -> ManagedObject:
    """The object, where an operation declares no other error for one that is not there.

    :raises Unauthorized: there is none, or the caller may not read it; the two are not told apart, as in vCenter 7.0.
    """
    found = find_readable(call, object_id)
    if found is None:
        raise Unauthorized(
            message(
                "resphere.tagging.object_not_readable",
                "The object '{0}:{1}' does not exist, or you do not have the privilege to read it.",
                object_id.type,
                f"{object_id.id}:{call.vcenter}",
            )
        )
    return found


def invalid_object(vcenter: str, object_id: vapi_std.DynamicID) -> InvalidArgument:
    """The refusal of an object that is not there, or is of another type; ``vcenter`` is this one's instance UUID."""
    return InvalidArgument(
        message(
            "resphere.tagging.invalid_object",
            "object_id: there is no object '{1}' of the type '{0}' that could have tags.",
            object_id.type,
            f"{object_id.id}:{vcenter}",
        )
    )


def not_associable(tag: Tag, category: Category, type: str) -> InvalidArgument:
    """The refusal of a tag that is for other types."""
    return InvalidArgument(
        message(
            "resphere.tagging.not_associable",
            "The tag '{0}' cannot be attached to an object of the type {1}: its category '{2}' is for {3}.",
            tag.name,
            type,
            category.name,
            ", ".join(category.associable_types),
        )
    )


def too_many(vcenter: str, tag: Tag, category: Category, target: ManagedObject) -> InvalidArgument:
    """The refusal of a second tag of a category with the cardinality ``SINGLE``."""
    return InvalidArgument(
        message(
            "cis.tagging.attach.invalidArgument.cardinality.error",
            "The tag '{0}' cannot be attached to '{1}', which has another tag of the category '{2}' already.",
            tag.name,
            qualified(target.id, vcenter),
            category.name,
        )
    )
