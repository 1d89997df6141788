"""``com.vmware.content.library.item``: the items of libraries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from resphere.contract.errors import (
    AlreadyExists,
    ConcurrentChange,
    InvalidArgument,
    NotAllowedInCurrentState,
    ResourceInaccessible,
    UnableToAllocateResource,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.inventory.content.items import LibraryFile, LibraryItem, is_leaving, name_claim, name_key, stored_name
from resphere.inventory.content.libraries import Library, LibraryUsage
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.inventory.effects import Intent
from resphere.libraries.on_demand import bring, not_fetched
from resphere.replica.edit import Edit
from resphere.rules.admission import admit
from resphere.rules.content_names import LONGEST_DESCRIPTION, LONGEST_ITEM_NAME, LONGEST_TYPE, require_text
from resphere.services.call import Call
from resphere.services.checks.content import (
    call_key,
    made_before,
    require,
    require_changeable,
    require_given,
    require_local,
)
from resphere.services.checks.content_items import is_compliant, model_of
from resphere.services.checks.content_subscribers import require_publishing, subscriptions_of
from resphere.services.checks.published_templates import publish_templates, retire_templates
from resphere.services.checks.vm_templates import delete_templates, require_files, require_not_checked_out
from resphere.services.registry import implements


@implements(Item.list, kept=True)
async def list_items(call: Call, library_id: ids.ContentLibraryId) -> tuple[str, ...]:
    """The ids of the library's items, in an order that is the same whichever worker answers."""
    return tuple(sorted(call.by(LibraryItem, "library", require(call, Library, library_id).id)))


@implements(Item.get, kept=True)
async def get(call: Call, library_item_id: ids.ContentLibraryItemId) -> ItemModel:
    """One of them."""
    item = require(call, LibraryItem, library_item_id)
    return model_of(item, require(call, Library, item.library))


@implements(Item.find)
async def find(call: Call, spec: Item.FindSpec) -> tuple[str, ...]:
    """The ids of the items that are all that is given; upper and lower case of names and types are the same.

    :raises InvalidArgument: nothing is given.
    """
    if spec == Item.FindSpec():
        raise InvalidArgument(message("resphere.content.find", "spec: give at least one property to find items by."))
    return tuple(
        item.id for item in candidates(call, spec).values() if fits(item, spec) and not is_leaving(call.inventory, item)
    )


def candidates(call: Call, spec: Item.FindSpec) -> Mapping[str, LibraryItem]:
    """As few items as an index gives, among them all that are meant."""
    if spec.name is not None:
        return call.by(LibraryItem, "name", spec.name.casefold())
    if spec.source_id is not None:
        return call.by(LibraryItem, "source", spec.source_id)
    if spec.library_id is not None:
        return call.by(LibraryItem, "library", spec.library_id)
    if spec.type is not None:
        return call.by(LibraryItem, "type", spec.type.casefold())
    return call.all(LibraryItem)


def fits(item: LibraryItem, spec: Item.FindSpec) -> bool:
    """Whether an item is all that is given."""
    return (
        (spec.name is None or item.name.casefold() == spec.name.casefold())
        and spec.library_id in (None, item.library)
        and spec.source_id in (None, item.source)
        and (spec.type is None or item.type.casefold() == spec.type.casefold())
        and spec.cached in (None, item.is_cached)
    )


@implements(Item.create)
async def create(call: Call, client_token: str | None, create_spec: ItemModel) -> ids.ContentLibraryItemId:
    """Make an item without files; the same call once more answers the same.

    :raises AlreadyExists: the library has an item of that name.
    :raises InvalidArgument: name, description, type or token are none.
    :raises InvalidElementType: the library gets its items from elsewhere.
    :raises NotFound: there is no such library.
    :raises NotAllowedInCurrentState: the library is in maintenance, or has lost its place.
    """
    key = call_key(call, client_token)
    library_id = require_given("library_id", create_spec.library_id)
    made = new_item(call, create_spec, ids.ContentLibraryId(library_id), key)

    def plan(edit: Edit) -> ids.ContentLibraryItemId:
        before = made_before(call.unfiltered, LibraryItem, key)
        if before is not None:
            return before.id
        put_item(call, edit, made)
        return made.id

    return await call.settle(plan)


@implements(Item.copy)
async def copy(
    call: Call,
    client_token: str | None,
    source_library_item_id: ids.ContentLibraryItemId,
    destination_create_spec: ItemModel,
) -> ids.ContentLibraryItemId:
    """Make an item with the files of another one, whose bytes both have; it is there when this answers. Content that is
    not here is fetched before.

    :raises InvalidArgument: the library has an item of that name or demands verified packages, or the specification is
        wrong.
    :raises ResourceInaccessible: there is no room on the datastore of the library, or the content of the item cannot be
        fetched.
    """
    key = call_key(call, client_token)
    source = require(call, LibraryItem, source_library_item_id)
    library_id = require_given("library_id", destination_create_spec.library_id)
    spec = destination_create_spec
    spec = msgspec.structs.replace(spec, name=source.name if spec.name is None else spec.name)
    made = new_item(call, spec, ids.ContentLibraryId(library_id), key)
    if made_before(call.unfiltered, LibraryItem, key) is None:
        await bring(call.unfiltered, call.environment.library_sync, source.id)

    def plan(edit: Edit) -> ids.ContentLibraryItemId:
        before = made_before(call.unfiltered, LibraryItem, key)
        if before is not None:
            return before.id
        current = require(edit, LibraryItem, source_library_item_id)
        require_files(current)
        if not current.is_cached:
            raise not_fetched(current)
        # Its bytes are there as long as it has them.
        edit.rely_on(current)
        copied = msgspec.structs.replace(
            made,
            type=current.type,
            description=current.description if spec.description is None else made.description,
            files=tuple(copies(call, current.files)),
            verification=current.verification,
            certificates=current.certificates,
        )
        try:
            library = put_item(call, edit, copied)
            require_compliant(copied, library)
            if library.datastore is not None:
                admit(call.unfiltered, edit, {library.datastore: copied.size_bytes})
        except AlreadyExists as error:
            raise InvalidArgument(*error.messages) from error
        except UnableToAllocateResource as error:
            raise ResourceInaccessible(*error.messages) from error
        return copied.id

    return await call.unfiltered.change(plan)


def require_compliant(item: LibraryItem, library: Library) -> None:
    """Refuse a package that is not what the security policy of a library demands.

    :raises InvalidArgument: it is not.
    """
    if not is_compliant(item, library):
        raise InvalidArgument(
            message(
                "resphere.content.not_compliant",
                "The security policy of the library {0} takes verified OVF packages only, and {1} is none.",
                library.name,
                item.name,
            )
        )


def copies(call: Call, files: Iterable[LibraryFile]) -> Iterator[LibraryFile]:
    """The files as they lie once more."""
    for file in files:
        yield msgspec.structs.replace(file, stored_name=stored_name(file.name, call.new_uuid()), version=1)


@implements(Item.update)
async def update(call: Call, library_item_id: ids.ContentLibraryItemId, update_spec: ItemModel) -> None:
    """Change what is given of name, description and type.

    :raises AlreadyExists: the library has another item of that name.
    :raises InvalidArgument: they are none.
    :raises ConcurrentChange: the version that is given is not the present one.
    """
    require_texts(update_spec, new=False)

    def plan(edit: Edit) -> None:
        current = require(edit, LibraryItem, library_item_id)
        if update_spec.type not in (None, current.type):
            require_files(current)
        library = require(edit, Library, current.library)
        edit.rely_on(library)
        require_local(library)
        require_changeable(library)
        if update_spec.version not in (None, str(current.version)):
            raise ConcurrentChange(
                message(
                    "resphere.content.item_version",
                    "version: the library item has the version {0}, not {1}.",
                    current.version,
                    update_spec.version,
                )
            )
        new = msgspec.structs.replace(
            current,
            name=current.name if update_spec.name is None else update_spec.name,
            description=current.description if update_spec.description is None else update_spec.description,
            type=current.type if update_spec.type is None else update_spec.type,
        )
        if new == current:
            return
        require_free(call, library, new)
        edit.put(
            msgspec.structs.replace(
                new,
                version=current.version + 1,
                metadata_version=current.metadata_version + 1,
                modified=call.environment.now(),
            )
        )

    await call.settle(plan)


@implements(Item.delete)
async def delete(call: Call, library_item_id: ids.ContentLibraryItemId) -> None:
    """Delete the item with its files or templates, and the sessions on it.

    :raises NotAllowedInCurrentState: the library is in maintenance, or in use and guards its items; a VM is checked out
        of the item, or its templates cannot be deleted now.
    """

    def may_delete(edit: Edit) -> LibraryItem:
        item = require(edit, LibraryItem, library_item_id)
        library = require(edit, Library, item.library)
        edit.rely_on(library)
        require_local(library)
        if library.lost_datastore is None:
            require_changeable(library)
        if library.guards_items:
            require_no_users(call, edit, library)
        require_not_checked_out(call, edit, item)
        return item

    def plan(edit: Edit) -> bool:
        item = may_delete(edit)
        if item.template is None:
            edit.delete(LibraryItem, item.id)
        return item.template is None

    if not await call.unfiltered.change(plan):
        await delete_templates(call, require(call.unfiltered, LibraryItem, library_item_id), may_delete)


@implements(Item.publish)
async def publish(
    call: Call,
    library_item_id: ids.ContentLibraryItemId,
    force_sync_content: bool,
    subscriptions: tuple[Item.DestinationSpec, ...] | None,
) -> None:
    """Have the libraries of this server that subscribe take what is new of the item, or those that are named: that goes
    on behind. ``force_sync_content``: its content too, where they take that on demand. A VM template is cloned to where
    each subscription says. VM templates that the library has no more go from them as well.

    :raises NotAllowedInCurrentState: the library is not published.
    :raises InvalidArgument: it has no such subscription.
    """
    item = require(call, LibraryItem, library_item_id)
    library = require_publishing(require(call, Library, item.library))
    named = None if subscriptions is None else tuple(each.subscription for each in subscriptions)
    wanted = subscriptions_of(call, library, named)
    if item.template is not None:
        await publish_templates(call, (item,), wanted)
    else:
        await request_item(call, item, wanted, with_content=force_sync_content)
    await retire_templates(call, library, wanted)


async def request_item(
    call: Call, item: LibraryItem, subscriptions: Iterable[LibrarySubscription], *, with_content: bool
) -> None:
    """Have subscribers take what is new of an item that is made of files."""
    twins = {each.library: each for each in call.by(LibraryItem, "source", item.id).values()}

    def plan(edit: Edit) -> None:
        for each in subscriptions:
            if edit.get(LibrarySubscription, each.id) is None:
                continue
            twin = twins.get(each.subscriber)
            here = None if twin is None else edit.get(LibraryItem, twin.id)
            # What is not there yet comes with all that is new.
            call.environment.library_sync.request(
                edit, each.subscriber, None if here is None else here.id, with_content=with_content
            )

    await call.unfiltered.change(plan)


def require_no_users(call: Call, edit: Edit, library: Library) -> None:
    """Refuse to delete an item of a library that guards them for those who use it.

    :raises NotAllowedInCurrentState: somebody does.
    """
    if call.unfiltered.by(LibraryUsage, "library", library.id):
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.guarded",
                "The library {0} is in use, and keeps its items from being deleted as long as it is.",
                library.name,
            )
        )
    edit.rely_on_referrers(library.id)


def new_item(call: Call, spec: ItemModel, library: ids.ContentLibraryId, key: str | None) -> LibraryItem:
    """The item that a specification describes.

    :raises InvalidArgument: name, description or type are none.
    """
    require_texts(spec, new=True)
    now = call.environment.now()
    return LibraryItem(
        id=ids.ContentLibraryItemId(call.new_uuid()),
        library=library,
        name=spec.name or "",
        description=spec.description or "",
        type=spec.type or "",
        created=now,
        modified=now,
        client_token=key,
    )


def require_texts(spec: ItemModel, *, new: bool) -> None:
    """Refuse what no item may be called.

    :raises InvalidArgument: naming the field.
    """
    if new or spec.name is not None:
        require_text("name", spec.name or "", LONGEST_ITEM_NAME, least=1)
    require_text("description", spec.description or "", LONGEST_DESCRIPTION)
    require_text("type", spec.type or "", LONGEST_TYPE)


def put_item(call: Call, edit: Edit, item: LibraryItem) -> Library:
    """Write a new item into its library, which is returned.

    :raises AlreadyExists: the library has an item of that name.
    """
    library = require_room_for(call, edit, item)
    edit.put(item)
    return library


def require_room_for(call: Call, edit: Edit, item: LibraryItem) -> Library:
    """The library of a new item, which may take it.

    :raises AlreadyExists: the library has an item of that name.
    """
    library = require(edit, Library, item.library)
    require_local(library)
    require_changeable(library)
    require_free(call, library, item)
    return library


def require_free(call: Call, library: Library, item: LibraryItem) -> None:
    """Refuse a name that another item of the library has; id, arguments and words as a vCenter 7.0 wrote them.

    :raises AlreadyExists: it has.
    """
    others = call.unfiltered.by(LibraryItem, "library_name", name_key(library.id, item.name))
    under_way = call.unfiltered.by(Intent, "claim", name_claim(library.id, item.name))
    if under_way or any(id != item.id for id in others):
        raise AlreadyExists(
            message(
                "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
                "Operation is not supported since a library item with the name {0} exists in the library '{1}' "
                "(ID: {2}).",
                item.name,
                library.name,
                str(library.id),
            )
        )
