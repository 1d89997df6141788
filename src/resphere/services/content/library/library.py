"""``com.vmware.content.library``: libraries of any type."""

from __future__ import annotations

from functools import partial

import msgspec

from resphere.contract.errors import (
    AlreadyInDesiredState,
    InvalidArgument,
    NotAllowedInCurrentState,
    Unsupported,
    VapiError,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library as Contract
from resphere.contract.generated.content import LibraryModel
from resphere.contract.generated.content_library import StorageBacking
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library, Publishing
from resphere.inventory.content.sessions import UpdateSession
from resphere.inventory.content.subscriptions import LibrarySubscription, SyncRequest
from resphere.inventory.model import Datastore
from resphere.replica.edit import Edit
from resphere.rules.admission import admit
from resphere.services.call import Call
from resphere.services.checks.content import LOCAL, require, require_changeable, require_subscribed
from resphere.services.checks.content_libraries import backing_of, model_of, storage_of
from resphere.services.content.local_library import change_library, delete_library, require_place
from resphere.services.registry import implements
from resphere.turns import in_turns

CONVERSION = "The library is being converted."
"""Why it is in maintenance meanwhile."""
BY_OPERATOR = "Maintenance was begun by {0}."


@implements(Contract.list, kept=True)
async def list_libraries(call: Call) -> tuple[str, ...]:
    """The ids of all libraries, in an order that is the same whichever worker answers."""
    return tuple(sorted(call.all(Library)))


@implements(Contract.get)
async def get(call: Call, library_id: ids.ContentLibraryId) -> LibraryModel:
    """One of them."""
    return model_of(call, require(call, Library, library_id))


@implements(Contract.find)
async def find(call: Call, spec: Contract.FindSpec) -> tuple[str, ...]:
    """The ids of the libraries that are all that is given; upper and lower case of a name are the same.

    :raises InvalidArgument: nothing is given.
    """
    if spec == Contract.FindSpec():
        raise InvalidArgument(
            message("resphere.content.find", "spec: give at least one property to find libraries by.")
        )
    among = call.all(Library) if spec.name is None else call.by(Library, "name", spec.name.casefold())
    return tuple(
        library.id
        for library in among.values()
        if spec.type in (None, library.type)
        and (spec.storage_backing is None or lies_on(library, spec.storage_backing))
    )


def lies_on(library: Library, wanted: StorageBacking) -> bool:
    """Whether the library's content lies where ``wanted`` says, as far as it does."""
    backing = backing_of(library)
    return all(value in (None, getattr(backing, name)) for name, value in msgspec.structs.asdict(wanted).items())


@implements(Contract.update)
async def update(call: Call, library_id: ids.ContentLibraryId, update_spec: LibraryModel) -> None:
    """Change what is given.

    :raises InvalidArgument: the specification is wrong, or the version that is given is not the present one.
    """
    await change_library(call, library_id, update_spec, InvalidArgument)


@implements(Contract.delete)
async def delete(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Delete the library with its items.

    :raises NotAllowedInCurrentState: it is said to be in use.
    """
    await delete_library(call, library_id, lambda _: None, force=False)


@implements(Contract.force_delete)
async def force_delete(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Delete the library with its items, whoever uses it."""
    await delete_library(call, library_id, lambda _: None, force=True)


@implements(Contract.enter_maintenance)
async def enter_maintenance(call: Call, library_id: ids.ContentLibraryId) -> None:
    """From now on nobody changes the library's content.

    :raises NotAllowedInCurrentState: it is in maintenance already, or somebody is changing an item.
    """

    def plan(edit: Edit) -> None:
        library = require(edit, Library, library_id)
        if library.maintenance is not None:
            raise NotAllowedInCurrentState(
                message("resphere.content.in_maintenance", "The library {0} is in maintenance.", library.name)
            )
        require_idle(call, edit, library)
        edit.put(msgspec.structs.replace(library, maintenance=BY_OPERATOR.format(call.session.user)))

    await call.settle(plan)


@implements(Contract.exit_maintenance)
async def exit_maintenance(call: Call, library_id: ids.ContentLibraryId) -> None:
    """Whoever may change the library's content can do so again.

    :raises NotAllowedInCurrentState: it is not in maintenance.
    """

    def plan(edit: Edit) -> None:
        library = require(edit, Library, library_id)
        if library.maintenance is None:
            raise NotAllowedInCurrentState(
                message("resphere.content.not_in_maintenance", "The library {0} is not in maintenance.", library.name)
            )
        edit.put(msgspec.structs.replace(library, maintenance=None))

    await call.settle(plan)


@implements(Contract.convert)
async def convert(call: Call, library_id: ids.ContentLibraryId, conversion_spec: Contract.ConversionSpec) -> None:
    """Make a library that is published of one that gets its content from elsewhere: with all that it has, which is its
    own from then on.

    It is in maintenance meanwhile, and stays so if the server is killed.

    :raises InvalidElementType: its content is made here.
    :raises NotAllowedInCurrentState: not all contents are here, one of them is coming, or the library is in
        maintenance.
    """

    def close(edit: Edit) -> None:
        library = require(edit, Library, library_id)
        require_subscribed(library)
        require_changeable(library)
        edit.put(msgspec.structs.replace(library, maintenance=CONVERSION))

    def open_again(edit: Edit) -> None:
        library = edit.get(Library, library_id)
        if library is not None and library.maintenance == CONVERSION:
            edit.put(msgspec.structs.replace(library, maintenance=None))

    # There may be very many items: nobody changes them while they are gone through.
    await call.unfiltered.change(close)
    try:
        items = tuple(call.unfiltered.by(LibraryItem, "library", library_id).values())
        async for piece in in_turns(items):
            for item in piece:
                require_here(item, conversion_spec.conversion_type)
                require_not_changing(call, item)
        await call.unfiltered.change(partial(put_converted, call, library_id))
    except BaseException:
        await call.unfiltered.change(open_again)
        raise


def require_here(item: LibraryItem, conversion: str) -> None:
    """Refuse an item whose content is elsewhere.

    :raises NotAllowedInCurrentState: it is.
    """
    if not item.is_cached:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.not_all_here",
                "The content of the library item {0} is not here: sync it before {1}.",
                item.name,
                conversion,
            )
        )


def put_converted(call: Call, id: ids.ContentLibraryId, edit: Edit) -> None:
    """Have a library that is closed be one whose content is made here. What its items had of its publisher means
    nothing any more, and goes with the next change of each."""
    library = require(edit, Library, id)
    require_subscribed(library)
    for cls, index in ((SyncRequest, "library"), (LibrarySubscription, "subscriber")):
        for request in list(call.unfiltered.by(cls, index, library.id)):
            edit.delete(cls, request)
    edit.put(
        msgspec.structs.replace(
            library,
            type=LOCAL,
            publishing=Publishing(published=True),
            subscription=None,
            subscription_password=None,
            synced_version=None,
            maintenance=None,
            version=library.version + 1,
            modified=call.environment.now(),
        )
    )


@implements(Contract.migrate)
async def migrate(call: Call, library_id: ids.ContentLibraryId, migrate_spec: Contract.MigrateSpec) -> None:
    """Move the library's content to another datastore.

    :raises AlreadyInDesiredState: it is there.
    :raises InvalidArgument: there is no such datastore.
    :raises NotAllowedInCurrentState: somebody is changing an item.
    :raises Unsupported: it is not, or shall not be, on a datastore.
    :raises VapiError: there is not enough room.
    """
    backing = storage_of(migrate_spec.storage_backings)
    target = None if backing.datastore_id is None else call.unfiltered.get(Datastore, backing.datastore_id)
    if target is not None:
        call.require_use(target)

    def plan(edit: Edit) -> None:
        library = require(edit, Library, library_id)
        if library.datastore is None or backing.datastore_id is None:
            raise Unsupported(
                message("resphere.content.migration", "Libraries migrate from datastores to datastores only.")
            )
        require_place(edit, backing)
        if library.datastore == backing.datastore_id:
            raise AlreadyInDesiredState(
                message("resphere.content.migrated", "The library {0} lies on that datastore.", library.name)
            )
        require_idle(call, edit, library)
        items = call.unfiltered.by(LibraryItem, "library", library.id).values()
        for item in items:
            edit.rely_on(item)
        take_room(call, edit, backing.datastore_id, sum(item.size_bytes for item in items))
        edit.put(msgspec.structs.replace(library, datastore=backing.datastore_id))

    await call.settle(plan)


def take_room(call: Call, edit: Edit, datastore: str, size: int) -> None:
    """Take so many bytes on a datastore.

    :raises VapiError: there is not enough room; the operation declares no error that says so by its type.
    """
    try:
        admit(call.unfiltered, edit, {datastore: size})
    except VapiError as error:
        raise VapiError(*error.messages) from error


def require_idle(call: Call, edit: Edit, library: Library) -> None:
    """Refuse what must not happen while somebody changes an item of the library.

    :raises NotAllowedInCurrentState: somebody does.
    """
    # An item that comes to be meanwhile is seen, and so is a session on it.
    edit.rely_on_referrers(library.id)
    for item in call.unfiltered.by(LibraryItem, "library", library.id).values():
        edit.rely_on_referrers(item.id)
        require_not_changing(call, item)


def require_not_changing(call: Call, item: LibraryItem) -> None:
    """Refuse what must not happen while somebody changes an item.

    :raises NotAllowedInCurrentState: somebody does.
    """
    now = call.environment.now()
    for session in call.unfiltered.by(UpdateSession, "item", item.id).values():
        if session.is_active and session.expires > now:
            raise NotAllowedInCurrentState(
                message("resphere.content.item_changed", "The library item {0} is being changed.", item.name)
            )
