"""``com.vmware.content.local_library``: libraries whose content is made here."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.errors import (
    ConcurrentChange,
    InvalidArgument,
    VapiError,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, LocalLibrary
from resphere.contract.generated.content_library import PublishInfo, StorageBacking
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import LeavingLibrary, Library
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.inventory.model import Datastore
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.checks.content import (
    LOCAL,
    call_key,
    made_before,
    require,
    require_local,
    require_unused,
)
from resphere.services.checks.content_libraries import (
    changed,
    invalid,
    model_of,
    new_publishing,
    require_policy,
    require_text_of,
    storage_of,
)
from resphere.services.checks.content_subscribers import require_publishing, subscriptions_of
from resphere.services.checks.published_templates import publish_templates, retire_templates
from resphere.services.checks.vm_templates import delete_templates
from resphere.services.registry import implements


@implements(LocalLibrary.list, kept=True)
async def list_libraries(call: Call) -> tuple[str, ...]:
    """The ids of all local libraries, in an order that is the same whichever worker answers."""
    return tuple(sorted(call.by(Library, "type", LOCAL)))


@implements(LocalLibrary.get)
async def get(call: Call, library_id: ids.ContentLibraryId) -> LibraryModel:
    """One of them."""
    library = require(call, Library, library_id)
    require_local(library)
    return model_of(call, library)


@implements(LocalLibrary.create)
async def create(call: Call, client_token: str | None, create_spec: LibraryModel) -> ids.ContentLibraryId:
    """Make a library; the same call once more answers the same.

    :raises InvalidArgument: the specification or the token is wrong, or the datastore is not there.
    :raises Unsupported: there are several places for its content.
    """
    key = call_key(call, client_token)
    require_text_of(create_spec, new=True)
    if create_spec.type not in (None, LOCAL):
        raise InvalidArgument(message("resphere.content.type", "type: must be {0}, not {1}.", LOCAL, create_spec.type))
    require_policy(create_spec.security_policy_id)
    backing = storage_of(create_spec.storage_backings)
    publishing = await new_publishing(call, create_spec.publish_info)
    now = call.environment.now()
    made = Library(
        id=ids.ContentLibraryId(call.new_uuid()),
        type=LOCAL,
        name=create_spec.name or "",
        description=create_spec.description or "",
        created=now,
        modified=now,
        datastore=backing.datastore_id,
        storage_uri=backing.storage_uri,
        publishing=publishing,
        optimize_remote_publishing=(
            None if create_spec.optimization_info is None else create_spec.optimization_info.optimize_remote_publishing
        ),
        security_policy=create_spec.security_policy_id,
        guards_items=guards_items(create_spec) or False,
        client_token=key,
    )

    def plan(edit: Edit) -> ids.ContentLibraryId:
        before = made_before(call.unfiltered, Library, key)
        if before is not None:
            return before.id
        require_place(edit, backing)
        edit.put(made)
        return made.id

    return await call.unfiltered.change(plan)


@implements(LocalLibrary.update)
async def update(call: Call, library_id: ids.ContentLibraryId, update_spec: LibraryModel) -> None:
    """Change what is given.

    :raises ConcurrentChange: the version that is given is not the present one.
    :raises InvalidArgument: the specification is wrong, or the current password.
    """
    require_local(require(call, Library, library_id))
    await change_library(call, library_id, update_spec, ConcurrentChange)


@implements(LocalLibrary.delete)
async def delete(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Delete the library with its items.

    :raises NotAllowedInCurrentState: it is said to be in use.
    """
    await delete_library(call, library_id, require_local, force=False)


@implements(LocalLibrary.force_delete)
async def force_delete(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Delete the library with its items, whoever uses it."""
    await delete_library(call, library_id, require_local, force=True)


@implements(LocalLibrary.publish)
async def publish(
    call: Call, library_id: ids.ContentLibraryId, subscriptions: tuple[LocalLibrary.DestinationSpec, ...] | None
) -> None:
    """Have the libraries of this server that subscribe take what is new, or those that are named: that goes on behind.
    VM templates are cloned to where each subscription says, and go from there when the library has them no more.

    :raises NotAllowedInCurrentState: the library is not published.
    :raises InvalidArgument: it has no such subscription.
    """
    library = require_publishing(require(call, Library, library_id))
    named = None if subscriptions is None else tuple(each.subscription for each in subscriptions)
    wanted = subscriptions_of(call, library, named)

    def plan(edit: Edit) -> None:
        for each in wanted:
            if edit.get(LibrarySubscription, each.id) is not None:
                call.environment.library_sync.request(edit, each.subscriber)

    await call.unfiltered.change(plan)
    await publish_templates(call, tuple(call.by(LibraryItem, "library", library.id).values()), wanted)
    await retire_templates(call, library, wanted)


def guards_items(spec: LibraryModel) -> bool | None:
    """Whether who uses the library keeps its items from being deleted, where that is said."""
    return None if spec.configuration_info is None else spec.configuration_info.apply_library_usage_to_items


def require_place(among: Lookup, backing: StorageBacking) -> None:
    """Refuse a datastore that is not there.

    :raises InvalidArgument: it is not.
    """
    if backing.datastore_id is not None and among.get(Datastore, backing.datastore_id) is None:
        raise InvalidArgument(
            message(
                "resphere.content.no_datastore",
                "storage_backings: there is no datastore with the id {0}.",
                backing.datastore_id,
            )
        )


async def change_library(
    call: Call, library_id: ids.ContentLibraryId, spec: LibraryModel, stale: type[VapiError]
) -> None:
    """Change a library as ``spec`` says; ``stale`` is raised where that is about another version.

    :raises InvalidArgument: the specification is wrong, or the current password.
    """
    require_text_of(spec, new=False)
    require_policy(spec.security_policy_id)
    known = require(call.unfiltered, Library, library_id)
    if spec.publish_info is not None and known.subscription is not None:
        raise invalid("published", "a library that gets its content from elsewhere is not published")
    given = PublishInfo() if spec.publish_info is None else spec.publish_info
    publishing = await new_publishing(call, given, known.publishing)

    def plan(edit: Edit) -> None:
        current = require(edit, Library, library_id)
        require_version(current, spec, stale)
        if current.publishing != known.publishing:
            raise ConcurrentChange(
                message("resphere.content.published_meanwhile", "Others changed how the library is published.")
            )
        new = msgspec.structs.replace(changed(current, spec, guards_items(spec)), publishing=publishing)
        if new != current:
            edit.put(msgspec.structs.replace(new, version=current.version + 1, modified=call.environment.now()))

    await call.unfiltered.change(plan)


def require_version(library: Library, spec: LibraryModel, stale: type[VapiError]) -> None:
    """Refuse a specification that is about another version of the library, by an error of the class ``stale``."""
    if spec.version is not None and spec.version != str(library.version):
        raise stale(
            message(
                "resphere.content.version",
                "version: the library has the version {0}, not {1}.",
                library.version,
                spec.version,
            )
        )


async def delete_library(
    call: Call, library_id: ids.ContentLibraryId, check: Callable[[Library], object], *, force: bool
) -> None:
    """Delete a library that passes ``check``, and the templates that are its items; ``force``: whoever uses it."""

    def may_delete(edit: Edit) -> Library:
        library = require(edit, Library, library_id)
        check(library)
        if not force:
            require_unused(call.unfiltered, edit, library)
        return library

    def plan(edit: Edit) -> LibraryItem | None:
        library = may_delete(edit)
        items = call.unfiltered.by(LibraryItem, "library", library.id).values()
        template = next((item for item in items if item.template is not None), None)
        # One that comes to be meanwhile is seen.
        edit.rely_on_referrers(library.id)
        if template is None:
            leave(edit, library, bool(items))
        return template

    while (item := await call.unfiltered.change(plan)) is not None:
        await delete_templates(call, item, may_delete)
    await call.environment.library_cleaning.delete_items_of(library_id)


def leave(edit: Edit, library: Library, has_items: bool) -> None:
    """Delete a library; its items are there for nobody from now on, and are deleted some at a time."""
    edit.delete(Library, library.id, leaving=(LibraryItem,) if has_items else ())
    if has_items:
        edit.put(LeavingLibrary(id=library.id, datastore=library.datastore))
