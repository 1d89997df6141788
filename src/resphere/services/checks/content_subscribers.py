"""The subscriptions of published libraries: how they are found and refused."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, message
from resphere.contract.model import LocalizableMessage
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.services.call import Call
from resphere.services.checks.content import require_local


def require_publishing(library: Library) -> Library:
    """A published library.

    :raises InvalidElementType: its content is made elsewhere.
    :raises NotAllowedInCurrentState: it is not published.
    """
    require_local(library)
    if not library.publishing.published:
        raise NotAllowedInCurrentState(
            message("resphere.content.not_published", "The library {0} is not published.", library.name)
        )
    return library


def no_subscription(library: Library, id: str) -> LocalizableMessage:
    """What is said of a subscription that there is not."""
    return message(
        "resphere.content.no_subscription", "The library {0} has no subscription with the id {1}.", library.name, id
    )


def subscriptions_of(call: Call, library: Library, named: Iterable[str] | None) -> tuple[LibrarySubscription, ...]:
    """Those subscriptions that are named, or else all.

    :raises InvalidArgument: the library has none of such an id.
    """
    present = call.by(LibrarySubscription, "library", library.id)
    wanted = tuple(present if named is None else dict.fromkeys(named))
    for id in wanted:
        if id not in present:
            raise InvalidArgument(no_subscription(library, id))
    return tuple(present[id] for id in wanted)
