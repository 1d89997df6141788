"""What the services of content libraries have in common: how things are found and refused, and how a call repeats."""

from __future__ import annotations

import re
from typing import TypeVar

from resphere.contract.errors import (
    InvalidArgument,
    InvalidElementType,
    NotAllowedInCurrentState,
    NotFound,
    message,
)
from resphere.contract.generated.content import LibraryModel
from resphere.inventory.content.items import LibraryFile, LibraryItem, is_leaving
from resphere.inventory.content.libraries import Library, LibraryUsage, Subscription
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.libraries.files import has_item
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.uuids import UUID_PATTERN

D = TypeVar("D", Library, LibraryItem, UpdateSession, DownloadSession)

LOCAL = LibraryModel.LibraryType.LOCAL
SUBSCRIBED = LibraryModel.LibraryType.SUBSCRIBED
WORDS: dict[type[object], str] = {
    Library: "library",
    LibraryItem: "library item",
    UpdateSession: "update session",
    DownloadSession: "download session",
}


def not_found(cls: type[D], id: str) -> NotFound:
    """The refusal of an id that nothing has."""
    return NotFound(message("resphere.content.not_found", "There is no {0} with the id {1}.", WORDS[cls], id))


def require(among: Lookup, cls: type[D], id: str) -> D:
    """The library, item or session of that id, as ``among`` shows it.

    :raises NotFound: there is none, or it goes with a library that was deleted.
    """
    found = among.get(cls, id)
    if found is None or is_gone(among, found):
        raise not_found(cls, id)
    return found


def is_gone(among: Lookup, found: Library | LibraryItem | UpdateSession | DownloadSession) -> bool:
    """Whether what is stored yet goes with a library that was deleted."""
    if isinstance(found, UpdateSession | DownloadSession):
        return not has_item(among, found)
    return isinstance(found, LibraryItem) and is_leaving(among, found)


def require_file(item: LibraryItem, name: str) -> LibraryFile:
    """The item's file of that name.

    :raises NotFound: there is none.
    """
    found = item.file(name)
    if found is None:
        raise NotFound(
            message("resphere.content.file_not_found", "There is no file {0} in the library item {1}.", name, item.name)
        )
    return found


def require_given(field: str, value: str | None) -> str:
    """What must be given.

    :raises InvalidArgument: it was not; naming the ``field``.
    """
    if value is None:
        raise InvalidArgument(message("resphere.content.required", "{0}: is required.", field))
    return value


def require_local(library: Library) -> None:
    """Refuse a library that gets its content from elsewhere.

    :raises InvalidElementType: it does.
    """
    if library.type is not LOCAL:
        raise InvalidElementType(
            message("resphere.content.not_local", "The library {0} is not a local library.", library.name)
        )


def require_subscribed(library: Library) -> Subscription:
    """Where a library gets its content from; refuses one whose content is made here.

    :raises InvalidElementType: it is.
    """
    if library.subscription is None:
        raise InvalidElementType(
            message("resphere.content.not_subscribed", "The library {0} is not a subscribed library.", library.name)
        )
    return library.subscription


def require_changeable(library: Library) -> None:
    """Refuse to change the content of a library that is in maintenance, or has lost its place.

    :raises NotAllowedInCurrentState: it is, or has.
    """
    if library.lost_datastore is not None:
        raise NotAllowedInCurrentState(
            message("resphere.content.lost", "The datastore of the library {0} is no more.", library.name)
        )
    if library.maintenance is not None:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.maintenance",
                "The library {0} is in maintenance; its content cannot be changed.",
                library.name,
            )
        )


def require_unused(inventory: Replica, edit: Edit, library: Library) -> None:
    """Refuse to delete what is said to be in use.

    :raises NotAllowedInCurrentState: naming the resources that use the library.
    """
    usages = inventory.by(LibraryUsage, "library", library.id)
    users = sorted(usage.urn for id, usage in usages.items() if edit.get(LibraryUsage, id) is not None)
    if users:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.in_use",
                "The library {0} is in use by {1}.",
                library.name,
                ", ".join(users[:10]),
            )
        )
    # A usage that is added meanwhile is seen.
    edit.rely_on_referrers(library.id)


def call_key(call: Call, client_token: str | None) -> str | None:
    """What tells a call that is repeated from all others: the token is the client's own.

    :raises InvalidArgument: the token is no UUID.
    """
    if client_token is None:
        return None
    if not re.fullmatch(UUID_PATTERN, client_token):
        raise InvalidArgument(
            message("resphere.content.client_token", "client_token: must be a UUID, not {0}.", client_token)
        )
    return f"{call.operation.name}/{call.session.user}/{client_token.lower()}"


def made_before(inventory: Replica, cls: type[D], key: str | None) -> D | None:
    """What the same call has made before, if it is still there."""
    if key is None:
        return None
    found = inventory.by(cls, "client_token", key).values()
    return next((each for each in found if not is_gone(inventory, each)), None)
