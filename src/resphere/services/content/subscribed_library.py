"""``com.vmware.content.subscribed_library``: libraries that get their content from published ones."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import ConcurrentChange, InvalidArgument, NotAllowedInCurrentState, message
from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, SubscribedLibrary
from resphere.contract.generated.content_library import SubscriptionInfo
from resphere.contract.model import LocalizableMessage
from resphere.fetching.errors import FetchError
from resphere.fetching.trust import thumbprint_of
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.content import (
    SUBSCRIBED,
    call_key,
    made_before,
    require,
    require_changeable,
    require_subscribed,
)
from resphere.services.checks.content_libraries import (
    STATES_SINCE,
    changed,
    model_of,
    require_policy,
    require_text_of,
    storage_of,
)
from resphere.services.checks.content_subscriptions import (
    Terms,
    new_terms,
    pem_of,
    require_published,
    status_of,
)
from resphere.services.content.library.subscribed_item import without_contents
from resphere.services.content.local_library import delete_library, guards_items, require_place, require_version
from resphere.services.registry import implements
from resphere.turns import in_turns

AT_ONCE = 200
"""So many items are evicted in one transaction."""


@implements(SubscribedLibrary.list, kept=True)
async def list_libraries(call: Call) -> tuple[str, ...]:
    """The ids of all subscribed libraries, in an order that is the same whichever worker answers."""
    return tuple(sorted(call.by(Library, "type", SUBSCRIBED)))


@implements(SubscribedLibrary.get)
async def get(call: Call, library_id: ids.ContentLibraryId) -> LibraryModel:
    """One of them."""
    library = require(call, Library, library_id)
    require_subscribed(library)
    return model_of(call, library)


@implements(SubscribedLibrary.create)
async def create(call: Call, client_token: str | None, create_spec: LibraryModel) -> ids.ContentLibraryId:
    """Make a library that takes what another one has; that begins at once, behind. The same call once more answers the
    same.

    :raises InvalidArgument: the specification or the token is wrong, or the datastore is not there.
    :raises ResourceInaccessible: the publisher cannot be reached, or lets nobody in.
    :raises Unsupported: there are several places for its content.
    """
    key = call_key(call, client_token)
    require_text_of(create_spec, new=True)
    if create_spec.type not in (None, SUBSCRIBED):
        raise InvalidArgument(
            message("resphere.content.type", "type: must be {0}, not {1}.", SUBSCRIBED, create_spec.type)
        )
    require_policy(create_spec.security_policy_id)
    backing = storage_of(create_spec.storage_backings)
    require_place(call.unfiltered, backing)
    terms = new_terms(call, create_spec.subscription_info)
    before = made_before(call.unfiltered, Library, key)
    if before is None:
        await require_published(call, terms)
    now = call.environment.now()
    made = Library(
        id=ids.ContentLibraryId(call.new_uuid()),
        type=SUBSCRIBED,
        name=create_spec.name or "",
        description=create_spec.description or "",
        created=now,
        modified=now,
        datastore=backing.datastore_id,
        storage_uri=backing.storage_uri,
        security_policy=create_spec.security_policy_id,
        guards_items=guards_items(create_spec) or False,
        subscription=terms.subscription,
        subscription_password=terms.password,
        last_tried=now,
        client_token=key,
    )

    def plan(edit: Edit) -> ids.ContentLibraryId:
        before = made_before(call.unfiltered, Library, key)
        if before is not None:
            return before.id
        require_place(edit, backing)
        edit.put(made)
        call.environment.library_sync.request(edit, made.id)
        return made.id

    return await call.unfiltered.change(plan)


@implements(SubscribedLibrary.update)
async def update(call: Call, library_id: ids.ContentLibraryId, update_spec: LibraryModel) -> None:
    """Change what is given; with another address the library takes what is published there, in place of what it has.

    :raises ConcurrentChange: the version that is given is not the present one, or others change the library.
    :raises InvalidArgument: the specification is wrong.
    :raises ResourceInaccessible: the publisher cannot be reached by what is given, or lets nobody in.
    """
    require_text_of(update_spec, new=False)
    require_policy(update_spec.security_policy_id)
    known = require(call.unfiltered, Library, library_id)
    before = require_subscribed(known)
    terms = new_terms(call, update_spec.subscription_info, known)
    if reaches_otherwise(terms, known):
        await require_published(call, terms)

    def plan(edit: Edit) -> None:
        current = require(edit, Library, library_id)
        require_version(current, update_spec, ConcurrentChange)
        if (current.subscription, current.subscription_password) != (before, known.subscription_password):
            raise ConcurrentChange(
                message("resphere.content.subscribed_meanwhile", "Others changed to what the library subscribes.")
            )
        new = msgspec.structs.replace(
            changed(current, update_spec, guards_items(update_spec)),
            subscription=terms.subscription,
            subscription_password=terms.password,
        )
        if new == current:
            return
        # What is there is to be taken anew, or the contents that were not taken before.
        if (terms.subscription.number, terms.subscription.on_demand) != (before.number, before.on_demand):
            new = msgspec.structs.replace(new, synced_version=None)
        edit.put(msgspec.structs.replace(new, version=current.version + 1, modified=call.environment.now()))
        if terms.subscription.number != before.number:
            call.environment.library_sync.request(edit, current.id)

    await call.unfiltered.change(plan)


def reaches_otherwise(terms: Terms, known: Library) -> bool:
    """Whether the publisher is another one, or shall show or be shown something else, which has to be tried."""
    old, new = require_subscribed(known), terms.subscription
    return (old.url, old.thumbprint, old.certificate, known.subscription_password) != (
        new.url,
        new.thumbprint,
        new.certificate,
        terms.password,
    )


@implements(SubscribedLibrary.delete)
async def delete(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Delete the library with its items.

    :raises NotAllowedInCurrentState: it is said to be in use.
    """
    await delete_library(call, library_id, lambda library: require_subscribed(library), force=False)


@implements(SubscribedLibrary.force_delete)
async def force_delete(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Delete the library with its items, whoever uses it."""
    await delete_library(call, library_id, lambda library: require_subscribed(library), force=True)


@implements(SubscribedLibrary.sync)
async def sync(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Have the library take what is new; that goes on behind.

    :raises NotAllowedInCurrentState: the library is in maintenance, or has lost its place.
    :raises ResourceInaccessible: the publisher cannot be reached, or lets nobody in.
    """
    library = require(call, Library, library_id)
    subscription = require_subscribed(library)
    require_changeable(library)
    await require_published(call, Terms(subscription, library.subscription_password))

    def plan(edit: Edit) -> None:
        current = require(edit, Library, library_id)
        require_subscribed(current)
        call.environment.library_sync.request(edit, current.id)

    await call.unfiltered.change(plan)


@implements(SubscribedLibrary.evict)
async def evict(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Give the room of all contents back that can be had again on demand.

    :raises NotAllowedInCurrentState: the library takes contents at once, is in maintenance, or has lost its place.
    """
    require_evictable(require(call, Library, library_id))
    items = tuple(call.by(LibraryItem, "library", library_id))
    async for piece in in_turns(items, AT_ONCE):

        def plan(edit: Edit, piece: list[str] = piece) -> None:
            library = require(edit, Library, library_id)
            require_evictable(library)
            edit.rely_on(library)
            for id in piece:
                item = edit.get(LibraryItem, id)
                if item is not None:
                    edit.put(without_contents(item))

        await call.unfiltered.change(plan)


def require_evictable(library: Library) -> None:
    """Refuse a library whose contents would come again at once.

    :raises NotAllowedInCurrentState: it is one, is in maintenance, or has lost its place.
    """
    if not require_subscribed(library).on_demand:
        raise NotAllowedInCurrentState(
            message("resphere.content.not_on_demand", "The library {0} does not take contents on demand.", library.name)
        )
    require_changeable(library)


@implements(SubscribedLibrary.probe)
async def probe(call: Call, subscription_info: SubscriptionInfo) -> SubscribedLibrary.ProbeResult:
    """Whether a library could subscribe so; what is wrong is part of the answer."""
    later = STATES_SINCE in call.environment.product.api_releases
    try:
        terms = new_terms(call, subscription_info)
    except InvalidArgument as error:
        status = SubscribedLibrary.ProbeResult.Status.INVALID_URL
        return SubscribedLibrary.ProbeResult(status=status, error_messages=tuple(error.messages))
    publisher = call.environment.library_sync.publisher(terms.subscription, terms.password)
    status, messages = SubscribedLibrary.ProbeResult.Status.SUCCESS, tuple[LocalizableMessage, ...]()
    try:
        await publisher.library()
    except FetchError as error:
        status, messages = status_of(error), (error.message,)
    shown = await certificate_at(call, terms.subscription.url)
    return SubscribedLibrary.ProbeResult(
        status=status,
        ssl_thumbprint=None if shown is None else thumbprint_of(shown),
        ssl_certificate=None if shown is None or not later else pem_of(shown),
        error_messages=messages,
    )


async def certificate_at(call: Call, url: str) -> bytes | None:
    """The certificate that is shown at an address, if there is one."""
    try:
        return await call.environment.fetcher.certificate(url)
    except FetchError:
        return None
