"""What categories and tags have in common: ids, names, and how they are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.inventory.tagging import Category, Tag
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.uuids import UUID_PATTERN

D = TypeVar("D", Category, Tag)

_RESOURCES: dict[type[Category] | type[Tag], str] = {
    Category: "InventoryServiceCategory",
    Tag: "InventoryServiceTag",
}


def not_found(identity: str) -> NotFound:
    """The refusal of an unknown category or tag, as vCenter 7.0 words it."""
    return NotFound(message("cis.tagging.objectNotFound.error", "Tagging object {0} not found", identity))


def require(call: Call, cls: type[D], identity: str) -> D:
    """The category or tag of that id: the privilege on the one that an operation names was asked before.

    :raises NotFound: there is none.
    """
    found = call.unfiltered.get(cls, identity)
    if found is None:
        raise not_found(identity)
    return found


def require_now(edit: Edit, cls: type[D], identity: str) -> D:
    """The same inside of a change."""
    found = edit.get(cls, identity)
    if found is None:
        raise not_found(identity)
    return found


def identity_for(call: Call, cls: type[D], given: str | None) -> str:
    """The id of a new category or tag: the given one, or one of random bits.

    :raises InvalidArgument: the given one is not of the form.
    """
    if given is None:
        return identity_of(cls, call.new_uuid())
    require_identity(cls, given)
    return given


def identity_of(cls: type[D], uuid: str) -> str:
    """The id of a category or tag with this UUID."""
    return f"urn:vmomi:{_RESOURCES[cls]}:{uuid}:GLOBAL"


def require_identity(cls: type[D], given: str) -> None:
    """Refuse an id that no category or tag may have.

    :raises InvalidArgument: it is not of the form.
    """
    resource = _RESOURCES[cls]
    if not re.fullmatch(f"urn:vmomi:{resource}:{UUID_PATTERN}:GLOBAL", given):
        raise InvalidArgument(
            message(
                "resphere.tagging.invalid_id",
                "The identifier '{0}' is not of the form urn:vmomi:{1}:<UUID>:GLOBAL.",
                given,
                resource,
            )
        )


def check_name(name: str) -> None:
    """:raises InvalidArgument: the name is blank, or has a NUL character."""
    if not name.strip() or "\0" in name:
        raise InvalidArgument(
            message("resphere.tagging.invalid_name", "name: must not be blank, nor have a NUL character.")
        )


def already_exists(identity: str) -> AlreadyExists:
    """The refusal of an id that is taken."""
    return AlreadyExists(
        message("resphere.tagging.id_taken", "A tagging object with the identifier '{0}' exists already.", identity)
    )


async def change(call: Call, cls: type[D], identity: str, changed: Callable[[D], D]) -> None:
    """Put what ``changed`` makes of the present category or tag in its place.

    :raises NotFound: there is none.
    """

    def plan(edit: Edit) -> None:
        edit.put(changed(require_now(edit, cls, identity)))

    await call.settle(plan)


async def add_user(call: Call, cls: type[D], identity: str, user: str) -> None:
    """Add ``user`` to those who use it; no change if it is one of them."""
    await change(call, cls, identity, lambda d: with_users(d, {*d.used_by, user}))


async def remove_user(call: Call, cls: type[D], identity: str, user: str) -> None:
    """Remove ``user`` from those who use it; no change if it is none of them."""
    await change(call, cls, identity, lambda d: with_users(d, {*d.used_by} - {user}))


async def revoke_propagation(call: Call, cls: type[D], identity: str) -> None:
    """Note that permissions from above hold no more. Roles stand on the root folder only, so that nothing ends yet."""
    await change(call, cls, identity, lambda d: msgspec.structs.replace(d, propagating=False))


def with_users(document: D, users: set[str]) -> D:
    """``document`` used by ``users``."""
    return msgspec.structs.replace(document, used_by=tuple(sorted(users)))
