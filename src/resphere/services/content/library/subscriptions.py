"""``com.vmware.content.library.subscriptions``: the libraries of this server that a published library tells of news."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content_library import StorageBacking, Subscriptions
from resphere.inventory.content.libraries import Library, Subscription
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.inventory.model import Cluster, Folder, Host, ManagedObject, Network, ResourcePool
from resphere.libraries.publishers import own_library
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.checks.content import SUBSCRIBED, call_key, require
from resphere.services.checks.content_libraries import publish_url, require_text_of_new, storage_of
from resphere.services.checks.content_subscribers import no_subscription, require_publishing
from resphere.services.content.local_library import require_place
from resphere.services.registry import implements

SubscriptionId = ids.ContentLibrarySubscriptionsId
Target = Subscriptions.CreateSpecSubscribedLibrary.Target
PLACES: dict[str, type[ManagedObject]] = {
    "folder": Folder,
    "cluster": Cluster,
    "resource_pool": ResourcePool,
    "host": Host,
    "network": Network,
}
"""What a placement names, by field."""


@implements(Subscriptions.list, kept=True)
async def list_subscriptions(call: Call, library: ids.ContentLibraryId) -> tuple[Subscriptions.Summary, ...]:
    """The subscriptions of a published library, in an order that is the same whichever worker answers."""
    found = require_publishing(require(call, Library, library))
    present = call.by(LibrarySubscription, "library", found.id)
    return tuple(
        Subscriptions.Summary(
            subscription=each.id,
            subscribed_library=each.subscriber,
            subscribed_library_name=require(call, Library, each.subscriber).name,
        )
        for _, each in sorted(present.items())
    )


@implements(Subscriptions.get, kept=True)
async def get(call: Call, library: ids.ContentLibraryId, subscription: SubscriptionId) -> Subscriptions.Info:
    """One of them.

    :raises NotFound: the library has none of that id.
    """
    found = require_subscription(call, require_publishing(require(call, Library, library)), subscription)
    return Subscriptions.Info(
        subscribed_library=found.subscriber,
        subscribed_library_name=require(call, Library, found.subscriber).name,
        subscribed_library_location=Subscriptions.Location.LOCAL,
        subscribed_library_placement=found.placement,
    )


@implements(Subscriptions.create)
async def create(
    call: Call, client_token: str | None, library: ids.ContentLibraryId, spec: Subscriptions.CreateSpec
) -> SubscriptionId:
    """Have a library of this server subscribe to a published one, a new library or one that is there; the same call
    once more answers the same.

    :raises AlreadyExists: the library has a subscription.
    :raises InvalidArgument: it subscribes to something else, or the specification or the token is wrong.
    :raises InvalidElementType: the content of ``library`` is made elsewhere.
    :raises NotAllowedInCurrentState: ``library`` is not published; or it asks for a password, which a new library could
        not know.
    :raises ResourceInaccessible: the other library is to be one of another vCenter.
    """
    key = call_key(call, client_token)
    wanted = spec.subscribed_library
    if wanted.vcenter is not None:
        raise ResourceInaccessible(
            message(
                "resphere.content.other_vcenter",
                "This server knows no vCenter {0}: subscribe there to the address of the library.",
                wanted.vcenter.hostname,
            )
        )
    placement = placement_of(call, wanted.placement)
    source = require_publishing(require(call, Library, library))
    made = SubscriptionId(call.new_uuid())
    new = new_subscriber(call, source, wanted.new_subscribed_library)

    def plan(edit: Edit) -> SubscriptionId:
        before = None if key is None else next(iter(call.by(LibrarySubscription, "client_token", key).values()), None)
        if before is not None:
            return before.id
        current = require_publishing(require(edit, Library, library))
        edit.rely_on(current)
        if new is not None:
            require_no_password(current)
            require_place(edit, storage_of(backings_of(wanted)))
            edit.put(new)
            call.environment.library_sync.request(edit, new.id)
            subscriber = new
        else:
            subscriber = require_subscriber(call, edit, current, wanted.subscribed_library)
        edit.put(
            LibrarySubscription(
                id=made, library=current.id, subscriber=subscriber.id, placement=placement, client_token=key
            )
        )
        return made

    return await call.settle(plan)


@implements(Subscriptions.update)
async def update(
    call: Call, library: ids.ContentLibraryId, subscription: SubscriptionId, spec: Subscriptions.UpdateSpec
) -> None:
    """Change where machines made of templates would stand: all of that, where it is given.

    :raises InvalidArgument: there is no such place, or a vCenter is given, which a library of this server has not.
    :raises NotFound: the library has none of that id.
    """
    if spec.subscribed_library_vcenter is not None:
        raise InvalidArgument(
            message(
                "resphere.content.subscription_vcenter",
                "subscribed_library_vcenter: the subscribed library is one of this server.",
            )
        )
    given = spec.subscribed_library_placement
    placement = placement_of(call, given)

    def plan(edit: Edit) -> None:
        found = require_subscription(edit, require_publishing(require(edit, Library, library)), subscription)
        if given is not None:
            edit.put(msgspec.structs.replace(found, placement=placement))

    await call.settle(plan)


@implements(Subscriptions.delete)
async def delete(call: Call, library: ids.ContentLibraryId, subscription: SubscriptionId) -> None:
    """Tell a library no more of what is new; it stays, and goes on to subscribe.

    :raises NotFound: the library has none of that id.
    """

    def plan(edit: Edit) -> None:
        found = require_subscription(edit, require_publishing(require(edit, Library, library)), subscription)
        edit.delete(LibrarySubscription, found.id)

    await call.settle(plan)


def new_subscriber(
    call: Call, source: Library, wanted: Subscriptions.CreateSpecNewSubscribedLibrary | None
) -> Library | None:
    """The library that is to be made, if one is.

    :raises InvalidArgument: it could not be called so, or has not one place.
    """
    if wanted is None:
        return None
    require_text_of_new(wanted.name, wanted.description)
    backing = storage_of(wanted.storage_backings)
    now = call.environment.now()
    return Library(
        id=ids.ContentLibraryId(call.new_uuid()),
        type=SUBSCRIBED,
        name=wanted.name,
        description=wanted.description or "",
        created=now,
        modified=now,
        datastore=backing.datastore_id,
        storage_uri=backing.storage_uri,
        subscription=Subscription(
            url=publish_url(call, source),
            of_this_server=True,
            automatic=wanted.automatic_sync_enabled,
            on_demand=wanted.on_demand,
        ),
        last_tried=now,
    )


def backings_of(wanted: Subscriptions.CreateSpecSubscribedLibrary) -> tuple[StorageBacking, ...]:
    """Where a library that is to be made shall lie."""
    return () if wanted.new_subscribed_library is None else wanted.new_subscribed_library.storage_backings


def require_subscriber(call: Call, edit: Edit, source: Library, id: str | None) -> Library:
    """A library that subscribes to ``source`` already.

    :raises AlreadyExists: it has a subscription.
    :raises InvalidArgument: there is none, or it subscribes to something else.
    """
    library = None if id is None else edit.get(Library, id)
    subscription = None if library is None else library.subscription
    if library is None or subscription is None or not subscription.of_this_server:
        raise no_subscriber(source, id)
    if own_library(subscription.url) != source.id:
        raise no_subscriber(source, id)
    if call.unfiltered.by(LibrarySubscription, "subscriber", library.id):
        raise AlreadyExists(
            message("resphere.content.has_subscription", "The library {0} has a subscription already.", library.name)
        )
    edit.rely_on(library)
    return library


def no_subscriber(library: Library, id: str | None) -> InvalidArgument:
    """The refusal of a library that does not subscribe to ``library``."""
    return InvalidArgument(
        message(
            "resphere.content.no_subscriber",
            "subscribed_library: {0} is not a library of this server that subscribes to {1}.",
            id,
            library.name,
        )
    )


def require_no_password(library: Library) -> None:
    """Refuse to make a subscriber of a library that asks for a password.

    :raises NotAllowedInCurrentState: it does.
    """
    if library.publishing.password_digest is not None:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.password_needed",
                "The library {0} asks for a password, of which this server knows a digest only: make a subscribed "
                "library with the password, and use that one.",
                library.name,
            )
        )


def require_subscription(among: Lookup, library: Library, id: str) -> LibrarySubscription:
    """The subscription of that library.

    :raises NotFound: there is none.
    """
    found = among.get(LibrarySubscription, id)
    if found is None or found.library != library.id:
        raise NotFound(no_subscription(library, id))
    return found


def placement_of(
    call: Call, given: Subscriptions.CreateSpecPlacement | Subscriptions.UpdateSpecPlacement | None
) -> Subscriptions.PlacementInfo:
    """Where machines made of templates would stand.

    :raises InvalidArgument: there is no such place.
    """
    named = {} if given is None else {name: id for name in PLACES if (id := getattr(given, name)) is not None}
    for name, id in named.items():
        if call.get(PLACES[name], id) is None:
            raise InvalidArgument(
                message("resphere.content.no_place", "placement.{0}: there is none with the id {1}.", name, id)
            )
    return Subscriptions.PlacementInfo(**named)
