"""What is asked of subscribed libraries, and who subscribes to published ones from here."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.content_library import Subscriptions
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.replica.table import Lookup, OnDelete, Reference, Table


class SyncRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """That ``library`` is to take what is new from where it subscribes, or of that one ``item`` alone.

    ``with_content``: contents too, where the library takes them on demand only. ``only_new``: nothing is looked at
    where the publisher has the version of which everything is here. ``mark`` tells one request from the next one for
    the same.
    """

    kind: ClassVar[str] = "content_sync_request"

    id: str
    library: ids.ContentLibraryId
    item: ids.ContentLibraryItemId | None = None
    with_content: bool = False
    only_new: bool = False
    mark: str


class LibrarySubscription(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That the library ``subscriber`` of this server takes its items from the published ``library``, and is told when
    there is something new. ``placement`` is where machines made of templates would stand; ``refused`` says by the
    ids of templates why they were not cloned when that was tried last."""

    kind: ClassVar[str] = "content_library_subscription"

    id: ids.ContentLibrarySubscriptionsId
    library: ids.ContentLibraryId
    subscriber: ids.ContentLibraryId
    placement: Subscriptions.PlacementInfo
    client_token: str | None = None
    refused: dict[str, str] = {}


def is_coming(among: Lookup, item: str) -> bool:
    """Whether the content of an item is asked for."""
    request = among.get(SyncRequest, item)
    return request is not None and request.with_content


def token_keys(subscription: LibrarySubscription) -> tuple[str, ...]:
    """By which call it was made."""
    return () if subscription.client_token is None else (subscription.client_token,)


SYNC_REQUESTS = Table(
    cls=SyncRequest,
    indexes={
        "library": lambda request: (request.library,),
        "item": lambda request: () if request.item is None else (request.item,),
    },
    revises=False,
    belongs_to="library",
    refers_to=(
        Reference(index="library", fields=("library",), to=(Library,), on_delete=OnDelete.CASCADE),
        Reference(index="item", fields=("item",), to=(LibraryItem,), on_delete=OnDelete.CASCADE),
    ),
)

LIBRARY_SUBSCRIPTIONS = Table(
    cls=LibrarySubscription,
    indexes={
        "library": lambda subscription: (subscription.library,),
        "subscriber": lambda subscription: (subscription.subscriber,),
        "client_token": token_keys,
    },
    belongs_to="library",
    refers_to=(
        Reference(index="library", fields=("library",), to=(Library,), on_delete=OnDelete.CASCADE),
        Reference(index="subscriber", fields=("subscriber",), to=(Library,), on_delete=OnDelete.CASCADE),
    ),
    claims=lambda subscription: (
        f"content-library-subscriber/{subscription.subscriber}",
        *(f"content-library-subscription-token/{token}" for token in token_keys(subscription)),
    ),
)
